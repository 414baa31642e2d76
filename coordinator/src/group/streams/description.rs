//! StreamsGroupDescribe: a group in full, as it stands in the log. Answers to
//! `StreamsGroup.asDescribedGroup`.

use std::collections::BTreeMap;

use protocol::records::group::{StreamsEndpoint, StreamsSubtopologyValue, StreamsTopicInfo};
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::super::modern::{hash_map_order, timeline_map_order};
use super::super::shard::{Group, GroupShard};
use super::configured_topology::{ConfiguredSubtopology, ConfiguredTopology, InternalTopic};
use super::group::StreamsGroup;
use super::member::Member;
use super::tasks::TaskAssignment;
use super::topology::StreamsTopology;
use crate::java_hash;

/// A group in full.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedStreamsGroup {
    pub group: StrBytes,
    pub state: &'static str,
    pub epoch: i32,
    pub assignment_epoch: i32,
    pub topology: DescribedTopology,
    pub members: Vec<DescribedStreamsMember>,
}

/// The topology, with the numbers of partitions where the group can begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedTopology {
    pub epoch: i32,
    pub subtopologies: Vec<DescribedSubtopology>,
}

/// Topics stand by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedSubtopology {
    pub id: StrBytes,
    pub source_topics: Vec<StrBytes>,
    pub repartition_sink_topics: Vec<StrBytes>,
    pub state_changelog_topics: Vec<DescribedTopic>,
    pub repartition_source_topics: Vec<DescribedTopic>,
}

/// An internal topic; 0 is what the cluster's default decides, or has not been decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedTopic {
    pub name: StrBytes,
    pub partitions: i32,
    pub replication_factor: i16,
    pub configs: Vec<(StrBytes, StrBytes)>,
}

/// A member in full.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedStreamsMember {
    pub member_id: StrBytes,
    pub epoch: i32,
    pub instance_id: Option<StrBytes>,
    pub rack_id: Option<StrBytes>,
    pub client_id: StrBytes,
    pub client_host: StrBytes,
    pub topology_epoch: i32,
    pub process_id: StrBytes,
    pub user_endpoint: Option<StreamsEndpoint>,
    pub client_tags: Vec<(StrBytes, StrBytes)>,
    pub assignment: TaskAssignment,
    pub target_assignment: TaskAssignment,
}

impl GroupShard {
    /// StreamsGroupDescribe.
    pub fn describe_streams_group(
        &self,
        id: &StrBytes,
    ) -> Result<DescribedStreamsGroup, GroupError> {
        let group = match self.groups.committed(id) {
            Some(Group::Streams(group)) => group,
            Some(_) => return Err(GroupError::NotAStreamsGroup(id.clone())),
            None => return Err(GroupError::GroupNotFound(id.clone())),
        };
        let configured = self.streams.get(id).and_then(|unwritten| unwritten.configured.as_ref());
        let configured = configured.and_then(|configured| described_as_configured(configured));
        let plain = || group.topology.as_ref().map(|topology| described_as_brought(topology));
        let members = group.members.values().collect();
        let members = timeline_map_order(members, |member| java_hash(&member.id));
        Ok(DescribedStreamsGroup {
            group: group.id.clone(),
            state: group.state(),
            epoch: group.epoch,
            assignment_epoch: group.assignment_epoch,
            topology: configured
                .or_else(plain)
                .ok_or(GroupError::Unexpected("the group has no topology"))?,
            members: members.into_iter().map(|member| described(group, member)).collect(),
        })
    }
}

fn described_as_configured(configured: &ConfiguredTopology) -> Option<DescribedTopology> {
    let topics = |topics: &BTreeMap<StrBytes, InternalTopic>| {
        let topics = topics.values().map(|topic| DescribedTopic {
            name: topic.name.clone(),
            partitions: topic.partitions,
            replication_factor: topic.replication_factor.unwrap_or(0),
            configs: topic.configs.clone(),
        });
        topics.collect()
    };
    let part = |(id, part): (&StrBytes, &ConfiguredSubtopology)| DescribedSubtopology {
        id: id.clone(),
        source_topics: part.source_topics.iter().cloned().collect(),
        repartition_sink_topics: part.repartition_sink_topics.iter().cloned().collect(),
        state_changelog_topics: topics(&part.state_changelog_topics),
        repartition_source_topics: topics(&part.repartition_source_topics),
    };
    let subtopologies = configured.ready()?.iter().map(part).collect();
    Some(DescribedTopology { epoch: configured.epoch, subtopologies })
}

fn described_as_brought(topology: &StreamsTopology) -> DescribedTopology {
    let topics = |topics: &[StreamsTopicInfo]| {
        let topics = topics.iter().map(|topic| DescribedTopic {
            name: topic.name.clone(),
            partitions: topic.partitions,
            replication_factor: topic.replication_factor,
            configs: topic
                .topic_configs
                .iter()
                .map(|of| (of.key.clone(), of.value.clone()))
                .collect(),
        });
        let mut topics: Vec<DescribedTopic> = topics.collect();
        topics.sort_by(|left, right| left.name.cmp(&right.name));
        topics
    };
    let names = |names: &[StrBytes]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    let part = |part: &StreamsSubtopologyValue| DescribedSubtopology {
        id: part.subtopology_id.clone(),
        source_topics: names(&part.source_topics),
        repartition_sink_topics: names(&part.repartition_sink_topics),
        state_changelog_topics: topics(&part.state_changelog_topics),
        repartition_source_topics: topics(&part.repartition_source_topics),
    };
    let subtopologies = topology.sorted().into_values().map(part).collect();
    DescribedTopology { epoch: topology.epoch, subtopologies }
}

fn described(group: &StreamsGroup, member: &Member) -> DescribedStreamsMember {
    let tags: Vec<(StrBytes, StrBytes)> =
        member.client_tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let target = group.target.get(&member.id);
    DescribedStreamsMember {
        member_id: member.id.clone(),
        epoch: member.epoch,
        instance_id: member.instance_id.clone(),
        rack_id: member.rack_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        topology_epoch: member.topology_epoch,
        process_id: member.process_id.clone(),
        user_endpoint: member.user_endpoint.clone(),
        client_tags: hash_map_order(tags, |(key, _)| java_hash(key)),
        assignment: member.assigned.assignment(),
        target_assignment: target.map(|target| TaskAssignment::clone(target)).unwrap_or_default(),
    }
}
