//! Compaction as a log lives through it: what is due when, power losses and failing disks at every
//! operation, readers meanwhile, cuts and deletions meanwhile. What stays of a log is compared with
//! Kafka's own cleaner in tests/tests/log_cleaner.rs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/power_loss.rs"]
mod power_loss;
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use protocol::batch::{BatchBuilder, ControlType, NO_SEQUENCE};
use storage::{
    AppendOrigin, CleanableOffsets, Cleaned, CleanedSegment, CleanerConfig, CleanerHost,
    CleaningError, CleanupPolicy, Disk, DiskOp, Faults, Log, LogConfig, LogDir, LogDirOptions,
    LogToClean, OpenFiles, StorageError, Verdict,
};

use power_loss::{Disks, Draws, Recorder, restore};
use support::{Row, contents, in_memory};

const NOW: i64 = 1_000_000;

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 1_500,
        index_interval_bytes: 200,
        file_delete_delay_ms: 0,
        delete_retention_ms: 1_000,
        min_cleanable_dirty_ratio: 0.0,
        cleanup: CleanupPolicy { delete: false, compact: true },
        retention_ms: -1,
        verify_transactions: false,
        ..LogConfig::default()
    }
}

fn open_dir(path: &Path, disk: Disk, open_files: usize) -> LogDir {
    let options = LogDirOptions {
        producer_expiration_ms: i64::MAX,
        disk,
        open_files: Arc::new(OpenFiles::new(open_files)),
    };
    LogDir::open(path, options).unwrap()
}

fn open_log(dir: &LogDir, config: LogConfig) -> Log {
    let mut log = dir.open_log("t", 0, None, config, NOW, 7).unwrap();
    log.high_watermark_moved(log.log_end_offset());
    log
}

fn append(log: &mut Log, key: &str, value: Option<&str>) {
    let mut builder = BatchBuilder::new(0);
    builder.append(NOW, Some(key.as_bytes()), value.map(str::as_bytes));
    log.append_as_leader(&builder.build(), 1, NOW, AppendOrigin::Client).unwrap();
    log.high_watermark_moved(log.log_end_offset());
}

/// Keys over and over, tombstones, and a transaction that is rolled back, over several segments.
fn fill(log: &mut Log, rounds: usize) {
    for round in 0..rounds {
        for key in 0..12 {
            let value = format!("value {round} of {key} {}", "x".repeat(20));
            let is_tombstone = (round + key) % 7 == 3;
            append(log, &format!("key-{key}"), (!is_tombstone).then_some(value.as_str()));
        }
        let producer_id = 9 + log.log_end_offset();
        let mut builder = BatchBuilder::new(0).producer(producer_id, 0, 0).transactional();
        builder.append(NOW, Some(b"key-0"), Some(b"rolled back"));
        log.append_as_leader(&builder.build(), 1, NOW, AppendOrigin::Client).unwrap();
        let mut builder =
            BatchBuilder::new(0).producer(producer_id, 0, NO_SEQUENCE).transactional();
        builder.append_control(NOW, ControlType::Abort, &[0, 0, 0, 0, 0, 0]);
        log.append_as_leader(&builder.build(), 1, NOW, AppendOrigin::Coordinator).unwrap();
        log.high_watermark_moved(log.log_end_offset());
    }
    log.roll(NOW).unwrap();
    append(log, "last", Some("of all"));
    log.flush(NOW).unwrap();
}

/// What happens to the log while it is cleaned.
type Meanwhile<'m> = Box<dyn FnOnce(&mut Log) + 'm>;

struct Host<'h> {
    log: &'h Mutex<Log>,
    to_clean: &'h LogToClean,
    /// Happens once, when so many bytes were asked for.
    meanwhile: Option<(u64, Meanwhile<'h>)>,
    moved: u64,
}

impl CleanerHost for Host<'_> {
    fn acquire(&mut self, bytes: u64) -> Result<(), CleaningError> {
        self.moved += bytes;
        if self.meanwhile.as_ref().is_some_and(|(at, _)| self.moved >= *at) {
            let (_, act) = self.meanwhile.take().unwrap();
            act(&mut self.log.lock().unwrap());
        }
        Ok(())
    }

    fn replace_segments(&mut self, cleaned: &CleanedSegment) -> Result<(), CleaningError> {
        let replaced = self.log.lock().unwrap().replace_segments(self.to_clean, cleaned, NOW)?;
        if replaced { Ok(()) } else { Err(CleaningError::Aborted) }
    }
}

fn clean_while<'a>(
    log: &'a Mutex<Log>,
    now_ms: i64,
    meanwhile: Option<(u64, Meanwhile<'a>)>,
) -> Result<Cleaned, CleaningError> {
    let to_clean = {
        let log = log.lock().unwrap();
        let offsets = log.cleanable_offsets(now_ms)?;
        log.begin_cleaning(offsets)?
    };
    let config = CleanerConfig {
        dedupe_buffer_bytes: 1 << 16,
        dedupe_buffer_load_factor: 0.9,
        io_buffer_bytes: 300,
    };
    let mut host = Host { log, to_clean: &to_clean, meanwhile, moved: 0 };
    let cleaned = storage::clean(&to_clean, &config, now_ms, &mut host, &mut || {})?;
    log.lock().unwrap().end_cleaning(&to_clean, cleaned.end_offset)?;
    Ok(cleaned)
}

fn clean(log: &Mutex<Log>) -> Result<Cleaned, CleaningError> {
    clean_while(log, NOW, None)
}

/// The last value of each key; a tombstone is none.
fn last_values(rows: &[Row]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut last = BTreeMap::new();
    for (_, _, key, value) in rows {
        // A marker's key is none that anybody reads.
        let Some(key) = key.clone().filter(|key| key.len() > 4 || key == b"last") else {
            continue;
        };
        match value {
            Some(value) if value == b"rolled back" => {}
            Some(value) => drop(last.insert(key, value.clone())),
            None => drop(last.remove(&key)),
        }
    }
    last
}

fn check(log: &Log, before: &[Row], place: &str) {
    let rows = contents(log);
    assert_eq!(last_values(&rows), last_values(before), "{place}");
    for row in &rows {
        assert!(before.contains(row), "{place}: {row:?} was never written so");
    }
    assert_eq!(log.log_end_offset(), before.last().unwrap().0 + 1, "{place}");
    assert!(log.aborted_transactions(0, log.log_end_offset()).is_ok(), "{place}");
}

#[test]
fn whatever_a_power_loss_leaves_of_a_compaction_no_last_value_is_lost() {
    let (root, images) = (in_memory(), in_memory());
    let recorder = Recorder::new(root.path());
    let dir = open_dir(root.path(), Disk::with_faults(recorder.clone()), 100);
    let mut log = open_log(&dir, config());
    fill(&mut log, 6);
    let before = contents(&log);
    let size = log.size_bytes();
    let log = Mutex::new(log);
    let from = recorder.now();
    clean(&log).unwrap();
    let first = recorder.now();
    assert!(log.lock().unwrap().size_bytes() < size / 2);
    // Tombstones and markers go with a second one, once their time is over.
    append(&mut log.lock().unwrap(), "more", Some("at the end"));
    log.lock().unwrap().roll(NOW).unwrap();
    append(&mut log.lock().unwrap(), "last", Some("of all"));
    log.lock().unwrap().flush(NOW).unwrap();
    let whole = contents(&log.lock().unwrap());
    let second = recorder.now();
    clean_while(&log, NOW + 5_000, None).unwrap();
    log.lock().unwrap().remove_doomed(NOW + 1).unwrap();
    let rows = contents(&log.lock().unwrap());
    assert!(rows.iter().all(|(_, _, _, value)| value.is_some()), "{rows:?}");
    assert_eq!(last_values(&rows), last_values(&whole));

    let (mut disks, mut draws, mut looked_at) = (Disks::default(), Draws::new(1), 0);
    for (point, event) in recorder.events().iter().enumerate() {
        disks.apply(event);
        // Between the two the log is appended to, which is no matter of compaction.
        let expected = match point + 1 {
            now if (from..=first).contains(&now) => &before,
            now if now >= second => &whole,
            _ => continue,
        };
        let mut left = disks.corners();
        left.extend((0..2).map(|_| disks.drawn(&mut draws)));
        for image in left {
            restore(images.path(), &image);
            let dir = open_dir(images.path(), Disk::default(), 100);
            let mut config = config();
            // Whoever makes it a topic that is not compacted meanwhile loses nothing either.
            if looked_at % 2 == 1 {
                config.cleanup = CleanupPolicy { delete: true, compact: false };
            }
            let log = open_log(&dir, config);
            let place = format!("point {point}, image {looked_at}");
            check(&log, expected, &place);
            looked_at += 1;
        }
    }
    assert!(looked_at > 300, "{looked_at}");
}

/// Fails the operation of one number.
#[derive(Debug, Default)]
struct FailAt {
    number: AtomicUsize,
    left: AtomicUsize,
    is_armed: AtomicBool,
    has_failed: AtomicBool,
}

impl Faults for FailAt {
    fn before(&self, operation: DiskOp, _: &Path) -> Verdict {
        if !self.is_armed.load(Ordering::SeqCst) {
            return Verdict::Proceed;
        }
        self.number.fetch_add(1, Ordering::SeqCst);
        if self.left.fetch_sub(1, Ordering::SeqCst) != 1 {
            return Verdict::Proceed;
        }
        self.has_failed.store(true, Ordering::SeqCst);
        let error = std::io::Error::from_raw_os_error(5);
        match operation {
            DiskOp::Write => Verdict::Torn { written: 7, error },
            _ => Verdict::Fail(error),
        }
    }
}

#[test]
fn whichever_operation_of_a_compaction_fails_no_last_value_is_lost() {
    let mut failed = 0;
    for number in 1.. {
        let root = in_memory();
        let faults = Arc::new(FailAt::default());
        let dir = open_dir(root.path(), Disk::with_faults(faults.clone()), 100);
        let mut log = open_log(&dir, config());
        fill(&mut log, 2);
        let before = contents(&log);
        let log = Mutex::new(log);
        faults.left.store(number, Ordering::SeqCst);
        faults.is_armed.store(true, Ordering::SeqCst);
        let cleaned = clean(&log);
        faults.is_armed.store(false, Ordering::SeqCst);
        if !faults.has_failed.load(Ordering::SeqCst) {
            cleaned.unwrap();
            break;
        }
        failed += 1;
        let place = format!("operation {number}");
        let log = log.into_inner().unwrap();
        if !log.is_failed() {
            // What was read is as before, and the next pass goes through.
            check(&log, &before, &place);
            let log = Mutex::new(log);
            clean(&log).unwrap();
            check(&log.into_inner().unwrap(), &before, &place);
        }
        drop(dir);
        let dir = open_dir(root.path(), Disk::default(), 100);
        check(&open_log(&dir, config()), &before, &place);
    }
    assert!(failed > 60, "{failed}");
}

#[test]
fn readers_go_on_while_segments_are_replaced() {
    let root = in_memory();
    // Eight at most are kept open, so that what is not used is closed at once.
    let dir = open_dir(root.path(), Disk::default(), 8);
    let mut log = open_log(&dir, config());
    fill(&mut log, 8);
    let before = contents(&log);
    let reader = log.reader();
    let plans: Vec<_> = log
        .segment_offsets()
        .into_iter()
        .map(|base| reader.plan(base, 600, i64::MAX, true).unwrap().unwrap())
        .collect();
    let expected: Vec<Vec<u8>> = plans.iter().map(|plan| plan.copy().unwrap()).collect();
    let slices: Vec<_> = plans.iter().map(|plan| plan.fetch().unwrap().slices).collect();
    let log = Mutex::new(log);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut rounds = 0;
            while !done.load(Ordering::SeqCst) || rounds == 0 {
                let mut offset = reader.log_start_offset();
                while offset < reader.log_end_offset() {
                    let read = reader.read(offset, 700, i64::MAX, true).unwrap();
                    let Some(bytes) = read.slices.first() else { break };
                    let found = protocol::batch::BatchView::parse(bytes).unwrap();
                    found.verify_crc().unwrap();
                    offset = found.next_offset();
                    reader.aborted_transactions(found.base_offset(), offset).unwrap();
                }
                assert_eq!(offset, reader.log_end_offset());
                rounds += 1;
            }
        });
        for _ in 0..5 {
            clean(&log).unwrap();
            let mut log = log.lock().unwrap();
            fill(&mut log, 1);
            log.remove_doomed(NOW + 1).unwrap();
        }
        done.store(true, Ordering::SeqCst);
        reading.join().unwrap();
    });
    for (at, plan) in plans.iter().enumerate() {
        assert_eq!(plan.copy().unwrap(), expected[at], "segment {at} is read as it was");
        assert_eq!(slices[at].concat(), expected[at], "and what was sent of it stays");
    }
    let log = log.into_inner().unwrap();
    assert_eq!(last_values(&contents(&log)).len(), last_values(&before).len());
}

#[test]
fn a_cut_a_deletion_or_another_policy_meanwhile_ends_it_and_the_next_goes_through() {
    type Act = fn(&mut Log);
    let acts: [(&str, Act); 4] = [
        ("cut", |log| {
            log.truncate_to(20, NOW).unwrap();
        }),
        ("started anew", |log| log.truncate_fully_and_start_at(500, 500, NOW).unwrap()),
        ("deleted", |log| {
            log.delete_records_before(log.segment_offsets()[2]).unwrap();
            assert!(log.delete_old_segments(NOW).unwrap() > 0);
            log.remove_doomed(NOW + 1).unwrap();
        }),
        ("deleted by policy", |log| {
            let cleanup = CleanupPolicy { delete: true, compact: false };
            log.set_config(LogConfig { cleanup, ..config() });
        }),
    ];
    for (what, act) in acts {
        for at in [1, 2_000, 6_000, 8_000] {
            let root = in_memory();
            let dir = open_dir(root.path(), Disk::default(), 8);
            let mut log = open_log(&dir, config());
            fill(&mut log, 5);
            let log = Mutex::new(log);
            let cleaned = clean_while(&log, NOW, Some((at, Box::new(act))));
            let place = format!("{what} after {at} bytes: {cleaned:?}");
            assert!(matches!(cleaned, Err(CleaningError::Aborted)), "{place}");
            let mut log = log.into_inner().unwrap();
            log.set_config(config());
            log.high_watermark_moved(log.log_end_offset());
            fill(&mut log, 3);
            let before = contents(&log);
            let log = Mutex::new(log);
            clean(&log).unwrap();
            let log = log.into_inner().unwrap();
            assert_eq!(last_values(&contents(&log)), last_values(&before), "{place}");
            let names: Vec<_> = std::fs::read_dir(log.directory()).unwrap().collect();
            let is_left = |name: &String| name.ends_with(".cleaned") || name.ends_with(".swap");
            let names = names.into_iter().map(|e| e.unwrap().file_name().into_string().unwrap());
            assert!(!names.into_iter().any(|name| is_left(&name)), "{place}");
        }
    }
}

fn offsets(log: &Log, now_ms: i64) -> CleanableOffsets {
    log.cleanable_offsets(now_ms).unwrap()
}

#[test]
fn what_may_be_compacted_ends_at_the_first_thing_that_keeps_it() {
    let root = in_memory();
    let dir = open_dir(root.path(), Disk::default(), 100);
    let mut log = open_log(&dir, config());
    fill(&mut log, 3);
    let bases = log.segment_offsets();
    let active = *bases.last().unwrap();
    assert_eq!(offsets(&log, NOW).first_uncleanable_offset, active);
    assert!(offsets(&log, NOW).is_due());
    // The high watermark lies within the second segment.
    log.high_watermark_moved(bases[1] + 1);
    assert_eq!(offsets(&log, NOW).first_uncleanable_offset, bases[1]);
    log.high_watermark_moved(log.log_end_offset());
    // Records are younger than the lag, and then old enough; then older than they may get.
    log.set_config(LogConfig { min_compaction_lag_ms: 100, ..config() });
    assert_eq!(offsets(&log, NOW + 99).first_uncleanable_offset, bases[0]);
    assert!(!offsets(&log, NOW + 99).is_due());
    assert_eq!(offsets(&log, NOW + 100).first_uncleanable_offset, active);
    let lazy =
        LogConfig { min_cleanable_dirty_ratio: 1.0, max_compaction_lag_ms: 1_000, ..config() };
    log.set_config(lazy);
    assert!(!offsets(&log, NOW + 1_000).is_due());
    assert!(offsets(&log, NOW + 1_001).is_due());
    assert_eq!(offsets(&log, NOW + 1_007).compaction_delay_ms, 7);
    log.set_config(config());
    // What was compacted is clean, until more comes.
    let log = Mutex::new(log);
    clean(&log).unwrap();
    let mut log = log.into_inner().unwrap();
    assert_eq!(offsets(&log, NOW).first_dirty_offset, active);
    assert_eq!(offsets(&log, NOW).ratio(), Some(0.0));
    let checkpoint = root.path().join("cleaner-offset-checkpoint");
    let said = || std::fs::read_to_string(&checkpoint).unwrap();
    assert_eq!(said(), format!("0\n1\nt 0 {active}\n"));
    fill(&mut log, 1);
    assert!(offsets(&log, NOW).ratio().is_some_and(|ratio| ratio > 0.0 && ratio < 1.0));
    // A cut below the checkpoint lowers it; a log that begins above it is dirty from there.
    log.truncate_to(active - 3, NOW).unwrap();
    assert_eq!(said(), format!("0\n1\nt 0 {}\n", active - 3));
    log.truncate_fully_and_start_at(active + 100, active + 100, NOW).unwrap();
    assert_eq!(offsets(&log, NOW).first_dirty_offset, active + 100);
    assert!(offsets(&log, NOW).checkpoint_is_invalid);
    // A log that is gone leaves nothing to another of its name.
    dir.retire(&log, uuid::Uuid::from_u128(1)).unwrap();
    assert_eq!(said(), "0\n0\n");
}

#[test]
fn damage_is_named_and_never_written_anew() {
    let root = in_memory();
    let dir = open_dir(root.path(), Disk::default(), 100);
    let mut log = open_log(&dir, config());
    fill(&mut log, 3);
    let first = log.directory().join(format!("{:020}.log", 0));
    let mut bytes = std::fs::read(&first).unwrap();
    bytes[70] ^= 1;
    std::fs::write(&first, &bytes).unwrap();
    let log = Mutex::new(log);
    let found = clean(&log).unwrap_err();
    assert!(matches!(&found, CleaningError::Storage(StorageError::Corrupt(_))), "{found}");
    assert!(found.to_string().contains("CRC"), "{found}");
    assert_eq!(std::fs::read(&first).unwrap(), bytes, "it is left as it is");
}
