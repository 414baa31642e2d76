//! `kafka-features`: the features of a cluster, described and given other levels.
//!
//! Answers to org.apache.kafka.tools.FeatureCommand of Kafka 4.3.1, whose help is in the text
//! files. `command_line` reads, `updates` plans and reports, `levels` knows releases.

mod command_line;
pub(crate) mod levels;
mod updates;

use std::io::Write;

use client::admin::{AdminError, Bootstrap, Features};
use raft::feature::MetadataVersion;
use serde::Serialize;

use self::levels::METADATA_VERSION;
use crate::arguments::ParsedOptions;
use crate::json;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};
use crate::subcommands::{Given, Refused};

/// What keeps a command from doing what it is asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Words(String),
    /// Java prints an error that came by a future with its class before its words.
    #[error("{}: {}", .0.class(), .0)]
    Asked(#[from] AdminError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<String> for Failure {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<SessionError> for Failure {
    /// Java prints the message alone, of which there is one line.
    fn from(error: SessionError) -> Self {
        let words = error.to_string();
        Self::Words(words.lines().next().unwrap_or_default().to_owned())
    }
}

/// The last level of metadata.version that 3.7 has a name for: 3.7-IV4.
const NEWEST_OF_3_7: i16 = 19;

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
            // argparse4j ends 3.7's tool itself.
            return release.either(1, 0);
        }
        Err(Refused::Version) => {
            let _ = writeln!(out, "{}", release.version());
            return 0;
        }
        Err(Refused::Wrong { help, problem }) if release.is_3_7() => {
            let complaint = command_line::complaint(release, help, &problem);
            let _ = err.write_all(complaint.as_bytes());
            return 1;
        }
        Err(Refused::Wrong { problem, .. }) => {
            let _ = write!(err, "Command line error: {problem}. Type --help for help.");
            return 1;
        }
    };
    match execute(release, &given, out) {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let _ = writeln!(err, "{failure}");
            1
        }
    }
}

fn execute(release: CliRelease, given: &Given, out: &mut dyn Write) -> Result<(), Failure> {
    let options = &given.options;
    match given.command {
        "version-mapping" => return map(options.value("release-version"), out),
        "feature-dependencies" => {
            for feature in options.values("feature") {
                let (name, level) = updates::name_and_level(feature)?;
                out.write_all(levels::dependencies(&name, level)?.as_bytes())?;
            }
            return Ok(());
        }
        _ => {}
    }
    let settings = settings(&properties(given.tool.value("command-config"))?)?;
    let (bootstrap, list) = match given.tool.value("bootstrap-server") {
        Some(list) => (Bootstrap::Servers, list),
        None => {
            let list = given.tool.value("bootstrap-controller").unwrap_or_default();
            (Bootstrap::Controllers, list)
        }
    };
    let mut session = Session::open(bootstrap, list, settings, "AdminClient")?;
    match given.command {
        "describe" => {
            let node: Option<i32> = options.value("node-id").and_then(|id| id.parse().ok());
            if let Some(id) = node.filter(|id| *id < 0) {
                let words = format!("Invalid node id {id}: must be non-negative.");
                return Err(Failure::Words(words));
            }
            let features = session.run(async |admin| admin.describe_features(node).await)?;
            let rows = rows(release, &features);
            Ok(match options.is_set("json") {
                true => json::rows(rows, out),
                false => out.write_all(table(release, &rows).as_bytes()),
            }?)
        }
        command => update(command, options, &mut session, out),
    }
}

/// The levels that a cluster of a release begins with.
fn map(release: Option<&str>, out: &mut dyn Write) -> Result<(), Failure> {
    let release = release.unwrap_or_else(|| MetadataVersion::LATEST.name());
    let metadata = levels::metadata_version(release, MetadataVersion::LATEST_NAMED)?;
    writeln!(out, "{METADATA_VERSION}={} ({release})", metadata.level())?;
    for feature in levels::features() {
        writeln!(out, "{}={}", feature.name, levels::default_level(feature, metadata))?;
    }
    Ok(())
}

/// What is known of a feature; levels of metadata.version have names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FeatureRow<'a> {
    feature: &'a str,
    supported_min_version: i16,
    supported_max_version: i16,
    finalized_version_level: i16,
    supported_min_release: Option<&'static str>,
    supported_max_release: Option<&'static str>,
    finalized_release: Option<&'static str>,
    epoch: Option<i64>,
}

fn rows(release: CliRelease, features: &Features) -> Vec<FeatureRow<'_>> {
    // A broker hides features that can be off from clients as old as 3.7's.
    let supported =
        features.supported.iter().filter(|(_, range)| !release.is_3_7() || range.min > 0);
    let rows = supported.map(|(name, range)| {
        let named = |level: i16| {
            let known = levels::metadata_name(level).filter(|_| name == METADATA_VERSION);
            known.filter(|_| !release.is_3_7() || level <= NEWEST_OF_3_7)
        };
        let level = features.finalized.get(name).copied().unwrap_or_default();
        FeatureRow {
            feature: name,
            supported_min_version: range.min,
            supported_max_version: range.max,
            finalized_version_level: level,
            supported_min_release: named(range.min),
            supported_max_release: named(range.max),
            finalized_release: named(level),
            epoch: features.epoch,
        }
    });
    rows.collect()
}

fn table(release: CliRelease, rows: &[FeatureRow<'_>]) -> String {
    let line = |row: &FeatureRow<'_>| {
        let shown = |level: i16, known: Option<&str>| match (row.feature, known) {
            (METADATA_VERSION, None) => format!("UNKNOWN {level}"),
            (_, Some(known)) => known.to_owned(),
            (_, None) => level.to_string(),
        };
        let name = row.feature;
        let min = shown(row.supported_min_version, row.supported_min_release);
        let max = shown(row.supported_max_version, row.supported_max_release);
        let level = shown(row.finalized_version_level, row.finalized_release);
        let epoch = row.epoch.map_or_else(|| "-".to_owned(), |epoch| epoch.to_string());
        match release.is_3_7() {
            true => format!(
                "Feature: {name}\tSupportedMinVersion: {min}\tSupportedMaxVersion: {max}\t\
                 FinalizedVersionLevel: {level}\tEpoch: {epoch}\n"
            ),
            false => format!(
                "Feature: {name:40}  SupportedMinVersion: {min:15}  SupportedMaxVersion: \
                 {max:15}  FinalizedVersionLevel: {level:15}  Epoch: {epoch}\n"
            ),
        }
    };
    rows.iter().map(line).collect()
}

fn update(
    command: &str,
    options: &ParsedOptions,
    session: &mut Session,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if options.is_set("metadata") && !options.is_set("release-version") {
        writeln!(out, " `metadata` flag is deprecated and may be removed in a future release.")?;
    }
    let levels = updates::read(command, options)?;
    let how = updates::upgrade_type(command, options);
    let is_dry_run = options.is_set("dry-run");
    let asked = session.run(async |admin| admin.update_features(&levels, how, is_dry_run).await);
    let updates = match asked {
        Ok(updates) => updates,
        Err(error) => levels.keys().map(|name| (name.clone(), Err(error.clone()))).collect(),
    };
    let (lines, failed) = updates::report(command, &levels, &updates, is_dry_run);
    out.write_all(lines.as_bytes())?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::Words(format!("{failed} out of {} operation(s) failed.", levels.len()))),
    }
}
