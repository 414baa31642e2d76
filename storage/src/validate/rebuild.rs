//! Writes a batch anew where it cannot be stored as it came: the topic wants another codec, or the
//! records inside do not count 0, 1, 2, …
//!
//! A second stream over the payload, record heads rewritten, bodies passed through; the result
//! stops growing at `max.message.bytes`, so memory stays bounded whatever the payload decompresses
//! to.
//!
//! Unlike Kafka: it also rewrites uncompressed batches whose offset deltas are wrong, which Kafka
//! stores as they are and consumers then stumble over (docs/decisions/0022).

use std::io;

use bytes::Bytes;
use protocol::batch::{
    BatchHeader, Compression, HEADER_LEN, LOG_OVERHEAD, NO_TIMESTAMP, TimestampType, varint,
};

use super::records::{refusal, source};
use super::{Validated, ValidationContext};
use crate::config::CompressionPolicy;
use crate::error::{AppendError, BatchFault};
use compression::{ByteSource, Compressor, SourceError};

pub(crate) fn rebuild(
    header: &BatchHeader,
    from: Compression,
    to: Compression,
    payload: &[u8],
    records_max: i64,
    terms: &ValidationContext<'_>,
) -> Result<Validated, AppendError> {
    let max_bytes = terms.config.max_message_bytes as usize;
    let level = match terms.config.compression {
        CompressionPolicy::Fixed { level, .. } => level,
        CompressionPolicy::Producer if to == Compression::Zstd => 3,
        CompressionPolicy::Producer => -1,
    };
    let limit = max_bytes.saturating_sub(HEADER_LEN);
    let broken = |error: io::Error| match error.kind() {
        io::ErrorKind::FileTooLarge => {
            AppendError::TooLarge { size_bytes: max_bytes + 1, max_bytes }
        }
        _ => AppendError::Undecodable { codec: to, detail: error.to_string() },
    };
    let mut out = Compressor::new(to, level, limit).map_err(broken)?;
    let mut source = source(from, payload)?;
    for index in 0..header.records_count() {
        copy_record(&mut source, index, &mut out).map_err(|error| match error {
            CopyError::Source(error) => refusal(from, index, error),
            CopyError::Sink(error) => broken(error),
        })?;
    }
    let payload = out.finish().map_err(broken)?;
    let header = new_header(header, to, &payload, records_max, terms)?;
    let max_timestamp = header.max_timestamp();
    Ok(Validated { header, payload: Bytes::from(payload), max_timestamp })
}

fn new_header(
    old: &BatchHeader,
    codec: Compression,
    payload: &[u8],
    records_max: i64,
    terms: &ValidationContext<'_>,
) -> Result<BatchHeader, AppendError> {
    let length = i32::try_from(payload.len() + HEADER_LEN - LOG_OVERHEAD)
        .map_err(|_| BatchFault::Count(old.records_count()))?;
    let append_time = terms.config.timestamp_type == TimestampType::LogAppendTime;
    let max_timestamp = if append_time { terms.now_ms } else { records_max.max(NO_TIMESTAMP) };
    let attributes =
        (old.attributes() & !0x0f) | i16::from(codec.id()) | if append_time { 0x08 } else { 0 };
    let mut bytes = *old.as_bytes();
    bytes[0..8].copy_from_slice(&terms.next_offset.to_be_bytes());
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[12..16].copy_from_slice(&terms.leader_epoch.to_be_bytes());
    bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
    bytes[23..27].copy_from_slice(&(old.records_count() - 1).to_be_bytes());
    bytes[35..43].copy_from_slice(&max_timestamp.to_be_bytes());
    let mut header = BatchHeader::from_bytes(bytes);
    header.seal(payload);
    Ok(header)
}

enum CopyError {
    Source(SourceError),
    Sink(io::Error),
}

impl From<SourceError> for CopyError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// One record, whose framing was checked before, with `index` as its offset delta.
fn copy_record(
    source: &mut ByteSource<'_>,
    index: i32,
    out: &mut Compressor,
) -> Result<(), CopyError> {
    let length = source.varint()?.max(0) as u64;
    let begin = source.position();
    let attributes = source.byte()?;
    let timestamp_delta = source.varlong()?;
    source.varint()?;
    let rest = length.saturating_sub(source.position() - begin);
    let head = 1 + varint::len_i64(timestamp_delta) + varint::len_i32(index);
    let mut record = Vec::with_capacity(32);
    varint::write_i32((head as u64 + rest) as i32, &mut record);
    record.push(attributes);
    varint::write_i64(timestamp_delta, &mut record);
    varint::write_i32(index, &mut record);
    out.write(&record).map_err(CopyError::Sink)?;
    source.pass(rest, |piece| out.write(piece).map_err(CopyError::Sink))
}
