//! `<offset>.snapshot`: the producers as they are once everything below `offset` is replayed.
//! Answers to Kafka's `ProducerSnapshot` schema.
//!
//! ```text
//! version i16 = 1 | crc u32 | count i32 | entries …
//! entry: producer_id i64 | epoch i16 | last_sequence i32 | last_offset i64 | offset_delta i32
//!        | timestamp i64 | coordinator_epoch i32 | current_txn_first_offset i64
//! ```
//! The CRC32C covers what follows it. Only each producer's last batch is kept.

use super::entry::{BatchMetadata, ProducerEntry};

const VERSION: i16 = 1;
const HEAD_BYTES: usize = 10;
const CRC_START: usize = 6;
const ENTRY_BYTES: usize = 46;

pub(crate) fn encode<'e>(entries: impl ExactSizeIterator<Item = &'e ProducerEntry>) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD_BYTES + entries.len() * ENTRY_BYTES);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(entries.len() as i32).to_be_bytes());
    for entry in entries {
        out.extend_from_slice(&entry.producer_id.to_be_bytes());
        out.extend_from_slice(&entry.producer_epoch.to_be_bytes());
        out.extend_from_slice(&entry.last_sequence().to_be_bytes());
        out.extend_from_slice(&entry.last_offset().to_be_bytes());
        out.extend_from_slice(&entry.last_offset_delta().to_be_bytes());
        out.extend_from_slice(&entry.last_timestamp.to_be_bytes());
        out.extend_from_slice(&entry.coordinator_epoch.to_be_bytes());
        out.extend_from_slice(&entry.transaction_first_offset.unwrap_or(-1).to_be_bytes());
    }
    let crc = crc32c::crc32c(&out[CRC_START..]);
    out[2..CRC_START].copy_from_slice(&crc.to_be_bytes());
    out
}

/// The entries, or why these bytes are not a snapshot.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<ProducerEntry>, &'static str> {
    let head: &[u8; HEAD_BYTES] =
        bytes.get(..HEAD_BYTES).and_then(|head| head.try_into().ok()).ok_or("it is too short")?;
    if i16::from_be_bytes([head[0], head[1]]) != VERSION {
        return Err("its version is not 1");
    }
    if u32::from_be_bytes([head[2], head[3], head[4], head[5]]) != crc32c::crc32c(&bytes[6..]) {
        return Err("its crc does not match");
    }
    let (entries, rest) = bytes[HEAD_BYTES..].as_chunks::<ENTRY_BYTES>();
    let count = u32::from_be_bytes([head[6], head[7], head[8], head[9]]);
    if !rest.is_empty() || entries.len() as u64 != u64::from(count) {
        return Err("its length does not fit its count");
    }
    Ok(entries.iter().map(decode_entry).collect())
}

fn decode_entry(bytes: &[u8; ENTRY_BYTES]) -> ProducerEntry {
    let mut entry = ProducerEntry::empty(i64::from_be_bytes(field(bytes, 0)));
    entry.producer_epoch = i16::from_be_bytes(field(bytes, 8));
    let last_offset = i64::from_be_bytes(field(bytes, 14));
    entry.last_timestamp = i64::from_be_bytes(field(bytes, 26));
    entry.coordinator_epoch = i32::from_be_bytes(field(bytes, 34));
    let first_offset = i64::from_be_bytes(field(bytes, 38));
    entry.transaction_first_offset = (first_offset >= 0).then_some(first_offset);
    if last_offset >= 0 {
        entry.batches.push_back(BatchMetadata {
            last_sequence: i32::from_be_bytes(field(bytes, 10)),
            last_offset,
            offset_delta: i32::from_be_bytes(field(bytes, 22)),
            timestamp: entry.last_timestamp,
        });
    }
    entry
}

fn field<const N: usize>(bytes: &[u8; ENTRY_BYTES], at: usize) -> [u8; N] {
    let mut raw = [0; N];
    raw.copy_from_slice(&bytes[at..at + N]);
    raw
}
