//! What a node finds on its disk when it opens.
//!
//! Kept true: what is handed out is committed: the newest snapshot always, the records behind it
//! only where this node decides alone. The others' records wait for a high watermark.

use protocol::batch::batches;

use super::batches::{EntryError, EntryRecord, decode, decode_controls};
use super::error::QuorumError;
use super::kraft::KRaftHistory;
use super::log::Log;
use super::snapshot::Snapshot;
use super::snapshot_id::SnapshotId;
use super::voters::ReplicaKey;
use super::{Found, REPLAY_BYTES};

/// What the log's records say.
pub(super) struct Recovered {
    pub(super) kraft: KRaftHistory,
    /// Everything below was handed out.
    pub(super) next_commit: i64,
    pub(super) bytes_since_snapshot: u64,
}

/// Hands out what is committed. Whether the log's end is, only the voters in it tell: they are
/// looked up first.
pub(super) fn recover<E: From<QuorumError>>(
    log: &impl Log,
    own: ReplicaKey,
    mut kraft: KRaftHistory,
    mut found: impl FnMut(Found) -> Result<(), E>,
) -> Result<Recovered, E> {
    let newest = log.snapshots().last().map(|entry| entry.id);
    let log_start = log.log_start_offset();
    let from = newest.map_or(0, |id| id.end_offset);
    if from < log_start {
        return Err(QuorumError::MissingSnapshot { log_start }.into());
    }
    if let Some(id) = newest {
        let bytes = log.read_snapshot(id).map_err(QuorumError::from)?;
        let snapshot = Snapshot::read(&bytes)
            .map_err(|cause| QuorumError::Snapshot { name: id.file_name(), cause })?;
        kraft.load(id, &snapshot.controls);
        if id != SnapshotId::BOOTSTRAP {
            found(Found::Snapshot(id, snapshot))?;
        }
    }
    let mut bytes_since_snapshot = 0;
    read_on(log, from, |piece| {
        bytes_since_snapshot += piece.len() as u64;
        for entry in decode_controls(piece)? {
            if let EntryRecord::Control(control) = &entry.record {
                kraft.replay(entry.offset, control);
            }
        }
        Ok::<_, QuorumError>(())
    })?;
    let mut next_commit = from;
    if kraft.last().voters.is_only(own) {
        read_on(log, from, |piece| {
            let mut entries = decode(piece).map_err(QuorumError::from)?;
            entries.retain(|entry| entry.offset >= from);
            found(Found::Entries(entries))
        })?;
        next_commit = log.log_end_offset();
    }
    Ok(Recovered { kraft, next_commit, bytes_since_snapshot })
}

/// Everything from `from` to the end, piece by piece; refuses a log with a hole.
fn read_on<E: From<QuorumError>>(
    log: &impl Log,
    mut from: i64,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    while from < log.log_end_offset() {
        let read = log.read(from, REPLAY_BYTES).map_err(QuorumError::from)?;
        let before = from;
        for piece in read {
            for view in batches(&piece) {
                let view = view.map_err(EntryError::from).map_err(QuorumError::from)?;
                let to = view.base_offset();
                if to > from {
                    return Err(QuorumError::Gap { from, to }.into());
                }
                from = from.max(view.next_offset());
            }
            each(&piece)?;
        }
        if from == before {
            return Err(QuorumError::Gap { from, to: log.log_end_offset() }.into());
        }
    }
    Ok(())
}
