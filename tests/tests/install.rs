//! An installation as people use it: laid out, edited, started in the background, stopped by file,
//! by id and all at once, without touching what belongs to others.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tests::node::binary;
use tests::refusal::printed;
use tests::server::{CLUSTER_ID, Kind, Server};
use tests::wire::wait_until_ready;

const SOON: Duration = Duration::from_secs(10);

/// A folder with installations in it; what runs from them is stopped at the end.
struct Folder {
    folder: TempDir,
    installed: Vec<String>,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("gregor-install-").tempdir();
        Self { folder: folder.expect("a folder"), installed: Vec::new() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn install(&mut self, name: &str) -> Output {
        self.installed.push(name.to_owned());
        let mut install = Command::new(binary());
        install.arg("install").arg(name).current_dir(self.path());
        install.output().expect("gregor starts")
    }

    /// Calls a script of an installation, in the folder that the installations are in.
    fn script(&self, script: &str, words: &[&str]) -> Output {
        let mut command = Command::new(self.path().join(script));
        command.args(words).current_dir(self.path()).env_remove("LOG_DIR");
        command.output().expect("the script starts")
    }

    /// A node's file with ports of its own, its directory formatted.
    fn node(&self, name: &str, id: i32) -> String {
        // Its ports are nobody else's as long as this process lives.
        let ports = Server::prepare(Kind::Gregor, &[]);
        let address = ports.address();
        let file = self.path().join(name);
        let text = format!(
            "process.roles=broker,controller\nnode.id={id}\n\
             controller.quorum.voters={id}@{controller}\n\
             listeners=PLAINTEXT://{address},CONTROLLER://{controller}\n\
             controller.listener.names=CONTROLLER\nlog.dirs=./{name}-data\n",
            controller = ports.controller_address(),
        );
        fs::write(&file, text).expect("written");
        let format = ["kafka-storage", "format", "-t", CLUSTER_ID, "-c", name];
        let done = Command::new(binary()).args(format).current_dir(self.path()).output();
        assert!(done.expect("gregor starts").status.success());
        address
    }

    fn stopped(&self, name: &str) -> bool {
        self.path().join(format!("{name}-data/.kafka_cleanshutdown")).is_file()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for name in &self.installed {
            let script = self.path().join(name).join("bin/kafka-server-stop.sh");
            let _ = Command::new(script).env("SIGNAL", "KILL").output();
        }
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The lines of `pgrep -af PATTERN` that are of this folder's installations.
fn pgrep(pattern: &str, folder: &Path) -> Vec<String> {
    let found = Command::new("pgrep").args(["-f", "--", pattern]).output().expect("pgrep");
    let pids = String::from_utf8_lossy(&found.stdout).into_owned();
    let is_ours = |pid: &&str| {
        fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.starts_with(folder))
    };
    pids.lines().filter(is_ours).map(str::to_owned).collect()
}

#[test]
fn an_installation_has_what_a_download_of_kafka_has_and_is_installed_again_without_harm() {
    let mut folder = Folder::new();
    let first = folder.install("kafka");
    assert!(first.status.success(), "{}", printed(&first));
    let at = |path: &str| folder.path().join("kafka").join(path);
    for script in ["kafka-server-start.sh", "kafka-topics.sh", "zookeeper-server-stop.sh"] {
        assert!(at("bin").join(script).is_file(), "{script}");
    }
    let server = fs::read_to_string(at("config/server.properties")).expect("a sample");
    for line in ["broker.id=0", "#listeners=PLAINTEXT://:9092", "log.dirs=/tmp/kafka-logs"] {
        assert!(server.lines().any(|each| each == line), "{line}");
    }
    for sample in ["zookeeper", "kraft/server", "kraft/broker", "kraft/controller", "producer"] {
        assert!(at(&format!("config/{sample}.properties")).is_file(), "{sample}");
    }

    fs::write(at("config/server.properties"), "broker.id=7\n").expect("written");
    fs::write(at("libs/gregor.old"), "kept").expect("written");
    let again = folder.install("kafka");
    let said = printed(&again);
    assert!(again.status.success(), "{said}");
    let at = |path: &str| folder.path().join("kafka").join(path);
    assert!(said.contains("kafka/config/server.properties is not as it would"), "{said}");
    assert!(said.contains("0 written") && said.contains("1 left alone"), "{said}");
    let kept = fs::read_to_string(at("config/server.properties")).expect("readable");
    assert_eq!(kept, "broker.id=7\n", "what somebody changed stays");
}

#[test]
fn a_folder_of_stock_kafka_is_left_alone() {
    let mut folder = Folder::new();
    let script = folder.path().join("kafka/bin/kafka-topics.sh");
    fs::create_dir_all(script.parent().expect("bin")).expect("a folder");
    fs::write(&script, "stock").expect("written");
    let link = folder.path().join("kafka/bin/kafka-acls.sh");
    symlink("elsewhere", &link).expect("a link");
    let refused = folder.install("kafka");
    let said = printed(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("kafka/bin/kafka-topics.sh") && said.contains("kafka-acls.sh"), "{said}");
    assert_eq!(fs::read_to_string(&script).expect("readable"), "stock");
    assert_eq!(fs::read_link(&link).expect("a link"), Path::new("elsewhere"));
}

#[test]
fn tools_that_only_kafka_has_say_so_and_what_needs_a_file_says_how_it_is_called() {
    let mut folder = Folder::new();
    folder.install("kafka");
    let missing = folder.script("kafka/bin/kafka-mirror-maker.sh", &["--help"]);
    assert_eq!(missing.status.code(), Some(1));
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("kafka-mirror-maker is no part of a broker"), "{said}");
    let usage = folder.script("kafka/bin/kafka-server-start.sh", &[]);
    assert_eq!(usage.status.code(), Some(1));
    let said = String::from_utf8_lossy(&usage.stdout).into_owned();
    let script = folder.path().join("kafka/bin/kafka-server-start.sh");
    let expected = format!(
        "USAGE: {} [-daemon] server.properties [--override property=value]*\n",
        script.display()
    );
    assert_eq!(said, expected);
    let uuid = folder.script("kafka/bin/kafka-storage.sh", &["random-uuid"]);
    assert_eq!(String::from_utf8_lossy(&uuid.stdout).trim().len(), 22);
}

#[test]
fn nodes_start_in_the_background_and_stop_by_file_by_id_and_all_at_once() {
    let mut folder = Folder::new();
    folder.install("kafka");
    let nobody = folder.script("kafka/bin/kafka-server-stop.sh", &[]);
    assert_eq!(nobody.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&nobody.stdout), "No kafka server to stop\n");
    let nobody = folder.script("kafka/bin/zookeeper-server-stop.sh", &[]);
    assert_eq!(nobody.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&nobody.stdout), "No zookeeper server to stop\n");

    let names: Vec<String> = (1..=4).map(|id| format!("broker{id}.properties")).collect();
    for (id, name) in (1..).zip(&names) {
        let address = folder.node(name, id);
        let output = format!("node{id}");
        let words = ["-daemon", "-name", &output, "-loggc", name];
        let started = folder.script("kafka/bin/kafka-server-start.sh", &words);
        assert!(started.status.success(), "{}", printed(&started));
        wait_until_ready(&address, SOON, || false);
        let found = pgrep(&format!("broker{id}"), folder.path());
        assert_eq!(found.len(), 1, "the server is found by the name of its file");
        let log = folder.path().join(format!("kafka/logs/node{id}.out"));
        until("its words are in its file", || {
            fs::read_to_string(&log).is_ok_and(|said| said.contains("started (kafka.server.Kafka"))
        });
    }
    let stop = |words: &[&str]| folder.script("kafka/bin/kafka-server-stop.sh", words);
    let running = || names.iter().filter(|name| !pgrep(name, folder.path()).is_empty()).count();

    assert!(stop(&["broker1.properties"]).status.success());
    until("the first stops", || folder.stopped("broker1.properties") && running() == 3);
    assert_eq!(stop(&["broker1.properties"]).status.code(), Some(1), "it has stopped already");
    assert!(stop(&["--node-id=2"]).status.success());
    until("the second stops", || folder.stopped("broker2.properties") && running() == 2);
    assert_eq!(stop(&["--process-role=controller"]).status.code(), Some(1));
    assert_eq!(stop(&["--node-id", "9"]).status.code(), Some(1));
    assert_eq!(running(), 2, "who is not meant goes on");
    let both = stop(&["--process-role=broker,controller", "--node-id=3"]);
    assert!(printed(&both).contains("node-id will take precedence"), "{}", printed(&both));
    until("the third stops", || folder.stopped("broker3.properties") && running() == 1);

    folder.script("kafka/bin/kafka-server-start.sh", &["-daemon", "broker3.properties"]);
    until("it runs again", || running() == 2);
    until("its words are in Kafka's own file", || {
        let log = folder.path().join("kafka/logs/kafkaServer.out");
        fs::read_to_string(log).is_ok_and(|said| said.contains("started (kafka.server.Kafka"))
    });
    assert!(stop(&[]).status.success());
    until("all stop", || running() == 0 && folder.stopped("broker4.properties"));
}

#[test]
fn an_installation_stops_its_own_nodes_and_no_others() {
    let mut folder = Folder::new();
    folder.install("one");
    folder.install("two");
    let address = folder.node("broker1.properties", 1);
    let logs: PathBuf = folder.path().join("elsewhere");
    let started = Command::new(folder.path().join("one/bin/kafka-server-start.sh"))
        .args(["-daemon", "broker1.properties"])
        .current_dir(folder.path())
        .env("LOG_DIR", &logs)
        .output()
        .expect("the script starts");
    assert!(started.status.success(), "{}", printed(&started));
    wait_until_ready(&address, SOON, || false);
    assert!(logs.join("kafkaServer.out").is_file(), "where LOG_DIR says");
    let other = folder.script("two/bin/kafka-server-stop.sh", &[]);
    assert_eq!(other.status.code(), Some(1), "{}", printed(&other));
    assert_eq!(pgrep("broker1", folder.path()).len(), 1);
    // Installing again replaces the program under a node that runs; it is still of this place.
    folder.install("one");
    assert!(folder.script("one/bin/kafka-server-stop.sh", &[]).status.success());
    until("it stops", || folder.stopped("broker1.properties"));
}

#[test]
fn what_runs_in_the_background_has_left_the_terminal() {
    let mut folder = Folder::new();
    folder.install("kafka");
    let address = folder.node("broker1.properties", 1);
    folder.script("kafka/bin/kafka-server-start.sh", &["-daemon", "broker1.properties"]);
    wait_until_ready(&address, SOON, || false);
    let pid = pgrep("broker1", folder.path()).pop().expect("it runs");
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("a name").1.split(' ').collect();
    let (session, terminal) = (fields[3], fields[4]);
    assert_eq!((session, terminal), (pid.as_str(), "0"), "a session of its own, no terminal");
    let stdin = fs::read_link(format!("/proc/{pid}/fd/0")).expect("a stdin");
    assert_eq!(stdin, Path::new("/dev/null"));
}
