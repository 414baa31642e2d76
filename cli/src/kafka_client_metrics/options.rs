//! The options of `kafka-client-metrics`, and which of them go together.
//!
//! Answers to `ClientMetricsCommandOptions` of Kafka 4.3.1 and 3.7.0: its checks in its order.

use crate::joptsimple::{Opt, ParsedOptions};
use crate::refused::Refused;
use crate::release::CliRelease;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("command-config"),
    Opt::switch("alter"),
    Opt::switch("delete"),
    Opt::switch("describe"),
    Opt::switch("list"),
    Opt::value("name"),
    Opt::switch("generate-name"),
    Opt::value("interval"),
    Opt::value("match"),
    Opt::value("metrics"),
    Opt::switch("json").beside(&["describe", "list"]),
];

/// Checks what was given; the action that shall be done.
pub(super) fn check(nothing_given: bool, given: &ParsedOptions) -> Result<&'static str, Refused> {
    let usage = |words: &str| Err(Refused::Usage(words.to_owned()));
    let words = |words: &str| Err(Refused::Words(words.to_owned()));
    if nothing_given || given.has("help") {
        return usage("This tool helps to manipulate and describe client metrics configurations.");
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    let actions = ["alter", "delete", "describe", "list"];
    let mut actions = actions.into_iter().filter(|action| given.has(action));
    let (Some(action), None) = (actions.next(), actions.next()) else {
        return usage(
            "Command must include exactly one action: --alter, --delete, --describe or --list.",
        );
    };
    if !given.has("bootstrap-server") {
        return words("--bootstrap-server must be specified.");
    }
    let invalid: &[&str] = match action {
        "alter" => &[],
        "list" => &["name", "generate-name", "interval", "match", "metrics"],
        _ => &["generate-name", "interval", "match", "metrics"],
    };
    if let Some(other) = invalid.iter().find(|other| given.has(other)) {
        return usage(&format!("Option \"[{action}]\" can't be used with option \"[{other}]\""));
    }
    if action == "alter" {
        if given.has("name") == given.has("generate-name") {
            return words("One of --name or --generate-name must be specified with --alter.");
        }
        // 3.7 finds out when it is to say it.
        let interval = match given.release() {
            CliRelease::V3_7 => None,
            CliRelease::V4_3 => given.value("interval")?.filter(|text| !text.is_empty()),
        };
        if interval.is_some_and(|text| text.parse::<i32>().is_err()) {
            return words("Invalid interval value. Enter an integer, or leave empty to reset.");
        }
    }
    if action == "delete" && !given.has("name") {
        return words("A client metrics resource name must be specified with --delete.");
    }
    Ok(action)
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
        let start = "--bootstrap-server a:1";
        for (rest, action) in [
            ("--list", "list"),
            ("--describe --name a", "describe"),
            ("--alter --generate-name --interval= --metrics a,b", "alter"),
            ("--delete --name a", "delete"),
        ] {
            assert_eq!(checked(&format!("{start} {rest}")), Ok(action), "{rest}");
        }
        for rest in ["--list --name a", "--describe --interval 5", "--delete --generate-name"] {
            assert!(
                matches!(checked(&format!("{start} {rest}")), Err(Refused::Usage(_))),
                "{rest}"
            );
        }
        for rest in ["--alter", "--alter --name a --interval soon", "--delete"] {
            assert!(
                matches!(checked(&format!("{start} {rest}")), Err(Refused::Words(_))),
                "{rest}"
            );
        }
    }
}
