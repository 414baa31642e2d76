//! The records of a batch, streamed: heads with the hash of the key, and the bytes of those that
//! stay. Memory is that of a stream's buffer, whatever a payload decompresses to.

use compression::{ByteSource, Compressor, Decompressor, SourceError};
use protocol::batch::{Compression, RawRecord, RecordFault, varint};

use super::offset_map::{KeyHash, KeyHasher};

/// What compaction looks at of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordHead {
    pub(super) timestamp_delta: i64,
    pub(super) offset_delta: i32,
    pub(super) key: Option<KeyHash>,
    pub(super) has_value: bool,
}

/// What a copy of records came upon.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordsError {
    #[error("{0}")]
    Source(SourceText),
    #[error("{0}")]
    Sink(#[from] std::io::Error),
}

/// A fault of the source in words.
#[derive(Debug)]
pub(super) struct SourceText(String);

impl std::fmt::Display for SourceText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SourceError> for RecordsError {
    fn from(error: SourceError) -> Self {
        Self::Source(SourceText(match error {
            SourceError::Codec(error) => error.to_string(),
            SourceError::Record(fault) => fault.to_string(),
            SourceError::Limit(limit) => format!("it decompresses to more than {limit} bytes"),
        }))
    }
}

impl From<RecordFault> for RecordsError {
    fn from(fault: RecordFault) -> Self {
        SourceError::Record(fault).into()
    }
}

pub(super) fn source(codec: Compression, payload: &[u8]) -> Result<ByteSource<'_>, RecordsError> {
    let decompressor = Decompressor::new(codec, payload).map_err(SourceError::Codec)?;
    Ok(ByteSource::new(decompressor, compression::decompressed_limit(codec, payload)))
}

/// The heads of the next records of a batch, of at most so many.
///
/// Several are read before the offset map is asked about any: the map is larger than the
/// processor's caches, and only keys that are known already are looked up while others are still on
/// their way from memory. Waiting for them is a third of what cleaning costs.
pub(super) fn next_heads(
    source: &mut ByteSource<'_>,
    most: usize,
    heads: &mut Vec<RecordHead>,
) -> Result<(), RecordsError> {
    const AT_ONCE: usize = 128;
    heads.clear();
    for _ in 0..most.min(AT_ONCE) {
        heads.push(next_head(source)?);
    }
    Ok(())
}

/// The next record's head; its body is passed over.
fn next_head(source: &mut ByteSource<'_>) -> Result<RecordHead, RecordsError> {
    if let Ok((record, taken)) = RawRecord::parse(source.available()) {
        let head = RecordHead {
            timestamp_delta: record.timestamp_delta,
            offset_delta: record.offset_delta,
            key: record.key.map(KeyHash::of),
            has_value: record.value.is_some(),
        };
        source.consume(taken);
        return Ok(head);
    }
    // It is not whole in the buffer, or not sound: piece by piece.
    let (length, begin) = length_of(source)?;
    let left = |source: &ByteSource<'_>| length.saturating_sub(source.position() - begin);
    source.byte()?;
    let timestamp_delta = source.varlong()?;
    let offset_delta = source.varint()?;
    let key = match u64::try_from(source.varint()?) {
        Err(_) => None,
        Ok(length) if length > left(source) => return Err(RecordFault::Truncated.into()),
        Ok(length) => {
            let mut hasher = KeyHasher::default();
            source.pass(length, |piece| {
                hasher.update(piece);
                Ok::<(), SourceError>(())
            })?;
            Some(hasher.finish())
        }
    };
    let has_value = source.varint()? >= 0;
    if source.position() - begin > length {
        return Err(RecordFault::Truncated.into());
    }
    source.skip(left(source))?;
    Ok(RecordHead { timestamp_delta, offset_delta, key, has_value })
}

/// Copies the next record; `timestamp_delta` turns its own into the one that it gets.
pub(super) fn copy(
    source: &mut ByteSource<'_>,
    timestamp_delta: impl Fn(i64) -> i64,
    out: &mut Compressor,
) -> Result<(), RecordsError> {
    let (length, begin) = length_of(source)?;
    source.byte()?;
    let timestamp_delta = timestamp_delta(source.varlong()?);
    let offset_delta = source.varint()?;
    let rest = length.checked_sub(source.position() - begin).ok_or(RecordFault::Truncated)?;
    let head = 1 + varint::len_i64(timestamp_delta) + varint::len_i32(offset_delta);
    let size = i32::try_from(head as u64 + rest).map_err(|_| RecordFault::Truncated)?;
    let mut record = Vec::with_capacity(32);
    varint::write_i32(size, &mut record);
    record.push(0);
    varint::write_i64(timestamp_delta, &mut record);
    varint::write_i32(offset_delta, &mut record);
    out.write(&record)?;
    source.pass(rest, |piece| out.write(piece).map_err(RecordsError::Sink))
}

/// Passes over the next record.
pub(super) fn skip(source: &mut ByteSource<'_>) -> Result<(), RecordsError> {
    let (length, _) = length_of(source)?;
    Ok(source.skip(length)?)
}

/// The next record's length, and where it counts from.
fn length_of(source: &mut ByteSource<'_>) -> Result<(u64, u64), RecordsError> {
    let length = source.varint()?;
    let length = u64::try_from(length).map_err(|_| RecordFault::Length(length))?;
    Ok((length, source.position()))
}
