//! A log beside a vector that does the same: whatever is done to both, they hold the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use proptest::prelude::*;
use storage::{AppendOrigin, CleanupPolicy, Log, LogConfig, OpenFiles, OpenOptions, ReadError};
use support::{batch, contents};

#[derive(Debug, Clone)]
enum Step {
    Append { records: usize, bytes: usize, epoch: bool },
    Truncate { back: i64 },
    DeleteBefore { share: f64 },
    Retain { bytes: i64 },
    Roll,
    Flush,
    Reopen { clean: bool },
    Read { share: f64, max_bytes: usize },
    HoldSlice { share: f64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..5_usize, 0..300_usize, prop::bool::weighted(0.2))
            .prop_map(|(records, bytes, epoch)| Step::Append { records, bytes, epoch }),
        1 => (0..12_i64).prop_map(|back| Step::Truncate { back }),
        1 => (0.0..1.0).prop_map(|share| Step::DeleteBefore { share }),
        1 => (0..4000_i64).prop_map(|bytes| Step::Retain { bytes }),
        1 => Just(Step::Roll),
        1 => Just(Step::Flush),
        1 => prop::bool::ANY.prop_map(|clean| Step::Reopen { clean }),
        4 => (0.0..1.0, 0..3000_usize)
            .prop_map(|(share, max_bytes)| Step::Read { share, max_bytes }),
        1 => (0.0..1.0).prop_map(|share| Step::HoldSlice { share }),
    ]
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 1500,
        index_interval_bytes: 150,
        cleanup: CleanupPolicy { delete: true, compact: false },
        retention_ms: -1,
        ..LogConfig::default()
    }
}

/// Values by offset; `None` where a cut inside a batch left a gap.
struct Model {
    start: i64,
    first: i64,
    batches: Vec<(i64, Vec<String>)>,
    end: i64,
    epoch: i32,
}

impl Model {
    /// As in Kafka, an end that a cut left inside a batch's offsets is forgotten: the log ends
    /// where its last batch does, or where its last segment begins.
    fn reopen(&mut self, active: i64) {
        let last = self.batches.last();
        let end = last.map_or(self.first, |(base, values)| base + values.len() as i64);
        self.end = end.max(active);
        if self.end < self.start {
            self.batches.clear();
            self.end = self.start;
        }
    }

    fn rows(&self) -> Vec<(i64, String)> {
        let rows = self
            .batches
            .iter()
            .flat_map(|(base, values)| (*base..).zip(values.iter().cloned()).collect::<Vec<_>>());
        rows.filter(|(offset, _)| *offset >= self.start).collect()
    }
}

struct Pair {
    dir: tempfile::TempDir,
    open_files: std::sync::Arc<OpenFiles>,
    log: Option<Log>,
    model: Model,
    /// Slices handed out, with what they held then.
    held: Vec<(bytes::Bytes, Vec<u8>)>,
}

impl Pair {
    fn new() -> Self {
        let dir = support::in_memory();
        let model = Model { start: 0, first: 0, batches: Vec::new(), end: 0, epoch: 0 };
        let open_files = std::sync::Arc::new(OpenFiles::new(8));
        let mut pair = Self { dir, open_files, log: None, model, held: Vec::new() };
        pair.open(false, 0);
        pair
    }

    fn open(&mut self, clean_shutdown: bool, recovery_point: i64) {
        let options = OpenOptions {
            clean_shutdown,
            recovery_point,
            log_start_offset: self.model.start,
            now_ms: 1000,
            open_files: std::sync::Arc::clone(&self.open_files),
            ..OpenOptions::default()
        };
        let log = Log::open(&self.dir.path().join("t-0"), config(), options).unwrap();
        self.log = Some(log);
    }

    fn offset(&self, share: f64) -> i64 {
        let span = (self.model.end - self.model.start + 1) as f64;
        self.model.start + (span * share) as i64
    }

    fn apply(&mut self, step: &Step) {
        let at = |share: f64, pair: &Self| pair.offset(share).min(pair.model.end);
        match *step {
            Step::Append { records, bytes, epoch } => self.append(records, bytes, epoch),
            Step::Truncate { back } => self.truncate((self.model.end - back).max(0)),
            Step::DeleteBefore { share } => {
                let offset = at(share, self);
                let log = self.log.as_mut().unwrap();
                log.high_watermark_moved(log.log_end_offset());
                log.delete_records_before(offset).unwrap();
                self.model.start = self.model.start.max(offset);
                log.delete_old_segments(1000).unwrap();
                self.model.first = log.segment_offsets()[0];
            }
            Step::Retain { bytes } => self.retain(bytes),
            Step::Roll => self.log.as_mut().unwrap().roll(1000).unwrap(),
            Step::Flush => self.log.as_mut().unwrap().flush(1000).unwrap(),
            Step::Reopen { clean } => {
                let log = self.log.take().unwrap();
                let point = log.recovery_point();
                if clean {
                    log.close(1000).unwrap();
                }
                self.open(clean, point);
                let active = self.log.as_ref().unwrap().segment_offsets();
                self.model.reopen(active[active.len() - 1]);
                self.model.first = self.log.as_ref().unwrap().segment_offsets()[0];
            }
            Step::Read { share, max_bytes } => self.read(at(share, self), max_bytes),
            Step::HoldSlice { share } => {
                let offset = at(share, self);
                let log = self.log.as_ref().unwrap();
                let read = log.reader().read(offset, 1000, i64::MAX, true).unwrap();
                self.held.extend(read.slices.into_iter().map(|s| (s.clone(), s.to_vec())));
            }
        }
    }

    fn append(&mut self, records: usize, bytes: usize, epoch: bool) {
        self.model.epoch += i32::from(epoch);
        let values: Vec<String> = (0..records)
            .map(|number| format!("{}-{number}-{}", self.model.end, "x".repeat(bytes)))
            .collect();
        let borrowed: Vec<&str> = values.iter().map(String::as_str).collect();
        let log = self.log.as_mut().unwrap();
        let epoch = self.model.epoch;
        let result = log.append_as_leader(&batch(&borrowed), epoch, 1000, AppendOrigin::Client);
        let appended = result.unwrap();
        assert_eq!(appended.base_offset, self.model.end);
        self.model.batches.push((self.model.end, values));
        self.model.end += records as i64;
    }

    fn truncate(&mut self, offset: i64) {
        let log = self.log.as_mut().unwrap();
        let changed = log.truncate_to(offset, 1000).unwrap();
        assert_eq!(changed, offset < self.model.end);
        if !changed {
            return;
        }
        self.model.batches.retain(|(base, values)| base + values.len() as i64 <= offset);
        self.model.end = offset;
        self.model.start = self.model.start.min(offset);
        if offset < self.model.first {
            self.model.batches.clear();
        }
        self.model.first = log.segment_offsets()[0];
    }

    fn retain(&mut self, bytes: i64) {
        let log = self.log.as_mut().unwrap();
        log.set_config(LogConfig { retention_bytes: bytes, ..config() });
        log.high_watermark_moved(log.log_end_offset());
        log.delete_old_segments(1000).unwrap();
        assert!(log.segment_count() == 1 || log.size_bytes() < bytes as u64 + 1500);
        log.set_config(config());
        self.model.start = self.model.start.max(log.segment_offsets()[0]);
        assert_eq!(log.log_start_offset(), self.model.start);
        self.model.first = log.segment_offsets()[0];
    }

    fn read(&self, offset: i64, max_bytes: usize) {
        let reader = self.log.as_ref().unwrap().reader();
        let read = reader.read(offset, max_bytes, i64::MAX, true).unwrap();
        let expected =
            self.model.batches.iter().find(|(base, values)| base + values.len() as i64 > offset);
        match expected {
            None => assert!(read.slices.is_empty()),
            Some((base, _)) => assert_eq!(read.base_offset, *base),
        }
        let end = expected.map(|(base, values)| base + values.len() as i64);
        assert_eq!(reader.end_of_batch(offset).unwrap(), end, "of the batch that holds {offset}");
        let below = reader.read(self.model.start - 1, 1, i64::MAX, true);
        assert!(matches!(below, Err(ReadError::OffsetOutOfRange { .. })));
        assert!(reader.read(self.model.end + 1, 1, i64::MAX, true).is_err());
    }

    fn check(&self) {
        let log = self.log.as_ref().unwrap();
        assert_eq!(
            (log.log_start_offset(), log.log_end_offset()),
            (self.model.start, self.model.end)
        );
        let rows: Vec<_> = contents(log)
            .into_iter()
            .map(|row| (row.0, String::from_utf8(row.3.unwrap()).unwrap()))
            .collect();
        assert_eq!(rows, self.model.rows());
        for (slice, then) in &self.held {
            assert_eq!(slice, then);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_log_does_what_a_vector_does(steps in prop::collection::vec(step(), 1..60)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.apply(step);
            pair.check();
        }
    }
}
