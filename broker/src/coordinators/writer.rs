//! The writer of one shard: everything that waits becomes one batch, appended while the next
//! gathers.
//!
//! It is a task only while there is something to write. Writes keep their order.

use std::sync::Arc;

use bytes::Bytes;
use coordinator::runtime::{Write, WriteFailure, WriteId};
use protocol::batch::{BatchBuilder, BatchHeader, Compression, HEADER_LEN, LOG_OVERHEAD};

use super::Kind;
use super::hosted::HostedShard;

pub(super) async fn run<S: Kind>(shard: Arc<HostedShard<S>>) {
    loop {
        let max_bytes = shard.log().max_batch_bytes();
        let room = max_bytes.saturating_sub(HEADER_LEN);
        let writes = shard.take_writes(room);
        let Some(first) = writes.first() else { return };
        // As a rule the shard has refused it; the limit may just have been lowered.
        if first.size_bound() > room {
            shard.written([(first.id, Err(WriteFailure::TooLarge))]);
            continue;
        }
        let (batch, firsts) = batch(&writes, shard.clock().now().wall_ms);
        let fate = match compressed(batch, shard.compression()) {
            Ok(batch) => shard.log().append(batch).await,
            Err(_) => Err(WriteFailure::Refused),
        };
        shard.written(firsts.into_iter().map(|(id, delta)| (id, fate.map(|base| base + delta))));
    }
}

/// One batch of all these, and where in it each write begins.
fn batch(writes: &[Write], now_ms: i64) -> (Bytes, Vec<(WriteId, i64)>) {
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
fn compressed(batch: Bytes, codec: Compression) -> std::io::Result<Bytes> {
    let Some((header, payload)) = batch.split_first_chunk::<HEADER_LEN>() else {
        return Ok(batch);
    };
    if codec == Compression::None {
        return Ok(batch);
    }
    let payload = storage::compress(codec, payload)?;
    let mut header = *header;
    let length = (HEADER_LEN - LOG_OVERHEAD + payload.len()) as i32;
    header[8..12].copy_from_slice(&length.to_be_bytes());
    header[22] |= codec.id();
    let mut header = BatchHeader::from_bytes(header);
    header.seal(&payload);
    Ok([header.as_bytes().as_slice(), &payload].concat().into())
}
