//! Asks for votes in a new epoch, having given itself its own. Answers to `CandidateState`.

use super::ballot::Ballot;
use super::voters::ReplicaKey;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) epoch: i32,
    pub(super) own: ReplicaKey,
    pub(super) ballot: Ballot,
    pub(super) election_deadline_ms: i64,
}
