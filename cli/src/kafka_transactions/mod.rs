//! `kafka-transactions`: transactions listed, described and ended, and those found that hang.
//!
//! Answers to org.apache.kafka.tools.TransactionsCommand of Kafka 4.3.1 and 3.7.0, whose help is in
//! the text files. `command_line` reads, `tables` prints, `objects` as JSON; `abort` ends a
//! transaction in its partition, `hanging` finds those that nobody will end.

mod abort;
mod command_line;
mod hanging;
mod objects;
mod tables;

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use client::admin::{
    Admin, AdminError, Bootstrap, ProducerState, TopicPartition, TransactionDescription,
    TransactionFilter, TransactionListing,
};

use self::command_line::number;
use self::hanging::OpenTransaction;
use self::objects::{DescriptionObject, HangingObject, ListingObject, ProducerObject};
use crate::arguments::ParsedOptions;
use crate::java_order::sort_by_hash;
use crate::json;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};
use crate::subcommands::{Given, Refused};

/// `PrintVersionAndExitAction` names the commit, too.
const fn version(release: CliRelease) -> &'static str {
    release.either("3.7.0 (Commit:2ae524ed625438c5)", "4.3.1 (Commit:26b251a451ce941d)")
}

/// What keeps a command from doing what it is asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Words(String),
    #[error("{what}: {cause}. Enable debug logging for additional detail.")]
    Failed { what: String, cause: String },
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What a command found.
enum Found {
    /// Broker by broker.
    Listed(Vec<(i32, Vec<TransactionListing>)>),
    Described(String, Vec<TransactionDescription>),
    Producers(Vec<ProducerState>),
    Hanging(Vec<OpenTransaction>),
}

impl Found {
    fn text(&self, now: i64) -> String {
        match self {
            Self::Listed(listed) => tables::listed(listed),
            Self::Described(id, described) => tables::described(id, described, now),
            Self::Producers(producers) => tables::producers(producers),
            Self::Hanging(hanging) => tables::hanging(hanging, now),
        }
    }

    fn write_json(&self, now: i64, out: &mut dyn Write) -> std::io::Result<()> {
        match self {
            Self::Listed(listed) => json::rows(ListingObject::all(listed), out),
            Self::Described(id, described) => {
                json::rows(described.iter().map(|one| DescriptionObject::of(id, one, now)), out)
            }
            Self::Producers(producers) => json::rows(producers.iter().map(ProducerObject::of), out),
            Self::Hanging(hanging) => {
                json::rows(hanging.iter().map(|open| HangingObject::of(open, now)), out)
            }
        }
    }
}

/// What was to be done, before what kept it from being done.
fn failed(what: impl Into<String>) -> impl FnOnce(AdminError) -> Failure {
    let what = what.into();
    |cause| Failure::Failed { what, cause: cause.to_string() }
}

fn words<T>(words: &str) -> Result<T, Failure> {
    Err(Failure::Words(words.to_owned()))
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Runs the tool; the exit code is 0 or 1.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let given = match command_line::read(release, arguments) {
        Ok(given) => given,
        Err(Refused::Help(text)) => {
            let _ = out.write_all(text.as_bytes());
            return 1;
        }
        Err(Refused::Version) => {
            let _ = writeln!(out, "{}", version(release));
            return 0;
        }
        Err(Refused::Wrong { help, problem }) => {
            let _ = err.write_all(command_line::complaint(release, help, &problem).as_bytes());
            return 1;
        }
    };
    let done = open(&given).and_then(|mut session| {
        session.run(async |admin| execute(given.command, &given.options, admin, out).await)
    });
    match done {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let _ = writeln!(err, "{failure}");
            1
        }
    }
}

fn open(given: &Given) -> Result<Session, Failure> {
    let properties = properties(given.tool.value("command-config")).map_err(|error| {
        let words = error.to_string();
        let cause = words.lines().next().unwrap_or_default().to_owned();
        Failure::Failed { what: "Failed to load admin client properties".to_owned(), cause }
    })?;
    let list = given.tool.value("bootstrap-server").unwrap_or_default();
    Ok(Session::open(Bootstrap::Servers, list, settings(&properties)?, "AdminClient")?)
}

async fn execute(
    command: &str,
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let found = match command {
        "list" => list(given, admin).await?,
        "describe" => describe(given.value("transactional-id").unwrap_or_default(), admin).await?,
        "describe-producers" => describe_producers(given, admin).await?,
        "abort" => return abort::run(given, admin).await,
        "find-hanging" => hanging::run(given, admin).await?,
        _ => {
            let id = given.value("transactionalId").unwrap_or_default();
            let what = format!("Failed to force terminate transactionalId `{id}`");
            return admin.force_terminate_transaction(id).await.map_err(failed(what));
        }
    };
    Ok(match given.is_set("json") {
        true => found.write_json(now(), out),
        false => out.write_all(found.text(now()).as_bytes()),
    }?)
}

async fn list(given: &ParsedOptions, admin: &mut Admin) -> Result<Found, Failure> {
    let filter = TransactionFilter {
        producer_ids: Vec::new(),
        duration: number(given, "duration-filter"),
        pattern: given.value("transactional-id-pattern").map(str::to_owned),
    };
    let listed = admin.list_transactions(&filter).await;
    let mut listed = listed.map_err(failed("Failed to list transactions"))?;
    sort_by_hash(&mut listed, |(broker, _)| *broker);
    Ok(Found::Listed(listed))
}

async fn describe(id: &str, admin: &mut Admin) -> Result<Found, Failure> {
    let described = admin.describe_transactions(&[id.to_owned()]).await;
    let what = format!("Failed to describe transaction state of transactional-id `{id}`");
    let described: Result<Vec<_>, AdminError> = described.into_values().collect();
    Ok(Found::Described(id.to_owned(), described.map_err(failed(what))?))
}

/// The partition that `--topic` and `--partition` name, both of which are required.
fn partition(given: &ParsedOptions) -> TopicPartition {
    TopicPartition {
        topic: given.value("topic").unwrap_or_default().to_owned(),
        partition: number(given, "partition").unwrap_or_default(),
    }
}

async fn describe_producers(given: &ParsedOptions, admin: &mut Admin) -> Result<Found, Failure> {
    let partition = partition(given);
    let broker: Option<i32> = number(given, "broker-id");
    let described = admin.describe_producers(std::slice::from_ref(&partition), broker).await;
    let clause = broker.map_or_else(|| "leader".to_owned(), |broker| format!("broker {broker}"));
    let what = format!("Failed to describe producers for partition {partition} on {clause}");
    let described: Result<Vec<_>, AdminError> = described.into_values().collect();
    Ok(Found::Producers(described.map_err(failed(what))?.concat()))
}
