//! At most one node ever leads an epoch, in one life of it; a node's epoch and vote never go back,
//! over crashes as well (invariant 1).

use std::collections::{BTreeMap, BTreeSet};

use raft::quorum::ElectionState;

use super::Violation;
use crate::quorum::counters::Counters;
use crate::quorum::node::Machine;

const NAME: &str = "one leader per epoch";

#[derive(Debug, Default)]
pub(super) struct OneLeader {
    leaders: BTreeMap<i32, i32>,
    /// Which life of which node was active in an epoch.
    active: BTreeMap<i32, (i32, u64)>,
    saved: BTreeMap<i32, ElectionState>,
    stood: BTreeMap<i32, BTreeSet<i32>>,
}

impl OneLeader {
    pub(super) fn replaced(&mut self, id: i32) {
        self.saved.remove(&id);
    }

    pub(super) fn check(
        &mut self,
        machine: &Machine,
        counters: &mut Counters,
    ) -> Result<(), Violation> {
        let disk = machine.disk.borrow();
        let Some(state) = &disk.vote else { return Ok(()) };
        let before = self.saved.get(&machine.id);
        if before == Some(state) {
            return Ok(());
        }
        counters.saved_votes += 1;
        let id = machine.id;
        if let Some(before) = before {
            let goes_back = state.epoch < before.epoch;
            let same = state.epoch == before.epoch;
            let other = |old: Option<i32>, new: Option<i32>| same && old.is_some() && old != new;
            let key = |state: &ElectionState| state.voted.map(|voted| voted.id);
            // A leader's vote was its own.
            let revoted = state.leader_id != Some(id) && other(key(before), key(state));
            if goes_back || revoted || other(before.leader_id, state.leader_id) {
                let found = format!("node {id} had {before:?} and has {state:?}");
                return Err(Violation::new(NAME, found));
            }
        }
        if let Some(leader) = state.leader_id {
            let known = *self.leaders.entry(state.epoch).or_insert(leader);
            if known != leader {
                let found = format!("epoch {} of node {id}: {known}, {leader}", state.epoch);
                return Err(Violation::new(NAME, found));
            }
        }
        if state.voted.is_some_and(|voted| voted.id == id) && state.leader_id.is_none() {
            let stood = self.stood.entry(state.epoch).or_default();
            if stood.insert(id) && stood.len() == 2 {
                counters.split_votes += 1;
            }
        }
        self.saved.insert(id, state.clone());
        Ok(())
    }

    pub(super) fn became_active(&mut self, machine: &Machine, epoch: i32) -> Result<(), Violation> {
        let own = (machine.id, machine.life);
        let known = *self.active.entry(epoch).or_insert(own);
        if known == own {
            return Ok(());
        }
        let found = format!("epoch {epoch} was led by {known:?} (node, life) and now by {own:?}");
        Err(Violation::new(NAME, found))
    }
}
