//! Starting and stopping as people do it by hand: what is said, what is refused, what is left.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tests::cluster::view::until;
use tests::golden::tool;
use tests::node::binary;
use tests::server::{Kind, Server};
use tests::topic::create;
use tests::wire::{Client, wait_until_ready};

/// Starts on the server's properties and waits for the end, which comes by itself.
fn ended(properties: &Path) -> Output {
    Command::new(binary())
        .arg("kafka-server-start")
        .arg(properties)
        .stdin(Stdio::null())
        .output()
        .expect("gregor starts")
}

fn formatted(properties: &Path) {
    let format = ["kafka-storage", "format", "-t", tests::server::CLUSTER_ID, "-c"];
    let output = Command::new(binary()).args(format).arg(properties).output();
    let output = output.expect("gregor starts");
    assert!(output.status.success(), "{}", text(&output));
}

fn text(output: &Output) -> String {
    let of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    of(&output.stdout) + &of(&output.stderr)
}

fn waited(process: &mut Child) -> std::process::ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        if let Some(status) = process.try_wait().expect("a child can be asked") {
            return status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn gregor_alone_serves_on_9092_says_where_its_data_is_and_stops_on_ctrl_c() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let file = std::fs::File::create(&out).expect("out");
    for round in 0..2 {
        let mut process = Command::new(binary())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file.try_clone().expect("a second handle"))
            .spawn()
            .expect("gregor starts");
        let mut early = || process.try_wait().is_ok_and(|status| status.is_some());
        wait_until_ready("localhost:9092", Duration::from_secs(10), &mut early);
        let mut client = Client::connect("localhost:9092").expect("it accepts");
        if round == 0 {
            create(&mut client, "kept", 1);
        } else {
            assert_eq!(tests::topic::end_offset(&mut client, "kept", 0), Some(0));
        }
        let signal = if round == 0 { Signal::INT } else { Signal::TERM };
        kill_process(Pid::from_child(&process), signal).expect("it lives");
        let status = waited(&mut process);
        assert!(status.success() || status.code() == Some(143), "a clean end: {status:?}");
        let said = std::fs::read_to_string(&out).expect("out");
        assert!(said.contains("9092"), "what it listens on: {said}");
        assert!(said.contains("gregor-data"), "where its data is: {said}");
        assert!(folder.path().join("gregor-data/meta.properties").is_file());
        assert!(folder.path().join("gregor-data/.kafka_cleanshutdown").is_file(), "{said}");
    }
}

#[test]
fn the_lines_that_people_and_tools_wait_for_appear() {
    let server = Server::start(Kind::Gregor, &[]);
    let deadline = Instant::now() + Duration::from_secs(2);
    for line in [
        "Transitioning from RECOVERY to RUNNING",
        "Kafka Server started",
        "[KafkaServer id=1] started (kafka.server.KafkaServer)",
    ] {
        while !server.output().contains(line) {
            assert!(Instant::now() < deadline, "{line} in: {}", server.output());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_bad_value_is_one_clear_line_and_touches_nothing() {
    for (key, value) in [
        ("num.partitions", "many"),
        ("log.retention.ms", "soon"),
        ("log.cleanup.policy", "keep"),
        ("listeners", "PLAINTEXT"),
        ("unclean.leader.election.enable", "perhaps"),
        ("process.roles", "king"),
    ] {
        let server = Server::prepare(Kind::Gregor, &[format!("{key}={value}")]);
        let output = ended(&server.folder().join("server.properties"));
        assert_eq!(output.status.code(), Some(1), "{key}={value}: {}", text(&output));
        let said = text(&output);
        let naming = said.lines().filter(|line| line.contains(key) && line.contains(value)).count();
        assert_eq!(naming, 1, "{key}={value} is named in one line: {said}");
        assert!(!said.contains("panicked"), "{said}");
        assert!(!server.data().exists(), "{key}={value}: nothing is touched");
    }
}

#[test]
fn an_unknown_name_warns_once_and_is_kept() {
    let server = Server::start(Kind::Gregor, &["no.such.key=1".to_owned()]);
    let said = server.output();
    let warnings = said.lines().filter(|line| line.contains("no.such.key")).count();
    assert_eq!(warnings, 1, "{said}");
}

#[test]
fn older_files_start_with_what_their_names_mean() {
    let old = ["broker.id=1", "log.message.format.version=2.8", "log.segment.bytes=65536"];
    let server = Server::start(Kind::Gregor, &old.map(String::from));
    let mut client = Client::connect(&server.address()).expect("it accepts");
    create(&mut client, "t", 1);
    let said = server.output();
    assert!(said.contains("log.message.format.version"), "an ignored name warns: {said}");
    assert!(said.contains("log.segment.bytes"), "a raised value warns: {said}");
}

#[test]
fn a_second_node_on_the_same_directory_is_refused_and_the_first_goes_on() {
    let server = Server::start(Kind::Gregor, &[]);
    let text_of_first = std::fs::read_to_string(server.folder().join("server.properties"));
    let second = server.folder().join("second.properties");
    // Ports that neither another test's node has nor the system gives to clients.
    let other = |port: u16| (port - 10_000).to_string();
    let changed = text_of_first
        .expect("readable")
        .replace(&server.port.to_string(), &other(server.port))
        .replace(&server.controller_port.to_string(), &other(server.controller_port));
    std::fs::write(&second, changed).expect("written");
    let output = ended(&second);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("lock") && said.contains("data"), "{said}");
    create(&mut Client::connect(&server.address()).expect("it accepts"), "t", 1);
}

#[test]
fn a_port_that_is_taken_is_one_clear_line() {
    let server = Server::prepare(Kind::Gregor, &[]);
    // Another test may have it for a moment.
    let bind = || std::net::TcpListener::bind(("127.0.0.1", server.port)).ok();
    let _taken = until("the port is free", Duration::from_secs(10), bind);
    let properties = server.folder().join("server.properties");
    formatted(&properties);
    let output = ended(&properties);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains(&server.port.to_string()), "{}", text(&output));
}

#[test]
fn an_override_outranks_the_file() {
    let server = Server::prepare(Kind::Gregor, &["num.partitions=2".to_owned()]);
    let properties = server.folder().join("server.properties");
    formatted(&properties);
    let mut process = Command::new(binary())
        .arg("kafka-server-start")
        .arg(&properties)
        .args(["--override", "num.partitions=5", "--override", "log.retention.hours=1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("gregor starts");
    let early = || process.try_wait().is_ok_and(|status| status.is_some());
    wait_until_ready(&server.address(), Duration::from_secs(10), early);
    let line = "kafka-configs@4.3.1 --bootstrap-server SERVER --describe --all \
                --entity-type brokers --entity-name 1";
    let described = tool(&server, line, "").stdout;
    process.kill().expect("it lives");
    process.wait().expect("it ends");
    assert!(described.contains("STATIC_BROKER_CONFIG:num.partitions=5"), "{described}");
    assert!(described.contains("STATIC_BROKER_CONFIG:log.retention.hours=1"), "{described}");
}
