//! `kafka-consumer-groups`: lists and describes groups of consumers, moves and deletes their
//! offsets, deletes them, and judges regular expressions.
//!
//! Answers to org.apache.kafka.tools.consumer.group.ConsumerGroupCommand of Kafka 4.3.1, whose help
//! is `help-4.3.1.txt`. `options` judges the command line; `list`, `describe`, `reset`, `delete`
//! and `regex` are its actions; `tables` and `objects` show what `describe` found. As with Kafka, a
//! command that fails at the cluster says so on stdout and ends with 0.

mod delete;
mod describe;
mod list;
mod objects;
mod old_tables;
mod options;
mod regex;
mod reset;
mod tables;

use std::io::Write;

use client::admin::Admin;

use self::options::{OPTIONS, Remark};
use crate::group_command::{Failure, Streams, limit, open};
use crate::joptsimple::{OptionError, ParsedOptions, parse_in};
use crate::release::CliRelease;

/// The help of a release.
const fn help(release: CliRelease) -> &'static str {
    release.either(include_str!("help-3.7.0.txt"), include_str!("help-4.3.1.txt"))
}

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let given = match parse_in(release, OPTIONS, arguments) {
        Ok(given) => given,
        Err(error) => return refuse(err, &error.to_string()),
    };
    match options::check(arguments.is_empty(), &given) {
        Err(Remark::Usage(words)) => return refuse_with_help(release, err, &words),
        Err(Remark::Words(words)) => return refuse(err, &words),
        Err(Remark::Version) => {
            let _ = writeln!(out, "{}", release.version());
            return 0;
        }
        Ok(Some(Remark::Warning(words))) => {
            let _ = writeln!(err, "{words}");
        }
        Ok(_) | Err(Remark::Warning(_)) => {}
    }
    let mut streams = Streams { out, err };
    match perform(&given, &mut streams) {
        Ok(code) => code,
        Err(Failure::Usage(words)) => refuse_with_help(release, streams.err, &words),
        Err(Failure::Refused(words)) => refuse(streams.err, &words),
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let words = format!("Executing consumer group command failed due to {failure}");
            i32::from(streams.error(&words).is_err())
        }
    }
}

fn refuse(err: &mut dyn Write, words: &str) -> i32 {
    let _ = writeln!(err, "{words}");
    1
}

fn refuse_with_help(release: CliRelease, err: &mut dyn Write, words: &str) -> i32 {
    refuse(err, &format!("{words}\n{}", help(release).trim_end_matches('\n')))
}

fn perform(given: &ParsedOptions, streams: &mut Streams<'_>) -> Result<i32, Failure> {
    if given.has("validate-regex") {
        // Java reads this value where nobody catches what is wrong with it.
        let pattern = match given.value("validate-regex") {
            Ok(pattern) => pattern.unwrap_or_default(),
            Err(error) => return Err(Failure::Usage(error.to_string())),
        };
        writeln!(streams.out, "{}", regex::verdict(pattern))?;
        return Ok(0);
    }
    let opened = open(given);
    let mut session = match (given.release().is_3_7(), opened) {
        (true, Err(Failure::Option(error))) => return Err(Failure::Usage(error.to_string())),
        // Nobody catches it there.
        (true, Err(Failure::Words(words))) => return Ok(refuse(streams.err, &words)),
        (_, opened) => opened?,
    };
    check_values(given)?;
    session.run(async |admin| execute(given, admin, streams).await)?;
    Ok(0)
}

/// The values that Kafka reads whatever the action is.
fn check_values(given: &ParsedOptions) -> Result<(), OptionError> {
    given.longs("to-offset")?;
    given.value("by-duration")?;
    given.long("shift-by")?;
    given.long("timeout")?;
    Ok(())
}

async fn execute(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    limit(given, admin)?;
    if given.has("list") {
        list::run(given, admin, streams).await
    } else if given.has("describe") {
        describe::run(given, admin, streams).await
    } else if given.has("delete") {
        delete::groups(given, admin, streams).await
    } else if given.has("reset-offsets") {
        reset::run(given, admin, streams).await
    } else {
        delete::offsets(given, admin, streams).await
    }
}

/// The groups that `--group` names, or all of them.
async fn chosen(given: &ParsedOptions, admin: &mut Admin) -> Result<Vec<String>, Failure> {
    if given.has("all-groups") {
        return list::names(admin).await;
    }
    let mut groups: Vec<String> = Vec::new();
    for group in given.values("group") {
        if !groups.iter().any(|known| known == group) {
            groups.push(group.to_owned());
        }
    }
    Ok(groups)
}
