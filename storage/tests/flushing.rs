//! Up to where a flush may say that the disk has everything.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use storage::{AppendOrigin, Disk, DiskOp, Faults, Log, LogConfig, OpenOptions, Verdict};
use support::{batch, open, small_segments};

fn append(log: &mut Log, count: usize) {
    for _ in 0..count {
        log.append_as_leader(&batch(&["a record"]), 0, 1000, AppendOrigin::Client).unwrap();
    }
}

#[test]
fn what_was_cut_and_written_anew_while_a_flush_ran_is_not_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(&dir.path().join("t-0"), small_segments(), false);
    append(&mut log, 20);
    let ticket = log.begin_flush(1000).unwrap().unwrap();
    log.truncate_to(5, 1000).unwrap();
    append(&mut log, 3);
    log.roll(1000).unwrap();
    append(&mut log, 30);
    log.end_flush(ticket.run()).unwrap();
    // The records from 5 on are others than those that were synced.
    assert!(log.recovery_point() <= 5, "{}", log.recovery_point());
    log.flush(1000).unwrap();
    assert_eq!(log.recovery_point(), 38);
}

#[test]
fn appends_while_a_flush_ran_are_left_for_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(&dir.path().join("t-0"), small_segments(), false);
    append(&mut log, 20);
    let ticket = log.begin_flush(1000).unwrap().unwrap();
    append(&mut log, 10);
    log.end_flush(ticket.run()).unwrap();
    assert_eq!(log.recovery_point(), 20);
}

/// Has no descriptors while it is told so; notes which files were synced.
#[derive(Debug, Default)]
struct Scarce {
    exhausted: AtomicBool,
    synced: Mutex<Vec<String>>,
}

impl Faults for Scarce {
    fn before(&self, operation: DiskOp, path: &Path) -> Verdict {
        let opens = matches!(operation, DiskOp::Open | DiskOp::Create);
        let is_log = path.extension().is_some_and(|suffix| suffix == "log");
        if opens && !is_log && self.exhausted.load(Ordering::Relaxed) {
            return Verdict::Fail(std::io::Error::from_raw_os_error(24));
        }
        if operation == DiskOp::Sync {
            let name = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            self.synced.lock().unwrap().push(name);
        }
        Verdict::Proceed
    }
}

#[test]
fn an_index_that_a_flush_had_no_descriptor_for_is_synced_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let scarce = Arc::new(Scarce::default());
    let disk = Disk::with_faults(Arc::clone(&scarce) as Arc<dyn Faults>);
    let options = OpenOptions { disk, now_ms: 1000, ..OpenOptions::default() };
    let mut log = Log::open(&dir.path().join("t-0"), LogConfig::default(), options).unwrap();
    log.append_as_leader(&batch(&["a"]), 0, 1000, AppendOrigin::Client).unwrap();
    scarce.exhausted.store(true, Ordering::Relaxed);
    assert!(log.flush(1000).unwrap_err().is_exhaustion());
    assert_eq!(log.recovery_point(), 0);
    scarce.exhausted.store(false, Ordering::Relaxed);
    scarce.synced.lock().unwrap().clear();
    log.flush(1000).unwrap();
    assert_eq!(log.recovery_point(), 1);
    let synced = scarce.synced.lock().unwrap().clone();
    assert!(synced.contains(&"index".to_owned()) && synced.contains(&"timeindex".to_owned()));
}

#[test]
fn side_files_of_a_flush_that_panicked_are_synced_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let scarce = Arc::new(Scarce::default());
    let disk = Disk::with_faults(Arc::clone(&scarce) as Arc<dyn Faults>);
    let options = OpenOptions { disk, now_ms: 1000, ..OpenOptions::default() };
    let mut log = Log::open(&dir.path().join("t-0"), small_segments(), options).unwrap();
    append(&mut log, 20);
    log.roll(1000).unwrap();
    drop(log.begin_flush(1000).unwrap().unwrap());
    scarce.synced.lock().unwrap().clear();
    log.flush(1000).unwrap();
    let synced = scarce.synced.lock().unwrap().clone();
    // The leader epochs' file has no suffix.
    let side_files = ["snapshot", ""].map(str::to_owned);
    assert!(side_files.iter().all(|file| synced.contains(file)), "{synced:?}");
    assert_eq!(log.recovery_point(), 20);
}
