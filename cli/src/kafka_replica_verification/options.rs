//! The options of `kafka-replica-verification`.
//!
//! Answers to `ReplicaVerificationToolOptions` of Kafka 4.3.1 and 3.7.0, where `--topics-include`
//! had an older name, too.

use std::time::Duration;

use crate::bootstrap_servers;
use crate::joptsimple::{Opt, ParsedOptions, parse_in};
use crate::kafka_topics::filter::Filter;
use crate::refused::Refused;
use crate::release::CliRelease;

const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("broker-list"),
    Opt::value("fetch-size"),
    Opt::value("max-wait-ms"),
    Opt::value("topics-include"),
    Opt::value("topic-white-list").only(CliRelease::V3_7),
    Opt::value("time"),
    Opt::value("report-interval-ms"),
];

/// What is to be compared, and how.
pub(super) struct Plan {
    pub(super) broker_list: String,
    /// Bytes of one partition in one fetch.
    pub(super) fetch_size: i32,
    /// How long a broker that has nothing waits.
    pub(super) max_wait_ms: i32,
    topics: String,
    /// A timestamp, or -1 for the end and -2 for the beginning.
    pub(super) time: i64,
    pub(super) report_interval: Duration,
}

/// A pattern that is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is an invalid regex")]
pub(super) struct InvalidRegex(String);

impl Plan {
    /// Reads a command line.
    pub(super) fn read(release: CliRelease, arguments: &[String]) -> Result<Self, Refused> {
        let given = parse_in(release, OPTIONS, arguments)?;
        let usage = |words: &str| Refused::Usage(words.to_owned());
        if arguments.is_empty() || given.has("help") {
            let words = "Validate that all replicas for a set of topics have the same data.";
            return Err(usage(words));
        }
        if given.has("version") {
            return Err(Refused::Version);
        }
        if !given.has("broker-list") {
            return Err(usage("Missing required argument \"[broker-list]\""));
        }
        let broker_list = given.value("broker-list")?.unwrap_or_default();
        bootstrap_servers::check(broker_list).map_err(Refused::Usage)?;
        Ok(Self {
            broker_list: broker_list.to_owned(),
            topics: topics(&given)?.to_owned(),
            time: given.long("time")?.unwrap_or(-1),
            report_interval: {
                let millis = given.long("report-interval-ms")?.unwrap_or(30_000);
                Duration::from_millis(u64::try_from(millis).unwrap_or_default())
            },
            fetch_size: given.integer("fetch-size")?.unwrap_or(1 << 20),
            max_wait_ms: given.integer("max-wait-ms")?.unwrap_or(1000),
        })
    }

    /// Which topics are compared; Kafka reads the pattern when it has a topic to hold against it.
    pub(super) fn filter(&self) -> Result<Filter, InvalidRegex> {
        Filter::new(&self.topics).map_err(|_| InvalidRegex(self.topics.clone()))
    }
}

/// The pattern of topics, by its newer name before its older one.
fn topics(given: &ParsedOptions) -> Result<&str, Refused> {
    let names = ["topics-include", "topic-white-list"];
    let name = names.into_iter().find(|name| given.has(name)).unwrap_or("topics-include");
    Ok(given.value(name)?.unwrap_or(".*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(release: CliRelease, line: &str) -> Result<Plan, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Plan::read(release, &words)
    }

    #[test]
    fn what_is_not_given_has_kafkas_defaults() {
        let given = plan(CliRelease::V4_3, "--broker-list a:1").ok().unwrap();
        assert_eq!((given.fetch_size, given.max_wait_ms, given.time), (1_048_576, 1000, -1));
        assert_eq!(given.report_interval, Duration::from_secs(30));
        assert!(given.filter().ok().unwrap().fits("any"));
    }

    #[test]
    fn the_older_name_of_the_topics_counts_where_the_newer_is_not_given() {
        let given =
            plan(CliRelease::V3_7, "--broker-list a:1 --topic-white-list o.*").ok().unwrap();
        assert!(
            given.filter().ok().unwrap().fits("orders") && !given.filter().ok().unwrap().fits("t")
        );
        let both = "--broker-list a:1 --topic-white-list o.* --topics-include t";
        let given = plan(CliRelease::V3_7, both).ok().unwrap();
        assert!(
            !given.filter().ok().unwrap().fits("orders") && given.filter().ok().unwrap().fits("t")
        );
        assert!(matches!(plan(CliRelease::V4_3, both), Err(Refused::Words(_))));
    }

    #[test]
    fn wrong_lists_and_patterns_are_refused() {
        for (line, problem) in [
            ("--time -1", "Missing required argument \"[broker-list]\""),
            ("--broker-list a", "Please provide valid host:port"),
            ("--broker-list a:1 --fetch-size x", "Cannot parse argument 'x' of option fetch-size"),
        ] {
            match plan(CliRelease::V4_3, line).err().unwrap() {
                Refused::Usage(words) | Refused::Words(words) => {
                    assert!(words.starts_with(problem), "{words}");
                }
                Refused::Version => panic!("{line}"),
            }
        }
        let given = plan(CliRelease::V4_3, "--broker-list a:1 --topics-include [").ok().unwrap();
        assert_eq!(given.filter().err().unwrap().to_string(), "[ is an invalid regex");
    }
}
