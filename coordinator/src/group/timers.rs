//! What the deadlines of a shard of groups are about. Answers to the timer keys of
//! `GroupMetadataManager`.

use protocol::wire::StrBytes;

/// What a deadline is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum TimerKey {
    /// A member's session, or the place held for a pending one.
    Session { group: StrBytes, member: StrBytes },
    /// The time in which a member of a consumer or streams group is to give something up.
    Rebalance { group: StrBytes, member: StrBytes },
    /// The time in which a member of the classic protocol is to join its consumer group again.
    MemberJoin { group: StrBytes, member: StrBytes },
    /// The time in which it is to ask for its assignment.
    MemberSync { group: StrBytes, member: StrBytes },
    /// The join phase.
    Join { group: StrBytes },
    /// The sync phase.
    Sync { group: StrBytes },
    /// The time in which a new streams group waits for more members.
    StreamsAssignment { group: StrBytes },
    /// Expiry of offsets and empty groups.
    Cleanup,
}

/// What to do when a deadline has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expiry {
    Session,
    CompleteJoin,
    /// The first rebalance of a group waits for more members while they come.
    InitialJoin {
        delay_ms: u64,
        remaining_ms: u64,
    },
    PendingSync {
        generation: i32,
    },
    Rebalance {
        epoch: i32,
        timeout_ms: i32,
    },
    ClassicMember,
    StreamsAssignment,
    Cleanup,
}
