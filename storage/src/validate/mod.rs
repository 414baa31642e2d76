//! What a batch must satisfy to be appended, checked completely before anything of it is taken.
//! Answers to Kafka's `UnifiedLog.analyzeAndValidateRecords` and `LogValidator`, in their order.
//!
//! ```text
//! one whole batch ─ length ─ max.message.bytes ─ CRC ─ count against offsets ─ control, sequence
//!   ─ every record: framing, key, timestamp, offset delta (decompressed as a stream)
//!   ─ stored as it came, but for header fields; rebuilt where codec or offsets differ
//! ```

mod judge;
mod rebuild;
mod records;

use bytes::Bytes;
use protocol::batch::{
    BatchError, BatchHeader, BatchView, Compression, NO_TIMESTAMP, TimestampType, batches,
};

use crate::config::{CompressionPolicy, LogConfig};
use crate::error::{AppendError, BatchFault};
use judge::RecordValidator;

/// Where an append comes from, and so what it must satisfy. Kafka's `AppendOrigin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendOrigin {
    /// A producer: everything is checked.
    Client,
    /// A coordinator of ours: control batches are allowed, sequences are not looked at.
    Coordinator,
    /// The metadata quorum's leader: offsets and epochs are in the batches already.
    RaftLeader,
    /// A leader, by way of a fetch: it judged the records.
    Replication,
}

/// A batch ready to be written: its header with final offsets, and the payload behind it.
#[derive(Debug)]
pub(crate) struct Validated {
    pub header: BatchHeader,
    pub payload: Bytes,
    pub max_timestamp: i64,
}

impl Validated {
    pub(crate) fn size(&self) -> usize {
        self.header.as_bytes().len() + self.payload.len()
    }
}

/// What the checks need to know of the log.
#[derive(Debug)]
pub(crate) struct ValidationContext<'l> {
    pub config: &'l LogConfig,
    pub origin: AppendOrigin,
    pub leader_epoch: i32,
    pub next_offset: i64,
    pub now_ms: i64,
    /// `topic-partition`, for messages.
    pub name: &'l str,
}

/// The one batch in `records`, checked, with offsets assigned.
pub(crate) fn for_leader(
    records: &Bytes,
    terms: &ValidationContext<'_>,
) -> Result<Validated, AppendError> {
    let batch = only_batch(records)?;
    if terms.origin == AppendOrigin::Client && batch.base_offset() != 0 {
        return Err(BatchFault::BaseOffset(batch.base_offset()).into());
    }
    check_size(batch.len(), terms.config)?;
    batch.verify_crc().map_err(AppendError::Corrupt)?;
    if terms.origin == AppendOrigin::Client {
        check_client_batch(&batch)?;
    }
    let source = batch
        .compression()
        .map_err(|_| AppendError::UnknownCompression((batch.attributes() & 0x07) as u8))?;
    let header = batch.header_copy();
    let payload = records.slice_ref(batch.payload());
    let mut judge = RecordValidator::new(terms, &header);
    let walk = records::check(&header, source, &payload, &mut judge)?;
    judge.verdict()?;

    let target = target_codec(terms.config, source, &header);
    let validated = if target == source && walk.offsets_ascend {
        in_place(header, payload, walk.max_timestamp, terms)
    } else {
        rebuild::rebuild(&header, source, target, &payload, walk.max_timestamp, terms)?
    };
    Ok(validated)
}

/// The whole batches at the head of `records`, checked as bytes; nothing in them is changed.
pub(crate) fn for_follower<'r>(
    records: &'r Bytes,
    origin: AppendOrigin,
    leader_epoch: i32,
    mut next_offset: i64,
) -> Result<Vec<BatchView<'r>>, AppendError> {
    let mut taken = Vec::new();
    for batch in batches(records) {
        let batch = batch.map_err(AppendError::Corrupt)?;
        let epoch = batch.partition_leader_epoch();
        if origin == AppendOrigin::RaftLeader && epoch != leader_epoch {
            let fault = BatchFault::LeaderEpoch { found: epoch, expected: leader_epoch };
            return Err(fault.into());
        }
        // What a deposed leader still sends of a later epoch is not ours to keep (KAFKA-18723).
        if origin == AppendOrigin::Replication && epoch > leader_epoch {
            break;
        }
        batch.verify_crc().map_err(AppendError::Corrupt)?;
        if batch.last_offset_delta() < 0 || batch.base_offset() < next_offset {
            let offered = batch.base_offset();
            return Err(AppendError::UnexpectedOffset { offered, log_end_offset: next_offset });
        }
        next_offset = batch.next_offset();
        taken.push(batch);
    }
    Ok(taken)
}

/// Kafka trims an incomplete batch at the end, and so do we.
fn only_batch(records: &Bytes) -> Result<BatchView<'_>, AppendError> {
    let mut walk = batches(records);
    let Some(first) = walk.next() else {
        // A batch that announces more than came is as corrupt as one with a wrong checksum.
        return Err(match BatchView::parse(records) {
            Err(error @ BatchError::Incomplete { .. }) if records.len() >= 12 => {
                AppendError::Corrupt(error)
            }
            _ => BatchFault::NoBatch.into(),
        });
    };
    let first = first.map_err(AppendError::Corrupt)?;
    match walk.filter(Result::is_ok).count() {
        0 => Ok(first),
        more => Err(BatchFault::SeveralBatches(more + 1).into()),
    }
}

pub(crate) fn check_size(size_bytes: usize, config: &LogConfig) -> Result<(), AppendError> {
    let max_bytes = config.max_message_bytes as usize;
    if size_bytes > max_bytes {
        return Err(AppendError::TooLarge { size_bytes, max_bytes });
    }
    Ok(())
}

fn check_client_batch(batch: &BatchView<'_>) -> Result<(), AppendError> {
    let span = i64::from(batch.last_offset_delta()) + 1;
    let count = batch.records_count();
    if span <= 0 || count <= 0 {
        return Err(BatchFault::Count(count.min(span as i32)).into());
    }
    if span != i64::from(count) {
        return Err(BatchFault::CountMismatch { span, count }.into());
    }
    if batch.is_control() {
        return Err(BatchFault::ControlBatch.into());
    }
    if batch.has_producer_id() && batch.base_sequence() < 0 {
        let (producer_id, base_sequence) = (batch.producer_id(), batch.base_sequence());
        return Err(BatchFault::Sequence { producer_id, base_sequence }.into());
    }
    Ok(())
}

/// Control records stay uncompressed unless they came compressed.
fn target_codec(config: &LogConfig, source: Compression, header: &BatchHeader) -> Compression {
    match config.compression {
        CompressionPolicy::Producer => source,
        CompressionPolicy::Fixed { .. } if header.is_control() => source,
        CompressionPolicy::Fixed { codec, .. } => codec,
    }
}

fn in_place(
    mut header: BatchHeader,
    payload: Bytes,
    records_max: i64,
    terms: &ValidationContext<'_>,
) -> Validated {
    header.set_base_offset(terms.next_offset);
    header.set_partition_leader_epoch(terms.leader_epoch);
    let max_timestamp = match terms.config.timestamp_type {
        TimestampType::CreateTime => records_max.max(NO_TIMESTAMP),
        TimestampType::LogAppendTime => terms.now_ms,
    };
    header.set_max_timestamp(terms.config.timestamp_type, max_timestamp, &payload);
    Validated { header, payload, max_timestamp }
}
