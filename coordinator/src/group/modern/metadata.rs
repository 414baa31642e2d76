//! What the coordinator knows of the cluster: topics, and what groups set for themselves. Answers
//! to `CoordinatorMetadataImage` and `GroupConfigManager`.

use std::fmt::Debug;

use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::streams::StreamsOverrides;

/// A topic as of one version of the metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    pub id: Uuid,
    pub name: StrBytes,
    pub partitions: i32,
}

/// What a group sets for itself, or the cluster at run time; none: the broker's value holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupOverrides {
    /// consumer.session.timeout.ms
    pub consumer_session_timeout_ms: Option<i32>,
    /// consumer.heartbeat.interval.ms
    pub consumer_heartbeat_interval_ms: Option<i32>,
    /// consumer.assignment.interval.ms, or the cluster's group.consumer.assignment.interval.ms
    pub consumer_assignment_interval_ms: Option<i32>,
    /// share.session.timeout.ms
    pub share_session_timeout_ms: Option<i32>,
    /// share.heartbeat.interval.ms
    pub share_heartbeat_interval_ms: Option<i32>,
    /// share.assignment.interval.ms, or the cluster's group.share.assignment.interval.ms
    pub share_assignment_interval_ms: Option<i32>,
    pub streams: StreamsOverrides,
}

/// The metadata of the cluster at one version.
pub trait ClusterMetadata: Debug + Send + Sync {
    fn version(&self) -> i64;

    fn topic_by_name(&self, name: &str) -> Option<TopicMetadata>;

    fn topic_by_id(&self, id: Uuid) -> Option<TopicMetadata>;

    /// The racks of a partition's replicas, of those that have one, in no order.
    fn racks(&self, topic: Uuid, partition: i32) -> Vec<StrBytes>;

    /// Of all topics, in no order.
    fn topic_names(&self) -> Vec<StrBytes>;

    fn group_overrides(&self, group: &str) -> GroupOverrides;
}

/// Before anything is known.
#[derive(Debug)]
pub struct NoMetadata;

impl ClusterMetadata for NoMetadata {
    fn version(&self) -> i64 {
        -1
    }

    fn topic_by_name(&self, _: &str) -> Option<TopicMetadata> {
        None
    }

    fn topic_by_id(&self, _: Uuid) -> Option<TopicMetadata> {
        None
    }

    fn racks(&self, _: Uuid, _: i32) -> Vec<StrBytes> {
        Vec::new()
    }

    fn topic_names(&self) -> Vec<StrBytes> {
        Vec::new()
    }

    fn group_overrides(&self, _: &str) -> GroupOverrides {
        GroupOverrides::default()
    }
}
