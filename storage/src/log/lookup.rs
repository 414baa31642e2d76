//! From timestamps to offsets (ListOffsets). Kafka's `UnifiedLog.fetchOffsetByTimestamp`.

use protocol::batch::{BatchView, Compression, Records};

use super::{Log, LogReader};
use crate::codec;
use crate::error::StorageError;
use crate::scan;
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
        let start_offset = self.log_start_offset();
        let segments = self.shared().segments.load_full();
        for segment in segments.iter() {
            // Unlike Kafka, which looks no further than the first such segment, even when all that
            // it found there is deleted already.
            if segment.largest_timestamp_or_modified()? >= timestamp
                && let Some(found) = search(segment, timestamp, start_offset)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first record that has the log's largest timestamp, as long as its segment is there: the
    /// log's start is not looked at, as in Kafka.
    pub fn max_timestamp(&self) -> Result<Option<TimestampOffset>, StorageError> {
        let segments = self.shared().segments.load_full();
        let mut best = None;
        for segment in segments.iter() {
            let entry = segment.max_timestamp()?;
            if best.as_ref().is_none_or(|(_, largest)| entry.timestamp > *largest) {
                best = Some((segment, entry.timestamp));
            }
        }
        match best {
            Some((segment, timestamp)) if timestamp >= 0 => {
                search(segment, timestamp, segment.base_offset())
            }
            _ => Ok(None),
        }
    }
}

/// The first record of a segment at or after both timestamp and offset.
fn search(
    segment: &Segment,
    timestamp: i64,
    start_offset: i64,
) -> Result<Option<TimestampOffset>, StorageError> {
    let fail = |error| segment.io_error("read", error);
    let before = segment.time_entry_before(timestamp)?;
    let from = before.map_or_else(|| segment.base_offset(), |entry| entry.offset);
    let mut position = segment.position_before(from.max(start_offset))?;
    let size = segment.size();
    loop {
        let (found, bytes) = {
            let log = segment.log()?;
            let Some(span) = scan::first_with(&log, position, size, |batch| {
                batch.max_timestamp() >= timestamp && batch.last_offset() >= start_offset
            })
            .map_err(fail)?
            else {
                return Ok(None);
            };
            let mut bytes = vec![0; span.size as usize];
            let read = log.read_at(&mut bytes, span.position).map_err(fail)?;
            bytes.truncate(read);
            (span, bytes)
        };
        if let Some(record) = search_batch(&bytes, timestamp, start_offset) {
            return Ok(Some(record));
        }
        position = found.position + found.size;
    }
}

fn search_batch(bytes: &[u8], timestamp: i64, start_offset: i64) -> Option<TimestampOffset> {
    let batch = BatchView::parse(bytes).ok()?;
    let codec = batch.compression().ok()?;
    let plain;
    let payload = if codec == Compression::None {
        batch.payload()
    } else {
        plain = codec::decompress(codec, batch.payload()).ok()?;
        &plain
    };
    let leader_epoch = batch.partition_leader_epoch();
    Records::new(&batch.header_copy(), payload)
        .ok()?
        .map_while(Result::ok)
        .find(|record| record.timestamp >= timestamp && record.offset >= start_offset)
        .map(|record| TimestampOffset {
            timestamp: record.timestamp,
            offset: record.offset,
            leader_epoch,
        })
}
