//! One partition's log on disk, in Kafka's own files: a stock broker opens what this crate wrote,
//! and this crate what a stock broker wrote.
//!
//! Owns every file of a log dir but the controller quorum's own. Knows offsets, epochs and bytes;
//! no topic configuration names, no requests, no clock, no threads: the time and random draws are
//! handed in, and who must not wait for a disk calls from a thread that may.
//!
//! ```text
//!            append: validate ─ producers ─ roll? ─ write ─ index ─ publish
//!   Log ───┤ flush, close, truncate, retention            (one owner, &mut)
//!            └── Shared: segments, start, end ──┬── LogReader: find ─ slice of the map
//!   LogDir: lock, checkpoints, clean-shutdown   └── Segment: .log .index .timeindex .txnindex
//! ```
//! Invariants:
//! - log start <= recovery point <= log end, but that a log start may be raised beyond what was
//!   synced;
//! - bytes below a segment's published size are never rewritten, and cut only while no slice is
//!   out;
//! - an answer to an append means that `write` returned; to a flush, that the disk has it;
//! - after a failed write or sync a log takes nothing more.

mod checkpoint;
mod cleaner;
mod config;
mod corruption;
mod dir;
mod disk;
mod epochs;
mod error;
mod index;
mod log;
mod map;
mod names;
mod open_files;
pub mod planted;
mod producer;
mod scan;
mod segment;
mod validate;

pub use checkpoint::{MalformedLine, OffsetEntry};
pub use cleaner::{Cleaned, CleanerConfig, CleanerHost, CleanerStats, CleaningError, clean};
pub use config::{CleanupPolicy, CompressionPolicy, LogConfig};
pub use corruption::{Corruption, CorruptionFault};
pub use dir::{
    Checkpointed, DirKind, LogDir, LogDirOptions, MetaProperties, MetaPropertiesError,
    PartitionDir, RetiredLog, write_topic_id,
};
pub use disk::{Disk, DiskOp, Faults, Verdict};
pub use epochs::EpochEntry;
pub use error::{AppendError, BatchFault, ReadError, RecordError, StorageError, is_exhaustion};
pub use index::transaction::AbortedTransaction;
pub use log::{
    Appended, CleanableOffsets, CleanedSegment, FlushTicket, Flushed, Log, LogRead, LogReader,
    LogToClean, OpenOptions, ProducerSummary, ReadPlan, TimestampOffset,
};
pub use open_files::OpenFiles;
pub use producer::{
    CompletedTransaction, Marker, ProducerChange, ProducerState, TransactionTerms, Unstable,
    VerificationGuard,
};
pub use validate::AppendOrigin;
