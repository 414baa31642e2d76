//! Native tools print what stock's print, do what they do and end with the same code.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use tests::cluster::{Cluster, Layout};
use tests::golden::{check, check_native, recording};
use tests::native::run;
use tests::oracle::{Finished, NEWEST, ToolServer};
use tests::server::{Kind, Server};

/// Runs `gregor TOOL …` as it is typed.
fn typed(line: &str, stdin: &str) -> Finished {
    let mut words = line.split_whitespace().map(str::to_owned);
    let tool = words.next().expect("a tool");
    run(&tool, &words.collect::<Vec<_>>(), stdin)
}

/// A port that nobody listens on.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// Every case with stock's tools, which says that the facts are right, and with ours.
fn check_both(case: &str) {
    check(case);
    if !recording() {
        check_native(Kind::Gregor, case);
    }
}

#[test]
fn kafka_topics_reads_and_refuses_what_stock_does() {
    check_both("tools/topics-4.3.1");
}

#[test]
fn kafka_cluster_and_api_versions_read_and_refuse_what_stock_does() {
    check_both("tools/cluster-4.3.1");
}

#[test]
fn topics_live_as_with_the_stock_tool() {
    check_native(Kind::Gregor, "topics/lifecycle-4.3.1");
    check_native(Kind::Gregor, "topics/errors-4.3.1");
}

#[test]
fn a_cluster_is_described_as_by_the_stock_tools() {
    check_native(Kind::Gregor, "cluster/describe");
    check_native(Kind::Gregor, "cluster/reassign");
}

#[test]
fn a_stock_broker_gets_the_same_from_native_tools() {
    check_native(Kind::Stock, "topics/lifecycle-4.3.1");
    check_native(Kind::Stock, "tools/cluster-4.3.1");
}

#[test]
fn readiness_is_waited_for_and_given_up_in_time() {
    let server = Server::start(Kind::Gregor, &[]);
    let address = server.address();
    for line in [
        format!("cub kafka-ready 1 20 -b {address}"),
        format!("cub kafka-ready -b {address} 1 20 -s PLAINTEXT"),
        format!("ub kafka-ready 1 20 -b {address}"),
        format!("dub wait localhost {} 20", server.port),
        format!("ub wait localhost {} 20", server.port),
        format!("nc -z localhost {}", server.port),
    ] {
        let done = typed(&line, "");
        assert_eq!((done.code, done.stdout.as_str()), (0, ""), "{line}: {}", done.stderr);
    }
    let closed = closed_port();
    for line in [
        format!("cub kafka-ready 2 1 -b {address}"),
        format!("cub kafka-ready 1 1 -b localhost:{closed}"),
        format!("ub kafka-ready 2 1 -b {address}"),
        format!("cub zk-ready localhost:{closed} 1"),
        format!("dub wait localhost {closed} 1"),
        format!("nc -z localhost {closed}"),
    ] {
        let began = Instant::now();
        assert_eq!(typed(&line, "").code, 1, "{line}");
        assert!(began.elapsed() < Duration::from_secs(4), "{line}: {:?}", began.elapsed());
    }
    let short = typed(&format!("cub kafka-ready 2 1 -b {address}"), "").stderr;
    let node = format!("[{address} (id: 1 rack: null isFenced: false)]");
    let last = format!("Expected 2 brokers but found only 1. Brokers found {node}.");
    assert_eq!(short.lines().last(), Some(last.as_str()));
}

#[test]
fn a_node_that_is_not_there_is_named_as_by_stock_and_given_up() {
    let config = tempfile::NamedTempFile::new().expect("a file");
    let times = "default.api.timeout.ms=900\nrequest.timeout.ms=900\n";
    std::fs::write(config.path(), times).expect("written");
    let (port, config) = (closed_port(), config.path().display().to_string());
    let line = format!("kafka-topics --bootstrap-server 127.0.0.1:{port} --list");
    let began = Instant::now();
    let done = typed(&format!("{line} --command-config {config}"), "");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let words = "Timed out waiting for a node assignment. Call: listTopics\n";
    assert_eq!(done.stdout, format!("Error while executing topic command : {words}"));
    assert_eq!(done.code, 1);
    let warning = format!(
        "WARN [AdminClient clientId=adminclient-1] Connection to node -1 (/127.0.0.1:{port}) could \
         not be established. Node may not be available. (org.apache.kafka.clients.NetworkClient)"
    );
    let warnings = done.stderr.lines().filter(|line| line.ends_with(&warning)).count();
    // Pauses of 50, 100, 200 and 400 ms, as Kafka's client makes them.
    assert!((4..=6).contains(&warnings), "{warnings} of {}", done.stderr);
    assert_eq!(done.stderr.lines().count(), warnings);
}

#[test]
fn a_login_that_is_not_spoken_is_refused_before_anything_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("bound");
    let config = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(config.path(), "security.protocol=SASL_SSL\n").expect("written");
    let config = config.path().display();
    for line in [
        format!("kafka-topics --bootstrap-server {address} --list --command-config {config}"),
        format!("kafka-broker-api-versions --bootstrap-server {address} --command-config {config}"),
        format!("kafka-cluster cluster-id -b {address} -c {config}"),
        format!("cub kafka-ready 1 5 -b {address} -c {config}"),
        format!("ub kafka-ready 1 5 -b {address} -s SASL_SSL"),
    ] {
        let done = typed(&line, "");
        assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{line}");
        let said = "sasl.mechanism=GSSAPI cannot be used";
        assert!(done.stderr.starts_with(said), "{line}: {}", done.stderr);
        assert_eq!(done.stderr.lines().count(), 1, "{line}");
    }
    let connected = listener.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(connected, Err(std::io::ErrorKind::WouldBlock), "nobody connected");
}

#[test]
fn nc_carries_a_question_and_its_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut word = [0; 4];
        stream.read_exact(&mut word).expect("four letters");
        stream.write_all(if &word == b"ruok" { b"imok" } else { b"what?" }).expect("answered");
    });
    let done = typed(&format!("nc -w 5 127.0.0.1 {port}"), "ruok");
    assert_eq!((done.code, done.stdout.as_str()), (0, "imok"));
    server.join().expect("the server ends");
    let done = typed(&format!("nc -w 1 127.0.0.1 {}", closed_port()), "ruok");
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
}

#[test]
fn health_checks_are_answered_in_milliseconds() {
    let server = Server::start(Kind::Gregor, &[]);
    let address = server.address();
    // The best of twenty: what the machine does besides is no part of it. A build without
    // optimisation may take three times what the product takes.
    let limit = Duration::from_millis(if cfg!(debug_assertions) { 30 } else { 10 });
    for line in [
        format!("kafka-topics --bootstrap-server {address} --list"),
        format!("kafka-broker-api-versions --bootstrap-server {address}"),
        format!("kafka-cluster cluster-id --bootstrap-server {address}"),
        format!("cub kafka-ready 1 20 -b {address}"),
        format!("nc -z localhost {}", server.port),
    ] {
        let timed = (0..20).map(|_| {
            let began = Instant::now();
            assert_eq!(typed(&line, "").code, 0, "{line}");
            began.elapsed()
        });
        let best = timed.min().expect("twenty");
        println!("{line}: {best:?}");
        assert!(best <= limit, "{line}: {best:?}");
    }
}

#[test]
fn many_topics_and_brokers_come_in_the_order_of_the_stock_tools() {
    let cluster = Cluster::start(Layout::combined(3).racks(&["a", "b", "c"]));
    let nodes = cluster.layout.nodes.iter();
    let addresses: Vec<String> = nodes.map(|node| format!("localhost:{}", node.port)).collect();
    let server = format!("--bootstrap-server {}", addresses.join(","));
    for topic in 0..40 {
        let name = format!("topic-{}", topic * 7919 % 1000);
        let done = typed(&format!("kafka-topics {server} --create --topic {name}"), "");
        assert_eq!(done.code, 0, "{}", done.stdout);
    }
    // A broker shows a topic a moment after the controller has it.
    let deadline = Instant::now() + Duration::from_secs(10);
    for address in &addresses {
        let list = format!("kafka-topics --bootstrap-server {address} --describe");
        while typed(&list, "").stdout.matches("Topic: topic-").count() < 80 {
            assert!(Instant::now() < deadline, "{address} does not show 40 topics");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    for rest in [
        format!("kafka-topics {server} --list"),
        format!("kafka-topics {server} --describe"),
        format!("kafka-topics {server} --describe --topic topic-.1.*"),
        format!("kafka-broker-api-versions {server}"),
        format!("kafka-cluster list-endpoints {server}"),
    ] {
        let mut words = rest.split(' ').map(str::to_owned);
        let tool = words.next().expect("a tool");
        let args: Vec<String> = words.collect();
        let stock = ToolServer::shared().run(NEWEST, &tool, &args, "");
        let ours = run(&tool, &args, "");
        match tool.as_str() {
            // Brokers that share a bucket of its hash map come as Kafka's client drew them.
            "kafka-broker-api-versions" => assert!(blocks(&ours.stdout) == blocks(&stock.stdout)),
            _ => assert_eq!(ours.stdout, stock.stdout, "{rest}"),
        }
        assert_eq!((ours.code, stock.code), (0, 0), "{rest}");
    }
}

/// What is printed of each broker, in the order of their addresses.
fn blocks(printed: &str) -> Vec<&str> {
    let mut blocks: Vec<&str> = printed.split_inclusive("\n)\n").collect();
    blocks.sort_unstable();
    blocks
}
