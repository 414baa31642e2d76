//! Typing a line of the text and reading what it prints.
//!
//! A line whose program is a tool of Kafka (`…/bin/kafka-topics.sh`, or the bare name in a
//! container) is run by the stock tool of the lab's release, or by the native one where
//! `GREGOR_LAB_TOOLS` is `native`; anything else goes to the shell.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Lab, Window};
use crate::native;
use crate::oracle::{Finished, ToolServer, main_class, window_class_path};

/// What stands in a line: a tool of Kafka's with its words, or something for the shell.
pub(super) enum Line {
    Tool { name: String, words: Vec<String>, stdin: String },
    Shell(String),
}

/// Whose tools are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tools {
    Stock,
    Native,
}

impl Tools {
    /// `GREGOR_LAB_TOOLS`: `stock` unless it is set.
    ///
    /// # Panics
    /// When it is set to something else.
    fn chosen() -> Self {
        match std::env::var("GREGOR_LAB_TOOLS").as_deref() {
            Err(_) | Ok("stock") => Self::Stock,
            Ok("native") => Self::Native,
            Ok(other) => panic!("GREGOR_LAB_TOOLS={other}: stock or native"),
        }
    }
}

/// Kafka's tools whose own program is under test, not a client of it.
const NODES: [&str; 4] =
    ["kafka-server-start", "kafka-server-stop", "zookeeper-server-start", "zookeeper-server-stop"];

/// How soon the next command can be there: a stock tool starts for longer, while the tests' have
/// started already, and brokers hear of a topic one after the other.
const NEXT_COMMAND: Duration = Duration::from_millis(300);

impl Lab {
    /// Types a line in the lab's folder, and waits for its end.
    #[must_use]
    pub fn types(&self, line: &str) -> Finished {
        self.types_in(".", line, "")
    }

    /// The same in another folder, with answers to what it asks.
    #[must_use]
    pub fn types_in(&self, folder: &str, line: &str, answers: &str) -> Finished {
        match self.line(line) {
            Line::Tool { name, words, stdin } => {
                let stdin = if stdin.is_empty() { answers } else { &stdin };
                let finished = match Tools::chosen() {
                    Tools::Stock => ToolServer::shared().run(self.version(), &name, &words, stdin),
                    Tools::Native => native::run_as(self.version(), &name, &words, stdin),
                };
                if words.iter().any(|word| matches!(word.as_str(), "--create" | "--delete")) {
                    std::thread::sleep(NEXT_COMMAND);
                }
                finished
            }
            Line::Shell(line) => {
                let mut shell = Command::new("bash");
                shell.args(["-c", &line]).current_dir(self.path(folder));
                shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
                let mut shell = shell.spawn().expect("bash starts");
                let mut stdin = shell.stdin.take().expect("its stdin is piped");
                // Who asks nothing may have ended before it is answered.
                let _ = stdin.write_all(answers.as_bytes());
                drop(stdin);
                let output = shell.wait_with_output().expect("it ends");
                Finished {
                    code: output.status.code().unwrap_or(143),
                    stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                    stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
                }
            }
        }
    }

    /// What a line prints that ends well.
    ///
    /// # Panics
    /// When its exit code is not 0.
    pub fn sees(&self, line: &str) -> String {
        let finished = self.types(line);
        assert_eq!(finished.code, 0, "{line}: {finished:#?}");
        finished.stdout
    }

    /// Types a line until it prints what is awaited.
    ///
    /// # Panics
    /// When it has not within half a minute.
    pub fn waits_to_see(&self, line: &str, fits: impl Fn(&str) -> bool) -> String {
        let began = std::time::Instant::now();
        loop {
            let seen = self.types(line);
            if seen.code == 0 && fits(&seen.stdout) {
                return seen.stdout;
            }
            let waited = began.elapsed();
            assert!(waited.as_secs() < 30, "after {waited:?} {line}: {seen:#?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Opens a window with a tool that runs on: what it warns of is on its screen, and lines can be
    /// typed to it.
    ///
    /// # Panics
    /// When the line is none of Kafka's tools.
    #[must_use]
    pub fn opens(&self, line: &str) -> Window {
        let Line::Tool { name, words, .. } = self.line(line) else { panic!("no tool: {line}") };
        let mut tool = match Tools::chosen() {
            Tools::Stock => self.stock_tool(&name),
            Tools::Native => native::command(self.version(), &name),
        };
        tool.args(words).current_dir(self.path("."));
        Window::open_typed(self, &name, &tool)
    }

    /// Opens a window with a terminal of its own (`script` of util-linux makes one), as
    /// `docker exec -ti` asks for: what is typed is shown, too, and programs ask and prompt.
    #[must_use]
    pub fn opens_terminal(&self, line: &str) -> Window {
        let mut script = Command::new("script");
        script.args(["--quiet", "--flush", "--return", "--command", &self.ported(line)]);
        script.arg("/dev/null").current_dir(self.path("."));
        Window::open_typed(self, "terminal", &script)
    }

    fn stock_tool(&self, name: &str) -> Command {
        let (settings, class_path) = window_class_path(self.version());
        let mut java = Command::new("java");
        java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"]).arg(settings);
        java.args(["-cp", &class_path, main_class(name, self.version())]);
        java
    }

    pub(super) fn line(&self, line: &str) -> Line {
        let line = self.ported(&line.replace("\\\n", " "));
        let mut words = line.split_whitespace().map(String::from).collect::<Vec<_>>();
        let mut stdin = String::new();
        if words.first().is_some_and(|word| word == "echo")
            && let Some(pipe) = words.iter().position(|word| word == "|")
        {
            stdin = words[1..pipe].join(" ") + "\n";
            words.drain(..=pipe);
        }
        let program = words.first().cloned().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default().trim_end_matches(".sh");
        let is_piped = words.iter().any(|word| ["|", ">", "&&", ";"].contains(&word.as_str()));
        if name.starts_with("kafka-") && !NODES.contains(&name) && !is_piped {
            return Line::Tool { name: name.to_owned(), words: words.split_off(1), stdin };
        }
        Line::Shell(line)
    }
}

#[cfg(test)]
mod tests {
    use super::{Lab, Line};

    #[test]
    fn kafkas_tools_are_told_from_what_the_shell_runs() {
        let lab = Lab::new("none", crate::oracle::COURSE, &[]);
        let tool = lab.line("echo quit | ./kafka/bin/kafka-console-producer.sh \\\n --topic t");
        let Line::Tool { name, words, stdin } = tool else { panic!("a tool") };
        assert_eq!(name, "kafka-console-producer");
        assert_eq!((words, stdin), (vec!["--topic".to_owned(), "t".to_owned()], "quit\n".into()));
        for line in ["diff a b | wc -l", "./kafka/bin/kafka-server-stop.sh broker0.properties"] {
            assert!(matches!(lab.line(line), Line::Shell(_)), "{line}");
        }
    }
}
