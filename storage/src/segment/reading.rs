//! Finding batches by offset and by time, and handing out bytes. Any thread, no lock but the one
//! under which slices are counted.

use std::io;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::{Segment, UNKNOWN_ENTRIES, UNKNOWN_TIMESTAMP};
use crate::disk::DiskFile;
use crate::error::StorageError;
use crate::index::offset::{self, OffsetEntry};
use crate::index::time::{self, TimeEntry};
use crate::map;
use crate::names;
use crate::scan::{self, BatchSpan, Spans};

impl Segment {
    pub(crate) fn offset_entries(&self) -> Result<u32, StorageError> {
        let known = self.offset_entries.load(Ordering::Acquire);
        if known != UNKNOWN_ENTRIES {
            return Ok(known);
        }
        let entries = self.entries_in(&*self.offset_index()?, offset::ENTRY_BYTES)?;
        self.offset_entries.store(entries, Ordering::Release);
        Ok(entries)
    }

    pub(crate) fn time_entries(&self) -> Result<u32, StorageError> {
        let known = self.time_entries.load(Ordering::Acquire);
        if known != UNKNOWN_ENTRIES {
            return Ok(known);
        }
        let entries = self.entries_in(&*self.time_index()?, time::ENTRY_BYTES)?;
        self.time_entries.store(entries, Ordering::Release);
        Ok(entries)
    }

    fn entries_in(&self, file: &DiskFile, entry_bytes: usize) -> Result<u32, StorageError> {
        let len = file.len().map_err(|error| self.io_error("stat index of", error))?;
        Ok(u32::try_from(len / entry_bytes as u64).unwrap_or(0))
    }

    pub(crate) fn last_offset_entry(&self) -> Result<Option<OffsetEntry>, StorageError> {
        let entries = self.offset_entries()?;
        offset::last(&*self.offset_index()?, self.base_offset, entries)
            .map_err(|error| self.io_error("read index of", error))
    }

    pub(crate) fn last_time_entry(&self) -> Result<Option<TimeEntry>, StorageError> {
        let entries = self.time_entries()?;
        time::last(&*self.time_index()?, self.base_offset, entries)
            .map_err(|error| self.io_error("read time index of", error))
    }

    /// The last time index entry at or below `timestamp`.
    pub(crate) fn time_entry_before(
        &self,
        timestamp: i64,
    ) -> Result<Option<TimeEntry>, StorageError> {
        let entries = self.time_entries()?;
        time::lookup(&*self.time_index()?, self.base_offset, entries, timestamp)
            .map_err(|error| self.io_error("read time index of", error))
    }

    /// Where a search for `target` may begin: the position of a batch that lies at or before it.
    pub(crate) fn position_before(&self, target: i64) -> Result<u64, StorageError> {
        let Some(entry) = self.entry_before(target)? else { return Ok(0) };
        let fits = scan::span_at(&*self.log()?, u64::from(entry.position), self.size())
            .map_err(|error| self.io_error("read", error))?
            .is_some_and(|span| span.last_offset == entry.offset);
        if fits {
            return Ok(u64::from(entry.position));
        }
        self.note_unfit();
        Ok(0)
    }

    /// The first batch that holds `target` or lies after it; `None` when the segment ends before.
    /// Bytes on the way that are no batch are an error, never passed over.
    ///
    /// The index entry used is held against the batch it names; one that disagrees sends the search
    /// to the segment's start and marks the index for a rebuild.
    pub(crate) fn find(&self, target: i64) -> Result<Option<BatchSpan>, StorageError> {
        let entry = self.entry_before(target)?;
        let (log, size) = (self.log()?, self.size());
        let walk = |from| Spans::new(&log, self.base_offset, from, size);
        let mut spans = walk(entry.map_or(0, |entry| u64::from(entry.position)));
        let mut span = spans.next();
        if let Some(entry) = entry
            && !matches!(span, Ok(Some(span)) if span.last_offset == entry.offset)
        {
            self.note_unfit();
            spans = walk(0);
            span = spans.next();
        }
        while let Ok(Some(before)) = span
            && before.last_offset < target
        {
            span = spans.next();
        }
        span.map_err(|error| self.walk_error(error))
    }

    fn entry_before(&self, target: i64) -> Result<Option<OffsetEntry>, StorageError> {
        if target <= self.base_offset {
            return Ok(None);
        }
        let entries = self.offset_entries()?;
        if entries == 0 {
            return Ok(None);
        }
        offset::lookup(&*self.offset_index()?, self.base_offset, entries, target)
            .map_err(|error| self.io_error("read index of", error))
    }

    /// An offset that no record before `position` reaches, if the index knows one.
    pub(crate) fn offset_above(&self, position: u64) -> Result<Option<i64>, StorageError> {
        let entries = self.offset_entries()?;
        let found = offset::first_from(&*self.offset_index()?, self.base_offset, entries, position);
        let entry = found.map_err(|error| self.io_error("read index of", error))?;
        Ok(entry.map(|entry| entry.offset))
    }

    fn note_unfit(&self) {
        if !self.index_unfit.swap(true, Ordering::Relaxed) {
            let path = self.path(names::OFFSET_INDEX);
            tracing::warn!(index = %path.display(), "offset index does not fit its log");
        }
    }

    /// Published bytes `[start, start + len)` without a copy; less where the segment ends before.
    pub(crate) fn slice(&self, start: u64, len: u64) -> Result<Bytes, StorageError> {
        let map = self.map((start + len).min(self.size()))?;
        // Under the lock that `cut` needs: the published length holds until the slice is counted.
        let len = len.min(self.size().saturating_sub(start));
        if len == 0 || self.retired.load(Ordering::Acquire) {
            return Ok(Bytes::new());
        }
        map::published(&map.mapping, &map.slices, start as usize, len as usize)
            .ok_or_else(|| self.io_error("map", io::ErrorKind::UnexpectedEof.into()))
    }

    /// The largest timestamp and the last offset of its batch; what the time index says, unless
    /// appends since have raised it.
    pub(crate) fn max_timestamp(&self) -> Result<TimeEntry, StorageError> {
        let timestamp = self.max_timestamp.load(Ordering::Acquire);
        if timestamp != UNKNOWN_TIMESTAMP {
            let offset = self.max_timestamp_offset.load(Ordering::Acquire);
            return Ok(TimeEntry { timestamp, offset });
        }
        let entry = self
            .last_time_entry()?
            .unwrap_or(TimeEntry { timestamp: -1, offset: self.base_offset });
        self.set_max_timestamp(entry);
        Ok(entry)
    }

    pub(crate) fn set_max_timestamp(&self, entry: TimeEntry) {
        self.max_timestamp_offset.store(entry.offset, Ordering::Release);
        self.max_timestamp.store(entry.timestamp, Ordering::Release);
    }

    /// For retention: the largest timestamp, or for records without any the file's age.
    pub(crate) fn largest_timestamp_or_modified(&self) -> Result<i64, StorageError> {
        let largest = self.max_timestamp()?.timestamp;
        if largest >= 0 {
            return Ok(largest);
        }
        let modified = (|| {
            let modified = self.log()?.as_file().metadata().and_then(|meta| meta.modified());
            modified.map_err(|error| self.io_error("stat", error))
        })()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
