//! `kafka-delete-records`: deletes what lies before an offset of each partition.
//!
//! Answers to org.apache.kafka.tools.DeleteRecordsCommand of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `plan` reads the file of offsets. The results stand in the order of a hash
//! map, where Java's order is another in each process (docs/decisions/0372).

mod plan;

use std::collections::HashMap;
use std::io::Write;

use client::admin::{Admin, Bootstrap, TopicPartition};

use crate::java_order::{partition_hash, sort_by_hash};
use crate::joptsimple::{Opt, OptionError, parse_in};
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};

const HELP: &str = include_str!("help-4.3.1.txt");
const USAGE: &str =
    "This tool helps to delete records of the given partitions down to the specified offset.";

const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("offset-json-file"),
    Opt::value("command-config"),
];

/// Why nothing is deleted.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// These words, and the help below them.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("Unable to read file {0}")]
    Unreadable(String),
    #[error("{0}")]
    Plan(#[from] plan::PlanError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    match perform(release, arguments, out) {
        Ok(()) => 0,
        Err(Failure::Usage(words)) => {
            let _ = writeln!(err, "{words}\n{}", HELP.trim_end_matches('\n'));
            1
        }
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let _ = writeln!(err, "{failure}");
            1
        }
    }
}

fn perform(release: CliRelease, arguments: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let given = parse_in(release, OPTIONS, arguments)?;
    if arguments.is_empty() || given.has("help") {
        return Err(Failure::Usage(USAGE.to_owned()));
    }
    if given.has("version") {
        return Ok(writeln!(out, "{}", release.version())?);
    }
    for required in ["bootstrap-server", "offset-json-file"] {
        if !given.has(required) {
            return Err(Failure::Usage(format!("Missing required argument \"[{required}]\"")));
        }
    }
    let properties = properties(given.value("command-config")?)?;
    let servers = given.value("bootstrap-server")?.unwrap_or_default();
    let settings = settings(&properties)?;
    let mut session = Session::open(Bootstrap::Servers, servers, settings, "AdminClient")?;
    let path = given.value("offset-json-file")?.unwrap_or_default();
    let text = std::fs::read_to_string(path).map_err(|_| Failure::Unreadable(path.to_owned()))?;
    let before = plan::read(&text)?;
    session.run(async |admin| delete(admin, &before, out).await)
}

async fn delete(
    admin: &mut Admin,
    before: &HashMap<TopicPartition, i64>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    writeln!(out, "Executing records delete operation")?;
    let mut results: Vec<_> = admin.delete_records(before).await.into_iter().collect();
    sort_by_hash(&mut results, |(partition, _)| partition_hash(partition));
    writeln!(out, "Records delete operation completed:")?;
    for (partition, result) in results {
        match result {
            Ok(start) => writeln!(out, "partition: {partition}\tlow_watermark: {start}")?,
            Err(error) => {
                writeln!(out, "partition: {partition}\terror: {}: {error}", error.class())?;
            }
        }
    }
    Ok(())
}
