//! Descriptors and memory may run out at any system call. Nothing is lost by it and nothing is
//! final: whoever tries again gets what an untroubled log would have given, and so does the next
//! start, whether it trusts the side files or not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use storage::{
    AppendError, AppendOrigin, Disk, DiskOp, EpochEntry, Faults, Log, LogConfig, OpenOptions,
    StorageError, Verdict,
};
use support::{batch, contents};

const EMFILE: i32 = 24;
const ENOMEM: i32 = 12;

/// Fails some operations in a row, from the given one on.
#[derive(Debug)]
struct Exhausted {
    from: usize,
    count: usize,
    errno: i32,
    seen: AtomicUsize,
    is_over: AtomicBool,
}

impl Faults for Exhausted {
    fn before(&self, _: DiskOp, _: &Path) -> Verdict {
        if self.is_over.load(Ordering::Relaxed) {
            return Verdict::Proceed;
        }
        let number = self.seen.fetch_add(1, Ordering::Relaxed);
        if (self.from..self.from + self.count).contains(&number) {
            Verdict::Fail(io::Error::from_raw_os_error(self.errno))
        } else {
            Verdict::Proceed
        }
    }
}

/// What a log holds, as far as anybody can ask.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    values: Vec<String>,
    epochs: Vec<EpochEntry>,
    end: i64,
}

fn held(log: &Log) -> Held {
    let rows = contents(log);
    let value = |row: &support::Row| String::from_utf8(row.3.clone().unwrap()).unwrap();
    Held {
        values: rows.iter().map(value).collect(),
        epochs: log.leader_epochs().to_vec(),
        end: log.log_end_offset(),
    }
}

fn open(dir: &Path, disk: Disk, recovery_point: i64, clean: bool) -> Result<Log, StorageError> {
    let config =
        LogConfig { segment_bytes: 600, index_interval_bytes: 100, ..LogConfig::default() };
    let clean_shutdown = clean;
    let options =
        OpenOptions { disk, recovery_point, clean_shutdown, now_ms: 1000, ..Default::default() };
    Log::open(dir, config, options)
}

/// Tries until it succeeds; each failure must be one that passes.
fn persist<R>(what: &str, mut attempt: impl FnMut() -> Result<R, AppendError>) -> R {
    for _ in 0..20 {
        match attempt() {
            Ok(done) => return done,
            Err(AppendError::Storage(error)) if error.is_exhaustion() => {}
            Err(error) => panic!("{what}: {error}"),
        }
    }
    panic!("{what}: still fails");
}

/// A leader's life, then a follower's whose log parts twice from its leader's, then a leader's.
fn live(log: &mut Log) {
    for round in 0..8 {
        let epoch = round / 3;
        persist("an election", || Ok(log.begin_leader_epoch(epoch)?));
        append(log, round, epoch);
    }
    // An epoch without records, then two cuts over several segments, one of them to nothing.
    persist("an election", || Ok(log.begin_leader_epoch(5)?));
    persist("a cut", || Ok(log.truncate_to(2, 1000).map(drop)?));
    for round in 10..13 {
        append(log, round, 6);
    }
    persist("a flush", || Ok(log.flush(1000)?));
    persist("a new start", || Ok(log.truncate_fully_and_start_at(40, 40, 1000)?));
    for round in 20..24 {
        append(log, round, 7);
    }
    persist("an election", || Ok(log.begin_leader_epoch(9)?));
    append(log, 30, 9);
}

fn append(log: &mut Log, round: i32, epoch: i32) {
    let value = format!("{round:0>200}");
    persist("an append", || {
        log.append_as_leader(&batch(&[&value]), epoch, 1000, AppendOrigin::Client)
    });
}

/// Whether that many operations happened at all.
fn exhausted_at(from: usize, count: usize, errno: i32) -> bool {
    let dir = support::in_memory();
    let path = dir.path().join("t-0");
    let (seen, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let faults = Arc::new(Exhausted { from, count, errno, seen, is_over });
    let disk = Disk::with_faults(Arc::clone(&faults) as Arc<dyn Faults>);
    let mut log = persist("opening", || Ok(open(&path, disk.clone(), 0, false)?));
    live(&mut log);
    let values: Vec<String> =
        [20, 21, 22, 23, 30].iter().map(|round| format!("{round:0>200}")).collect();
    let epochs = [(7, 40), (9, 44)];
    let epochs: Vec<EpochEntry> =
        epochs.iter().map(|&(epoch, start_offset)| EpochEntry { epoch, start_offset }).collect();
    let wanted = Held { values, epochs, end: 45 };
    faults.is_over.store(true, Ordering::Relaxed);
    assert_eq!(held(&log), wanted, "from {from}, {count} times");
    faults.is_over.store(false, Ordering::Relaxed);
    persist("closing", || Ok(log.close_here(1000)?));
    let (recovery_point, happened) = (log.recovery_point(), faults.seen.load(Ordering::Relaxed));
    drop(log);
    assert_eq!(recovery_point, 45);
    for clean in [true, false] {
        let log = open(&path, Disk::default(), recovery_point, clean).unwrap();
        assert_eq!(held(&log), wanted, "from {from}, {count} times; clean: {clean}");
    }
    happened > from
}

#[test]
fn who_tries_again_after_exhaustion_loses_nothing_at_whatever_call_it_struck() {
    for (count, errno) in [(1, EMFILE), (3, EMFILE), (6, ENOMEM)] {
        let points = (0..).take_while(|&from| exhausted_at(from, count, errno)).count();
        assert!(points > 100, "{points} points");
    }
}
