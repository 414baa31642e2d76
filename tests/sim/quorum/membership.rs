//! Voters come and go: somebody adds and removes controllers through whoever thinks that it leads,
//! also the leader itself, and replaces the disk of one that is lost. In every other run
//! controllers without a vote ask for one by themselves, also those whose disk was replaced.
//!
//! Kept true by whoever operates it: no disk is thrown away but of one voter of three or more,
//! while no change is under way anywhere; until that voter is removed nothing else is asked for.

use protocol::messages::add_raft_voter_request::Listener;
use protocol::messages::api_versions_response::SupportedFeatureKey;
use protocol::messages::{AddRaftVoterRequest, ApiVersionsResponse, RemoveRaftVoterRequest};
use raft::quorum::{
    Event, PeerRequest, PeerResponse, ReplicaKey, SnapshotId, VoterSet, write_snapshot,
};
use uuid::Uuid;

use super::disk::Disk;
use super::invariants::Violation;
use super::node::{directory, port, voter_set};
use super::run_for;
use super::voter_counters::Counters;
use super::world::World;

const NAME: &str = "a change is answered when it is committed";
const MOST_VOTERS: usize = 5;

/// What is asked of the quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Add(ReplicaKey),
    Remove(ReplicaKey),
}

#[derive(Debug, Default)]
pub(crate) struct Membership {
    asked: std::collections::BTreeMap<u64, Change>,
    /// A voter whose disk is gone.
    lost: Option<ReplicaKey>,
    directories: u128,
    /// Whether controllers join by themselves.
    pub(crate) auto_join: bool,
    pub(crate) counters: Counters,
}

pub(crate) fn world_of(seed: u64) -> World {
    let mut world = World::new(seed, 1 + (seed % 4) as i32, 2 + (seed % 3) as i32, true);
    world.membership = Some(Membership { auto_join: seed % 2 == 1, ..Default::default() });
    for machine in world.machines.values_mut() {
        machine.pace = 900 + world.draws.below(201) as i64;
    }
    world
}

/// What every node says of its versions.
pub(crate) fn versions() -> PeerResponse {
    let kraft = SupportedFeatureKey::default()
        .with_name("kraft.version".to_owned().into())
        .with_min_version(0)
        .with_max_version(1);
    PeerResponse::ApiVersions(ApiVersionsResponse::default().with_supported_features(vec![kraft]))
}

impl World {
    /// Writes the voters into the snapshot that a fresh voter starts from.
    pub(super) fn format(&self, id: i32) {
        let mut voters = voter_set(&self.voters).to_record();
        for voter in &mut voters.voters {
            voter.voter_directory_id = directory(voter.voter_id);
            voter.k_raft_version_feature.max_supported_version = 1;
        }
        let mut kraft = raft::quorum::KRaftState::with_static_voters(Default::default());
        kraft.version = 1;
        kraft.voters = VoterSet::from_record(&voters);
        let level = raft::feature::MetadataVersion::LATEST;
        let pieces = write_snapshot(SnapshotId::BOOTSTRAP, 0, &kraft, &[], level, 0);
        let content = pieces.expect("a snapshot without records").concat().into();
        let disk = &self.machines[&id].disk;
        disk.borrow_mut().add_snapshot(SnapshotId::BOOTSTRAP, content);
    }

    /// Asks every node that thinks that it leads for a change, where voters change at all.
    pub(crate) fn change_voters(&mut self) -> Result<(), Violation> {
        for _ in 0..3 {
            for id in self.machines.keys().copied().collect::<Vec<_>>() {
                self.change_by(id)?;
            }
        }
        Ok(())
    }

    /// A voter whose disk is lost may have had its former self removed.
    fn forget_lost(&mut self) {
        let leader = self.leader().and_then(|id| self.machines[&id].node.as_ref());
        let Some(quorum) = leader.map(|node| node.quorum()) else { return };
        let Some(committed) = quorum.high_watermark() else { return };
        let voters = &quorum.kraft_before(committed).voters;
        if let Some(membership) = &mut self.membership {
            membership.lost = membership.lost.filter(|lost| voters.key(lost.id) == Some(*lost));
        }
    }

    fn change_by(&mut self, leader: i32) -> Result<(), Violation> {
        self.forget_lost();
        let Some(membership) = &self.membership else { return Ok(()) };
        let Some(node) = &self.machines[&leader].node else { return Ok(()) };
        let quorum = node.quorum();
        if !quorum.is_leader() {
            return Ok(());
        }
        let voters: Vec<ReplicaKey> = quorum.kraft().voters.keys().collect();
        let change = match membership.lost {
            Some(lost) if voters.contains(&lost) => Change::Remove(lost),
            Some(_) => return Ok(()),
            None if self.draws.below(12) == 0 => return self.lose_disk(&voters),
            None => self.draw_change(&voters),
        };
        let token = self.next_token();
        if let Some(membership) = &mut self.membership {
            membership.asked.insert(token, change);
            membership.counters.asked += 1;
        }
        let request = match change {
            Change::Add(key) => {
                let listener = Listener {
                    name: "CONTROLLER".to_owned().into(),
                    host: "localhost".to_owned().into(),
                    port: port(key.id),
                };
                let request = AddRaftVoterRequest {
                    cluster_id: None,
                    voter_id: key.id,
                    voter_directory_id: key.directory_id,
                    listeners: vec![listener],
                    ..Default::default()
                };
                PeerRequest::AddRaftVoter(request)
            }
            Change::Remove(key) => PeerRequest::RemoveRaftVoter(
                RemoveRaftVoterRequest::default()
                    .with_cluster_id(None)
                    .with_voter_id(key.id)
                    .with_voter_directory_id(key.directory_id),
            ),
        };
        self.event(leader, Event::Requested { token, version: 0, request })
    }

    fn draw_change(&mut self, voters: &[ReplicaKey]) -> Change {
        let others: Vec<ReplicaKey> = self
            .machines
            .values()
            .filter(|machine| voters.iter().all(|voter| voter.id != machine.id))
            .map(|machine| ReplicaKey { id: machine.id, directory_id: machine.directory })
            .collect();
        let may_add = !others.is_empty() && voters.len() < MOST_VOTERS;
        let adds = may_add && (voters.len() < 2 || self.draws.below(2) == 0);
        let from = if adds { &others[..] } else { voters };
        let key = from[self.draws.below(from.len() as u64) as usize];
        if adds { Change::Add(key) } else { Change::Remove(key) }
    }

    /// The disk of a voter is gone with all that was on it.
    fn lose_disk(&mut self, voters: &[ReplicaKey]) -> Result<(), Violation> {
        let quiet = self.machines.values().all(|machine| {
            let known = machine.node.as_ref().map(|node| node.quorum().kraft());
            known.is_some_and(|kraft| kraft.voters.keys().eq(voters.iter().copied()))
        });
        let committed = |world: &Self| {
            let leader = world.leader()?;
            let quorum = world.machines[&leader].node.as_ref()?.quorum();
            Some(quorum.kraft_before(quorum.high_watermark()?).voters.clone())
        };
        let known = committed(self).is_some_and(|known| known.keys().eq(voters.iter().copied()));
        let doomed = voters[self.draws.below(voters.len() as u64) as usize];
        if voters.len() < 3 || !quiet || !known || self.machines[&doomed.id].is_saving() {
            return Ok(());
        }
        self.crash(doomed.id, true);
        let Some(membership) = &mut self.membership else { return Ok(()) };
        membership.lost = Some(doomed);
        membership.directories += 1;
        membership.counters.disks_replaced += 1;
        let directory = Uuid::from_u128(1_000 + membership.directories);
        let machine = self.machine(doomed.id);
        machine.directory = directory;
        *machine.disk.borrow_mut() = Disk::default();
        self.invariants.replaced(doomed.id);
        self.start_after(doomed.id, 50);
        Ok(())
    }

    /// A node asks for a change by itself.
    pub(crate) fn change_asked_by_node(&mut self, request: &PeerRequest) {
        let Some(membership) = &mut self.membership else { return };
        match request {
            PeerRequest::AddRaftVoter(_) => membership.counters.asked_to_join += 1,
            PeerRequest::RemoveRaftVoter(_) => membership.counters.former_selves_removed += 1,
            _ => {}
        }
    }

    /// Who asked for a change is told what became of it.
    pub(crate) fn change_answered(
        &mut self,
        id: i32,
        token: u64,
        response: &PeerResponse,
    ) -> Result<(), Violation> {
        let Some(membership) = &mut self.membership else { return Ok(()) };
        let Some(change) = membership.asked.remove(&token) else { return Ok(()) };
        let code = match response {
            PeerResponse::AddRaftVoter(added) => added.error_code,
            PeerResponse::RemoveRaftVoter(removed) => removed.error_code,
            _ => return Ok(()),
        };
        if code != 0 {
            membership.counters.refused += 1;
            return Ok(());
        }
        let Some(node) = &self.machines[&id].node else { return Ok(()) };
        let quorum = node.quorum();
        let committed = quorum.kraft_before(quorum.high_watermark().unwrap_or(0));
        let kept = match change {
            Change::Add(key) => {
                membership.counters.added += 1;
                committed.voters.key(key.id) == Some(key)
            }
            Change::Remove(key) => {
                membership.counters.removed += 1;
                membership.counters.leaders_removed += u64::from(key.id == id);
                membership.lost = membership.lost.filter(|lost| *lost != key);
                committed.voters.key(key.id) != Some(key)
            }
        };
        if kept {
            return Ok(());
        }
        let found = format!("node {id} answers {change:?}, committed are {:?}", committed.voters);
        Err(Violation::new(NAME, found))
    }

    /// A voter whose disk is lost is removed before all is well.
    pub(crate) fn finish_changes(&mut self) -> Result<(), Violation> {
        for _ in 0..20 {
            let lost = self.membership.as_ref().and_then(|membership| membership.lost);
            let Some(lost) = lost else { break };
            let voters = self.leader().and_then(|id| self.machines[&id].node.as_ref());
            if voters.is_some_and(|node| node.quorum().kraft().voters.key(lost.id) != Some(lost)) {
                break;
            }
            self.change_voters()?;
            run_for(self, 1_000)?;
        }
        Ok(())
    }
}
