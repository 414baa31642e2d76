//! The native verifiable share consumer says of itself what stock's says.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use tests::golden::{check, check_native, recording, tool};
use tests::node::binary;
use tests::server::{Kind, Server};

#[test]
fn it_refuses_as_stock_does() {
    check("tools/verifiable-share-consumer-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/verifiable-share-consumer-4.3.1");
    }
}

#[test]
fn it_reads_and_tells_as_stock_does() {
    let case = "tools/verifiable-share-consumer-events-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Stock, case),
    }
}

#[test]
fn a_signal_ends_it_and_what_it_did_not_acknowledge_is_given_again() {
    let lines = [
        "group.share.min.heartbeat.interval.ms=200",
        "group.share.heartbeat.interval.ms=200",
        "share.coordinator.state.topic.replication.factor=1",
        "share.coordinator.state.topic.min.isr=1",
    ];
    let server = Server::start(Kind::Stock, &lines.map(str::to_owned));
    for (line, input) in [
        ("kafka-features@4.3.1 --bootstrap-server SERVER upgrade --feature share.version=1", ""),
        ("kafka-console-producer@4.3.1 --bootstrap-server SERVER --topic t", "one\n"),
    ] {
        assert_eq!(tool(&server, line, input).code, 0);
    }
    let address = server.address();
    let mut child = Command::new(binary())
        .args(["kafka-verifiable-share-consumer", "--bootstrap-server", &address, "--topic", "t"])
        .args(["--group-id", "g", "--offset-reset-strategy", "earliest", "--verbose"])
        .args(["--command-config", "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gregor starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut names = Vec::new();
    let mut line = String::new();
    while out.read_line(&mut line).expect("read") > 0 {
        let name = line.split("\"name\":\"").nth(1).and_then(|rest| rest.split('"').next());
        names.push(name.unwrap_or_default().to_owned());
        if line.contains("records_consumed") {
            break;
        }
        line.clear();
    }
    let expected =
        ["startup_complete", "offset_reset_strategy_set", "record_data", "records_consumed"];
    assert_eq!(names, expected);
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(ended.expect("kill runs").success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("read");
    assert!(rest.contains("\"shutdown_complete\"}"), "{rest}");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    let acknowledged = rest.contains("offsets_acknowledged");
    let again = "kafka-console-share-consumer@4.3.1 --bootstrap-server SERVER --topic t --group g \
                 --timeout-ms 3000";
    let expected = if acknowledged { "" } else { "one\n" };
    assert_eq!(tool(&server, again, "").stdout, expected, "{rest}");
}
