//! Runs transcripts: on stock Kafka to record them, on Gregor to compare.
//!
//! `GREGOR_RECORD=1` (what `tests/record` sets) runs them on stock 4.3.1 and rewrites the files.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::mask;
use crate::native;
use crate::oracle::{Finished, Running, ToolServer, run_as_process};
use crate::served::Served;
use crate::server::{Kind, Server};
use crate::transcript::{Action, Line, NodeAction, Printed, Step, Transcript, split};

/// Whether this run records stock's answers instead of comparing Gregor's.
#[must_use]
pub fn recording() -> bool {
    std::env::var_os("GREGOR_RECORD").is_some()
}

/// Who serves tests that assert facts themselves: Gregor, or stock when `GREGOR_TEST_STOCK` is set,
/// which is how such a test is shown to hold for Kafka.
#[must_use]
pub fn server_kind() -> Kind {
    if std::env::var_os("GREGOR_TEST_STOCK").is_some() { Kind::Stock } else { Kind::Gregor }
}

/// The file of a case, such as `topics/lifecycle-4.3.1`.
#[must_use]
pub fn file(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{case}.txt"))
}

/// Runs a case on Gregor and compares, or records it from stock.
///
/// # Panics
/// With every step whose output differs, both outputs beside each other.
pub fn check(case: &str) {
    let mut transcript = Transcript::read(&file(case));
    if recording() {
        let mut session = Session::start(Kind::Stock, &transcript);
        session.record(&mut transcript);
        std::fs::write(file(case), transcript.text()).expect("the golden file is written");
    } else {
        check_on(Kind::Gregor, case);
    }
}

/// Runs a case on the given server and compares it with what is recorded.
///
/// # Panics
/// With every step whose output differs, both outputs beside each other.
pub fn check_on(kind: Kind, case: &str) {
    check_with(kind, case, false);
}

/// Runs a case with the native tools in the place of stock's, where there is one, and compares with
/// what the stock tools said.
///
/// # Panics
/// With every step whose output differs, both outputs beside each other.
pub fn check_native(kind: Kind, case: &str) {
    check_with(kind, case, true);
}

fn check_with(kind: Kind, case: &str, with_native_tools: bool) {
    let transcript = Transcript::read(&file(case));
    let mut session = Session { with_native_tools, ..Session::start(kind, &transcript) };
    let differences = session.compare(&transcript);
    assert!(differences.is_empty(), "{case}: not as stock Kafka\n{differences}");
}

/// One server, and the tools that run against it in the background.
struct Session {
    with_native_tools: bool,
    served: Served,
    background: HashMap<String, Running>,
}

impl Session {
    fn start(kind: Kind, transcript: &Transcript) -> Self {
        let served = Served::start(kind, transcript);
        Self { with_native_tools: false, served, background: HashMap::new() }
    }

    fn record(&mut self, transcript: &mut Transcript) {
        for line in &mut transcript.lines {
            let Line::Step(step) = line else { continue };
            if step.has("eventually") {
                // Stock gets the time it needs to settle; what it says then is the fact.
                std::thread::sleep(Duration::from_secs(4));
            }
            step.expected = self.perform(step).unwrap_or_default();
        }
    }

    fn compare(&mut self, transcript: &Transcript) -> String {
        let mut differences = String::new();
        for line in &transcript.lines {
            let Line::Step(step) = line else { continue };
            let deadline = Instant::now() + Duration::from_secs(10);
            let mut printed = self.perform(step);
            while self.may_ask_again(step)
                && printed.as_ref().is_some_and(|printed| !self.is_equal(step, printed))
                && Instant::now() < deadline
            {
                std::thread::sleep(Duration::from_millis(200));
                printed = self.perform(step);
            }
            let Some(printed) = printed else { continue };
            if !self.is_equal(step, &printed) {
                let (stock, ours) = (step.expected.text(), printed.text());
                let _ = write!(differences, "\n{}\nstock:\n{stock}ours:\n{ours}", step.typed());
            }
        }
        differences
    }

    /// A native tool prints the message of an error where Java adds a trace of its causes. How many
    /// frames a cause shares depends on how often the JVM has called a main method by then.
    fn is_equal(&self, step: &Step, printed: &Printed) -> bool {
        if !self.with_native_tools {
            let counted = |text: &str| mask::number_after("\t... ", text);
            return printed.code == step.expected.code
                && counted(&printed.stdout) == counted(&step.expected.stdout)
                && counted(&printed.stderr) == counted(&step.expected.stderr);
        }
        let without = |printed: &Printed| Printed {
            stdout: native::without_trace_on_stdout(&printed.stdout),
            stderr: native::without_trace(&printed.stdout, &printed.stderr),
            code: printed.code,
        };
        without(printed) == without(&step.expected)
    }

    /// A stock broker answers a creation before it shows what was created.
    fn may_ask_again(&self, step: &Step) -> bool {
        let typed = step.typed();
        let only_looks = typed.contains("--describe") || typed.contains("--list");
        step.has("eventually") || self.served.kind() == Kind::Stock && only_looks
    }

    /// Does a step; what a command printed, when there is something to compare.
    fn perform(&mut self, step: &Step) -> Option<Printed> {
        match &step.action {
            Action::Run { tool, version, args, .. } => {
                let args: Vec<String> = args.iter().map(|arg| self.fill(arg)).collect();
                // What runs in the background is ended by its session: stock's.
                let ends_by_itself = step.background().is_none();
                if self.with_native_tools && ends_by_itself && native::is_native(tool, version) {
                    return Some(
                        self.masked(step, &native::run_as(version, tool, &args, &step.input)),
                    );
                }
                if step.has("as-process") {
                    let finished = run_as_process(version, tool, &args, &step.input);
                    return Some(self.masked(step, &finished));
                }
                let running = ToolServer::shared().spawn(version, tool, &args, &step.input);
                if let Some(name) = step.background() {
                    self.background.insert(name.to_owned(), running);
                    return None;
                }
                Some(self.masked(step, &running.finish()))
            }
            Action::File(name) => {
                let content = self.fill(&step.input);
                std::fs::write(self.served.folder().join(name), content).expect("a file in DIR");
                None
            }
            Action::Stop(name) => {
                let running = self.background.remove(name).expect("it runs in the background");
                Some(self.masked(step, &running.stop()))
            }
            Action::Sleep(ms) => {
                std::thread::sleep(Duration::from_millis(*ms));
                None
            }
            Action::Wait { name, text } => {
                self.wait(name, text);
                None
            }
            Action::Restart => {
                self.served.restart();
                None
            }
            Action::Node { what, id } => {
                self.node(*what, *id);
                None
            }
        }
    }

    fn wait(&self, name: &str, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let running = &self.background[name];
        loop {
            let printed = running.stdout_so_far();
            if printed.contains(text) {
                return;
            }
            assert!(Instant::now() < deadline, "{name} did not print {text}, but: {printed}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn node(&mut self, what: NodeAction, id: i32) {
        let cluster = self.served.cluster();
        match what {
            NodeAction::Kill => cluster.kill(id),
            NodeAction::Terminate => drop(cluster.terminate(id)),
            NodeAction::Start => cluster.start_again(id),
        }
    }

    fn fill(&self, text: &str) -> String {
        self.served.fill(text)
    }

    fn masked(&self, step: &Step, finished: &Finished) -> Printed {
        let masked = |text: &str| {
            let mut text = self.served.masked(&without_log_lines(text));
            if step.has("numbers") {
                text = mask::numbers(&text);
            }
            if step.has("rates") {
                text = mask::rates(&text);
            }
            if step.has("hashes") {
                text = mask::hashes(&text);
            }
            if step.has("checksums") {
                text = mask::number_after("crc: ", &text);
            }
            if step.has("active") {
                text = mask::number_after("Local controller ", &text);
            }
            if step.has("isr") {
                text = mask::in_sync(&text);
            }
            if step.has("epochs") {
                text = mask::epochs(&text);
            }
            if step.has("sorted") {
                text = mask::sorted(&text);
            }
            text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
        };
        Printed {
            stdout: masked(&finished.stdout),
            stderr: masked(&finished.stderr),
            code: finished.code,
        }
    }
}

/// SERVER, CONTROLLER and DIR become what they stand for.
fn fill(text: &str, server: &Server) -> String {
    text.replace("SERVER", &server.address())
        .replace("CONTROLLER", &server.controller_address())
        .replace("DIR", &server.folder().display().to_string())
}

/// Runs one command line, as a transcript has it, outside of any transcript.
#[must_use]
pub fn tool(server: &Server, line: &str, stdin: &str) -> Finished {
    let mut words = split(line).into_iter().map(|word| fill(&word, server));
    let tool = words.next().expect("a tool");
    let (tool, version) = tool.split_once('@').expect("tool@version");
    let args: Vec<String> = words.collect();
    ToolServer::shared().run(version, tool, &args, stdin)
}

/// Without the lines of logging libraries and without stack frames, which are no part of a tool's
/// words. The hint at the new protocol comes from another thread, at any place: it is put first.
fn without_log_lines(text: &str) -> String {
    const LOGS: [&str; 5] = ["SLF4J", "log4j:", "StatusLogger", "ERROR StatusLogger", "\tat "];
    let is_hint = |line: &&str| line.starts_with("The consumer rebalance protocol (KIP-848)");
    let lines = text.lines().filter(|line| !LOGS.iter().any(|log| line.starts_with(log)));
    let (hints, words): (Vec<_>, Vec<_>) = lines.partition(is_hint);
    hints.into_iter().chain(words).map(|line| format!("{line}\n")).collect()
}
