//! Knows the epoch, and perhaps whom it voted for in it, but nobody to follow. A voter stands for
//! election when its time is over; until then, and for ever where it is no voter, it asks around
//! for a leader. Answers to `UnattachedState`.

use super::voters::ReplicaKey;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unattached {
    pub(super) epoch: i32,
    /// Who leads the epoch, where that is known but not its address.
    pub(super) leader_id: Option<i32>,
    pub(super) voted: Option<ReplicaKey>,
    /// `i64::MAX` where this node is no voter.
    pub(super) election_deadline_ms: i64,
}
