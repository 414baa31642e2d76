//! The group coordinator's shard and what it takes and gives.
//!
//! `shard` owns the state; one file per thing that happens to it: `join`, `sync`, `session`,
//! `leave`, `rebalance`, `listing`, `deletion`, `offsets`, `replay`; groups of KIP-848 stand in
//! `consumer`, share groups of KIP-932 in `share`, those of Kafka Streams (KIP-1071) in
//! `streams`, all of them on `modern`. Answers to Kafka's `GroupMetadataManager`,
//! `ClassicGroup`, `ConsumerGroup` and `OffsetMetadataManager`.

mod answer;
mod classic;
mod consumer;
mod deletion;
mod join;
mod leave;
mod listing;
mod log_event;
#[cfg(test)]
mod migration_simulation;
mod modern;
mod offsets;
mod pending_write;
mod rebalance;
mod replay;
mod session;
mod settings;
mod shard;
mod share;
#[cfg(test)]
mod simulation;
mod state;
mod static_member;
mod streams;
mod sync;
mod takeover;
#[cfg(test)]
mod tests;
mod timers;

pub use answer::{
    Answer, CommitAnswer, CommittedTopic, CompletionAnswer, DeleteGroupsAnswer,
    DeleteOffsetsAnswer, DeletedTopic, GroupError, JoinAnswer, JoinedMember, LeaveAnswer,
    LeftMember, SyncAnswer,
};
pub use classic::GroupState;
pub use consumer::{
    ConsumerGroupEvent, ConsumerGroupHeartbeat, DescribedConsumerGroup, DescribedConsumerMember,
    DescribedPartitions, DowngradeObstacle, HeartbeatAnswer, MemberProtocol, UpgradeObstacle,
    refuse_heartbeat,
};
pub use join::refuse_join;
pub use listing::{DescribedGroup, DescribedMember, GroupKind, ListedGroup};
pub use log_event::{Level, LogEvent};
pub use modern::assignor::Assignor;
pub use modern::{
    Assignment, ClusterMetadata, GroupConfig, NoMetadata, TopicMetadata, within_bounds,
};
pub use offsets::{CommittedOffset, DeletedPartition, FetchedPartition, FetchedTopic};
pub use pending_write::AfterWrite;
pub use settings::{Caller, GroupSettings, MigrationPolicy};
pub use shard::GroupShard;
pub use share::{
    AlterShareOffsetsAnswer, AlteredShareOffsets, AlteredTopic, DeleteShareOffsetsAnswer,
    DeletingShareOffsets, DescribedShareGroup, DescribedShareMember, NoShareOffsets,
    ShareGroupEvent, ShareGroupHeartbeat, ShareGroupSettings, ShareHeartbeatAnswer,
    ShareStateToDelete, StateToDelete, StateToInitialize, is_share_member_id,
    refuse_share_heartbeat,
};
pub use streams::{
    DescribedStreamsGroup, DescribedStreamsMember, DescribedSubtopology, DescribedTopic,
    DescribedTopology, EndpointPartitions, InternalTopic, StreamsGroupEvent, StreamsGroupHeartbeat,
    StreamsHeartbeatAnswer, StreamsHeartbeatRequest, StreamsSettings, StreamsStatus,
    TaskAssignment, TaskIds, Tasks, TopicPartitions, refuse_streams_heartbeat,
};

/// What one call of a shard of groups gives out.
pub type Outputs = crate::runtime::Outputs<GroupShard>;
