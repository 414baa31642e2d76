//! Bugs that somebody could write, for the simulation to find: with the feature `planted` one is
//! chosen at run time for a thread; without it none exists.

/// A known way to get a coordinator wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bug {
    /// An EndTxn of the transaction before ends the one that is open.
    EndIgnoresEpoch,
    /// An EndTxn while markers are on their way is answered with success, whatever they say.
    EndOfPreparedIsDone,
    /// A producer begins while the transaction of the one before it is open.
    InitLeavesTransactionOpen,
    /// A producer begins with the epoch of the one before it.
    InitKeepsEpoch,
    /// A coordinator that is loaded sends no markers for what was decided before.
    LoadForgetsOutcomes,
    /// A transaction is complete when one partition has its marker.
    CompletesAtFirstMarker,
    /// A transaction whose producer is gone stays open.
    NoTransactionTimesOut,
    /// Offsets of a transaction are committed before it is.
    OffsetsNotHeld,
    /// Offsets of a transaction are committed however it ends.
    AbortCommitsOffsets,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::EndIgnoresEpoch,
        Self::EndOfPreparedIsDone,
        Self::InitLeavesTransactionOpen,
        Self::InitKeepsEpoch,
        Self::LoadForgetsOutcomes,
        Self::CompletesAtFirstMarker,
        Self::NoTransactionTimesOut,
        Self::OffsetsNotHeld,
        Self::AbortCommitsOffsets,
    ];
}

#[cfg(feature = "planted")]
std::thread_local! {
    static CHOSEN: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// From now on this thread's shards have this bug.
#[cfg(feature = "planted")]
pub fn plant(bug: Option<Bug>) {
    CHOSEN.set(bug);
}

#[cfg(feature = "planted")]
pub(crate) fn is_planted(bug: Bug) -> bool {
    CHOSEN.get() == Some(bug)
}

#[cfg(not(feature = "planted"))]
pub(crate) const fn is_planted(_: Bug) -> bool {
    false
}
