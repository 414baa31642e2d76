//! A snapshot holds the state that the log has at its end, and a log that does not begin at 0
//! begins where a snapshot ends (invariant 4).

use bytes::Bytes;
use raft::image::{MetadataDelta, MetadataImage};
use raft::quorum::{Snapshot, SnapshotId};

use super::Violation;
use super::convergence::{Convergence, state_of};
use crate::quorum::node::Machine;

const NAME: &str = "snapshots";

pub(super) fn says_what_the_log_said(
    id: SnapshotId,
    content: &Bytes,
    known: &Convergence,
) -> Result<(), Violation> {
    let snapshot = Snapshot::read(content).map_err(|error| Violation::new(NAME, error))?;
    let mut delta = MetadataDelta::new(&MetadataImage::default());
    for record in &snapshot.records {
        delta.replay(record).map_err(|error| Violation::new(NAME, error))?;
    }
    let state = state_of(delta.after());
    if known.at(id.end_offset - 1).is_some_and(|known| known == state) {
        return Ok(());
    }
    Err(Violation::new(NAME, format!("{} is not the state of its log", id.file_name())))
}

pub(super) fn log_starts_at_one(machine: &Machine) -> Result<(), Violation> {
    let disk = machine.disk.borrow();
    let start = disk.live.start_offset;
    let mut snapshots = disk.live.snapshots.iter();
    if start == 0 || snapshots.any(|(id, _)| id.end_offset == start) {
        return Ok(());
    }
    let found = format!("node {}: the log starts at {start}, where no snapshot ends", machine.id);
    Err(Violation::new(NAME, found))
}
