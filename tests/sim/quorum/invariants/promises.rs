//! What a node tells others is on its disk before it leaves: its epoch, its vote, and where its log
//! ends (invariant 2).

use raft::quorum::{PeerRequest, PeerResponse};

use super::Violation;
use crate::quorum::node::Machine;
use crate::quorum::world::Asked;

const NAME: &str = "saved before said";

pub(super) fn request_leaves(machine: &Machine, request: &PeerRequest) -> Result<(), Violation> {
    epoch_is_saved(machine)?;
    let disk = machine.disk.borrow();
    let saved = disk.vote.as_ref();
    let id = machine.id;
    let (kept, said) = match request {
        PeerRequest::Vote(vote) => {
            let partition = &vote.topics[0].partitions[0];
            let voted = saved.and_then(|saved| saved.voted).map(|voted| voted.id);
            let offset = partition.last_offset;
            let said = format!(
                "a vote request of epoch {} for a log up to {offset}",
                partition.replica_epoch
            );
            let synced = disk.durable.end_offset() >= offset;
            (synced && (partition.pre_vote || voted == Some(id)), said)
        }
        PeerRequest::BeginQuorumEpoch(begin) => {
            let epoch = begin.topics[0].partitions[0].leader_epoch;
            let leader = saved.and_then(|saved| saved.leader_id);
            (leader == Some(id), format!("that epoch {epoch} begins"))
        }
        PeerRequest::Fetch(fetch) => {
            let offset = fetch.topics[0].partitions[0].fetch_offset;
            let synced = disk.durable.end_offset() >= offset;
            (!machine.voter || synced, format!("a fetch from offset {offset}"))
        }
        PeerRequest::EndQuorumEpoch(_)
        | PeerRequest::FetchSnapshot(_)
        | PeerRequest::UpdateRaftVoter(_)
        | PeerRequest::AddRaftVoter(_)
        | PeerRequest::RemoveRaftVoter(_)
        | PeerRequest::ApiVersions(_) => return Ok(()),
    };
    if kept {
        return Ok(());
    }
    let found = format!("node {id} sends {said}, on its disk are {saved:?}, offsets up to {}", {
        disk.durable.end_offset()
    });
    Err(Violation::new(NAME, found))
}

pub(super) fn answer_leaves(
    machine: &Machine,
    asked: &Asked,
    response: &PeerResponse,
) -> Result<(), Violation> {
    epoch_is_saved(machine)?;
    let PeerResponse::Vote(vote) = response else { return Ok(()) };
    let partition = vote.topics.first().and_then(|topic| topic.partitions.first());
    let granted = partition.filter(|partition| partition.vote_granted);
    let (Some(partition), Some(candidate)) = (granted, asked.candidate) else {
        return Ok(());
    };
    let disk = machine.disk.borrow();
    let saved = disk.vote.as_ref();
    let voted = saved.is_some_and(|saved| {
        saved.epoch == partition.leader_epoch
            && saved.voted.is_some_and(|voted| voted.id == candidate)
    });
    if voted {
        return Ok(());
    }
    let found = format!(
        "node {} grants {candidate} epoch {}, on its disk is {saved:?}",
        machine.id, partition.leader_epoch
    );
    Err(Violation::new(NAME, found))
}

fn epoch_is_saved(machine: &Machine) -> Result<(), Violation> {
    let Some(node) = &machine.node else { return Ok(()) };
    let saved = machine.disk.borrow().vote.as_ref().map_or(0, |saved| saved.epoch);
    let epoch = node.quorum().epoch();
    if saved == epoch {
        return Ok(());
    }
    let found = format!("node {} speaks in epoch {epoch}, on its disk is {saved}", machine.id);
    Err(Violation::new(NAME, found))
}
