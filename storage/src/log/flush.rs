//! Making what was written survive a machine crash. Kafka's `UnifiedLog.flush`.
//!
//! A flush is taken in two steps, so that a slow disk does not hold the partition's lock:
//! [`Log::begin_flush`] says what is to be synced, [`FlushTicket::run`] syncs it anywhere, and
//! [`Log::end_flush`] moves the recovery point. Side files are synced before it moves, because
//! recovery trusts those below it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Log, Shared};
use crate::error::StorageError;
use crate::names;
use crate::segment::Segment;

/// A flush that has begun.
#[derive(Debug)]
pub struct FlushTicket {
    shared: Arc<Shared>,
    segments: Vec<Arc<Segment>>,
    side_files: Vec<PathBuf>,
    directory: bool,
    /// The directory's own name in the log dir.
    name: bool,
    end_offset: i64,
    begun_ms: i64,
    /// The number of the state between two cuts.
    uncut: u64,
}

/// How a flush ended; to be given to [`Log::end_flush`].
#[derive(Debug)]
pub struct Flushed {
    result: Result<i64, StorageError>,
    begun_ms: i64,
    uncut: u64,
}

impl FlushTicket {
    /// Syncs; may take as long as the disk does.
    #[must_use]
    pub fn run(self) -> Flushed {
        let result = self.sync().map(|()| self.end_offset);
        Flushed { result, begun_ms: self.begun_ms, uncut: self.uncut }
    }

    fn sync(&self) -> Result<(), StorageError> {
        let disk = &self.shared.home.disk;
        self.segments.iter().try_for_each(|segment| segment.sync())?;
        for path in &self.side_files {
            match disk.open(path).and_then(|file| file.sync()) {
                // Replaced or removed since; what replaced it is the next flush's.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other.map_err(|error| StorageError::io("sync", path, error))?,
            }
        }
        if self.directory {
            let path = self.shared.home.path();
            disk.sync_dir(&path).map_err(|error| StorageError::io("sync", &path, error))?;
        }
        if self.name
            && let Some(log_dir) = self.shared.home.path().parent()
        {
            disk.sync_dir(log_dir).map_err(|error| StorageError::io("sync", log_dir, error))?;
        }
        Ok(())
    }
}

impl Log {
    /// What a flush up to the present log end has to sync; `None` when nothing is unflushed.
    pub fn begin_flush(&mut self, now_ms: i64) -> Result<Option<FlushTicket>, StorageError> {
        self.begin_flush_below(self.log_end_offset(), now_ms)
    }

    /// What maintenance has to sync: everything when `flush.ms` has gone by, else the segments that
    /// are complete. Recovery validates from the recovery point on, so this is what keeps a start
    /// after a kill short.
    pub fn begin_due_flush(&mut self, now_ms: i64) -> Result<Option<FlushTicket>, StorageError> {
        let end_offset = if self.flush_is_due(now_ms) {
            self.log_end_offset()
        } else {
            self.active.segment.base_offset()
        };
        self.begin_flush_below(end_offset, now_ms)
    }

    fn begin_flush_below(
        &mut self,
        end_offset: i64,
        now_ms: i64,
    ) -> Result<Option<FlushTicket>, StorageError> {
        self.check_health()?;
        if end_offset <= self.recovery_point {
            return Ok(None);
        }
        self.ticket(end_offset, now_ms).map(Some)
    }

    pub(super) fn ticket(
        &mut self,
        end_offset: i64,
        now_ms: i64,
    ) -> Result<FlushTicket, StorageError> {
        self.write_epochs_if_needed()?;
        // A ticket that never came back, because who ran it panicked, synced nothing that we know.
        if std::mem::replace(&mut self.flush_under_way, true) {
            self.sync_side_files_again();
        }
        let segments = self.shared.segments.load();
        let first = segments
            .partition_point(|segment| segment.base_offset() <= self.recovery_point)
            .saturating_sub(1);
        let last = segments.partition_point(|segment| segment.base_offset() < end_offset);
        let home = &self.shared.home;
        let mut side_files = Vec::new();
        if std::mem::take(&mut self.epochs_unsynced) {
            side_files.push(home.path.read().join(names::EPOCHS));
            side_files.push(home.path.read().join(names::PARTITION_METADATA));
        }
        for offset in std::mem::take(&mut self.snapshots.unsynced) {
            side_files.push(home.file(offset, names::SNAPSHOT));
        }
        Ok(FlushTicket {
            shared: Arc::clone(&self.shared),
            segments: segments[first..last.max(first + 1)].to_vec(),
            side_files,
            directory: std::mem::take(&mut self.directory_unsynced),
            name: std::mem::take(&mut self.name_unsynced),
            end_offset,
            begun_ms: now_ms,
            uncut: self.shared.cuts.load(Ordering::SeqCst),
        })
    }

    /// Moves the recovery point, or closes the log when the disk failed.
    pub fn end_flush(&mut self, flushed: Flushed) -> Result<(), StorageError> {
        self.flush_under_way = false;
        if flushed.result.is_err() {
            self.sync_side_files_again();
        }
        let end_offset = self.guard(flushed.result)?;
        // What was cut away meanwhile and written anew is not what was synced.
        if self.shared.uncut() != Some(flushed.uncut) {
            return Ok(());
        }
        self.recovery_point = self.recovery_point.max(self.flushed_end(end_offset));
        self.tell_recovery_point();
        self.last_flush_ms = flushed.begun_ms;
        Ok(())
    }

    fn sync_side_files_again(&mut self) {
        self.epochs_unsynced = true;
        self.directory_unsynced = true;
        self.name_unsynced = true;
        self.snapshots.sync_all_again();
    }

    /// A segment that was closed during the flush got its last index entry behind the sync:
    /// recovery has to look at it again, and the next flush to sync it.
    fn flushed_end(&self, end_offset: i64) -> i64 {
        let segments = self.shared.segments.load();
        let above = segments.partition_point(|segment| segment.base_offset() < end_offset);
        let is_closed = above < segments.len();
        match above.checked_sub(1).map(|last| &segments[last]) {
            Some(last) if is_closed && last.has_unsynced_side_files() => end_offset - 1,
            _ => end_offset,
        }
    }

    fn tell_recovery_point(&self) {
        if let Some(checkpointed) = &self.checkpointed {
            checkpointed.recovery_point.raise(self.recovery_point);
        }
    }

    /// Nothing at or above `offset` is taken to be on the disk any more, nor to be committed, at
    /// the next start either.
    ///
    /// Unlike Kafka: what it wrote of a high watermark stays until the next checkpoint, and a
    /// process killed before that shows records that took the place of those (docs/decisions/0314).
    pub(super) fn lower_checkpoints(&mut self, offset: i64) -> Result<(), StorageError> {
        if let Some(checkpointed) = &self.checkpointed {
            checkpointed.high_watermark.lower(offset)?;
            checkpointed.cleaned.lower(offset)?;
        }
        if offset < self.recovery_point {
            if let Some(checkpointed) = &self.checkpointed {
                checkpointed.recovery_point.lower(offset)?;
            }
            self.recovery_point = offset;
        }
        Ok(())
    }

    /// Takes nothing to be on the disk any more: the next flush syncs all of the log.
    pub fn doubt_recovery_point(&mut self) {
        self.recovery_point = self.log_start_offset();
    }

    /// Flushes all that was appended, at once and here.
    pub fn flush(&mut self, now_ms: i64) -> Result<(), StorageError> {
        match self.begin_flush(now_ms)? {
            Some(ticket) => self.end_flush(ticket.run()),
            None => Ok(()),
        }
    }

    /// Whether `flush.ms` has gone by with something unflushed.
    #[must_use]
    pub fn flush_is_due(&self, now_ms: i64) -> bool {
        self.log_end_offset() > self.recovery_point
            && now_ms.saturating_sub(self.last_flush_ms) >= self.config.flush_ms
    }

    /// Ends the log's use: indexes completed, producers' state kept, everything on the disk. After
    /// it the log may be opened as cleanly shut down.
    pub fn close(mut self, now_ms: i64) -> Result<(), StorageError> {
        self.close_here(now_ms)
    }

    /// [`Self::close`] for a log that is part of something else.
    pub fn close_here(&mut self, now_ms: i64) -> Result<(), StorageError> {
        self.finish()?;
        // With nothing new above the recovery point there may be a cut that the disk has not seen.
        let ticket = self.ticket(self.log_end_offset(), now_ms)?;
        self.end_flush(ticket.run())?;
        self.shared.segments.load().iter().for_each(|segment| segment.close());
        Ok(())
    }

    /// Writes what a close writes without waiting for the disk: the first step of closing many
    /// logs, whose second is one [`crate::LogDir::sync`], and whose third is [`Self::synced`].
    pub fn finish(&mut self) -> Result<(), StorageError> {
        self.make_whole()?;
        self.check_health()?;
        self.write_epochs_if_needed()?;
        let closed = self.close_active();
        self.guard(closed)?;
        self.producers.set_end_offset(self.log_end_offset());
        let taken = self.take_snapshot(false);
        self.guard(taken)?;
        // Files that a log without records may not have touched yet; Kafka misses them.
        let segment = &self.active.segment;
        let touched = segment.offset_index().and_then(|_| segment.time_index());
        self.guard(touched).map(drop)
    }

    /// Everything written before the last [`Self::finish`] is on the disk, its owner says.
    pub fn synced(&mut self, now_ms: i64) {
        self.recovery_point = self.log_end_offset();
        self.tell_recovery_point();
        self.last_flush_ms = now_ms;
        self.epochs_unsynced = false;
        self.directory_unsynced = false;
        self.name_unsynced = false;
        self.snapshots.unsynced.clear();
        self.shared.segments.load().iter().for_each(|segment| segment.close());
    }
}
