//! Voters come and go at run time, by the tools that people use: controllers are added, replaced
//! and removed, the leader as well, while the metadata changes (KIP-853).
//!
//! `GREGOR_TEST_STOCK=1` runs the same on stock Kafka.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tests::cluster::child::Child;
use tests::cluster::ports;
use tests::golden::server_kind;
use tests::native;
use tests::node::binary;
use tests::oracle::{EQUALLED, Finished, ToolServer, class_path};
use tests::server::{CLUSTER_ID, Kind};

/// A controller, and where it has a port for them, a broker.
struct Member {
    kind: Kind,
    id: i32,
    controller_port: u16,
    broker_port: Option<u16>,
    folder: PathBuf,
    process: Option<Child>,
}

impl Member {
    fn properties(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    fn address(&self) -> String {
        format!("localhost:{}", self.broker_port.unwrap_or(self.controller_port))
    }

    fn format(&self, voters: &str) {
        let words = ["format", "-t", CLUSTER_ID, "-c", &self.properties().display().to_string()];
        let words = words.into_iter().chain(voters.split_whitespace());
        let args: Vec<String> = words.map(str::to_owned).collect();
        let formatted = match self.kind {
            Kind::Gregor => native::run_as(EQUALLED, "kafka-storage", &args, ""),
            Kind::Stock => ToolServer::shared().run(EQUALLED, "kafka-storage", &args, ""),
        };
        assert_eq!(formatted.code, 0, "{formatted:?}");
    }

    /// Starts it, and waits until it listens.
    fn start(&mut self) {
        let mut command = match self.kind {
            Kind::Gregor => Command::new(binary()),
            Kind::Stock => Command::new("java"),
        };
        match self.kind {
            Kind::Gregor => command.arg("kafka-server-start"),
            Kind::Stock => command
                .args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
                .arg(class_path(EQUALLED))
                .arg("kafka.Kafka"),
        };
        command.arg(self.properties());
        let mut child = Child::start(&command, &self.folder.join("server.out"));
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(self.address()).is_err() {
            assert!(child.exit_status().is_none(), "node {} ended while it started", self.id);
            assert!(Instant::now() < deadline, "node {} does not listen", self.id);
            std::thread::sleep(Duration::from_millis(20));
        }
        self.process = Some(child);
    }

    /// kill -9.
    fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    fn directory(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("data/meta.properties"));
        let text = text.expect("it is formatted");
        let line = text.lines().find_map(|line| line.strip_prefix("directory.id="));
        line.expect("a directory has its id").to_owned()
    }
}

struct Quorum {
    members: Vec<Member>,
    _folder: tempfile::TempDir,
}

impl Drop for Quorum {
    fn drop(&mut self) {
        self.members.iter_mut().filter_map(|member| member.process.as_mut()).for_each(Child::kill);
    }
}

impl Quorum {
    /// A broker with its controller, the only voter, and further controllers that are none.
    fn start(kinds: &[Kind]) -> Self {
        let folder = tempfile::Builder::new().prefix("gregor-voters-").tempdir().expect("a folder");
        let member = |(id, kind): (i32, &Kind)| Member {
            kind: *kind,
            id,
            controller_port: ports::free(),
            broker_port: (id == 1).then(ports::free),
            folder: folder.path().join(format!("node-{id}")),
            process: None,
        };
        let members: Vec<Member> = (1..).zip(kinds).map(member).collect();
        let servers: Vec<String> =
            members.iter().map(|m| format!("localhost:{}", m.controller_port)).collect();
        for member in &members {
            std::fs::create_dir_all(&member.folder).expect("a folder of its own");
            let controller = format!("CONTROLLER://localhost:{}", member.controller_port);
            let (roles, listeners) = match member.broker_port {
                Some(port) => {
                    ("broker,controller", format!("PLAINTEXT://localhost:{port},{controller}"))
                }
                None => ("controller", controller),
            };
            let text = format!(
                "process.roles={roles}\nnode.id={}\nlisteners={listeners}\n\
                 controller.listener.names=CONTROLLER\n\
                 controller.quorum.bootstrap.servers={}\n\
                 listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
                 log.dirs={}\noffsets.topic.replication.factor=1\n",
                member.id,
                servers.join(","),
                member.folder.join("data").display(),
            );
            std::fs::write(member.properties(), text).expect("the file is written");
        }
        let mut quorum = Self { members, _folder: folder };
        for at in 0..quorum.members.len() {
            let voters = if at == 0 { "--standalone" } else { "--no-initial-controllers" };
            quorum.members[at].format(voters);
            quorum.members[at].start();
        }
        quorum
    }

    fn member(&mut self, id: i32) -> &mut Member {
        self.members.iter_mut().find(|member| member.id == id).expect("a member")
    }

    /// What the stock tool says of the quorum, asked of the broker.
    fn tool(&self, words: &str) -> Finished {
        let args = format!("--bootstrap-server {} {words}", self.members[0].address());
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        ToolServer::shared().run(EQUALLED, "kafka-metadata-quorum", &args, "")
    }

    /// Asks until it is done: an earlier change may be under way, a leader may be elected.
    fn until_done(&self, words: &str, done: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let finished = self.tool(words);
            if finished.code == 0 {
                assert!(finished.stdout.starts_with(done), "{finished:?}");
                return;
            }
            assert!(Instant::now() < deadline, "{words}: {finished:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn add(&self, id: i32) {
        let member = self.members.iter().find(|member| member.id == id).expect("a member");
        let file = member.properties();
        self.until_done(
            &format!("--command-config {} add-controller", file.display()),
            &format!("Added controller {id} with directory id {}", member.directory()),
        );
    }

    fn remove(&self, id: i32, directory: &str) {
        self.until_done(
            &format!(
                "remove-controller --controller-id {id} --controller-directory-id {directory}"
            ),
            &format!("Removed  KRaft controller {id} with directory id {directory}"),
        );
    }

    /// The ids behind a line of `describe --status`, once they are the wanted ones.
    fn wait_for_voters(&self, wanted: &[i32]) -> i32 {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let described = self.tool("describe --status").stdout;
            let line = |name: &str| described.lines().find_map(|line| line.strip_prefix(name));
            let voters = line("CurrentVoters:").unwrap_or_default();
            let ids: Vec<i32> = voters
                .split("\"id\": ")
                .skip(1)
                .filter_map(|rest| rest.split([',', '}']).next()?.trim().parse().ok())
                .collect();
            if ids == wanted {
                return line("LeaderId:").and_then(|id| id.trim().parse().ok()).expect("a leader");
            }
            assert!(Instant::now() < deadline, "{wanted:?}: {described}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Topics that are created one after the other until the end, each of which must be there then.
fn create_topics(address: String, ended: Arc<AtomicBool>) -> std::thread::JoinHandle<Vec<String>> {
    std::thread::spawn(move || {
        let mut created = Vec::new();
        for number in 0.. {
            if ended.load(Ordering::Acquire) {
                break;
            }
            let name = format!("topic-{number}");
            let words = format!("--bootstrap-server {address} --create --topic {name}");
            let args: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            if native::run_as(EQUALLED, "kafka-topics", &args, "").code == 0 {
                created.push(name);
            }
        }
        created
    })
}

#[test]
fn controllers_are_added_replaced_and_removed_while_topics_are_created() {
    let kind = server_kind();
    let mut quorum = Quorum::start(&[kind; 4]);
    let ended = Arc::new(AtomicBool::new(false));
    let creating = create_topics(quorum.members[0].address(), Arc::clone(&ended));
    assert_eq!(quorum.wait_for_voters(&[1]), 1);
    quorum.add(2);
    quorum.add(3);
    quorum.wait_for_voters(&[1, 2, 3]);
    // One is lost with its disk: it comes back with another directory, as another voter.
    let lost = quorum.member(3).directory();
    quorum.member(3).kill();
    std::fs::remove_dir_all(quorum.member(3).folder.join("data")).expect("its disk is gone");
    quorum.member(3).format("--no-initial-controllers");
    quorum.member(3).start();
    quorum.remove(3, &lost);
    quorum.wait_for_voters(&[1, 2]);
    quorum.add(3);
    quorum.add(4);
    let leader = quorum.wait_for_voters(&[1, 2, 3, 4]);
    // The leader itself goes.
    let directory = quorum.member(leader).directory();
    quorum.remove(leader, &directory);
    let left: Vec<i32> = (1..=4).filter(|id| *id != leader).collect();
    let next = quorum.wait_for_voters(&left);
    assert!(left.contains(&next), "{next} leads {left:?}");
    ended.store(true, Ordering::Release);
    let created = creating.join().expect("it only creates topics");
    let list = ["--bootstrap-server", &quorum.members[0].address(), "--list"].map(str::to_owned);
    let listed = native::run_as(EQUALLED, "kafka-topics", &list, "").stdout;
    let known: Vec<&str> = listed.lines().collect();
    let missing: Vec<_> = created.iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(created.len() > 3 && missing.is_empty(), "{created:?}, missing {missing:?}");
}
