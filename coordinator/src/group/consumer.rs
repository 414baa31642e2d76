//! Consumer groups of KIP-848: the coordinator shares the partitions out, and members follow it
//! heartbeat by heartbeat.
//!
//! ```text
//! heartbeat ─▶ member ─▶ group epoch ─▶ target assignment ─▶ current assignment ─▶ answer
//!              (5)       (3)            (6, 7)               (8)                   when written
//! ```
//! All state is in records; in memory there are only timers and what is known to be fresh. A group
//! is `Empty` without members, `Assigning` while the target assignment is behind the group,
//! `Reconciling` while a member is behind the target, else `Stable`.
//!
//! A group may have members of the classic protocol, too, while it is moved from one to the other:
//! `upgrade` and `downgrade` make one kind of group of the other, `classic_join` and
//! `classic_member` serve such members.
//!
//! Kept true: a partition has one owner, and a new one only when the old one has let go of it; a
//! member's epoch is no greater than the target's; what a member is told stands in the log.
//! Answers to `modern.consumer` and the consumer groups' part of `GroupMetadataManager`.

mod classic_join;
mod classic_member;
mod description;
mod downgrade;
mod embedded_protocol;
mod event;
mod group;
mod heartbeat;
mod leave;
mod member;
mod metadata_change;
mod obstacle;
mod offsets;
mod reconciliation;
mod records;
mod regular_expressions;
mod request;
#[cfg(test)]
mod simulation;
mod static_member;
mod subscriptions;
mod target_assignment;
mod timeouts;
mod upgrade;

pub use description::{DescribedConsumerGroup, DescribedConsumerMember, DescribedPartitions};
pub use event::{ConsumerGroupEvent, MemberProtocol};
pub use heartbeat::{ConsumerGroupHeartbeat, HeartbeatAnswer};
pub use obstacle::{DowngradeObstacle, UpgradeObstacle};
pub use request::refuse_heartbeat;

pub(super) use downgrade::Downgrades;
pub(super) use group::ConsumerGroup;
pub(super) use metadata_change::MetadataState;
