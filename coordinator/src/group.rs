//! The group coordinator's shard and what it takes and gives.
//!
//! `shard` owns the state; one file per thing that happens to it: `join`, `sync`, `session`,
//! `leave`, `rebalance`, `listing`, `deletion`, `offsets`, `load`. Answers to Kafka 4.1's
//! `GroupMetadataManager` (classic protocol), `ClassicGroup` and `OffsetMetadataManager`.

mod answer;
mod classic;
mod deletion;
mod foreign;
mod join;
mod leave;
mod listing;
mod load;
mod note;
mod offsets;
mod outputs;
mod rebalance;
mod session;
mod settings;
mod shard;
#[cfg(test)]
mod simulation;
mod static_member;
mod sync;
#[cfg(test)]
mod tests;
mod timers;
mod writes;

pub use answer::{
    Answer, CommittedTopic, DeletedTopic, GroupError, JoinAnswer, JoinedMember, LeaveAnswer,
    LeftMember, SyncAnswer, WriteFailure,
};
pub use classic::GroupState;
pub use join::refuse_join;
pub use listing::{DescribedGroup, DescribedMember, GroupKind, ListedGroup};
pub use load::LoadError;
pub use note::{Level, Note};
pub use offsets::{CommittedOffset, FetchedPartition, FetchedTopic};
pub use outputs::{Outputs, ReplyId, Write, WriteId, WriteRecord};
pub use settings::{Caller, GroupSettings, Now};
pub use shard::GroupShard;
