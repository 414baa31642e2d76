//! `kafka-configs`: describes and changes the settings of topics, brokers, loggers, groups and
//! client metrics, quotas, and SCRAM credentials.
//!
//! Answers to kafka.admin.ConfigCommand of Kafka 4.3.1, whose help is `help-4.3.1.txt`. `options`
//! judges the command line, `edits` reads what shall change, `resources`, `quotas` and `scram` do
//! and say.

mod edits;
mod options;
mod quotas;
mod resources;
mod scram;

use std::io::Write;
use std::time::Duration;

use client::admin::{Admin, AdminError, Bootstrap};

use self::edits::Edits;
use self::options::{Entities, OPTIONS};
use crate::joptsimple::{OptionError, ParsedOptions, parse_in};
use crate::json::Report;
use crate::refused::Refused;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};

/// How long Java waits for an answer that only looks, and for one that changes something.
const LOOK: Duration = Duration::from_secs(30);
const CHANGE: Duration = Duration::from_secs(60);

/// Why a command that may ask the cluster failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Java catches these and prints their words alone.
    #[error("{0}")]
    Words(String),
    #[error("{0}")]
    Option(#[from] OptionError),
    /// What a future ended with.
    #[error("java.util.concurrent.ExecutionException: {}: {}", .0.class(), .0)]
    Asked(#[from] AdminError),
    /// The same where Java takes the cause out of its wrapping.
    #[error("{}: {}", .0.class(), .0)]
    Cause(AdminError),
    #[error("java.util.concurrent.TimeoutException")]
    TimedOut,
    #[error("{0}")]
    Session(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<SessionError> for Failure {
    /// As the first line of Java's trace.
    fn from(error: SessionError) -> Self {
        Self::Session(match &error {
            SessionError::Unreadable { path, exception } => format!("{exception}: {path}"),
            SessionError::NotCreated(_) => {
                format!("org.apache.kafka.common.KafkaException: {error}")
            }
            SessionError::Settings(_) => {
                format!("org.apache.kafka.common.config.ConfigException: {error}")
            }
            _ => error.to_string(),
        })
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
    let checked = parse_in(release, OPTIONS, arguments).map_err(Refused::from).and_then(|given| {
        let entities = options::check(arguments.is_empty(), &given)?;
        Ok((given, entities))
    });
    let (given, entities) = match checked {
        Ok(checked) => checked,
        Err(refused) => return refused.answer_in(release, help(release), out, err),
    };
    let done = open(&given).and_then(|mut session| {
        session.run(async |admin| match given.has("describe") {
            true => {
                let mut report = Report::new(given.has("json"), out, err);
                describe(&given, &entities, admin, &mut report).await?;
                Ok(report.end()?)
            }
            false => alter(&given, &entities, admin, out).await,
        })
    });
    match done {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure @ (Failure::Words(_) | Failure::Option(_))) => {
            refuse(err, &failure.to_string())
        }
        Err(failure) => {
            let line = arguments.join(" ");
            refuse(
                err,
                &format!("Error while executing config command with args '{line}'\n{failure}"),
            )
        }
    }
}

fn refuse(err: &mut dyn Write, words: &str) -> i32 {
    let _ = writeln!(err, "{words}");
    1
}

fn open(given: &ParsedOptions) -> Result<Session, Failure> {
    let settings = settings(&properties(given.value("command-config")?)?)?;
    let (bootstrap, list) = match given.value("bootstrap-controller")? {
        Some(list) => (Bootstrap::Controllers, list),
        None => (Bootstrap::Servers, given.value("bootstrap-server")?.unwrap_or_default()),
    };
    Ok(Session::open(bootstrap, list, settings, "AdminClient")?)
}

async fn describe(
    given: &ParsedOptions,
    entities: &Entities,
    admin: &mut Admin,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    match entities.first_type() {
        "users" | "clients" => {
            quotas::describe(entities, admin, report).await?;
            scram::describe(entities, admin, report).await
        }
        "ips" => quotas::describe(entities, admin, report).await,
        _ => resources::describe(entities, given.has("all"), given.release(), admin, report).await,
    }
}

async fn alter(
    given: &ParsedOptions,
    entities: &Entities,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let kind = entities.first_type();
    if entities.types.len() != entities.names.len() {
        let words = "An entity name must be specified for every entity type";
        return Err(Failure::Words(words.to_owned()));
    }
    let edits = Edits::read(given)?;
    match kind {
        "users" | "clients" => match quotas::split(entities, &edits)? {
            quotas::Altered::Quotas => quotas::alter(entities, &edits, admin).await?,
            quotas::Altered::Credentials => scram::alter(entities, &edits, admin).await?,
        },
        "ips" => {
            quotas::check_ip(&edits)?;
            quotas::alter(entities, &edits, admin).await?;
        }
        _ => resources::alter(entities, &edits, given.release(), admin).await?,
    }
    match entities.names.first().map_or("", String::as_str) {
        "" => writeln!(out, "Completed updating default config for {kind} in the cluster.")?,
        name => {
            writeln!(out, "Completed updating config for {} {name}.", singular(kind))?;
        }
    }
    Ok(())
}

/// `topics` without its last letter.
fn singular(kind: &str) -> &str {
    kind.get(..kind.len().saturating_sub(1)).unwrap_or_default()
}

/// Waits as long as Java does.
async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, AdminError>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::TimedOut),
    }
}
