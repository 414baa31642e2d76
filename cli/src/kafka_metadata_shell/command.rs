//! The commands of the shell: what they take, and what is said of them.
//!
//! Answers to `Commands` and to the subparsers of argparse4j that it builds.

/// How many words a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    One,
    OneOrNone,
    Any,
    OneOrMore,
}

pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    /// Whether it is a command of the interactive shell alone.
    is_interactive: bool,
    takes: Takes,
    /// What it takes, and what is said of that.
    operand: &'static str,
    help: &'static str,
}

const fn command(
    name: &'static str,
    description: &'static str,
    is_interactive: bool,
    takes: Takes,
    (operand, help): (&'static str, &'static str),
) -> Command {
    Command { name, description, is_interactive, takes, operand, help }
}

const NONE: (&str, &str) = ("", "");

pub(super) const COMMANDS: &[Command] = &[
    command(
        "cat",
        "Show the contents of metadata files.",
        false,
        Takes::OneOrMore,
        ("targets", "The metadata files to display."),
    ),
    command(
        "cd",
        "Set the current working directory.",
        true,
        Takes::OneOrNone,
        ("target", "The directory to change to."),
    ),
    command("exit", "Exit the metadata shell.", true, Takes::Nothing, NONE),
    command(
        "find",
        "Search for nodes in the directory hierarchy.",
        false,
        Takes::Any,
        ("paths", "The paths to start at."),
    ),
    command("help", "Display this help message.", true, Takes::Nothing, NONE),
    command(
        "history",
        "Print command history.",
        true,
        Takes::OneOrNone,
        ("numEntriesToShow", "The number of entries to show."),
    ),
    command(
        "ls",
        "List metadata nodes.",
        false,
        Takes::Any,
        ("targets", "The metadata node paths to list."),
    ),
    command(
        "man",
        "Show the help text for a specific command.",
        true,
        Takes::One,
        ("cmd", "The command to get help text for."),
    ),
    command("pwd", "Print the current working directory.", true, Takes::Nothing, NONE),
    command(
        "tree",
        "Show the contents of metadata nodes in a tree structure.",
        false,
        Takes::OneOrMore,
        ("targets", "The metadata nodes to display."),
    ),
];

/// What a line comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    Run {
        command: &'static str,
        words: Vec<String>,
    },
    /// A command's help.
    Help(String),
    /// What is wrong with the line.
    Wrong(String),
}

/// Reads the words of a line; empty ones at its end do not count.
pub(super) fn read(words: &[String], is_interactive: bool) -> Asked {
    let length = words.iter().rposition(|word| !word.is_empty()).map_or(0, |last| last + 1);
    let Some((name, rest)) = words.get(..length).and_then(<[String]>::split_first) else {
        return Asked::Nothing;
    };
    if is_option(name) {
        return unrecognized(name);
    }
    let known = || COMMANDS.iter().filter(|command| is_interactive || !command.is_interactive);
    let fit: Vec<&Command> = known().filter(|command| command.name.starts_with(name)).collect();
    let command = match fit.as_slice() {
        [command] if !name.is_empty() => command,
        fit if fit.len() > 1 && !name.is_empty() => {
            let names: Vec<&str> = fit.iter().map(|command| command.name).collect();
            let names = names.join(", ");
            return Asked::Wrong(format!("ambiguous command: {name} could match {names}"));
        }
        _ => {
            let names: Vec<String> = known().map(|known| format!("'{}'", known.name)).collect();
            let names = names.join(", ");
            return Asked::Wrong(format!("invalid choice: '{name}' (choose from {names})"));
        }
    };
    let words = match command.operands(rest) {
        Ok(words) => words,
        Err(stopped) => return stopped,
    };
    if command.name == name {
        return Asked::Run { command: command.name, words };
    }
    Asked::Wrong(format!("invalid choice: '{name}': did you mean '{}'?", command.name))
}

fn is_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| !rest.is_empty() && rest.parse::<f64>().is_err())
}

fn unrecognized(word: &str) -> Asked {
    Asked::Wrong(format!("unrecognized arguments: '{word}'"))
}

impl Command {
    fn operands(&self, words: &[String]) -> Result<Vec<String>, Asked> {
        let mut operands = Vec::new();
        let mut has_ended_options = false;
        let most = match self.takes {
            Takes::Nothing => 0,
            Takes::One | Takes::OneOrNone => 1,
            Takes::Any | Takes::OneOrMore => usize::MAX,
        };
        for word in words {
            if !has_ended_options && word == "--" {
                has_ended_options = true;
                continue;
            }
            if !has_ended_options && is_option(word) {
                return Err(match word.as_str() {
                    "-h" | "--help" => Asked::Help(self.help_with_options()),
                    other => unrecognized(other),
                });
            }
            if operands.len() == most {
                return Err(unrecognized(word));
            }
            if self.name == "history" && word.parse::<i32>().is_err() {
                return Err(Asked::Wrong(format!(
                    "argument {}: could not convert '{word}' to Integer (For input string: \
                     \"{word}\")",
                    self.operand
                )));
            }
            operands.push(word.clone());
        }
        if operands.is_empty() && matches!(self.takes, Takes::One | Takes::OneOrMore) {
            return Err(Asked::Wrong("too few arguments".to_owned()));
        }
        Ok(operands)
    }

    fn usage(&self) -> String {
        let operand = self.operand;
        match self.takes {
            Takes::Nothing => String::new(),
            Takes::One => format!(" {operand}"),
            Takes::OneOrNone => format!(" [{operand}]"),
            Takes::Any => format!(" [{operand} [{operand} ...]]"),
            Takes::OneOrMore => format!(" {operand} [{operand} ...]"),
        }
    }

    fn operands_help(&self) -> String {
        match self.takes {
            Takes::Nothing => String::new(),
            _ => format!("\npositional arguments:\n  {:<22} {}\n", self.operand, self.help),
        }
    }

    fn help_with_options(&self) -> String {
        let (name, usage, operands) = (self.name, self.usage(), self.operands_help());
        let options = format!("  {:<22} show this help message and exit", "-h, --help");
        format!("usage:  {name} [-h]{usage}\n{operands}\noptional arguments:\n{options}\n")
    }

    /// What `man` says.
    pub(super) fn manual(&self) -> String {
        let (name, usage, operands) = (self.name, self.usage(), self.operands_help());
        format!("{name}: {}\n\nusage: {name}{usage}\n{operands}", self.description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str, is_interactive: bool) -> Asked {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        read(&words, is_interactive)
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        let table = [
            ("cat", "too few arguments"),
            ("cat ", "too few arguments"),
            ("ls -x", "unrecognized arguments: '-x'"),
            ("l", "invalid choice: 'l': did you mean 'ls'?"),
            ("pwd", "invalid choice: 'pwd' (choose from 'cat', 'find', 'ls', 'tree')"),
        ];
        for (line, words) in table {
            assert_eq!(asked(line, false), Asked::Wrong(words.to_owned()), "{line}");
        }
        let words = "argument numEntriesToShow: could not convert 'x' to Integer (For input \
                     string: \"x\")";
        assert_eq!(asked("history x", true), Asked::Wrong(words.to_owned()));
        assert_eq!(asked("cd a b", true), Asked::Wrong("unrecognized arguments: 'b'".to_owned()));
    }

    #[test]
    fn words_behind_two_dashes_are_no_options() {
        let run = |command, words: &[&str]| Asked::Run {
            command,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        assert_eq!(asked("ls a -- -h", false), run("ls", &["a", "-h"]));
        assert_eq!(asked("history -1", true), run("history", &["-1"]));
        assert_eq!(asked(" ", true), Asked::Nothing);
        assert!(matches!(asked("ls -h", false), Asked::Help(_)));
    }
}
