//! System calls of a running node that fail: open, write, fsync, rename and accept are answered
//! with EMFILE, ENOSPC, EIO and ENOMEM for a while, one call and one error at a time, while records
//! are written and topics made. Nothing that was acknowledged is missing afterwards, the node says
//! what it met, and it serves again, by itself or, when it ended because its only log dir failed,
//! when it is started.
//!
//! `strace` answers in the kernel's place, attached while a fault lasts: it reaches calls that do
//! not go through the C library. That takes the right to trace a child's child (root).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use protocol::messages::CreateTopicsRequest;
use protocol::messages::create_topics_request::CreatableTopic;
use rustix::process::{Pid, Signal, kill_process};
use tests::cluster::view::until;
use tests::records::Batch;
use tests::server::{Kind, Server};
use tests::topic::{create, end_offset, name, now_ms, produce, read_all};
use tests::wire::Client;

/// How long a fault lasts once it met the node.
const LASTS: Duration = Duration::from_millis(300);
/// In the metadata log: the quorum says that it waits once it has for a second.
const LASTS_IN_METADATA: Duration = Duration::from_millis(1600);
const METADATA: &str = "__cluster_metadata-0";
/// How long a fault is waited for, and how long the node may take to serve again.
const SOON: Duration = Duration::from_secs(10);

/// Errors, and the words that a log line says them with.
const ERRORS: [(&str, &str); 4] = [
    ("EMFILE", "Too many open files"),
    ("ENOSPC", "No space left on device"),
    ("EIO", "Input/output error"),
    ("ENOMEM", "Cannot allocate memory"),
];

/// System calls that are answered with an error while this lives.
struct Fault {
    strace: Child,
    seen: PathBuf,
}

impl Fault {
    /// Calls of all threads of a process; only those on one file, when given.
    fn of(pid: u32, calls: &str, error: &str, file: Option<&Path>, seen: &Path) -> Self {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-q", "-p", &pid.to_string(), "-e", &format!("trace={calls}"), "-e"]);
        strace.arg(format!("inject={calls}:error={error}"));
        if let Some(file) = file {
            strace.arg("-P").arg(file);
        }
        let strace = strace.arg("-o").arg(seen).stdout(Stdio::null()).stderr(Stdio::null());
        Self { strace: strace.spawn().expect("strace starts"), seen: seen.to_owned() }
    }

    fn met(&self) -> bool {
        std::fs::read_to_string(&self.seen).unwrap_or_default().contains("(INJECTED)")
    }

    /// Lets go of the process.
    fn end(mut self) {
        let _ = kill_process(Pid::from_child(&self.strace), Signal::INT);
        let _ = self.strace.wait();
    }
}

/// Whether a child that nobody waited for yet has ended.
fn ended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_none_or(|rest| rest.starts_with('Z') || rest.is_empty())
}

/// Writes one value after the other until told to stop; what was acknowledged, with its offset.
fn load(address: &str, stop: &AtomicBool, mut next: usize) -> Vec<(i64, String)> {
    let mut acknowledged = Vec::new();
    let mut client = None;
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(5));
        let Some(open) = client.as_mut() else {
            client = Client::connect(address).ok();
            continue;
        };
        let value = value(next);
        next += 1;
        match produce(open, "t", 0, -1, Batch::of(&[value.as_bytes()], now_ms()).bytes()) {
            Ok(answer) if answer.error == 0 => acknowledged.push((answer.base_offset, value)),
            Ok(_) => {}
            Err(_) => client = None,
        }
    }
    acknowledged
}

/// Big enough for a segment to be full after some.
fn value(number: usize) -> String {
    format!("{number:08}{}", "x".repeat(50_000))
}

/// The newest segment of a partition.
fn active_segment(server: &Server, partition: &str) -> PathBuf {
    let entries = std::fs::read_dir(server.data().join(partition)).expect("the partition's folder");
    let files = entries.map(|entry| entry.expect("an entry").path());
    files.filter(|path| path.extension().is_some_and(|it| it == "log")).max().expect("a segment")
}

/// Asks for a topic on a new connection; whether it was said to be made.
fn makes(address: &str, topic: &str) -> bool {
    let Ok(mut client) = Client::connect(address) else { return false };
    client.set_patience(Duration::from_millis(200));
    let wish = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![wish]).with_timeout_ms(200);
    client.call(7, &request).is_ok_and(|response| response.topics[0].error_code == 0)
}

fn serves(address: &str, value: &str) -> bool {
    let Ok(mut client) = Client::connect(address) else { return false };
    let records = Batch::of(&[value.as_bytes()], now_ms()).bytes();
    produce(&mut client, "t", 0, -1, records).is_ok_and(|answer| answer.error == 0)
}

/// Every error of one kind of call, on one node after the other; the calls on all files, or on the
/// active segment of one partition.
fn survived(calls: &str, partition: Option<&str>) {
    // Segments that are full after some records make files, those of one partition alone do not.
    let segment_bytes = if partition.is_some() { 1 << 30 } else { 1 << 20 };
    let settings = [
        format!("log.segment.bytes={segment_bytes}"),
        "log.flush.interval.messages=1".to_owned(),
        "log.flush.offset.checkpoint.interval.ms=100".to_owned(),
    ];
    let mut server = Server::start(Kind::Gregor, &settings);
    create(&mut Client::connect(&server.address()).expect("the node accepts"), "t", 1);
    let mut acknowledged = Acknowledged::default();
    for (at, (error, words)) in ERRORS.into_iter().enumerate() {
        let said = server.output().len();
        suffered(&server, calls, error, partition, at, &mut acknowledged);
        let value = format!("after {error}");
        until(&value, SOON, || {
            if ended(server.pid()) {
                let of_the_end = &server.output()[said..];
                assert!(may_end(calls, error, of_the_end), "{calls} {error}: {of_the_end}");
                server.kill();
                server.start_again();
            }
            serves(&server.address(), &value).then_some(())
        });
        acknowledged.are_there(&server.address(), &format!("{calls} {error}"));
        let output = server.output();
        let lines: Vec<_> = output[said..].lines().filter(|line| !line.contains("INFO")).collect();
        println!("{calls} {error}: {lines:#?}");
        assert!(lines.iter().any(|line| line.contains(words)), "{calls} {error}: {lines:#?}");
    }
}

/// Whether a node may end of an error: of a failure of its only log dir, not of what comes back by
/// itself. A call in which strace lets go of the process is answered with ENOSYS, which is one.
fn may_end(calls: &str, error: &str, output: &str) -> bool {
    let of_the_disk = ["ENOSPC", "EIO"].contains(&error) && !calls.starts_with("accept");
    of_the_disk || output.contains("Function not implemented")
}

/// One error of one kind of call, under load.
fn suffered(
    server: &Server,
    calls: &str,
    error: &str,
    partition: Option<&str>,
    at: usize,
    acknowledged: &mut Acknowledged,
) {
    let address = server.address();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let load = scope.spawn(|| load(&address, &stop, at * 1_000_000));
        std::thread::sleep(Duration::from_millis(200));
        let file = partition.map(|partition| active_segment(server, partition));
        let seen = server.folder().join(format!("strace-{error}"));
        let fault = Fault::of(server.pid(), calls, error, file.as_deref(), &seen);
        let began = Instant::now();
        let mut topics = 0;
        while !fault.met() && began.elapsed() < SOON && !ended(server.pid()) {
            let topic = format!("during-{at}-{topics}");
            topics += 1;
            if makes(&address, &topic) {
                acknowledged.topics.push(topic);
            }
        }
        let met = fault.met();
        std::thread::sleep(if partition == Some(METADATA) { LASTS_IN_METADATA } else { LASTS });
        stop.store(true, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(50));
        fault.end();
        acknowledged.records.extend(load.join().expect("the load"));
        assert!(met, "{calls} {error}: the node did none");
    });
}

/// What the node said it has: records with their offsets, and topics.
#[derive(Debug, Default)]
struct Acknowledged {
    records: Vec<(i64, String)>,
    topics: Vec<String>,
}

impl Acknowledged {
    fn are_there(&self, address: &str, after: &str) {
        assert!(!self.records.is_empty(), "{after}: nothing was acknowledged");
        let mut client = Client::connect(address).expect("the node accepts");
        let read = read_all(&mut client, "t", 0);
        for (offset, value) in &self.records {
            let found = read.iter().find(|(at, _)| at == offset).map(|(_, value)| &value[..]);
            assert!(found == Some(value.as_bytes()), "{after}: record {value:.8} at {offset}");
        }
        for topic in &self.topics {
            until(topic, SOON, || end_offset(&mut client, topic, 0));
        }
        let (records, topics) = (self.records.len(), self.topics.len());
        println!("{after}: {records} records and {topics} topics are there");
    }
}

#[test]
fn files_that_cannot_be_opened_cost_no_record() {
    survived("openat", None);
}

#[test]
fn writes_to_a_segment_that_fail_cost_no_record() {
    survived("write,pwrite64,writev,pwritev,pwritev2", Some("t-0"));
}

#[test]
fn writes_to_the_metadata_log_that_fail_cost_no_topic() {
    survived("write,pwrite64,writev,pwritev,pwritev2", Some(METADATA));
}

#[test]
fn syncs_that_fail_cost_no_record() {
    survived("fsync,fdatasync,sync_file_range,msync,syncfs", None);
}

#[test]
fn files_that_cannot_be_renamed_cost_no_record() {
    survived("rename,renameat,renameat2", None);
}

#[test]
fn connections_that_cannot_be_accepted_cost_no_record() {
    survived("accept4,accept", None);
}
