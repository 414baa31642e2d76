//! Files of the ZooKeeper era as processes: the service at its clientPort, brokers that find it,
//! and what they say where it is not, or where a real ZooKeeper is.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tests::node::binary;
use tests::refusal::{printed, start, tree};

/// A process of a folder, killed when dropped.
struct Started {
    process: Child,
    out: PathBuf,
}

impl Started {
    fn new(folder: &Path, tool: &str, file: &str) -> Self {
        let out = folder.join(format!("{file}.out"));
        let log = fs::File::create(&out).expect("a file for its output");
        let mut command = Command::new(binary());
        command.args([tool, file]).current_dir(folder).stdin(Stdio::null());
        command.stderr(log.try_clone().expect("a second handle")).stdout(log);
        Self { process: command.spawn().expect("gregor starts"), out }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.out).expect("its output")
    }

    fn wait_for(&mut self, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.said().contains(words) {
            let ended = self.process.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "{ended:?} before {words:?}:\n{}", self.said());
            assert!(Instant::now() < deadline, "never {words:?}:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn kill(&mut self) {
        self.process.kill().expect("it lives");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("localhost:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("gregor-zookeeper-").tempdir().expect("a folder")
}

/// A broker's file with relative log.dirs; `more` comes behind.
fn broker(folder: &Path, name: &str, port: u16, service: u16, more: &str) -> PathBuf {
    let file = folder.join(name);
    let text = format!(
        "listeners=PLAINTEXT://localhost:{port}\nlog.dirs=logs-{port}\n\
         zookeeper.connect=localhost:{service}\noffsets.topic.replication.factor=1\n{more}\n"
    );
    fs::write(&file, text).expect("the broker's file");
    file
}

fn service(folder: &Path, port: u16) -> Started {
    let text = format!("dataDir=zookeeper\nclientPort={port}\nmaxClientCnxns=0\n");
    fs::write(folder.join("zookeeper.properties"), text).expect("the service's file");
    Started::new(folder, "zookeeper-server-start", "zookeeper.properties")
}

fn ask(port: u16, word: &str) -> String {
    let mut stream = TcpStream::connect(("localhost", port)).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
    stream.write_all(word.as_bytes()).expect("the word is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer and its end");
    answer
}

fn until_served(port: u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let is_there = || TcpStream::connect(("localhost", port)).is_ok();
    while !is_there() || ask(port, "isro") != "rw" {
        assert!(Instant::now() < deadline, "the service never serves");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn topics(port: u16, words: &[&str]) -> String {
    let mut tool = Command::new(binary());
    tool.args(["kafka-topics", "--bootstrap-server", &format!("localhost:{port}")]).args(words);
    let done = tool.output().expect("gregor runs");
    assert!(done.status.success(), "kafka-topics {words:?}: {done:?}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn a_service_and_its_brokers_are_a_cluster_that_outlives_kill_9_of_each() {
    let folder = folder();
    let (folder, at) = (folder.path(), free_port());
    let mut zookeeper = service(folder, at);
    until_served(at);
    zookeeper.wait_for("WARN zookeeper.properties is relative. Prepend ./");
    let ports = [free_port(), free_port()];
    broker(folder, "broker0.properties", ports[0], at, "broker.id=0");
    broker(folder, "broker1.properties", ports[1], at, "broker.id=1");
    let mut brokers = ["broker0.properties", "broker1.properties"]
        .map(|file| Started::new(folder, "kafka-server-start", file));
    for broker in &mut brokers {
        broker.wait_for("started (kafka.server.KafkaServer)");
    }
    topics(
        ports[0],
        &["--create", "--topic", "t", "--partitions", "2", "--replication-factor", "2"],
    );
    let described = topics(ports[1], &["--describe", "--topic", "t"]);
    assert!(described.contains("ReplicationFactor: 2"), "{described}");
    assert!(folder.join(format!("logs-{}/t-0", ports[0])).is_dir(), "log.dirs is as it was typed");

    // Stock refuses for as long as the killed broker's session lives.
    brokers[1].kill();
    brokers[1] = Started::new(folder, "kafka-server-start", "broker1.properties");
    brokers[1].wait_for("started (kafka.server.KafkaServer)");
    zookeeper.kill();
    let _again = service(folder, at);
    until_served(at);
    topics(ports[0], &["--create", "--topic", "u"]);
    assert_eq!(topics(ports[1], &["--list"]), "t\nu\n");
}

#[test]
fn the_four_letter_words_are_answered_on_the_client_port() {
    let folder = folder();
    let at = free_port();
    let _service = service(folder.path(), at);
    until_served(at);
    assert_eq!(ask(at, "ruok"), "imok");
    let said = ask(at, "srvr");
    assert!(said.starts_with("Zookeeper version: gregor-"), "{said}");
    assert!(said.contains("\nMode: standalone\n") && said.contains("Node count: "), "{said}");
    assert!(ask(at, "stat").contains("\nClients:\n"));
    assert!(ask(at, "mntr").contains("zk_server_state\tstandalone\n"));
}

#[test]
fn a_broker_without_an_id_has_one_above_the_reserved_ones_and_keeps_it() {
    let folder = folder();
    let (folder, at, port) = (folder.path(), free_port(), free_port());
    let _service = service(folder, at);
    broker(folder, "b.properties", port, at, "");
    for _ in 0..2 {
        let mut broker = Started::new(folder, "kafka-server-start", "b.properties");
        broker.wait_for("[KafkaServer id=1001] started");
        broker.kill();
    }
}

/// A refused start: ends with 1, says this, and leaves the folder alone.
fn is_refused(folder: &Path, file: &Path, words: &[&str]) {
    let before = tree(folder);
    let output = start(file);
    let said = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in\n{said}");
    }
    assert_eq!(tree(folder), before, "something was touched");
}

#[test]
fn where_nobody_is_at_zookeeper_connect_the_broker_gives_up_in_time() {
    let folder = folder();
    let data = folder.path().join("data");
    let more =
        format!("log.dirs={}\nbroker.id=0\nzookeeper.connection.timeout.ms=500", data.display());
    let file = broker(folder.path(), "b.properties", free_port(), free_port(), &more);
    let began = Instant::now();
    let words = ["Timed out waiting for connection while in state: CONNECTING", "start"];
    is_refused(folder.path(), &file, &words);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn where_a_real_zookeeper_answers_the_broker_says_what_to_do() {
    let folder = folder();
    let listener = TcpListener::bind("localhost:0").expect("a port");
    let at = listener.local_addr().expect("its address").port();
    // As ZooKeeper 3.8: an unknown word is a length that is too great, and ends the connection.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut word = [0; 4];
            if stream.read_exact(&mut word).is_ok() && &word == b"srvr" {
                let line = b"Zookeeper version: 3.8.4-9316c2a7a97e1666d8f4593f34dd6fc36ecc436c\n";
                let _ = stream.write_all(line);
            }
        }
    });
    let more = format!("log.dirs={}\nbroker.id=0", folder.path().join("data").display());
    let file = broker(folder.path(), "b.properties", free_port(), at, &more);
    is_refused(
        folder.path(),
        &file,
        &["A ZooKeeper answers at localhost:", "3.8.4", "in its place"],
    );
}
