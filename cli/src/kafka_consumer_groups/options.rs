//! The options of `kafka-consumer-groups`, and which of them go together.
//!
//! Answers to `ConsumerGroupCommandOptions` of Kafka 4.3.1: its checks in its order. Where Java
//! names the options of a `Set.of`, whose order is another in each process, the order here is fixed
//! (docs/decisions/0372).

use crate::group_command::scenarios::{CHECKED, SCENARIOS};
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::{Opt, OptionError, ParsedOptions};
use crate::release::CliRelease;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("group"),
    Opt::value("topic"),
    Opt::switch("all-topics"),
    Opt::switch("list"),
    Opt::switch("describe"),
    Opt::switch("all-groups"),
    Opt::switch("delete"),
    Opt::value("timeout"),
    Opt::value("command-config"),
    Opt::switch("reset-offsets"),
    Opt::switch("delete-offsets"),
    Opt::switch("dry-run"),
    Opt::switch("execute"),
    Opt::switch("export"),
    Opt::value("to-offset"),
    Opt::value("from-file"),
    Opt::value("to-datetime"),
    Opt::value("by-duration"),
    Opt::switch("to-earliest"),
    Opt::switch("to-latest"),
    Opt::switch("to-current"),
    Opt::value("shift-by"),
    Opt::switch("members"),
    Opt::switch("verbose"),
    Opt::switch("offsets"),
    Opt::optional("state"),
    Opt::optional("type").only(CliRelease::V4_3),
    Opt::value("validate-regex").only(CliRelease::V4_3),
    Opt::switch("json").beside(&["list", "describe"]),
];

const OWNERS: &[(&str, &[&str])] = &[
    ("members", &["describe"]),
    ("verbose", &["describe"]),
    ("offsets", &["describe"]),
    ("state", &["describe", "list"]),
    ("type", &["list"]),
];

const ACTIONS: &[&str] =
    &["list", "describe", "delete", "reset-offsets", "delete-offsets", "validate-regex"];
const OLD_ACTIONS: &[&str] = &["list", "describe", "delete", "reset-offsets", "delete-offsets"];

const NO_EXECUTE_3_7: &str = "WARN: No action will be performed as the --execute option is missing.\
    In a future major release, the default behavior of this command will be to prompt the user \
    before executing the reset rather than doing a dry run. You should add the --dry-run option \
    explicitly if you are scripting this command and want to keep the current default behavior \
    without prompting.";
const NO_EXECUTE: &str = "WARN: No action will be performed as the --execute option is missing. In \
    version 5.0, this command will require either --dry-run or --execute to be specified. You \
    should add the --dry-run option explicitly if you are scripting this command and want to keep \
    the current default behavior without prompting.";

/// Why nothing is asked of a cluster, or what is said although the command goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Remark {
    /// These words, and the help below them; the end.
    Usage(String),
    Words(String),
    Version,
    /// A warning on stderr; the command goes on.
    Warning(&'static str),
}

/// Checks what was given, as far as it can be judged without its values.
pub(super) fn check(is_bare: bool, given: &ParsedOptions) -> Result<Option<Remark>, Remark> {
    let is_old = given.release().is_3_7();
    given.check_available(OWNERS).map_err(|error| Remark::Words(error.to_string()))?;
    if !is_old {
        check_asks(is_bare, given)?;
    }
    if !given.has("validate-regex") && !given.has("bootstrap-server") {
        return usage("Missing required argument \"[bootstrap-server]\"");
    }
    check_scopes(given)?;
    let warning = check_reset(given)?;
    check_invalid(given, "group", &["all-groups"])?;
    check_invalid(given, "group", &["list"])?;
    check_invalid(given, "topic", &["list", "describe"])?;
    if is_old {
        check_asks(is_bare, given)?;
    }
    let known = given.release().either(OLD_ACTIONS, ACTIONS);
    if known.iter().filter(|action| given.has(action)).count() != 1 {
        let actions: Vec<String> = known.iter().map(|action| format!("--{action}")).collect();
        let words = format!("Command must include exactly one action: {}", actions.join(", "));
        // What Java has said before it comes to this stays said.
        return match warning {
            Some(warning) => usage(&format!("{warning}\n{words}")),
            None => usage(&words),
        };
    }
    Ok(warning.map(Remark::Warning))
}

/// Help and version, which 3.7 gives to those alone who name a cluster.
fn check_asks(is_bare: bool, given: &ParsedOptions) -> Result<(), Remark> {
    if is_bare || given.has("help") {
        return usage(
            "This tool helps to list all consumer groups, describe a consumer group, delete \
             consumer group info, or reset consumer group offsets.",
        );
    }
    match given.has("version") {
        true => Err(Remark::Version),
        false => Ok(()),
    }
}

fn usage<T>(words: &str) -> Result<T, Remark> {
    Err(Remark::Usage(words.to_owned()))
}

fn check_scopes(given: &ParsedOptions) -> Result<(), Remark> {
    let has_groups = given.has("group") || given.has("all-groups");
    let one_of = |action: &str| {
        usage(&format!("Option [{action}] takes one of these options: [group], [all-groups]"))
    };
    if given.has("describe") {
        if !has_groups {
            return one_of("describe");
        }
        let shown = ["members", "offsets", "state"];
        if shown.iter().filter(|name| given.has(name)).count() > 1 {
            return usage(
                "Option [describe] takes at most one of these options: [members], [offsets], \
                 [state]",
            );
        }
        let wrong = |error: OptionError| Remark::Words(error.to_string());
        if given.value("state").map_err(wrong)?.is_some() {
            return usage("Option [describe] does not take a value for [state]");
        }
    }
    if given.has("delete") {
        if !has_groups {
            return one_of("delete");
        }
        if given.has("topic") {
            return usage(
                "The consumer does not support topic-specific offset deletion from a consumer \
                 group.",
            );
        }
    }
    if given.has("delete-offsets") && !(given.has("group") && given.has("topic")) {
        return usage("Option [delete-offsets] takes the following options: [group], [topic]");
    }
    Ok(())
}

fn check_reset(given: &ParsedOptions) -> Result<Option<&'static str>, Remark> {
    if !given.has("reset-offsets") {
        return Ok(None);
    }
    if given.has("dry-run") && given.has("execute") {
        return usage("Option [reset-offsets] only accepts one of [execute] and [dry-run]");
    }
    let warning = (!given.has("dry-run") && !given.has("execute"))
        .then_some(given.release().either(NO_EXECUTE_3_7, NO_EXECUTE));
    // Java has said its warning before it refuses.
    let said = |refused: Remark| match (refused, warning) {
        (Remark::Usage(words), Some(warning)) => Remark::Usage(format!("{warning}\n{words}")),
        (refused, _) => refused,
    };
    if !given.has("group") && !given.has("all-groups") {
        let words = "Option [reset-offsets] takes one of these options: [group], [all-groups]";
        return usage(words).map_err(said);
    }
    for used in CHECKED {
        let mut others: Vec<&str> = SCENARIOS.into_iter().filter(|other| *other != used).collect();
        sort_by_hash(&mut others, |name| 31_i32.wrapping_add(string_hash(name)));
        check_invalid(given, used, &others).map_err(said)?;
    }
    Ok(warning)
}

fn check_invalid(given: &ParsedOptions, used: &str, invalid: &[&str]) -> Result<(), Remark> {
    let wrong = invalid.iter().find(|other| given.has(used) && given.has(other));
    wrong.map_or(Ok(()), |other| {
        usage(&format!("Option \"[{used}]\" can't be used with option \"[{other}]\""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    fn checked(line: &str) -> Result<Option<Remark>, Remark> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        check(words.is_empty(), &parse(OPTIONS, &words).unwrap())
    }

    #[test]
    fn what_goes_together_is_let_through() {
        let fine = [
            "--bootstrap-server a:1 --list --state stable --type",
            "--bootstrap-server a:1 --describe --all-groups --members --verbose",
            "--bootstrap-server a:1 --describe --group a --group b --state",
            "--bootstrap-server a:1 --delete --all-groups",
            "--bootstrap-server a:1 --delete-offsets --group a --topic t",
            "--bootstrap-server a:1 --reset-offsets --group a --topic t --to-earliest --execute",
            "--validate-regex a.*",
        ];
        for line in fine {
            assert_eq!(checked(line), Ok(None), "{line}");
        }
        let undecided = "--bootstrap-server a:1 --reset-offsets --group a --all-topics --to-latest";
        assert_eq!(checked(undecided), Ok(Some(Remark::Warning(NO_EXECUTE))));
    }

    #[test]
    fn what_does_not_is_refused_in_kafkas_words() {
        let table = [
            ("--list", "Missing required argument \"[bootstrap-server]\""),
            (
                "--bootstrap-server a:1 --list --delete --group a",
                "Option \"[group]\" can't be used with option \"[list]\"",
            ),
            (
                "--bootstrap-server a:1 --describe --group a --state x",
                "Option [describe] does not take a value for [state]",
            ),
            (
                "--bootstrap-server a:1 --describe --group a --topic t",
                "Option \"[topic]\" can't be used with option \"[describe]\"",
            ),
            (
                "--bootstrap-server a:1 --describe --group a --members --offsets",
                "Option [describe] takes at most one of these options: [members], [offsets], \
                 [state]",
            ),
            (
                "--bootstrap-server a:1 --reset-offsets --group a --to-latest --to-offset 3 \
                 --execute",
                "Option \"[to-offset]\" can't be used with option \"[to-latest]\"",
            ),
            (
                "--bootstrap-server a:1",
                "Command must include exactly one action: --list, --describe, --delete, \
                 --reset-offsets, --delete-offsets, --validate-regex",
            ),
        ];
        for (line, words) in table {
            assert_eq!(checked(line), Err(Remark::Usage(words.to_owned())), "{line}");
        }
        let lost = "Option(s) [verbose] are unavailable given other options on the command line";
        let line = "--bootstrap-server a:1 --list --verbose";
        assert_eq!(checked(line), Err(Remark::Words(lost.to_owned())));
        assert_eq!(checked("--version"), Err(Remark::Version));
    }
}
