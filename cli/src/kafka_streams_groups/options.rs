//! The options of `kafka-streams-groups`, and which of them go together.
//!
//! Answers to `StreamsGroupCommandOptions` of Kafka 4.3.1: its checks in its order.

use crate::group_command::check_describe;
use crate::group_command::scenarios::{CHECKED, SCENARIOS};
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::{Opt, ParsedOptions};
use crate::refused::Refused;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("group"),
    Opt::value("input-topic"),
    Opt::switch("all-input-topics"),
    Opt::switch("list"),
    Opt::switch("describe"),
    Opt::switch("all-groups"),
    Opt::switch("delete"),
    Opt::switch("delete-offsets"),
    Opt::value("timeout"),
    Opt::value("command-config"),
    Opt::optional("state"),
    Opt::switch("members"),
    Opt::switch("offsets"),
    Opt::switch("reset-offsets"),
    Opt::value("to-offset"),
    Opt::value("from-file"),
    Opt::value("to-datetime"),
    Opt::value("by-duration"),
    Opt::switch("to-earliest"),
    Opt::switch("to-latest"),
    Opt::switch("to-current"),
    Opt::value("shift-by"),
    Opt::value("delete-internal-topic"),
    Opt::switch("delete-all-internal-topics"),
    Opt::switch("verbose"),
    Opt::switch("dry-run"),
    Opt::switch("execute"),
    Opt::switch("export"),
    Opt::switch("json").beside(&["list", "describe"]),
];

const OWNERS: &[(&str, &[&str])] = &[
    ("state", &["list", "describe"]),
    ("members", &["describe"]),
    ("offsets", &["describe"]),
    ("verbose", &["describe"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    List,
    Describe,
    ResetOffsets,
    Delete,
    DeleteOffsets,
}

const ACTIONS: [(&str, Action); 5] = [
    ("list", Action::List),
    ("describe", Action::Describe),
    ("reset-offsets", Action::ResetOffsets),
    ("delete", Action::Delete),
    ("delete-offsets", Action::DeleteOffsets),
];

/// Checks what was given; the action that shall be done.
pub(super) fn check(nothing_given: bool, given: &ParsedOptions) -> Result<Action, Refused> {
    given.check_available(OWNERS)?;
    if nothing_given || given.has("help") {
        return usage("This tool helps to list, or describe streams groups.");
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    if !given.has("bootstrap-server") {
        return usage("Missing required argument \"[bootstrap-server]\"");
    }
    check_describe(given)?;
    check_delete(given)?;
    check_reset(given)?;
    check_internal_topics(given)?;
    if (given.has("dry-run") || given.has("execute")) && !given.has("reset-offsets") {
        return usage("Only Option [reset-offsets] accepts [execute] or [dry-run]");
    }
    check_invalid(given, "list", &["members", "offsets"])?;
    check_invalid(given, "group", &["all-groups"])?;
    check_invalid(given, "group", &["list"])?;
    check_invalid(given, "input-topic", &by_hash(&["list", "describe", "delete"]))?;
    let mut actions = ACTIONS.into_iter().filter(|(name, _)| given.has(name));
    match (actions.next(), actions.next()) {
        (Some((_, action)), None) => Ok(action),
        _ => usage(
            "Command must include exactly one action: --list, --describe, --delete, \
             --reset-offsets, or --delete-offsets.",
        ),
    }
}

fn usage<T>(words: &str) -> Result<T, Refused> {
    Err(Refused::Usage(words.to_owned()))
}

fn check_delete(given: &ParsedOptions) -> Result<(), Refused> {
    let has_topics = given.has("input-topic") || given.has("all-input-topics");
    if given.has("delete") {
        if !given.has("group") && !given.has("all-groups") {
            return usage("Option [delete] takes one of these options: [all-groups], [group]");
        }
        if has_topics {
            return usage(
                "Kafka Streams does not support topic-specific offset deletion from a streams \
                 group.",
            );
        }
    }
    if given.has("delete-offsets") {
        if !has_topics || !given.has("group") {
            return usage(
                "Option [delete-offsets] takes the [group] and one of these options: \
                 [all-input-topics], [input-topic]",
            );
        }
        let groups = given.values("group");
        if groups.len() > 1 {
            return usage(&format!(
                "Option [delete-offsets] supports only one [group] at a time, but found: [{}]",
                groups.join(", ")
            ));
        }
    }
    Ok(())
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
    if !given.has("group") && !given.has("all-groups") {
        return usage("Option [reset-offsets] takes one of these options: [all-groups], [group]");
    }
    CHECKED.iter().try_for_each(|used| {
        let others: Vec<&str> = SCENARIOS.into_iter().filter(|other| other != used).collect();
        check_invalid(given, used, &by_hash(&others))
    })
}

fn check_internal_topics(given: &ParsedOptions) -> Result<(), Refused> {
    let (resets, executes) = (given.has("reset-offsets"), given.has("execute"));
    if given.has("delete-all-internal-topics") {
        if !resets && !given.has("delete") {
            return usage(
                "Option [delete-all-internal-topics] takes one of these options: [delete], \
                 [reset-offsets]",
            );
        }
        if resets && !executes {
            return usage(
                "Option [delete-all-internal-topics] takes [execute] when [reset-offsets] is used.",
            );
        }
    } else if given.has("delete-internal-topic") && !(resets && executes) {
        return usage(
            "Option [delete-internal-topic] takes [reset-offsets] when [execute] is used.",
        );
    }
    Ok(())
}

/// Names of options in the order of Java's set of them.
fn by_hash<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    sort_by_hash(&mut names, |name| 31_i32.wrapping_add(string_hash(name)));
    names
}

fn check_invalid(given: &ParsedOptions, used: &str, invalid: &[&str]) -> Result<(), Refused> {
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
        let table = [
            ("--list --state", Ok(Action::List)),
            ("--describe --all-groups --members --verbose", Ok(Action::Describe)),
            ("--describe --group a --group b --offsets", Ok(Action::Describe)),
            ("--delete --all-groups --delete-all-internal-topics", Ok(Action::Delete)),
            ("--delete-offsets --group a --all-input-topics", Ok(Action::DeleteOffsets)),
            ("--group g", Err("exactly one action")),
            ("--list --delete --all-groups", Err("exactly one action")),
            ("--list --group g", Err("\"[group]\" can't be used with option \"[list]\"")),
            ("--describe", Err("takes one of these options: [all-groups], [group]")),
            ("--describe --group g --members --state", Err("takes at most one")),
            ("--describe --group g --state x", Err("does not take a value for [state]")),
            ("--describe --group g --input-topic t", Err("with option \"[describe]\"")),
            ("--delete", Err("Option [delete] takes one of these options")),
            ("--delete --group g --input-topic t", Err("does not support topic-specific")),
            ("--delete-offsets --group g", Err("[all-input-topics], [input-topic]")),
            ("--delete-offsets --group g --group h --input-topic t", Err("but found: [g, h]")),
            ("--list --execute", Err("Only Option [reset-offsets] accepts")),
            ("--list --delete-internal-topic t", Err("takes [reset-offsets] when [execute]")),
            ("--list --delete-all-internal-topics", Err("[delete], [reset-offsets]")),
            ("--list --verbose", Err("[verbose] are unavailable")),
        ];
        table.into_iter().for_each(|(line, expected)| assert_checked(line, expected));
        let table = [
            ("--group g --input-topic t --to-latest --execute", Ok(Action::ResetOffsets)),
            ("--all-groups --from-file f --dry-run --export", Ok(Action::ResetOffsets)),
            ("--group g --to-latest", Err("[execute] or [dry-run]")),
            ("--group g --to-latest --execute --dry-run", Err("only accepts one of")),
            ("--execute", Err("[all-groups], [group]")),
            (
                "--group g --dry-run --delete-all-internal-topics",
                Err("takes [execute] when [reset-offsets] is used."),
            ),
            (
                "--group g --execute --to-offset 1 --shift-by 2",
                Err("\"[to-offset]\" can't be used with option \"[shift-by]\""),
            ),
        ];
        for (line, expected) in table {
            assert_checked(&format!("--reset-offsets {line}"), expected);
        }
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
