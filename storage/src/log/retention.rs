//! What goes at the log's start: segments too old or too many, records deleted on request. Kafka's
//! `UnifiedLog.deleteOldSegments` and `maybeIncrementLogStartOffset`.
//!
//! Nothing at or above the high watermark goes. A topic whose policy is `compact` alone loses
//! segments only below its log start offset.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Log;
use super::lines::{LogStartOffsetIncrementReason, SegmentDeletionReason, say_deleted};
use crate::error::{ReadError, StorageError};
use crate::segment::Segment;

impl Log {
    /// Moves the log start up to `offset` (DeleteRecords, or a leader's log start). Records below
    /// are gone for readers at once; segments that hold none above go with the next
    /// [`Self::delete_old_segments`].
    pub fn delete_records_before(&mut self, offset: i64) -> Result<(), ReadError> {
        self.check_health()?;
        if offset > self.high_watermark {
            return Err(ReadError::OffsetOutOfRange {
                requested: offset,
                log_start_offset: self.log_start_offset(),
                log_end_offset: self.high_watermark,
            });
        }
        Ok(self.raise_start(offset, LogStartOffsetIncrementReason::ByRequest)?)
    }

    fn raise_start(
        &mut self,
        offset: i64,
        why: LogStartOffsetIncrementReason,
    ) -> Result<(), StorageError> {
        if offset <= self.log_start_offset() {
            return Ok(());
        }
        self.say_start_raised(offset, why);
        self.shared.start.store(offset, Ordering::Release);
        self.shared.unstable.decided_below(offset);
        if self.epochs.truncate_from_start(offset) {
            self.write_epochs()?;
        }
        Ok(())
    }

    /// Lets go of segments that retention or the log start offset say are over; how many.
    pub fn delete_old_segments(&mut self, now_ms: i64) -> Result<usize, StorageError> {
        self.check_health()?;
        let result = self.try_delete_old_segments(now_ms);
        self.guard(result)
    }

    fn try_delete_old_segments(&mut self, now_ms: i64) -> Result<usize, StorageError> {
        self.mend_indexes()?;
        let mut deleted = self.delete_below_start(now_ms)?;
        if self.config.cleanup.delete {
            deleted += self.delete_by_size(now_ms)?;
            deleted += self.delete_by_time(now_ms)?;
        }
        Ok(deleted)
    }

    /// Builds anew the indexes that a read found to disagree with their log.
    fn mend_indexes(&mut self) -> Result<(), StorageError> {
        let segments = self.shared.segments.load_full();
        for segment in segments.iter().filter(|segment| segment.is_index_unfit()) {
            // Of a damaged log the index that does not fit knows more than one built anew would.
            match self.rebuild_indexes(segment) {
                Err(StorageError::Corrupt(_)) => continue,
                rebuilt => rebuilt?,
            }
            if Arc::ptr_eq(segment, &self.active.segment) {
                self.active.take_up()?;
            }
        }
        Ok(())
    }

    fn delete_below_start(&mut self, now_ms: i64) -> Result<usize, StorageError> {
        let start = self.log_start_offset();
        self.delete_while(now_ms, |_, next| {
            Ok(next.is_some_and(|next| next <= start).then_some(SegmentDeletionReason::Start))
        })
    }

    fn delete_by_size(&mut self, now_ms: i64) -> Result<usize, StorageError> {
        let Ok(retained) = u64::try_from(self.config.retention_bytes) else {
            return Ok(0);
        };
        let Some(mut excess) = self.size_bytes().checked_sub(retained) else {
            return Ok(0);
        };
        let mut left = self.size_bytes();
        self.delete_while(now_ms, |segment, _| {
            if segment.size() > excess {
                return Ok(None);
            }
            excess -= segment.size();
            left -= segment.size();
            Ok(Some(SegmentDeletionReason::Size { left }))
        })
    }

    fn delete_by_time(&mut self, now_ms: i64) -> Result<usize, StorageError> {
        let retention_ms = self.config.retention_ms;
        if retention_ms < 0 {
            return Ok(0);
        }
        self.delete_while(now_ms, |segment, _| {
            let largest = segment.largest_timestamp_or_modified()?;
            let is_recorded = segment.max_timestamp()?.timestamp >= 0;
            let is_over = now_ms.saturating_sub(largest) > retention_ms;
            Ok(is_over.then_some(SegmentDeletionReason::Time { is_recorded }))
        })
    }

    /// Deletes segments from the first on while `over` has a reason for each, given its successor's
    /// base offset.
    fn delete_while(
        &mut self,
        now_ms: i64,
        mut over: impl FnMut(
            &Segment,
            Option<i64>,
        ) -> Result<Option<SegmentDeletionReason>, StorageError>,
    ) -> Result<usize, StorageError> {
        let segments = self.shared.segments.load_full();
        let mut count = 0;
        for (index, segment) in segments.iter().enumerate() {
            let next = segments.get(index + 1).map(|next| next.base_offset());
            let upper = next.unwrap_or_else(|| self.log_end_offset());
            let empty = next.is_none() && segment.size() == 0;
            if empty || self.high_watermark < upper {
                break;
            }
            let Some(why) = over(segment, next)? else { break };
            self.say_going(segment, why)?;
            count += 1;
        }
        if count == 0 {
            return Ok(0);
        }
        if count == segments.len() {
            // There is always a segment to write to.
            self.roll(now_ms)?;
        }
        let going: Vec<Arc<Segment>> = segments[..count].to_vec();
        let start = self.shared.segments.load()[count].base_offset();
        self.raise_start(start, LogStartOffsetIncrementReason::ByDeletion)?;
        self.shared.edit_segments(|segments| drop(segments.drain(..count)));
        for segment in &going {
            self.doom_segment(segment, now_ms)?;
        }
        Ok(count)
    }

    /// Removes files whose `file.delete.delay.ms` is over.
    pub fn remove_doomed(&mut self, now_ms: i64) -> Result<(), StorageError> {
        let due = |doomed: &super::Doomed| doomed.due_ms <= now_ms;
        if !self.doomed.iter().any(due) {
            return Ok(());
        }
        let (going, staying) = std::mem::take(&mut self.doomed).into_iter().partition(due);
        self.doomed = staying;
        let going: Vec<super::Doomed> = going;
        for doomed in going {
            let removed = self.shared.home.disk.remove(&doomed.path);
            self.guard(removed.map_err(|e| StorageError::io("remove", &doomed.path, e)))?;
            say_deleted(&doomed.path);
        }
        Ok(())
    }
}
