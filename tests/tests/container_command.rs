//! `gregor container …` as an image's start scripts call it, below a folder that stands for the
//! container's file system.

use std::fs::Permissions;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use config::Properties;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tests::node::binary;
use tests::oracle::{EQUALLED, class_path};
use tests::server::{Kind, Server};
use tests::topic::end_offset;
use tests::wire::Client;

/// A container: its file system, and the ports of its node.
struct Container {
    ports: Server,
    variables: Vec<(String, String)>,
}

impl Container {
    /// A combined node, with the variables of cp-kafka.
    fn combined() -> Self {
        let ports = Server::prepare(Kind::Gregor, &[]);
        let (port, controller) = (ports.port, ports.controller_port);
        let mut container = Self { ports, variables: Vec::new() };
        let data = container.path("data").display().to_string();
        for (name, value) in [
            ("KAFKA_NODE_ID", "1"),
            ("KAFKA_PROCESS_ROLES", "broker,controller"),
            ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
            ("KAFKA_CONTROLLER_QUORUM_VOTERS", &format!("1@localhost:{controller}")),
            (
                "KAFKA_LISTENERS",
                &format!("PLAINTEXT://localhost:{port},CONTROLLER://localhost:{controller}"),
            ),
            ("KAFKA_ADVERTISED_LISTENERS", &format!("PLAINTEXT://localhost:{port}")),
            ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
            ("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1"),
            ("KAFKA_LOG_DIRS", &data),
            ("CLUSTER_ID", "MkU3OEVBNTcwNTJENDM2Qk"),
        ] {
            container.set(name, value);
        }
        container
    }

    /// Without a variable.
    fn bare() -> Self {
        Self { ports: Server::prepare(Kind::Gregor, &[]), variables: Vec::new() }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(present, _)| present != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    fn unset(&mut self, name: &str) {
        self.variables.retain(|(present, _)| present != name);
    }

    fn path(&self, path: &str) -> PathBuf {
        self.ports.folder().join("root").join(path)
    }

    fn command(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).envs(self.variables.iter().cloned());
        command.arg("container").args(words).arg("--root").arg(self.path(""));
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command that ends by itself.
    fn ended(&self, words: &[&str]) -> Output {
        self.command(&binary(), words).output().expect("gregor starts")
    }

    fn file(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    fn started(&self, words: &[&str], log: &str) -> Running {
        let log = self.ports.folder().join(log);
        let out = File::create(&log).expect("a file for what is said");
        let process = self.command(&binary(), words).stdout(out).spawn().expect("gregor starts");
        Running { process, log }
    }
}

/// A node that goes on; it is killed when dropped.
struct Running {
    process: Child,
    log: PathBuf,
}

impl Running {
    fn wait_for(&mut self, line: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let said = fs::read_to_string(&self.log).expect("what is said");
            if said.contains(line) {
                return said;
            }
            let ended = self.process.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "it ended before \"{line}\":\n{said}");
            assert!(Instant::now() < deadline, "never said \"{line}\":\n{said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn terminate(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.process), Signal::TERM).expect("the node lives");
        self.process.wait().expect("the node ends")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn text(output: &Output) -> String {
    let of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    of(&output.stdout) + &of(&output.stderr)
}

const CP_KAFKA: [&str; 3] = ["run", "--dialect", "cp-kafka"];

#[test]
fn a_container_serves_creates_its_topics_and_goes_on_after_a_restart() {
    let mut container = Container::combined();
    container.set("KAFKA_NUM_PARTITIONS ", " 3");
    container.set("KAFKA_HEAP_OPTS", "-Xmx1G");
    container.set("KAFKA_CREATE_TOPICS", "a:2:1, b:1:1:compact\nd c:1:3");
    container.set("START_TIMEOUT", "1");
    let mut first = container.started(&CP_KAFKA, "first.out");
    let said = first.wait_for("Topic c is not created: Unable to replicate the partition 3 time");
    for line in [
        "Starting as the cp-kafka image does: its entry path was called",
        "blanks around the = of KAFKA_NUM_PARTITIONS",
        "Formatting metadata directory",
        "[KafkaServer id=1] started",
        "Created topic a.",
        "Created topic b.",
    ] {
        assert!(said.contains(line), "{line}:\n{said}");
    }
    assert!(!said.contains("Xmx1G"), "{said}");
    let mut client = Client::connect(&container.ports.address()).expect("it listens");
    assert_eq!(end_offset(&mut client, "a", 1), Some(0));
    assert_eq!(end_offset(&mut client, "d", 2), Some(0));
    assert!(first.terminate().success());

    // Kafka before 3.7 wrote the id's last character otherwise: it is the same cluster.
    container.set("CLUSTER_ID", "MkU3OEVBNTcwNTJENDM2Qg");
    let mut second = container.started(&CP_KAFKA, "second.out");
    second.wait_for("Topic a exists.");
    assert!(second.terminate().success());
    let meta = container.file("data/meta.properties");
    assert!(meta.contains("cluster.id=MkU3OEVBNTcwNTJENDM2Qk"), "{meta}");
}

#[test]
fn topics_wait_for_the_brokers_that_hold_their_replicas() {
    let mut first = Container::combined();
    first.set("KAFKA_CREATE_TOPICS", "wide:1:2");
    let mut running = first.started(&["run", "--dialect", "apache"], "first.out");
    running.wait_for("[KafkaServer id=1] started");
    let mut second = Container::combined();
    let port = second.ports.port;
    let voters = format!("1@localhost:{}", first.ports.controller_port);
    for (name, value) in [
        ("KAFKA_NODE_ID", "2"),
        ("KAFKA_PROCESS_ROLES", "broker"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", &voters),
        ("KAFKA_LISTENERS", &format!("PLAINTEXT://localhost:{port}")),
    ] {
        second.set(name, value);
    }
    let said = running.wait_for("started");
    assert!(!said.contains("Created topic wide."), "{said}");
    let _other = second.started(&["run", "--dialect", "apache"], "second.out");
    running.wait_for("Created topic wide.");
}

/// What is changed in a container that starts, and what is said then.
struct Refused {
    because: &'static str,
    variables: &'static [(&'static str, &'static str)],
    said: &'static str,
}

const REFUSED: &[Refused] = &[
    Refused {
        because: "a typo in an advertised listener",
        variables: &[("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT//h:9092")],
        said: "KAFKA_ADVERTISED_LISTENERS: Error creating broker listeners",
    },
    Refused {
        because: "a listener over TLS and SASL",
        variables: &[("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", {
            "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_SSL"
        })],
        said: "sasl.enabled.mechanisms names GSSAPI, which this Gregor does not speak",
    },
    Refused {
        because: "a volume of another cluster",
        variables: &[("CLUSTER_ID", "5L6g3nShT-eMCtK--X86sw")],
        said: "does not match the volume",
    },
    Refused {
        because: "a volume of another node",
        variables: &[
            ("KAFKA_NODE_ID", "2"),
            ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:1,2@localhost:2"),
        ],
        said: "of node 1, and this is node 2",
    },
    Refused {
        because: "a deprecated variable",
        variables: &[("KAFKA_PORT", "9092")],
        said: "port is deprecated",
    },
];

fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(tree(&path)),
            false => found.push((path.clone(), fs::read(&path).expect("a file"))),
        }
    }
    found.sort();
    found
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_formatted() {
    let container = Container::combined();
    let taken = std::net::TcpListener::bind(("127.0.0.1", container.ports.port));
    let taken = taken.expect("the port is free");
    let output = container.ended(&CP_KAFKA);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let line = format!("PLAINTEXT://localhost:{} cannot be opened", container.ports.port);
    assert!(said.contains(&line), "{said}");
    assert!(!container.path("data").exists() && !container.path("etc").exists());
    drop(taken);
}

#[test]
fn what_cannot_start_says_why_within_a_second_and_touches_nothing() {
    let mut container = Container::combined();
    let configured = container.ended(&["configure", "--dialect", "cp-kafka"]);
    assert!(configured.status.success(), "{}", text(&configured));
    let before = tree(&container.path(""));
    let variables = container.variables.clone();
    for refused in REFUSED {
        container.variables.clone_from(&variables);
        for (name, value) in refused.variables {
            container.set(name, value);
        }
        let begun = Instant::now();
        let output = container.ended(&CP_KAFKA);
        let took = begun.elapsed();
        let said = text(&output);
        assert_eq!(output.status.code(), Some(1), "{}: {said}", refused.because);
        let errors: Vec<&str> = said.lines().filter(|line| line.contains("] ERROR ")).collect();
        assert_eq!(errors.len(), 1, "{}: {said}", refused.because);
        assert!(errors[0].contains(refused.said), "{}: {said}", refused.because);
        assert!(took < Duration::from_secs(1), "{}: {took:?}", refused.because);
        assert_eq!(tree(&container.path("")), before, "{}", refused.because);
    }
}

/// The binary where any user may run it.
fn for_everybody(folder: &Path) -> PathBuf {
    let copy = folder.join("gregor");
    fs::copy(binary(), &copy).expect("the binary is copied");
    fs::set_permissions(&copy, Permissions::from_mode(0o755)).expect("its mode is set");
    copy
}

#[test]
fn a_volume_of_another_user_is_named_with_what_to_do() {
    let mut container = Container::combined();
    let data = container.path("data");
    fs::create_dir_all(&data).expect("a folder");
    for folder in [container.ports.folder(), &container.path("")] {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("its mode is set");
    }
    fs::set_permissions(&data, Permissions::from_mode(0o555)).expect("its mode is set");
    container.set("TMPDIR", "/tmp");
    let program = for_everybody(container.ports.folder());
    let mut command = container.command(&program, &CP_KAFKA);
    let is_root = geteuid().is_root();
    let user = if is_root { 65_534 } else { geteuid().as_raw() };
    if is_root {
        command.uid(user).gid(user);
    }
    let output = command.output().expect("gregor starts");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let line = format!("(mode 555) and this process runs as user {user}. On the host: chown");
    assert!(said.contains(&line), "{said}");
    assert!(!container.path("etc").exists());
}

#[test]
fn where_the_images_paths_cannot_be_written_the_file_is_in_a_temporary_directory() {
    let mut container = Container::combined();
    // Without CLUSTER_ID a script of somebody's own formats between configure and launch.
    container.unset("CLUSTER_ID");
    fs::create_dir_all(container.path("")).expect("a folder");
    fs::write(container.path("etc"), "no folder").expect("a file in the way");
    let configured = container.ended(&["configure", "--dialect", "cp-kafka"]);
    let said = text(&configured);
    assert!(configured.status.success(), "{said}");
    let file = format!("tmp/gregor-{}/kafka.properties", geteuid().as_raw());
    assert!(said.contains("the configuration is in"), "{said}");
    assert!(container.file(&file).contains("process.roles=broker,controller"));
    let launch = ["launch", "--dialect", "cp-kafka"];
    let early = container.ended(&launch);
    assert_eq!(early.status.code(), Some(1));
    assert!(text(&early).contains("is not formatted. Set CLUSTER_ID"), "{}", text(&early));
    let format = Command::new(binary())
        .args(["kafka-storage", "format", "-t", tests::server::CLUSTER_ID, "-c"])
        .arg(container.path(&file))
        .output()
        .expect("gregor starts");
    assert!(format.status.success(), "{}", text(&format));
    let mut running = container.started(&launch, "launch.out");
    running.wait_for("[KafkaServer id=1] started");
    assert!(running.terminate().success());
}

#[test]
fn commands_of_variables_are_run_and_their_output_counts() {
    let mut container = Container::bare();
    let data = container.path("kafka").display().to_string();
    for (name, value) in [
        ("KAFKA_ZOOKEEPER_CONNECT", "localhost:2181"),
        ("KAFKA_LISTENERS", "PLAINTEXT://:9092"),
        ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://_{HOSTNAME_COMMAND}:_{PORT_COMMAND}"),
        ("HOSTNAME_COMMAND", "echo box.$PART"),
        ("PART", "example"),
        ("PORT_COMMAND", "echo 3276$((4 + 4))"),
        ("RACK_COMMAND", "printf 'r1\\n'"),
        ("KAFKA_LOG_DIRS", &data),
    ] {
        container.set(name, value);
    }
    let configured = container.ended(&["configure"]);
    let said = text(&configured);
    assert!(configured.status.success(), "{said}");
    assert!(said.contains("Starting as the wurstmeister image does: HOSTNAME_COMMAND is set"));
    let file = container.file("opt/kafka/config/server.properties");
    for line in ["advertised.listeners=PLAINTEXT://box.example:32768\n", "broker.rack=r1\n"] {
        assert!(file.contains(line), "{line} in {file}");
    }
    container.set("CUSTOM_INIT_SCRIPT", "exit 3");
    let launched = container.ended(&["launch"]);
    assert_eq!(launched.status.code(), Some(1));
    let said = text(&launched);
    assert!(said.contains("CUSTOM_INIT_SCRIPT failed: its command ended with"), "{said}");
    container.set("RACK_COMMAND", "false");
    let refused = container.ended(&["run"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("RACK_COMMAND failed"), "{}", text(&refused));
}

#[test]
fn a_zookeeper_service_is_configured_by_the_path_that_it_shares_with_brokers() {
    let mut container = Container::bare();
    container.set("ZOOKEEPER_CLIENT_PORT", "2181");
    let configured =
        container.ended(&["configure", "--dialect", "cp-kafka", "ZOOKEEPER_SERVER_ID=4"]);
    let said = text(&configured);
    assert!(configured.status.success(), "{said}");
    assert!(said.contains("Starting as the zookeeper image does: its entry path was called and"));
    assert!(container.file("etc/kafka/zookeeper.properties").contains("clientPort=2181\n"));
    assert_eq!(container.file("var/lib/zookeeper/data/myid"), "4\n");
}

/// What kafka.docker.KafkaDockerWrapper writes, which the apache/kafka image runs.
fn written_by_kafka(folder: &Path, mounted: &str, variables: &[(String, String)]) -> Properties {
    for name in ["default", "mounted", "final"] {
        fs::create_dir_all(folder.join(name)).expect("a folder");
    }
    for file in ["default/log4j2.yaml", "default/tools-log4j2.yaml", "final/server.properties"] {
        fs::write(folder.join(file), "").expect("a file");
    }
    if !mounted.is_empty() {
        fs::write(folder.join("mounted/server.properties"), mounted).expect("a file");
    }
    let output = Command::new("java")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(variables.iter().cloned())
        .args(["-XX:TieredStopAtLevel=1", "-cp", &class_path(EQUALLED)])
        .args(["kafka.docker.KafkaDockerWrapper", "setup", "-D", "default", "-M", "mounted"])
        .args(["-F", "final"])
        .current_dir(folder)
        .output()
        .expect("java starts");
    assert!(output.status.success(), "{}", text(&output));
    let bytes = fs::read(folder.join("final/server.properties")).expect("a file");
    Properties::parse(&bytes).expect("properties")
}

#[test]
fn the_apache_image_writes_what_kafkas_own_wrapper_writes() {
    for (at, mounted) in ["", "num.partitions=7\nnum.io.threads=2\n"].into_iter().enumerate() {
        let mut container = Container::combined();
        for (name, value) in [
            ("KAFKA_LISTENER_NAME_A__B___C_MAX_CONNECTIONS", "5"),
            ("KAFKA_NUM_PARTITIONS", "3"),
            ("KAFKA_BROKER_RACK", "a=b c"),
            ("KAFKA_HEAP_OPTS", "-Xmx1G"),
            ("KAFKA_OPTS", "-Dx=y"),
            ("KAFKA_LOG4J_ROOT_LOGLEVEL", "WARN"),
        ] {
            container.set(name, value);
        }
        let stock = container.ports.folder().join("stock");
        let mut variables = container.variables.clone();
        variables.retain(|(name, _)| name != "KAFKA_LOG_DIRS");
        let theirs = stock.join("data").display().to_string();
        variables.push(("KAFKA_LOG_DIRS".to_owned(), theirs));
        let mut expected = written_by_kafka(&stock, mounted, &variables);
        expected.set("log.dirs", container.path("data").display().to_string());
        if !mounted.is_empty() {
            let folder = container.path("mnt/shared/config");
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join("server.properties"), mounted).expect("a file");
        }
        let configured = container.ended(&["configure", "--dialect", "apache"]);
        assert!(configured.status.success(), "{}", text(&configured));
        let file = container.file("opt/kafka/config/server.properties");
        let found = Properties::parse(file.as_bytes()).expect("properties");
        assert_eq!(found, expected, "case {at}");
    }
}

#[test]
fn a_script_that_formats_between_configure_and_ensure_is_left_its_cluster() {
    let container = Container::combined();
    let meta = "data/meta.properties";
    let words = ["configure", "--dialect", "cp-kafka", "--no-format"];
    let configured = container.ended(&words);
    assert!(configured.status.success(), "{configured:?}");
    assert!(!container.path(meta).exists(), "configure leaves formatting to others");
    let ensure = ["ensure", "--dialect", "cp-kafka"];
    assert!(container.ended(&ensure).status.success());
    let formatted = container.file(meta);
    assert!(formatted.contains("cluster.id=MkU3OEVBNTcwNTJENDM2Qk"), "{formatted}");
    assert!(container.ended(&ensure).status.success(), "what is formatted stays so");
    assert_eq!(container.file(meta), formatted);

    let other = Container::combined();
    assert!(other.ended(&words).status.success());
    let file = other.path("etc/kafka/kafka.properties").display().to_string();
    let id = "Z28tcm91bmQtdHJpcC0xMg";
    let appended = Command::new(binary())
        .args(["kafka-storage", "format", "--ignore-formatted", "-t", id, "-c", &file])
        .output()
        .expect("gregor starts");
    assert!(appended.status.success(), "{appended:?}");
    assert!(other.file(meta).contains(&format!("cluster.id={id}")));
}
