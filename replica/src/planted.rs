//! Bugs that somebody could write, for the simulation to find: with the feature `planted` one is
//! chosen at run time for a thread; without it none exists.

/// A known way to get replication wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bug {
    /// The high watermark forgets who is about to join, and who may not have left yet.
    HwIgnoresMaximalIsr,
    /// The high watermark moves however few are in sync.
    HwIgnoresMinIsr,
    /// A follower does not say which epoch its log ends with, so it is never told to cut it.
    NoTruncationOnDivergence,
    /// acks=all is answered when the leader has the record.
    AckBeforeIsr,
    /// Nobody leaves the in-sync set for lagging.
    IsrKeepsLagging,
    /// A follower is proposed as in sync before it has what is committed.
    ExpandWithoutCaughtUp,
    /// Whoever waits goes on waiting when the leadership ends.
    KeepWaitersOnFollow,
    /// A new leader takes its followers to have what it has.
    NewLeaderTrustsFollowers,
    /// A state that is known already ends the proposal that is out, as in Kafka.
    SameStateEndsProposal,
    /// What could not be done when the metadata changed is not tried again.
    NoReconciliation,
    /// A damaged replica is emptied although it may be elected.
    RefillsEligible,
    /// A damaged replica is emptied while its leader may count what it had.
    RefillsCounted,
    /// A follower keeps records below the leader's start that the leader cannot compare any more.
    KeepsWhatCannotBeCompared,
    /// A follower of which nothing is the leader's begins where it was to be cut, as in Kafka.
    BeginsWhereItWasCut,
    /// A fetcher takes an answer for one to its newest request, whatever it answers.
    TakesAnyAnswer,
    /// A partition that could not be fetched once is not asked for again.
    DropsWhatFailed,
    /// A new session is not told what the one before knew.
    RetellsNothing,
    /// A partition stays with the fetcher that it had, whoever leads it now.
    KeepsItsFetcher,
    /// A session leaves out a partition whose high watermark alone moved.
    SessionHidesHighWatermark,
    /// A session leaves out a partition whose log start alone moved.
    SessionHidesLogStart,
    /// A session takes a request of whatever epoch.
    SessionEpochNotChecked,
    /// A session goes on with the position that it heard of a partition first.
    SessionKeepsPositions,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::HwIgnoresMaximalIsr,
        Self::HwIgnoresMinIsr,
        Self::NoTruncationOnDivergence,
        Self::AckBeforeIsr,
        Self::IsrKeepsLagging,
        Self::ExpandWithoutCaughtUp,
        Self::KeepWaitersOnFollow,
        Self::NewLeaderTrustsFollowers,
        Self::SameStateEndsProposal,
        Self::NoReconciliation,
        Self::RefillsEligible,
        Self::RefillsCounted,
        Self::KeepsWhatCannotBeCompared,
        Self::BeginsWhereItWasCut,
        Self::TakesAnyAnswer,
        Self::DropsWhatFailed,
        Self::RetellsNothing,
        Self::KeepsItsFetcher,
        Self::SessionHidesHighWatermark,
        Self::SessionHidesLogStart,
        Self::SessionEpochNotChecked,
        Self::SessionKeepsPositions,
    ];
}

#[cfg(feature = "planted")]
std::thread_local! {
    static CHOSEN: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// From now on this thread's partitions have this bug.
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
