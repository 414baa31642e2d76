//! The batch that a shard's waiting writes become.

use bytes::Bytes;
use coordinator::runtime::{Write, WriteId, WritePurpose};
use protocol::batch::{BatchBuilder, BatchHeader, Compression, HEADER_LEN, LOG_OVERHEAD};
use protocol::records::control::TransactionMarker;

/// One batch of all these, which have one purpose, and where in it each write begins.
pub(super) fn batch(writes: &[Write], now_ms: i64) -> (Bytes, Vec<(WriteId, i64)>) {
    let mut builder = BatchBuilder::new(0);
    match writes.first().map(|write| (write.id, write.purpose)) {
        Some((id, WritePurpose::End(producer, end))) => {
            let marker = TransactionMarker {
                commit: end.is_commit,
                coordinator_epoch: end.coordinator_epoch,
            };
            return (marker.batch(producer.id, producer.epoch, now_ms), vec![(id, 0)]);
        }
        Some((_, WritePurpose::InTransaction(producer))) => {
            builder = builder.producer(producer.id, producer.epoch, 0).transactional();
        }
        Some((_, WritePurpose::Own)) | None => {}
    }
    let mut firsts = Vec::with_capacity(writes.len());
    for write in writes {
        firsts.push((write.id, i64::from(builder.records_count())));
        for record in &write.records {
            builder.append(now_ms, Some(&record.key), record.value.as_deref());
        }
    }
    (builder.build(), firsts)
}

/// The batch with its records compressed, where offsets.topic.compression.codec asks for that. A
/// marker is not.
pub(super) fn compressed(batch: Bytes, codec: Compression) -> std::io::Result<Bytes> {
    let Some((header, payload)) = batch.split_first_chunk::<HEADER_LEN>() else {
        return Ok(batch);
    };
    let mut header = BatchHeader::from_bytes(*header);
    if codec == Compression::None || header.is_control() {
        return Ok(batch);
    }
    let payload = compression::compress(codec, payload)?;
    let length = (HEADER_LEN - LOG_OVERHEAD + payload.len()) as i32;
    let mut bytes = *header.as_bytes();
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[22] |= codec.id();
    header = BatchHeader::from_bytes(bytes);
    header.seal(&payload);
    Ok([header.as_bytes().as_slice(), &payload].concat().into())
}
