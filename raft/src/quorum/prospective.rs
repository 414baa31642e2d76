//! Asks whether it would win before it disturbs anybody with a new epoch (KIP-996). It keeps its
//! epoch, its vote in it, and whom it followed, so that it can go back. Answers to
//! `ProspectiveState`.

use super::ballot::Ballot;
use super::voters::{Endpoints, ReplicaKey};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prospective {
    pub(super) epoch: i32,
    pub(super) leader_id: Option<i32>,
    pub(super) leader_endpoints: Endpoints,
    pub(super) voted: Option<ReplicaKey>,
    pub(super) ballot: Ballot,
    pub(super) election_deadline_ms: i64,
}
