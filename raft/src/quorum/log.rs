//! The two things a host must provide: a log that can lose what is not synced, and a place for the
//! vote that cannot.
//!
//! Kept true by the host: calls that change the log reach the disk in their order, and what is
//! appended can be read at once, written or not; a sync is reported after fdatasync returned, never
//! before, with the generation it was asked with; [`VoteStore::write`] returns after the new
//! content would survive a crash of the machine.

use bytes::Bytes;

use super::election::ElectionState;
use super::snapshot_id::SnapshotId;

/// The host's disk failed, in its own words; the node must stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// The log of `__cluster_metadata-0` with its snapshots.
pub trait Log {
    fn log_start_offset(&self) -> i64;

    /// The offset of the next record, synced or not.
    fn log_end_offset(&self) -> i64;

    /// Every epoch in the log with the offset of its first record, oldest first, as found at
    /// opening. Asked once; from then on the quorum keeps count itself.
    fn epoch_starts(&self) -> Vec<EpochStart>;

    /// What the log's segments take on the disk.
    fn size_bytes(&self) -> u64;

    /// Hands over whole batches of one epoch, whose offsets follow the log's end and are not to be
    /// changed. They may be written later, but in order; the host tells when they are synced.
    fn append(&mut self, batches: Bytes, epoch: i32);

    /// Whole batches from the one that holds `from` on; at least one where there is one.
    fn read(&self, from: i64, max_bytes: usize) -> Result<Vec<Bytes>, HostError>;

    /// Drops every record from `offset` on.
    fn truncate_to(&mut self, offset: i64);

    /// Complete snapshots, oldest first.
    fn snapshots(&self) -> Vec<SnapshotEntry>;

    fn read_snapshot(&self, id: SnapshotId) -> Result<Bytes, HostError>;

    /// A piece of a snapshot, for who fetches it.
    fn read_snapshot_piece(
        &self,
        id: SnapshotId,
        position: u64,
        max_bytes: usize,
    ) -> Result<Bytes, HostError> {
        let whole = self.read_snapshot(id)?;
        let from = usize::try_from(position).unwrap_or(usize::MAX).min(whole.len());
        Ok(whole.slice(from..whole.len().min(from.saturating_add(max_bytes))))
    }

    /// Takes over a snapshot of the leader: makes the file durable under its final name, then drops
    /// all records, so that the log is empty and goes on at `id.end_offset`. Both are done when
    /// the next sync is reported; [`Self::snapshots`] shows it at once.
    fn install_snapshot(&mut self, id: SnapshotId, content: Bytes);

    /// Lets go of what `id` makes needless: records below its offset and older snapshots.
    fn delete_before(&mut self, id: SnapshotId);
}

/// Where an epoch begins in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochStart {
    pub epoch: i32,
    pub start_offset: i64,
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
