//! Steady clients that are processes of their own, and write the lines that `steady` reads: Python
//! programs of tests/python on the interpreter that `GREGOR_PYTHON` names.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::child::Child;
use super::steady::{Steady, parse};

/// How long one that was asked to end may take.
const END_PATIENCE: Duration = Duration::from_secs(60);

/// One that runs; it is killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    output: PathBuf,
}

impl Program {
    /// Starts a program of tests/python; what it prints goes to a file of `run` in `folder`.
    ///
    /// # Panics
    /// When `GREGOR_PYTHON` is not set, or its interpreter does not start.
    #[must_use]
    pub fn python(folder: &Path, name: &str, run: &str, words: &[&str]) -> Self {
        let python = std::env::var_os("GREGOR_PYTHON");
        let python: OsString =
            python.expect("GREGOR_PYTHON names a python3 with confluent-kafka: tests/run has it");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name);
        let mut command = Command::new(python);
        command.arg(program.with_extension("py")).args(words);
        let output = folder.join(format!("{name}-{run}.out"));
        Self { child: Child::start(&command, &output), output }
    }

    /// What it has done so far.
    #[must_use]
    pub fn so_far(&self) -> Steady {
        parse(&self.printed())
    }

    /// Everything it wrote.
    #[must_use]
    pub fn printed(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// SIGTERM, its end awaited, and what it did.
    #[must_use]
    pub fn stop(mut self) -> Steady {
        self.child.signal(Signal::TERM);
        let _ = self.child.wait(END_PATIENCE);
        self.so_far()
    }
}
