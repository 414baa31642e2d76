//! Command lines of two parts: options of the tool, a command, and options of the command.
//!
//! Answers to the subparsers of argparse4j as kafka-metadata-quorum, kafka-features and
//! kafka-transactions use them. What a flag is, and how flags are read, is `arguments`'.

use crate::arguments::{Flag, ParsedOptions, Stopped, check_required, parse, parse_some};
use crate::did_you_mean::{did_you_mean_command, did_you_mean_flag};
use crate::noted;
use crate::wrap::wrap;

/// One command, with its flags and its help.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) flags: &'static [Flag],
    /// The flag, long and as complaints call it, whose value must be a number.
    pub(crate) integer: Option<(&'static str, &'static str)>,
    pub(crate) help: &'static str,
}

impl Command {
    /// What is wrong with the value that must be a number.
    fn no_integer(&self, options: &ParsedOptions) -> Option<String> {
        let (long, shown) = self.integer?;
        let text = options.value(long).filter(|text| text.parse::<i32>().is_err())?;
        let why = format!("For input string: \"{text}\"");
        Some(format!("argument {shown}: could not convert '{text}' to Integer ({why})"))
    }
}

/// A tool with commands.
pub(crate) struct Tool {
    pub(crate) flags: &'static [Flag],
    pub(crate) commands: &'static [Command],
    pub(crate) help: &'static str,
}

/// What a command line gave.
pub(crate) struct Given {
    pub(crate) tool: ParsedOptions,
    pub(crate) command: &'static str,
    pub(crate) options: ParsedOptions,
}

/// Why there is nothing to do: the help of the tool or of a command, and what is wrong.
#[derive(Debug)]
pub(crate) enum Refused {
    Help(&'static str),
    Version,
    Wrong { help: &'static str, problem: String },
}

fn refused(help: &'static str) -> impl Fn(Stopped) -> Refused {
    move |stopped| match stopped {
        Stopped::Help => Refused::Help(help),
        Stopped::Version => Refused::Version,
        Stopped::Wrong(problem) => Refused::Wrong { help, problem },
    }
}

impl Tool {
    /// Reads a command line.
    pub(crate) fn read(&self, words: &[String]) -> Result<Given, Refused> {
        let wrong = |help, problem: String| Err(Refused::Wrong { help, problem });
        noted::commands(self.commands.iter().map(|command| {
            (command.name, command.flags.iter().map(|flag| (flag.long, flag.takes_value)))
        }));
        let (own, rest) = words.split_at(command_at(self.flags, words));
        let tool = parse_some(self.flags, own).map_err(refused(self.help))?;
        let Some((name, rest)) = rest.split_first() else {
            return wrong(self.help, "too few arguments".to_owned());
        };
        let wrong_name = |problem| Refused::Wrong { help: self.help, problem };
        let command = self.command(name).map_err(wrong_name)?;
        let options = parse(command.flags, rest).map_err(refused(command.help))?;
        if let Some(problem) = command.no_integer(&options) {
            return wrong(command.help, problem);
        }
        check_required(self.flags, &tool).map_err(refused(self.help))?;
        Ok(Given { tool, command: command.name, options })
    }

    /// The command of this name, or the only one whose name begins so.
    fn command(&self, name: &str) -> Result<&'static Command, String> {
        if let Some(exact) = self.commands.iter().find(|command| command.name == name) {
            return Ok(exact);
        }
        let fit = self.commands.iter().filter(|command| command.name.starts_with(name));
        let fit: Vec<&Command> = fit.collect();
        match fit.as_slice() {
            [one] => Ok(one),
            [] => {
                let names = self.commands.iter().map(|known| format!("'{}'", known.name));
                let names = names.collect::<Vec<_>>().join(", ");
                Err(format!("invalid choice: '{name}' (choose from {names})"))
            }
            several => {
                let names = several.iter().map(|command| command.name);
                let names = names.collect::<Vec<_>>().join(", ");
                Err(format!("ambiguous command: {name} could match {names}"))
            }
        }
    }

    /// What is said of a problem: how the tool, or the command with this help, is used, the problem
    /// and what may have been meant.
    pub(crate) fn complaint(&self, program: &str, help: &str, problem: &str) -> String {
        // The usage is what stands above the first empty line of the help.
        let usage = help.split("\n\n").next().unwrap_or_default();
        let wrapped = wrap(&format!("{program}: error: {problem}"));
        let command = self.commands.iter().find(|command| command.help == help);
        let flags = command.map_or(self.flags, |command| command.flags);
        // What Kafka does not have, it does not suggest.
        let flags = flags.iter().filter(|flag| !flag.is_own).map(|flag| flag.long);
        let commands = self.commands.iter().map(|command| command.name);
        let meant = did_you_mean_flag(problem, flags) + &did_you_mean_command(problem, commands);
        if !meant.is_empty() {
            noted::is_suggested();
        }
        format!("{usage}\n{wrapped}{meant}")
    }
}

/// Where the command stands: the first word that is neither an option nor an option's value.
fn command_at(flags: &[Flag], words: &[String]) -> usize {
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        let is_help = matches!(word.as_str(), "-h" | "--help");
        let is_switch = |flag: &&Flag| {
            let short = flag.short.map(|short| format!("-{short}"));
            let is_long = word.len() > 2 && format!("--{}", flag.long).starts_with(word.as_str());
            !flag.takes_value && (is_long || short.as_deref() == Some(word.as_str()))
        };
        let has_value = !word.contains('=') && !is_help && flags.iter().find(is_switch).is_none();
        at += if has_value { 2 } else { 1 };
    }
    at.min(words.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOL: Tool = Tool {
        flags: &[
            Flag::version(),
            Flag::value("bootstrap-server", ' ', "").long_only().exclusive(),
            Flag::value("bootstrap-controller", ' ', "").long_only().exclusive(),
            Flag::value("zone", ' ', "").long_only().required(),
        ],
        commands: &[
            Command {
                name: "describe",
                flags: &[Flag::switch("status", ' ', "").long_only()],
                integer: None,
                help: "",
            },
            Command {
                name: "remove",
                flags: &[Flag::value("id", 'i', "").required()],
                integer: Some(("id", "--id/-i")),
                help: "usage: t remove\n\nmore",
            },
            Command { name: "describe-all", flags: &[], integer: None, help: "" },
        ],
        help: "usage: t\n\nmore",
    };

    fn typed(line: &str) -> Result<Given, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        TOOL.read(&words)
    }

    #[test]
    fn the_tools_options_stand_before_the_command() {
        let given = typed("--zone z --bootstrap-server a:1 describe --status").unwrap();
        assert_eq!(given.tool.value("bootstrap-server"), Some("a:1"));
        assert!(given.command == "describe" && given.options.is_set("status"));
        assert_eq!(typed("--zone z rem -i 1").unwrap().command, "remove");
        let given = typed("--zone=z --bootstrap-c=a:1 remove -i -1").unwrap();
        assert_eq!(given.options.value("id"), Some("-1"));
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_argparse4j() {
        let table = [
            ("", "too few arguments"),
            ("--bootstrap-server describe", "too few arguments"),
            ("show", "invalid choice: 'show' (choose from 'describe', 'remove', 'describe-all')"),
            ("desc", "ambiguous command: desc could match describe, describe-all"),
            ("describe", "argument --zone is required"),
            ("describe --lag", "unrecognized arguments: '--lag'"),
            ("remove", "argument --id/-i is required"),
            (
                "remove -i x",
                "argument --id/-i: could not convert 'x' to Integer (For input string: \"x\")",
            ),
        ];
        for (line, words) in table {
            let Err(Refused::Wrong { problem, .. }) = typed(line) else { panic!("{line}") };
            assert_eq!(problem, words, "{line}");
        }
        assert!(matches!(typed("describe -h"), Err(Refused::Help(_))));
        for line in ["-v describe --lost", "--zone z --version"] {
            assert!(matches!(typed(line), Err(Refused::Version)), "{line}");
        }
    }

    #[test]
    fn a_complaint_is_of_the_tool_or_the_command_and_may_know_better() {
        let table = [
            (
                "--zoen z show",
                "usage: t\nt: error: unrecognized arguments: '--zoen'\n\nDid you mean:\n\t--zone\n",
            ),
            (
                "--zone z remove --unknown-id 5",
                "usage: t remove\nt: error: unrecognized arguments: '--unknown-id'\n",
            ),
        ];
        for (line, said) in table {
            let Err(Refused::Wrong { help, problem }) = typed(line) else { panic!("{line}") };
            assert_eq!(TOOL.complaint("t", help, &problem), said, "{line}");
        }
        let Err(Refused::Wrong { help, problem }) = typed("remvoe") else { panic!() };
        let said = TOOL.complaint("t", help, &problem);
        assert!(said.ends_with("\n\nDid you mean:\n\tremove\n"), "{said}");
    }
}
