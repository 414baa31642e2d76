//! The native verifiable consumer says of itself what stock's says.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use tests::golden::{check, check_native, recording, tool};
use tests::node::binary;
use tests::server::{Kind, Server};

#[test]
fn it_reads_tells_and_refuses_as_stock_does() {
    check("tools/verifiable-consumer-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/verifiable-consumer-4.3.1");
    }
}

#[test]
fn a_stock_broker_assigns_to_it_by_the_newer_protocol() {
    let server = Server::start(Kind::Stock, &[]);
    let create = "kafka-topics@4.3.1 --bootstrap-server SERVER --create --topic t --partitions 2";
    assert_eq!(tool(&server, create, "").code, 0);
    let produce = "kafka-console-producer@4.3.1 --bootstrap-server SERVER --topic t";
    assert_eq!(tool(&server, produce, "one\n").code, 0);
    let address = server.address();
    let mut child = Command::new(binary())
        .args(["kafka-verifiable-consumer", "--bootstrap-server", &address, "--topic", "t"])
        .args(["--group-id", "g", "--group-protocol", "consumer"])
        .args(["--group-remote-assignor", "uniform"])
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
        if names.last().is_some_and(|name| name == "offsets_committed") {
            break;
        }
        line.clear();
    }
    let first: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    let expected =
        ["startup_complete", "partitions_assigned", "records_consumed", "offsets_committed"];
    assert_eq!(first, expected);
    assert!(line.ends_with("\"success\":true}\n"), "{line}");
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(ended.expect("kill runs").success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("read");
    for name in ["shutdown_requested", "partitions_revoked", "shutdown_complete"] {
        assert!(rest.contains(name), "{name} is not in {rest}");
    }
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
}
