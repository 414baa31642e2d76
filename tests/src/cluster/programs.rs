//! Steady clients that are processes of their own, and write the lines that `steady` reads, such as
//! the programs of tests/python on the interpreter that `GREGOR_PYTHON` names.

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
    /// Starts one; what it prints goes to the end of a file.
    #[must_use]
    pub fn start(command: &Command, output: PathBuf) -> Self {
        Self { child: Child::start(command, &output), output }
    }

    /// A program of tests/python, without its words.
    ///
    /// # Panics
    /// When `GREGOR_PYTHON` is not set.
    #[must_use]
    pub fn python(name: &str) -> Command {
        let python = std::env::var_os("GREGOR_PYTHON");
        let python: OsString =
            python.expect("GREGOR_PYTHON names a python3 with confluent-kafka: tests/run has it");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name);
        let mut command = Command::new(python);
        command.arg(program.with_extension("py"));
        command
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
