//! What requests are answered with, in the domain's words, and why they are refused.
//!
//! The broker maps [`GroupError`] to Kafka's codes in one place.

use bytes::Bytes;
use protocol::wire::StrBytes;

use super::consumer::{HeartbeatAnswer, UpgradeObstacle};
use super::share::{
    AlterShareOffsetsAnswer, DeleteShareOffsetsAnswer, ShareHeartbeatAnswer, ShareStateToDelete,
};
use super::streams::StreamsHeartbeatAnswer;
use crate::runtime::{Unavailable, WriteFailure};

/// Why a request, or a part of one, was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    #[error("the group id is empty")]
    InvalidGroupId,
    #[error("the session timeout {asked_ms} ms is outside {min_ms} to {max_ms} ms")]
    InvalidSessionTimeout { asked_ms: i32, min_ms: i32, max_ms: i32 },
    #[error("Group {0} not found.")]
    GroupNotFound(StrBytes),
    #[error("the member is not known in this group")]
    UnknownMember,
    #[error("the instance id belongs to member {by} now")]
    FencedInstance { by: StrBytes },
    #[error("generation {asked} is not the group's generation {current}")]
    IllegalGeneration { asked: i32, current: i32 },
    #[error("the group is rebalancing")]
    RebalanceInProgress,
    #[error("the member's protocols do not fit the group's")]
    InconsistentProtocol,
    #[error("the member must join again with the id it was given")]
    MemberIdRequired,
    #[error("the group has {max} members already")]
    MaxSizeReached { max: usize },
    #[error("Group {0} is not a consumer group.")]
    NotAConsumerGroup(StrBytes),
    #[error("Group {0} is not a share group.")]
    NotAShareGroup(StrBytes),
    #[error("Share group {0} not found.")]
    NoSuchShareGroup(StrBytes),
    #[error("The share group has reached its maximum capacity of {max} members.")]
    ShareGroupFull { max: usize },
    #[error("Group {0} is not a classic group.")]
    NotAClassicGroup(StrBytes),
    #[error("Consumer group {0} not found.")]
    NoSuchConsumerGroup(StrBytes),
    #[error("Cannot upgrade classic group {group} to consumer group because {obstacle}")]
    CannotUpgrade { group: StrBytes, obstacle: UpgradeObstacle },
    #[error("Member {member} is not a member of group {group}.")]
    NotAMember { member: StrBytes, group: StrBytes },
    #[error("Instance id {0} is unknown.")]
    UnknownInstance(StrBytes),
    #[error("Static member {member} with instance id {instance} was fenced by member {by}.")]
    StaticMemberFenced { member: StrBytes, instance: StrBytes, by: StrBytes },
    #[error(
        "Static member {member} with instance id {instance} cannot join the group because the \
         instance id is owned by {by} member."
    )]
    UnreleasedInstance { member: StrBytes, instance: StrBytes, by: StrBytes },
    #[error("{0}")]
    FencedMemberEpoch(String),
    #[error(
        "The received member epoch {received} does not match the expected member epoch {current}."
    )]
    StaleMemberEpoch { received: i32, current: i32 },
    #[error("The consumer group has reached its maximum capacity of {max} members.")]
    ConsumerGroupFull { max: usize },
    #[error("{0}")]
    UnsupportedAssignor(String),
    #[error("{0}")]
    InvalidRegularExpression(String),
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("{0}")]
    NotAssigned(String),
    #[error("Group {0} is not a streams group.")]
    NotAStreamsGroup(StrBytes),
    #[error("Streams group {0} not found.")]
    NoSuchStreamsGroup(StrBytes),
    #[error("The streams group has reached its maximum capacity of {max} members.")]
    StreamsGroupFull { max: usize },
    #[error("{0}")]
    InvalidTopology(String),
    #[error("{0}")]
    InvalidStreamsRequest(String),
    #[error(
        "OffsetCommit version 9 or above must be used by members using the streams group protocol"
    )]
    UnsupportedStreamsVersion,
    #[error(
        "OffsetCommit version 9 or above must be used by members using the consumer group protocol"
    )]
    UnsupportedVersion,
    #[error("the group has members")]
    NonEmptyGroup,
    #[error("a member subscribes to the topic")]
    SubscribedToTopic,
    #[error("the metadata has {length} characters")]
    OffsetMetadataTooLarge { length: usize },
    #[error("an open transaction holds an offset of the partition")]
    UnstableOffset,
    #[error("the shard is being loaded")]
    LoadInProgress,
    #[error("the shard is not here")]
    NotCoordinator,
    #[error("the coordinator's topic is not there yet")]
    CoordinatorNotAvailable,
    #[error("records could not be written: {0}")]
    WriteFailed(WriteFailure),
    /// Kafka fails such a request with an exception of its own.
    #[error("the request cannot be: {0}")]
    Unexpected(&'static str),
}

/// A member as the leader is told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedMember {
    pub member_id: StrBytes,
    pub group_instance_id: Option<StrBytes>,
    pub metadata: Bytes,
}

/// The answer to JoinGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinAnswer {
    pub error: Option<GroupError>,
    pub generation: i32,
    pub protocol_type: Option<StrBytes>,
    pub protocol_name: Option<StrBytes>,
    pub leader: StrBytes,
    pub skip_assignment: bool,
    pub member_id: StrBytes,
    pub members: Vec<JoinedMember>,
}

impl JoinAnswer {
    /// A refusal; Kafka's defaults elsewhere.
    #[must_use]
    pub fn refused(member_id: StrBytes, error: GroupError) -> Self {
        Self {
            error: Some(error),
            generation: -1,
            protocol_type: None,
            protocol_name: None,
            leader: StrBytes::default(),
            skip_assignment: false,
            member_id,
            members: Vec::new(),
        }
    }
}

/// The answer to SyncGroup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncAnswer {
    pub error: Option<GroupError>,
    pub protocol_type: Option<StrBytes>,
    pub protocol_name: Option<StrBytes>,
    pub assignment: Bytes,
}

impl SyncAnswer {
    #[must_use]
    pub fn refused(error: GroupError) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

/// What became of one member of a LeaveGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftMember {
    pub member_id: StrBytes,
    pub group_instance_id: Option<StrBytes>,
    pub error: Option<GroupError>,
}

/// The answer to LeaveGroup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeaveAnswer {
    pub error: Option<GroupError>,
    pub members: Vec<LeftMember>,
}

/// What became of the partitions of one topic of an OffsetCommit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedTopic {
    pub topic: StrBytes,
    pub partitions: Vec<(i32, Option<GroupError>)>,
}

/// What became of the partitions of one topic of an OffsetDelete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedTopic {
    pub topic: StrBytes,
    pub partitions: Vec<(i32, Option<GroupError>)>,
}

/// An answer to a request whose reply was parked.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Join(JoinAnswer),
    Sync(SyncAnswer),
    Leave(LeaveAnswer),
    Commit(CommitAnswer),
    Completed(CompletionAnswer),
    DeleteOffsets(DeleteOffsetsAnswer),
    DeleteGroups(DeleteGroupsAnswer),
    ConsumerGroupHeartbeat(HeartbeatAnswer),
    ShareGroupHeartbeat(ShareHeartbeatAnswer),
    AlterShareOffsets(AlterShareOffsetsAnswer),
    DeleteShareOffsets(DeleteShareOffsetsAnswer),
    DeleteShareState(ShareStateToDelete),
    StreamsGroupHeartbeat(StreamsHeartbeatAnswer),
}

impl Answer {
    /// The same answer's refusal, for when its records could not be written.
    pub(super) fn failed(self, error: GroupError) -> Self {
        match self {
            Self::Join(_) => Self::Join(JoinAnswer::refused(StrBytes::default(), error)),
            Self::Sync(_) => Self::Sync(SyncAnswer::refused(error)),
            Self::Leave(_) => Self::Leave(LeaveAnswer { error: Some(error), members: Vec::new() }),
            Self::Commit(_) => Self::Commit(Err(error)),
            Self::Completed(_) => Self::Completed(Err(error)),
            Self::DeleteOffsets(_) => Self::DeleteOffsets(Err(error)),
            Self::ConsumerGroupHeartbeat(_) => Self::ConsumerGroupHeartbeat(Err(error)),
            Self::ShareGroupHeartbeat(_) => Self::ShareGroupHeartbeat(Err(error)),
            Self::AlterShareOffsets(_) => Self::AlterShareOffsets(Err(error)),
            Self::DeleteShareOffsets(_) => Self::DeleteShareOffsets(Err(error)),
            Self::DeleteShareState(_) => Self::DeleteShareState(Err(error)),
            Self::StreamsGroupHeartbeat(_) => Self::StreamsGroupHeartbeat(Err(error)),
            Self::DeleteGroups(groups) => Self::DeleteGroups(
                groups.into_iter().map(|(group, _)| (group, Some(error.clone()))).collect(),
            ),
        }
    }
}

/// What is committed, or what was wrong with the request as a whole.
pub type CommitAnswer = Result<Vec<CommittedTopic>, GroupError>;
/// That the end of a transaction, or what became of a share group's state, is written, or why not.
pub type CompletionAnswer = Result<(), GroupError>;
/// What is deleted, or what was wrong with the request as a whole.
pub type DeleteOffsetsAnswer = Result<Vec<DeletedTopic>, GroupError>;
/// Which groups are deleted, and what was wrong with the others.
pub type DeleteGroupsAnswer = Vec<(StrBytes, Option<GroupError>)>;

/// Each answer's way into [`Answer`] and out of it.
macro_rules! answers {
    ($($variant:ident($answer:ty)),*) => {$(
        impl From<$answer> for Answer {
            fn from(answer: $answer) -> Self {
                Self::$variant(answer)
            }
        }

        impl TryFrom<Answer> for $answer {
            type Error = Answer;

            fn try_from(answer: Answer) -> Result<Self, Answer> {
                match answer {
                    Answer::$variant(answer) => Ok(answer),
                    other => Err(other),
                }
            }
        }
    )*};
}

answers! {
    Join(JoinAnswer),
    Sync(SyncAnswer),
    Leave(LeaveAnswer),
    Commit(CommitAnswer),
    Completed(CompletionAnswer),
    DeleteOffsets(DeleteOffsetsAnswer),
    DeleteGroups(DeleteGroupsAnswer),
    ConsumerGroupHeartbeat(HeartbeatAnswer),
    ShareGroupHeartbeat(ShareHeartbeatAnswer),
    AlterShareOffsets(AlterShareOffsetsAnswer),
    DeleteShareOffsets(DeleteShareOffsetsAnswer),
    DeleteShareState(ShareStateToDelete),
    StreamsGroupHeartbeat(StreamsHeartbeatAnswer)
}

impl From<Unavailable> for GroupError {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::LoadInProgress => Self::LoadInProgress,
            Unavailable::NotCoordinator => Self::NotCoordinator,
        }
    }
}
