//! Files of Kafka 4.1 (see `golden/KafkaLog.java`): we read in them what Kafka reads, and given the
//! same batches we write the same files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use protocol::batch::{BatchHeader, BatchView, HEADER_LEN, batches};
use storage::{AppendOrigin, CleanupPolicy, Log, LogConfig, OpenOptions};

const T: i64 = 1_700_000_000_000;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// A copy of a golden directory that may be written to.
fn copy(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(golden(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    dir
}

fn config() -> LogConfig {
    LogConfig {
        index_interval_bytes: 300,
        segment_index_bytes: 1200,
        cleanup: CleanupPolicy { delete: true, compact: false },
        verify_transactions: false,
        ..LogConfig::default()
    }
}

fn options(clean_shutdown: bool) -> OpenOptions {
    OpenOptions {
        clean_shutdown,
        now_ms: T + 10_000,
        producer_expiration_ms: i64::from(i32::MAX),
        ..OpenOptions::default()
    }
}

fn hex(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return "null".to_owned() };
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What `KafkaLog.java read` prints, said by us.
fn facts(log: &mut Log) -> String {
    let mut out = String::new();
    let (start, end) = (log.log_start_offset(), log.log_end_offset());
    log.high_watermark_moved(end);
    writeln!(out, "end {end} start {start} stable {}", log.last_stable_offset(end)).unwrap();
    for base in log.segment_offsets() {
        let size =
            std::fs::metadata(log.directory().join(format!("{base:020}.log"))).unwrap().len();
        writeln!(out, "segment {base} {size}").unwrap();
        let read = log.reader().read(base, 1 << 30, i64::MAX, true).unwrap();
        for batch in batches(&read.slices[0]) {
            batch_facts(&batch.unwrap(), &mut out);
        }
    }
    for entry in log.leader_epochs() {
        writeln!(out, "epoch {} {}", entry.epoch, entry.start_offset).unwrap();
    }
    let mut producers = log.producers();
    producers.sort_by_key(|producer| producer.producer_id);
    for p in producers {
        let (sequence, first) = (p.last_sequence, p.transaction_start_offset);
        writeln!(
            out,
            "producer {} {} {sequence} {} {} {first}",
            p.producer_id, p.producer_epoch, p.last_timestamp, p.coordinator_epoch
        )
        .unwrap();
    }
    for a in log.aborted_transactions(0, end).unwrap() {
        let (last, stable) = (a.last_offset, a.last_stable_offset);
        writeln!(out, "aborted {} {} {last} {stable}", a.producer_id, a.first_offset).unwrap();
    }
    for t in [0, T, T + 50, T + 333, T + 500, T + 640, T + 705, T + 851, T + 899, T + 5000] {
        let found = log.offset_for_timestamp(t).unwrap();
        writeln!(out, "time {t} {}", time_fact(found)).unwrap();
    }
    writeln!(out, "time max {}", time_fact(log.max_timestamp().unwrap())).unwrap();
    out
}

fn time_fact(found: Option<storage::TimestampOffset>) -> String {
    found.map_or_else(
        || "none".to_owned(),
        |found| format!("{} {} {}", found.offset, found.timestamp, found.leader_epoch),
    )
}

fn batch_facts(batch: &BatchView<'_>, out: &mut String) {
    batch.verify_crc().unwrap();
    let codec = batch.compression().unwrap();
    writeln!(
        out,
        "batch {} {} {} {} {} {} {} {}{}{}",
        batch.base_offset(),
        batch.last_offset(),
        batch.partition_leader_epoch(),
        batch.max_timestamp(),
        batch.producer_id(),
        batch.producer_epoch(),
        batch.base_sequence(),
        codec.id(),
        if batch.is_transactional() { " transactional" } else { "" },
        if batch.is_control() { " control" } else { "" },
    )
    .unwrap();
    let payload = compression::decompress(codec, batch.payload()).unwrap();
    for record in protocol::batch::Records::new(&batch.header_copy(), &payload).unwrap() {
        let record = record.unwrap();
        let (key, value) = (hex(record.key), hex(record.value));
        write!(out, "record {} {} {key} {value}", record.offset, record.timestamp).unwrap();
        for header in record.headers {
            let name = String::from_utf8_lossy(header.key);
            write!(out, " {name}={}", hex(header.value)).unwrap();
        }
        out.push('\n');
    }
}

#[track_caller]
fn assert_same_lines(ours: &str, kafkas: &str) {
    for (ours, kafkas) in ours.lines().zip(kafkas.lines()) {
        assert_eq!(ours, kafkas);
    }
    assert_eq!(ours.lines().count(), kafkas.lines().count());
}

#[test]
fn a_log_that_kafka_closed_or_left_behind_when_killed_tells_us_what_it_tells_kafka() {
    let kafkas = std::fs::read_to_string(golden("facts.txt")).unwrap();
    for (name, clean) in [("clean-0", true), ("clean-0", false), ("killed-0", false)] {
        let dir = copy(name);
        let mut log = Log::open(dir.path(), config(), options(clean)).unwrap();
        assert_same_lines(&facts(&mut log), &kafkas);
    }
}

#[test]
fn the_same_batches_make_the_same_files_byte_by_byte() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("golden-0");
    let mut log = Log::open(&dir, config(), options(false)).unwrap();
    for base in [0_i64, 90, 146] {
        if base > 0 {
            log.roll(T + 10_000).unwrap();
        }
        let content = std::fs::read(golden("clean-0").join(format!("{base:020}.log"))).unwrap();
        for batch in batches(&content) {
            let batch = batch.unwrap();
            let mut header: BatchHeader = batch.header_copy();
            header.set_base_offset(0);
            header.set_partition_leader_epoch(-1);
            let records = [&header.as_bytes()[..], &batch.bytes()[HEADER_LEN..]].concat();
            let origin =
                if batch.is_control() { AppendOrigin::Coordinator } else { AppendOrigin::Client };
            let epoch = batch.partition_leader_epoch();
            let appended =
                log.append_as_leader(&records.into(), epoch, T + 10_000, origin).unwrap();
            assert_eq!(appended.base_offset, batch.base_offset());
        }
    }
    log.close(T + 10_000).unwrap();
    let mut compared = 0;
    for entry in std::fs::read_dir(golden("clean-0")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name == "partition.metadata" {
            continue;
        }
        let (kafkas, ours) =
            (std::fs::read(golden("clean-0").join(&name)), std::fs::read(dir.join(&name)));
        assert_eq!(sorted(&name, ours.unwrap()), sorted(&name, kafkas.unwrap()), "{name}");
        compared += 1;
    }
    assert_eq!(compared, std::fs::read_dir(&dir).unwrap().count());
    assert_eq!(compared, 15);
}

/// Producers stand in a snapshot in the order of a hash map; its CRC depends on it.
fn sorted(name: &str, content: Vec<u8>) -> Vec<u8> {
    if !name.ends_with(".snapshot") {
        return content;
    }
    let mut entries: Vec<_> = content[10..].chunks(46).collect();
    entries.sort_unstable();
    [&content[..2], &content[6..10], &entries.concat()].concat()
}
