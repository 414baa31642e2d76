//! Any write, sync, rename, creation or cut may fail. The log then takes nothing more, and what it
//! had acknowledged is there when it is opened again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use storage::{
    AppendError, AppendOrigin, Disk, DiskOp, Faults, Log, LogConfig, OpenOptions, StorageError,
    Verdict,
};
use support::{Row, batch, contents, sequenced};

const ENOSPC: i32 = 28;
const EIO: i32 = 5;
const EMFILE: i32 = 24;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Fail(i32),
    Torn,
}

/// Lets operations that change the disk pass until one fails; all later ones of it fail too.
#[derive(Debug)]
struct FailAt {
    point: usize,
    kind: Kind,
    seen: AtomicUsize,
}

impl FailAt {
    fn new(point: usize, kind: Kind) -> Arc<Self> {
        Arc::new(Self { point, kind, seen: AtomicUsize::new(0) })
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }
}

impl Faults for FailAt {
    fn before(&self, operation: DiskOp, _path: &Path) -> Verdict {
        if matches!(operation, DiskOp::Read | DiskOp::Open) {
            return Verdict::Proceed;
        }
        let number = self.seen.fetch_add(1, Ordering::Relaxed);
        if number != self.point {
            return Verdict::Proceed;
        }
        match self.kind {
            Kind::Torn if operation == DiskOp::Write => {
                Verdict::Torn { written: 30, error: io::Error::from_raw_os_error(ENOSPC) }
            }
            Kind::Torn => Verdict::Fail(io::Error::from_raw_os_error(ENOSPC)),
            Kind::Fail(errno) => Verdict::Fail(io::Error::from_raw_os_error(errno)),
        }
    }
}

fn config() -> LogConfig {
    LogConfig { segment_bytes: 600, index_interval_bytes: 100, ..LogConfig::default() }
}

fn open(dir: &Path, disk: Disk, recovery_point: i64) -> Result<Log, StorageError> {
    let options = OpenOptions { disk, recovery_point, now_ms: 1000, ..OpenOptions::default() };
    Log::open(dir, config(), options)
}

/// What a run got through before the disk failed it.
#[derive(Debug, Default)]
struct Progress {
    /// Values acknowledged, in order.
    acknowledged: Vec<String>,
    /// What the log may hold besides: the append that failed half way.
    attempted: Option<String>,
    recovery_point: i64,
    /// A cut back to this many records was begun.
    cutting: Option<usize>,
}

/// Appends over several segments and epochs, flushes, cuts, goes on, closes.
fn run(log: &mut Log, progress: &mut Progress) -> Result<(), AppendError> {
    for round in 0..14_i32 {
        let value = format!("value number {round}");
        progress.attempted = Some(value.clone());
        let records = if round % 2 == 0 {
            batch(&[&value])
        } else {
            sequenced(i64::from(round), 0, 0, &[&value])
        };
        log.append_as_leader(&records, round / 4, 1000, AppendOrigin::Client)?;
        progress.acknowledged.push(value);
        progress.attempted = None;
        if round == 6 {
            log.flush(1000)?;
            progress.recovery_point = log.recovery_point();
        }
        if round == 10 {
            let kept = progress.acknowledged.len() - 3;
            progress.cutting = Some(kept);
            log.truncate_to(kept as i64, 1000)?;
            progress.acknowledged.truncate(kept);
            progress.recovery_point = log.recovery_point();
            progress.cutting = None;
        }
    }
    log.close_here(1000)?;
    Ok(())
}

fn values(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| String::from_utf8(row.3.clone().unwrap()).unwrap()).collect()
}

fn fail_at(point: usize, kind: Kind) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t-0");
    let faults = FailAt::new(point, kind);
    let mut progress = Progress::default();
    let opened = open(&path, Disk::with_faults(Arc::clone(&faults) as Arc<dyn Faults>), 0);
    if let Ok(mut log) = opened {
        let result = run(&mut log, &mut progress);
        if faults.seen() <= point {
            assert!(result.is_ok(), "{result:?}");
            return false;
        }
        let error = result.unwrap_err();
        assert!(matches!(error, AppendError::Storage(_)), "{point}: {error}");
        assert!(log.is_failed(), "{point}: {error}");
        let next = log.append_as_leader(&batch(&["late"]), 9, 1000, AppendOrigin::Client);
        let refused = AppendError::Storage(StorageError::PreviousIo { path: path.clone() });
        assert_eq!(next.unwrap_err().to_string(), refused.to_string());
        assert!(log.flush(1000).is_err() && log.close(1000).is_err());
    }
    let log = open(&path, Disk::default(), progress.recovery_point).unwrap();
    let found = values(&contents(&log));
    let acknowledged = &progress.acknowledged;
    let begun = progress.cutting.unwrap_or(acknowledged.len());
    assert!(found.len() >= begun, "{point}: {found:?} of {acknowledged:?}");
    assert_eq!(found[..begun], acknowledged[..begun], "{point}");
    for extra in &found[begun..] {
        let was_cut = acknowledged[begun..].contains(extra);
        assert!(was_cut || Some(extra) == progress.attempted.as_ref(), "{point}: {extra}");
    }
    true
}

#[test]
fn at_every_point_a_failure_is_final_and_nothing_acknowledged_is_lost() {
    for kind in [Kind::Fail(EIO), Kind::Fail(ENOSPC), Kind::Torn] {
        let points = (0..).take_while(|&point| fail_at(point, kind)).count();
        assert!(points > 60, "{points} points");
    }
}

#[test]
fn running_out_of_descriptors_refuses_an_append_but_not_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let faults = FailAt::new(6, Kind::Fail(EMFILE));
    let mut log =
        open(&dir.path().join("t-0"), Disk::with_faults(Arc::clone(&faults) as Arc<dyn Faults>), 0)
            .unwrap();
    let mut refused = 0;
    for _ in 0..3 {
        let result = log.append_as_leader(&batch(&["a"]), 0, 1000, AppendOrigin::Client);
        refused += usize::from(result.is_err());
    }
    assert_eq!((refused, log.log_end_offset(), log.is_failed()), (1, 2, false));
}
