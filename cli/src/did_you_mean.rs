//! Flags that a mistyped one may stand for, as Kafka's argument parser names them.
//!
//! Pure. Answers to `printFlagCandidates` and `printCommandCandidates` of argparse4j: those that
//! are nearest, if they are near at all. A letter that is missing is cheaper than one that is
//! wrong, and that is cheaper than one too many.

const SUBSTITUTION: usize = 2;
const INSERTION: usize = 1;
const DELETION: usize = 4;
/// Nothing is named from this distance on.
const FAR: usize = 7;

/// The lines behind a complaint about a flag, `--help` being one of every tool; empty where it is
/// about something else, nothing is near, or too little was typed.
pub(crate) fn did_you_mean_flag<'a>(problem: &str, flags: impl Iterator<Item = &'a str>) -> String {
    let unknown = problem.strip_prefix("unrecognized arguments: '--");
    let typed = unknown.and_then(|rest| rest.strip_suffix('\''));
    match typed.filter(|typed| typed.len() >= 2) {
        Some(typed) => nearest(typed, "--", std::iter::once("help").chain(flags)),
        None => String::new(),
    }
}

/// The same behind a complaint about a command.
pub(crate) fn did_you_mean_command<'a>(
    problem: &str,
    commands: impl Iterator<Item = &'a str>,
) -> String {
    let unknown = problem.strip_prefix("invalid choice: '");
    match unknown.and_then(|rest| rest.split_once("' (choose from ")) {
        Some((typed, _)) => nearest(typed, "", commands),
        None => String::new(),
    }
}

fn nearest<'a>(typed: &str, dashes: &str, names: impl Iterator<Item = &'a str>) -> String {
    let distance = |name: &str| if name.starts_with(typed) { 0 } else { levenshtein(typed, name) };
    let measured: Vec<(usize, &str)> = names.map(|name| (distance(name), name)).collect();
    let nearest = measured.iter().map(|(distance, _)| *distance).min();
    let Some(nearest) = nearest.filter(|nearest| *nearest < FAR) else {
        return String::new();
    };
    let mut near: Vec<String> = measured
        .iter()
        .filter(|(distance, _)| *distance == nearest)
        .map(|(_, name)| format!("\t{dashes}{name}\n"))
        .collect();
    near.sort_unstable();
    format!("\nDid you mean:\n{}", near.concat())
}

/// More than these are no suggestion.
const MOST: usize = 3;

/// The flags that `typed` may stand for, in their order: those that it begins, or else those that
/// are nearest, a letter too many being no worse than one that is missing, if that is less than
/// half of what was typed. This is our own, behind what Kafka's tools say.
pub(crate) fn meant<'a>(typed: &str, flags: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_ascii_lowercase();
    let flags: Vec<&str> = flags.collect();
    let begun = |flag: &&&str| typed.len() >= 2 && flag.starts_with(&typed);
    let mut near: Vec<&str> = flags.iter().filter(begun).copied().collect();
    if near.is_empty() {
        let distance = |flag: &str| levenshtein(&typed, flag).min(levenshtein(flag, &typed)) * 2;
        let nearest = flags.iter().map(|flag| distance(flag)).min();
        let nearest = nearest.filter(|nearest| *nearest < typed.len());
        near.extend(flags.iter().filter(|flag| Some(distance(flag)) == nearest));
    }
    near.sort_unstable();
    near.dedup();
    if near.len() > MOST { Vec::new() } else { near }
}

/// What it costs to make `to` of `from`; two letters that stand the wrong way round cost nothing.
fn levenshtein(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before_last = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).map(|at| at * INSERTION).collect();
    for i in 0..from.len() {
        let mut row = vec![(i + 1) * DELETION];
        for j in 0..to.len() {
            let wrong = if from[i] == to[j] { 0 } else { SUBSTITUTION };
            let mut cost = last[j] + wrong;
            if i > 0 && j > 0 && from[i - 1] == to[j] && from[i] == to[j - 1] {
                cost = cost.min(before_last[j - 1]);
            }
            row.push(cost.min(last[j + 1] + DELETION).min(row[j] + INSERTION));
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: [&str; 3] = ["topic", "group-id", "group-instance-id"];

    #[test]
    fn a_flag_is_meant_by_its_beginning_or_by_what_is_nearly_it() {
        let flags = ["bootstrap-server", "topic", "group-id", "group-instance-id", "list", "help"];
        let table: &[(&str, &[&str])] = &[
            ("bootstap-server", &["bootstrap-server"]),
            ("bootstrap-servers", &["bootstrap-server"]),
            ("topics", &["topic"]),
            ("Topic", &["topic"]),
            ("tpoic", &["topic"]),
            ("group", &["group-id", "group-instance-id"]),
            ("lis", &["list"]),
            ("nope", &[]),
            ("zookeeper", &[]),
            ("l", &[]),
        ];
        for (typed, expected) in table {
            assert_eq!(meant(typed, flags.into_iter()), *expected, "{typed}");
        }
    }

    #[test]
    fn the_nearest_flags_are_named_if_they_are_near() {
        let table = [
            ("nope", "\nDid you mean:\n\t--topic\n"),
            ("tpoic", "\nDid you mean:\n\t--topic\n"),
            ("group", "\nDid you mean:\n\t--group-id\n\t--group-instance-id\n"),
            ("zzzzzzzz", ""),
            ("t", ""),
        ];
        for (typed, lines) in table {
            let problem = format!("unrecognized arguments: '--{typed}'");
            assert_eq!(did_you_mean_flag(&problem, FLAGS.into_iter()), lines, "{typed}");
        }
        assert_eq!(did_you_mean_flag("argument --topic is required", FLAGS.into_iter()), "");
        let command = |problem| did_you_mean_command(problem, ["abort", "list"].into_iter());
        assert_eq!(command("invalid choice: 'x' (choose from …)"), "\nDid you mean:\n\tlist\n");
        assert_eq!(command("too few arguments"), "");
    }
}
