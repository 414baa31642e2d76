//! The two things a host must provide: a log that can lose what is not synced, and a place for the
//! vote that cannot.
//!
//! Kept true by the host: appends reach the disk in their order; a batch is reported as synced
//! after fdatasync returned, never before; [`VoteStore::write`] returns after the new content would
//! survive a crash of the machine.

use bytes::Bytes;

use super::election::ElectionState;
use super::snapshot::SnapshotId;

/// The host's disk failed, in its own words; the node must stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// The log of `__cluster_metadata-0` with its snapshots.
pub trait Log {
    fn log_start_offset(&self) -> i64;

    /// The offset of the next record, synced or not.
    fn log_end_offset(&self) -> i64;

    /// The epoch of the last record, or of the newest snapshot when the log is empty; 0 for none.
    fn last_epoch(&self) -> i32;

    /// What the log's segments take on the disk.
    fn size_bytes(&self) -> u64;

    /// Hands over whole batches, whose offsets follow the log's end. They may be written later, but
    /// in order; the host tells when they are synced.
    fn append(&mut self, batches: Bytes, epoch: i32);

    /// Whole batches from the one that holds `from` on; empty at the end of what is written.
    fn read(&self, from: i64, max_bytes: usize) -> Result<Vec<Bytes>, HostError>;

    /// Complete snapshots, oldest first.
    fn snapshots(&self) -> Vec<SnapshotEntry>;

    fn read_snapshot(&self, id: SnapshotId) -> Result<Bytes, HostError>;

    /// Lets go of what `id` makes needless: records below its offset and older snapshots.
    fn delete_before(&mut self, id: SnapshotId);
}

/// A snapshot as a directory listing shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotEntry {
    pub id: SnapshotId,
    pub size_bytes: u64,
    /// When the newest record in it was appended; `None` while unknown.
    pub timestamp_ms: Option<i64>,
}

/// The file `quorum-state`.
pub trait VoteStore {
    fn read(&self) -> Result<Option<ElectionState>, HostError>;

    /// Replaces the state. `kraft_version` decides the layout of the file.
    fn write(&mut self, state: &ElectionState, kraft_version: i16) -> Result<(), HostError>;
}
