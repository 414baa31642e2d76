//! The options of `kafka-leader-election`, and which of them go together.
//!
//! Answers to `LeaderElectionCommandOptions` of Kafka 4.3.1: its checks in its order.

use client::admin::Election;

use super::partitions;
use crate::joptsimple::{Opt, OptionError, ParsedOptions};
use crate::refused::Refused;
use crate::release::CliRelease;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("admin.config"),
    Opt::value("command-config").only(CliRelease::V4_3),
    Opt::value("path-to-json-file"),
    Opt::value("topic"),
    Opt::value("partition"),
    Opt::switch("all-topic-partitions"),
    Opt::value("election-type"),
];

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) election: Election,
    /// Nothing for all partitions.
    pub(super) partitions: Option<Vec<(String, i32)>>,
    pub(super) servers: String,
    pub(super) config: Option<String>,
    pub(super) config_is_deprecated: bool,
}

/// Checks and reads what was given.
pub(super) fn plan(nothing_given: bool, given: &ParsedOptions) -> Result<Plan, Refused> {
    if nothing_given || given.has("help") {
        let words = "This tool attempts to elect a new leader for a set of topic partitions. The \
                     type of elections supported are preferred replicas and unclean replicas.";
        return Err(Refused::Usage(words.to_owned()));
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    check(given)?;
    let election = match given.value("election-type")? {
        Some(text) if text.eq_ignore_ascii_case("preferred") => Election::Preferred,
        Some(text) if text.eq_ignore_ascii_case("unclean") => Election::Unclean,
        text => {
            let argument = text.unwrap_or_default().to_owned();
            return Err(OptionError::Conversion { name: "election-type", argument }.into());
        }
    };
    let from_file = match given.value("path-to-json-file")? {
        Some(path) => Some(partitions::read(path).map_err(Refused::Words)?),
        None => None,
    };
    let topic = given.value("topic")?;
    let partition = given.integer("partition")?;
    let single = topic.zip(partition).map(|(topic, index)| vec![(topic.to_owned(), index)]);
    let config_is_deprecated = given.has("admin.config");
    let config = if config_is_deprecated { "admin.config" } else { "command-config" };
    Ok(Plan {
        election,
        partitions: from_file.or(single),
        config: given.value(config)?.map(str::to_owned),
        config_is_deprecated,
        servers: given.value("bootstrap-server")?.unwrap_or_default().to_owned(),
    })
}

fn check(given: &ParsedOptions) -> Result<(), Refused> {
    let words = |words: String| Err(Refused::Words(words));
    let required = ["bootstrap-server", "election-type"];
    let missing: Vec<&str> = required.into_iter().filter(|name| !given.has(name)).collect();
    if !missing.is_empty() {
        return words(format!("Missing required option(s): {}", missing.join(", ")));
    }
    if given.has("admin.config") && given.has("command-config") {
        let words = "Option \"[admin.config]\" can't be used with option \"[command-config]\"";
        return Err(Refused::Usage(words.to_owned()));
    }
    let choices = ["topic", "all-topic-partitions", "path-to-json-file"];
    if choices.iter().filter(|name| given.has(name)).count() != 1 {
        return words(format!(
            "One and only one of the following options is required: {}",
            choices.join(", ")
        ));
    }
    match (given.has("topic"), given.has("partition")) {
        (true, false) => words("Missing required option(s): partition".to_owned()),
        (false, true) => words("Option partition is only allowed if topic is used".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    fn planned(line: &str) -> Result<Plan, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        plan(words.is_empty(), &parse(OPTIONS, &words).unwrap())
    }

    #[test]
    fn one_partition_or_all_are_asked_for() {
        let line = "--bootstrap-server a:1 --election-type UNCLEAN --topic t --partition 2";
        let one = planned(line).unwrap();
        assert_eq!(one.partitions, Some(vec![("t".to_owned(), 2)]));
        assert_eq!(one.election, Election::Unclean);
        let line = "--bootstrap-server a:1 --election-type preferred --all-topic-partitions";
        assert_eq!(planned(line).unwrap().partitions, None);
    }

    #[test]
    fn what_is_missing_or_does_not_fit_is_named() {
        let start = "--bootstrap-server a:1 --election-type preferred";
        let table = [
            ("--topic a".to_owned(), "Missing required option(s): bootstrap-server, election-type"),
            (
                start.to_owned(),
                "One and only one of the following options is required: topic, \
                 all-topic-partitions, path-to-json-file",
            ),
            (format!("{start} --topic a"), "Missing required option(s): partition"),
            (
                format!("{start} --all-topic-partitions --partition 1"),
                "Option partition is only allowed if topic is used",
            ),
            (
                "--bootstrap-server a:1 --election-type best --all-topic-partitions".to_owned(),
                "Cannot parse argument 'best' of option election-type",
            ),
        ];
        for (line, words) in table {
            assert_eq!(planned(&line), Err(Refused::Words(words.to_owned())), "{line}");
        }
    }
}
