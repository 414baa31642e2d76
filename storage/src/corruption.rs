//! Bytes of a log that are no batch where one must be. Kafka's `CorruptRecordException`, as
//! `FileLogInputStream` and `RecordBatchIterator` raise it.
//!
//! Published bytes are whole batches of ascending offsets, so whatever else is found below a
//! segment's published size was changed behind the log's back: by a disk, a file system, a hand.
//! Gaps between offsets are no damage: compaction and truncation leave them.

use std::path::{Path, PathBuf};

use crate::error::StorageError;

/// Where a log is damaged, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is corrupt at byte {position}: {fault}", path.display())]
pub struct Corruption {
    pub path: PathBuf,
    pub position: u64,
    pub fault: CorruptionFault,
}

impl Corruption {
    /// `topic-partition`: the name of the log's directory.
    #[must_use]
    pub fn log_name(&self) -> String {
        let directory = self.path.parent().and_then(Path::file_name);
        directory.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorruptionFault {
    #[error("a batch announces {0} bytes, fewer than its header takes")]
    Length(i32),
    #[error("a batch of {size} bytes does not fit into the {left} that the segment has left")]
    Overrun { size: u64, left: u64 },
    #[error("message format v{0} is not one that this broker reads")]
    Magic(i8),
    #[error("a batch has the offsets {first} to {last} where those from {lowest} on belong")]
    Offsets { first: i64, last: i64, lowest: i64 },
    #[error("the file ends {missing} bytes before its segment does")]
    Short { missing: u64 },
    #[error("the batch's CRC is {computed:#010x}, its header says {stored:#010x}")]
    Crc { stored: u32, computed: u32 },
    #[error("a record of the batch cannot be read: {0}")]
    Records(String),
    #[error("the transaction index does not fit its log")]
    TransactionIndex,
}

impl CorruptionFault {
    pub(crate) fn at(self, path: PathBuf, position: u64) -> StorageError {
        StorageError::Corrupt(Corruption { path, position, fault: self })
    }
}
