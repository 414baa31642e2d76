//! The options of `kafka-share-groups`, and which of them go together.
//!
//! Answers to `ShareGroupCommandOptions` of Kafka 4.3.1: its checks in its order.

use crate::group_command::check_describe;
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::{Opt, ParsedOptions};
use crate::refused::Refused;

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
    Opt::value("to-datetime"),
    Opt::switch("to-earliest"),
    Opt::switch("to-latest"),
    Opt::switch("members"),
    Opt::switch("offsets"),
    Opt::optional("state"),
    Opt::switch("verbose"),
    Opt::switch("json").beside(&["list", "describe"]),
];

const OWNERS: &[(&str, &[&str])] = &[
    ("members", &["describe"]),
    ("offsets", &["describe"]),
    ("state", &["describe", "list"]),
    ("verbose", &["describe"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    List,
    Describe,
    Delete,
    ResetOffsets,
    DeleteOffsets,
}

const ACTIONS: [(&str, Action); 5] = [
    ("list", Action::List),
    ("describe", Action::Describe),
    ("delete", Action::Delete),
    ("reset-offsets", Action::ResetOffsets),
    ("delete-offsets", Action::DeleteOffsets),
];

const SCENARIOS: [&str; 3] = ["to-datetime", "to-earliest", "to-latest"];

/// Checks what was given; the action that shall be done.
pub(super) fn check(nothing_given: bool, given: &ParsedOptions) -> Result<Action, Refused> {
    given.check_available(OWNERS)?;
    if nothing_given || given.has("help") {
        return usage("This tool helps to list, describe, reset and delete share groups.");
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    if !given.has("bootstrap-server") {
        return usage("Missing required argument \"[bootstrap-server]\"");
    }
    check_describe(given)?;
    check_delete(given)?;
    if given.has("delete-offsets") && !(given.has("group") && given.has("topic")) {
        return usage("Option [delete-offsets] takes the following options: [group], [topic]");
    }
    check_reset(given)?;
    check_invalid(given, "group", &["all-groups"])?;
    check_invalid(given, "group", &["list"])?;
    check_invalid(given, "topic", &["list", "describe"])?;
    let mut actions = ACTIONS.into_iter().filter(|(name, _)| given.has(name));
    match (actions.next(), actions.next()) {
        (Some((_, action)), None) => Ok(action),
        _ => usage(
            "Command must include exactly one action: --list, --describe, --delete, \
             --reset-offsets, --delete-offsets.",
        ),
    }
}

fn usage<T>(words: &str) -> Result<T, Refused> {
    Err(Refused::Usage(words.to_owned()))
}

fn check_delete(given: &ParsedOptions) -> Result<(), Refused> {
    if !given.has("delete") {
        return Ok(());
    }
    match (given.has("group"), given.has("all-groups")) {
        (false, false) => usage("Option [delete] takes the options [group] or [all-groups]"),
        (true, true) => usage("Option [delete] takes either [group] or [all-groups], not both."),
        _ if given.has("topic") => usage("Option [delete] does not take the option: [topic]"),
        _ => Ok(()),
    }
}

fn check_reset(given: &ParsedOptions) -> Result<(), Refused> {
    if !given.has("reset-offsets") {
        return Ok(());
    }
    match (given.has("dry-run"), given.has("execute")) {
        (true, true) => {
            return usage("Option [reset-offsets] only accepts one of [execute] and [dry-run]");
        }
        (false, false) => {
            return usage("Option [reset-offsets] takes the option: [execute] or [dry-run]");
        }
        _ => {}
    }
    if !given.has("group") {
        return usage("Option [reset-offsets] takes the option: [group]");
    }
    if !given.has("topic") && !given.has("all-topics") {
        return usage("Option [reset-offsets] takes one of these options: [all-topics], [topic]");
    }
    if !SCENARIOS.iter().any(|name| given.has(name)) {
        return usage(
            "Option [reset-offsets] takes one of these options: [to-datetime], [to-earliest], \
             [to-latest]",
        );
    }
    SCENARIOS.iter().try_for_each(|used| {
        let others: Vec<&str> = SCENARIOS.into_iter().filter(|other| other != used).collect();
        check_invalid(given, used, &others)
    })
}

/// Refuses the first of these, in the order of Java's set, beside an option.
fn check_invalid(given: &ParsedOptions, used: &str, invalid: &[&str]) -> Result<(), Refused> {
    let mut invalid = invalid.to_vec();
    sort_by_hash(&mut invalid, |name| 31_i32.wrapping_add(string_hash(name)));
    let wrong = invalid.iter().find(|other| given.has(used) && given.has(other));
    wrong.map_or(Ok(()), |other| {
        usage(&format!("Option \"[{used}]\" can't be used with option \"[{other}]\""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    #[test]
    fn each_action_has_its_options() {
        let reset = "--reset-offsets --group g";
        let table = [
            ("--list --state", Ok(Action::List)),
            ("--list --state Empty", Ok(Action::List)),
            ("--describe --all-groups --members --verbose", Ok(Action::Describe)),
            ("--delete --group a --group b", Ok(Action::Delete)),
            ("--delete-offsets --group a --topic t", Ok(Action::DeleteOffsets)),
            ("--group g", Err("exactly one action")),
            ("--list --delete --all-groups", Err("exactly one action")),
            ("--list --group g", Err("\"[group]\" can't be used with option \"[list]\"")),
            ("--describe", Err("takes one of these options: [all-groups], [group]")),
            ("--describe --group g --members --state", Err("takes at most one")),
            ("--describe --group g --state x", Err("does not take a value for [state]")),
            ("--describe --group g --topic t", Err("with option \"[describe]\"")),
            ("--delete", Err("takes the options [group] or [all-groups]")),
            ("--delete --group g --all-groups", Err("not both.")),
            ("--delete --group g --topic t", Err("does not take the option: [topic]")),
            ("--delete-offsets --group g", Err("takes the following options")),
            ("--list --verbose", Err("[verbose] are unavailable")),
        ];
        for (line, expected) in table {
            assert_checked(line, expected);
        }
        let table = [
            (" --topic t --to-latest --execute", Ok(Action::ResetOffsets)),
            (" --all-topics --to-datetime x --dry-run", Ok(Action::ResetOffsets)),
            (" --topic t --to-latest", Err("[execute] or [dry-run]")),
            (" --to-latest --execute --dry-run", Err("only accepts one of")),
            (" --execute", Err("options: [all-topics], [topic]")),
            (" --execute --topic t", Err("options: [to-datetime], [to-earliest], [to-latest]")),
            (
                " --execute --topic t --to-latest --to-earliest",
                Err("\"[to-earliest]\" can't be used with option \"[to-latest]\""),
            ),
        ];
        for (line, expected) in table {
            assert_checked(&format!("{reset}{line}"), expected);
        }
        assert_checked("--reset-offsets --execute", Err("takes the option: [group]"));
    }

    fn assert_checked(line: &str, expected: Result<Action, &str>) {
        let words = format!("--bootstrap-server a:1 {line}");
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        match (check(false, &parse(OPTIONS, &words).unwrap()), expected) {
            (Ok(action), Ok(expected)) => assert_eq!(action, expected, "{line}"),
            (Err(Refused::Usage(words) | Refused::Words(words)), Err(part)) => {
                assert!(words.contains(part), "{line}: {words}");
            }
            (checked, _) => panic!("{line}: {checked:?}"),
        }
    }
}
