//! Prints a log, or a snapshot of the metadata: a line for each batch, and one for each record.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use protocol::batch::{
    BatchView, Compression, ControlType, NO_SEQUENCE, Record, Records, TimestampType,
};
use protocol::record_json::Message;

use super::batch_file::{BatchFile, DamagedBatch};
use super::decoder::Decoder;
use super::options::DumpOptions;
use super::{Failure, absolute, offset_of};
use crate::release::CliRelease;

/// In front of records.
const RECORD_INDENT: &str = "|";
const BOOTSTRAP_SNAPSHOT: &str = "bootstrap.checkpoint";

/// By file: an offset, and the one that follows it though it is not the next.
pub(super) type Gaps = BTreeMap<String, BTreeMap<i64, i64>>;

/// A log that is to be printed.
pub(super) struct LogDump<'a> {
    pub(super) file: &'a Path,
    pub(super) release: CliRelease,
    pub(super) options: &'a DumpOptions,
    pub(super) decoder: Decoder,
    /// `i32::MAX` for the whole file.
    pub(super) max_bytes: i32,
}

impl LogDump<'_> {
    pub(super) fn run(&self, gaps: &mut Gaps, out: &mut impl Write) -> Result<(), Failure> {
        let (file, max_bytes) = (self.file, self.max_bytes);
        print_start(file, out)?;
        let limit = u64::try_from(max_bytes).map_err(|_| Failure::NegativeSize(max_bytes))?;
        let is_whole = max_bytes == i32::MAX;
        let opened = BatchFile::open(file, if is_whole { u64::MAX } else { limit });
        let mut batches = opened.map_err(|error| Failure::Unreadable(file.to_owned(), error))?;
        let (end, mut valid_bytes, mut last_offset) = (batches.end(), 0, -1);
        while let Some((position, batch)) = batches.next()? {
            print_batch(position, &batch, out).map_err(Failure::Output)?;
            if self.options.is_deep {
                let mut printer = RecordPrinter { dump: self, last_offset, out: &mut *out };
                printer.batch(&batch, position, gaps)?;
                last_offset = printer.last_offset;
            }
            valid_bytes = position + batch.len() as u64;
        }
        if end > valid_bytes && is_whole {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let invalid = end - valid_bytes;
            writeln!(out, "Found {invalid} invalid bytes at the end of {name}")
                .map_err(Failure::Output)?;
        }
        Ok(())
    }
}

fn print_start(file: &Path, out: &mut impl Write) -> Result<(), Failure> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if file.extension().is_some_and(|suffix| suffix == "log") {
        let offset = offset_of(file)?;
        return writeln!(out, "Log starting offset: {offset}").map_err(Failure::Output);
    }
    if name == BOOTSTRAP_SNAPSHOT {
        return writeln!(out, "KRaft bootstrap snapshot").map_err(Failure::Output);
    }
    let id = name.strip_suffix(".checkpoint").and_then(|id| id.split_once('-'));
    let id = id.and_then(|(offset, epoch)| {
        Some((offset.parse::<i64>().ok()?, epoch.parse::<i32>().ok()?))
    });
    let (offset, epoch) = id.ok_or_else(|| Failure::NotAnOffset(name.into_owned()))?;
    writeln!(out, "Snapshot end offset: {offset}, epoch: {epoch}").map_err(Failure::Output)
}

fn print_batch(position: u64, batch: &BatchView<'_>, out: &mut impl Write) -> io::Result<()> {
    let horizon = match batch.has_delete_horizon() {
        true => format!("OptionalLong[{}]", batch.base_timestamp()),
        false => "OptionalLong.empty".to_owned(),
    };
    write!(
        out,
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} \
         producerEpoch: {} partitionLeaderEpoch: {} isTransactional: {} isControl: {} \
         deleteHorizonMs: {horizon}",
        batch.base_offset(),
        batch.last_offset(),
        batch.records_count(),
        batch.base_sequence(),
        batch.last_sequence(),
        batch.producer_id(),
        batch.producer_epoch(),
        batch.partition_leader_epoch(),
        batch.is_transactional(),
        batch.is_control(),
    )?;
    writeln!(
        out,
        " position: {position} {}: {} size: {} magic: {} compresscodec: {} crc: {} isvalid: {}",
        timestamp_type(batch),
        batch.max_timestamp(),
        batch.len(),
        batch.magic(),
        codec(batch),
        batch.stored_crc(),
        batch.verify_crc().is_ok(),
    )
}

fn timestamp_type(batch: &BatchView<'_>) -> &'static str {
    match batch.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

fn codec(batch: &BatchView<'_>) -> &'static str {
    match batch.compression() {
        Ok(Compression::None) => "none",
        Ok(Compression::Gzip) => "gzip",
        Ok(Compression::Snappy) => "snappy",
        Ok(Compression::Lz4) => "lz4",
        Ok(Compression::Zstd) => "zstd",
        Err(_) => "unknown",
    }
}

/// Prints the records of batches, one after the other.
struct RecordPrinter<'a, W> {
    dump: &'a LogDump<'a>,
    last_offset: i64,
    out: &'a mut W,
}

impl<W: Write> RecordPrinter<'_, W> {
    fn batch(
        &mut self,
        batch: &BatchView<'_>,
        position: u64,
        gaps: &mut Gaps,
    ) -> Result<(), Failure> {
        let unreadable = |reason: String| {
            Failure::Damaged(DamagedBatch::Unreadable {
                reason,
                position,
                file: self.dump.file.to_owned(),
            })
        };
        let codec = batch.compression().map_err(|error| unreadable(error.to_string()))?;
        let unpacked = match codec {
            Compression::None => None,
            codec => Some(
                compression::decompress(codec, batch.payload())
                    .map_err(|error| unreadable(error.to_string()))?,
            ),
        };
        let payload = unpacked.as_deref().unwrap_or_else(|| batch.payload());
        let records = Records::new(&batch.header_copy(), payload);
        for record in records.map_err(|error| unreadable(error.to_string()))? {
            let record = record.map_err(|error| {
                let (reason, file) = (error.to_string(), self.dump.file.to_owned());
                Failure::Damaged(DamagedBatch::Unreadable { reason, position, file })
            })?;
            // 3.7 takes the first offset as it is.
            let begins = self.last_offset == -1 && self.dump.release.is_3_7();
            if !begins && record.offset != self.last_offset + 1 {
                let pairs = gaps.entry(absolute(self.dump.file)).or_default();
                pairs.insert(self.last_offset, record.offset);
            }
            self.last_offset = record.offset;
            self.record(batch, &record)?;
        }
        Ok(())
    }

    fn record(&mut self, batch: &BatchView<'_>, record: &Record<'_>) -> Result<(), Failure> {
        let skips = self.dump.options.skips_record_metadata;
        if !skips {
            self.print_metadata(batch, record).map_err(Failure::Output)?;
            if batch.is_control() {
                let shown = control(self.dump.release, record)?;
                self.out.write_all(shown.as_bytes()).map_err(Failure::Output)?;
            }
        }
        if self.dump.options.prints_contents && !batch.is_control() {
            let decoded = self.dump.decoder.decode(record)?;
            let mut prefix = if skips { "| " } else { " " };
            if let Some(key) = decoded.key {
                write!(self.out, "{prefix}key: {key}").map_err(Failure::Output)?;
                prefix = " ";
            }
            if let Some(value) = decoded.value {
                write!(self.out, "{prefix}payload: {value}").map_err(Failure::Output)?;
            }
        }
        writeln!(self.out).map_err(Failure::Output)
    }

    fn print_metadata(&mut self, batch: &BatchView<'_>, record: &Record<'_>) -> io::Result<()> {
        let size = |field: Option<&[u8]>| field.map_or(-1, |field| field.len() as i64);
        write!(
            self.out,
            "{RECORD_INDENT} offset: {} {}: {} keySize: {} valueSize: {} sequence: {} \
             headerKeys: [",
            record.offset,
            timestamp_type(batch),
            record.timestamp,
            size(record.key),
            size(record.value),
            sequence(batch.base_sequence(), record.offset_delta),
        )?;
        for (at, header) in record.headers.enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(self.out, "{comma}{}", String::from_utf8_lossy(header.key))?;
        }
        write!(self.out, "]")
    }
}

/// A record's sequence: they wrap from `i32::MAX` to 0.
fn sequence(base: i32, delta: i32) -> i32 {
    if base == NO_SEQUENCE {
        return NO_SEQUENCE;
    }
    let next = i64::from(base) + i64::from(delta);
    let wrapped = if next > i64::from(i32::MAX) { next - i64::from(i32::MAX) - 1 } else { next };
    wrapped as i32
}

/// Kafka reads what a control record says at this version, whatever it was written at.
const CONTROL_VERSION: i16 = 0;

fn control(release: CliRelease, record: &Record<'_>) -> Result<String, Failure> {
    let (key, value) = (record.key.unwrap_or_default(), record.value.unwrap_or_default());
    let id = key.get(2..4).and_then(|id| id.try_into().ok()).map(i16::from_be_bytes);
    let Some(id) = id else {
        return Ok(" controlType: UNKNOWN(-1)".to_owned());
    };
    let json =
        |message: Message| message.read(CONTROL_VERSION, value).map_err(Failure::ControlRecord);
    Ok(match ControlType::from_id(id) {
        Some(kind @ (ControlType::Abort | ControlType::Commit)) => {
            let name = if kind == ControlType::Commit { "COMMIT" } else { "ABORT" };
            let epoch = value.get(2..6).and_then(|epoch| epoch.try_into().ok());
            let epoch = epoch.map_or(-1, i32::from_be_bytes);
            format!(" endTxnMarker: {name} coordinatorEpoch: {epoch}")
        }
        // What 3.7 knows by name, and what it does not know yet.
        Some(ControlType::LeaderChange) if release.is_3_7() => {
            format!(" controlType: LEADER_CHANGE({id})")
        }
        Some(ControlType::KRaftVersion | ControlType::KRaftVoters) if release.is_3_7() => {
            format!(" controlType: UNKNOWN({id})")
        }
        Some(ControlType::LeaderChange) => {
            format!(" LeaderChange: {}", json(Message::LeaderChange)?)
        }
        Some(ControlType::SnapshotHeader) => {
            format!(" SnapshotHeader {}", json(Message::SnapshotHeader)?)
        }
        Some(ControlType::SnapshotFooter) => {
            format!(" SnapshotFooter {}", json(Message::SnapshotFooter)?)
        }
        Some(ControlType::KRaftVersion) => {
            format!(" KRaftVersion {}", json(Message::KRaftVersion)?)
        }
        Some(ControlType::KRaftVoters) => format!(" KRaftVoters {}", json(Message::Voters)?),
        None => format!(" controlType: UNKNOWN({id})"),
    })
}
