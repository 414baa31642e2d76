//! librdkafka's world: kcat and a Python program see what Kafka would show them.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tests::golden::server_kind;
use tests::server::Server;

fn kcat(server: &Server, args: &[&str], stdin: &str) -> String {
    let mut process = Command::new("kcat")
        .args(["-b", &server.address(), "-m", "10"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kcat starts; tests/run installs it");
    let mut input = process.stdin.take().expect("stdin is piped");
    input.write_all(stdin.as_bytes()).expect("kcat reads");
    drop(input);
    let output = process.wait_with_output().expect("kcat ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kcat {args:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn numbered(count: usize) -> String {
    (0..count).map(|i| format!("k{i}:v{i}\n")).collect()
}

#[test]
fn kcat_lists_produces_consumes_and_queries() {
    let server = Server::start(server_kind(), &["num.partitions=1".to_owned()]);
    let listed: serde_json::Value =
        serde_json::from_str(&kcat(&server, &["-L", "-J"], "")).expect("kcat prints JSON");
    let brokers = &listed["brokers"];
    assert_eq!(brokers[0]["id"], 1, "{listed}");
    assert_eq!(brokers[0]["name"], server.address(), "{listed}");
    assert_eq!(listed["controllerid"], 1, "{listed}");

    for (codec, topic) in
        [("none", "plain"), ("gzip", "g"), ("snappy", "s"), ("lz4", "l"), ("zstd", "z")]
    {
        let produce = ["-P", "-t", topic, "-K:", "-z", codec, "-H", "origin=kcat"];
        kcat(&server, &produce, &numbered(100));
        let consume = ["-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%p %o %k %s %h\\n"];
        let expected: String = (0..100).map(|i| format!("0 {i} k{i} v{i} origin=kcat\n")).collect();
        assert_eq!(kcat(&server, &consume, ""), expected, "{codec}");
    }
    let acks = ["-P", "-t", "plain", "-K:", "-X", "enable.idempotence=true"];
    kcat(&server, &acks, &numbered(10));
    let acks = ["-P", "-t", "plain", "-K:", "-X", "acks=0"];
    kcat(&server, &acks, &numbered(5));
    let tail = ["-C", "-t", "plain", "-o", "-5", "-c", "5", "-q", "-f", "%o %k\\n"];
    let expected: String = (0..5).map(|i| format!("{} k{i}\n", 110 + i)).collect();
    assert_eq!(kcat(&server, &tail, ""), expected);
    let at_end = kcat(&server, &["-Q", "-t", "plain:0:-1"], "");
    assert_eq!(at_end.trim(), "plain [0] offset 115");
    let at_start = kcat(&server, &["-Q", "-t", "plain:0:-2"], "");
    assert_eq!(at_start.trim(), "plain [0] offset 0");
}

#[test]
fn kcat_reads_as_a_group_and_goes_on_where_it_stopped() {
    let server = Server::start(server_kind(), &["num.partitions=2".to_owned()]);
    kcat(&server, &["-P", "-t", "t", "-K:"], &numbered(50));
    let group =
        ["-X", "auto.offset.reset=earliest", "-q", "-c", "50", "-f", "%s\\n", "-G", "g", "t"];
    let mut first: Vec<String> = kcat(&server, &group, "").lines().map(String::from).collect();
    first.sort();
    let mut expected: Vec<String> = (0..50).map(|i| format!("v{i}")).collect();
    expected.sort();
    assert_eq!(first, expected);
    kcat(&server, &["-P", "-t", "t"], "late\n");
    let group = ["-q", "-c", "1", "-f", "%s\\n", "-G", "g", "t"];
    assert_eq!(kcat(&server, &group, ""), "late\n");
}

#[test]
fn a_python_program_makes_a_topic_fills_it_and_reads_it_as_a_group() {
    let server = Server::start(server_kind(), &[]);
    let cache = std::env::var_os("GREGOR_PYTHON").map(PathBuf::from);
    let python =
        cache.expect("GREGOR_PYTHON names a python3 with confluent-kafka, as tests/run has it");
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/python/client.py");
    let output =
        Command::new(python).args([program, &server.address()]).output().expect("python starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let expected = "partitions 3\nretention.ms 604800000\ndelivered 100 failed 0\nconsumed 60 40\n\
                    same records True\ncommitted at the end True\ngroups ['py-readers']\ndeleted\n";
    assert_eq!(printed, expected, "{}", String::from_utf8_lossy(&output.stderr));
}
