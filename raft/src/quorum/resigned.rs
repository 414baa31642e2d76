//! Was the leader of this epoch and is so no more: after a graceful end, or found in `quorum-state`
//! at start, when nobody can tell what the others did meanwhile. It never leads this epoch again.
//! Answers to `ResignedState`.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resigned {
    pub(super) epoch: i32,
}
