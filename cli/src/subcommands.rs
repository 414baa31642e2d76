//! Command lines of two parts: options of the tool, a command, and options of the command.
//!
//! Answers to the subparsers of argparse4j as kafka-metadata-quorum and kafka-features use them.
//! What a flag is, and how flags are read, is `arguments`'.

use crate::arguments::{Flag, ParsedOptions, Stopped, parse};
use crate::noted;

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
    Wrong { help: &'static str, problem: String },
}

fn refused(help: &'static str) -> impl Fn(Stopped) -> Refused {
    move |stopped| match stopped {
        Stopped::Help => Refused::Help(help),
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
        let (own, rest) = words.split_at(command_at(words));
        let tool = parse(self.flags, own).map_err(refused(self.help))?;
        let Some((name, rest)) = rest.split_first() else {
            return wrong(self.help, "too few arguments".to_owned());
        };
        let Some(command) = self.command(name) else {
            let names = self.commands.iter().map(|known| format!("'{}'", known.name));
            let names = names.collect::<Vec<_>>().join(", ");
            return wrong(self.help, format!("invalid choice: '{name}' (choose from {names})"));
        };
        let options = parse(command.flags, rest).map_err(refused(command.help))?;
        if let Some(problem) = command.no_integer(&options) {
            return wrong(command.help, problem);
        }
        Ok(Given { tool, command: command.name, options })
    }

    /// The command of this name, or the only one whose name begins so.
    fn command(&self, name: &str) -> Option<&'static Command> {
        let mut fit = self.commands.iter().filter(|command| command.name.starts_with(name));
        match (fit.next(), fit.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        }
    }
}

/// Where the command stands: the first word that is neither an option nor an option's value.
fn command_at(words: &[String]) -> usize {
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        let is_help = matches!(word.as_str(), "-h" | "--help");
        let has_value = !word.contains('=') && !is_help;
        at += if has_value { 2 } else { 1 };
    }
    at.min(words.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOL: Tool = Tool {
        flags: &[
            Flag::value("bootstrap-server", ' ', "").long_only().exclusive(),
            Flag::value("bootstrap-controller", ' ', "").long_only().exclusive(),
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
                help: "",
            },
        ],
        help: "",
    };

    fn typed(line: &str) -> Result<Given, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        TOOL.read(&words)
    }

    #[test]
    fn the_tools_options_stand_before_the_command() {
        let given = typed("--bootstrap-server a:1 describe --status").unwrap();
        assert_eq!(given.tool.value("bootstrap-server"), Some("a:1"));
        assert!(given.command == "describe" && given.options.is_set("status"));
        assert_eq!(typed("--bootstrap-server a:1 desc --stat").unwrap().command, "describe");
        let given = typed("--bootstrap-c=a:1 remove -i -1").unwrap();
        assert_eq!(given.options.value("id"), Some("-1"));
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_argparse4j() {
        let table = [
            ("", "too few arguments"),
            ("--bootstrap-server describe", "too few arguments"),
            ("show", "invalid choice: 'show' (choose from 'describe', 'remove')"),
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
    }
}
