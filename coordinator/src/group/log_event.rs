//! Decisions with their reasons, as data; printed they are Kafka's own log lines, which people
//! grep.
//!
//! Answers to the log statements of `GroupMetadataManager`, `ClassicGroup` and
//! `OffsetMetadataManager`. The host puts `[GroupCoordinator id=N topic=… partition=P]` in front.

mod text;

pub(super) use text::listed;

use protocol::wire::StrBytes;

use super::consumer::ConsumerGroupEvent;
use super::share::ShareGroupEvent;
use super::state::GroupState;
use super::streams::StreamsGroupEvent;
use crate::runtime::WriteFailure;

/// How loud a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Something that was decided, or could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    PreparingToRebalance {
        group: StrBytes,
        state: GroupState,
        generation: i32,
        reason: String,
    },
    Stabilized {
        group: StrBytes,
        generation: i32,
        members: usize,
    },
    NowEmpty {
        group: StrBytes,
        generation: i32,
    },
    AssignmentReceived {
        group: StrBytes,
        leader: StrBytes,
        generation: i32,
        members: usize,
        static_members: usize,
    },
    EmptyAssignments {
        group: StrBytes,
        members: Vec<StrBytes>,
        generation: i32,
    },
    MemberIdRequired {
        group: StrBytes,
        state: GroupState,
        member: StrBytes,
    },
    DynamicMemberAdded {
        group: StrBytes,
        state: GroupState,
        member: StrBytes,
    },
    PendingMemberJoins {
        group: StrBytes,
        state: GroupState,
        member: StrBytes,
    },
    StaticMemberAdded {
        group: StrBytes,
        state: GroupState,
        member: StrBytes,
        instance: StrBytes,
    },
    StaticMemberReplaced {
        group: StrBytes,
        state: GroupState,
        old: StrBytes,
        instance: StrBytes,
    },
    StaticMemberWithoutRebalance,
    MemberFenced {
        member: StrBytes,
        instance: StrBytes,
        by: StrBytes,
        operation: &'static str,
    },
    MemberLeft {
        group: StrBytes,
        member: StrBytes,
        reason: String,
        pending: bool,
    },
    MemberFailed {
        group: StrBytes,
        member: StrBytes,
    },
    PendingMemberExpired {
        group: StrBytes,
        member: StrBytes,
    },
    MembersDidNotRejoin {
        group: StrBytes,
        members: Vec<StrBytes>,
    },
    MembersDidNotSync {
        group: StrBytes,
        members: Vec<StrBytes>,
    },
    NoMemberRejoined {
        group: StrBytes,
    },
    LeaderReplaced {
        old: StrBytes,
        old_instance: Option<StrBytes>,
        new: StrBytes,
    },
    LeaderDidNotJoin {
        old: StrBytes,
        old_instance: Option<StrBytes>,
    },
    UnexpectedRejoin {
        group: StrBytes,
        state: GroupState,
        member: StrBytes,
    },
    SimpleGroupCreated {
        group: StrBytes,
    },
    GroupsDeleted {
        groups: Vec<StrBytes>,
        offsets: usize,
    },
    OffsetsExpired {
        offsets: usize,
    },
    Loaded {
        group: StrBytes,
        members: usize,
    },
    Unloading {
        group: StrBytes,
        generation: i32,
    },
    SubscriptionUnreadable {
        group: StrBytes,
        protocol: StrBytes,
    },
    WriteFailed {
        group: StrBytes,
        failure: WriteFailure,
    },
    StaleTransactionalOffset {
        group: StrBytes,
        topic: StrBytes,
        partition: i32,
    },
    ConvertedToClassic {
        group: StrBytes,
    },
    UnknownRecordType {
        record_type: i16,
    },
    Consumer(ConsumerGroupEvent),
    Share(ShareGroupEvent),
    Streams(StreamsGroupEvent),
}

impl LogEvent {
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::MembersDidNotSync { .. } => Level::Debug,
            Self::EmptyAssignments { .. }
            | Self::UnexpectedRejoin { .. }
            | Self::SubscriptionUnreadable { .. }
            | Self::WriteFailed { .. }
            | Self::UnknownRecordType { .. } => Level::Warn,
            Self::Consumer(event) => event.level(),
            Self::Share(event) => event.level(),
            Self::Streams(event) => event.level(),
            Self::NoMemberRejoined { .. } => Level::Error,
            _ => Level::Info,
        }
    }
}
