//! `kafka-client-metrics`: which metrics clients shall push, and how often.
//!
//! Answers to org.apache.kafka.tools.ClientMetricsCommand of Kafka 4.3.1 and 3.7.0,
//! whose help is in the text files. `options` judges the command line.

mod options;

use std::io::Write;
use std::time::Duration;

use client::admin::{Admin, AdminError, Bootstrap, ConfigOp, ConfigResource, ResourceKind};
use serde::Serialize;

use self::options::OPTIONS;
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::{OptionError, ParsedOptions};
use crate::json::{self, Report, fields};
use crate::kafka_storage::random_uuid;
use crate::refused::read_in;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};

/// The help of a release.
const fn help(release: CliRelease) -> &'static str {
    release.either(include_str!("help-3.7.0.txt"), include_str!("help-4.3.1.txt"))
}

/// How long Java waits for each answer.
const LIMIT: Duration = Duration::from_secs(30);

/// Why a command that got past its options failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Before a client is made: said on stderr.
    #[error("{0}")]
    Early(String),
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Asked(#[from] AdminError),
    /// Java's exception has no message.
    #[error("null")]
    TimedOut,
    #[error("{0}")]
    Session(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match &error {
            SessionError::Unreadable { .. } => Self::Early(error.to_string()),
            _ => {
                let words = error.to_string();
                Self::Session(words.lines().next().unwrap_or_default().to_owned())
            }
        }
    }
}

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let (given, action) = match read_in(release, OPTIONS, arguments, options::check) {
        Ok(checked) => checked,
        Err(refused) => return refused.answer_in(release, help(release), out, err),
    };
    let done = open(&given).and_then(|mut session| {
        session.run(async |admin| execute(action, &given, admin, out, err).await)
    });
    match done {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure @ Failure::Early(_)) => refuse(err, &failure.to_string()),
        Err(failure) => {
            let mut said = failure.to_string();
            if release.is_3_7() {
                // What the request was called before it listed other resources, too (KIP-1142).
                said =
                    said.replace("Call: listConfigResources", "Call: listClientMetricsResources");
            }
            refuse(out, &format!("Error while executing client metrics command : {said}"))
        }
    }
}

fn refuse(stream: &mut dyn Write, words: &str) -> i32 {
    let _ = writeln!(stream, "{words}");
    1
}

fn open(given: &ParsedOptions) -> Result<Session, Failure> {
    let early = |error: OptionError| Failure::Early(error.to_string());
    let settings = settings(&properties(given.value("command-config").map_err(early)?)?)?;
    let list = given.value("bootstrap-server").map_err(early)?.unwrap_or_default();
    Ok(Session::open(Bootstrap::Servers, list, settings, "AdminClient")?)
}

async fn within<T>(asked: impl Future<Output = Result<T, AdminError>>) -> Result<T, Failure> {
    match tokio::time::timeout(LIMIT, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::TimedOut),
    }
}

fn resource(name: &str) -> ConfigResource {
    ConfigResource { kind: ResourceKind::ClientMetrics, name: name.to_owned() }
}

async fn execute(
    action: &str,
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let name = given.value("name")?;
    let is_json = given.has("json");
    match action {
        "alter" => alter(name, given, admin, out).await,
        "delete" => {
            let name = name.unwrap_or_default();
            let old = within(admin.describe_configs(&resource(name), false)).await?;
            let ops = old.into_iter().map(|entry| ConfigOp::Delete { name: entry.name });
            within(admin.alter_configs(&resource(name), &ops.collect::<Vec<_>>())).await?;
            Ok(writeln!(out, "Deleted client metrics config for {name}.")?)
        }
        "list" => {
            let names = within(admin.list_config_resources(ResourceKind::ClientMetrics)).await?;
            Ok(match is_json {
                true => json::rows(names.iter().map(|name| Listed { name }), out),
                false => writeln!(out, "{}", names.join("\n")),
            }?)
        }
        _ => {
            let mut report = Report::new(is_json, out, err);
            describe(name, given.release(), admin, &mut report).await?;
            Ok(report.end()?)
        }
    }
}

async fn alter(
    name: Option<&str>,
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let name = name.map_or_else(|| random_uuid().to_string(), str::to_owned);
    let listed = |option| given.has(option).then(|| given.separated(option).join(","));
    let interval = match given.release() {
        CliRelease::V3_7 => given.integer("interval")?.map(|interval| interval.to_string()),
        CliRelease::V4_3 => given.value("interval")?.map(str::to_owned),
    };
    let settings =
        [("interval.ms", interval), ("metrics", listed("metrics")), ("match", listed("match"))];
    let op = |(key, value): (&str, Option<String>)| {
        let name = key.to_owned();
        value.map(|value| match value.is_empty() {
            true => ConfigOp::Delete { name },
            false => ConfigOp::Set { name, value },
        })
    };
    let ops: Vec<ConfigOp> = settings.into_iter().filter_map(op).collect();
    admin.limit_calls(LIMIT);
    within(admin.alter_configs(&resource(&name), &ops)).await?;
    Ok(writeln!(out, "Altered client metrics config for {name}.")?)
}

async fn describe(
    name: Option<&str>,
    release: CliRelease,
    admin: &mut Admin,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    let known = match name {
        // 3.7 describes what it is asked for, whether it is there or not.
        Some(name) if release.is_3_7() => vec![name.to_owned()],
        _ => within(admin.list_config_resources(ResourceKind::ClientMetrics)).await?,
    };
    let names = match name {
        None => known,
        Some(name) if known.iter().any(|known| known == name) => vec![name.to_owned()],
        Some(name) => {
            return Ok(report.remark(&format!(
                "The client metric resource {name} doesn't exist and doesn't have dynamic config."
            ))?);
        }
    };
    for name in names {
        report.heading(&format!("Client metrics configs for {name} are:\n"))?;
        let mut entries = within(admin.describe_configs(&resource(&name), false)).await?;
        sort_by_hash(&mut entries, |entry| string_hash(&entry.name));
        let configs = entries.iter().map(|entry| (entry.name.as_str(), entry.value.as_deref()));
        let row = SubscriptionRow { name: &name, configs: configs.collect() };
        report.row(&row, || row.text())?;
    }
    Ok(())
}

/// A row of `--list`.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
}

/// A resource of client metrics, which clients subscribe to.
#[derive(Serialize)]
struct SubscriptionRow<'a> {
    name: &'a str,
    #[serde(serialize_with = "fields")]
    configs: Vec<(&'a str, Option<&'a str>)>,
}

impl SubscriptionRow<'_> {
    fn text(&self) -> String {
        let line = |(name, value): &(&str, Option<&str>)| {
            format!("  {name}={}\n", value.unwrap_or("null"))
        };
        self.configs.iter().map(line).collect()
    }
}
