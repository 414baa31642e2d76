//! A container engine, by its command line: images, containers and compose projects of the tests.
//!
//! The engine is the one that `docker` talks to; where none answers, dockerd is started (that takes
//! root) and stays for the suites that follow. The image is built once in a test process by
//! `docker/build`, from what is checked out; `GREGOR_IMAGE` names one that is built already.

mod bases;
mod compose;
mod container;
mod image;

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::cluster::view::until;

pub use bases::Bases;
pub use compose::Project;
pub use container::{Container, Volume, seconds_since, seconds_until};
pub use image::{gregor_image, repository, static_binary};

/// How long a dockerd that was just started may take to answer.
const ENGINE_PATIENCE: Duration = Duration::from_secs(30);

/// Runs `docker` with these words, whatever comes of it.
///
/// # Panics
/// When there is no engine.
pub fn docker_output(words: &[&str]) -> Output {
    engine();
    Command::new("docker").args(words).output().expect("docker runs")
}

/// Runs `docker` with these words; what it printed.
///
/// # Panics
/// When it fails.
pub fn docker(words: &[&str]) -> String {
    let output = docker_output(words);
    assert!(output.status.success(), "docker {words:?}: {}", both(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What a command printed on both streams.
#[must_use]
pub fn both(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// A name that nobody else uses: no other test process, and no other test of this one.
#[must_use]
pub fn unique(name: &str) -> String {
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    let number = GIVEN.fetch_add(1, Ordering::Relaxed);
    format!("gregor-{name}-{}-{number}", std::process::id())
}

/// Makes sure that an engine answers.
fn engine() {
    static ANSWERS: OnceLock<()> = OnceLock::new();
    ANSWERS.get_or_init(|| {
        if !answers() {
            start();
        }
    });
}

fn answers() -> bool {
    let info = Command::new("docker").arg("info").output();
    info.unwrap_or_else(|e| panic!("no container engine can run here: docker: {e}"))
        .status
        .success()
}

fn start() {
    let log = crate::target_dir().join("dockerd.log");
    println!("no container engine answers: dockerd is started, its log is {}", log.display());
    let out = File::create(&log).expect("a log file");
    let mut process = Command::new("dockerd")
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("a second handle"))
        .stderr(out)
        .spawn()
        .unwrap_or_else(|e| panic!("no container engine can run here: dockerd: {e}"));
    until("dockerd answers", ENGINE_PATIENCE, || {
        if let Ok(Some(status)) = process.try_wait() {
            let why = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("no container engine can run here: dockerd ended ({status}): {}", last(&why));
        }
        answers().then_some(())
    });
}

fn last(text: &str) -> &str {
    text.trim_end().lines().last().unwrap_or_default()
}

/// Words of a path, for command lines.
fn word(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
