//! ConsumerGroupDescribe: a group in full, as it stands in the log. Answers to
//! `ConsumerGroup.asDescribedGroup`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::answer::GroupError;
use super::super::modern::timeline_map_order;
use super::super::shard::{Group, GroupShard};
use super::group::ConsumerGroup;
use super::member::{Member, Owned};
use super::target_assignment::preferred_assignor;
use crate::java_hash;

/// A group in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedConsumerGroup {
    pub group: StrBytes,
    pub state: &'static str,
    pub epoch: i32,
    pub assignment_epoch: i32,
    pub assignor: &'static str,
    /// In the order of Kafka's map of them.
    pub members: Vec<DescribedConsumerMember>,
}

/// A member in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedConsumerMember {
    pub member_id: StrBytes,
    pub instance_id: Option<StrBytes>,
    pub rack_id: Option<StrBytes>,
    pub epoch: i32,
    pub client_id: StrBytes,
    pub client_host: StrBytes,
    pub topics: Vec<StrBytes>,
    pub regex: Option<StrBytes>,
    /// With what it is giving up.
    pub assignment: Vec<DescribedPartitions>,
    pub target_assignment: Vec<DescribedPartitions>,
    pub uses_classic_protocol: bool,
}

/// Partitions of a topic that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedPartitions {
    pub topic_id: Uuid,
    pub topic: StrBytes,
    pub partitions: Vec<i32>,
}

impl GroupShard {
    /// ConsumerGroupDescribe.
    pub fn describe_consumer_group(
        &self,
        id: &StrBytes,
    ) -> Result<DescribedConsumerGroup, GroupError> {
        match self.groups.committed(id) {
            Some(Group::Consumer(group)) => Ok(self.described_consumer_group(group)),
            Some(_) => Err(GroupError::NotAConsumerGroup(id.clone())),
            None => Err(GroupError::GroupNotFound(id.clone())),
        }
    }

    fn described_consumer_group(&self, group: &ConsumerGroup) -> DescribedConsumerGroup {
        let assignor = preferred_assignor(group, None, None)
            .unwrap_or_else(|| self.settings.default_assignor());
        let members = group.members.values().collect();
        let members = timeline_map_order(members, |member| java_hash(&member.id));
        DescribedConsumerGroup {
            group: group.id.clone(),
            state: group.state(),
            epoch: group.epoch,
            assignment_epoch: group.assignment_epoch,
            assignor: assignor.name(),
            members: members.into_iter().map(|member| self.described(group, member)).collect(),
        }
    }

    fn described(&self, group: &ConsumerGroup, member: &Member) -> DescribedConsumerMember {
        let mut assigned: BTreeMap<Uuid, BTreeSet<i32>> = BTreeMap::new();
        let mut add = |owned: &Owned| {
            for (topic, partitions) in owned {
                assigned.entry(*topic).or_default().extend(partitions.keys());
            }
        };
        add(&member.assigned);
        add(&member.pending_revocation);
        let target = group.target.get(&member.id);
        DescribedConsumerMember {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            rack_id: member.rack_id.clone(),
            epoch: member.epoch,
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            topics: member.topics.iter().cloned().collect(),
            regex: member.regex.clone(),
            assignment: self.named(&assigned),
            target_assignment: target.map(|target| self.named(target)).unwrap_or_default(),
            uses_classic_protocol: member.classic.is_some(),
        }
    }

    pub(in super::super) fn named(
        &self,
        assignment: &BTreeMap<Uuid, BTreeSet<i32>>,
    ) -> Vec<DescribedPartitions> {
        let topics = assignment.iter().filter_map(|(id, partitions)| {
            let topic = self.metadata.image.topic_by_id(*id)?.name;
            let partitions = partitions.iter().copied().collect();
            Some(DescribedPartitions { topic_id: *id, topic, partitions })
        });
        topics.collect()
    }
}
