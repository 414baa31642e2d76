//! Gregor as a process: started from a properties file, killed, stopped and started again.
//!
//! The binary is the one built with the test's own profile, or the file named by `GREGOR_BIN`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::wire;

/// A running Gregor; it is killed when dropped.
#[derive(Debug)]
pub struct Node {
    process: Child,
}

impl Node {
    /// Formats the log dir named in `properties` when it is new, starts and waits until it answers.
    ///
    /// # Panics
    /// When Gregor does not answer within ten seconds; its output stands in `server.out` beside the
    /// properties file.
    #[must_use]
    pub fn start(properties: &Path, address: &str) -> Self {
        Self::start_in(properties, address, &[])
    }

    /// The same with these variables in the environment of the server.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_in(properties: &Path, address: &str, environment: &[(String, String)]) -> Self {
        let formatted = Command::new(binary())
            .args(["kafka-storage", "format", "--ignore-formatted", "-t"])
            .arg(crate::server::CLUSTER_ID)
            .arg("-c")
            .arg(properties)
            .output()
            .unwrap_or_else(|e| panic!("{}: {e}", binary().display()));
        assert!(formatted.status.success(), "gregor kafka-storage format: {formatted:?}");
        Self::spawn(properties, address, environment)
    }

    /// Starts on a log dir that is formatted already.
    #[must_use]
    pub fn start_formatted(properties: &Path, address: &str) -> Self {
        Self::spawn(properties, address, &[])
    }

    fn spawn(properties: &Path, address: &str, environment: &[(String, String)]) -> Self {
        let out = properties.with_file_name("server.out");
        let log = File::options().append(true).create(true).open(&out).expect("server.out opens");
        let process = Command::new(binary())
            .arg("kafka-server-start")
            .arg(properties)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", binary().display()));
        let mut node = Self { process };
        wire::wait_until_ready(address, Duration::from_secs(10), || node.exit_status().is_some());
        node
    }

    /// How it ended, when it did.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().expect("a child can be asked")
    }

    /// kill -9, and waits for the process to be gone.
    pub fn kill(&mut self) {
        self.process.kill().expect("the node lives");
        self.process.wait().expect("the node ends");
    }

    /// SIGTERM, and waits at most ten seconds for a clean end.
    ///
    /// # Panics
    /// When it does not end, or ends with a code other than Kafka's 143 or 0.
    pub fn terminate(&mut self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).expect("the node lives");
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.exit_status().is_none() {
            assert!(Instant::now() < deadline, "SIGTERM did not end the node in ten seconds");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The binary under test.
#[must_use]
pub fn binary() -> PathBuf {
    std::env::var_os("GREGOR_BIN")
        .map_or_else(|| crate::profile_dir().join("gregor"), PathBuf::from)
}

/// Resident memory of a process that is not file-backed, in bytes (`RssAnon` of /proc).
#[must_use]
pub fn anonymous_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the node lives");
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).expect("RssAnon");
    let kib: u64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number");
    kib * 1024
}
