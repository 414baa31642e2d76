//! DescribeTopicPartitions: topics and their partitions page by page (KIP-966).
//!
//! A page ends after so many partitions and names where the next begins.
//! Kafka: `DescribeTopicPartitionsRequestHandler`, `KRaftMetadataCache.describeTopicResponse`.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use protocol::messages::{
    BrokerId, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicName,
};
use raft::image::{MetadataImage, Partition, Topic};

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::metadata_cache::is_internal;
use crate::requests::answer_budget;
use crate::requests::api_error::text;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;
use crate::requests::topic_names;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 256;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    context: &RequestContext,
    request: DescribeTopicPartitionsRequest,
) -> Result<DescribeTopicPartitionsResponse, CloseConnection> {
    answer_budget::check(request.topics.len(), BYTES_EACH)?;
    let image = metadata.settled_image(|image| leaders(image, &request)).await;
    let every = request.topics.is_empty();
    let from = request.cursor.as_ref().map_or("", |cursor| cursor.topic_name.as_str());
    let names: BTreeSet<&str> = if every {
        image.topics().iter().map(|topic| topic.name.as_str()).filter(|n| *n >= from).collect()
    } else {
        request.topics.iter().map(|topic| topic.name.as_str()).filter(|n| *n >= from).collect()
    };
    let sound = request.cursor.as_ref().is_none_or(|cursor| {
        cursor.partition_index >= 0 && (every || names.contains(cursor.topic_name.as_str()))
    });
    if !sound {
        let refused = |name: &TopicName| failed(name, ErrorCode::InvalidRequest);
        let topics = request.topics.iter().map(|topic| refused(&topic.name)).collect();
        return Ok(DescribeTopicPartitionsResponse::default().with_topics(topics));
    }
    let may_see = |name: &&str| context.authorize(Operation::Describe, Resource::Topic(name));
    let (visible, hidden): (Vec<&str>, Vec<&str>) = names.iter().copied().partition(may_see);
    let limit = config.current().max_request_partition_size_limit;
    let mut page = Page {
        image: &image,
        listener: &context.client.listener,
        room: request.response_partition_limit.min(limit).max(1),
        topics: Vec::new(),
        next: None,
    };
    for name in visible {
        let first = match &request.cursor {
            Some(cursor) if cursor.topic_name.as_str() == name => cursor.partition_index,
            _ => 0,
        };
        if !page.add(name, first, every) {
            break;
        }
    }
    let Page { mut topics, next, .. } = page;
    for topic in &mut topics {
        if let Some(name) = &topic.name {
            topic.topic_authorized_operations =
                context.authorized_operations(Resource::Topic(name));
        }
    }
    if !every {
        let denied =
            |name: &str| failed(&TopicName(text(name)), ErrorCode::TopicAuthorizationFailed);
        topics.extend(hidden.into_iter().map(denied));
    }
    Ok(DescribeTopicPartitionsResponse::default().with_topics(topics).with_next_cursor(next))
}

/// Who leads the partitions of the topics that are asked for.
fn leaders(image: &MetadataImage, request: &DescribeTopicPartitionsRequest) -> BTreeSet<i32> {
    let of = |topic: &Topic| topic.partitions().map(|(_, each)| each.leader).collect::<Vec<_>>();
    if request.topics.is_empty() {
        return image.topics().iter().flat_map(|topic| of(topic)).collect();
    }
    let named = request.topics.iter().filter_map(|asked| image.topics().by_name(&asked.name));
    named.flat_map(|topic| of(topic)).collect()
}

fn failed(name: &TopicName, error: ErrorCode) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(name.clone()))
}

/// A page as it fills.
struct Page<'a> {
    image: &'a MetadataImage,
    listener: &'a str,
    /// How many partitions more it takes.
    room: i32,
    topics: Vec<DescribeTopicPartitionsResponseTopic>,
    next: Option<Cursor>,
}

impl Page<'_> {
    /// Adds a topic from partition `first` on. Returns whether the page takes more.
    fn add(&mut self, name: &str, first: i32, only_known: bool) -> bool {
        if self.room == 0 {
            self.next = Some(cursor(name, 0));
            return false;
        }
        let Some(topic) = self.image.topics().by_name(name) else {
            if !only_known {
                let error = match topic_names::check(name) {
                    Ok(()) => ErrorCode::UnknownTopicOrPartition,
                    Err(invalid) => invalid.code,
                };
                let unknown = failed(&TopicName(text(name)), error);
                self.topics.push(unknown.with_is_internal(is_internal(name)));
            }
            return true;
        };
        let count = i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX);
        let end = count.min(first.saturating_add(self.room));
        let partitions: Vec<_> = (first..end)
            .filter_map(|index| Some(self.partition(index, topic.partition(index)?)))
            .collect();
        self.room -= i32::try_from(partitions.len()).unwrap_or(self.room);
        self.topics.push(self.known(topic, partitions));
        if end < count {
            self.next = Some(cursor(name, end));
            return false;
        }
        true
    }

    fn known(
        &self,
        topic: &Topic,
        partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    ) -> DescribeTopicPartitionsResponseTopic {
        DescribeTopicPartitionsResponseTopic::default()
            .with_name(Some(TopicName(topic.name.clone())))
            .with_topic_id(topic.id)
            .with_is_internal(is_internal(&topic.name))
            .with_partitions(partitions)
    }

    fn partition(
        &self,
        index: i32,
        partition: &Partition,
    ) -> DescribeTopicPartitionsResponsePartition {
        let ids = |ids: &[i32]| ids.iter().copied().map(BrokerId).collect::<Vec<_>>();
        let has_listener = self.image.cluster().broker(partition.leader).is_some_and(|leader| {
            leader.end_points.iter().any(|endpoint| endpoint.name.as_str() == self.listener)
        });
        DescribeTopicPartitionsResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(BrokerId(if has_listener { partition.leader } else { -1 }))
            .with_leader_epoch(partition.leader_epoch)
            .with_replica_nodes(ids(&partition.replicas))
            .with_isr_nodes(ids(&partition.isr))
            .with_eligible_leader_replicas(Some(ids(&partition.elr)))
            .with_last_known_elr(Some(ids(&partition.last_known_elr)))
            .with_offline_replicas(ids(&self.offline(partition)))
    }

    /// Replicas on brokers that are not up, not reachable by this listener, or whose disk failed.
    fn offline(&self, partition: &Partition) -> Vec<i32> {
        let cluster = self.image.cluster();
        let online = |id: i32| {
            let directory = partition.directory(id);
            directory.is_none_or(|directory| cluster.has_online_directory(id, directory))
                && cluster.broker(id).is_some_and(|broker| {
                    let mut listeners = broker.end_points.iter();
                    !broker.fenced && listeners.any(|each| each.name.as_str() == self.listener)
                })
        };
        partition.replicas.iter().copied().filter(|id| !online(*id)).collect()
    }
}

fn cursor(topic: &str, partition: i32) -> Cursor {
    Cursor::default().with_topic_name(TopicName(text(topic))).with_partition_index(partition)
}
