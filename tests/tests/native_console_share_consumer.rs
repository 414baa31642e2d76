//! The native console share consumer prints what stock's prints, and ends as it does.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use tests::golden::{check, check_native, recording, tool};
use tests::node::binary;
use tests::server::{Kind, Server};

/// Heartbeats in short turns, so that members get their partitions soon.
fn share_server() -> Server {
    let lines = [
        "group.share.min.heartbeat.interval.ms=200",
        "group.share.heartbeat.interval.ms=200",
        "share.coordinator.state.topic.replication.factor=1",
        "share.coordinator.state.topic.min.isr=1",
    ];
    let server = Server::start(Kind::Stock, &lines.map(str::to_owned));
    let upgrade =
        "kafka-features@4.3.1 --bootstrap-server SERVER upgrade --feature share.version=1";
    done(&server, upgrade, "");
    server
}

/// `gregor kafka-console-share-consumer …`, its streams piped.
fn started(server: &Server, rest: &str) -> Child {
    Command::new(binary())
        .args(["kafka-console-share-consumer", "--bootstrap-server", &server.address()])
        .args(rest.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("gregor starts")
}

fn done(server: &Server, line: &str, input: &str) -> String {
    let done = tool(server, line, input);
    assert_eq!(done.code, 0, "{}", done.stderr);
    done.stdout
}

fn topic_with(server: &Server, lines: &str) {
    let produce = "kafka-console-producer@4.3.1 --bootstrap-server SERVER --topic t";
    done(server, produce, lines);
    let alter = "kafka-configs@4.3.1 --bootstrap-server SERVER --alter --entity-type groups \
                 --entity-name g --add-config share.auto.offset.reset=earliest";
    done(server, alter, "");
}

#[test]
fn it_refuses_what_stock_does() {
    check("tools/console-share-consumer-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/console-share-consumer-4.3.1");
    }
}

#[test]
fn it_reads_prints_and_acknowledges_as_stock_does() {
    let case = "tools/console-share-consumer-records-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Stock, case),
    }
}

#[test]
fn a_signal_ends_it_with_the_count_and_gives_back_what_was_not_acknowledged() {
    let server = share_server();
    topic_with(&server, "one\ntwo\n");
    let mut child = started(&server, "--topic t --group g --enable-systest-events");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    for expected in ["one", "two"] {
        assert_eq!(lines.next().expect("a line").expect("read"), expected);
    }
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(ended.expect("kill runs").success());
    let mut words = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut words).expect("read");
    assert_eq!(words.lines().last(), Some("Processed a total of 2 messages"), "{words}");
    assert_eq!(lines.next().expect("a line").expect("read"), "shutdown_complete");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    // Both were printed: stock's tool is not given them again.
    let stock = "kafka-console-share-consumer@4.3.1 --bootstrap-server SERVER --topic t --group g \
                 --timeout-ms 1500";
    assert_eq!(done(&server, stock, ""), "");
}

#[test]
fn it_shares_a_topic_with_stocks() {
    let server = share_server();
    topic_with(&server, "first\n");
    let mut own = started(&server, "--topic t --group g");
    let mut of_own = BufReader::new(own.stdout.take().expect("piped"));
    let mut first = String::new();
    of_own.read_line(&mut first).expect("read");
    assert_eq!(first, "first\n");
    let lines: Vec<String> = (0..20).map(|at| format!("{at}\n")).collect();
    let stock = "kafka-console-share-consumer@4.3.1 --bootstrap-server SERVER --topic t --group g \
                 --timeout-ms 5000";
    let of_stock = std::thread::scope(|scope| {
        let reading = scope.spawn(|| done(&server, stock, ""));
        for line in &lines {
            topic_with(&server, line);
        }
        reading.join().expect("stock's ends")
    });
    let ended = Command::new("kill").args(["-TERM", &own.id().to_string()]).status();
    assert!(ended.expect("kill runs").success());
    let of_own = std::io::read_to_string(of_own).expect("read");
    assert_eq!(own.wait().expect("it ends").code(), Some(143));
    let read = of_stock.lines().chain(of_own.lines()).map(|line| format!("{line}\n"));
    let mut read: Vec<String> = read.collect();
    read.sort_by_key(|line| line.trim().parse::<i32>().ok());
    assert_eq!(read, lines, "each once");
}
