//! What can go wrong in a log, by cause, with the values that explain it. The broker alone maps
//! these to Kafka's error codes.
//!
//! An input or output error is final for its log: the log answers [`StorageError::PreviousIo`] from
//! then on, because what the kernel dropped once it does not report again.

use std::io;
use std::path::{Path, PathBuf};

use protocol::batch::{BatchError, Compression};
use rustix::io::Errno;
use uuid::Uuid;

use crate::corruption::Corruption;

/// The disk, or what was found on it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("{operation} {}: {source}", path.display())]
    Io { operation: &'static str, path: PathBuf, source: io::Error },
    #[error("{}: an earlier write or sync failed, the log takes no more", path.display())]
    PreviousIo { path: PathBuf },
    #[error("{}: {reason}", path.display())]
    Malformed { path: PathBuf, reason: String },
    /// The disk is well, but what it gave back is no log. Kafka: CORRUPT_MESSAGE.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    #[error(
        "{}: message format v{magic} at byte {position}; this file was written by a broker older \
         than 0.11 or with an older message format and has to be converted by Kafka first",
        path.display()
    )]
    OldMessageFormat { path: PathBuf, magic: i8, position: u64 },
    #[error("{} is in use by another process", path.display())]
    Locked { path: PathBuf },
    #[error("{operation} has panicked: what it was to do counts as not done")]
    Panicked { operation: &'static str },
    #[error(
        "{}: the log of another topic of that name, {found} instead of {expected}", path.display()
    )]
    OtherTopic { path: PathBuf, found: Uuid, expected: Uuid },
    #[error("{}: a cut was interrupted for want of descriptors or memory", path.display())]
    Interrupted { path: PathBuf },
}

impl StorageError {
    pub(crate) fn io(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { operation, path: path.to_owned(), source }
    }

    /// Whether the process or the machine ran out of what comes back by itself (descriptors, maps,
    /// memory, threads): the disk is well, and the same may succeed in a moment. A disk that is
    /// full, over its quota or broken is not well, as in Kafka.
    #[must_use]
    pub fn is_exhaustion(&self) -> bool {
        match self {
            Self::Io { source, .. } => is_exhaustion(source),
            Self::Interrupted { .. } => true,
            Self::PreviousIo { .. }
            | Self::Malformed { .. }
            | Self::Corrupt(_)
            | Self::OldMessageFormat { .. }
            | Self::Locked { .. }
            | Self::OtherTopic { .. }
            | Self::Panicked { .. } => false,
        }
    }
}

/// See [`StorageError::is_exhaustion`].
#[must_use]
pub fn is_exhaustion(error: &io::Error) -> bool {
    let errnos = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN].map(Errno::raw_os_error);
    match error.raw_os_error() {
        Some(errno) => errnos.contains(&errno),
        None => error.kind() == io::ErrorKind::OutOfMemory,
    }
}

/// One record that made its batch be refused (KIP-467).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// Position in the batch, from 0.
    pub batch_index: i32,
    pub message: String,
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Kafka: CORRUPT_MESSAGE.
    #[error("record batch is corrupt: {0}")]
    Corrupt(BatchError),
    /// Kafka: INVALID_RECORD.
    #[error("{0}")]
    InvalidBatch(BatchFault),
    /// The payload does not decompress. Kafka: UNKNOWN_SERVER_ERROR; INVALID_RECORD fits.
    #[error("{codec:?} payload does not decompress: {detail}")]
    Undecodable { codec: Compression, detail: String },
    /// Kafka: UNSUPPORTED_COMPRESSION_TYPE.
    #[error("compression codec {0} is unknown")]
    UnknownCompression(u8),
    /// Kafka: INVALID_RECORD with record errors.
    #[error("{} records were refused, the first because: {}", .0.len(), first_message(.0))]
    InvalidRecords(Vec<RecordError>),
    /// Kafka: INVALID_TIMESTAMP with record errors.
    #[error("{} records were refused, the first because: {}", .0.len(), first_message(.0))]
    InvalidTimestamps(Vec<RecordError>),
    /// Kafka: MESSAGE_TOO_LARGE.
    #[error("batch of {size_bytes} bytes exceeds max.message.bytes {max_bytes}")]
    TooLarge { size_bytes: usize, max_bytes: usize },
    /// Kafka: RECORD_LIST_TOO_LARGE.
    #[error("append of {size_bytes} bytes exceeds segment.bytes {segment_bytes}")]
    LargerThanSegment { size_bytes: usize, segment_bytes: usize },
    /// Kafka: INVALID_PRODUCER_EPOCH.
    #[error("producer {producer_id} has epoch {current}, epoch {offered} is over")]
    InvalidProducerEpoch { producer_id: i64, offered: i16, current: i16 },
    /// Kafka: OUT_OF_ORDER_SEQUENCE_NUMBER.
    #[error("producer {producer_id} sent sequence {offered} after {last}")]
    OutOfOrderSequence { producer_id: i64, offered: i32, last: i32 },
    /// Kafka: INVALID_TXN_STATE.
    #[error("producer {producer_id}: {reason}")]
    InvalidTransactionState { producer_id: i64, reason: &'static str },
    /// Kafka: TRANSACTION_COORDINATOR_FENCED.
    #[error("producer {producer_id}: coordinator epoch {offered} is older than {current}")]
    CoordinatorFenced { producer_id: i64, offered: i32, current: i32 },
    /// A follower was offered what it has, or offsets out of order.
    #[error("offset {offered} does not continue a log that ends at {log_end_offset}")]
    UnexpectedOffset { offered: i64, log_end_offset: i64 },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

fn first_message(errors: &[RecordError]) -> &str {
    errors.first().map_or("", |error| &error.message)
}

/// What makes a batch as a whole one that Kafka refuses with INVALID_RECORD.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchFault {
    #[error("there is no complete batch")]
    NoBatch,
    #[error("{0} batches came where one is allowed")]
    SeveralBatches(usize),
    #[error("base offset is {0} instead of 0")]
    BaseOffset(i64),
    #[error("offsets span {span} records but the batch announces {count}")]
    CountMismatch { span: i64, count: i32 },
    #[error("the batch announces {0} records")]
    Count(i32),
    #[error("clients are not allowed to write control records")]
    ControlBatch,
    #[error("base sequence {base_sequence} with producer id {producer_id}")]
    Sequence { producer_id: i64, base_sequence: i32 },
    #[error("batch epoch {found} differs from leader epoch {expected}")]
    LeaderEpoch { found: i32, expected: i32 },
    #[error("{0}")]
    Records(BatchError),
    #[error("records decompress to more than {limit_bytes} bytes")]
    DecompressedTooLarge { limit_bytes: u64 },
    #[error("the control record is not a transaction marker")]
    NotAMarker,
}

impl From<BatchFault> for AppendError {
    fn from(fault: BatchFault) -> Self {
        Self::InvalidBatch(fault)
    }
}

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("offset {requested} is outside [{log_start_offset}, {log_end_offset}]")]
    OffsetOutOfRange { requested: i64, log_start_offset: i64, log_end_offset: i64 },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_by_itself_is_exhaustion_and_what_the_disk_lacks_is_not() {
        let cases = [
            (Errno::MFILE, true),
            (Errno::NFILE, true),
            (Errno::NOMEM, true),
            (Errno::AGAIN, true),
            (Errno::NOSPC, false),
            (Errno::DQUOT, false),
            (Errno::IO, false),
            (Errno::ROFS, false),
            (Errno::NOENT, false),
            (Errno::ACCESS, false),
        ];
        let path = Path::new("/d/t-0/0.log");
        for (errno, wanted) in cases {
            let error = StorageError::io("open", path, errno.into());
            assert_eq!(error.is_exhaustion(), wanted, "{error}");
        }
        let kinds = [(io::ErrorKind::OutOfMemory, true), (io::ErrorKind::WriteZero, false)];
        for (kind, wanted) in kinds {
            let error = StorageError::io("read", path, kind.into());
            assert_eq!(error.is_exhaustion(), wanted, "{error}");
        }
        let path = || path.to_owned();
        let others = [
            (StorageError::Interrupted { path: path() }, true),
            (StorageError::PreviousIo { path: path() }, false),
            (StorageError::Locked { path: path() }, false),
            (StorageError::Panicked { operation: "a flush" }, false),
            (StorageError::Malformed { path: path(), reason: "torn".to_owned() }, false),
        ];
        for (error, wanted) in others {
            assert_eq!(error.is_exhaustion(), wanted, "{error}");
        }
    }
}
