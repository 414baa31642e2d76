//! How nodes are installed, started and stopped as the text types it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Lab, Window};
use crate::cluster::view::until;

impl Lab {
    /// Gregor's installation in place of Kafka's.
    ///
    /// # Panics
    /// When it is refused.
    pub fn install(&self, place: &str) {
        let mut install = Command::new(crate::node::binary());
        let done = install.args(["install", place]).current_dir(self.path("."));
        let done = done.output().expect("gregor runs");
        assert!(done.status.success(), "gregor install {place}: {done:?}");
    }

    /// Types `…/zookeeper-server-start.sh FILE` in a window of its own; `ruok` is answered.
    #[must_use]
    pub fn start_zookeeper(&self, line: &str) -> Window {
        let window = self.start("zookeeper", line);
        let port = self.port(2181);
        until("ZooKeeper says imok", Duration::from_secs(30), || {
            let mut asked = TcpStream::connect(("localhost", port)).ok()?;
            asked.write_all(b"ruok").ok()?;
            let mut answer = String::new();
            asked.read_to_string(&mut answer).ok()?;
            (answer == "imok").then_some(())
        });
        window
    }

    /// Types `…/kafka-server-start.sh FILE` in a window of its own; it serves.
    #[must_use]
    pub fn start_broker(&self, line: &str) -> Window {
        let file = line.rsplit(' ').next().unwrap_or_default();
        let title = Path::new(file).file_stem().expect("a name").to_string_lossy();
        let window = self.start(&title, line);
        window.wait_for_text("started (kafka.server.KafkaServer)");
        window
    }

    fn start(&self, title: &str, line: &str) -> Window {
        let (program, file) = line.split_once(' ').expect("a program and a file");
        let mut command = Command::new(program);
        command.arg(file).current_dir(self.path("."));
        Window::open(self, title, &command)
    }
}
