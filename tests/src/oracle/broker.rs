//! A stock broker of a chosen release in a folder of its own: one JVM, broker and controller.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{ToolServer, class_path};
use crate::wire;

/// A running stock broker; it is killed when dropped.
#[derive(Debug)]
pub struct StockBroker {
    process: Child,
}

impl StockBroker {
    /// Formats the log dir named in `properties` when it is new, starts and waits until it answers.
    ///
    /// # Panics
    /// When stock Kafka does not start within a minute.
    #[must_use]
    pub fn start(version: &str, properties: &Path, address: &str) -> Self {
        let file = properties.display().to_string();
        let format = ["format", "--ignore-formatted", "-t", crate::server::CLUSTER_ID, "-c", &file]
            .map(String::from);
        let formatted = ToolServer::shared().run(version, "kafka-storage", &format, "");
        assert_eq!(formatted.code, 0, "stock format: {formatted:?}");
        Self::start_formatted(version, properties, address)
    }

    /// Starts on a log dir that is formatted already.
    #[must_use]
    pub fn start_formatted(version: &str, properties: &Path, address: &str) -> Self {
        let log = File::options()
            .append(true)
            .create(true)
            .open(properties.with_file_name("server.out"))
            .expect("server.out opens");
        let process = Command::new("java")
            .args(["-Xmx512m", "-Xms256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .arg(allowed_urls(properties))
            .arg("-cp")
            .arg(class_path(version))
            .arg("kafka.Kafka")
            .arg(properties)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("java starts");
        let mut broker = Self { process };
        wire::wait_until_ready(address, Duration::from_secs(60), || broker.has_ended());
        broker
    }

    fn has_ended(&mut self) -> bool {
        self.process.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Stops it cleanly, as `kafka-server-stop` does.
    pub fn terminate(&mut self) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM).expect("the broker lives");
        self.process.wait().expect("the broker ends");
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

/// Kafka reads keys of tokens only from where its JVM was told that it may.
fn allowed_urls(properties: &Path) -> String {
    let text = std::fs::read_to_string(properties).unwrap_or_default();
    let urls = text.lines().filter_map(|line| line.split_once(".jwks.endpoint.url="));
    let urls: Vec<&str> = urls.map(|(_, url)| url).collect();
    format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={}", urls.join(","))
}

impl Drop for StockBroker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
