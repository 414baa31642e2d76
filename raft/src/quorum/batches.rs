//! Records to batches and back, as the metadata log and its snapshots hold them.
//!
//! Answers to `BatchAccumulator`, `BatchBuilder` and `RecordsIterator` of the raft module.

use bytes::Bytes;
use protocol::batch::{self, BatchBuilder, BatchError, BatchView};
use protocol::records::control::{ControlRecord, ControlRecordError};
use protocol::records::metadata::{MetadataRecord, MetadataRecordError};

use crate::feature::MetadataVersion;

/// Kafka's bound on a batch of the metadata log.
pub const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// A record as it stands in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub offset: i64,
    pub epoch: i32,
    pub timestamp: i64,
    pub record: EntryRecord,
}

#[derive(Debug, Clone, PartialEq)]
pub enum EntryRecord {
    Metadata(MetadataRecord),
    Control(ControlRecord),
}

/// Why bytes of the metadata log cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    #[error("a batch is broken: {0}")]
    Batch(BatchError),
    #[error("the batch at offset {0} has no value in a record")]
    NoValue(i64),
    #[error("the record at offset {offset} cannot be read: {cause}")]
    Metadata { offset: i64, cause: MetadataRecordError },
    #[error("the control record at offset {offset} cannot be read: {cause}")]
    Control { offset: i64, cause: ControlRecordError },
    #[error("a snapshot has no header")]
    NoHeader,
    #[error("a snapshot ends without its footer")]
    NoFooter,
}

impl From<BatchError> for EntryError {
    fn from(error: BatchError) -> Self {
        Self::Batch(error)
    }
}

/// Reads whole batches, their checksums included.
pub fn decode(bytes: &[u8]) -> Result<Vec<Entry>, EntryError> {
    decode_some(bytes, |_| true)
}

/// Reads the batches of control records alone.
pub(super) fn decode_controls(bytes: &[u8]) -> Result<Vec<Entry>, EntryError> {
    decode_some(bytes, |view| view.is_control())
}

fn decode_some(
    bytes: &[u8],
    wanted: impl Fn(&BatchView<'_>) -> bool,
) -> Result<Vec<Entry>, EntryError> {
    let mut entries = Vec::new();
    for view in batch::batches(bytes) {
        let view = view?;
        if !wanted(&view) {
            continue;
        }
        view.verify_crc()?;
        for record in view.records()? {
            let record = record.map_err(EntryError::Batch)?;
            let offset = record.offset;
            let value = record.value.ok_or(EntryError::NoValue(offset))?;
            let decoded = if view.is_control() {
                let key = record.key.unwrap_or_default();
                ControlRecord::decode(key, value)
                    .map(EntryRecord::Control)
                    .map_err(|cause| EntryError::Control { offset, cause })?
            } else {
                MetadataRecord::decode(value)
                    .map(|(record, _)| EntryRecord::Metadata(record))
                    .map_err(|cause| EntryError::Metadata { offset, cause })?
            };
            entries.push(Entry {
                offset,
                epoch: view.partition_leader_epoch(),
                timestamp: record.timestamp,
                record: decoded,
            });
        }
    }
    Ok(entries)
}

/// One batch of control records.
pub fn control_batch(
    records: &[ControlRecord],
    base_offset: i64,
    epoch: i32,
    timestamp: i64,
) -> Bytes {
    let mut builder = BatchBuilder::new(base_offset).leader_epoch(epoch).control();
    for record in records {
        let (key, value) = record.encode();
        builder.append(timestamp, Some(&key), Some(&value));
    }
    builder.build()
}

/// Batches of metadata records: one when `atomic`, else as many as their size asks for.
pub(super) fn metadata_batches(
    records: &[MetadataRecord],
    level: MetadataVersion,
    base_offset: i64,
    epoch: i32,
    timestamp: i64,
    atomic: bool,
) -> Result<Vec<Bytes>, MetadataRecordError> {
    let start = |offset| BatchBuilder::new(offset).leader_epoch(epoch);
    let mut batches = Vec::new();
    let mut builder = start(base_offset);
    for record in records {
        let value = record.encode(level.record_version(record))?;
        let bound = BatchBuilder::record_size_bound(None, Some(&value));
        if !atomic && !builder.is_empty() && builder.size_bytes() + bound > MAX_BATCH_BYTES {
            let next = builder.next_offset();
            batches.push(std::mem::replace(&mut builder, start(next)).build());
        }
        builder.append(timestamp, None, Some(&value));
    }
    if !builder.is_empty() {
        batches.push(builder.build());
    }
    Ok(batches)
}
