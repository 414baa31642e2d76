//! Knows the epoch, and perhaps whom it voted for in it, but no leader. Answers to
//! `UnattachedState`.

use super::voters::ReplicaKey;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unattached {
    pub(super) epoch: i32,
    pub(super) voted: Option<ReplicaKey>,
}
