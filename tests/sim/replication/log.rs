//! A partition's log as a disk would have it: what a killed process leaves, and what a machine that
//! loses power leaves.
//!
//! Invariants: `base <= start <= end` and `synced <= end`; epochs and their offsets ascend; a
//! producer's sequences ascend by one; a batch is written, cut and deleted as a whole. What
//! transactions leave in a log is `storage`'s to judge ([`Transactions`]).

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use protocol::ErrorCode;
use replica::{Appended, Log, Origin};
use storage::{AppendOrigin, Marker, TransactionTerms};

use super::entry::BATCH_BYTES;
pub(crate) use super::entry::Entry;
use super::log_transactions::Transactions;

/// How many of its last batches a producer may repeat.
const REMEMBERED: usize = 5;
/// Retention takes so many records at least, as whole segments are.
const SEGMENT_RECORDS: i64 = 16;

/// Where a batch stands.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) offset: i64,
    pub(crate) records: i64,
}

impl Appended for Written {
    fn end_offset(&self) -> i64 {
        self.offset + self.records
    }
}

/// Why a batch was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LogError {
    OutOfOrderSequence,
    /// By the rules of transactions.
    Refused(ErrorCode),
    /// There was no descriptor for it; nothing was changed.
    Exhausted,
    /// There was no room for it; nothing was changed, and the directory has failed.
    Full,
    UnexpectedOffset {
        offered: i64,
        end: i64,
    },
}

/// Who said that a log starts later.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// A client, to the leader.
    Asked,
    /// `retention.bytes`
    Size,
    /// The leader, to a follower.
    #[default]
    Leader,
}

/// What happened to a log, for those who watch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Observed {
    /// `before`: the epoch of the record before, -1 for none, `None` when that is gone.
    Appended {
        offset: i64,
        entry: Entry,
        before: Option<i32>,
        led: bool,
    },
    Truncated {
        from: i64,
        to: i64,
    },
    /// The log starts later than it did.
    Started {
        at: i64,
        why: Why,
    },
}

/// The log.
#[derive(Debug, Default)]
pub(crate) struct SimLog {
    /// Offset of the first record that is still on the disk.
    base: i64,
    /// Offset of the first record that readers see.
    start: i64,
    /// What the next process takes for the start.
    start_checkpoint: i64,
    /// The lowest offset that it was cut to since the high watermark was checkpointed.
    pub(crate) cut_to: Option<i64>,
    entries: Vec<Entry>,
    epochs: Vec<(i32, i64)>,
    synced: i64,
    /// First and last sequence of a batch, and its offset.
    producers: BTreeMap<u32, Vec<(u32, u32, i64)>>,
    pub(crate) transactions: Transactions,
    /// Whatever needs a file fails.
    pub(crate) exhausted: bool,
    /// Whatever needs room on the disk fails.
    pub(crate) full: bool,
    /// The record here cannot be read.
    pub(crate) rotten: Option<i64>,
    /// Who asks for the start that is told next.
    pub(crate) why: Why,
    pub(crate) observed: Vec<Observed>,
}

impl SimLog {
    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    pub(crate) fn end(&self) -> i64 {
        self.base + self.entries.len() as i64
    }

    fn at(&self, offset: i64) -> Option<&Entry> {
        usize::try_from(offset - self.base).ok().and_then(|at| self.entries.get(at))
    }

    /// What readers see there.
    pub(crate) fn entry(&self, offset: i64) -> Option<&Entry> {
        self.at(offset).filter(|entry| offset >= self.start && entry.is_record())
    }

    /// What readers see, with its offsets.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (i64, &Entry)> {
        let hidden = (self.start - self.base) as usize;
        (self.start..).zip(&self.entries[hidden..]).filter(|(_, entry)| entry.is_record())
    }

    /// The first offset at which this follower's log is not its leader's, though it should be: it
    /// starts where the leader's does or later, as it was told.
    pub(crate) fn differs_at(&self, leader: &Self) -> Option<i64> {
        if self.start < leader.start {
            return Some(self.start);
        }
        let ends = self.end().max(leader.end());
        (self.start..ends)
            .find(|at| self.entry(*at) != leader.entry(*at))
            .or_else(|| (self.end() != leader.end()).then_some(ends))
    }

    /// Where the batch begins that holds an offset.
    fn batch_base(&self, offset: i64) -> i64 {
        self.at(offset).map_or(offset, |entry| offset - i64::from(entry.place))
    }

    /// Whole batches from the one that holds `offset`, about `count` records below `upper`, as a
    /// leader sends them; `None` when the first cannot be read.
    pub(crate) fn read(&self, offset: i64, upper: i64, count: i64) -> Option<Bytes> {
        let mut bytes = BytesMut::new();
        let (mut at, mut gap) = (self.batch_base(offset), 0);
        let bound = upper.min(offset + count).min(self.end());
        while at < bound {
            let first = self.entries[(at - self.base) as usize];
            let next = at + i64::from(first.of);
            if self.rotten.is_some_and(|rotten| (at..next).contains(&rotten)) {
                return Some(bytes.freeze()).filter(|read| !read.is_empty());
            }
            if first.is_record() {
                bytes.extend_from_slice(&first.encoded(at, gap));
                gap = 0;
            } else {
                gap += 1;
            }
            at = next;
        }
        Some(bytes.freeze())
    }

    /// What the disk has is safe; what lies before the start is let go of.
    pub(crate) fn sync(&mut self) {
        self.synced = self.end();
        self.start_checkpoint = self.start;
        let base = self.batch_base(self.start);
        self.entries.drain(..(base - self.base) as usize);
        self.base = base;
    }

    pub(crate) fn unsynced(&self) -> i64 {
        self.end() - self.synced
    }

    /// The machine goes down: of what was not synced, about `kept` records happen to be there.
    pub(crate) fn lose_power(&mut self, kept: i64) {
        self.cut(self.batch_base((self.synced + kept).min(self.end())));
    }

    /// What the next process finds: epochs without records are not among it.
    pub(crate) fn reopen(&mut self) {
        let end = self.end();
        self.epochs.retain(|(_, start)| *start < end);
        self.start = self.start_checkpoint.max(self.base).min(end);
        self.transactions = Transactions::default();
        self.recall_transactions();
        // As storage: records that were deleted and are there again have their epochs again.
        if self.epochs.first().is_none_or(|(_, from)| *from > self.start) {
            self.epochs.clear();
            let (base, start) = (self.base, self.start);
            for (at, entry) in (base..).zip(self.entries.clone()).filter(|(_, e)| e.is_record()) {
                self.assign(entry.epoch, at.max(start));
            }
        }
    }

    /// Lets go of the oldest records beyond so many; how many. Nothing goes that may not be
    /// committed.
    pub(crate) fn delete_by_size(&mut self, retained: i64, high_watermark: i64) -> i64 {
        let to = self.batch_base((self.end() - retained).min(high_watermark));
        let deleted = to - self.start;
        if deleted < SEGMENT_RECORDS || self.check().is_err() {
            return 0;
        }
        self.raise_start(to, Why::Size);
        deleted
    }

    fn raise_start(&mut self, to: i64, why: Why) {
        if to <= self.start {
            return;
        }
        self.start = to;
        let covered = self.epochs.partition_point(|(_, from)| *from <= to);
        if let Some(covering) = covered.checked_sub(1) {
            self.epochs.drain(..covering);
            self.epochs[0].1 = to;
        }
        self.observed.push(Observed::Started { at: to, why });
    }

    fn check(&self) -> Result<(), LogError> {
        if self.exhausted { Err(LogError::Exhausted) } else { Ok(()) }
    }

    fn check_room(&self) -> Result<(), LogError> {
        self.check()?;
        if self.full { Err(LogError::Full) } else { Ok(()) }
    }

    fn assign(&mut self, epoch: i32, start: i64) {
        if self.epochs.last().is_some_and(|(latest, from)| *latest == epoch && start >= *from) {
            return;
        }
        self.epochs.retain(|(known, from)| *known < epoch && *from < start);
        self.epochs.push((epoch, start));
    }

    fn append_in_transaction(
        &mut self,
        first: Entry,
        marker: Option<Marker>,
        origin: Origin,
        terms: TransactionTerms,
    ) -> Result<Written, LogError> {
        let (offset, records) = (self.end(), i64::from(first.of));
        let header = first.header(offset);
        let origin = match origin {
            Origin::Client => AppendOrigin::Client,
            Origin::Coordinator => AppendOrigin::Coordinator,
        };
        if let Some(offset) = self.transactions.repeats(&header, origin) {
            return Ok(Written { offset, records });
        }
        let change = self.transactions.judge(&header, marker, origin, terms)?;
        self.push(first, true);
        self.transactions.take(&header, change);
        Ok(Written { offset, records })
    }

    /// Appends the batch that `first` begins.
    fn push(&mut self, first: Entry, led: bool) {
        let offset = self.end();
        self.assign(first.epoch, offset);
        self.remember(&first, offset);
        for entry in first.batch() {
            let before = match self.entries.last() {
                Some(last) if last.is_record() => Some(last.epoch),
                None if self.base == 0 => Some(-1),
                _ => None,
            };
            let offset = self.end();
            self.entries.push(entry);
            self.observed.push(Observed::Appended { offset, entry, before, led });
        }
    }

    /// What the log says of transactions.
    fn recall_transactions(&mut self) {
        self.transactions.reset(self.base);
        let entries = (self.base..).zip(&self.entries);
        for (offset, first) in entries.filter(|(_, entry)| entry.place == 0) {
            if let Some(transactional) = first.transactional {
                self.transactions.replay(&first.header(offset), transactional.marker);
            }
        }
    }

    fn remember(&mut self, first: &Entry, offset: i64) {
        if first.producer != 0 {
            let known = self.producers.entry(first.producer).or_default();
            known.push((first.sequence, first.sequence + first.of - 1, offset));
            if known.len() > REMEMBERED {
                known.remove(0);
            }
        }
    }

    fn cut(&mut self, to: i64) {
        let from = self.end();
        if to < from {
            if to < self.base {
                self.begin_at(to.max(0));
            } else {
                // A batch goes as a whole; the log ends where it was told to, all the same.
                let kept = (self.batch_base(to) - self.base) as usize;
                self.entries.truncate(kept);
                self.entries.resize((to - self.base) as usize, Entry::NOTHING);
            }
            self.start = self.start.min(to);
            self.start_checkpoint = self.start_checkpoint.min(to);
            self.cut_to = Some(self.cut_to.map_or(to, |lowest| lowest.min(to)));
            self.rotten = self.rotten.filter(|at| *at < to);
            self.observed.push(Observed::Truncated { from, to });
            self.recall();
        }
        self.synced = self.synced.min(self.end());
        self.epochs.retain(|(_, start)| *start < to);
    }

    /// Everything goes, and the next record has this offset.
    fn begin_at(&mut self, offset: i64) {
        self.entries.clear();
        (self.base, self.start, self.start_checkpoint) = (offset, offset, offset);
        self.cut_to = Some(self.cut_to.map_or(offset, |lowest| lowest.min(offset)));
        self.synced = offset;
    }

    /// What the log says of its producers, after it was cut.
    fn recall(&mut self) {
        let base = self.base;
        self.producers.values_mut().for_each(|known| known.retain(|(.., at)| *at < base));
        let firsts: Vec<(i64, Entry)> = (base..)
            .zip(self.entries.iter().copied())
            .filter(|(_, entry)| entry.producer != 0 && entry.place == 0)
            .collect();
        firsts.iter().for_each(|(offset, first)| self.remember(first, *offset));
        self.recall_transactions();
    }
}

impl Log for SimLog {
    type Appended = Written;
    type Error = LogError;
    type Transaction = TransactionTerms;

    fn append_as_leader(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        _now_ms: i64,
        origin: Origin,
        terms: TransactionTerms,
    ) -> Result<Written, LogError> {
        self.check_room()?;
        let (_, first, _) = Entry::decoded(records);
        let records = i64::from(first.of);
        if let Some(transactional) = first.transactional {
            return self.append_in_transaction(
                Entry { epoch: leader_epoch, ..first },
                transactional.marker,
                origin,
                terms,
            );
        }
        if first.producer != 0 {
            let known = self.producers.get(&first.producer).map_or(&[][..], Vec::as_slice);
            let repeats = |known: &&(u32, u32, i64)| {
                (known.0, known.1) == (first.sequence, first.sequence + first.of - 1)
            };
            if let Some((.., offset)) = known.iter().find(repeats) {
                return Ok(Written { offset: *offset, records });
            }
            // Of a producer whose batches are all deleted nobody knows where it was.
            let next = match known.last() {
                Some((_, last, _)) => last + 1,
                None if self.base > 0 => first.sequence,
                None => 0,
            };
            if first.sequence != next {
                return Err(LogError::OutOfOrderSequence);
            }
        }
        let offset = self.end();
        self.push(Entry { epoch: leader_epoch, ..first }, true);
        Ok(Written { offset, records })
    }

    fn append_as_follower(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        _now_ms: i64,
    ) -> Result<Written, LogError> {
        self.check_room()?;
        let before = self.end();
        for batch in records.chunks_exact(BATCH_BYTES) {
            let (offered, first, gap) = Entry::decoded(batch);
            let missing = offered - self.end();
            if !(0..=gap).contains(&missing) {
                return Err(LogError::UnexpectedOffset { offered, end: self.end() });
            }
            if first.epoch > leader_epoch {
                break;
            }
            self.entries.resize(self.entries.len() + missing as usize, Entry::NOTHING);
            if let Some(transactional) = first.transactional {
                self.transactions.replay(&first.header(self.end()), transactional.marker);
            }
            self.push(first, false);
        }
        Ok(Written { offset: before, records: self.end() - before })
    }

    fn log_start_offset(&self) -> i64 {
        self.start
    }
    fn log_end_offset(&self) -> i64 {
        self.end()
    }

    fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        self.transactions.last_stable_offset(high_watermark).max(self.start)
    }

    fn begin_leader_epoch(&mut self, leader_epoch: i32) -> Result<(), LogError> {
        self.check_room()?;
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
        self.check_room()?;
        let (from, start) = (self.end(), self.start);
        self.begin_at(offset);
        self.epochs.clear();
        self.producers.clear();
        self.transactions.reset(offset);
        self.rotten = None;
        self.observed.push(Observed::Truncated { from, to: offset.min(from) });
        if offset > start {
            self.observed.push(Observed::Started { at: offset, why: Why::Leader });
        }
        Ok(())
    }

    fn high_watermark_moved(&mut self, high_watermark: i64) {
        self.transactions.high_watermark_moved(high_watermark);
    }

    fn delete_records_before(&mut self, offset: i64) -> Result<(), LogError> {
        self.check()?;
        self.raise_start(offset, self.why);
        Ok(())
    }
}
