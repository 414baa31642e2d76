//! A leader that is killed while native tools produce to it and consume from it costs no record,
//! and none comes twice.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tests::cluster::{Cluster, Layout};
use tests::node::binary;

const LINES: usize = 3000;
/// Lines that are typed before the leader is killed, and before it comes back.
const KILLED_AT: usize = 1000;
const BACK_AT: usize = 2000;
const PATIENCE: Duration = Duration::from_secs(60);

/// A native tool at work, killed when dropped.
struct Tool(Child);

impl Tool {
    fn start(tool: &str, servers: &str, words: &[&str]) -> Self {
        let child = Command::new(binary())
            .args([tool, "--bootstrap-server", servers, "--topic", "t"])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("gregor starts");
        Self(child)
    }

    fn stdout(&mut self) -> BufReader<ChildStdout> {
        BufReader::new(self.0.stdout.take().expect("piped"))
    }

    fn code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.0.try_wait().expect("a child can be asked") {
                Some(status) => return status.code(),
                None if Instant::now() > deadline => return None,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn cluster() -> (Cluster, String) {
    let cluster = Cluster::start(Layout::combined(3).line("min.insync.replicas=2"));
    cluster.view().create("t", &[&[1, 2, 3]], &[]);
    cluster.view().wait_in_sync("t", 1);
    let servers = cluster.bootstrap().join(",");
    (cluster, servers)
}

#[test]
fn a_console_producer_and_a_console_consumer_outlive_the_leader() {
    let (mut cluster, servers) = cluster();
    let max = LINES.to_string();
    let read = ["--from-beginning", "--group", "g", "--max-messages", &max];
    let mut consumer = Tool::start("kafka-console-consumer", &servers, &read);
    let mut printed = consumer.stdout();
    let counted = std::thread::spawn(move || {
        let mut counts = BTreeMap::<String, usize>::new();
        let mut line = String::new();
        while printed.read_line(&mut line).expect("it is read") > 0 {
            *counts.entry(line.trim_end().to_owned()).or_default() += 1;
            line.clear();
        }
        counts
    });
    let mut producer = Tool::start("kafka-console-producer", &servers, &[]);
    let mut typed = producer.0.stdin.take().expect("piped");
    let leader = cluster.leader("t", 0);
    for line in 0..LINES {
        writeln!(typed, "{line}").expect("the producer reads");
        match line {
            KILLED_AT => cluster.kill(leader),
            BACK_AT => cluster.start_again(leader),
            _ if line % 10 == 0 => std::thread::sleep(Duration::from_millis(5)),
            _ => {}
        }
    }
    drop(typed);
    assert_eq!(producer.code(), Some(0), "all lines are sent");
    assert_ne!(cluster.leader("t", 0), -1);
    assert_eq!(consumer.code(), Some(0), "all lines are read");
    let counts = counted.join().expect("nothing panics");
    let missing: Vec<usize> =
        (0..LINES).filter(|line| !counts.contains_key(&line.to_string())).collect();
    assert_eq!(missing, Vec::<usize>::new());
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn a_verifiable_producer_hears_of_its_records_in_the_order_in_which_it_sent_them() {
    let (mut cluster, servers) = cluster();
    let words = ["--max-messages", "2000", "--throughput", "1000", "--acks", "-1"];
    let mut producer = Tool::start("kafka-verifiable-producer", &servers, &words);
    let said = producer.stdout();
    let leader = cluster.leader("t", 0);
    let mut offsets: Vec<i64> = Vec::new();
    // It tries nothing again, as stock's does not.
    let mut errors = 0;
    let mut summary = String::new();
    for line in said.lines() {
        let line = line.expect("it is read");
        errors += usize::from(line.contains("producer_send_error"));
        let offset = line.split_once("\"offset\":").map(|(_, rest)| rest);
        let digits = offset.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
        offsets.extend(digits.flatten().and_then(|digits| digits.parse::<i64>().ok()));
        if offsets.len() == 500 && cluster.runs(leader) {
            cluster.kill(leader);
        }
        summary = line;
    }
    assert_eq!(producer.code(), Some(0));
    let acked = format!("\"sent\":2000,\"acked\":{},", offsets.len());
    assert!(summary.contains(&acked), "{summary}");
    assert_eq!(offsets.len() + errors, 2000);
    let back = offsets.windows(2).position(|pair| pair[1] <= pair[0]);
    assert_eq!(back, None, "{:?}", offsets.get(490..600));
}
