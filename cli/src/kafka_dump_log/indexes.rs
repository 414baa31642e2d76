//! Prints the index of a log by offsets (`.index`) and by times (`.timeindex`), and compares it
//! with the log. Answers to `OffsetIndex` and `TimeIndex`; the layouts stand in docs/storage.md.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use protocol::batch::{Compression, NO_TIMESTAMP, Records};

use super::batch_file::{BatchFile, DamagedBatch};
use super::options::DumpOptions;
use super::{Failure, absolute, beside, in_javas_order, offset_of, read_whole};
use crate::release::CliRelease;

const OFFSET_ENTRY_BYTES: usize = 8;
const TIME_ENTRY_BYTES: usize = 12;

/// What an index is refused for.
#[derive(Debug, thiserror::Error)]
pub(super) enum IndexError {
    #[error(
        "Index file {file} is corrupt, found {length} bytes which is neither positive nor a \
         multiple of {OFFSET_ENTRY_BYTES}."
    )]
    Length { file: String, length: usize },
    #[error(
        "Time index file {file} is corrupt, found {length} bytes which is neither positive nor a \
         multiple of {TIME_ENTRY_BYTES}."
    )]
    TimeLength { file: String, length: usize },
    #[error(
        "Corrupt index found, index file ({file}) has non-zero size but the last offset is {last} \
         which is less than the base offset {base}"
    )]
    LastOffset { file: String, last: i64, base: i64 },
    #[error(
        "Corrupt time index found, time index file ({file}) has non-zero size but the last offset \
         is {last} which is less than the first offset {base}"
    )]
    LastTimeOffset { file: String, last: i64, base: i64 },
    #[error(
        "Corrupt time index found, time index file ({file}) has non-zero size but the last \
         timestamp is {last} which is less than the first timestamp {first}"
    )]
    LastTimestamp { file: String, last: i64, first: i64 },
    #[error("There is no batch at position {position} of {}", log.display())]
    NoBatch { position: u64, log: PathBuf },
}

struct OffsetEntry {
    offset: i64,
    position: u64,
}

/// The entries of an index by offsets.
fn offset_entries(bytes: &[u8], base: i64) -> impl ExactSizeIterator<Item = OffsetEntry> {
    let (entries, _) = bytes.as_chunks::<OFFSET_ENTRY_BYTES>();
    entries.iter().map(move |[a, b, c, d, e, f, g, h]| OffsetEntry {
        offset: base + i64::from(i32::from_be_bytes([*a, *b, *c, *d])),
        position: u64::from(u32::from_be_bytes([*e, *f, *g, *h])),
    })
}

pub(super) fn dump_offsets(
    file: &Path,
    options: &DumpOptions,
    max_message_size: i32,
    mismatches: &mut BTreeMap<String, BTreeMap<i64, i64>>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let base = offset_of(file)?;
    let mut log = open_log(&beside(file, "log"))?;
    let bytes = read_whole(file)?;
    let entries = offset_entries(&bytes, base);
    if entries.len() == 0 {
        return writeln!(out, "{} is empty.", file.display()).map_err(Failure::Output);
    }
    if options.checks_sanity_only {
        let (file_name, length) = (absolute(file), bytes.len());
        let last = entries.last().map_or(base, |entry| entry.offset);
        if last < base {
            return Err(Failure::Index(IndexError::LastOffset { file: file_name, last, base }));
        }
        if !length.is_multiple_of(OFFSET_ENTRY_BYTES) {
            return Err(Failure::Index(IndexError::Length { file: file_name, length }));
        }
        return writeln!(out, "{} passed sanity check.", file.display()).map_err(Failure::Output);
    }
    for (at, OffsetEntry { offset, position }) in entries.enumerate() {
        // Room that a crash left behind the entries.
        if offset == base && at > 0 {
            return Ok(());
        }
        log.slice(position, u64::try_from(max_message_size).unwrap_or(0));
        let no_batch = || IndexError::NoBatch { position, log: beside(file, "log") };
        let (_, batch) = log.next()?.ok_or_else(no_batch).map_err(Failure::Index)?;
        let found = batch.last_offset();
        if found != offset {
            mismatches.entry(absolute(file)).or_default().insert(offset, found);
        }
        if !options.verifies_only {
            writeln!(out, "offset: {offset} position: {position}").map_err(Failure::Output)?;
        }
    }
    Ok(())
}

fn open_log(log: &Path) -> Result<BatchFile, Failure> {
    BatchFile::open(log, u64::MAX).map_err(|error| Failure::Unreadable(log.to_owned(), error))
}

/// What an index by times says that its log does not; by file, in the order of the entries.
#[derive(Debug, Default)]
pub(super) struct TimeMismatches {
    /// In the index, and in the log.
    timestamps: BTreeMap<String, Vec<(i64, i64)>>,
    /// An entry's time, and the one before it.
    out_of_order: BTreeMap<String, Vec<(i64, i64)>>,
    /// In the index, and in the log; -1 for none.
    offsets: BTreeMap<String, Vec<(i64, i64)>>,
}

impl TimeMismatches {
    pub(super) fn print(&self, release: CliRelease, err: &mut dyn Write) -> io::Result<()> {
        for (file, pairs) in in_javas_order(&self.timestamps) {
            writeln!(err, "Found timestamp mismatch in :{file}")?;
            for (index, log) in pairs {
                writeln!(err, "  Index timestamp: {index}, log timestamp: {log}")?;
            }
        }
        for (file, pairs) in in_javas_order(&self.out_of_order) {
            writeln!(err, "Found out of order timestamp in :{file}")?;
            for (index, before) in pairs {
                writeln!(
                    err,
                    "  Index timestamp: {index}, Previously indexed timestamp: {before}"
                )?;
            }
        }
        for (file, pairs) in in_javas_order(&self.offsets) {
            match release {
                CliRelease::V3_7 => {
                    writeln!(err, "The following indexed offsets are not found in the log.")?;
                }
                CliRelease::V4_3 => {
                    writeln!(err, "The following indexed offsets are not found in :{file}")?;
                }
            }
            for (index, log) in pairs {
                writeln!(err, "Indexed offset: {index}, found log offset: {log}")?;
            }
        }
        Ok(())
    }
}

pub(super) fn dump_times(
    file: &Path,
    options: &DumpOptions,
    mismatches: &mut TimeMismatches,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let base = offset_of(file)?;
    let mut log = open_log(&beside(file, "log"))?;
    let index = read_whole(&beside(file, "index")).unwrap_or_default();
    let bytes = read_whole(file)?;
    let (entries, _) = bytes.as_chunks::<TIME_ENTRY_BYTES>();
    let entries: Vec<(i64, i64)> = entries.iter().map(|entry| time_entry(entry, base)).collect();
    if options.checks_sanity_only {
        check_times(file, base, bytes.len(), &entries).map_err(Failure::Index)?;
        return writeln!(out, "{} passed sanity check.", file.display()).map_err(Failure::Output);
    }
    let name = absolute(file);
    let mut before = NO_TIMESTAMP;
    for (at, (timestamp, offset)) in entries.into_iter().enumerate() {
        if offset == base && at > 0 {
            return Ok(());
        }
        let found = offset_entries(&index, base).take_while(|entry| entry.offset <= offset);
        log.seek(found.last().map_or(0, |entry| entry.position));
        match batch_with(&mut log, offset)? {
            Some((last, max_timestamp)) if last == offset => {
                if max_timestamp != timestamp {
                    let pairs = mismatches.timestamps.entry(name.clone()).or_default();
                    pairs.push((timestamp, max_timestamp));
                }
                if before >= timestamp {
                    let pairs = mismatches.out_of_order.entry(name.clone()).or_default();
                    pairs.push((timestamp, before));
                }
            }
            other => {
                let found = other.map_or(-1, |(last, _)| last);
                mismatches.offsets.entry(name.clone()).or_default().push((offset, found));
            }
        }
        if !options.verifies_only {
            writeln!(out, "timestamp: {timestamp} offset: {offset}").map_err(Failure::Output)?;
        }
        before = timestamp;
    }
    Ok(())
}

/// Time and offset of an entry.
fn time_entry(entry: &[u8; TIME_ENTRY_BYTES], base: i64) -> (i64, i64) {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *entry;
    let offset = base + i64::from(i32::from_be_bytes([i, j, k, l]));
    (i64::from_be_bytes([a, b, c, d, e, f, g, h]), offset)
}

fn check_times(
    path: &Path,
    base: i64,
    length: usize,
    entries: &[(i64, i64)],
) -> Result<(), IndexError> {
    let file = absolute(path);
    if let (Some((first, _)), Some((last, offset))) = (entries.first(), entries.last()) {
        if last < first {
            return Err(IndexError::LastTimestamp { file, last: *last, first: *first });
        }
        if *offset < base {
            return Err(IndexError::LastTimeOffset { file, last: *offset, base });
        }
    }
    match length.is_multiple_of(TIME_ENTRY_BYTES) {
        true => Ok(()),
        false => Err(IndexError::TimeLength { file, length }),
    }
}

/// Last offset and largest time of the first batch that ends at an offset or behind it.
fn batch_with(log: &mut BatchFile, offset: i64) -> Result<Option<(i64, i64)>, DamagedBatch> {
    while let Some((_, batch)) = log.next()? {
        if batch.last_offset() < offset {
            continue;
        }
        let unpacked = match batch.compression() {
            Ok(Compression::None) | Err(_) => None,
            Ok(codec) => compression::decompress(codec, batch.payload()).ok(),
        };
        let payload = unpacked.as_deref().unwrap_or_else(|| batch.payload());
        let records = Records::new(&batch.header_copy(), payload).into_iter().flatten();
        let times = records.filter_map(|record| Some(record.ok()?.timestamp));
        return Ok(Some((batch.last_offset(), times.max().unwrap_or(NO_TIMESTAMP))));
    }
    Ok(None)
}
