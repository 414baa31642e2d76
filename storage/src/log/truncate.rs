//! Cutting a log at its end (a follower that diverged) or starting it anew elsewhere. Kafka's
//! `UnifiedLog.truncateTo` and `truncateFullyAndStartAt`.
//!
//! A segment is cut in place when no reader holds a slice of it. Otherwise what stays is copied to
//! a new file, which takes the old one's name by way of `.cleaned` and `.swap`; an interrupted swap
//! is finished at the next start, by us and by Kafka alike.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::roll::{create_segment, jitter};
use super::{Active, Doomed, Log};
use crate::disk::DiskFile;
use crate::error::StorageError;
use crate::names;
use crate::segment::Segment;

const COPY_BYTES: usize = 1 << 20;

impl Log {
    /// Drops every record at or above `offset`. `false` when there was none.
    ///
    /// As in Kafka, a batch that only begins below `offset` goes as a whole.
    pub fn truncate_to(&mut self, offset: i64, now_ms: i64) -> Result<bool, StorageError> {
        self.take_up_again()?;
        let offset = offset.max(0);
        // A place that damage hides is no reason to close the log: nothing was cut yet.
        let position = self.place_of(offset)?;
        let start = self.log_start_offset();
        let result = self.try_truncate(offset, position, now_ms);
        self.guard_cut(result, start)
    }

    /// Where in the segment that `offset` belongs to the cut is; 0 where there is none to make.
    fn place_of(&self, offset: i64) -> Result<u64, StorageError> {
        let segments = self.shared.segments.load();
        let holding = segments.partition_point(|segment| segment.base_offset() <= offset);
        match holding.checked_sub(1) {
            Some(holding) if offset < self.log_end_offset() => {
                let segment = &segments[holding];
                Ok(segment.find(offset)?.map_or_else(|| segment.size(), |batch| batch.position))
            }
            _ => Ok(0),
        }
    }

    fn try_truncate(
        &mut self,
        offset: i64,
        position: u64,
        now_ms: i64,
    ) -> Result<bool, StorageError> {
        if offset >= self.log_end_offset() {
            // An epoch that began at the end without records may contradict the leader's.
            if self.epochs.truncate_from_end(self.log_end_offset()) {
                self.write_epochs()?;
            }
            return Ok(false);
        }
        self.say_truncating(offset);
        self.lower_checkpoints(offset)?;
        if offset < self.shared.segments.load()[0].base_offset() {
            self.try_start_at(offset, offset, now_ms)?;
            return Ok(true);
        }
        let goes = |segment: &Arc<Segment>| segment.base_offset() > offset;
        let (going, staying): (Vec<_>, Vec<_>) =
            self.shared.segments.load().iter().cloned().partition(goes);
        let _cutting = self.shared.begin_cut();
        // Readers see the smaller log first.
        self.shared.end.store(offset, Ordering::Release);
        let last = staying.last().cloned().unwrap_or_else(|| Arc::clone(&self.active.segment));
        self.shared.segments.store(Arc::new(staying));
        // The last one first: what an interruption leaves has no gap.
        for segment in going.iter().rev() {
            self.doom_segment(segment, now_ms)?;
        }
        if !going.is_empty() {
            // Before anything is written in their place: what comes may end where one of them
            // begins.
            let home = self.shared.home.path();
            let synced = self.shared.home.disk.sync_dir(&home);
            synced.map_err(|error| StorageError::io("sync", &home, error))?;
        }
        let segment = self.cut_segment(last, offset, position)?;
        self.directory_unsynced = true;
        self.resume(segment, offset, now_ms)?;
        self.high_watermark = self.high_watermark.min(offset);
        if self.log_start_offset() > offset {
            self.shared.start.store(offset, Ordering::Release);
        }
        if self.epochs.truncate_from_end(offset) {
            self.write_epochs()?;
        }
        self.load_producers(offset, now_ms)?;
        Ok(true)
    }

    /// Cuts the segment before the batch that reaches `offset`; the segment that goes on.
    fn cut_segment(
        &self,
        segment: Arc<Segment>,
        offset: i64,
        position: u64,
    ) -> Result<Arc<Segment>, StorageError> {
        segment.cut_indexes(offset)?;
        let aborted = segment.aborted(i64::MAX)?.unwrap_or_default();
        let kept: Vec<_> = aborted.iter().filter(|e| e.last_offset < offset).copied().collect();
        if kept.len() < aborted.len() {
            segment.replace_aborted(&kept)?;
        }
        if segment.cut(position)? {
            return Ok(segment);
        }
        let renewed = self.renew_segment(&segment, position)?;
        self.shared.edit_segments(|segments| {
            if let Some(last) = segments.last_mut() {
                *last = Arc::clone(&renewed);
            }
        });
        Ok(renewed)
    }

    /// A new file with the first `size` bytes, in the place of the old one.
    fn renew_segment(&self, old: &Segment, size: u64) -> Result<Arc<Segment>, StorageError> {
        let home = &self.shared.home;
        let log = old.path(names::LOG);
        let with = |suffix: &str| home.file(old.base_offset(), &format!("{}{suffix}", names::LOG));
        // Not the name of the log cleaner's file, which may be written to at this moment.
        let (cleaned, swap) = (with(&format!(".cut{}", names::CLEANED)), with(names::SWAP));
        let source = old.log()?;
        let copy = || {
            let target = home.disk.create(&cleaned)?;
            copy_bytes(&source, &target, 0..size)?;
            target.sync()?;
            home.disk.rename(&cleaned, &swap)?;
            home.disk.rename(&swap, &log)
        };
        copy().map_err(|error| StorageError::io("replace", &log, error))?;
        let space = u64::from(self.config.segment_bytes);
        Ok(Segment::new(home, old.base_offset(), size, space))
    }

    /// Makes a segment that was cut the active one.
    fn resume(
        &mut self,
        segment: Arc<Segment>,
        offset: i64,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let jitter_ms = jitter(self.jitter_draw, segment.base_offset(), &self.config);
        self.active = Active::new(segment, now_ms, jitter_ms);
        self.active.take_up()?;
        debug_assert!(self.active.segment.base_offset() <= offset);
        Ok(())
    }

    /// Drops everything and goes on, empty, at `offset`.
    pub fn truncate_fully_and_start_at(
        &mut self,
        offset: i64,
        log_start_offset: i64,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        self.take_up_again()?;
        let start = self.log_start_offset();
        let result = self.try_start_at(offset, log_start_offset, now_ms);
        self.guard_cut(result, start)
    }

    fn try_start_at(&mut self, offset: i64, start: i64, now_ms: i64) -> Result<(), StorageError> {
        self.lower_checkpoints(offset)?;
        let going = self.shared.segments.load_full();
        let _cutting = self.shared.begin_cut();
        self.shared.start.store(start, Ordering::Release);
        self.shared.end.store(offset, Ordering::Release);
        for segment in going.iter().rev() {
            self.doom_segment(segment, now_ms)?;
        }
        let segment = create_segment(&self.shared.home, offset, &self.config)?;
        self.shared.segments.store(Arc::new(Vec::new()));
        self.activate(segment, now_ms);
        self.epochs.clear();
        self.write_epochs()?;
        let home = Arc::clone(&self.shared.home);
        self.snapshots.remove_where(&home, |_| true)?;
        self.producers.reset(offset);
        self.high_watermark = self.high_watermark.min(offset);
        Ok(())
    }

    /// Renames a segment's files, and its snapshot, for removal once `file.delete.delay.ms` is
    /// over.
    pub(super) fn doom_segment(
        &mut self,
        segment: &Segment,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        self.doom_files(segment, now_ms)?;
        let home = Arc::clone(&self.shared.home);
        self.snapshots.remove(&home, segment.base_offset())
    }

    /// Renames a segment's files for removal once `file.delete.delay.ms` is over.
    pub(super) fn doom_files(
        &mut self,
        segment: &Segment,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let home = Arc::clone(&self.shared.home);
        let base_offset = segment.base_offset();
        // Whoever still reads it needs its log; the index is only for new searches.
        drop(segment.log()?);
        let due_ms = now_ms.saturating_add(self.config.file_delete_delay_ms);
        for suffix in names::OF_SEGMENT {
            let path = home.file(base_offset, suffix);
            let gone = home.file(base_offset, &format!("{suffix}{}", names::DELETED));
            match home.disk.rename(&path, &gone) {
                Ok(()) => self.doomed.push(Doomed { path: gone, due_ms }),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(StorageError::io("rename", &path, error)),
            }
        }
        Ok(())
    }
}

/// The bytes in `range` of one file as the content of another.
pub(super) fn copy_bytes(from: &DiskFile, to: &DiskFile, range: Range<u64>) -> std::io::Result<()> {
    let mut buffer = vec![0; COPY_BYTES.min((range.end - range.start) as usize)];
    let mut position = range.start;
    while position < range.end {
        let wanted = buffer.len().min((range.end - position) as usize);
        let read = from.read_at(&mut buffer[..wanted], position)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        to.write_at(&buffer[..read], position - range.start)?;
        position += read as u64;
    }
    Ok(())
}
