//! A tool's help as properties: its options, and the text around them.
//!
//! joptsimple prints a table of two columns, argparse4j a paragraph for each option. Both break
//! lines by the longest option, so that options are compared and not lines.

use super::facts::Properties;

/// The options, each with what is said of it, behind what stands before a command's.
pub(super) fn properties(before: &str, text: &str) -> Properties {
    let (about, options) = match column(text) {
        Some(column) => of_a_table(text, column),
        None => of_paragraphs(text),
    };
    let name = format!("{before}{}", if before.is_empty() { "about" } else { "is about" });
    let mut properties = vec![(name, about)];
    for option in options {
        let option = option.split_whitespace().collect::<Vec<_>>().join(" ");
        let (name, said) = named(&option);
        properties.push((format!("{before}{name}"), said.to_owned()));
    }
    properties
}

/// The commands of a tool that has them: {describe,upgrade}.
pub(super) fn commands(text: &str) -> Vec<String> {
    let Some(positional) = text.find("positional arguments:") else { return Vec::new() };
    let listed = text[positional..].lines().nth(1).unwrap_or_default().trim();
    let Some(listed) = listed.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return Vec::new();
    };
    listed.0.split(',').map(|command| command.trim().to_owned()).collect()
}

/// Where the second column of joptsimple's table begins.
fn column(text: &str) -> Option<usize> {
    let rule = text.lines().find(|line| line.starts_with("------") && line.contains(" ------"))?;
    Some(rule.rfind(" -")? + 1)
}

fn of_a_table(text: &str, column: usize) -> (String, Vec<String>) {
    let mut about = String::new();
    let mut options: Vec<(String, String)> = Vec::new();
    let is_rule = |line: &str| line.starts_with("Option ") || line.starts_with("------");
    for line in text.lines().filter(|line| !is_rule(line)) {
        let (left, right) = halves(line, column);
        match options.last_mut() {
            _ if left.starts_with('-') => options.push((left.to_owned(), right.to_owned())),
            Some(last) if line.starts_with(' ') => {
                last.0.push_str(&format!(" {}", left.trim()));
                last.1.push_str(&format!(" {}", right.trim()));
            }
            _ => about.push_str(&format!("{line}\n")),
        }
    }
    (about, options.into_iter().map(|(left, right)| format!("{left} {right}")).collect())
}

/// A line of a table cut at a column of letters.
fn halves(line: &str, column: usize) -> (&str, &str) {
    let at = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    line.split_at(at)
}

fn of_paragraphs(text: &str) -> (String, Vec<String>) {
    let mut about = String::new();
    let mut options: Vec<String> = Vec::new();
    let mut among_options = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        if (1..=4).contains(&indent) && trimmed.starts_with('-') && !text_of_usage(line) {
            among_options = true;
            options.push(trimmed.to_owned());
        } else if among_options && indent > 4 {
            let last = options.last_mut().expect("one was pushed");
            last.push_str(&format!(" {trimmed}"));
        } else {
            among_options = false;
            about.push_str(&format!("{line}\n"));
        }
    }
    (about, options)
}

/// Whether a line belongs to the usage, where options stand in brackets.
fn text_of_usage(line: &str) -> bool {
    line.contains('[') && line.trim_end().ends_with(']')
}

/// An option's names, and the rest: `-h, --help` and `show this`.
fn named(option: &str) -> (&str, &str) {
    let mut end = 0;
    for word in option.split(' ') {
        let begins = end + usize::from(end > 0);
        if !word.starts_with('-') {
            break;
        }
        end = begins + word.len();
        if !word.ends_with(',') {
            break;
        }
    }
    (option[..end].trim_end_matches(','), option[end..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
This tool does it.
Option                        Description
------                        -----------
--bootstrap-server <String:   REQUIRED: The server(s)
  server to connect to>         to connect to.
-h, --help                    Print usage.
--version
";

    const PARAGRAPHS: &str = "\
usage: kafka-features [-h] [--command-config COMMAND_CONFIG]
                      {describe,disable} ...

This tool manages features.

positional arguments:
  {describe,disable}
    describe             Describes them.

optional arguments:
  -h, --help             show this help
  --bootstrap-server BOOTSTRAP_SERVER
                         A list of
                         pairs.
";

    fn line((name, value): &(String, String)) -> String {
        format!("{name}: {value}")
    }

    #[test]
    fn a_table_becomes_options() {
        let found = properties("", TABLE);
        let expected = [
            "about: This tool does it.\n",
            "--bootstrap-server: <String: server to connect to> REQUIRED: The server(s) to \
             connect to.",
            "-h, --help: Print usage.",
            "--version: ",
        ];
        assert_eq!(found.iter().map(line).collect::<Vec<_>>(), expected);
        assert!(commands(TABLE).is_empty());
    }

    #[test]
    fn paragraphs_become_options() {
        let found = properties("describe ", PARAGRAPHS);
        assert!(found[0].1.contains("{describe,disable} ..."), "{found:?}");
        assert!(found[0].1.contains("Describes them."), "{found:?}");
        let expected = [
            "describe -h, --help: show this help",
            "describe --bootstrap-server: BOOTSTRAP_SERVER A list of pairs.",
        ];
        assert_eq!(found[1..].iter().map(line).collect::<Vec<_>>(), expected);
        assert_eq!(commands(PARAGRAPHS), ["describe", "disable"]);
    }
}
