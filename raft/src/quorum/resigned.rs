//! Was the leader of this epoch and is so no more: after a graceful end, after a majority fell
//! silent, or found in `quorum-state` at start, when nobody can tell what the others did meanwhile.
//! It never leads this epoch again and tells the voters so. Answers to `ResignedState`.

use std::collections::BTreeSet;

use super::voters::ReplicaKey;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resigned {
    pub(super) epoch: i32,
    pub(super) own_id: i32,
    /// Voters that have not heard of it yet.
    pub(super) unacknowledged: BTreeSet<i32>,
    /// Who should lead next, best first.
    pub(super) successors: Vec<ReplicaKey>,
    pub(super) election_deadline_ms: i64,
}
