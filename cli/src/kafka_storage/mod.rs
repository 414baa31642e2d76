//! `kafka-storage`: formats the directories of a node, and says what is in them.
//!
//! Answers to kafka.tools.StorageTool. Commands: `format`, `info`, `random-uuid`, and those that
//! 3.7.0 lacks: `version-mapping`, `feature-dependencies`.

mod bootstrap_text;
mod checkpoint;
mod directories;
mod failure;
mod flags;
mod format;
mod formatter;
mod inspect;
pub(crate) mod scram;
mod versions;
mod voters;

use std::io::Write;
use std::path::Path;

use config::BrokerConfig;
use protocol::Base64Uuid;
use uuid::Uuid;

use crate::arguments::{ParsedOptions, Stopped, parse};
use crate::noted;
use crate::release::CliRelease;
use crate::wrap::wrap;
use crate::{NodeConfig, NodeFileError};

pub use failure::Failure;
use flags::{Command, DESCRIPTION, commands, usage};
pub use formatter::{Formatted, format_if_new, format_if_new_as};

/// A random id: of a cluster or a directory.
pub fn random_uuid() -> Base64Uuid {
    Base64Uuid::random(Uuid::new_v4)
}

/// Runs the tool; the exit code is 0 or 1.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    noted::commands(commands(release).iter().map(|command| {
        (command.name, command.flags.iter().map(|flag| (flag.long, flag.takes_value)))
    }));
    let done = match select(release, arguments) {
        // argparse4j ends with 1 behind help, too.
        Selected::Help => Ok((out.write_all(help(release).as_bytes()), release.either(1, 0))),
        Selected::Wrong(problem) => Ok((complain(err, usage(release), &problem), 1)),
        Selected::Command(command, words) => match parse(command.flags, words) {
            Err(Stopped::Help | Stopped::Version) => {
                Ok((out.write_all(command.help().as_bytes()), release.either(1, 0)))
            }
            Err(Stopped::Wrong(problem)) => Ok((complain(err, command.usage, &problem), 1)),
            Ok(given) => execute(release, command, &given, out).map(|code| (Ok(()), code)),
        },
    };
    let (written, code) =
        done.unwrap_or_else(|failure| (writeln!(err, "{}", failure.in_words_of(release)), 1));
    // Streams that nobody reads any more are no reason to fail.
    drop(written);
    code
}

enum Selected<'a> {
    Help,
    Wrong(String),
    Command(&'static Command, &'a [String]),
}

/// Finds the command that the first word names.
fn select(release: CliRelease, arguments: &[String]) -> Selected<'_> {
    let Some((first, rest)) = arguments.split_first() else {
        return Selected::Wrong("too few arguments".to_owned());
    };
    if first == "-h" || first == "--help" {
        return Selected::Help;
    }
    if first.starts_with('-') {
        return Selected::Wrong(format!("unrecognized arguments: '{first}'"));
    }
    match commands(release).iter().find(|command| command.name == first) {
        Some(command) => Selected::Command(command, rest),
        None => {
            let names: Vec<_> =
                commands(release).iter().map(|each| format!("'{}'", each.name)).collect();
            let names = names.join(", ");
            Selected::Wrong(format!("invalid choice: '{first}' (choose from {names})"))
        }
    }
}

fn complain(err: &mut dyn Write, usage: &str, problem: &str) -> std::io::Result<()> {
    write!(err, "{usage}\n{}", wrap(&format!("kafka-storage: error: {problem}")))
}

fn help(release: CliRelease) -> String {
    if release.is_3_7() {
        return include_str!("help-3.7.0.txt").to_owned();
    }
    let mut help = format!("{}\n\n{DESCRIPTION}\n\npositional arguments:\n", usage(release));
    for command in commands(release) {
        help.push_str(&format!("    {:<20} {}\n", command.name, command.about));
    }
    help + flags::HELP_FLAG
}

fn execute(
    release: CliRelease,
    command: &Command,
    given: &ParsedOptions,
    out: &mut dyn Write,
) -> Result<i32, Failure> {
    match command.name {
        "format" => format::run(release, given, &read_config(given)?, out).map(|()| 0),
        "info" => inspect::run(&read_config(given)?, given.is_set("json"), out),
        "version-mapping" => versions::map(given.value("release-version"), out).map(|()| 0),
        "feature-dependencies" => versions::dependencies(given.values("feature"), out).map(|()| 0),
        _ => Ok(writeln!(out, "{}", random_uuid()).map(|()| 0)?),
    }
}

fn read_config(given: &ParsedOptions) -> Result<BrokerConfig, Failure> {
    let path = given.value("config").unwrap_or_default();
    let read = NodeConfig::read(Path::new(path), &[]).map_err(|error| match error {
        NodeFileError::Unreadable { cause, .. } => {
            Failure::Unreadable { path: path.to_owned(), cause }
        }
        NodeFileError::Broken { cause, .. } | NodeFileError::Config(cause) => cause.into(),
    });
    Ok(read?.config)
}
