//! A segment's indexes as a scan of its log yields them, by the rules by which appends write them.

use protocol::batch::BatchHeader;

use crate::error::StorageError;
use crate::index::offset::{self, OffsetEntry};
use crate::index::time::{self, TimeEntry};
use crate::index::transaction::AbortedTransaction;
use crate::producer::CompletedTransaction;
use crate::scan::Scanned;
use crate::segment::Segment;

#[derive(Debug)]
pub(crate) struct Rebuilt {
    base_offset: i64,
    /// Content of the `.index`.
    pub offsets: Vec<u8>,
    /// Content of the `.timeindex`.
    pub times: Vec<u8>,
    pub aborted: Vec<AbortedTransaction>,
    last_position: u64,
    last_time: TimeEntry,
    /// The leader epoch of the last batch taken, in this segment or one before; -1 before any.
    pub epoch: i32,
    pub largest: TimeEntry,
    /// The offset behind the last batch taken.
    pub next_offset: i64,
    /// The position behind the last batch taken.
    pub end: u64,
}

pub(super) fn largest_of(largest: TimeEntry, header: &BatchHeader) -> TimeEntry {
    if header.max_timestamp() > largest.timestamp {
        TimeEntry { timestamp: header.max_timestamp(), offset: header.last_offset() }
    } else {
        largest
    }
}

impl Rebuilt {
    pub(crate) fn new(base_offset: i64, next_offset: i64) -> Self {
        let nothing = TimeEntry { timestamp: -1, offset: base_offset };
        Self {
            base_offset,
            offsets: Vec::new(),
            times: Vec::new(),
            aborted: Vec::new(),
            last_position: 0,
            last_time: nothing,
            epoch: -1,
            largest: nothing,
            next_offset,
            end: 0,
        }
    }

    /// Begins with what the segment's indexes hold from before the batch of `entry`, which is the
    /// first to be scanned.
    pub(super) fn keep_before(
        &mut self,
        segment: &Segment,
        entry: OffsetEntry,
    ) -> Result<(), StorageError> {
        let base = self.base_offset;
        (self.offsets, self.times) = segment.index_contents()?;
        let (offsets, _) = self.offsets.as_chunks::<{ offset::ENTRY_BYTES }>();
        let kept =
            offsets.partition_point(|raw| OffsetEntry::decode(*raw, base).offset < entry.offset);
        if let Some(before) = kept.checked_sub(1) {
            self.last_position = u64::from(OffsetEntry::decode(offsets[before], base).position);
        }
        self.offsets.truncate(kept * offset::ENTRY_BYTES);
        let (times, _) = self.times.as_chunks::<{ time::ENTRY_BYTES }>();
        let kept = times.partition_point(|raw| TimeEntry::decode(*raw, base).offset < entry.offset);
        if let Some(before) = kept.checked_sub(1) {
            self.last_time = TimeEntry::decode(times[before], base);
            self.largest = self.last_time;
        }
        self.times.truncate(kept * time::ENTRY_BYTES);
        self.end = u64::from(entry.position);
        Ok(())
    }

    /// Counts the next batch in.
    pub(super) fn index(&mut self, batch: &Scanned, interval_bytes: u32) {
        self.index_at(&batch.header, batch.position, batch.size(), interval_bytes);
    }

    /// The same of a batch of `size` bytes at `position`.
    pub(crate) fn index_at(
        &mut self,
        header: &BatchHeader,
        position: u64,
        size: u64,
        interval_bytes: u32,
    ) {
        self.largest = largest_of(self.largest, header);
        if position - self.last_position > u64::from(interval_bytes) {
            let entry = OffsetEntry { offset: header.last_offset(), position: position as u32 };
            self.offsets.extend_from_slice(&entry.encode(self.base_offset));
            self.last_position = position;
            self.push_time();
        }
        self.next_offset = header.next_offset();
        self.end = position + size;
    }

    pub(super) fn abort(&mut self, completed: &CompletedTransaction, last_stable_offset: i64) {
        self.aborted.push(AbortedTransaction {
            producer_id: completed.producer_id,
            first_offset: completed.first_offset,
            last_offset: completed.last_offset,
            last_stable_offset,
        });
    }

    /// A segment that is let go of ends with its largest timestamp.
    pub(crate) fn finish(&mut self) {
        self.push_time();
    }

    fn push_time(&mut self) {
        if self.largest.timestamp > self.last_time.timestamp {
            self.times.extend_from_slice(&self.largest.encode(self.base_offset));
            self.last_time = self.largest;
        }
    }
}
