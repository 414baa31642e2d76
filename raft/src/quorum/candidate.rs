//! Asks for votes in a new epoch, having given itself its own. Answers to `CandidateState`.

use std::collections::BTreeSet;

use super::voters::{ReplicaKey, VoterSet};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) epoch: i32,
    granted: BTreeSet<i32>,
}

impl Candidate {
    /// A candidate votes for itself before it asks anybody.
    pub(super) fn new(epoch: i32, own: ReplicaKey) -> Self {
        Self { epoch, granted: BTreeSet::from([own.id]) }
    }

    pub(super) fn granted(&self) -> impl Iterator<Item = i32> {
        self.granted.iter().copied()
    }

    pub(super) fn has_won(&self, voters: &VoterSet) -> bool {
        let votes = self.granted.iter().filter(|id| voters.ids().any(|voter| voter == **id));
        votes.count() >= voters.majority()
    }
}
