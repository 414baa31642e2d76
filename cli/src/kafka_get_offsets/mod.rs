//! `kafka-get-offsets`: the offsets of partitions, earliest, latest or at a time.
//!
//! Answers to org.apache.kafka.tools.GetOffsetShell of Kafka 4.3.1, whose help is `help-4.3.1.txt`.
//! `filter` chooses partitions.

mod filter;

use std::io::Write;

use client::admin::{Admin, AdminError, AdminSettings, Bootstrap, OffsetSpec, TopicPartition};
use serde::Serialize;

use self::filter::PartitionFilter;
use crate::bootstrap_servers;
use crate::joptsimple::{Opt, OptionError, ParsedOptions, parse_in};
use crate::json::Report;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};

const USAGE: &str = "An interactive shell for getting topic-partition offsets.";
const TOPIC_PAGE: i32 = 2000;

const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("topic-partitions"),
    Opt::value("topic"),
    Opt::value("partitions"),
    Opt::value("time"),
    Opt::value("command-config"),
    Opt::switch("exclude-internal-topics"),
    Opt::value("broker-list").only(CliRelease::V3_7),
    Opt::switch("json"),
];

#[derive(Serialize)]
struct OffsetRow<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
}

/// Why there are no offsets.
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
    Session(#[from] SessionError),
    #[error("{class}: {0}", class = .0.class())]
    Admin(#[from] AdminError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
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
    match perform(release, arguments, out, err) {
        Ok(()) => 0,
        Err(Failure::Usage(words)) => {
            let _ = writeln!(err, "{words}\n{}", help(release).trim_end_matches('\n'));
            1
        }
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let _ = writeln!(err, "Error occurred: {failure}");
            1
        }
    }
}

fn perform(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let given = parse_in(release, OPTIONS, arguments)?;
    if arguments.is_empty() {
        return Err(Failure::Usage(USAGE.to_owned()));
    }
    if release.is_3_7() && !given.has("bootstrap-server") && !given.has("broker-list") {
        let asks = given.has("help") || given.has("version");
        return Err(match asks {
            true => Failure::Usage("Missing required argument \"[broker-list]\"".to_owned()),
            false => OptionError::MissingRequired("bootstrap-server").into(),
        });
    }
    // 3.7 looks for neither once it knows a cluster.
    let looks = !release.is_3_7();
    if looks && given.has("help") {
        return Err(Failure::Usage(USAGE.to_owned()));
    }
    if looks && given.has("version") {
        return Ok(writeln!(out, "{}", release.version())?);
    }
    // KIP-499: the older spelling counts where the newer one is not given.
    let by_name = ["bootstrap-server", "broker-list"].into_iter().find(|name| given.has(name));
    let Some(server) = by_name else {
        let words = "Missing required argument \"[bootstrap-server]\"";
        return Err(Failure::Usage(words.to_owned()));
    };
    let servers = given.value(server)?.unwrap_or_default();
    bootstrap_servers::check(servers).map_err(Failure::Usage)?;
    if given.has("topic-partitions") && (given.has("topic") || given.has("partitions")) {
        let words = "--topic-partitions cannot be used with --topic or --partitions";
        return Err(Failure::Words(words.to_owned()));
    }
    let spec =
        offset_spec(release, given.value("time")?.unwrap_or("latest")).map_err(Failure::Words)?;
    let filter = PartitionFilter::of(
        given.value("topic-partitions")?,
        given.value("topic")?,
        given.value("partitions")?,
    );
    let filter = filter.map_err(Failure::Words)?;
    let properties = properties(given.value("command-config")?)?;
    let own = settings(&properties)?;
    let settings = AdminSettings { client_id: "GetOffsetShell".to_owned(), ..own };
    let mut session = Session::open(Bootstrap::Servers, servers, settings, "AdminClient")?;
    let mut report = Report::new(given.has("json"), out, err);
    session.run(async |admin| execute(&given, admin, &filter, spec, &mut report).await)?;
    Ok(report.end()?)
}

async fn execute(
    given: &ParsedOptions,
    admin: &mut Admin,
    filter: &PartitionFilter,
    spec: OffsetSpec,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    let without_internal = given.has("exclude-internal-topics");
    let listed = admin.list_topics().await?.into_iter();
    let names = listed.filter(|topic| !(without_internal && topic.is_internal));
    let names: Vec<String> =
        names.map(|topic| topic.name).filter(|name| filter.fits_topic(name)).collect();
    let described = match names.is_empty() {
        true => Vec::new(),
        false => admin.describe_topics(&names, TOPIC_PAGE).await?,
    };
    let partitions = described.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| TopicPartition {
            topic: topic.name.clone(),
            partition: partition.index,
        })
    });
    let mut partitions: Vec<TopicPartition> =
        partitions.filter(|partition| filter.fits(partition)).collect();
    if partitions.is_empty() {
        let words = "Could not match any topic-partitions with the specified filters";
        return Err(Failure::Words(words.to_owned()));
    }
    partitions.sort_by_cached_key(ToString::to_string);
    let mut offsets = admin.list_offsets(&partitions, spec).await;
    for partition in &partitions {
        match offsets.remove(partition) {
            Some(Err(error)) => writeln!(
                report.err,
                "Skip getting offsets for topic-partition {partition} due to error: {}: {error}",
                error.class()
            )?,
            Some(Ok(listed)) if listed.offset != -1 => {
                let TopicPartition { topic, partition } = partition;
                let row = OffsetRow { topic, partition: *partition, offset: listed.offset };
                report.row(&row, || format!("{topic}:{partition}:{}\n", listed.offset))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn offset_spec(release: CliRelease, time: &str) -> Result<OffsetSpec, String> {
    let is_new = !release.is_3_7();
    Ok(match time {
        "earliest" | "-2" => OffsetSpec::Earliest,
        "latest" | "-1" => OffsetSpec::Latest,
        "max-timestamp" | "-3" => OffsetSpec::MaxTimestamp,
        "earliest-local" | "-4" if is_new => OffsetSpec::EarliestLocal,
        "latest-tiered" | "-5" if is_new => OffsetSpec::LatestTiered,
        "earliest-pending-upload" | "-6" if is_new => OffsetSpec::EarliestPendingUpload,
        other => OffsetSpec::Timestamp(other.parse().map_err(|_| {
            let tiers = release.either(
                "",
                " / -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload",
            );
            format!(
                "Malformed time argument {other}. Please use -1 or latest / -2 or earliest / -3 \
                 or max-timestamp{tiers}, or a specified long format timestamp"
            )
        })?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_names_numbers_or_moments() {
        assert_eq!(offset_spec(CliRelease::V4_3, "-3"), Ok(OffsetSpec::MaxTimestamp));
        assert_eq!(offset_spec(CliRelease::V4_3, "earliest-local"), Ok(OffsetSpec::EarliestLocal));
        assert_eq!(
            offset_spec(CliRelease::V4_3, "1700000000000"),
            Ok(OffsetSpec::Timestamp(1_700_000_000_000))
        );
        assert!(
            offset_spec(CliRelease::V4_3, "now")
                .unwrap_err()
                .starts_with("Malformed time argument now. ")
        );
    }
}
