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
use std::time::Duration;

use client::admin::{Admin, AdminError, Bootstrap};

use self::options::{OPTIONS, Remark};
use crate::joptsimple::{OptionError, ParsedOptions, parse_in};
use crate::offsets::OffsetsError;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};

/// `--timeout` where it is not given, in milliseconds.
const TIMEOUT: i64 = 30_000;
const TOPIC_PAGE: i32 = 2000;

/// Why a command that got as far as the cluster failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// These words, and the help below them.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Words(String),
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Failure {
    /// As an exception of a future shows its cause.
    fn of_future(error: &AdminError) -> Self {
        Self::Words(format!("{}: {error}", error.class()))
    }

    /// The same wrapped once more on its way.
    fn wrapped(error: &AdminError) -> Self {
        let class = error.class();
        Self::Words(format!("java.util.concurrent.ExecutionException: {class}: {error}"))
    }
}

impl From<OffsetsError> for Failure {
    fn from(error: OffsetsError) -> Self {
        match error {
            OffsetsError::Argument(words) => Self::Usage(words),
            OffsetsError::Words(words) => Self::Words(words),
            OffsetsError::Wrapped(error) => Self::wrapped(&error),
            OffsetsError::Plain(error) => Self::Words(error.to_string()),
            OffsetsError::Io(error) => Self::Io(error),
        }
    }
}

/// Where a command writes.
struct Streams<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl Streams<'_> {
    /// What Kafka's `printError` prints.
    fn error(&mut self, words: &str) -> std::io::Result<()> {
        writeln!(self.out, "\nError: {words}")
    }
}

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
    let opened = match (given.release().is_3_7(), opened) {
        (true, Err(Failure::Option(error))) => return Err(Failure::Usage(error.to_string())),
        // Nobody catches it there.
        (true, Err(Failure::Words(words))) => return Ok(refuse(streams.err, &words)),
        (_, opened) => opened?,
    };
    let mut session = match opened {
        Ok(session) => session,
        Err(refused) => return Ok(refuse(streams.err, &refused)),
    };
    check_values(given)?;
    session.run(async |admin| execute(given, admin, streams).await)?;
    Ok(0)
}

/// The way to the cluster, or why nothing is sent.
fn open(given: &ParsedOptions) -> Result<Result<Session, String>, Failure> {
    let list = given.value("bootstrap-server");
    let opened = properties(given.value("command-config")?).and_then(|properties| {
        let settings = settings(&properties)?;
        Ok((properties, settings))
    });
    let list = list?.unwrap_or_default();
    let opened = opened
        .and_then(|(_, settings)| Session::open(Bootstrap::Servers, list, settings, "AdminClient"));
    match opened {
        Ok(session) => Ok(Ok(session)),
        Err(SessionError::Settings(error @ client::admin::SettingsError::Insecure(_))) => {
            Ok(Err(error.to_string()))
        }
        Err(SessionError::Unreadable { path, .. }) if given.release().is_3_7() => {
            Err(Failure::Words(path))
        }
        Err(SessionError::Unreadable { path, exception }) => {
            Err(Failure::Words(format!("{exception}: {path}")))
        }
        // The cause stands in the trace alone.
        Err(error) => {
            let words = error.to_string();
            Err(Failure::Words(words.lines().next().unwrap_or_default().to_owned()))
        }
    }
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
    let timeout = given.long("timeout")?.unwrap_or(TIMEOUT);
    admin.limit_calls(Duration::from_millis(u64::try_from(timeout).unwrap_or_default()));
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
