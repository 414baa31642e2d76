//! The metadata image as coordinators of groups see it. Answers to
//! `KRaftCoordinatorMetadataImage` and `GroupConfigManager`.

use coordinator::group::{ClusterMetadata, GroupOverrides, StreamsOverrides, TopicMetadata};
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

    fn group_overrides(&self, group: &str) -> GroupOverrides {
        let resource = ConfigResource::new(ResourceType::Group, group.to_owned());
        let configs = self.0.configs();
        let number = |key: &str| configs.value(&resource, key)?.trim().parse().ok();
        // These can be changed for all brokers at run time, too.
        let all_brokers = ConfigResource::new(ResourceType::Broker, String::new());
        let interval = |key: &str| {
            let clusters = || configs.value(&all_brokers, &format!("group.{key}"));
            number(key).or_else(|| clusters()?.trim().parse().ok())
        };
        GroupOverrides {
            consumer_session_timeout_ms: number("consumer.session.timeout.ms"),
            consumer_heartbeat_interval_ms: number("consumer.heartbeat.interval.ms"),
            consumer_assignment_interval_ms: interval("consumer.assignment.interval.ms"),
            share_session_timeout_ms: number("share.session.timeout.ms"),
            share_heartbeat_interval_ms: number("share.heartbeat.interval.ms"),
            share_assignment_interval_ms: interval("share.assignment.interval.ms"),
            streams: StreamsOverrides {
                session_timeout_ms: number("streams.session.timeout.ms"),
                heartbeat_interval_ms: number("streams.heartbeat.interval.ms"),
                num_standby_replicas: number("streams.num.standby.replicas"),
                initial_rebalance_delay_ms: number("streams.initial.rebalance.delay.ms"),
                assignment_interval_ms: interval("streams.assignment.interval.ms"),
            },
        }
    }
}

fn metadata_of(topic: &Topic) -> TopicMetadata {
    TopicMetadata {
        id: topic.id,
        name: topic.name.clone(),
        partitions: i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX),
    }
}
