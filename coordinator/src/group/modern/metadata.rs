//! What the coordinator knows of the cluster: topics, and what groups set for themselves. Answers
//! to `CoordinatorMetadataImage` and `GroupConfigManager`.

use std::fmt::Debug;

use protocol::wire::StrBytes;
use uuid::Uuid;

use super::GroupConfig;

/// A topic as of one version of the metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    pub id: Uuid,
    pub name: StrBytes,
    pub partitions: i32,
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

    /// What a group sets for itself, or the cluster at run time; none: the broker's value holds.
    fn group_config(&self, group: &str, config: GroupConfig) -> Option<i32>;
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

    fn group_config(&self, _: &str, _: GroupConfig) -> Option<i32> {
        None
    }
}
