//! `kafka-log-dirs`: which replica is in which log directory of which broker, as JSON.
//!
//! Answers to org.apache.kafka.tools.LogDirsCommand of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `json` prints as Java prints its maps.

mod json;

use std::io::Write;

use client::admin::{Admin, AdminError, Bootstrap, LogDir};

use crate::java_order::integer_set;
use crate::joptsimple::{Opt, OptionError, ParsedOptions, parse_in};
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};

const HELP: &str = include_str!("help-4.3.1.txt");
const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("command-config"),
    Opt::switch("describe"),
    Opt::value("topic-list"),
    Opt::value("broker-list"),
    Opt::switch("json").beside(&["describe"]),
];

/// Why nothing is shown, or not all of it.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// These words, and the help below them.
    #[error("{0}\n{help}", help = HELP.trim_end_matches('\n'))]
    Usage(String),
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("For input string: \"{0}\"")]
    NoNumber(String),
    #[error(
        "ERROR: The given brokers do not exist from --broker-list: {unknown}. Current existent \
         brokers: {known}"
    )]
    NoBroker { unknown: String, known: String },
    #[error("{}: {}", .0.class(), .0)]
    Asked(#[from] AdminError),
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
    match execute(release, arguments, out) {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let _ = writeln!(err, "{failure}");
            1
        }
    }
}

fn execute(release: CliRelease, arguments: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let given = parse_in(release, OPTIONS, arguments)?;
    if arguments.is_empty() || given.has("help") {
        let words = "This tool helps to query log directory usage on the specified brokers.";
        return Err(Failure::Usage(words.to_owned()));
    }
    if given.has("version") {
        return Ok(writeln!(out, "{}", release.version())?);
    }
    let required = ["bootstrap-server", "describe"];
    if let Some(missing) = required.iter().find(|name| !given.has(name)) {
        return Err(Failure::Usage(format!("Missing required argument \"[{missing}]\"")));
    }
    let properties = properties(given.value("command-config")?)?;
    let servers = given.value("bootstrap-server")?.unwrap_or_default();
    let mut settings = settings(&properties)?;
    if !properties.contains("client.id") {
        "log-dirs-tool".clone_into(&mut settings.client_id);
    }
    let mut session = Session::open(Bootstrap::Servers, servers, settings, "AdminClient")?;
    session.run(async |admin| describe(&given, admin, out).await)
}

async fn describe(
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let topics = listed(given, "topic-list")?;
    let nodes = admin.describe_cluster(false).await?.nodes;
    let known = integer_set(nodes.iter().map(|node| node.id).collect());
    let mut wanted: Vec<i32> = Vec::new();
    for text in listed(given, "broker-list")? {
        wanted.push(text.parse().map_err(|_| Failure::NoNumber(text))?);
    }
    let wanted = integer_set(wanted);
    let unknown: Vec<i32> = wanted.iter().copied().filter(|id| !known.contains(id)).collect();
    if !unknown.is_empty() {
        return Err(Failure::NoBroker { unknown: joined(&unknown), known: joined(&known) });
    }
    let asked = if wanted.is_empty() { known } else { wanted };
    // What is found is JSON anyhow; two lines stand above it.
    let is_bare = given.has("json");
    if !is_bare {
        writeln!(out, "Querying brokers for log directories information")?;
    }
    let mut brokers: Vec<(i32, Vec<LogDir>)> = Vec::new();
    for id in &asked {
        brokers.push((*id, admin.describe_log_dirs(*id).await?));
    }
    if !is_bare {
        writeln!(out, "Received log directory information from brokers {}", joined(&asked))?;
    }
    Ok(writeln!(out, "{}", json::text(brokers, &topics))?)
}

/// The words of a list between commas; empty ones are passed over.
fn listed(given: &ParsedOptions, name: &'static str) -> Result<Vec<String>, OptionError> {
    let words = given.value(name)?.unwrap_or_default().split(',');
    Ok(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

fn joined(ids: &[i32]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
