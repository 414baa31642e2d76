//! Which partitions each member has that answers interactive queries, so that others can ask it.
//! Answers to `EndpointToPartitionsManager`.
//!
//! Unlike Kafka: what has no topics yet is left out; Kafka fails the heartbeat
//! (docs/decisions/0495).

use std::collections::BTreeMap;

use protocol::records::group::StreamsEndpoint;
use protocol::wire::StrBytes;

use super::super::modern::{ClusterMetadata, hash_map_order};
use super::configured_topology::{ConfiguredSubtopology, ConfiguredTopology};
use super::group::StreamsGroup;
use super::member::Member;
use super::tasks::{Tasks, without_epochs};
use crate::java_hash;

/// What one member has.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointPartitions {
    pub endpoint: StreamsEndpoint,
    pub active: Vec<TopicPartitions>,
    pub standby: Vec<TopicPartitions>,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPartitions {
    pub topic: StrBytes,
    pub partitions: Vec<i32>,
}

/// Of all members of the group, of which one is as it will be.
pub(super) fn endpoints(
    group: &StreamsGroup,
    member: &Member,
    configured: &ConfiguredTopology,
    metadata: &dyn ClusterMetadata,
) -> Vec<EndpointPartitions> {
    let none = BTreeMap::new();
    let subtopologies = configured.subtopologies.as_ref().unwrap_or(&none);
    let others = group.members.values().map(|other| &**other);
    let others = others.filter(|other| other.id != member.id);
    let endpoints = others.chain([member]).filter_map(|member| {
        Some(EndpointPartitions {
            endpoint: member.user_endpoint.clone()?,
            active: partitions(&without_epochs(&member.assigned.active), subtopologies, metadata),
            standby: partitions(&member.assigned.standby, subtopologies, metadata),
        })
    });
    endpoints.collect()
}

fn partitions(
    tasks: &Tasks,
    subtopologies: &BTreeMap<StrBytes, ConfiguredSubtopology>,
    metadata: &dyn ClusterMetadata,
) -> Vec<TopicPartitions> {
    let parts = tasks.iter().filter_map(|(id, tasks)| Some((subtopologies.get(id)?, tasks)));
    let topics = parts.flat_map(|(part, tasks)| {
        let names = part.source_topics.iter().chain(part.repartition_source_topics.keys());
        let names = hash_map_order(names.collect(), |topic: &&StrBytes| java_hash(topic));
        names.into_iter().filter_map(move |topic| {
            let has = usize::try_from(metadata.topic_by_name(topic)?.partitions).unwrap_or(0);
            // A topic with fewer partitions than the subtopology has tasks.
            let partitions = tasks.iter().copied().take(has).collect();
            Some(TopicPartitions { topic: topic.clone(), partitions })
        })
    });
    topics.collect()
}
