//! Reads a snapshot, or a segment of `__cluster_metadata`, into an image.
//!
//! Kept true: what a metadata transaction (KIP-868) has written counts from its end on. Answers to
//! `SnapshotFileReader` and `MetadataBatchLoader`; a record that cannot be read or applied is
//! passed over and named, as they log it.
//!
//! Unlike Kafka: a file without a record of metadata is an error; stock's shell waits for the
//! first one for ever.

use std::io;
use std::path::{Path, PathBuf};

use protocol::batch::{BatchView, Compression, Records};
use protocol::record_json::{self, JsonError};

use super::image::{Provenance, ReplayError, ShellImage};
use crate::kafka_dump_log::batch_file::{BatchFile, DamagedBatch};

/// Why a file cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum SnapshotError {
    #[error("{}: {}", java_class(.1), .0.display())]
    Unopened(PathBuf, #[source] io::Error),
    #[error("{0}")]
    Damaged(#[from] DamagedBatch),
    #[error("The batch at position {position} of {} cannot be read: {reason}", file.display())]
    Unreadable { reason: String, position: u64, file: PathBuf },
    #[error("{} holds no records of metadata", .0.display())]
    NoMetadata(PathBuf),
}

/// What Java throws where a file cannot be opened.
fn java_class(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "java.nio.file.NoSuchFileException",
        io::ErrorKind::PermissionDenied => "java.nio.file.AccessDeniedException",
        _ => "java.nio.file.FileSystemException",
    }
}

/// Why one record is passed over.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error("unable to read metadata record at offset {offset}: {error}")]
    Unread { offset: i64, error: JsonError },
    #[error("Error loading metadata log record from offset {offset}: {error}")]
    Unapplied { offset: i64, error: ReplayError },
    #[error("Error loading metadata log record from offset {0}: no transaction is open")]
    NoTransaction(i64),
    #[error("Error loading metadata log record from offset {0}: a transaction is open already")]
    NestedTransaction(i64),
}

/// The image up to the file's end, and what was passed over.
pub(super) struct Loaded {
    pub(super) image: ShellImage,
    pub(super) complaints: Vec<String>,
}

pub(super) fn load(path: &Path) -> Result<Loaded, SnapshotError> {
    let unopened = |error| SnapshotError::Unopened(path.to_owned(), error);
    let mut batches = BatchFile::open(path, u64::MAX).map_err(unopened)?;
    if path.is_dir() {
        return Err(unopened(io::ErrorKind::IsADirectory.into()));
    }
    let mut loading = Loading::default();
    while let Some((position, batch)) = batches.next()? {
        if !batch.is_control() {
            loading.batch(&batch).map_err(|reason| SnapshotError::Unreadable {
                reason,
                position,
                file: path.to_owned(),
            })?;
        }
    }
    if !loading.has_seen_records {
        return Err(SnapshotError::NoMetadata(path.to_owned()));
    }
    // What an open transaction has written is not to be seen.
    let image = loading.before_transaction.unwrap_or(loading.image);
    let complaints = loading.complaints.iter().map(ToString::to_string).collect();
    Ok(Loaded { image, complaints })
}

#[derive(Default)]
struct Loading {
    image: ShellImage,
    before_transaction: Option<ShellImage>,
    complaints: Vec<RecordError>,
    has_seen_records: bool,
}

impl Loading {
    /// The reason where the batch's own bytes are at fault.
    fn batch(&mut self, batch: &BatchView<'_>) -> Result<(), String> {
        let codec = batch.compression().map_err(|error| error.to_string())?;
        let unpacked = match codec {
            Compression::None => None,
            codec => {
                let unpacked = compression::decompress(codec, batch.payload());
                Some(unpacked.map_err(|error| error.to_string())?)
            }
        };
        let payload = unpacked.as_deref().unwrap_or_else(|| batch.payload());
        let records = Records::new(&batch.header_copy(), payload);
        for record in records.map_err(|error| error.to_string())? {
            let record = record.map_err(|error| error.to_string())?;
            let applied = self.record(record.offset, record.value.unwrap_or_default());
            self.complaints.extend(applied.err());
        }
        self.image.provenance = Provenance {
            offset: batch.last_offset(),
            epoch: batch.partition_leader_epoch(),
            time_ms: batch.max_timestamp(),
        };
        Ok(())
    }

    fn record(&mut self, offset: i64, value: &[u8]) -> Result<(), RecordError> {
        let read = record_json::metadata(value);
        let (kind, _, data) = read.map_err(|error| RecordError::Unread { offset, error })?;
        match kind.as_str() {
            "BEGIN_TRANSACTION_RECORD" => {
                if self.before_transaction.is_some() {
                    return Err(RecordError::NestedTransaction(offset));
                }
                self.before_transaction = Some(self.image.clone());
                Ok(())
            }
            "END_TRANSACTION_RECORD" => {
                let open = self.before_transaction.take();
                open.map(drop).ok_or(RecordError::NoTransaction(offset))
            }
            "ABORT_TRANSACTION_RECORD" => {
                let open = self.before_transaction.take();
                self.image = open.ok_or(RecordError::NoTransaction(offset))?;
                Ok(())
            }
            kind => {
                self.has_seen_records = true;
                let applied = self.image.replay(kind, data);
                applied.map_err(|error| RecordError::Unapplied { offset, error })
            }
        }
    }
}
