//! Bugs that somebody could write, for the simulation to find: with the feature `planted` one is
//! chosen at run time for a thread; without it none exists.

/// A known way to get a quorum, its controller, or what a broker makes of the metadata wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bug {
    /// A follower says that it has what its disk does not hold yet.
    AnswerBeforeSync,
    /// A voter grants every candidate of an epoch its vote.
    VoteTwice,
    /// A candidate claims what its disk does not hold, stands again in the same epoch after it was
    /// killed, and is given its vote again whatever is left of its log.
    VoteForUnsynced,
    /// A leader commits records of earlier epochs before one of its own.
    CommitOldEpoch,
    /// A leader takes every follower's log for its own log's beginning.
    NoTruncation,
    /// The high watermark is what less than a majority has.
    MinorityCommits,
    /// An epoch is not saved unless there was a vote in it.
    ForgetEpoch,
    /// A vote that could not be saved counts all the same.
    IgnoreFailedVote,
    /// A leader changes the voters again before it knows that the last change is committed.
    TwoVoterChanges,
    /// A leader goes on counting a voter that was removed.
    RemovedVoterCounts,
    /// A follower that cuts its log keeps the voters that stood there.
    VotersOutliveTruncation,
    /// What the controller decided is answered before it is committed.
    AnswerBeforeCommit,
    /// Answers that wait when a controller is deposed are given when others have come as far.
    AnswersOutliveLeadership,
    /// An answer that wrote nothing does not wait for the records that it may have seen.
    UncommittedIsSeen,
    /// A controller that is deposed keeps what it had decided and was not committed.
    KeepUncommitted,
    /// A new leader decides before everything of its predecessors is committed and applied.
    ActiveTooEarly,
    /// The controller takes every new incarnation of a broker for one that stopped cleanly.
    CrashIsCleanStop,
    /// The controller lets replicas of former incarnations into the in-sync set.
    StaleReplicaInSync,
    /// The controller elects whoever is alive when nobody is in sync.
    UncleanWithoutPermission,
    /// A broker takes a partition for unchanged whose leader, replicas and in-sync set stay.
    OverlooksEpochs,
    /// A broker takes a partition for unchanged whose leader stays in the same epoch.
    OverlooksInSyncSets,
    /// A broker keeps a replica that a reassignment has taken.
    KeepsWhatIsTaken,
    /// A broker asks to be unfenced before it is ready to serve.
    UnfencesUnready,
    /// A broker that wants to stop has forgotten it when it registers again.
    ForgetsToLeave,
    /// A broker goes on with an epoch that the controller has told it is over.
    KeepsStaleEpoch,
}

impl Bug {
    pub const ALL: [Self; 8] = [
        Self::AnswerBeforeSync,
        Self::VoteTwice,
        Self::VoteForUnsynced,
        Self::CommitOldEpoch,
        Self::NoTruncation,
        Self::MinorityCommits,
        Self::ForgetEpoch,
        Self::IgnoreFailedVote,
    ];
    /// Those of a change of the voters.
    pub const OF_VOTERS: [Self; 3] =
        [Self::TwoVoterChanges, Self::RemovedVoterCounts, Self::VotersOutliveTruncation];
    /// Those that show in replication, not in the quorum.
    pub const OF_CONTROLLER: [Self; 3] =
        [Self::CrashIsCleanStop, Self::StaleReplicaInSync, Self::UncleanWithoutPermission];
    /// Those of what joins quorum and controller: they show where both meet.
    pub const OF_NODE: [Self; 5] = [
        Self::AnswerBeforeCommit,
        Self::AnswersOutliveLeadership,
        Self::UncommittedIsSeen,
        Self::KeepUncommitted,
        Self::ActiveTooEarly,
    ];
    /// Those of a broker's host, which show in replication, too.
    pub const OF_BROKER: [Self; 3] =
        [Self::OverlooksEpochs, Self::OverlooksInSyncSets, Self::KeepsWhatIsTaken];
    /// Those of a broker's life in the cluster.
    pub const OF_LIFECYCLE: [Self; 3] =
        [Self::UnfencesUnready, Self::ForgetsToLeave, Self::KeepsStaleEpoch];
}

#[cfg(feature = "planted")]
std::thread_local! {
    static CHOSEN: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// From now on this thread's nodes have this bug.
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
