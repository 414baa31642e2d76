//! What stays of one batch, and the bytes it is written as. Kafka's `MemoryRecords.filterTo` and
//! `buildRetainedRecordsInto`, and the filter that `Cleaner.cleanInto` gives it.
//!
//! A batch keeps its base and last offset, sequence, epochs and codec. When tombstones, or a marker
//! whose transaction is gone, are met first, the batch gets its delete horizon: attribute bit 6,
//! and the time at which they may go in the place of the base timestamp.

use protocol::batch::{
    BatchHeader, Compression, HEADER_LEN, LOG_OVERHEAD, NO_TIMESTAMP, TimestampType,
};

use super::offset_map::OffsetMap;
use super::records::{self, RecordHead, RecordsError};
use compression::Compressor;

const HEADER_BITS: i16 = 0x3f;
const CODEC_BITS: i16 = 0x07;
const DELETE_HORIZON_BIT: i16 = 0x40;

/// What the offsets and transactions of a pass say of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchRetention {
    /// Its records go, whatever they are.
    pub(super) discards_records: bool,
    /// It stays even without records: it holds a producer's last sequence, or ends the round.
    pub(super) retains_empty: bool,
    /// It is the marker of a transaction of which nothing else is left.
    pub(super) is_marker_of_nothing: bool,
}

/// By what records are judged.
pub(super) struct RecordFilter<'m> {
    pub(super) map: &'m OffsetMap,
    pub(super) now_ms: i64,
    pub(super) delete_retention_ms: i64,
}

/// What a batch is written as.
#[derive(Debug)]
pub(super) enum Filtered {
    /// Not at all.
    Dropped,
    AsItIs,
    Rewritten(BatchHeader, Vec<u8>),
}

/// What was read of a batch, and what stays of it.
#[derive(Debug)]
pub(super) struct FilteredBatch {
    pub(super) written: Filtered,
    pub(super) messages_read: u64,
    pub(super) messages_retained: u64,
    /// Records without a key.
    pub(super) invalid_messages: u64,
}

/// The records that stay.
#[derive(Default)]
struct Retained {
    stays: Vec<bool>,
    count: i32,
    first_timestamp: Option<i64>,
    max_timestamp: i64,
    has_tombstones: bool,
    invalid: u64,
}

impl Retained {
    /// The next record, and whether it stays.
    fn take(&mut self, header: &BatchHeader, head: &RecordHead, stays: bool) {
        self.invalid += u64::from(head.key.is_none() && !stays);
        self.stays.push(stays);
        if stays {
            let timestamp = timestamp_of(header, head.timestamp_delta);
            self.count += 1;
            self.first_timestamp.get_or_insert(timestamp);
            self.max_timestamp = self.max_timestamp.max(timestamp);
            self.has_tombstones |= !head.has_value;
        }
    }
}

impl RecordFilter<'_> {
    /// What becomes of a batch.
    pub(super) fn filter(
        &self,
        header: &BatchHeader,
        payload: &[u8],
        retention: BatchRetention,
    ) -> Result<FilteredBatch, RecordsError> {
        let nothing = |written, messages_read, invalid_messages| FilteredBatch {
            written,
            messages_read,
            messages_retained: 0,
            invalid_messages,
        };
        let emptied = || {
            if retention.retains_empty {
                Filtered::Rewritten(empty_header(header), Vec::new())
            } else {
                Filtered::Dropped
            }
        };
        let count = header.records_count().max(0) as u64;
        if retention.discards_records || count == 0 {
            // Kafka does not look into a batch that goes as a whole.
            let looked_at = if retention.retains_empty { count } else { 0 };
            return Ok(nothing(emptied(), looked_at, 0));
        }
        let codec = header.compression().map_err(|error| invalid(&error))?;
        let retained = self.judge(header, codec, payload)?;
        if retained.count == 0 {
            return Ok(nothing(emptied(), count, retained.invalid));
        }
        let horizon = delete_horizon(header);
        let begins_horizon =
            horizon.is_none() && (retained.has_tombstones || retention.is_marker_of_nothing);
        let written = if retained.count == header.records_count() && !begins_horizon {
            Filtered::AsItIs
        } else {
            let begun = self.now_ms.saturating_add(self.delete_retention_ms);
            let horizon = if begins_horizon { Some(begun) } else { horizon };
            let (header, payload) = rewrite(header, codec, payload, &retained, horizon)?;
            Filtered::Rewritten(header, payload)
        };
        Ok(FilteredBatch {
            written,
            messages_read: count,
            messages_retained: retained.count as u64,
            invalid_messages: retained.invalid,
        })
    }

    fn judge(
        &self,
        header: &BatchHeader,
        codec: Compression,
        payload: &[u8],
    ) -> Result<Retained, RecordsError> {
        let mut retained = Retained { max_timestamp: NO_TIMESTAMP, ..Retained::default() };
        let mut source = records::source(codec, payload)?;
        let mut rest = header.records_count().max(0) as usize;
        let mut heads = Vec::new();
        while rest > 0 {
            records::next_heads(&mut source, rest, &mut heads)?;
            rest -= heads.len();
            for head in &heads {
                let stays = header.is_control() || self.retains(header, head);
                retained.take(header, head, stays);
            }
        }
        Ok(retained)
    }

    /// Whether a record is the last of its key and no tombstone whose time is over.
    fn retains(&self, header: &BatchHeader, head: &RecordHead) -> bool {
        let offset = header.base_offset().wrapping_add(i64::from(head.offset_delta));
        if offset > self.map.latest_offset() {
            return true;
        }
        let Some(key) = head.key else { return false };
        let is_latest = self.map.get(key).is_none_or(|latest| offset >= latest);
        let is_over = || delete_horizon(header).is_some_and(|horizon| self.now_ms >= horizon);
        is_latest && (head.has_value || !is_over())
    }
}

/// When tombstones and markers of a batch may go, once that is set.
pub(super) fn delete_horizon(header: &BatchHeader) -> Option<i64> {
    header.has_delete_horizon().then(|| header.base_timestamp())
}

fn timestamp_of(header: &BatchHeader, delta: i64) -> i64 {
    match header.timestamp_type() {
        TimestampType::LogAppendTime => header.max_timestamp(),
        TimestampType::CreateTime => header.base_timestamp().wrapping_add(delta),
    }
}

fn invalid(error: &impl ToString) -> RecordsError {
    std::io::Error::other(error.to_string()).into()
}

/// The batch with the records that stay, in its own codec.
fn rewrite(
    old: &BatchHeader,
    codec: Compression,
    payload: &[u8],
    retained: &Retained,
    horizon: Option<i64>,
) -> Result<(BatchHeader, Vec<u8>), RecordsError> {
    let base_timestamp = horizon.or(retained.first_timestamp).unwrap_or(NO_TIMESTAMP);
    let mut out = Compressor::new(codec, default_level(codec), i32::MAX as usize)?;
    let mut source = records::source(codec, payload)?;
    let delta = |old_delta| timestamp_of(old, old_delta).wrapping_sub(base_timestamp);
    for stays in &retained.stays {
        if *stays {
            records::copy(&mut source, delta, &mut out)?;
        } else {
            records::skip(&mut source)?;
        }
    }
    let payload = out.finish()?;
    let attributes = old.attributes() & HEADER_BITS;
    let attributes = if horizon.is_some() { attributes | DELETE_HORIZON_BIT } else { attributes };
    let timestamps = (base_timestamp, retained.max_timestamp);
    let header = new_header(old, attributes, timestamps, retained.count, &payload)?;
    Ok((header, payload))
}

/// The batch without records.
fn empty_header(old: &BatchHeader) -> BatchHeader {
    let attributes = old.attributes() & HEADER_BITS & !CODEC_BITS;
    let timestamps = (NO_TIMESTAMP, old.max_timestamp());
    new_header(old, attributes, timestamps, 0, &[]).unwrap_or(*old)
}

fn new_header(
    old: &BatchHeader,
    attributes: i16,
    (base_timestamp, max_timestamp): (i64, i64),
    count: i32,
    payload: &[u8],
) -> Result<BatchHeader, RecordsError> {
    let length = i32::try_from(payload.len() + HEADER_LEN - LOG_OVERHEAD);
    let length = length.map_err(|error| invalid(&error))?;
    let mut bytes = *old.as_bytes();
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
    bytes[27..35].copy_from_slice(&base_timestamp.to_be_bytes());
    bytes[35..43].copy_from_slice(&max_timestamp.to_be_bytes());
    bytes[57..61].copy_from_slice(&count.to_be_bytes());
    let mut header = BatchHeader::from_bytes(bytes);
    header.seal(payload);
    Ok(header)
}

/// The levels that Kafka compresses with where nobody set any.
fn default_level(codec: Compression) -> i32 {
    match codec {
        Compression::Zstd => 3,
        Compression::Lz4 => 9,
        Compression::None | Compression::Gzip | Compression::Snappy => -1,
    }
}
