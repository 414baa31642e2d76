//! How nodes are installed, started and stopped as the text types it.

use std::path::Path;
use std::process::Command;

use super::{Lab, Window};
use crate::server::CLUSTER_ID;

/// The controller's id where a file names none.
const CONTROLLER: i32 = 3000;

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

    /// Types `…/zookeeper-server-start.sh FILE` in a window of its own; it serves.
    #[must_use]
    pub fn start_zookeeper(&self, line: &str) -> Window {
        let (program, file) = line.split_once(' ').expect("a program and a file");
        let port = self.port(2181);
        let text = format!(
            "process.roles=controller\nnode.id={CONTROLLER}\n{}log.dirs=./zookeeper\n\
             listeners=CONTROLLER://localhost:{port}\n",
            Self::quorum(port)
        );
        let program = program.replace("zookeeper-server-start", "kafka-server-start");
        let window = Window::open(self, "zookeeper", &self.node(&program, file, &text));
        window.wait_for_text("Kafka Server started");
        window
    }

    /// Types `…/kafka-server-start.sh FILE` in a window of its own; it serves.
    #[must_use]
    pub fn start_broker(&self, line: &str) -> Window {
        let (program, file) = line.split_once(' ').expect("a program and a file");
        let text = std::fs::read_to_string(self.path(file)).expect("the broker's file");
        let old = |line: &&str| !line.starts_with("zookeeper.");
        let text: String = text.lines().filter(old).map(|line| format!("{line}\n")).collect();
        let text = text.replace("broker.id=", "process.roles=broker\nnode.id=");
        let title = Path::new(file).file_stem().expect("a name").to_string_lossy();
        let text = text + &Self::quorum(self.port(2181));
        let window = Window::open(self, &title, &self.node(program, file, &text));
        window.wait_for_text("started (kafka.server.KafkaServer)");
        window
    }

    /// Types `…/kafka-server-stop.sh FILE`.
    pub fn stop_broker(&self, line: &str) {
        let _ = self.sees(&format!("{line}.kraft"));
    }

    fn quorum(port: u16) -> String {
        format!(
            "controller.quorum.voters={CONTROLLER}@localhost:{port}\n\
             controller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n"
        )
    }

    fn node(&self, program: &str, file: &str, text: &str) -> Command {
        let name = format!("{file}.kraft");
        std::fs::write(self.path(&name), text).expect("the file is written");
        let mut format = Command::new(crate::node::binary());
        format.args(["kafka-storage", "format", "--ignore-formatted", "-t", CLUSTER_ID]);
        format.args(["--feature", "eligible.leader.replicas.version=0", "-c"]);
        let done = format.arg(&name).current_dir(self.path(".")).output().expect("gregor runs");
        assert!(done.status.success(), "{done:?}");
        let mut start = Command::new(program);
        start.arg(&name).current_dir(self.path("."));
        start
    }
}
