//! The metadata image as coordinators of groups see it. Answers to
//! `KRaftCoordinatorMetadataImage` and `GroupConfigManager`.

use coordinator::group::{ClusterMetadata, GroupConfig, TopicMetadata};
use protocol::wire::StrBytes;
use raft::image::{ConfigResource, MetadataImage, ResourceType, Topic};
use uuid::Uuid;

/// One image.
#[derive(Debug)]
pub(super) struct ImageMetadata(pub(super) MetadataImage);

impl ClusterMetadata for ImageMetadata {
    fn version(&self) -> i64 {
        self.0.provenance().last_contained_offset
    }

    fn topic_by_name(&self, name: &str) -> Option<TopicMetadata> {
        self.0.topics().by_name(name).map(|topic| metadata_of(topic))
    }

    fn topic_by_id(&self, id: Uuid) -> Option<TopicMetadata> {
        self.0.topics().by_id(id).map(|topic| metadata_of(topic))
    }

    fn racks(&self, topic: Uuid, partition: i32) -> Vec<StrBytes> {
        let Some(partition) = self.0.topics().partition(topic, partition) else {
            return Vec::new();
        };
        let brokers = partition.replicas.iter().filter_map(|id| self.0.cluster().broker(*id));
        brokers.filter_map(|broker| broker.rack.clone()).collect()
    }

    fn topic_names(&self) -> Vec<StrBytes> {
        self.0.topics().iter().map(|topic| topic.name.clone()).collect()
    }

    fn group_config(&self, group: &str, config: GroupConfig) -> Option<i32> {
        let number = |kind, name: &str, key| {
            let resource = ConfigResource::new(kind, name.to_owned());
            self.0.configs().value(&resource, key)?.trim().parse().ok()
        };
        number(ResourceType::Group, group, config.key())
            .or_else(|| number(ResourceType::Broker, "", config.cluster_key()?))
    }
}

fn metadata_of(topic: &Topic) -> TopicMetadata {
    TopicMetadata {
        id: topic.id,
        name: topic.name.clone(),
        partitions: i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX),
    }
}
