//! A transcript: commands as a user types them, and what stock Kafka makes them print.
//!
//! One text file (tests/golden/<tool>/<case>.txt) is both the scenario and its recorded facts:
//!
//! ```text
//! # what is shown
//! server num.partitions=3              a line of the server's properties
//! cluster split 3 5 a,a,a,b,c          several nodes: controllers, brokers, racks; or combined 3
//! levels 3.3-IV3                       the release whose feature levels a cluster begins with
//! stock 4.3.1                          the release of a single stock node, where it matters
//! file offsets.json                    a file in DIR, its content in the `<` lines that follow
//! % sorted eventually                  how the next command is run and compared
//! $ kafka-topics@4.3.1 --bootstrap-server SERVER --list
//! < a line of its stdin
//! | a line of its stdout
//! ! a line of its stderr
//! = 1                                  its exit code, when not 0
//! ```
//! Words of `%`: masks (`sorted`, `numbers`, `epochs`, `rates`, `hashes`, `checksums`, `active`,
//! `isr`), `eventually` (run again until it is equal, ten seconds at most), `background NAME`
//! (started, ended by a later `stop NAME`, whose output is compared), `as-process` (a JVM of its
//! own).
//! Other steps:
//! `sleep MS`, `wait NAME TEXT` (until it printed TEXT), `restart` (SIGTERM, start), and of a
//! cluster's nodes: `kill ID`, `terminate ID`, `start ID`.

use std::fmt::Write as _;
use std::path::Path;

/// A parsed file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The nodes, when there are several.
    pub cluster: Option<String>,
    /// The release whose feature levels several nodes begin with.
    pub levels: Option<String>,
    pub server: Vec<String>,
    /// The release that a stock node has, where it is not the one that Gregor equals.
    pub stock: Option<String>,
    pub lines: Vec<Line>,
}

/// A line of the file that is not output: comments and blank lines are kept for re-recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Kept(String),
    Step(Step),
}

/// One step and what stock printed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub options: Vec<String>,
    pub action: Action,
    pub input: String,
    pub expected: Printed,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Run { tool: String, version: String, args: Vec<String>, typed: String },
    File(String),
    Stop(String),
    Sleep(u64),
    Wait { name: String, text: String },
    Restart,
    Node { what: NodeAction, id: i32 },
}

/// What is done to a node of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeAction {
    Kill,
    Terminate,
    Start,
}

/// What a command printed, masked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Printed {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
}

impl Transcript {
    /// Reads a file.
    ///
    /// # Panics
    /// When a line is none of the above.
    #[must_use]
    pub fn read(file: &Path) -> Self {
        let text =
            std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        Self::parse(&text)
    }

    /// Parses the text of a file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut transcript = Self::default();
        let mut options = Vec::new();
        for line in text.lines() {
            let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
            match mark {
                "cluster" => transcript.cluster = Some(rest.to_owned()),
                "levels" => transcript.levels = Some(rest.to_owned()),
                "server" => transcript.server.push(rest.to_owned()),
                "stock" => transcript.stock = Some(rest.to_owned()),
                "%" => options = rest.split_whitespace().map(String::from).collect(),
                "$" | "file" | "stop" | "sleep" | "wait" | "restart" | "kill" | "terminate"
                | "start" => {
                    let options = std::mem::take(&mut options);
                    transcript.lines.push(Line::Step(Step::new(mark, rest, options)));
                }
                "<" | "|" | "!" | "=" => transcript.last_step().add(mark, rest),
                _ => {
                    assert!(mark.is_empty() || mark.starts_with('#'), "what is: {line}");
                    transcript.lines.push(Line::Kept(line.to_owned()));
                }
            }
        }
        transcript
    }

    fn last_step(&mut self) -> &mut Step {
        match self.lines.last_mut() {
            Some(Line::Step(step)) => step,
            _ => panic!("output stands before any command"),
        }
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let cluster = self.cluster.iter().map(|nodes| format!("cluster {nodes}\n"));
        let server = self.server.iter().map(|line| format!("server {line}\n"));
        let stock = self.stock.iter().map(|release| format!("stock {release}\n"));
        let levels = self.levels.iter().map(|release| format!("levels {release}\n"));
        let mut head = cluster.chain(levels).chain(stock).chain(server);
        for line in &self.lines {
            match line {
                Line::Kept(kept) if kept.starts_with('#') => writeln!(text, "{kept}"),
                Line::Kept(_) | Line::Step(_) => {
                    text.extend(head.by_ref());
                    match line {
                        Line::Kept(kept) => writeln!(text, "{kept}"),
                        Line::Step(step) => write!(text, "{}", step.text()),
                    }
                }
            }
            .expect("a string takes all");
        }
        text
    }
}

impl Action {
    fn node(what: NodeAction, id: &str) -> Self {
        Self::Node { what, id: id.parse().expect("a node's id") }
    }
}

impl Step {
    fn new(mark: &str, rest: &str, options: Vec<String>) -> Self {
        let action = match mark {
            "file" => Action::File(rest.to_owned()),
            "stop" => Action::Stop(rest.to_owned()),
            "sleep" => Action::Sleep(rest.parse().expect("sleep MS")),
            "restart" => Action::Restart,
            "kill" => Action::node(NodeAction::Kill, rest),
            "terminate" => Action::node(NodeAction::Terminate, rest),
            "start" => Action::node(NodeAction::Start, rest),
            "wait" => {
                let (name, text) = rest.split_once(' ').expect("wait NAME TEXT");
                Action::Wait { name: name.to_owned(), text: text.to_owned() }
            }
            _ => {
                let mut words = split(rest).into_iter();
                let tool = words.next().expect("a tool");
                let (tool, version) = tool.split_once('@').expect("tool@version");
                let (tool, version) = (tool.to_owned(), version.to_owned());
                Action::Run { tool, version, args: words.collect(), typed: rest.to_owned() }
            }
        };
        Self { options, action, input: String::new(), expected: Printed::default() }
    }

    fn add(&mut self, mark: &str, rest: &str) {
        let target = match mark {
            "<" => &mut self.input,
            "|" => &mut self.expected.stdout,
            "!" => &mut self.expected.stderr,
            _ => {
                self.expected.code = rest.parse().expect("= CODE");
                return;
            }
        };
        target.push_str(rest);
        target.push('\n');
    }

    /// Whether `%` named this option.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|given| given == option)
    }

    /// The name behind `% background`.
    #[must_use]
    pub fn background(&self) -> Option<&str> {
        let at = self.options.iter().position(|option| option == "background")?;
        self.options.get(at + 1).map(String::as_str)
    }

    /// The command line, without its output.
    #[must_use]
    pub fn typed(&self) -> String {
        match &self.action {
            Action::Run { typed, .. } => format!("$ {typed}"),
            Action::File(name) => format!("file {name}"),
            Action::Stop(name) => format!("stop {name}"),
            Action::Sleep(ms) => format!("sleep {ms}"),
            Action::Wait { name, text } => format!("wait {name} {text}"),
            Action::Restart => "restart".to_owned(),
            Action::Node { what: NodeAction::Kill, id } => format!("kill {id}"),
            Action::Node { what: NodeAction::Terminate, id } => format!("terminate {id}"),
            Action::Node { what: NodeAction::Start, id } => format!("start {id}"),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if !self.options.is_empty() {
            let _ = writeln!(text, "% {}", self.options.join(" "));
        }
        let _ = writeln!(text, "{}", self.typed());
        marked(&mut text, '<', &self.input);
        text + &self.expected.text()
    }
}

impl Printed {
    /// As it stands in a file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        marked(&mut text, '|', &self.stdout);
        marked(&mut text, '!', &self.stderr);
        if self.code != 0 {
            let _ = writeln!(text, "= {}", self.code);
        }
        text
    }
}

fn marked(text: &mut String, mark: char, lines: &str) {
    for line in lines.lines() {
        let _ = writeln!(text, "{}", format!("{mark} {line}").trim_end());
    }
}

/// Splits a command line as a shell does: blanks separate, quotes keep together.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::{Transcript, split};

    #[test]
    fn a_file_is_what_its_text_says() {
        let text = "# shows\ncluster combined 3\nlevels 3.3-IV3\nstock 4.3.1\nserver a=b\n\n\
                    % sorted eventually\n$ kafka-topics@4.3.1 --list\n< in\n\
                    | out\n|\n| more\n! err\n= 1\nsleep 5\nkill 2\nstart 2\n\n# end\n";
        assert_eq!(Transcript::parse(text).text(), text);
    }

    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(split("a 'b c' \"\" d=\"e f\""), ["a", "b c", "", "d=e f"]);
    }
}
