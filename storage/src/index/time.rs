//! `.timeindex`: from timestamps to offsets. Answers to Kafka's `TimeIndex`.
//!
//! ```text
//! timestamp i64 | relative_offset i32        (big-endian, ascending in both)
//! ```
//! An entry says: up to and including the batch that ends at this offset, no timestamp of the
//! segment is larger. It is written along with the offset index's, when the maximum grew, and when
//! the segment is rolled or closed.

use std::io;

use super::search;
use crate::disk::DiskFile;

pub(crate) const ENTRY_BYTES: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    pub timestamp: i64,
    pub offset: i64,
}

impl TimeEntry {
    pub(crate) fn encode(self, base_offset: i64) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..].copy_from_slice(&((self.offset - base_offset) as u32).to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: [u8; ENTRY_BYTES], base_offset: i64) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        let relative = i32::from_be_bytes([i, j, k, l]);
        Self {
            timestamp: i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            offset: base_offset.wrapping_add(i64::from(relative)),
        }
    }
}

/// The last entry whose timestamp is at or below `target`.
pub(crate) fn lookup(
    file: &DiskFile,
    base_offset: i64,
    entries: u32,
    target: i64,
) -> io::Result<Option<TimeEntry>> {
    let found = search::last_at_or_below(file, entries, |bytes| {
        TimeEntry::decode(*bytes, base_offset).timestamp <= target
    })?;
    Ok(found.map(|(_, bytes)| TimeEntry::decode(bytes, base_offset)))
}

/// How many entries lie below `offset`: what truncation to `offset` keeps.
pub(crate) fn entries_below(
    file: &DiskFile,
    base_offset: i64,
    entries: u32,
    offset: i64,
) -> io::Result<u32> {
    let found = search::last_at_or_below(file, entries, |bytes| {
        TimeEntry::decode(*bytes, base_offset).offset < offset
    })?;
    Ok(found.map_or(0, |(number, _)| number + 1))
}

pub(crate) fn last(
    file: &DiskFile,
    base_offset: i64,
    entries: u32,
) -> io::Result<Option<TimeEntry>> {
    let Some(number) = entries.checked_sub(1) else {
        return Ok(None);
    };
    let bytes = search::entry(file, number)?;
    Ok(bytes.map(|bytes| TimeEntry::decode(bytes, base_offset)))
}
