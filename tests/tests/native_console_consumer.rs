//! The native console consumer prints what stock's prints, ends as it does, and costs less.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::golden::{check, check_native, recording, tool};
use tests::native;
use tests::node::binary;
use tests::server::{Kind, Server};

/// `gregor kafka-console-consumer …`, its streams piped.
fn started(server: &Server, rest: &str) -> Child {
    Command::new(binary())
        .args(["kafka-console-consumer", "--bootstrap-server", &server.address()])
        .args(rest.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("gregor starts")
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

fn topic_with(server: &Server, topic: &str, lines: &str) {
    let line = format!("kafka-console-producer@4.3.1 --bootstrap-server SERVER --topic {topic}");
    let done = tool(server, &line, lines);
    assert_eq!(done.code, 0, "{}", done.stderr);
}

#[test]
fn it_reads_prints_and_refuses_what_stock_does() {
    check("tools/console-consumer-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/console-consumer-4.3.1");
    }
}

#[test]
fn what_was_recorded_before_there_was_a_native_tool_is_the_same() {
    check_native(Kind::Gregor, "console/acks-and-codecs-4.3.1");
}

#[test]
fn a_stock_broker_gives_it_the_same() {
    check_native(Kind::Stock, "tools/console-consumer-4.3.1");
}

#[test]
fn transactions_of_a_stock_broker_are_read_as_by_stock() {
    let case = "tools/console-consumer-transactions-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Stock, case),
    }
}

#[test]
fn what_coordinators_write_of_share_groups_is_read_as_by_stock() {
    let case = "tools/console-consumer-share-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Stock, case),
    }
}

#[test]
fn a_signal_ends_it_with_the_count_and_the_jvms_exit_code() {
    let server = Server::start(Kind::Gregor, &[]);
    topic_with(&server, "t", "one\ntwo\n");
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let mut child = started(&server, "--topic t --from-beginning --enable-systest-events");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        for expected in ["one", "two"] {
            assert_eq!(lines.next().expect("a line").expect("read"), expected);
        }
        signal(&child, name);
        let mut words = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut words).expect("read");
        assert_eq!(words.lines().last(), Some("Processed a total of 2 messages"), "{words}");
        assert_eq!(lines.next().expect("a line").expect("read"), "shutdown_complete");
        assert_eq!(child.wait().expect("it ends").code(), Some(code), "SIG{name}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let server = Server::start(Kind::Gregor, &[]);
    topic_with(&server, "t", &"a line\n".repeat(1000));
    let mut child = started(&server, "--topic t --from-beginning");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("read"), "a line");
    drop(lines);
    // Whoever reads no more is noticed when something is printed.
    topic_with(&server, "t", "more\n");
    let mut words = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut words).expect("read");
    let last: Vec<&str> = words.lines().rev().take(2).collect();
    assert!(last[0].starts_with("Processed a total of 1"), "{words}");
    assert_eq!(last[1], "Unable to write to standard out, closing consumer.");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_broker_that_is_not_there_is_given_up_in_time_and_named() {
    let line = ["--bootstrap-server", "127.0.0.1:1", "--topic", "t", "--timeout-ms", "1200"];
    let args: Vec<String> = line.iter().map(|&word| word.to_owned()).collect();
    let began = Instant::now();
    let done = native::run("kafka-console-consumer", &args, "");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!((done.code, done.stdout.as_str()), (0, ""));
    for words in [
        "Connection to node -1 (/127.0.0.1:1) could not be established. Node may not be available.",
        "ERROR Error processing message, terminating consumer process: ",
        "org.apache.kafka.common.errors.TimeoutException",
        "Processed a total of 0 messages",
    ] {
        assert!(done.stderr.contains(words), "{words} is not in {}", done.stderr);
    }
}

/// Two members of group `g` share four partitions, and the one that is left has them all.
fn share(server: &Server, properties: &str) {
    let create = "kafka-topics@4.3.1 --bootstrap-server SERVER --create --topic t --partitions 4";
    assert_eq!(tool(server, create, "").code, 0);
    let lines: Vec<String> = (0..40).map(|at| format!("{at}\n")).collect();
    topic_with(server, "t", &lines.concat());
    let rest = format!("--topic t --group g {properties}");
    let members = "kafka-consumer-groups@4.3.1 --bootstrap-server SERVER --describe --group g \
                   --members";
    let shares = |wanted: &[&str]| {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let told = tool(server, members, "").stdout;
            let mut shares: Vec<String> = told
                .lines()
                .filter(|line| line.starts_with("g "))
                .filter_map(|line| line.split_whitespace().last().map(str::to_owned))
                .collect();
            shares.sort_unstable();
            if shares == wanted {
                return;
            }
            assert!(Instant::now() < deadline, "{wanted:?} never came: {told}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let mut first = started(server, &format!("{rest} --from-beginning"));
    shares(&["4"]);
    let mut second = started(server, &rest);
    shares(&["2", "2"]);
    signal(&first, "TERM");
    assert_eq!(first.wait().expect("it ends").code(), Some(143));
    let read = std::io::read_to_string(first.stdout.take().expect("piped")).expect("read");
    assert_eq!(read.lines().count(), 40, "all that was there, once");
    shares(&["4"]);
    topic_with(server, "t", "more\n");
    let mut lines = BufReader::new(second.stdout.take().expect("piped")).lines();
    // What the first one committed as it lost partitions and as it ended is not read again.
    assert_eq!(lines.next().expect("a line").expect("read"), "more");
    signal(&second, "TERM");
    assert_eq!(second.wait().expect("it ends").code(), Some(143));
}

#[test]
fn two_members_of_a_group_share_a_topic_and_the_second_takes_over() {
    let server = Server::start(Kind::Gregor, &["group.initial.rebalance.delay.ms=0".to_owned()]);
    share(&server, "--command-property heartbeat.interval.ms=200");
}

#[test]
fn the_coordinator_assigns_where_the_newer_protocol_is_asked_for() {
    let lines =
        ["group.consumer.min.heartbeat.interval.ms", "group.consumer.heartbeat.interval.ms"]
            .map(|key| format!("{key}=300"));
    let server = Server::start(Kind::Stock, &lines);
    share(&server, "--command-property group.protocol=consumer");
}
