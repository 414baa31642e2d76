//! A partition's log as a disk would have it: what a killed process leaves, and what a machine that
//! loses power leaves.
//!
//! Invariants: `synced <= end`; epochs and their offsets ascend; a producer's sequences ascend by
//! one. A record is 32 bytes on the wire; byte 16 is no magic that anybody knows, so that nobody
//! takes a record for a batch.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use replica::{Appended, Log, Origin};

const RECORD_BYTES: usize = 32;
const NO_MAGIC: u8 = 0xee;
/// How many of its last records a producer may repeat.
const REMEMBERED: usize = 5;

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) epoch: i32,
    pub(crate) value: u64,
    /// 0 for none: then `sequence` means nothing.
    pub(crate) producer: u32,
    pub(crate) sequence: u32,
}

impl Entry {
    /// As a producer sends it.
    pub(crate) fn encoded(&self, offset: i64) -> Bytes {
        let mut bytes = BytesMut::with_capacity(RECORD_BYTES);
        bytes.put_i64(offset);
        bytes.put_u64(self.value);
        bytes.put_u32(u32::from_be_bytes([NO_MAGIC; 4]));
        bytes.put_i32(self.epoch);
        bytes.put_u32(self.producer);
        bytes.put_u32(self.sequence);
        bytes.resize(RECORD_BYTES, 0);
        bytes.freeze()
    }

    fn decoded(bytes: &[u8]) -> (i64, Self) {
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four"));
        let long = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight"));
        let entry =
            Self { value: long(8), epoch: word(20) as i32, producer: word(24), sequence: word(28) };
        (long(0) as i64, entry)
    }
}

/// Where an append stands.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) offset: i64,
}

impl Appended for Written {
    fn end_offset(&self) -> i64 {
        self.offset + 1
    }
}

/// Why a record was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LogError {
    OutOfOrderSequence,
    /// There was no descriptor for it; nothing was changed.
    Exhausted,
    UnexpectedOffset {
        offered: i64,
        end: i64,
    },
}

/// What happened to a log, for those who watch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Observed {
    Appended { offset: i64, entry: Entry, before: Option<i32>, led: bool },
    Truncated { from: i64, to: i64 },
}

/// The log.
#[derive(Debug, Default)]
pub(crate) struct SimLog {
    entries: Vec<Entry>,
    epochs: Vec<(i32, i64)>,
    synced: i64,
    producers: BTreeMap<u32, Vec<(u32, i64)>>,
    /// Whatever needs a file fails.
    pub(crate) exhausted: bool,
    pub(crate) observed: Vec<Observed>,
}

impl SimLog {
    pub(crate) fn end(&self) -> i64 {
        self.entries.len() as i64
    }

    pub(crate) fn entry(&self, offset: i64) -> Option<&Entry> {
        usize::try_from(offset).ok().and_then(|at| self.entries.get(at))
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Up to `count` records from `offset` below `upper`, as a leader sends them.
    pub(crate) fn read(&self, offset: i64, upper: i64, count: i64) -> Bytes {
        let mut bytes = BytesMut::new();
        for at in offset..upper.min(offset + count).min(self.end()) {
            bytes.extend_from_slice(&self.entries[at as usize].encoded(at));
        }
        bytes.freeze()
    }

    pub(crate) fn sync(&mut self) {
        self.synced = self.end();
    }

    pub(crate) fn unsynced(&self) -> i64 {
        self.end() - self.synced
    }

    /// The machine goes down: of what was not synced, `kept` records happen to be there.
    pub(crate) fn lose_power(&mut self, kept: i64) {
        self.cut((self.synced + kept).min(self.end()));
    }

    /// What the next process finds: epochs without records are not among it.
    pub(crate) fn reopen(&mut self) {
        let end = self.end();
        self.epochs.retain(|(_, start)| *start < end);
    }

    fn check(&self) -> Result<(), LogError> {
        if self.exhausted { Err(LogError::Exhausted) } else { Ok(()) }
    }

    fn assign(&mut self, epoch: i32, start: i64) {
        if self.epochs.last().is_some_and(|(latest, from)| *latest == epoch && start >= *from) {
            return;
        }
        self.epochs.retain(|(known, from)| *known < epoch && *from < start);
        self.epochs.push((epoch, start));
    }

    fn push(&mut self, entry: Entry, led: bool) {
        let offset = self.end();
        let before = self.entries.last().map(|last| last.epoch);
        self.assign(entry.epoch, offset);
        if entry.producer != 0 {
            let known = self.producers.entry(entry.producer).or_default();
            known.push((entry.sequence, offset));
            if known.len() > REMEMBERED {
                known.remove(0);
            }
        }
        self.entries.push(entry);
        self.observed.push(Observed::Appended { offset, entry, before, led });
    }

    fn cut(&mut self, to: i64) {
        let from = self.end();
        if to < from {
            self.entries.truncate(to.max(0) as usize);
            self.observed.push(Observed::Truncated { from, to });
            self.producers.clear();
            for (offset, entry) in self.entries.iter().enumerate() {
                if entry.producer != 0 {
                    let known = self.producers.entry(entry.producer).or_default();
                    known.push((entry.sequence, offset as i64));
                    if known.len() > REMEMBERED {
                        known.remove(0);
                    }
                }
            }
        }
        self.synced = self.synced.min(self.end());
        self.epochs.retain(|(_, start)| *start < to);
    }
}

impl Log for SimLog {
    type Appended = Written;
    type Error = LogError;

    fn append_as_leader(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        _now_ms: i64,
        _origin: Origin,
    ) -> Result<Written, LogError> {
        self.check()?;
        let (_, entry) = Entry::decoded(records);
        if entry.producer != 0 {
            let known = self.producers.get(&entry.producer).map_or(&[][..], Vec::as_slice);
            if let Some((_, offset)) = known.iter().find(|(seen, _)| *seen == entry.sequence) {
                return Ok(Written { offset: *offset });
            }
            let next = known.last().map_or(0, |(last, _)| last + 1);
            if entry.sequence != next {
                return Err(LogError::OutOfOrderSequence);
            }
        }
        let offset = self.end();
        self.push(Entry { epoch: leader_epoch, ..entry }, true);
        Ok(Written { offset })
    }

    fn append_as_follower(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        _now_ms: i64,
    ) -> Result<Written, LogError> {
        self.check()?;
        for record in records.chunks_exact(RECORD_BYTES) {
            let (offered, entry) = Entry::decoded(record);
            if offered != self.end() {
                return Err(LogError::UnexpectedOffset { offered, end: self.end() });
            }
            if entry.epoch > leader_epoch {
                break;
            }
            self.push(entry, false);
        }
        Ok(Written { offset: self.end() - 1 })
    }

    fn log_start_offset(&self) -> i64 {
        0
    }

    fn log_end_offset(&self) -> i64 {
        self.end()
    }

    fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        high_watermark
    }

    fn begin_leader_epoch(&mut self, leader_epoch: i32) -> Result<(), LogError> {
        self.check()?;
        self.assign(leader_epoch, self.end());
        Ok(())
    }

    fn latest_epoch(&self) -> Option<i32> {
        self.epochs.last().map(|(epoch, _)| *epoch)
    }

    fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        if epoch < 0 {
            return None;
        }
        if self.latest_epoch()? == epoch {
            return Some((epoch, self.end()));
        }
        let above = self.epochs.partition_point(|(known, _)| *known <= epoch);
        let end = self.epochs.get(above)?.1;
        Some((above.checked_sub(1).map_or(epoch, |floor| self.epochs[floor].0), end))
    }

    fn truncate_to(&mut self, offset: i64, _now_ms: i64) -> Result<(), LogError> {
        self.check()?;
        self.cut(offset.min(self.end()));
        Ok(())
    }

    fn truncate_fully_and_start_at(&mut self, offset: i64, _now_ms: i64) -> Result<(), LogError> {
        assert_eq!(offset, 0, "nothing is ever deleted here");
        self.check()?;
        self.cut(0);
        Ok(())
    }

    fn high_watermark_moved(&mut self, _high_watermark: i64) {}

    fn delete_records_before(&mut self, _offset: i64) -> Result<(), LogError> {
        Ok(())
    }
}
