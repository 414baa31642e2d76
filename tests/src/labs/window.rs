//! A terminal window in which a program runs until it ends or Ctrl-C is pressed.

use std::io::Write;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::Lab;
use crate::cluster::child::Child;

/// One window; its program does not outlive it.
#[derive(Debug)]
pub struct Window {
    child: Child,
    stdin: Option<ChildStdin>,
    output: PathBuf,
}

impl Window {
    /// Starts a command; what it prints stands in a file of the lab's folder.
    #[must_use]
    pub fn open(lab: &Lab, title: &str, command: &Command) -> Self {
        let output = Self::screen(lab, title);
        Self { child: Child::start(command, &output), stdin: None, output }
    }

    /// The same for a program that reads lines.
    #[must_use]
    pub fn open_typed(lab: &Lab, title: &str, command: &Command) -> Self {
        let output = Self::screen(lab, title);
        let (child, stdin) = Child::start_typed(command, &output);
        Self { child, stdin: Some(stdin), output }
    }

    fn screen(lab: &Lab, title: &str) -> PathBuf {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        lab.path(format!("window-{}-{title}.out", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// What it has printed.
    #[must_use]
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// Types a line to it.
    ///
    /// # Panics
    /// When it was not opened to be typed to, or has ended.
    pub fn types(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("a window that is typed to");
        writeln!(stdin, "{line}").expect("it reads");
    }

    /// Presses keys in a window that is a terminal: `\x03` is Ctrl-C there.
    ///
    /// # Panics
    /// When it was not opened to be typed to, or has ended.
    pub fn presses(&mut self, keys: &str) {
        let stdin = self.stdin.as_mut().expect("a window that is typed to");
        stdin.write_all(keys.as_bytes()).and_then(|()| stdin.flush()).expect("it reads");
    }

    /// Waits until it has printed what fits.
    ///
    /// # Panics
    /// When it has not within `patience`.
    pub fn wait_for(&self, what: &str, patience: Duration, fits: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let printed = self.printed();
            if fits(&printed) {
                return printed;
            }
            assert!(began.elapsed() < patience, "waited {patience:?} for {what}: {}", self.end());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it has printed a text.
    pub fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, Duration::from_secs(60), |printed| printed.contains(text))
    }

    /// Ctrl-C, and its end; how long that took.
    pub fn ctrl_c(&mut self) -> Duration {
        self.signal(Signal::INT);
        self.child.wait(Duration::from_secs(30))
    }

    /// `kill -KILL`.
    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.child.signal(signal);
    }

    /// Whether its program still runs.
    pub fn is_open(&mut self) -> bool {
        self.child.exit_status().is_none()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it runs longer than `patience`.
    pub fn wait_end(&mut self, patience: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.exit_status() {
                return status;
            }
            assert!(began.elapsed() < patience, "it runs on after {patience:?}: {}", self.end());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// The last lines it printed.
    fn end(&self) -> String {
        let printed = self.printed();
        let lines: Vec<&str> = printed.lines().collect();
        format!("{}\n{}", self.output.display(), lines[lines.len().saturating_sub(30)..].join("\n"))
    }
}
