//! Programs that start Kafka by a testcontainers library, each with our image in place of the one
//! that the library names: tests/testcontainers/LANGUAGE.
//!
//! A program gets IMAGE CASE… and prints `started CASE ID` and `consumed CASE N in order` for each;
//! while its container still runs it waits for a line. What it needs is installed into the cache
//! beside stock Kafka's jars, all languages at once, before the first one runs; then one runs at a
//! time, so that what is measured is not how busy the machine is.

mod install;
mod session;

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::docker::{docker, gregor_image, repository, unique};

use install::installed;
use session::Session;

/// A library: the name that `tests/testcontainers/install` has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// `org.testcontainers:kafka`.
    Java1,
    /// `org.testcontainers:testcontainers-kafka`.
    Java2,
    Python,
    Go,
    Node,
}

impl Library {
    const ALL: [Self; 5] = [Self::Java1, Self::Java2, Self::Python, Self::Go, Self::Node];

    fn name(self) -> &'static str {
        match self {
            Self::Java1 => "java-1.21.4",
            Self::Java2 => "java-2.0.5",
            Self::Python => "python",
            Self::Go => "go",
            Self::Node => "node",
        }
    }

    /// The program, with the settings that its library is allowed to need.
    fn program(self, folder: &Path, home: &Path) -> Command {
        let sources = repository().join("tests/testcontainers");
        let mut command = match self {
            Self::Java1 | Self::Java2 => {
                let api = docker(&["version", "--format", "{{.Server.APIVersion}}"]);
                let mut java = Command::new("java");
                java.arg(format!("-Dapi.version={api}"))
                    // The library keeps a file of its own in the home folder.
                    .arg(format!("-Duser.home={}", home.display()))
                    .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
                    .arg("-cp")
                    .arg(folder.join("*"))
                    .arg(sources.join("java/Round.java"))
                    .env("TESTCONTAINERS_CHECKS_DISABLE", "true");
                java
            }
            Self::Python => {
                let mut python = Command::new(folder.join("bin/python3"));
                python.arg(sources.join("python/round.py"));
                python
            }
            Self::Go => Command::new(folder.join("round")),
            Self::Node => {
                let mut node = Command::new(folder.join("node"));
                node.arg(folder.join("round.js"));
                node
            }
        };
        command.env("TESTCONTAINERS_RYUK_DISABLED", "true");
        // In a container the libraries look for the ports at a gateway, which is right where the
        // engine is outside. Here it is beside the tests.
        if Path::new("/.dockerenv").exists() {
            command.env("TESTCONTAINERS_HOST_OVERRIDE", "localhost");
        }
        command
    }
}

/// One case of a library's program.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    /// Where the library puts its start script.
    pub script: &'static str,
    /// Words of the log line that the library waits for.
    pub waits_for: &'static str,
}

/// What came of one case.
#[derive(Debug)]
pub struct Outcome {
    /// Seconds from the start script's arrival in the container to the line, by the container's
    /// clock and log.
    pub seconds: f64,
    /// What the program said of the records that it read.
    pub consumed: String,
    /// The container's log at that time.
    pub log: String,
}

/// A name for the image with the version that some libraries want to read off it.
#[derive(Debug)]
struct Tag(String);

impl Tag {
    fn new(library: Library) -> Self {
        let tag = format!("{}:7.5.0", unique(&format!("tc-{}", library.name())));
        docker(&["tag", gregor_image(), &tag]);
        Self(tag)
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", &self.0]).output();
    }
}

/// Runs a library's program for these cases.
///
/// # Panics
/// When the program cannot be installed, does not end well, or leaves a container behind.
#[must_use]
pub fn outcomes(library: Library, cases: &[Case]) -> Vec<Outcome> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let folder = installed(library);
    let tag = Tag::new(library);
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempfile::tempdir().expect("a folder");
    let mut command = library.program(&folder, home.path());
    command.arg(&tag.0).args(cases.iter().map(|case| case.name));
    let mut session = Session::start(library.name(), command);
    let outcomes = cases.iter().map(|case| session.outcome(case)).collect();
    session.finish();
    outcomes
}
