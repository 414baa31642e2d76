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

    /// Adds a line to its properties.
    fn set(&self, line: &str) {
        let text = std::fs::read_to_string(self.properties()).expect("the file is there");
        std::fs::write(self.properties(), format!("{text}{line}\n")).expect("it is written");
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
        let mut quorum = Self::prepare(kinds, false);
        for at in 0..quorum.members.len() {
            let voters = if at == 0 { "--standalone" } else { "--no-initial-controllers" };
            quorum.members[at].format(voters);
            quorum.members[at].start();
        }
        quorum
    }

    /// Voters of the configuration, one of them a broker as well.
    fn start_configured(kinds: &[Kind]) -> Self {
        let mut quorum = Self::prepare(kinds, true);
        for member in &mut quorum.members {
            member.format("");
        }
        for member in quorum.members.iter_mut().rev() {
            member.start();
        }
        quorum
    }

    fn prepare(kinds: &[Kind], configured: bool) -> Self {
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
        let voters: Vec<String> =
            members.iter().map(|m| format!("{}@localhost:{}", m.id, m.controller_port)).collect();
        let quorum = match configured {
            true => format!("controller.quorum.voters={}", voters.join(",")),
            false => format!("controller.quorum.bootstrap.servers={}", servers.join(",")),
        };
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
                 {quorum}\n\
                 listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
                 log.dirs={}\noffsets.topic.replication.factor=1\n",
                member.id,
                member.folder.join("data").display(),
            );
            std::fs::write(member.properties(), text).expect("the file is written");
        }
        Self { members, _folder: folder }
    }

    fn member(&mut self, id: i32) -> &mut Member {
        self.members.iter_mut().find(|member| member.id == id).expect("a member")
    }

    /// What the stock tool says of the quorum, asked of the broker.
    fn tool(&self, words: &str) -> Finished {
        self.run("kafka-metadata-quorum", words)
    }

    fn run(&self, tool: &str, words: &str) -> Finished {
        let args = format!("--bootstrap-server {} {words}", self.members[0].address());
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        ToolServer::shared().run(EQUALLED, tool, &args, "")
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
    assert!(created.len() > 3, "{created:?}");
    let list = ["--bootstrap-server", &quorum.members[0].address(), "--list"].map(str::to_owned);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        // The broker may not have read yet what the new leader wrote.
        let listed = native::run_as(EQUALLED, "kafka-topics", &list, "").stdout;
        let known: Vec<&str> = listed.lines().collect();
        let missing: Vec<_> =
            created.iter().filter(|name| !known.contains(&name.as_str())).collect();
        if missing.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{missing:?} of {created:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The finalized level of kraft.version, as the tool describes it.
fn kraft_version(quorum: &Quorum) -> String {
    let described = quorum.run("kafka-features", "describe").stdout;
    let line = described.lines().find(|line| line.contains("kraft.version"));
    let mut words = line.expect("it is described").split("FinalizedVersionLevel: ").skip(1);
    words.next().and_then(|rest| rest.split_whitespace().next()).unwrap_or_default().to_owned()
}

#[test]
fn the_voters_of_the_configuration_become_those_of_the_log() {
    let kind = server_kind();
    let quorum = Quorum::start_configured(&[kind; 3]);
    quorum.wait_for_voters(&[1, 2, 3]);
    assert_eq!(kraft_version(&quorum), "0");
    // Every voter must have told the leader of itself, which it does after a while.
    let deadline = Instant::now() + Duration::from_secs(60);
    let upgraded = loop {
        let upgraded = quorum.run("kafka-features", "upgrade --feature kraft.version=1");
        if upgraded.code == 0 {
            break upgraded;
        }
        let early = "Invalid upgrade of kraft.version to KRAFT_VERSION_1 because not all of the \
                     voters support it";
        let unregistered = "has not registered, and may not support this feature";
        let said = format!("{}{}", upgraded.stdout, upgraded.stderr);
        assert!(said.contains(early) || said.contains(unregistered), "{upgraded:?}");
        assert!(Instant::now() < deadline, "{upgraded:?}");
        std::thread::sleep(Duration::from_millis(300));
    };
    assert!(upgraded.stdout.contains("kraft.version was upgraded to 1."), "{upgraded:?}");
    assert_eq!(kraft_version(&quorum), "1");
    let again = quorum.run("kafka-features", "upgrade --feature kraft.version=1");
    assert_eq!(again.code, 0, "{again:?}");
    let lowered = quorum.run("kafka-features", "downgrade --feature kraft.version=0");
    let words = "Can't downgrade the version of this feature.";
    assert!(lowered.code == 1 && format!("{lowered:?}").contains(words), "{lowered:?}");
    // Now they can change.
    let directory = quorum.members[2].directory();
    quorum.remove(3, &directory);
    quorum.wait_for_voters(&[1, 2]);
}

#[test]
fn stock_controllers_join_ours_and_ours_join_theirs() {
    for first in [Kind::Gregor, Kind::Stock] {
        let other = if first == Kind::Gregor { Kind::Stock } else { Kind::Gregor };
        let mut quorum = Quorum::start(&[first, other]);
        quorum.add(2);
        assert_eq!(quorum.wait_for_voters(&[1, 2]), 1);
        // The one that began it goes: what it decided is the other's now.
        let directory = quorum.member(1).directory();
        quorum.remove(1, &directory);
        assert_eq!(quorum.wait_for_voters(&[2]), 2, "{first:?}");
        quorum.add(1);
        quorum.wait_for_voters(&[1, 2]);
    }
}

#[test]
fn controllers_that_join_by_themselves_get_votes_and_have_their_former_selves_removed() {
    let kind = server_kind();
    let mut quorum = Quorum::prepare(&[kind; 3], false);
    for member in &quorum.members[1..] {
        member.set("controller.quorum.auto.join.enable=true");
    }
    for at in 0..quorum.members.len() {
        let voters = if at == 0 { "--standalone" } else { "--no-initial-controllers" };
        quorum.members[at].format(voters);
        quorum.members[at].start();
    }
    quorum.wait_for_voters(&[1, 2, 3]);
    let lost = quorum.member(3).directory();
    quorum.member(3).kill();
    std::fs::remove_dir_all(quorum.member(3).folder.join("data")).expect("its disk is gone");
    quorum.member(3).format("--no-initial-controllers");
    quorum.member(3).start();
    let directory = quorum.member(3).directory();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let described = quorum.tool("describe --status").stdout;
        let voters = described.lines().find(|line| line.starts_with("CurrentVoters:"));
        let voters = voters.unwrap_or_default();
        if voters.contains(&directory) && !voters.contains(&lost) {
            break;
        }
        assert!(Instant::now() < deadline, "{described}");
        std::thread::sleep(Duration::from_millis(100));
    }
    quorum.wait_for_voters(&[1, 2, 3]);
}

#[test]
fn a_controller_joins_a_quorum_of_the_other_kind_by_itself() {
    for first in [Kind::Gregor, Kind::Stock] {
        let other = if first == Kind::Gregor { Kind::Stock } else { Kind::Gregor };
        let mut quorum = Quorum::prepare(&[first, other], false);
        quorum.members[1].set("controller.quorum.auto.join.enable=true");
        quorum.members[0].format("--standalone");
        quorum.members[0].start();
        quorum.members[1].format("--no-initial-controllers");
        quorum.members[1].start();
        quorum.wait_for_voters(&[1, 2]);
    }
}
