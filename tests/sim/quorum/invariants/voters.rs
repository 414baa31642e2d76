//! Who votes is what the log says, one change at a time, and who is no voter any more leaves the
//! others alone (invariant 5).

use std::collections::BTreeMap;

use protocol::records::control::ControlRecord;
use raft::quorum::{EntryRecord, PeerRequest, SnapshotId, VoterSet, decode};

use super::Violation;
use crate::quorum::disk::{Files, view};
use crate::quorum::node::Machine;

const NAME: &str = "voters are those of the log";
const ONE_CHANGE: &str = "one change of the voters at a time";
const LEAVES_ALONE: &str = "who is no voter leaves the others alone";

/// The log that was looked at last: where it begins and ends, and its last epoch.
type Looked = (u64, i64, i64, i32);

#[derive(Debug, Default)]
pub(super) struct Voters {
    looked: BTreeMap<i32, Looked>,
}

impl Voters {
    pub(super) fn check(&mut self, machine: &Machine) -> Result<(), Violation> {
        let Some(node) = &machine.node else { return Ok(()) };
        let disk = machine.disk.borrow();
        let log = &disk.live;
        let last_epoch = log.batches.last().map_or(0, |last| view(last).partition_leader_epoch());
        let now = (machine.life, log.start_offset, log.end_offset(), last_epoch);
        if self.looked.insert(machine.id, now) == Some(now) {
            return Ok(());
        }
        let records = voters_of(log);
        let known = &node.quorum().kraft().voters;
        if let Some((offset, voters)) = records.last()
            && voters != known
        {
            let found = format!(
                "node {} takes {known:?} for voters, offset {offset} says {voters:?}",
                machine.id
            );
            return Err(Violation::new(NAME, found));
        }
        let Some(committed) = node.quorum().high_watermark() else { return Ok(()) };
        let under_way = records.iter().filter(|(offset, _)| *offset >= committed).count();
        if under_way <= 1 || !node.quorum().is_leader() {
            return Ok(());
        }
        let found = format!("leader {} has {under_way} changes under way", machine.id);
        Err(Violation::new(ONE_CHANGE, found))
    }
}

/// A vote is asked for by who votes, or may still.
pub(super) fn request_leaves(machine: &Machine, request: &PeerRequest) -> Result<(), Violation> {
    let (Some(node), PeerRequest::Vote(_)) = (&machine.node, request) else { return Ok(()) };
    let quorum = node.quorum();
    let committed = quorum.high_watermark().unwrap_or(0);
    let last = voters_of(&machine.disk.borrow().live).last().map(|(offset, _)| *offset);
    if quorum.is_voter() || last.is_some_and(|offset| offset >= committed) {
        return Ok(());
    }
    Err(Violation::new(LEAVES_ALONE, format!("node {} asks for votes", machine.id)))
}

/// Every set of voters that a log names; that of the newest snapshot first.
fn voters_of(log: &Files) -> Vec<(i64, VoterSet)> {
    let mut found = Vec::new();
    let mut take = |bytes: &[u8], offset_of: &dyn Fn(i64) -> i64| {
        for entry in decode(bytes).expect("what a node wrote can be read") {
            if let EntryRecord::Control(ControlRecord::Voters(voters)) = entry.record {
                found.push((offset_of(entry.offset), VoterSet::from_record(&voters)));
            }
        }
    };
    let newest = log.snapshots.last();
    let end =
        newest.filter(|(id, _)| *id != SnapshotId::BOOTSTRAP).map_or(0, |(id, _)| id.end_offset);
    if let Some((_, content)) = newest {
        let first = protocol::batch::batches(content).next();
        if let Some(Ok(header)) = first {
            take(&content[..header.len()], &|_| end - 1);
        }
    }
    for batch in log.batches.iter().filter(|batch| view(batch).is_control()) {
        if view(batch).base_offset() >= end {
            take(batch, &|offset| offset);
        }
    }
    found
}
