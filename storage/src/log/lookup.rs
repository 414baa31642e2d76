//! From timestamps to offsets (ListOffsets). Kafka's `UnifiedLog.fetchOffsetByTimestamp`.

use std::sync::Arc;

use protocol::batch::{BatchHeader, BatchView, Compression, Records};

use super::{Log, LogReader};
use crate::corruption::CorruptionFault;
use crate::error::StorageError;
use crate::names;
use crate::scan::{self, Order};
use crate::segment::Segment;

/// A record found by its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimestampOffset {
    pub timestamp: i64,
    pub offset: i64,
    /// -1 when the batch has none.
    pub leader_epoch: i32,
}

impl Log {
    /// See [`LogReader::offset_for_timestamp`].
    pub fn offset_for_timestamp(
        &self,
        timestamp: i64,
    ) -> Result<Option<TimestampOffset>, StorageError> {
        self.reader().offset_for_timestamp(timestamp)
    }

    /// See [`LogReader::max_timestamp`].
    pub fn max_timestamp(&self) -> Result<Option<TimestampOffset>, StorageError> {
        self.reader().max_timestamp()
    }

    /// The epoch that Kafka reports with the earliest offset.
    #[must_use]
    pub fn earliest_epoch(&self) -> Option<i32> {
        let earliest = self.epochs.earliest()?;
        (earliest.start_offset <= self.log_start_offset()).then_some(earliest.epoch)
    }
}

impl LogReader {
    /// The first record with at least this timestamp.
    pub fn offset_for_timestamp(
        &self,
        timestamp: i64,
    ) -> Result<Option<TimestampOffset>, StorageError> {
        self.undisturbed(|_| self.search_from_start(timestamp))
    }

    fn search_from_start(&self, timestamp: i64) -> Result<Option<TimestampOffset>, StorageError> {
        let start_offset = self.log_start_offset();
        let segments = self.shared().segments.load_full();
        for (index, segment) in segments.iter().enumerate() {
            // Unlike Kafka, which looks no further than the first such segment, even when all that
            // it found there is deleted already.
            if segment.largest_timestamp_or_modified()? >= timestamp
                && let Some(found) = self.search(&segments, index, timestamp, start_offset)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first record that has the log's largest timestamp, as long as its segment is there: the
    /// log's start is not looked at, as in Kafka.
    pub fn max_timestamp(&self) -> Result<Option<TimestampOffset>, StorageError> {
        self.undisturbed(|_| self.search_largest())
    }

    fn search_largest(&self) -> Result<Option<TimestampOffset>, StorageError> {
        let segments = self.shared().segments.load_full();
        let mut best = None;
        for (index, segment) in segments.iter().enumerate() {
            let entry = segment.max_timestamp()?;
            if best.as_ref().is_none_or(|(_, largest)| entry.timestamp > *largest) {
                best = Some((index, entry.timestamp));
            }
        }
        match best {
            Some((index, timestamp)) if timestamp >= 0 => {
                self.search(&segments, index, timestamp, segments[index].base_offset())
            }
            _ => Ok(None),
        }
    }

    /// The first record of the segment at `index` at or after both timestamp and offset.
    fn search(
        &self,
        segments: &[Arc<Segment>],
        index: usize,
        timestamp: i64,
        start_offset: i64,
    ) -> Result<Option<TimestampOffset>, StorageError> {
        let segment = &segments[index];
        let fail = |error| segment.io_error("read", error);
        let before = segment.time_entry_before(timestamp)?;
        let from = before.map_or_else(|| segment.base_offset(), |entry| entry.offset);
        let mut position = segment.position_before(from.max(start_offset))?;
        // In this order: see `Shared`.
        let size = segment.size();
        let next = segments.get(index + 1).map(|next| next.base_offset());
        let end = next.unwrap_or_else(|| self.log_end_offset());
        let mut order = Order::within(segment.base_offset(), end);
        loop {
            let (found, bytes) = {
                let log = segment.log()?;
                let wanted = |batch: &BatchHeader| {
                    batch.max_timestamp() >= timestamp && batch.last_offset() >= start_offset
                };
                let span = scan::first_with(&log, &mut order, position, size, wanted);
                let Some(span) = span.map_err(|error| segment.walk_error(error))? else {
                    return Ok(None);
                };
                let mut bytes = vec![0; span.size as usize];
                let read = log.read_at(&mut bytes, span.position).map_err(fail)?;
                bytes.truncate(read);
                (span, bytes)
            };
            let searched = search_batch(&bytes, timestamp, start_offset);
            if let Some(record) = searched.map_err(|reason| {
                CorruptionFault::Records(reason).at(segment.path(names::LOG), found.position)
            })? {
                return Ok(Some(record));
            }
            position = found.position + found.size;
        }
    }
}

/// The first record of a batch at or after both, or why one before it cannot be read.
fn search_batch(
    bytes: &[u8],
    timestamp: i64,
    start_offset: i64,
) -> Result<Option<TimestampOffset>, String> {
    let batch = BatchView::parse(bytes).map_err(|error| error.to_string())?;
    let codec = batch.compression().map_err(|error| error.to_string())?;
    let plain;
    let payload = if codec == Compression::None {
        batch.payload()
    } else {
        plain =
            compression::decompress(codec, batch.payload()).map_err(|error| error.to_string())?;
        &plain
    };
    let leader_epoch = batch.partition_leader_epoch();
    for record in Records::new(&batch.header_copy(), payload).map_err(|error| error.to_string())? {
        let record = record.map_err(|error| error.to_string())?;
        if record.timestamp >= timestamp && record.offset >= start_offset {
            let (timestamp, offset) = (record.timestamp, record.offset);
            return Ok(Some(TimestampOffset { timestamp, offset, leader_epoch }));
        }
    }
    Ok(None)
}
