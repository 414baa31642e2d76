//! The options of `kafka-streams-application-reset`, and which of them go together.
//!
//! Answers to `StreamsResetterOptions` of Kafka 4.3.1: its checks in its order.

use crate::joptsimple::{Opt, ParsedOptions};
use crate::refused::Refused;

/// What stands before the help.
const USAGE: &str = include_str!("usage-4.3.1.txt");

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("application-id"),
    Opt::value("bootstrap-server"),
    Opt::value("input-topics"),
    Opt::value("intermediate-topics"),
    Opt::value("internal-topics"),
    Opt::value("to-offset"),
    Opt::value("to-datetime"),
    Opt::value("by-duration"),
    Opt::switch("to-earliest"),
    Opt::switch("to-latest"),
    Opt::value("from-file"),
    Opt::value("shift-by"),
    Opt::value("config-file"),
    Opt::value("command-config"),
    Opt::switch("force"),
    Opt::switch("dry-run"),
];

/// The ways to say where offsets shall go, in the order in which they are checked.
const SCENARIOS: [&str; 7] = [
    "to-offset",
    "to-datetime",
    "by-duration",
    "to-earliest",
    "to-latest",
    "from-file",
    "shift-by",
];

/// Checks what was given.
pub(super) fn check(nothing_given: bool, given: &ParsedOptions) -> Result<(), Refused> {
    let wrong = |words: String| Err(Refused::Usage(words));
    if let Err(error) = given.check_required("application-id") {
        return wrong(error.to_string());
    }
    if nothing_given || given.has("help") {
        return wrong(USAGE.to_owned());
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    let scenarios = || SCENARIOS.into_iter().filter(|name| given.has(name));
    let pair = scenarios().next().zip(scenarios().nth(1));
    let files = (given.has("config-file") && given.has("command-config"))
        .then_some(("config-file", "command-config"));
    match pair.or(files) {
        Some((used, other)) => {
            wrong(format!("Option \"[{used}]\" can't be used with option \"[{other}]\""))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    #[test]
    fn one_scenario_and_one_file_go_together() {
        let table = [
            ("--application-id a", Ok(())),
            ("--application-id a --input-topics t,u --to-latest --dry-run", Ok(())),
            ("--input-topics t", Err("Missing required option(s) [application-id]")),
            ("--help", Err("This tool helps to quickly reset an application")),
            (
                "--application-id a --shift-by 1 --to-datetime x",
                Err("Option \"[to-datetime]\" can't be used with option \"[shift-by]\""),
            ),
            (
                "--application-id a --config-file a --command-config b",
                Err("Option \"[config-file]\" can't be used with option \"[command-config]\""),
            ),
        ];
        for (line, expected) in table {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            match (check(false, &parse(OPTIONS, &words).unwrap()), expected) {
                (Ok(()), Ok(())) => {}
                (Err(Refused::Usage(words)), Err(part)) => {
                    assert!(words.contains(part), "{line}: {words}");
                }
                (checked, _) => panic!("{line}: {checked:?}"),
            }
        }
    }
}
