//! The batch that a shard's waiting writes become.

use bytes::Bytes;
use coordinator::runtime::{Write, WriteId};
use protocol::batch::{BatchBuilder, BatchHeader, Compression, HEADER_LEN, LOG_OVERHEAD};

/// One batch of all these, and where in it each write begins.
pub(super) fn batch(writes: &[Write], now_ms: i64) -> (Bytes, Vec<(WriteId, i64)>) {
    let mut builder = BatchBuilder::new(0);
    let mut firsts = Vec::with_capacity(writes.len());
    for write in writes {
        firsts.push((write.id, i64::from(builder.records_count())));
        for record in &write.records {
            builder.append(now_ms, Some(&record.key), record.value.as_deref());
        }
    }
    (builder.build(), firsts)
}

/// The batch with its records compressed, where offsets.topic.compression.codec asks for that.
pub(super) fn compressed(batch: Bytes, codec: Compression) -> std::io::Result<Bytes> {
    let Some((header, payload)) = batch.split_first_chunk::<HEADER_LEN>() else {
        return Ok(batch);
    };
    if codec == Compression::None {
        return Ok(batch);
    }
    let payload = compression::compress(codec, payload)?;
    let mut header = *header;
    let length = (HEADER_LEN - LOG_OVERHEAD + payload.len()) as i32;
    header[8..12].copy_from_slice(&length.to_be_bytes());
    header[22] |= codec.id();
    let mut header = BatchHeader::from_bytes(header);
    header.seal(&payload);
    Ok([header.as_bytes().as_slice(), &payload].concat().into())
}
