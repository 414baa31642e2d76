//! What topics are made of: partitions, leaders, replicas.

use std::collections::BTreeMap;

use protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use protocol::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic;
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::metadata_response::MetadataResponseTopic;
use protocol::messages::{BrokerId, DescribeTopicPartitionsRequest, MetadataRequest};
use uuid::Uuid;

use super::{Admin, AdminError, CallTarget, check_representable, topic_name};
use crate::admin::error::check;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    pub name: String,
    pub id: Uuid,
    pub is_internal: bool,
    pub partitions: Vec<Partition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    pub index: i32,
    /// A leader that the cluster does not count among its live nodes is none.
    pub leader: Option<i32>,
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    /// Unknown to nodes before KIP-966.
    pub elr: Option<Vec<i32>>,
    pub last_known_elr: Option<Vec<i32>>,
}

impl Admin {
    /// Describes topics by name; the first one that has an error fails the call. `page` is the
    /// greatest number of partitions in one answer.
    pub async fn describe_topics(
        &mut self,
        names: &[String],
        page: i32,
    ) -> Result<Vec<TopicDescription>, AdminError> {
        for name in names {
            check_representable(name)?;
        }
        let nodes = self.describe_cluster(false).await?.nodes;
        let live: Vec<i32> = nodes.iter().map(|node| node.id).collect();
        match self.describe_by_pages(names, page, &live).await {
            Err(AdminError::UnsupportedVersion { .. }) => {
                let topic = |name: &String| {
                    MetadataRequestTopic::default().with_name(Some(topic_name(name)))
                };
                self.describe_by_metadata_of(names.iter().map(topic).collect()).await
            }
            described => described,
        }
    }

    /// Describes the topic with this id.
    pub async fn describe_topic_by_id(&mut self, id: Uuid) -> Result<TopicDescription, AdminError> {
        let asked = MetadataRequestTopic::default().with_topic_id(id).with_name(None);
        let described = self.describe_by_metadata_of(vec![asked]).await?;
        let absent = || AdminError::Unusable("the answer holds no topic".to_owned());
        described.into_iter().next().ok_or_else(absent)
    }

    async fn describe_by_pages(
        &mut self,
        names: &[String],
        page: i32,
        live: &[i32],
    ) -> Result<Vec<TopicDescription>, AdminError> {
        let mut call = self.call("describeTopicPartitions", CallTarget::AnyNode);
        let mut sorted = names.to_vec();
        sorted.sort();
        let mut described: BTreeMap<String, TopicDescription> = BTreeMap::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let from = cursor.as_ref().map(|cursor| cursor.topic_name.to_string());
            let left = sorted.iter().filter(|name| from.as_ref().is_none_or(|from| *name >= from));
            let topics: Vec<_> =
                left.map(|name| TopicRequest::default().with_name(topic_name(name))).collect();
            let question = |_| {
                DescribeTopicPartitionsRequest::default()
                    .with_topics(topics.clone())
                    .with_response_partition_limit(page)
                    .with_cursor(cursor.clone())
            };
            let answer = self.ask(&mut call, question).await?;
            for topic in &answer.topics {
                check(topic.error_code, None)?;
                let more = of_page(topic, live);
                match described.get_mut(&more.name) {
                    Some(begun) => begun.partitions.extend(more.partitions),
                    None => drop(described.insert(more.name.clone(), more)),
                }
            }
            let next = answer.next_cursor.map(|next| (next.topic_name, next.partition_index));
            let before = cursor.map(|before| (before.topic_name, before.partition_index));
            match next {
                Some(next) if before.as_ref() != Some(&next) => {
                    let (name, partition) = next;
                    let next = Cursor::default().with_topic_name(name);
                    cursor = Some(next.with_partition_index(partition));
                }
                _ => return Ok(described.into_values().collect()),
            }
        }
    }

    async fn describe_by_metadata_of(
        &mut self,
        topics: Vec<MetadataRequestTopic>,
    ) -> Result<Vec<TopicDescription>, AdminError> {
        let mut call = self.call("describeTopics", CallTarget::AnyNode);
        let question = |_| {
            MetadataRequest::default()
                .with_topics(Some(topics.clone()))
                .with_allow_auto_topic_creation(false)
        };
        let answer = self.ask(&mut call, question).await?;
        let live: Vec<i32> = answer.brokers.iter().map(|broker| broker.node_id.0).collect();
        let mut described = Vec::new();
        for topic in &answer.topics {
            check(topic.error_code, None)?;
            described.push(of_metadata(topic, &live));
        }
        Ok(described)
    }
}

fn of_page(topic: &DescribeTopicPartitionsResponseTopic, live: &[i32]) -> TopicDescription {
    let partitions = topic.partitions.iter().map(|partition| Partition {
        index: partition.partition_index,
        leader: Some(partition.leader_id.0).filter(|leader| live.contains(leader)),
        replicas: ids(&partition.replica_nodes),
        isr: ids(&partition.isr_nodes),
        elr: partition.eligible_leader_replicas.as_deref().map(ids),
        last_known_elr: partition.last_known_elr.as_deref().map(ids),
    });
    TopicDescription {
        name: topic.name.as_ref().map(|name| name.0.to_string()).unwrap_or_default(),
        id: topic.topic_id,
        is_internal: topic.is_internal,
        partitions: partitions.collect(),
    }
}

fn of_metadata(topic: &MetadataResponseTopic, live: &[i32]) -> TopicDescription {
    let partitions = topic.partitions.iter().map(|partition| Partition {
        index: partition.partition_index,
        leader: Some(partition.leader_id.0).filter(|leader| live.contains(leader)),
        replicas: ids(&partition.replica_nodes),
        isr: ids(&partition.isr_nodes),
        elr: None,
        last_known_elr: None,
    });
    TopicDescription {
        name: topic.name.as_ref().map(|name| name.0.to_string()).unwrap_or_default(),
        id: topic.topic_id,
        is_internal: topic.is_internal,
        partitions: partitions.collect(),
    }
}

fn ids(ids: &[BrokerId]) -> Vec<i32> {
    ids.iter().map(|id| id.0).collect()
}
