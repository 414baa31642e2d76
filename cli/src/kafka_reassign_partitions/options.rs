//! The options of `kafka-reassign-partitions`, and which of them go with which action.
//!
//! Answers to `ReassignPartitionsCommandOptions` and `validateAndParseArgs` of Kafka 4.3.1.

use crate::joptsimple::{Opt, ParsedOptions};
use crate::release::CliRelease;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::switch("verify"),
    Opt::switch("generate"),
    Opt::switch("execute"),
    Opt::switch("cancel"),
    Opt::switch("list"),
    Opt::optional("bootstrap-server").only(CliRelease::V4_3),
    Opt::value("bootstrap-server").only(CliRelease::V3_7),
    Opt::value("command-config"),
    Opt::value("reassignment-json-file"),
    Opt::value("topics-to-move-json-file"),
    Opt::value("broker-list"),
    Opt::optional("bootstrap-controller").only(CliRelease::V4_3),
    Opt::switch("disable-rack-aware"),
    Opt::value("throttle"),
    Opt::value("replica-alter-log-dirs-throttle"),
    Opt::value("timeout"),
    Opt::switch("additional"),
    Opt::switch("preserve-throttles"),
    Opt::switch("disallow-replication-factor-change").only(CliRelease::V4_3),
    Opt::switch("json").beside(&["list", "verify"]),
    Opt::switch("wait").beside(&["verify"]),
];

/// In the order in which the complaint names them.
const ACTIONS: [&str; 5] = ["generate", "execute", "verify", "cancel", "list"];

/// Why nothing is asked of a cluster.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// These words, and the help below them.
    Usage(String),
    Version,
}

/// Checks what was given; the action that shall be done.
pub(super) fn check(nothing_given: bool, given: &ParsedOptions) -> Result<&'static str, Refused> {
    let usage = |words: String| Err(Refused::Usage(words));
    if nothing_given || given.has("help") {
        return usage("This tool helps to move topic partitions between replicas.".to_owned());
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    let mut actions = ACTIONS.into_iter().filter(|action| given.has(action));
    let (Some(action), None) = (actions.next(), actions.next()) else {
        let all = ACTIONS.map(|action| format!("--{action}")).join(", ");
        return usage(format!("Command must include exactly one action: {all}"));
    };
    let with_servers = given.has("bootstrap-server");
    match (with_servers, given.has("bootstrap-controller")) {
        (true, true) => {
            return usage(
                "Please don't specify both --bootstrap-server and --bootstrap-controller"
                    .to_owned(),
            );
        }
        (false, false) => {
            let words = given.release().either(
                "Please specify --bootstrap-server",
                "Please specify either --bootstrap-server or --bootstrap-controller",
            );
            return usage(words.to_owned());
        }
        _ => {}
    }
    let required: &[&str] = match action {
        "generate" => &["topics-to-move-json-file", "broker-list"],
        "list" => &[],
        _ => &["reassignment-json-file"],
    };
    if let Some(missing) = required.iter().find(|name| !given.has(name)) {
        return usage(format!("Missing required argument \"[{missing}]\""));
    }
    let permitted = permitted(action, with_servers);
    let mut names = given.given().map(|(name, _)| name);
    let allowed =
        |name: &&str| *name == action || required.contains(name) || permitted.contains(name);
    match names.find(|name| !allowed(name)) {
        Some(wrong) => {
            usage(format!("Option \"[{wrong}]\" can't be used with action \"[{action}]\""))
        }
        None => Ok(action),
    }
}

fn permitted(action: &str, with_servers: bool) -> Vec<&'static str> {
    let either = if with_servers { "bootstrap-server" } else { "bootstrap-controller" };
    match action {
        "verify" => {
            vec!["bootstrap-server", "command-config", "preserve-throttles", "json", "wait"]
        }
        "generate" => {
            vec!["bootstrap-server", "broker-list", "command-config", "disable-rack-aware"]
        }
        "execute" => vec![
            "additional",
            "bootstrap-server",
            "command-config",
            "throttle",
            "replica-alter-log-dirs-throttle",
            "timeout",
            "disallow-replication-factor-change",
        ],
        "cancel" => vec![either, "command-config", "preserve-throttles", "timeout"],
        _ => vec![either, "command-config", "json"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    fn checked(line: &str) -> Result<&'static str, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        check(words.is_empty(), &parse(OPTIONS, &words).unwrap())
    }

    #[test]
    fn each_action_has_its_options() {
        let file = "--reassignment-json-file f";
        for (line, action) in [
            ("--bootstrap-controller a:1 --list".to_owned(), "list"),
            (
                format!("--bootstrap-server a:1 --execute {file} --throttle 5 --additional"),
                "execute",
            ),
            (format!("--bootstrap-server a:1 --cancel {file} --timeout 5"), "cancel"),
            (format!("--bootstrap-server a:1 --verify {file} --preserve-throttles"), "verify"),
        ] {
            assert_eq!(checked(&line), Ok(action), "{line}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let table = [
            (
                "--bootstrap-server a:1 --list --cancel",
                "Command must include exactly one action: --generate, --execute, --verify, \
                 --cancel, --list",
            ),
            ("--list", "Please specify either --bootstrap-server or --bootstrap-controller"),
            (
                "--bootstrap-server a:1 --execute",
                "Missing required argument \"[reassignment-json-file]\"",
            ),
            (
                "--bootstrap-controller a:1 --verify --reassignment-json-file f",
                "Option \"[bootstrap-controller]\" can't be used with action \"[verify]\"",
            ),
            (
                "--bootstrap-server a:1 --list --throttle 5",
                "Option \"[throttle]\" can't be used with action \"[list]\"",
            ),
        ];
        for (line, words) in table {
            assert_eq!(checked(line), Err(Refused::Usage(words.to_owned())), "{line}");
        }
    }
}
