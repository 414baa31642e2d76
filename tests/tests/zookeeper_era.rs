//! Files of the ZooKeeper era as processes: the service at its clientPort, brokers that find it,
//! and what they say where it is not, or where a real ZooKeeper is.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tests::cluster::ports;
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

/// What a broker lists once it shows `topic`, which may be a moment after it was made.
fn listed_with(port: u16, topic: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let listed = topics(port, &["--list"]);
        if listed.lines().any(|line| line == topic) {
            return listed;
        }
        assert!(Instant::now() < deadline, "{topic} is never shown: {listed}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_service_and_its_brokers_are_a_cluster_that_outlives_kill_9_of_each() {
    let folder = folder();
    let (folder, at) = (folder.path(), ports::free());
    let mut zookeeper = service(folder, at);
    until_served(at);
    zookeeper.wait_for("WARN zookeeper.properties is relative. Prepend ./");
    let ports = [ports::free(), ports::free()];
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
    listed_with(ports[1], "t");
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
    assert_eq!(listed_with(ports[1], "u"), "t\nu\n");
}

#[test]
fn the_four_letter_words_are_answered_on_the_client_port() {
    let folder = folder();
    let at = ports::free();
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
    let (folder, at, port) = (folder.path(), ports::free(), ports::free());
    let _service = service(folder, at);
    broker(folder, "b.properties", port, at, "");
    for _ in 0..2 {
        let mut broker = Started::new(folder, "kafka-server-start", "b.properties");
        broker.wait_for("[KafkaServer id=1001] started");
        broker.kill();
    }
}

#[test]
fn three_servers_are_one_quorum_that_goes_on_without_its_leader() {
    let folder = folder();
    let folder = folder.path();
    let ports = [ports::free(), ports::free(), ports::free()];
    let lines: Vec<_> = (1..)
        .zip(ports)
        .map(|(id, port)| format!("server.{id}=localhost:2888:3888;{port}"))
        .collect();
    let server = |id: usize| {
        let data = folder.join(format!("data{id}"));
        fs::create_dir_all(&data).expect("a dataDir");
        fs::write(data.join("myid"), format!("{id}\n")).expect("its myid");
        let file = format!("zookeeper{id}.properties");
        let text = format!("dataDir=./data{id}\n{}\n", lines.join("\n"));
        fs::write(folder.join(&file), text).expect("its file");
        Started::new(folder, "zookeeper-server-start", &file)
    };
    // The first draws the cluster's id: until then the others only wait.
    let mut servers = vec![server(3), server(2)];
    servers[0].wait_for("waiting for server.1");
    servers.push(server(1));
    servers.reverse();
    ports.iter().for_each(|port| until_served(*port));
    let leader = ports.iter().position(|port| ask(*port, "srvr").contains("Mode: leader"));
    let leader = leader.expect("one of them leads");

    let at = ports.map(|port| format!("localhost:{port}")).join(",");
    let port = ports::free();
    let text = format!(
        "broker.id=0\nlisteners=PLAINTEXT://localhost:{port}\nlog.dirs=b\nnum.partitions=3\n\
         zookeeper.connect={at}\n"
    );
    fs::write(folder.join("b.properties"), text).expect("the broker's file");
    let mut broker = Started::new(folder, "kafka-server-start", "b.properties");
    broker.wait_for("[KafkaServer id=0] started");
    let to_leader = format!("node localhost:{} (id: 200000000{}", ports[leader], leader + 1);
    broker.wait_for(&format!("Recorded new ZK controller, from now on will use {to_leader}"));

    servers[leader].kill();
    topics(port, &["--create", "--topic", "t"]);
    listed_with(port, "t");
    let described = topics(port, &["--describe", "--topic", "t"]);
    // As its file says, of which the servers know nothing.
    assert!(described.contains("PartitionCount: 3"), "{described}");
    let others: Vec<_> = ports.iter().filter(|port| **port != ports[leader]).collect();
    let modes = others.iter().map(|port| ask(**port, "mntr")).collect::<String>();
    assert!(modes.contains("zk_server_state\tleader\n"), "{modes}");
    assert!(modes.contains("zk_server_state\tfollower\n"), "{modes}");
    servers[(leader + 1) % 3].kill();
    let left = ports[(leader + 2) % 3];
    let deadline = Instant::now() + Duration::from_secs(20);
    while ask(left, "srvr") != "This ZooKeeper instance is not currently serving requests\n" {
        assert!(Instant::now() < deadline, "one of three goes on serving");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(ask(left, "ruok"), "imok");
}

#[test]
fn two_brokers_without_ids_that_start_together_have_two() {
    let folder = folder();
    let (folder, at) = (folder.path(), ports::free());
    let _service = service(folder, at);
    for name in ["a.properties", "b.properties"] {
        broker(folder, name, ports::free(), at, "broker.id=-1");
    }
    let mut brokers = ["a.properties", "b.properties"]
        .map(|file| Started::new(folder, "kafka-server-start", file));
    let mut ids = Vec::new();
    for broker in &mut brokers {
        broker.wait_for("] started (kafka.server.KafkaServer)");
        ids.extend([1001, 1002].map(|id| broker.said().contains(&format!("id={id}] started"))));
    }
    assert!(ids == [true, false, false, true] || ids == [false, true, true, false], "{ids:?}");
}

#[test]
fn a_broker_of_another_cluster_or_chroot_is_refused_and_keeps_its_data() {
    let folder = folder();
    let (folder, at, port) = (folder.path(), ports::free(), ports::free());
    let mut zookeeper = service(folder, at);
    let file = broker(folder, "b.properties", port, at, "broker.id=0");
    let text = fs::read_to_string(&file).expect("its file");
    let text = text.replace("log.dirs=", &format!("log.dirs={}/", folder.display()));
    fs::write(&file, &text).expect("its file");
    let mut first = Started::new(folder, "kafka-server-start", "b.properties");
    first.wait_for("[KafkaServer id=0] started");
    first.kill();
    let data = folder.join(format!("logs-{port}"));

    let other = folder.join("other.properties");
    let chroot = text.replace(&format!("localhost:{at}"), &format!("localhost:{at}/kafka-b"));
    fs::write(&other, chroot.replace(&format!("logs-{port}"), "elsewhere")).expect("written");
    is_refused(&data, &other, &["chroot", "\"/kafka-b\"", "a service of its own"]);
    assert!(!folder.join("elsewhere").exists());
    let renamed = folder.join("renamed.properties");
    fs::write(&renamed, text.replace("broker.id=0", "broker.id=7")).expect("written");
    is_refused(&data, &renamed, &["InconsistentBrokerIdException", "broker.id 7", "Some(0)"]);

    zookeeper.kill();
    fs::remove_dir_all(folder.join("zookeeper")).expect("its dataDir");
    let _anew = service(folder, at);
    until_served(at);
    is_refused(&data, &file, &["InconsistentClusterIdException", "meta.properties", "dataDir"]);
}

#[test]
fn a_client_of_a_real_zookeeper_is_told_so_in_one_line() {
    let folder = folder();
    let at = ports::free();
    let mut zookeeper = service(folder.path(), at);
    until_served(at);
    let mut stream = TcpStream::connect(("localhost", at)).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
    // ConnectRequest: version, zxid, 18 s, session, password, read-only.
    let mut request = vec![0; 49];
    request[3] = 45;
    request[16..20].copy_from_slice(&18_000_i32.to_be_bytes());
    request[31] = 16;
    stream.write_all(&request).expect("sent");
    assert_eq!(stream.read(&mut [0; 16]).expect("an end"), 0);
    zookeeper.wait_for("A ZooKeeper client: no ZooKeeper runs here");
    assert_eq!(ask(at, "ruok"), "imok");
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
    let file = broker(folder.path(), "b.properties", ports::free(), ports::free(), &more);
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
    let file = broker(folder.path(), "b.properties", ports::free(), at, &more);
    is_refused(
        folder.path(),
        &file,
        &["A ZooKeeper answers at localhost:", "3.8.4", "in its place"],
    );
}
