//! A program in one of the languages while it runs: its lines, its containers, its end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Case, Outcome};
use crate::docker::{both, docker_output, seconds_until};

/// How long a program may take to its next line.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running program; it and the containers that it told of are gone when this is dropped.
#[derive(Debug)]
pub(super) struct Session {
    what: &'static str,
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
    containers: Vec<String>,
}

impl Session {
    pub(super) fn start(what: &'static str, mut command: Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let input = process.stdin.take();
        let output = process.stdout.take().expect("stdout is piped");
        let mut errors = process.stderr.take().expect("stderr is piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody reads once the session has ended.
                let _ = sender.send(line);
            }
        });
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            // What is no UTF-8 ends the text; it is shown to people only.
            let _ = errors.read_to_string(&mut text);
            text
        });
        Self { what, process, input, lines, errors: Some(errors), containers: Vec::new() }
    }

    /// What is behind `WORD CASE ` in the line that begins so.
    fn line(&mut self, word: &str, case: &Case) -> String {
        let start = format!("{word} {} ", case.name);
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                let _ = self.process.kill();
                let errors = self.errors.take().map(JoinHandle::join);
                panic!("{}: no line \"{start}…\": {errors:?}\n{}", self.what, self.logs());
            };
            if let Some(rest) = line.strip_prefix(&start) {
                return rest.to_owned();
            }
        }
    }

    fn logs(&self) -> String {
        let logs = |container: &String| both(&docker_output(&["logs", "-t", container]));
        self.containers.iter().map(logs).collect()
    }

    /// Follows the program through its next case.
    pub(super) fn outcome(&mut self, case: &Case) -> Outcome {
        let container = self.line("started", case);
        self.containers.push(container.clone());
        let consumed = self.line("consumed", case);
        let log = both(&docker_output(&["logs", "-t", &container]));
        let seconds = seconds_until(&arrival(&container, case.script), &said_at(&log, case));
        let input = self.input.as_mut().expect("its input is open");
        writeln!(input).expect("it reads");
        Outcome { seconds, consumed, log }
    }

    /// Waits for the end: a good one, with no container left.
    pub(super) fn finish(mut self) {
        drop(self.input.take());
        let status = self.process.wait().expect("it ends");
        let errors = self.errors.take().expect("one end").join();
        assert!(status.success(), "{}: {status}: {errors:?}", self.what);
        for container in &self.containers {
            let left = docker_output(&["inspect", "--format", "{{.Name}}", container]);
            assert!(!left.status.success(), "{}: {container} is still there", self.what);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        for container in &self.containers {
            let _ = Command::new("docker").args(["rm", "-f", "-v", container]).output();
        }
    }
}

/// When the start script came into the container: from then on it is looked for every 100 ms.
fn arrival(container: &str, script: &str) -> String {
    let output = docker_output(&["exec", container, "stat", "-c", "%z", script]);
    assert!(output.status.success(), "no {script}: {}", both(&output));
    let text = both(&output);
    // 2026-11-28 05:21:25.781223821, with the zone behind it where stat knows one
    let mut words = text.split_whitespace();
    let (day, clock) = (words.next(), words.next());
    format!("{}T{}Z", day.expect("a date"), clock.expect("a time"))
}

/// When the line was written that the library waits for.
fn said_at(log: &str, case: &Case) -> String {
    let line = log.lines().find(|line| line.contains(case.waits_for));
    let line = line.unwrap_or_else(|| panic!("no line \"{}\" in:\n{log}", case.waits_for));
    line.split_whitespace().next().expect("a time").to_owned()
}
