//! The options of `kafka-topics`, and which of them go together.
//!
//! Answers to `TopicCommandOptions` of Kafka 4.3.1: its checks in its order.

use crate::joptsimple::{Opt, ParsedOptions};
use crate::refused::Refused;
use crate::release::CliRelease;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("command-config"),
    Opt::switch("list"),
    Opt::switch("create"),
    Opt::switch("delete"),
    Opt::switch("alter"),
    Opt::switch("describe"),
    Opt::value("topic"),
    Opt::value("topic-id"),
    Opt::value("config"),
    Opt::value("delete-config"),
    Opt::value("partitions"),
    Opt::value("replication-factor"),
    Opt::value("replica-assignment"),
    Opt::switch("under-replicated-partitions"),
    Opt::switch("unavailable-partitions"),
    Opt::switch("under-min-isr-partitions"),
    Opt::switch("at-min-isr-partitions"),
    Opt::switch("topics-with-overrides"),
    Opt::switch("if-exists"),
    Opt::switch("if-not-exists"),
    Opt::switch("exclude-internal"),
    Opt::value("partition-size-limit-per-response").only(CliRelease::V4_3),
    Opt::switch("json").beside(&["list", "describe"]),
];

const ACTIONS: [&str; 5] = ["alter", "create", "describe", "list", "delete"];
const REPORTS: [&str; 4] = [
    "under-replicated-partitions",
    "under-min-isr-partitions",
    "at-min-isr-partitions",
    "unavailable-partitions",
];

/// What is said although the command goes on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Warnings {
    pub(super) out: Option<&'static str>,
    pub(super) err: Option<&'static str>,
}

/// Checks what was given, as far as it can be judged without its values.
pub(super) fn check(is_bare: bool, given: &ParsedOptions) -> Result<Warnings, Refused> {
    let usage = |words: &str| Err(Refused::Usage(words.to_owned()));
    if is_bare {
        return usage("Create, delete, describe, or change a topic.");
    }
    if given.has("help") {
        return usage("This tool helps to create, delete, describe, or change a topic.");
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    if ACTIONS.iter().filter(|action| given.has(action)).count() != 1 {
        return usage(
            "Command must include exactly one action: --list, --describe, --create, --alter or \
             --delete",
        );
    }
    let mut remarks = Warnings::default();
    if given.has("delete-config") && !given.release().is_3_7() {
        remarks.err = Some(
            "delete-config option is no longer supported and deprecated since version 4.0. The \
             config will be fully removed in future releases.",
        );
    }
    check_required(given, &mut remarks)?;
    check_invalid(given)?;
    Ok(remarks)
}

fn check_required(given: &ParsedOptions, remarks: &mut Warnings) -> Result<(), Refused> {
    let usage = |words: String| Err(Refused::Usage(words));
    let required = |name: &str| match given.has(name) {
        true => Ok(()),
        false => Err(Refused::Usage(format!("Missing required argument \"[{name}]\""))),
    };
    if !given.has("bootstrap-server") {
        return Err(Refused::Words("--bootstrap-server must be specified".to_owned()));
    }
    if given.has("describe") && given.has("if-exists") {
        match (given.has("topic"), given.has("topic-id")) {
            (false, false) => {
                return usage("--topic or --topic-id is required to describe a topic".to_owned());
            }
            (true, true) => {
                remarks.out = Some(
                    "Only topic id will be used when both --topic and --topic-id are specified \
                     and topicId is not Uuid.ZERO_UUID",
                );
            }
            _ => {}
        }
    }
    if !given.has("list") && !given.has("describe") {
        required("topic")?;
    }
    if given.has("alter") {
        if given.has("config") {
            // Java prints a set of both options; which of them comes first is chance there.
            return usage(
                "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \
                 \"[alter]\" (To alter topic configurations, the kafka-configs tool can be used.)"
                    .to_owned(),
            );
        }
        required("partitions")?;
    }
    Ok(())
}

fn check_invalid(given: &ParsedOptions) -> Result<(), Refused> {
    let check = |used: &str, invalid: &[&str]| {
        let wrong = invalid.iter().find(|other| given.has(used) && given.has(other));
        wrong.map_or(Ok(()), |other| {
            let words = format!("Option \"[{used}]\" can't be used with option \"[{other}]\"");
            Err(Refused::Usage(words))
        })
    };
    let all_but = |allowed: &[&str]| -> Vec<&str> {
        ACTIONS.into_iter().filter(|action| !allowed.contains(action)).collect()
    };
    let changing = all_but(&["alter", "create"]);
    check("config", &changing)?;
    if given.release().is_3_7() {
        // What ZooKeeper alone could do.
        check("delete-config", &all_but(&["alter"]))?;
        check("delete-config", &["bootstrap-server"])?;
    }
    check("partitions", &changing)?;
    check("replication-factor", &all_but(&["create"]))?;
    check("replica-assignment", &changing)?;
    if given.has("create") {
        check("replica-assignment", &["partitions", "replication-factor"])?;
    }
    let described = all_but(&["describe"]);
    for report in [REPORTS[0], REPORTS[1], REPORTS[2], REPORTS[3]] {
        check(report, &described)?;
        check(report, &["topics-with-overrides"])?;
    }
    check("topics-with-overrides", &described)?;
    check("topics-with-overrides", &REPORTS)?;
    check("if-exists", &all_but(&["alter", "delete", "describe"]))?;
    check("if-not-exists", &all_but(&["create"]))?;
    check("exclude-internal", &all_but(&["list", "describe"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    fn checked(line: &str) -> Result<Warnings, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        check(words.is_empty(), &parse(OPTIONS, &words).unwrap())
    }

    #[test]
    fn what_goes_together_is_let_through() {
        let fine = [
            "--bootstrap-server a:1 --list --exclude-internal",
            "--bootstrap-server a:1 --create --topic t --partitions 1 --config a=b --if-not-exists",
            "--bootstrap-server a:1 --describe --under-replicated-partitions",
            "--bootstrap-server a:1 --alter --topic t --partitions 3 --replica-assignment 1",
            "--bootstrap-server a:1 --delete --topic t --if-exists",
        ];
        for line in fine {
            assert_eq!(checked(line), Ok(Warnings::default()), "{line}");
        }
        let both = "--bootstrap-server a:1 --describe --if-exists --topic t --topic-id x";
        assert!(checked(both).unwrap().out.is_some());
    }

    #[test]
    fn what_does_not_is_refused_in_kafkas_words() {
        let table = [
            ("", "Create, delete, describe, or change a topic."),
            ("--list --help", "This tool helps to create, delete, describe, or change a topic."),
            (
                "--list --create",
                "Command must include exactly one action: --list, --describe, --create, --alter \
                 or --delete",
            ),
            ("--bootstrap-server a:1 --create", "Missing required argument \"[topic]\""),
            (
                "--bootstrap-server a:1 --alter --topic t",
                "Missing required argument \"[partitions]\"",
            ),
            (
                "--bootstrap-server a:1 --list --partitions 1",
                "Option \"[partitions]\" can't be used with option \"[list]\"",
            ),
            (
                "--bootstrap-server a:1 --create --topic t --replica-assignment 1 --partitions 1",
                "Option \"[replica-assignment]\" can't be used with option \"[partitions]\"",
            ),
            (
                "--bootstrap-server a:1 --create --topic t --if-exists",
                "Option \"[if-exists]\" can't be used with option \"[create]\"",
            ),
        ];
        for (line, words) in table {
            assert_eq!(checked(line), Err(Refused::Usage(words.to_owned())), "{line}");
        }
        let words = "--bootstrap-server must be specified".to_owned();
        assert_eq!(checked("--list"), Err(Refused::Words(words)));
        assert_eq!(checked("--version"), Err(Refused::Version));
    }
}
