//! `.index`: from offsets to positions in the `.log`. Answers to Kafka's `OffsetIndex`.
//!
//! ```text
//! relative_offset i32 | position i32        (big-endian, ascending in both)
//! ```
//! An entry names a batch by its *last* offset, relative to the segment's base, and says where that
//! batch begins. An entry is written whenever more than `index.interval.bytes` went by since the
//! last. Our files are as long as their entries; Kafka leaves 10 MiB of zeros behind when killed.

use std::io;

use super::search;
use crate::disk::DiskFile;

pub(crate) const ENTRY_BYTES: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    /// Last offset of the batch that begins at `position`.
    pub offset: i64,
    pub position: u32,
}

impl OffsetEntry {
    pub(crate) fn encode(self, base_offset: i64) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..4].copy_from_slice(&((self.offset - base_offset) as u32).to_be_bytes());
        bytes[4..].copy_from_slice(&self.position.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: [u8; ENTRY_BYTES], base_offset: i64) -> Self {
        let [a, b, c, d, e, f, g, h] = bytes;
        let relative = i32::from_be_bytes([a, b, c, d]);
        Self {
            offset: base_offset.wrapping_add(i64::from(relative)),
            position: u32::from_be_bytes([e, f, g, h]),
        }
    }
}

/// The last entry whose offset is at or below `target`.
pub(crate) fn lookup(
    file: &DiskFile,
    base_offset: i64,
    entries: u32,
    target: i64,
) -> io::Result<Option<OffsetEntry>> {
    let found = search::last_at_or_below(file, entries, |bytes| {
        OffsetEntry::decode(*bytes, base_offset).offset <= target
    })?;
    Ok(found.map(|(_, bytes)| OffsetEntry::decode(bytes, base_offset)))
}

/// How many entries lie below `offset`: what truncation to `offset` keeps.
pub(crate) fn entries_below(
    file: &DiskFile,
    base_offset: i64,
    entries: u32,
    offset: i64,
) -> io::Result<u32> {
    let found = search::last_at_or_below(file, entries, |bytes| {
        OffsetEntry::decode(*bytes, base_offset).offset < offset
    })?;
    Ok(found.map_or(0, |(number, _)| number + 1))
}

/// The first entry whose position is at or above `position`.
pub(crate) fn first_from(
    file: &DiskFile,
    base_offset: i64,
    entries: u32,
    position: u64,
) -> io::Result<Option<OffsetEntry>> {
    let below = search::last_at_or_below(file, entries, |bytes| {
        u64::from(OffsetEntry::decode(*bytes, base_offset).position) < position
    })?;
    let number = below.map_or(0, |(number, _)| number + 1);
    if number >= entries {
        return Ok(None);
    }
    let bytes = search::entry(file, number)?;
    Ok(bytes.map(|bytes| OffsetEntry::decode(bytes, base_offset)))
}

pub(crate) fn last(
    file: &DiskFile,
    base_offset: i64,
    entries: u32,
) -> io::Result<Option<OffsetEntry>> {
    let Some(number) = entries.checked_sub(1) else {
        return Ok(None);
    };
    let bytes = search::entry(file, number)?;
    Ok(bytes.map(|bytes| OffsetEntry::decode(bytes, base_offset)))
}
