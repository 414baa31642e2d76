//! Making a directory's files agree with one another when a log is opened. Kafka's
//! `LogLoader.recoverLog`, `LogSegment.recover` and `UnifiedLog.rebuildProducerState`.
//!
//! After an unclean stop every segment from the recovery point's on is validated batch by batch,
//! cut at the first that is not whole, and what lies behind it dropped; its indexes are built anew.
//! Unlike Kafka: after a clean stop the last segment's tail is validated too, from the last index
//! entry on, because a marker file proves nothing about the log's bytes (docs/decisions/0021).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use protocol::batch::{BatchHeader, HEADER_LEN};

use super::rebuilt::{Rebuilt, largest_of};
use super::{Active, Log};
use crate::error::StorageError;
use crate::index::offset::OffsetEntry;
use crate::index::time::TimeEntry;
use crate::index::transaction::AbortedTransaction;
use crate::names;
use crate::scan::{self, Next, Order, Scan, Scanned};
use crate::segment::{Home, Segment};

pub(super) struct Recovery {
    pub clean: bool,
    /// The leader epoch file was there and could be read.
    pub epochs_fit: bool,
    pub log_start_offset: i64,
    pub now_ms: i64,
}

impl Log {
    pub(super) fn recover(&mut self, recovery: &Recovery) -> Result<(), StorageError> {
        let segments = self.shared.segments.load_full();
        let last = segments.len() - 1;
        let first = if recovery.clean {
            last
        } else {
            let point = self.recovery_point;
            segments.partition_point(|s| s.base_offset() <= point).saturating_sub(1)
        };
        if !recovery.epochs_fit {
            self.epochs.clear();
            self.reread_epochs(&segments[..first])?;
        }
        for segment in &segments[..first] {
            self.restore_missing_indexes(segment)?;
        }
        let end_offset = self.validate_from(&segments, first, recovery)?;
        self.shared.end.store(end_offset, Ordering::Release);
        self.recovery_point =
            if recovery.clean { end_offset } else { self.recovery_point.min(end_offset) };
        if end_offset < recovery.log_start_offset {
            let path = self.shared.home.path();
            tracing::warn!(log = %path.display(), "all segments lie below the log start offset");
            let start = recovery.log_start_offset;
            return self.truncate_fully_and_start_at(start, start, recovery.now_ms);
        }
        let start = self.log_start_offset();
        let cut = self.epochs.truncate_from_end(end_offset);
        let began = self.epochs.truncate_from_start(start);
        self.epochs_unwritten |= began || cut || !recovery.epochs_fit;
        self.write_epochs_if_needed()?;
        self.active.take_up()?;
        let bases = self.segment_offsets();
        let home = Arc::clone(&self.shared.home);
        self.snapshots.remove_stray(&home, &bases)
    }

    /// Validates segments from `first` on and brings the producers up to the log's end offset,
    /// which is returned.
    fn validate_from(
        &mut self,
        segments: &[Arc<Segment>],
        first: usize,
        recovery: &Recovery,
    ) -> Result<i64, StorageError> {
        // A transaction index can only be built anew along with the producers.
        let replay = !recovery.clean || segments[first].aborted(i64::MAX)?.is_none();
        let whole = replay || !recovery.epochs_fit;
        let mut footing = if whole { None } else { footing(&segments[first])? };
        let mut next_offset = segments[first].base_offset();
        let mut epoch = -1;
        if let Some((_, base_offset)) = footing {
            next_offset = base_offset;
        }
        if replay {
            let loaded = self.load_producers(next_offset, recovery.now_ms);
            self.told(loaded)?;
        }
        for (index, segment) in segments.iter().enumerate().skip(first) {
            let size = segment.size();
            let expected = next_offset.max(segment.base_offset());
            let mut rebuilt = Rebuilt::new(segment.base_offset(), expected);
            rebuilt.epoch = epoch;
            if let Some((entry, _)) = footing.take() {
                rebuilt.keep_before(segment, entry)?;
            }
            self.scan_segment(segment, &mut rebuilt, replay)?;
            (next_offset, epoch) = (rebuilt.next_offset, rebuilt.epoch);
            let broken = rebuilt.end < size;
            if broken {
                let log = segment.path(names::LOG);
                let lost_bytes = size - rebuilt.end;
                tracing::warn!(log = %log.display(), lost_bytes, next_offset, "log cut");
                // A torn write lies above; what lies below had been on the disk.
                if recovery.clean || next_offset < self.recovery_point {
                    self.keep_beside(&segments[index..], rebuilt.end, next_offset)?;
                }
            }
            install(segment, &rebuilt, replay)?;
            let parted = !broken && self.is_parted(segments, index, next_offset, recovery);
            if parted {
                self.keep_parted(&segments[index + 1..], next_offset)?;
            }
            if broken || parted {
                self.drop_behind(index, segments, recovery.now_ms)?;
                break;
            }
            if replay && let Some(next) = segments.get(index + 1) {
                self.producers.set_end_offset(next.base_offset());
                self.take_snapshot(false)?;
            }
        }
        if !replay {
            let loaded = self.load_producers(next_offset, recovery.now_ms);
            self.told(loaded)?;
        }
        self.producers.set_end_offset(next_offset);
        Ok(next_offset)
    }

    /// Whether a segment, which ends before `next_offset`, and the next do not belong together. A
    /// power loss may keep a segment's name and bytes and lose the end of the one before, at a
    /// batch's end; or lose the cut of the one before.
    ///
    /// Unlike Kafka, which goes on behind such a gap and has a log without the records in it
    /// (docs/decisions/0304). Of a compacted log gaps are a part, and so they are of one that was
    /// synced with them.
    fn is_parted(
        &self,
        segments: &[Arc<Segment>],
        index: usize,
        next_offset: i64,
        recovery: &Recovery,
    ) -> bool {
        let Some(next) = segments.get(index + 1) else { return false };
        let behind = next.base_offset();
        let was_synced = recovery.clean || behind <= self.recovery_point;
        behind < next_offset || behind > next_offset && !was_synced && !self.config.cleanup.compact
    }

    fn drop_behind(
        &mut self,
        index: usize,
        segments: &[Arc<Segment>],
        now_ms: i64,
    ) -> Result<(), StorageError> {
        for segment in &segments[index + 1..] {
            self.doom_segment(segment, now_ms)?;
        }
        self.shared.edit_segments(|list| list.truncate(index + 1));
        let jitter_ms = self.active.jitter_ms;
        self.active = Active::new(Arc::clone(&segments[index]), now_ms, jitter_ms);
        Ok(())
    }

    /// Whether the segments that end at or below `offset` hold whole batches, one behind the other
    /// without a gap; reads all of them. For a log whose recovery point was only supposed.
    pub fn is_whole_below(&self, offset: i64) -> Result<bool, StorageError> {
        let segments = self.shared.segments.load_full();
        let complete = segments.iter().zip(segments.iter().skip(1));
        for (segment, next) in complete.take_while(|(_, next)| next.base_offset() <= offset) {
            let log = segment.log()?;
            let mut scan = Scan::new(&log, 0, segment.size(), true);
            let (mut expected, mut end) = (segment.base_offset(), 0);
            let fail = |error| segment.io_error("read", error);
            while let Next::Batch(batch) = scan.next().map_err(fail)? {
                let header = &batch.header;
                if !is_plausible(&batch, segment.base_offset()) || header.base_offset() != expected
                {
                    return Ok(false);
                }
                expected = header.next_offset();
                end = scan.position();
            }
            if end < segment.size() || expected != next.base_offset() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    // --- one segment -----------------------------------------------------------------------

    /// Validates the batches behind `rebuilt.end` and takes those before the first that is not
    /// whole.
    fn scan_segment(
        &mut self,
        segment: &Segment,
        rebuilt: &mut Rebuilt,
        replay: bool,
    ) -> Result<(), StorageError> {
        let log = segment.log()?;
        let mut scan = Scan::new(&log, rebuilt.end, segment.size(), true);
        // The batch before the present one, and the offset at which it was expected.
        let mut pending: Option<(Scanned, i64)> = None;
        loop {
            let position = scan.position();
            let batch = match scan.next().map_err(|error| segment.io_error("read", error))? {
                Next::Batch(batch) if is_plausible(&batch, segment.base_offset()) => batch,
                Next::OldFormat { magic } => {
                    let path = segment.path(names::LOG);
                    return Err(StorageError::OldMessageFormat { path, magic, position });
                }
                _ => break,
            };
            let expected = match &pending {
                Some((before, _)) => before.header.next_offset(),
                None => rebuilt.next_offset,
            };
            let found = batch.header.base_offset();
            if found < expected {
                // Offsets lie outside of the CRC: of a batch that seems to leave a gap and one that
                // would fill it, the former is the damaged one.
                if pending.as_ref().is_some_and(|(before, wanted)| {
                    before.header.base_offset() > *wanted && found >= *wanted
                }) {
                    pending = None;
                }
                break;
            }
            if let Some((before, _)) = pending.replace((batch, expected)) {
                self.take(rebuilt, &before, replay);
            }
        }
        if let Some((last, _)) = pending {
            self.take(rebuilt, &last, replay);
        }
        rebuilt.finish();
        Ok(())
    }

    /// Counts a valid batch into indexes, epochs and producers.
    fn take(&mut self, rebuilt: &mut Rebuilt, batch: &Scanned, replay: bool) {
        let header = &batch.header;
        rebuilt.index(batch, self.config.index_interval_bytes);
        self.learn_epoch(header, &mut rebuilt.epoch);
        if !replay {
            return;
        }
        // A control batch that holds no marker changes no producer.
        if let Ok(Some(completed)) = self.producers.replay(header, &batch.control) {
            if completed.aborted {
                rebuilt.abort(&completed, self.producers.stable_after(&completed));
            }
            self.producers.complete(&completed);
        }
        self.producers.set_end_offset(header.next_offset());
    }

    /// What the file says of this batch and of those behind it may be from before a cut, or from
    /// behind one that the disk never saw; the batches know better. Epochs never go down: of a
    /// batch that says so the epoch, which lies outside of the CRC, is damaged.
    fn learn_epoch(&mut self, header: &BatchHeader, before: &mut i32) {
        let (epoch, offset) = (header.partition_leader_epoch(), header.base_offset());
        if epoch < 0 || epoch < *before {
            return;
        }
        *before = epoch;
        if self.epochs.epoch_for_offset(offset) != Some(epoch) {
            self.epochs.truncate_from_end(offset);
            self.epochs.assign(epoch, offset);
            self.epochs_unwritten = true;
        }
    }

    /// Builds the indexes of a flushed segment anew where one is missing.
    fn restore_missing_indexes(&self, segment: &Segment) -> Result<(), StorageError> {
        let missing = |suffix| !segment.path(suffix).exists();
        if missing(names::OFFSET_INDEX) || missing(names::TIME_INDEX) {
            self.told(self.rebuild_indexes(segment))?;
        }
        Ok(())
    }

    /// Builds offset and time index anew from the log's headers.
    pub(super) fn rebuild_indexes(&self, segment: &Segment) -> Result<(), StorageError> {
        let interval_bytes = self.config.index_interval_bytes;
        let mut rebuilt = Rebuilt::new(segment.base_offset(), segment.base_offset());
        for_each_batch(segment, 0, |batch| rebuilt.index(batch, interval_bytes))?;
        rebuilt.finish();
        segment.replace_indexes(&rebuilt.offsets, &rebuilt.times)?;
        segment.set_max_timestamp(rebuilt.largest);
        Ok(())
    }

    // --- epochs and producers --------------------------------------------------------------

    /// Whether there are records before the first epoch that the file knows. Records that were
    /// deleted are there again after a kill, as the log start is checkpointed now and then alone,
    /// while the file has lost their epochs at once.
    ///
    /// Unlike Kafka, which goes on without: the log could never be told apart from a leader's
    /// there (docs/decisions/0312).
    pub(super) fn forgets_epochs(&self) -> bool {
        let (start, Some(earliest)) = (self.log_start_offset(), self.epochs.earliest()) else {
            return false;
        };
        if start >= earliest.start_offset {
            return false;
        }
        let segments = self.shared.segments.load();
        let holding = segments.partition_point(|segment| segment.base_offset() <= start);
        let first = segments[holding.saturating_sub(1)..].iter().find_map(|segment| {
            // Damage on the way is told where the epochs are read.
            segment.find(start).map_or(Some(start), |found| Some(found?.last_offset))
        });
        first.is_some_and(|last_offset| last_offset < earliest.start_offset)
    }

    fn reread_epochs(&mut self, segments: &[Arc<Segment>]) -> Result<(), StorageError> {
        let mut epoch = -1;
        for segment in segments {
            let walked =
                for_each_batch(segment, 0, |batch| self.learn_epoch(&batch.header, &mut epoch));
            self.told(walked)?;
        }
        Ok(())
    }

    /// The producers as of `end_offset`: from the newest snapshot that is not past it, and a replay
    /// of the rest.
    ///
    /// Unlike Kafka, which takes a clean log without snapshots for one without producers.
    pub(super) fn load_producers(
        &mut self,
        end_offset: i64,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let home = Arc::clone(&self.shared.home);
        let start = self.log_start_offset();
        self.snapshots.remove_where(&home, |at| at > end_offset || at <= start)?;
        self.producers.reset(start);
        if let Some((offset, entries)) = self.snapshots.load_newest(&home)? {
            self.producers.load(entries, offset, now_ms);
        }
        let replayed = self.replay_until(end_offset);
        self.producers.set_end_offset(end_offset);
        replayed
    }

    /// Damage in a segment that lies below what is validated does not keep a log from opening: its
    /// other records are there. What it hides from indexes, epochs and producers is said.
    fn told(&self, walked: Result<(), StorageError>) -> Result<(), StorageError> {
        match walked {
            Err(StorageError::Corrupt(found)) => {
                tracing::warn!(
                    target: "org.apache.kafka.storage.internals.log.LogLoader",
                    "[LogLoader {}] {found}; what its segment holds behind it is not counted",
                    self.place(),
                );
                Ok(())
            }
            walked => walked,
        }
    }

    /// Damage ends the replay of its segment, and is the answer once the others are replayed.
    fn replay_until(&mut self, end_offset: i64) -> Result<(), StorageError> {
        let from = self.producers.end_offset();
        if from >= end_offset {
            return Ok(());
        }
        let mut replayed = Ok(());
        let segments = self.shared.segments.load_full();
        let first = segments.partition_point(|s| s.base_offset() <= from).saturating_sub(1);
        for segment in segments[first..].iter().take_while(|s| s.base_offset() < end_offset) {
            let position = segment.position_before(from)?;
            let walked = for_each_batch(segment, position, |batch| {
                let header = &batch.header;
                if header.last_offset() < from || header.base_offset() >= end_offset {
                    return;
                }
                if let Ok(Some(completed)) = self.producers.replay(header, &batch.control) {
                    self.producers.complete(&completed);
                }
            });
            match walked {
                Err(StorageError::Corrupt(_)) => replayed = replayed.and(walked),
                walked => walked?,
            }
        }
        replayed
    }
}

impl Active {
    /// Finds out where the segment's indexes stand and what its timestamps are.
    pub(super) fn take_up(&mut self) -> Result<(), StorageError> {
        let segment = Arc::clone(&self.segment);
        let size = segment.size();
        let position = segment.last_offset_entry()?.map_or(0, |entry| u64::from(entry.position));
        let unknown = TimeEntry { timestamp: -1, offset: segment.base_offset() };
        self.last_time_entry = segment.last_time_entry()?.unwrap_or(unknown);
        self.written = size;
        self.bytes_since_entry = size.saturating_sub(position);
        let mut largest = self.last_time_entry;
        let mut next_offset = segment.base_offset();
        for_each_batch(&segment, position, |batch| {
            largest = largest_of(largest, &batch.header);
            next_offset = batch.header.next_offset();
        })?;
        self.next_offset = next_offset;
        segment.set_max_timestamp(largest);
        let mut first = [0; HEADER_LEN];
        let read = segment.log()?.read_at(&mut first, 0);
        let read = read.map_err(|error| segment.io_error("read", error))?;
        self.first_timestamp = (read == HEADER_LEN && size > 0)
            .then(|| BatchHeader::from_bytes(first).max_timestamp());
        Ok(())
    }
}

/// What every batch of a log must be, beyond being whole.
fn is_plausible(batch: &Scanned, base_offset: i64) -> bool {
    let header = &batch.header;
    batch.crc_matches
        && header.last_offset_delta() >= 0
        && header.base_offset() >= base_offset
        && (0..=i64::from(i32::MAX)).contains(&(header.last_offset() - base_offset))
}

fn install(segment: &Segment, rebuilt: &Rebuilt, replayed: bool) -> Result<(), StorageError> {
    segment.replace_indexes(&rebuilt.offsets, &rebuilt.times)?;
    segment.set_max_timestamp(rebuilt.largest);
    if replayed {
        segment.replace_aborted(&rebuilt.aborted)?;
    } else {
        let aborted = segment.aborted(i64::MAX)?.unwrap_or_default();
        let below = |entry: &AbortedTransaction| entry.last_offset < rebuilt.next_offset;
        if !aborted.iter().all(below) {
            let kept: Vec<_> = aborted.into_iter().filter(below).collect();
            segment.replace_aborted(&kept)?;
        }
    }
    if rebuilt.end < segment.size() {
        segment.cut(rebuilt.end)?;
    }
    Ok(())
}

/// The last index entry, and the base offset of its batch, if both indexes agree with the log as
/// far as their last entries tell.
fn footing(segment: &Segment) -> Result<Option<(OffsetEntry, i64)>, StorageError> {
    if !segment.indexes_have_whole_entries()? {
        return Ok(None);
    }
    let (Some(entry), Some(time)) = (segment.last_offset_entry()?, segment.last_time_entry()?)
    else {
        return Ok(None);
    };
    let fail = |error| segment.io_error("read", error);
    let log = segment.log()?;
    let size = segment.size();
    let span = scan::span_at(&log, u64::from(entry.position), size).map_err(fail)?;
    // No entry names a segment's first batch; zeros would.
    let Some(span) = span.filter(|s| s.last_offset == entry.offset && s.position > 0) else {
        return Ok(None);
    };
    let timed = match segment.find(time.offset) {
        Ok(Some(timed)) => timed,
        Ok(None) | Err(StorageError::Corrupt(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut header = [0; HEADER_LEN];
    log.read_at(&mut header, timed.position).map_err(fail)?;
    let header = BatchHeader::from_bytes(header);
    let fits = header.max_timestamp() == time.timestamp && header.last_offset() == time.offset;
    Ok(fits.then_some((entry, span.base_offset)))
}

/// Visits the batches from position `from` on; those before bytes that are none are visited.
fn for_each_batch(
    segment: &Segment,
    from: u64,
    mut visit: impl FnMut(&Scanned),
) -> Result<(), StorageError> {
    let log = segment.log()?;
    let mut scan = Scan::new(&log, from, segment.size(), false);
    let mut order = Order::from(segment.base_offset());
    while let Some(batch) =
        scan.next_batch(&mut order).map_err(|error| segment.walk_error(error))?
    {
        visit(&batch);
    }
    Ok(())
}

/// Where the log in a `.swap` file would end.
pub(super) fn next_offset_of(home: &Home, log: &Path, base: i64) -> Result<i64, StorageError> {
    let read = || {
        let file = home.disk.open(log)?;
        let mut scan = Scan::new(&file, 0, file.len()?, false);
        let mut next_offset = base;
        while let Next::Batch(batch) = scan.next()? {
            next_offset = batch.header.next_offset();
        }
        Ok(next_offset)
    };
    read().map_err(|error| StorageError::io("read", log, error))
}
