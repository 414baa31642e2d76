//! What must be true after everything that happens, a file each.

mod committed;
mod convergence;
mod one_leader;
mod promises;
mod snapshots;
mod voters;

use std::collections::BTreeMap;
use std::fmt::Display;

use bytes::Bytes;
use raft::image::MetadataImage;
use raft::quorum::{PeerRequest, PeerResponse, SnapshotId};

use self::committed::Committed;
use self::convergence::Convergence;
use self::one_leader::OneLeader;
use self::voters::Voters;
use super::counters::Counters;
use super::disk::Files;
use super::node::Machine;
use super::world::Asked;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) invariant: &'static str,
    pub(crate) found: String,
}

impl Violation {
    pub(crate) fn new(invariant: &'static str, found: impl Display) -> Self {
        Self { invariant, found: found.to_string() }
    }
}

/// What they remember of a run.
pub(crate) struct Invariants {
    one_leader: OneLeader,
    committed: Committed,
    convergence: Convergence,
    voters: Voters,
}

type Machines = BTreeMap<i32, Machine>;

impl Invariants {
    pub(crate) fn new() -> Self {
        Self {
            one_leader: OneLeader::default(),
            committed: Committed::default(),
            convergence: Convergence::default(),
            voters: Voters::default(),
        }
    }

    /// All that was ever committed.
    pub(crate) fn committed(&self) -> &Files {
        self.committed.log()
    }

    pub(crate) fn started(&mut self, machine: &Machine) {
        self.committed.started(machine.id);
        self.convergence.started(machine.id);
    }

    /// A machine begins anew with an empty disk.
    pub(crate) fn replaced(&mut self, id: i32) {
        self.one_leader.replaced(id);
    }

    pub(crate) fn after_event(
        &mut self,
        machines: &Machines,
        machine: &Machine,
        counters: &mut Counters,
    ) -> Result<(), Violation> {
        self.one_leader.check(machine, counters)?;
        self.voters.check(machine)?;
        self.committed.check(machines, machine, counters)?;
        snapshots::log_starts_at_one(machine)
    }

    pub(crate) fn request_leaves(
        &self,
        machine: &Machine,
        request: &PeerRequest,
    ) -> Result<(), Violation> {
        voters::request_leaves(machine, request)?;
        promises::request_leaves(machine, request)
    }

    pub(crate) fn answer_leaves(
        &self,
        machine: &Machine,
        asked: &Asked,
        response: &PeerResponse,
    ) -> Result<(), Violation> {
        promises::answer_leaves(machine, asked, response)
    }

    pub(crate) fn became_active(
        &mut self,
        machines: &Machines,
        machine: &Machine,
        epoch: i32,
    ) -> Result<(), Violation> {
        self.one_leader.became_active(machine, epoch)?;
        self.committed.check_leader(machines, machine, epoch)
    }

    pub(crate) fn published(
        &mut self,
        machine: &Machine,
        image: &MetadataImage,
        counters: &mut Counters,
    ) -> Result<(), Violation> {
        counters.states += self.convergence.published(machine.id, image)?;
        self.committed.published(machine, image)
    }

    pub(crate) fn snapshot_taken(&self, id: SnapshotId, content: &Bytes) -> Result<(), Violation> {
        snapshots::says_what_the_log_said(id, content, &self.convergence)
    }

    /// A client was given an offset at which its answer is due.
    pub(crate) fn promised(&mut self, machine: &Machine, offset: i64) {
        self.committed.promised(machine, offset);
    }

    /// All faults are over for long enough: one leads, and all have the same.
    pub(crate) fn healed(&self, machines: &Machines) -> Result<(), Violation> {
        let nodes = || machines.values().filter_map(|machine| machine.node.as_ref());
        let leaders = nodes().filter(|node| node.quorum().is_leader()).count();
        if leaders != 1 || nodes().count() != machines.len() {
            return Err(Violation::new("healing", format!("{leaders} lead after all faults")));
        }
        let end = self.committed.end();
        for machine in machines.values() {
            let Some(node) = &machine.node else { continue };
            let (reached, leader) = (node.quorum().high_watermark(), node.quorum().leader_id());
            if reached != Some(end) || leader.is_none() {
                let found =
                    format!("node {} has {reached:?} of {end}, leader {leader:?}", machine.id);
                return Err(Violation::new("healing", found));
            }
        }
        self.convergence.all_alike(machines.keys().copied())
    }
}
