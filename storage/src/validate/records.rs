//! Walks every record of a batch once: its framing must fill the payload exactly. Uncompressed
//! payloads are walked in place, compressed ones as a stream whose keys and values are skipped:
//! record by record in the stream's buffer, and piece by piece where a record is not whole there.

use protocol::batch::{
    BatchError, BatchHeader, Compression, NO_TIMESTAMP, RawRecord, RecordFault, Records,
    TimestampType,
};

use super::judge::{RecordSummary, RecordValidator};
use crate::error::{AppendError, BatchFault};
use compression::{ByteSource, Decompressor, SourceError};

/// What the walk found out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk {
    /// The largest timestamp, -1 if no record has one.
    pub max_timestamp: i64,
    /// Whether the records' offset deltas are 0, 1, 2, …
    pub offsets_ascend: bool,
}

pub(crate) fn check(
    header: &BatchHeader,
    codec: Compression,
    payload: &[u8],
    judge: &mut RecordValidator<'_>,
) -> Result<Walk, AppendError> {
    if codec == Compression::None {
        check_plain(header, payload, judge)
    } else {
        check_compressed(header, codec, payload, judge)
    }
}

fn check_plain(
    header: &BatchHeader,
    payload: &[u8],
    judge: &mut RecordValidator<'_>,
) -> Result<Walk, AppendError> {
    let refuse = |error| AppendError::InvalidBatch(BatchFault::Records(error));
    let mut walk = Walk { max_timestamp: NO_TIMESTAMP, offsets_ascend: true };
    for (index, record) in (0..).zip(Records::new(header, payload).map_err(refuse)?) {
        let record = record.map_err(refuse)?;
        judge.see(RecordSummary {
            index,
            timestamp: record.timestamp,
            has_key: record.key.is_some(),
        });
        walk.max_timestamp = walk.max_timestamp.max(record.timestamp);
        walk.offsets_ascend &= record.offset_delta == index;
    }
    Ok(walk)
}

fn check_compressed(
    header: &BatchHeader,
    codec: Compression,
    payload: &[u8],
    judge: &mut RecordValidator<'_>,
) -> Result<Walk, AppendError> {
    let mut walk = Walk { max_timestamp: NO_TIMESTAMP, offsets_ascend: true };
    let mut source = source(codec, payload)?;
    let append_time =
        (header.timestamp_type() == TimestampType::LogAppendTime).then(|| header.max_timestamp());
    for index in 0..header.records_count() {
        let head = match glance(&mut source) {
            Some(head) => head,
            None => skim(&mut source).map_err(|error| refusal(codec, index, error))?,
        };
        let timestamp = append_time
            .unwrap_or_else(|| header.base_timestamp().wrapping_add(head.timestamp_delta));
        judge.see(RecordSummary { index, timestamp, has_key: head.has_key });
        walk.max_timestamp = walk.max_timestamp.max(timestamp);
        walk.offsets_ascend &= head.offset_delta == index;
    }
    let count = header.records_count();
    if !source.is_at_end().map_err(|error| refusal(codec, count, error))? {
        let fault = SourceError::Record(RecordFault::TrailingBytes(1));
        return Err(refusal(codec, count, fault));
    }
    Ok(walk)
}

pub(crate) fn source(codec: Compression, payload: &[u8]) -> Result<ByteSource<'_>, AppendError> {
    let decompressor = Decompressor::new(codec, payload)
        .map_err(|error| refusal(codec, 0, SourceError::Codec(error)))?;
    Ok(ByteSource::new(decompressor, compression::decompressed_limit(codec, payload)))
}

pub(crate) fn refusal(codec: Compression, index: i32, error: SourceError) -> AppendError {
    match error {
        SourceError::Codec(error) => AppendError::Undecodable { codec, detail: error.to_string() },
        SourceError::Record(reason) => {
            BatchFault::Records(BatchError::InvalidRecord { index, reason }).into()
        }
        SourceError::Limit(limit_bytes) => BatchFault::DecompressedTooLarge { limit_bytes }.into(),
    }
}

#[derive(Debug)]
struct Head {
    timestamp_delta: i64,
    offset_delta: i32,
    has_key: bool,
}

/// The next record if it lies whole in the source's buffer and is sound. All others are left for
/// [`skim`] to judge, which takes the same records.
#[inline]
fn glance(source: &mut ByteSource<'_>) -> Option<Head> {
    let (record, taken) = RawRecord::parse(source.available()).ok()?;
    let head = Head {
        timestamp_delta: record.timestamp_delta,
        offset_delta: record.offset_delta,
        has_key: record.key.is_some(),
    };
    source.consume(taken);
    Some(head)
}

/// Reads one record's head and passes over the rest.
fn skim(source: &mut ByteSource<'_>) -> Result<Head, SourceError> {
    let length = source.varint()?;
    let length = u64::try_from(length).map_err(|_| RecordFault::Length(length))?;
    let begin = source.position();
    source.byte()?;
    let timestamp_delta = source.varlong()?;
    let offset_delta = source.varint()?;
    let left = |source: &ByteSource<'_>| length.saturating_sub(source.position() - begin);
    let has_key = skip_field(source, left)?;
    skip_field(source, left)?;
    let headers = source.varint()?;
    let count = u64::try_from(headers).ok().filter(|&count| count <= left(source) / 2);
    for _ in 0..count.ok_or(RecordFault::HeaderCount(headers))? {
        if !skip_field(source, left)? {
            return Err(RecordFault::HeaderKey.into());
        }
        skip_field(source, left)?;
    }
    let read = source.position() - begin;
    if read != length {
        let (announced, read) = (length as usize, read as usize);
        return Err(RecordFault::LengthMismatch { announced, read }.into());
    }
    Ok(Head { timestamp_delta, offset_delta, has_key })
}

/// Whether the field is there; its bytes are passed over.
fn skip_field<'p>(
    source: &mut ByteSource<'p>,
    left: impl Fn(&ByteSource<'p>) -> u64,
) -> Result<bool, SourceError> {
    let Ok(length) = u64::try_from(source.varint()?) else {
        return Ok(false);
    };
    if length > left(source) {
        return Err(RecordFault::Truncated.into());
    }
    source.skip(length)?;
    Ok(true)
}
