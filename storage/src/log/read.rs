//! Reading without the partition's lock: find the batch by index, hand out a slice of the map.
//! Kafka's `LocalLog.read` and `LogSegment.read`.

use std::io::IoSliceMut;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use rustix::io::{Errno, ReadWriteFlags, preadv2};

use super::Shared;
use crate::corruption::CorruptionFault;
use crate::error::{ReadError, StorageError};
use crate::index::transaction::AbortedTransaction;
use crate::names;
use crate::scan::BatchSpan;
use crate::segment::Segment;

/// Reads one log; cheap to clone, usable from any thread.
#[derive(Debug, Clone)]
pub struct LogReader {
    shared: Arc<Shared>,
}

/// Whole batches, but that the last may be cut short by the limit, as in Kafka.
#[derive(Debug, Clone, Default)]
pub struct LogRead {
    /// Bytes of the log, in order; they borrow the log's map.
    pub slices: Vec<Bytes>,
    /// Bytes in all.
    pub size_bytes: usize,
    /// Base offset of the first batch; the offset asked for when nothing was read.
    pub base_offset: i64,
    /// Every record read lies below: what aborted transactions are to be looked for.
    pub upper_offset: i64,
}

/// Where bytes lie that a read would give.
#[derive(Debug, Clone)]
pub struct ReadPlan {
    shared: Arc<Shared>,
    /// [`Shared::uncut`] when the plan was made.
    cuts: u64,
    segment: Arc<Segment>,
    position: u64,
    length: u64,
    first_bytes: u64,
    base_offset: i64,
    upper_offset: i64,
}

/// Pages are probed this far apart: the kernel reads ahead in runs at least as long.
const PROBE_STRIDE: u64 = 64 * 1024;

impl LogReader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    #[must_use]
    pub fn log_start_offset(&self) -> i64 {
        self.shared.start.load(Ordering::Acquire)
    }

    #[must_use]
    pub fn log_end_offset(&self) -> i64 {
        self.shared.end.load(Ordering::Acquire)
    }

    /// See [`super::Log::last_stable_offset`].
    #[must_use]
    pub fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        self.shared.unstable.last_stable_offset(high_watermark).max(self.log_start_offset())
    }

    /// Bytes of all segments' `.log` files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.shared.segments.load().iter().map(|segment| segment.size()).sum()
    }

    /// How many segments there are.
    #[must_use]
    pub fn segment_count(&self) -> usize {
        self.shared.segments.load().len()
    }

    /// Bytes that the next [`super::Log::delete_old_segments`] reads to build indexes anew which
    /// reads found unfit.
    #[must_use]
    pub fn unfit_index_bytes(&self) -> u64 {
        let segments = self.shared.segments.load();
        let unfit = segments.iter().filter(|segment| segment.is_index_unfit());
        unfit.map(|segment| segment.size()).sum()
    }

    /// Up to `max_bytes` of batches from the one that holds `from` on, none of which begins at or
    /// above `upper_exclusive`. With `min_one` the first batch comes whole, however large.
    pub fn read(
        &self,
        from: i64,
        max_bytes: usize,
        upper_exclusive: i64,
        min_one: bool,
    ) -> Result<LogRead, ReadError> {
        match self.plan(from, max_bytes, upper_exclusive, min_one)? {
            Some(plan) => {
                plan.check_length()?;
                Ok(plan.fetch()?)
            }
            None => Ok(LogRead { base_offset: from, upper_offset: from, ..LogRead::default() }),
        }
    }

    /// What [`Self::read`] would read; `None` when that is nothing.
    pub fn plan(
        &self,
        from: i64,
        max_bytes: usize,
        upper_exclusive: i64,
        min_one: bool,
    ) -> Result<Option<ReadPlan>, ReadError> {
        let (start, end) = (self.log_start_offset(), self.log_end_offset());
        if from < start || from > end {
            return Err(ReadError::OffsetOutOfRange {
                requested: from,
                log_start_offset: start,
                log_end_offset: end,
            });
        }
        if from >= upper_exclusive.min(end) {
            return Ok(None);
        }
        Ok(self.undisturbed(|cuts| {
            self.plan_within(cuts, from, max_bytes, upper_exclusive, min_one)
        })?)
    }

    /// What `look` finds; nothing where the log was truncated under it, which may have shown it the
    /// middle of a batch.
    pub(super) fn undisturbed<T>(
        &self,
        look: impl FnOnce(u64) -> Result<Option<T>, StorageError>,
    ) -> Result<Option<T>, StorageError> {
        let Some(cuts) = self.shared.uncut() else {
            return Ok(None);
        };
        match look(cuts) {
            Err(StorageError::Corrupt(_)) if self.shared.uncut() != Some(cuts) => Ok(None),
            found => found,
        }
    }

    fn plan_within(
        &self,
        cuts: u64,
        from: i64,
        max_bytes: usize,
        upper_exclusive: i64,
        min_one: bool,
    ) -> Result<Option<ReadPlan>, StorageError> {
        let segments = self.shared.segments.load_full();
        let Some(first) =
            segments.partition_point(|segment| segment.base_offset() <= from).checked_sub(1)
        else {
            // The log's start was raised past `from` this moment, and its first segments are gone.
            return Ok(None);
        };
        for (index, segment) in segments.iter().enumerate().skip(first) {
            // The segment ends below `from`: compaction or truncation took what was there.
            let Some(found) = segment.find(from)? else {
                continue;
            };
            let next = segments.get(index + 1).map(|next| next.base_offset());
            self.check_below(segment, &found, next)?;
            if found.base_offset >= upper_exclusive {
                return Ok(None);
            }
            let (limit, mut upper_offset) = self.limit(segment, &found, next, upper_exclusive)?;
            let wanted =
                if min_one { (max_bytes as u64).max(found.size) } else { max_bytes as u64 };
            let length = limit.saturating_sub(found.position).min(wanted);
            if found.position + length < limit
                && let Some(above) = segment.offset_above(found.position + length)?
            {
                upper_offset = upper_offset.min(above);
            }
            return Ok((length > 0).then(|| ReadPlan {
                shared: Arc::clone(&self.shared),
                cuts,
                segment: Arc::clone(segment),
                position: found.position,
                length,
                first_bytes: found.size,
                base_offset: found.base_offset,
                upper_offset,
            }));
        }
        Ok(None)
    }

    /// That a batch ends before the next segment, or the log, does.
    fn check_below(
        &self,
        segment: &Segment,
        found: &BatchSpan,
        next: Option<i64>,
    ) -> Result<(), StorageError> {
        let (first, last) = (found.base_offset, found.last_offset);
        if last < next.unwrap_or_else(|| self.log_end_offset()) {
            return Ok(());
        }
        let fault = CorruptionFault::Offsets { first, last, lowest: segment.base_offset() };
        Err(fault.at(segment.path(names::LOG), found.position))
    }

    /// The offset behind the batch that holds this one, or behind the next batch where none does;
    /// `None` at the end of the log.
    pub fn end_of_batch(&self, offset: i64) -> Result<Option<i64>, StorageError> {
        self.undisturbed(|_| {
            let segments = self.shared.segments.load_full();
            let first = segments
                .partition_point(|segment| segment.base_offset() <= offset)
                .saturating_sub(1);
            for segment in segments.iter().skip(first) {
                if let Some(found) = segment.find(offset)? {
                    return Ok(Some(found.last_offset + 1));
                }
            }
            Ok(None)
        })
    }

    /// Where in `segment` the bytes below `upper` end, and an offset that they do not reach. Bytes
    /// behind `found` that are no batch end them, too: whoever asks for those is told.
    fn limit(
        &self,
        segment: &Segment,
        found: &BatchSpan,
        next: Option<i64>,
        upper: i64,
    ) -> Result<(u64, i64), StorageError> {
        if let Some(next) = next
            && upper >= next
        {
            return Ok((segment.size(), next));
        }
        // In this order: see `Shared`.
        let size = segment.size();
        let end = self.log_end_offset();
        if next.is_none() && upper >= end {
            return Ok((size, end));
        }
        match segment.find(upper) {
            Ok(batch) => Ok((batch.map_or(size, |batch| batch.position), upper)),
            Err(StorageError::Corrupt(corrupt)) if corrupt.position > found.position => {
                Ok((corrupt.position, upper))
            }
            Err(error) => Err(error),
        }
    }

    /// Transactions that were rolled back and have records in `[from, upper)`.
    pub fn aborted_transactions(
        &self,
        from: i64,
        upper: i64,
    ) -> Result<Vec<AbortedTransaction>, StorageError> {
        let segments = self.shared.segments.load_full();
        let end = self.log_end_offset();
        let first =
            segments.partition_point(|segment| segment.base_offset() <= from).saturating_sub(1);
        let mut found = Vec::new();
        for segment in segments.iter().skip(first) {
            let Some(entries) = segment.aborted(end)? else {
                let path = segment.path(names::TRANSACTION_INDEX);
                return Err(CorruptionFault::TransactionIndex.at(path, 0));
            };
            for entry in entries {
                if entry.last_offset >= from && entry.first_offset < upper {
                    found.push(entry);
                }
                if entry.last_stable_offset >= upper {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl ReadPlan {
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.length as usize
    }

    /// Whether the first batch is read whole; where it is not, the read is of no use.
    #[must_use]
    pub fn holds_a_batch(&self) -> bool {
        self.length >= self.first_bytes
    }

    /// Whether the bytes are in memory, so that reading them cannot block on the disk. A sample:
    /// one byte in 64 KiB is asked for without waiting, and the last. An error when the file has
    /// become shorter than what was written to it.
    pub fn is_resident(&self) -> Result<bool, StorageError> {
        let log = self.segment.log()?;
        let mut position = self.position;
        let end = self.position + self.length;
        while position < end {
            let mut byte = [0; 1];
            let mut buffers = [IoSliceMut::new(&mut byte)];
            let file = log.as_file().as_fd();
            match preadv2(file, &mut buffers, position, ReadWriteFlags::NOWAIT) {
                Err(Errno::AGAIN) => return Ok(false),
                // A file system that cannot tell is asked no further.
                Err(_) => return self.check_length().map(|()| true),
                Ok(0) => return self.check_length().map(|()| true),
                Ok(_) => {}
            }
            position = if position + PROBE_STRIDE < end || position == end - 1 {
                position + PROBE_STRIDE
            } else {
                end - 1
            };
        }
        Ok(true)
    }

    /// That the file is as long as the bytes need it to be.
    pub fn check_length(&self) -> Result<(), StorageError> {
        let length = self.segment.log()?.len();
        let length = length.map_err(|error| self.segment.io_error("stat", error))?;
        self.check_end(length)
    }

    /// As [`Self::check_length`], of a file that ends at `length`.
    fn check_end(&self, length: u64) -> Result<(), StorageError> {
        let end = self.position + self.length;
        // A truncation of ours is under way, or over: what is fetched then is nothing.
        if length >= end || self.shared.uncut() != Some(self.cuts) {
            return Ok(());
        }
        let fault = CorruptionFault::Short { missing: self.segment.size().saturating_sub(length) };
        Err(fault.at(self.segment.path(names::LOG), length))
    }

    /// The bytes as a copy, read by the descriptor: for our own code that looks into records, which
    /// must get an error where a map would raise a signal.
    pub fn copy(&self) -> Result<Vec<u8>, StorageError> {
        let mut bytes = vec![0; self.length as usize];
        let read = self.segment.log()?.read_at(&mut bytes, self.position);
        let filled = read.map_err(|error| self.segment.io_error("read", error))?;
        self.check_end(self.position + filled as u64)?;
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// The bytes as slices of the map; none when the log was truncated since the plan was made.
    pub fn fetch(&self) -> Result<LogRead, StorageError> {
        let bytes = self.segment.slice(self.position, self.length)?;
        // From here on the slice keeps its bytes whatever is cut; before, it may have lost them.
        if self.shared.uncut() != Some(self.cuts) {
            let (base_offset, upper_offset) = (self.base_offset, self.base_offset);
            return Ok(LogRead { base_offset, upper_offset, ..LogRead::default() });
        }
        let size_bytes = bytes.len();
        let slices = if bytes.is_empty() { Vec::new() } else { vec![bytes] };
        let (base_offset, upper_offset) = (self.base_offset, self.upper_offset);
        Ok(LogRead { slices, size_bytes, base_offset, upper_offset })
    }
}
