//! The native verifiable producer says of itself what stock's says.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use tests::golden::{check, check_native, recording, tool};
use tests::node::binary;
use tests::server::{Kind, Server};

#[test]
fn it_sends_tells_and_refuses_as_stock_does() {
    check("tools/verifiable-producer-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/verifiable-producer-4.3.1");
    }
}

#[test]
fn a_stock_broker_takes_the_same() {
    check_native(Kind::Stock, "tools/verifiable-producer-4.3.1");
}

#[test]
fn a_signal_ends_it_with_a_summary_and_nothing_acknowledged_is_missing() {
    let server = Server::start(Kind::Gregor, &[]);
    let create = "kafka-topics@4.3.1 --bootstrap-server SERVER --create --topic t --partitions 1";
    assert_eq!(tool(&server, create, "").code, 0);
    let mut child = Command::new(binary())
        .args(["kafka-verifiable-producer", "--bootstrap-server", &server.address()])
        .args(["--topic", "t", "--throughput", "200"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gregor starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut text = String::new();
    while text.matches("producer_send_success").count() < 20 {
        assert!(out.read_line(&mut text).expect("read") > 0, "{text}");
    }
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(ended.expect("kill runs").success());
    out.read_to_string(&mut text).expect("read");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    let acked = text.matches("producer_send_success").count();
    let last = text.lines().last().unwrap_or_default();
    assert!(last.contains(&format!("\"acked\":{acked},\"target_throughput\":200")), "{last}");
    let ends = "kafka-get-offsets@4.3.1 --bootstrap-server SERVER --topic t";
    assert_eq!(tool(&server, ends, "").stdout.trim(), format!("t:0:{acked}"));
}
