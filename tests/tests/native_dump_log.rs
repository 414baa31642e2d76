//! `gregor kafka-dump-log` prints what stock's tool prints of the same files: those of a node that
//! served, those of our own making with all that can stand in a log, and damaged ones.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::{BufMut, Bytes, BytesMut};
use protocol::batch::{BatchBuilder, ControlType};
use protocol::records::transaction::{TransactionLogValue, TransactionRecord, TransactionTopic};
use tests::native::{run_as, without_trace};
use tests::oracle::{NEWEST, ToolServer};
use tests::server::{Kind, Server};

const TOOL: &str = "kafka-dump-log";

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// What a tool says of a fault: Java adds the exception's class and its trace.
fn told(stdout: &str, stderr: &str) -> String {
    let lines = without_trace(stdout, stderr);
    let is_log = |line: &str| ["SLF4J", "log4j:", "\t"].iter().any(|log| line.starts_with(log));
    let lines = lines.lines().filter(|line| !is_log(line));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Runs both with the same words and compares all that they say.
fn compare(line: &str) {
    compare_as(NEWEST, line);
}

/// The same in the words of a release.
fn compare_as(version: &str, line: &str) {
    let args = words(line);
    let stock = ToolServer::shared().run(version, TOOL, &args, "");
    let ours = run_as(version, TOOL, &args, "");
    assert_eq!(ours.stdout, stock.stdout, "{line}");
    assert_eq!(told(&ours.stdout, &ours.stderr), told(&stock.stdout, &stock.stderr), "{line}");
    assert_eq!(ours.code, stock.code, "{line}");
}

/// Every file of a log below a folder, by its name's end.
fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut found: Vec<PathBuf> =
        listed.filter(|path| path.to_string_lossy().ends_with(suffix)).collect();
    found.sort();
    found
}

#[test]
fn the_files_of_a_node_that_served_are_shown_alike() {
    let extra = ["num.partitions=1", "offsets.topic.num.partitions=1", "log.segment.bytes=1048576"];
    let mut server = Server::start(Kind::Gregor, &extra.map(str::to_owned));
    let address = server.address();
    let stock = |line: &str, stdin: &str| {
        let mut words = words(line);
        let tool = words.remove(0);
        let done = ToolServer::shared().run(NEWEST, &tool, &words, stdin);
        assert_eq!(done.code, 0, "{line}: {}", done.stderr);
    };
    let lines: String = (0..40).map(|n| format!("a:{n},b:x\tk{n}\tvalue {n}\n")).collect();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let line = format!(
            "kafka-console-producer --bootstrap-server {address} --topic t --reader-property \
             parse.key=true --reader-property parse.headers=true --compression-codec={codec}"
        );
        stock(&line, &lines);
    }
    let line = format!(
        "kafka-console-consumer --bootstrap-server {address} --topic t --group g --max-messages 9 \
         --from-beginning"
    );
    stock(&line, "");
    server.terminate();
    let data = server.data();
    for suffix in [".log", ".index", ".timeindex", ".snapshot"] {
        for path in files(&data.join("t-0"), suffix) {
            for options in ["", "--deep-iteration", "--print-data-log", "--index-sanity-check"] {
                compare(&format!("--files {} {options}", path.display()));
            }
        }
    }
    let log = data.join("t-0/00000000000000000000.log");
    let log = log.display();
    for options in [
        "--print-data-log --skip-record-metadata",
        "--skip-record-metadata --deep-iteration",
        "--max-bytes 200 --deep-iteration",
        "--max-bytes=100",
        "--key-decoder-class org.apache.kafka.tools.api.IntegerDecoder --max-bytes 1",
        "--value-decoder-class --print-data-log",
        "--value-decoder-class a.b.C",
        "--offsets-decoder",
        "--max-bytes many",
        "--print-data-log --print-data-log",
    ] {
        compare(&format!("--files {log} {options}"));
    }
    for path in files(&data.join("__consumer_offsets-0"), ".log") {
        compare(&format!("--files {} --offsets-decoder", path.display()));
    }
    let metadata = data.join("__cluster_metadata-0");
    for suffix in [".log", ".checkpoint"] {
        for path in files(&metadata, suffix) {
            compare(&format!("--files {} --cluster-metadata-decoder", path.display()));
            let skips = "--cluster-metadata-decoder --skip-record-metadata";
            compare(&format!("{skips} --files={}", path.display()));
        }
    }
}

/// Writes a log of these batches.
fn write(folder: &Path, name: &str, batches: &[Bytes]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, batches.concat()).expect("it is written");
    path
}

/// Messages begin with their version.
fn versioned(rest: &[u8]) -> Vec<u8> {
    [&0_i16.to_be_bytes()[..], rest].concat()
}

fn control_batches() -> Vec<Bytes> {
    let mut leader = BatchBuilder::new(0).leader_epoch(3).control();
    // Leader 2, voters 1 and 2 (each with its end of tagged fields), who granted: 2.
    let change = b"\0\0\0\x02\x03\0\0\0\x01\0\0\0\0\x02\0\x02\0\0\0\x02\0\0";
    leader.append_control(5, ControlType::LeaderChange, &versioned(change));
    let mut header = BatchBuilder::new(1).leader_epoch(3).control();
    header.append_control(5, ControlType::SnapshotHeader, &versioned(b"\0\0\0\0\0\0\0\x09\0"));
    header.append_control(5, ControlType::KRaftVersion, &versioned(b"\0\x01\0"));
    header.append_control(5, ControlType::SnapshotFooter, &versioned(b"\0"));
    let marker = versioned(&7_i32.to_be_bytes());
    let ends = [ControlType::Commit, ControlType::Abort].into_iter().zip(4..).map(|(kind, at)| {
        let batch = BatchBuilder::new(at).producer(9, 1, -1).transactional().control();
        let mut batch = batch.leader_epoch(3);
        batch.append_control(6, kind, &marker);
        batch.build()
    });
    [leader.build(), header.build()].into_iter().chain(ends).collect()
}

/// Records of a coordinator's topic, at the offsets from 0 on.
fn records(of: &[(Bytes, Option<Bytes>)]) -> Bytes {
    let mut batch = BatchBuilder::new(0).leader_epoch(0);
    for (key, value) in of {
        batch.append(1_000, Some(key), value.as_deref());
    }
    batch.build()
}

fn transaction_value() -> TransactionLogValue {
    TransactionLogValue {
        producer_id: 5,
        producer_epoch: 2,
        timeout_ms: 60_000,
        status: 1,
        topics: Some(vec![TransactionTopic {
            topic: "t".into(),
            partitions: vec![0, 3],
            ..TransactionTopic::default()
        }]),
        last_update_timestamp_ms: 10,
        start_timestamp_ms: 9,
        ..TransactionLogValue::default()
    }
}

fn transactions() -> Bytes {
    let value = transaction_value();
    let key = TransactionRecord::key_bytes("my-id");
    let written = [0, 1].map(|version| (key.clone(), Some(value.write(version))));
    let [first, second] = written;
    records(&[first, second, (key.clone(), None), (key, Some(Bytes::from_static(b"\0\x09")))])
}

fn share_state() -> Bytes {
    let mut key = BytesMut::from(&b"\0\0\0\x01g"[..]);
    key.put_u128(77);
    key.put_i32(4);
    let mut value = BytesMut::from(&b"\0\0"[..]);
    for epoch in [1, 2, 3] {
        value.put_i32(epoch);
    }
    for long in [100, 8, 9] {
        value.put_i64(long);
    }
    // One batch of states, its fields and its end; and no tagged fields behind it.
    value.put_u8(2);
    value.put_i64(100);
    value.put_i64(104);
    value.put_i8(2);
    value.put_i16(1);
    value.extend_from_slice(b"\0\x01\0\x04\0\0\0\x06");
    let unknown = Bytes::from_static(b"\x03\xe7rest");
    records(&[(key.freeze(), Some(value.freeze())), (unknown, None), (Bytes::new(), None)])
}

#[test]
fn whatever_can_stand_in_a_log_is_shown_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut batches = control_batches();
    let mut odd = BatchBuilder::new(20).leader_epoch(4).producer(9, 1, i32::MAX).transactional();
    odd.append_with_headers(7, None, None, &[("h", None), ("ü", Some(b"x"))]);
    odd.append(9, Some(b"\0\0\0\x07"), Some(b"\xff\xfe\n"));
    batches.push(odd.build());
    let log = write(folder, "00000000000000000000.log", &batches);
    let log = log.display();
    for options in ["", "--deep-iteration", "--print-data-log", "--deep-iteration --max-bytes 300"]
    {
        compare(&format!("--files {log} {options}"));
    }
    let integers = "--key-decoder-class org.apache.kafka.tools.api.IntegerDecoder";
    compare(&format!("--files {log} {integers} --skip-record-metadata"));
    let name = "00000000000000000000.log";
    for (topic, batch, option) in [
        ("transactions", transactions(), "--transaction-log-decoder"),
        ("shares", share_state(), "--share-group-state-decoder"),
    ] {
        fs::create_dir(folder.join(topic)).expect("a folder");
        let path = write(&folder.join(topic), name, &[batch]);
        compare(&format!("--files {} {option}", path.display()));
        compare(&format!("--files {} --cluster-metadata-decoder", path.display()));
    }
    let aborted: Vec<u8> =
        [&0_i16.to_be_bytes()[..], &9_i64.to_be_bytes(), &20_i64.to_be_bytes()].concat();
    let aborted = [aborted, 30_i64.to_be_bytes().to_vec(), 20_i64.to_be_bytes().to_vec()].concat();
    fs::write(folder.join("00000000000000000000.txnindex"), aborted).expect("it is written");
    compare(&format!("--files {}", folder.join("00000000000000000000.txnindex").display()));
}

#[test]
fn damaged_and_unfitting_files_are_told_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut batch = BatchBuilder::new(0).leader_epoch(0);
    batch.append(1, Some(b"k"), Some(b"v"));
    let whole = batch.build();
    let mut torn = whole[..whole.len() - 3].to_vec();
    let cut = write(folder, "00000000000000000000.log", &[whole.clone(), torn.clone().into()]);
    compare(&format!("--files {} --deep-iteration", cut.display()));
    // A flipped byte of a value.
    torn = whole.to_vec();
    let at = torn.len() - 2;
    torn[at] ^= 1;
    let flipped = write(folder, "00000000000000000010.log", &[torn.into()]);
    compare(&format!("--files {} --print-data-log", flipped.display()));
    let zeros = write(folder, "00000000000000000020.log", &[whole.clone(), vec![0; 40].into()]);
    compare(&format!("--files {}", zeros.display()));
    let short = write(folder, "00000000000000000030.log", &[whole, Bytes::from_static(b"abc")]);
    compare(&format!("--files {},{}", short.display(), cut.display()));
    let empty = write(folder, "00000000000000000040.log", &[]);
    compare(&format!("--files {}", empty.display()));
    // Offset 5 at position 0, where the batch ends at 0; and the same by time.
    let index = folder.join("00000000000000000000.index");
    fs::write(&index, b"\0\0\0\x05\0\0\0\0").expect("it is written");
    let times = folder.join("00000000000000000000.timeindex");
    let entries: [&[u8]; 2] = [b"\0\0\0\0\0\0\0\x63\0\0\0\0", b"\0\0\0\0\0\0\0\x05\0\0\0\x03"];
    fs::write(&times, entries.concat()).expect("it is written");
    for options in ["", "--verify-index-only", "--index-sanity-check"] {
        compare(&format!("--files {},{} {options}", index.display(), times.display()));
    }
    let snapshot = folder.join("00000000000000000009.snapshot");
    for content in [&b"\0\x02"[..], b"\0\x01\0\0\0\0\0\0\0\0", b"\0"] {
        fs::write(&snapshot, content).expect("it is written");
        compare(&format!("--files {}", snapshot.display()));
    }
    for name in ["README", "leader-epoch-checkpoint", "partition.metadata", "x.log"] {
        fs::write(folder.join(name), "text").expect("it is written");
        compare(&format!("--files {}", folder.join(name).display()));
    }
    compare(&format!("--files {}", folder.join("00000000000000000099.log").display()));
}

#[test]
fn wrong_use_is_told_alike() {
    for line in [
        "",
        "--help",
        "--version",
        "--print-data-log",
        "--files",
        "--nonsense",
        "--files a.log --files b.log",
        "--files=a.log --max-message-size x",
        "-files a.unknown",
    ] {
        compare(line);
    }
}

/// Groups, offsets and transactions that a node kept, and what else 3.7 says in its own words.
#[test]
fn in_the_words_of_3_7_the_same_files_are_shown_alike() {
    let old = |line: &str| compare_as("3.7.0", line);
    for line in ["", "--help", "--version", "--print-data-log", "--share-group-state-decoder"] {
        old(line);
    }
    let extra = ["num.partitions=2", "offsets.topic.num.partitions=1"];
    let mut server = Server::start(Kind::Gregor, &extra.map(str::to_owned));
    let address = server.address();
    let stock = |line: &str, stdin: &str| {
        let line = line.replace("SERVER", &address);
        let mut words = words(&line);
        let tool = words.remove(0);
        let done = ToolServer::shared().run("3.7.0", &tool, &words, stdin);
        assert_eq!(done.code, 0, "{line}: {}", done.stderr);
    };
    stock("kafka-console-producer --bootstrap-server SERVER --topic t", "one\ntwo\n");
    let consume = "kafka-console-consumer --bootstrap-server SERVER --topic t --from-beginning";
    stock(&format!("{consume} --max-messages 2 --group g"), "");
    let to_none = "kafka-consumer-groups --bootstrap-server SERVER --group h --topic t";
    stock(&format!("{to_none} --reset-offsets --to-earliest --execute"), "");
    stock("kafka-consumer-groups --bootstrap-server SERVER --group h --delete", "");
    server.terminate();
    for path in files(&server.data().join("__consumer_offsets-0"), ".log") {
        old(&format!("--files {} --offsets-decoder", path.display()));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut gap = BatchBuilder::new(9).leader_epoch(3);
    gap.append(5, Some(b"\0\0\0\x07"), Some(b"v"));
    let mut later = BatchBuilder::new(20).leader_epoch(3);
    later.append(5, Some(b"\0\0\0\x07"), None);
    let gaps = write(folder, "00000000000000000009.log", &[gap.build(), later.build()]);
    for options in [
        "",
        "--deep-iteration",
        "--key-decoder-class kafka.serializer.IntegerDecoder",
        "--value-decoder-class org.apache.kafka.tools.api.StringDecoder",
    ] {
        old(&format!("--files {} {options}", gaps.display()));
    }
    let control = write(folder, "00000000000000000000.log", &control_batches());
    old(&format!("--files {} --deep-iteration", control.display()));
    let topic = folder.join("transactions");
    fs::create_dir(&topic).expect("a folder");
    let mut known = BatchBuilder::new(0).leader_epoch(0);
    let value = transaction_value();
    let key = TransactionRecord::key_bytes("my-id");
    for value in [Some(value.write(0)), Some(value.write(1)), None] {
        known.append(1_000, Some(&key), value.as_deref());
    }
    known.append(1_000, Some(b"\x03\xe7rest"), None);
    let path = write(&topic, "00000000000000000000.log", &[known.build()]);
    old(&format!("--files {} --transaction-log-decoder", path.display()));
    old(&format!("--files {} --cluster-metadata-decoder", path.display()));
    let index = folder.join("00000000000000000000.index");
    fs::write(&index, b"\0\0\0\x05\0\0\0\0").expect("it is written");
    let times = folder.join("00000000000000000000.timeindex");
    let entries: [&[u8]; 2] = [b"\0\0\0\0\0\0\0\x63\0\0\0\0", b"\0\0\0\0\0\0\0\x05\0\0\0\x09"];
    fs::write(&times, entries.concat()).expect("it is written");
    for options in ["", "--verify-index-only", "--index-sanity-check"] {
        old(&format!("--files {},{} {options}", index.display(), times.display()));
    }
}
