//! Streams groups of KIP-1071: instances of a Kafka Streams application whose tasks the coordinator
//! shares out, and whose internal topics the broker makes.
//!
//! ```text
//! heartbeat ▶ member, topology ▶ configured topology ▶ group epoch ▶ target ▶ current ▶ answer
//!             (19, 23)           (internal topics)     (17)          (20, 21) (22)
//! ```
//! A task is a partition of a subtopology: active at one member, standby at others. A group is
//! `Empty` without members, `NotReady` while its topics are not as the topology wants them,
//! `Assigning` while the target assignment is behind the group, `Reconciling` while a member is
//! behind the target, else `Stable`.
//!
//! Kept true: an active task has one owner, and a new one only when the old one has let go of it;
//! no process has a task twice; a member's epoch is no greater than the target's; what a member is
//! told stands in the log. Answers to `coordinator.group.streams` and the streams groups' part of
//! `GroupMetadataManager`.

mod admission;
mod assignor;
mod configured_topology;
mod copartitioning;
mod description;
mod endpoints;
mod event;
mod group;
mod heartbeat;
mod internal_topics;
mod leave;
mod member;
mod offsets;
mod reconciliation;
mod records;
mod replay;
mod request;
mod settings;
#[cfg(test)]
mod simulation;
mod status;
mod target_assignment;
mod tasks;
#[cfg(test)]
mod tests;
mod timeouts;
mod topology;
mod unwritten;

pub use configured_topology::InternalTopic;
pub use description::{
    DescribedStreamsGroup, DescribedStreamsMember, DescribedSubtopology, DescribedTopic,
    DescribedTopology,
};
pub use endpoints::{EndpointPartitions, TopicPartitions};
pub use event::StreamsGroupEvent;
pub use heartbeat::{StreamsGroupHeartbeat, StreamsHeartbeatAnswer};
pub use request::{StreamsHeartbeatRequest, TaskIds, refuse_streams_heartbeat};
pub use settings::StreamsSettings;
pub use status::StreamsStatus;
pub use tasks::{TaskAssignment, Tasks};

pub(super) use group::StreamsGroup;
pub(super) use unwritten::Unwritten;
