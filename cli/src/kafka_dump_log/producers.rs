//! Prints a log's producers (`.snapshot`) and its aborted transactions (`.txnindex`).
//!
//! Answers to `ProducerStateManager.readSnapshot` and `TransactionIndex`; the layouts stand in
//! docs/storage.md.

use std::io::Write;
use std::path::Path;

use super::{Failure, offset_of, read_whole};

/// version i16, crc u32, count i32
const HEAD_BYTES: usize = 10;
/// What the checksum covers begins here.
const ENTRIES_OFFSET: usize = 6;
const PRODUCER_BYTES: usize = 46;
const ABORTED_BYTES: usize = 34;

/// Why a snapshot is none.
#[derive(Debug, thiserror::Error)]
enum CorruptSnapshot {
    #[error("Snapshot failed schema validation: Snapshot contained an unknown file version {0}")]
    Version(i16),
    #[error("Snapshot failed schema validation: null")]
    Short,
    #[error(
        "Snapshot is corrupt (CRC is no longer valid). Stored crc: {stored}. Computed crc: \
         {computed}"
    )]
    Crc { stored: u32, computed: u32 },
}

pub(super) fn dump_snapshot(
    file: &Path,
    out: &mut impl Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let bytes = read_whole(file)?;
    match producers(&bytes) {
        Ok(entries) => {
            for entry in entries {
                writeln!(out, "{}", producer(entry)).map_err(Failure::Output)?;
            }
        }
        Err(corrupt) => {
            out.flush().map_err(Failure::Output)?;
            let _ = writeln!(err, "{corrupt}");
        }
    }
    Ok(())
}

fn producers(bytes: &[u8]) -> Result<&[[u8; PRODUCER_BYTES]], CorruptSnapshot> {
    let version = bytes.first_chunk().copied().map(i16::from_be_bytes);
    let version = version.ok_or(CorruptSnapshot::Short)?;
    if version != 1 {
        return Err(CorruptSnapshot::Version(version));
    }
    let head: &[u8; HEAD_BYTES] = bytes.first_chunk().ok_or(CorruptSnapshot::Short)?;
    let stored = u32::from_be_bytes([head[2], head[3], head[4], head[5]]);
    let count = i32::from_be_bytes([head[6], head[7], head[8], head[9]]);
    let (entries, _) = bytes[HEAD_BYTES..].as_chunks::<PRODUCER_BYTES>();
    let count = usize::try_from(count).map_err(|_| CorruptSnapshot::Short)?;
    let entries = entries.get(..count).ok_or(CorruptSnapshot::Short)?;
    let computed = crc32c::crc32c(&bytes[ENTRIES_OFFSET..]);
    if stored == computed { Ok(entries) } else { Err(CorruptSnapshot::Crc { stored, computed }) }
}

fn producer(entry: &[u8; PRODUCER_BYTES]) -> String {
    let epoch = i16::from_be_bytes(field(entry, 8));
    let last_sequence = i32::from_be_bytes(field(entry, 10));
    let last_offset = long(entry, 14);
    let offset_delta = i32::from_be_bytes(field(entry, 22));
    let timestamp = long(entry, 26);
    let coordinator_epoch = i32::from_be_bytes(field(entry, 34));
    let first_offset = match long(entry, 38) {
        none if none < 0 => "OptionalLong.empty".to_owned(),
        some => format!("OptionalLong[{some}]"),
    };
    let mut line = format!(
        "producerId: {} producerEpoch: {epoch} coordinatorEpoch: {coordinator_epoch} \
         currentTxnFirstOffset: {first_offset} lastTimestamp: {timestamp}",
        long(entry, 0),
    );
    if last_offset >= 0 {
        let first = match last_sequence < offset_delta {
            true => i32::MAX - (offset_delta - last_sequence) + 1,
            false => last_sequence - offset_delta,
        };
        line += &format!(
            " firstSequence: {first} lastSequence: {last_sequence} lastOffset: {last_offset} \
             offsetDelta: {offset_delta} timestamp: {timestamp}"
        );
    }
    line
}

pub(super) fn dump_aborted(file: &Path, out: &mut impl Write) -> Result<(), Failure> {
    offset_of(file)?;
    let bytes = read_whole(file)?;
    let (entries, _) = bytes.as_chunks::<ABORTED_BYTES>();
    for entry in entries {
        writeln!(
            out,
            "version: {} producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}",
            i16::from_be_bytes(field(entry, 0)),
            long(entry, 2),
            long(entry, 10),
            long(entry, 18),
            long(entry, 26),
        )
        .map_err(Failure::Output)?;
    }
    Ok(())
}

fn long(entry: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(field(entry, at))
}

/// Bytes that are there: entries have a fixed size.
fn field<const N: usize>(entry: &[u8], at: usize) -> [u8; N] {
    entry.get(at..).and_then(|rest| rest.first_chunk().copied()).unwrap_or([0; N])
}
