//! A follower's log that lives under a recorder, and what is to be found of it after a power loss
//! at any point of its life.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "tests share it in parts")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use protocol::batch::{BatchBuilder, ControlType, NO_SEQUENCE, batches};
use storage::{
    AbortedTransaction, CleanupPolicy, Disk, Faults, Log, LogConfig, LogDir, LogDirOptions,
    OffsetEntry, OpenFiles, OpenOptions, ProducerSummary, TimestampOffset,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::power_loss::{Disks, Draws, Event, Image, Recorder, restore};
use crate::support::{Row, contents, in_memory, records_of};

pub const NOW: i64 = 1_000_000;
const TOPIC: Uuid = Uuid::from_u128(0x1234_5678_9abc_def0);

/// Every record that the log holds, and under which epoch.
type Content = BTreeMap<i64, (Row, i32)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Append,
    Flush,
    /// What maintenance flushes: segments that are complete.
    FlushComplete,
    Roll,
    Checkpoint,
    /// A cut at a batch, with what a new leader sends behind it.
    Cut,
    /// The same with a slice out, so that the segment is copied.
    CutWhileRead,
    DeleteRecords,
    RemoveDoomed,
    StartAnew,
    /// A clean stop and the start after it.
    Stop,
}

/// What was promised when so many events had happened.
#[derive(Debug, Clone)]
struct Moment {
    at: usize,
    content: Content,
    start: i64,
    /// Below it everything is on the disk, the log said.
    promised: i64,
    /// The log dir is closed and marked so.
    stopped: bool,
    has_topic_id: bool,
    /// What was done last.
    act: Option<Act>,
}

pub struct Life {
    directory: TempDir,
    recorder: Arc<Recorder>,
    dir: Option<LogDir>,
    log: Option<Log>,
    config: LogConfig,
    draws: Draws,
    content: Content,
    moments: Vec<Moment>,
    epoch: i32,
    used_epochs: BTreeSet<i32>,
    values: u64,
    /// Where images are looked at.
    images: TempDir,
    checked: usize,
}

pub fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 700,
        index_interval_bytes: 100,
        file_delete_delay_ms: 0,
        cleanup: CleanupPolicy { delete: true, compact: false },
        retention_ms: -1,
        ..LogConfig::default()
    }
}

fn options(disk: Disk) -> LogDirOptions {
    LogDirOptions {
        producer_expiration_ms: i64::MAX,
        disk,
        open_files: Arc::new(OpenFiles::new(100)),
    }
}

/// Base offset and epoch of every batch, and every record.
fn read(log: &Log) -> Content {
    let epochs = |offset| log.epoch_at(offset).unwrap_or(-1);
    contents(log).into_iter().map(|row| (row.0, (row.clone(), epochs(row.0)))).collect()
}

impl Life {
    pub fn begin(seed: u64) -> Self {
        Self::begin_with(seed, config())
    }

    pub fn begin_with(seed: u64, config: LogConfig) -> Self {
        let directory = in_memory();
        let recorder = Recorder::new(directory.path());
        let mut life = Self {
            directory,
            recorder,
            dir: None,
            log: None,
            config,
            draws: Draws::new(seed),
            content: Content::new(),
            moments: Vec::new(),
            epoch: 3,
            used_epochs: BTreeSet::from([3]),
            values: 0,
            images: in_memory(),
            checked: 0,
        };
        life.note(true, None);
        life.start();
        life.note(false, None);
        life
    }

    pub fn log(&mut self) -> &mut Log {
        self.log.as_mut().unwrap()
    }

    pub fn events(&self) -> Vec<Event> {
        self.recorder.events()
    }

    pub fn is_end_of_act(&self, point: usize) -> bool {
        self.moments.iter().any(|moment| moment.at == point)
    }

    fn start(&mut self) {
        let disk = Disk::with_faults(Arc::clone(&self.recorder) as Arc<dyn Faults>);
        let dir = LogDir::open(self.directory.path(), options(disk)).unwrap();
        self.log = Some(open(&dir, &self.config));
        self.dir = Some(dir);
    }

    fn note(&mut self, stopped: bool, act: Option<Act>) {
        let log = self.log.as_ref();
        let promised = log.map_or(0, Log::recovery_point);
        let flushed_once = self.moments.last().is_some_and(|moment| moment.has_topic_id);
        self.moments.push(Moment {
            at: self.recorder.now(),
            content: self.content.clone(),
            start: log.map_or(0, Log::log_start_offset),
            promised: if stopped { log.map_or(0, Log::log_end_offset) } else { promised },
            stopped,
            has_topic_id: flushed_once || promised > 0,
            act,
        });
    }

    /// Acts drawn from the seed.
    pub fn lead(&mut self, acts: usize) {
        for _ in 0..acts {
            let act = match self.draws.below(30) {
                0..14 => Act::Append,
                14..18 => Act::Flush,
                18 => Act::FlushComplete,
                19 => Act::Roll,
                20..23 => Act::Checkpoint,
                23..25 => Act::Cut,
                25 => Act::CutWhileRead,
                26 => Act::DeleteRecords,
                27 => Act::RemoveDoomed,
                28 => Act::Stop,
                _ => Act::StartAnew,
            };
            self.act(act);
        }
    }

    pub fn act(&mut self, act: Act) {
        match act {
            Act::Append => self.append(),
            Act::Flush => self.log().flush(NOW).unwrap(),
            Act::FlushComplete => {
                if let Some(ticket) = self.log().begin_due_flush(0).unwrap() {
                    self.log().end_flush(ticket.run()).unwrap();
                }
            }
            Act::Roll => self.log().roll(NOW).unwrap(),
            Act::Checkpoint => self.checkpoint(),
            Act::Cut | Act::CutWhileRead => {
                let offset = self.boundary();
                self.cut(offset, act == Act::CutWhileRead);
            }
            Act::DeleteRecords => {
                let offset = self.boundary();
                let end = self.log().log_end_offset();
                self.log().high_watermark_moved(end);
                self.log().delete_records_before(offset).unwrap();
                self.log().delete_old_segments(NOW).unwrap();
            }
            Act::RemoveDoomed => self.log().remove_doomed(NOW).unwrap(),
            Act::StartAnew => {
                let offset = self.log().log_end_offset() + 7;
                self.log().truncate_fully_and_start_at(offset, offset, NOW).unwrap();
                self.content.clear();
                self.begin_epoch(3);
            }
            Act::Stop => {
                self.log().close_here(NOW).unwrap();
                self.checkpoint();
                self.dir.as_ref().unwrap().mark_clean_shutdown(7).unwrap();
                self.note(true, Some(act));
                (self.log, self.dir) = (None, None);
                self.start();
            }
        }
        self.note(false, Some(act));
    }

    fn checkpoint(&mut self) {
        let entry = |offset| [OffsetEntry { topic: "t".to_owned(), partition: 0, offset }];
        let (start, point) = (self.log().log_start_offset(), self.log().recovery_point());
        let dir = self.dir.as_ref().unwrap();
        dir.write_recovery_points(&entry(point)).unwrap();
        dir.write_log_starts(&entry(start)).unwrap();
    }

    fn begin_epoch(&mut self, step: i32) {
        self.epoch = self.used_epochs.last().unwrap() + step;
        self.used_epochs.insert(self.epoch);
    }

    /// One to three batches of a leader.
    pub fn append(&mut self) {
        let from = self.log().log_end_offset();
        let mut next = from;
        let mut bytes = Vec::new();
        for _ in 0..=self.draws.below(3) {
            let batch = self.batch(next);
            next = batches(&batch).next().unwrap().unwrap().next_offset();
            bytes.extend_from_slice(&batch);
        }
        let records = Bytes::from(bytes);
        self.log().append_as_follower(&records, i32::MAX, NOW).unwrap();
        for batch in batches(&records) {
            let batch = batch.unwrap();
            let epoch = batch.partition_leader_epoch();
            let rows = records_of(&batch).into_iter().map(|row| (row.0, (row, epoch)));
            self.content.extend(rows);
        }
    }

    fn batch(&mut self, offset: i64) -> Bytes {
        self.values += 1;
        let value = format!("{:0>1$}", self.values, 6 + self.draws.below(60));
        let timestamp = 1_000 + self.values as i64 * 10 - self.draws.below(15) as i64;
        let builder = BatchBuilder::new(offset).leader_epoch(self.epoch);
        let sequence = offset as i32;
        let kind = self.draws.below(6);
        let mut builder = match kind {
            0 => builder.producer(1, 0, sequence),
            1 | 2 => builder.producer(2, 0, sequence).transactional(),
            3 => builder.producer(2, 0, NO_SEQUENCE).transactional(),
            _ => builder,
        };
        if kind == 3 {
            builder.append_control(timestamp, ControlType::Abort, &[0, 0, 0, 0, 0, 5]);
        } else {
            for _ in 0..=self.draws.below(2) {
                builder.append(timestamp, None, Some(value.as_bytes()));
            }
        }
        builder.build()
    }

    /// Where a batch begins.
    fn boundary(&mut self) -> i64 {
        let reader = self.log().reader();
        let (start, end) = (self.log().log_start_offset(), self.log().log_end_offset());
        let mut bases = vec![end];
        let mut offset = start;
        while offset < end {
            let read = reader.read(offset, 1 << 20, i64::MAX, true).unwrap();
            for batch in batches(&read.slices[0]) {
                let batch = batch.unwrap();
                bases.push(batch.base_offset().max(start));
                offset = batch.next_offset();
            }
        }
        bases[self.draws.below(bases.len())]
    }

    /// A new leader's log parts from this one at `offset`; its records there may be of an epoch
    /// before the one that goes.
    pub fn cut(&mut self, offset: i64, while_read: bool) {
        let (start, end) = (self.log().log_start_offset(), self.log().log_end_offset());
        let held = (while_read && start < end)
            .then(|| self.log().reader().read(start, 1 << 20, i64::MAX, true).unwrap());
        self.log().truncate_to(offset, NOW).unwrap();
        drop(held);
        drop(self.content.split_off(&offset));
        let before = self.content.values().next_back().map_or(0, |(_, epoch)| *epoch);
        let earlier = before + 1;
        if self.draws.below(2) == 0 && self.used_epochs.insert(earlier) {
            self.epoch = earlier;
        } else {
            self.begin_epoch(4);
        }
    }

    // --- after the power loss ------------------------------------------------------------------

    /// Opens what was left at `point` events.
    pub fn check(&mut self, image: &Image, point: usize, place: &str) {
        let root = self.images.path().join("root");
        restore(&root, image);
        let done = self.moments.partition_point(|moment| moment.at <= point);
        let history = |moment: &Moment| (moment.at, moment.act, moment.promised);
        let before: Vec<_> = self.moments[..=done.min(self.moments.len() - 1)]
            .iter()
            .rev()
            .take(9)
            .map(history)
            .collect();
        let place = format!("{place}, after {before:?}, files {:?}", image.keys());
        let last = &self.moments[done - 1];
        // An act that was under way may be done or not.
        let next = self.moments.get(done).filter(|_| point > last.at).unwrap_or(last);
        let dir = LogDir::open(&root, options(Disk::default())).unwrap();
        if dir.had_clean_shutdown() {
            let may_be = last.stopped || next.stopped;
            assert!(may_be, "{place}: taken for a clean stop");
        }
        let mut log = open(&dir, &self.config);
        let found = read(&log);
        let (start, end) = (log.log_start_offset(), log.log_end_offset());
        assert_eq!(
            found.keys().copied().collect::<Vec<_>>(),
            (start..end).collect::<Vec<_>>(),
            "{place}: a gap",
        );
        // Records that were deleted may be there again; nobody asks for their epochs any more.
        let deleted = last.start.max(next.start);
        let is_same = |moment: &Moment, at: &i64, (row, epoch): &(Row, i32)| {
            let held = moment.content.get(at);
            held.is_some_and(|held| held.0 == *row && (held.1 == *epoch || *at < deleted))
        };
        let was = |moment: &Moment| found.iter().all(|(at, row)| is_same(moment, at, row));
        assert!(
            self.moments[..=done.min(self.moments.len() - 1)].iter().any(was),
            "{place}: this was never in the log: {:?}",
            found.values().map(|(row, epoch)| (row.0, row.1, epoch)).collect::<Vec<_>>(),
        );
        let promised = last.start.max(next.start)..last.promised.min(next.promised);
        for offset in promised {
            assert_eq!(found.get(&offset), last.content.get(&offset), "{place}: {offset} is lost");
        }
        if last.has_topic_id {
            let id = dir.partitions().unwrap()[0].topic_id;
            assert_eq!(id, Some(TOPIC), "{place}");
        }
        let state = state(&mut log);
        drop((log, dir));
        self.compare_with_rebuild(&root, &state, start, &place);
        self.checked += 1;
    }

    /// Power goes once more while what was left is opened.
    pub fn check_twice(&mut self, image: &Image, point: usize, place: &str) {
        let root = self.images.path().join("twice");
        restore(&root, image);
        let recorder = Recorder::new(&root);
        let begun = recorder.now();
        let disk = Disk::with_faults(Arc::clone(&recorder) as Arc<dyn Faults>);
        let dir = LogDir::open(&root, options(disk)).unwrap();
        drop((open(&dir, &self.config), dir));
        let mut disks = Disks::default();
        let events = recorder.events();
        events[..begun].iter().for_each(|event| disks.apply(event));
        disks.apply(&Event::SyncAll);
        for (at, event) in events[begun..].iter().enumerate() {
            disks.apply(event);
            for left in disks.corners() {
                self.check(&left, point, &format!("{place}, and {at} into the start after it"));
            }
        }
    }

    /// The `.log` files alone say the same.
    fn compare_with_rebuild(&self, root: &Path, state: &State, start: i64, place: &str) {
        let (from, to) = (root.join("t-0"), self.images.path().join("rebuilt-0"));
        if to.exists() {
            std::fs::remove_dir_all(&to).unwrap();
        }
        std::fs::create_dir(&to).unwrap();
        let mut first = i64::MAX;
        for name in names(&from).iter().filter(|name| name.ends_with(".log")) {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
            first = first.min(name[..20].parse().unwrap());
        }
        let options = OpenOptions {
            now_ms: NOW,
            log_start_offset: start,
            producer_expiration_ms: i64::MAX,
            ..OpenOptions::default()
        };
        let mut log = Log::open(&to, self.config.clone(), options).unwrap();
        let mut rebuilt = self::state(&mut log);
        if first > 0 || start > 0 {
            // What was deleted knew more of producers and epochs.
            rebuilt.producers = state.producers.clone();
            rebuilt.stable = state.stable;
            rebuilt.aborted = state.aborted.clone();
        }
        assert_eq!(*state, rebuilt, "{place}: side files");
    }
}

fn open(dir: &LogDir, config: &LogConfig) -> Log {
    dir.open_log("t", 0, Some(TOPIC), config.clone(), NOW, 0).unwrap()
}

fn names(dir: &PathBuf) -> Vec<String> {
    let listing = std::fs::read_dir(dir).unwrap();
    listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[derive(Debug, PartialEq)]
struct State {
    stable: i64,
    producers: Vec<ProducerSummary>,
    aborted: Vec<AbortedTransaction>,
    times: Vec<Option<TimestampOffset>>,
    largest: Option<TimestampOffset>,
}

fn state(log: &mut Log) -> State {
    let end = log.log_end_offset();
    log.high_watermark_moved(end);
    let mut producers = log.producers();
    producers.sort_by_key(|producer| producer.producer_id);
    State {
        stable: log.last_stable_offset(end),
        producers,
        aborted: log.aborted_transactions(0, i64::MAX).unwrap(),
        times: (0..20).map(|t| log.offset_for_timestamp(1_000 + t * 60).unwrap()).collect(),
        largest: log.max_timestamp().unwrap(),
    }
}
