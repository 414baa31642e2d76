//! Where share groups start to read partitions: shown, set and taken away by an administrator.
//!
//! Answers to `ListShareGroupOffsetsHandler`, `AlterShareGroupOffsetsHandler` and
//! `DeleteShareGroupOffsetsHandler`.

use std::collections::{BTreeMap, HashMap};

use protocol::messages::alter_share_group_offsets_request::{
    AlterShareGroupOffsetsRequestPartition, AlterShareGroupOffsetsRequestTopic,
};
use protocol::messages::delete_share_group_offsets_request::DeleteShareGroupOffsetsRequestTopic;
use protocol::messages::describe_share_group_offsets_request as asked;
use protocol::messages::describe_share_group_offsets_response as described;
use protocol::messages::{
    AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse, DeleteShareGroupOffsetsRequest,
    DeleteShareGroupOffsetsResponse, DescribeShareGroupOffsetsRequest,
    DescribeShareGroupOffsetsResponse,
};

use super::offsets::{PerPartition, all_altered};
use super::{by_name, group_id, group_keys, only};
use crate::admin::error::check;
use crate::admin::keyed::{KeyedCall, Outcome, Results};
use crate::admin::located::{GroupKey, TopicPartition, group_failed, topic_name};
use crate::admin::{Admin, AdminError};

/// COORDINATOR_LOAD_IN_PROGRESS and REBALANCE_IN_PROGRESS
const PASSES: [i16; 2] = [14, 27];
/// COORDINATOR_NOT_AVAILABLE and NOT_COORDINATOR
const MOVES: [i16; 2] = [15, 16];

/// Where a share group starts to read a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareOffset {
    pub start: i64,
    pub leader_epoch: Option<i32>,
    /// How much of the partition is not acknowledged; unknown to nodes before 4.2.
    pub lag: Option<i64>,
}

/// In the order of the answer; nothing for a partition where the group has not begun.
type Starts = Vec<(TopicPartition, Option<ShareOffset>)>;
/// The outcome of each topic.
type PerTopic = HashMap<String, Result<(), AdminError>>;

struct DescribeShareGroupOffsets;

impl KeyedCall for DescribeShareGroupOffsets {
    type Key = GroupKey;
    type Value = Starts;
    type Request = DescribeShareGroupOffsetsRequest;

    const NAMES: [&'static str; 2] = [
        "describeShareGroupOffsets(api=FIND_COORDINATOR)",
        "describeShareGroupOffsets(api=DESCRIBE_SHARE_GROUP_OFFSETS)",
    ];

    fn request(&self, keys: &[GroupKey], _: i32) -> DescribeShareGroupOffsetsRequest {
        // Of all their topics.
        let group = |key| asked::DescribeShareGroupOffsetsRequestGroup {
            group_id: group_id(key),
            topics: None,
        };
        DescribeShareGroupOffsetsRequest { groups: keys.iter().map(group).collect() }
    }

    fn read(
        &self,
        _: i32,
        _: &[GroupKey],
        answer: DescribeShareGroupOffsetsResponse,
    ) -> Vec<(GroupKey, Outcome<Starts>)> {
        let groups = answer.groups.into_iter().map(|group| {
            let outcome = match group.error_code {
                0 => Outcome::Done(Ok(group.topics.iter().flat_map(starts).collect())),
                code => group_failed(code, group.error_message.as_deref()),
            };
            (GroupKey(group.group_id.to_string()), outcome)
        });
        groups.collect()
    }
}

fn starts(topic: &described::DescribeShareGroupOffsetsResponseTopic) -> Starts {
    // What cannot be told of one partition is left out, as by Kafka.
    let known = topic.partitions.iter().filter(|partition| partition.error_code == 0);
    let starts = known.map(|partition| {
        let key = TopicPartition {
            topic: topic.topic_name.to_string(),
            partition: partition.partition_index,
        };
        let start = (partition.start_offset >= 0).then_some(ShareOffset {
            start: partition.start_offset,
            leader_epoch: Some(partition.leader_epoch).filter(|epoch| *epoch >= 0),
            lag: Some(partition.lag).filter(|lag| *lag >= 0),
        });
        (key, start)
    });
    starts.collect()
}

struct AlterShareGroupOffsets<'a>(&'a [(TopicPartition, i64)]);

impl KeyedCall for AlterShareGroupOffsets<'_> {
    type Key = GroupKey;
    type Value = PerPartition;
    type Request = AlterShareGroupOffsetsRequest;

    const NAMES: [&'static str; 2] = [
        "alterShareGroupOffsets(api=FIND_COORDINATOR)",
        "alterShareGroupOffsets(api=ALTER_SHARE_GROUP_OFFSETS)",
    ];

    fn request(&self, keys: &[GroupKey], _: i32) -> AlterShareGroupOffsetsRequest {
        let mut topics: BTreeMap<&str, Vec<AlterShareGroupOffsetsRequestPartition>> =
            BTreeMap::new();
        for (key, start) in self.0 {
            let partition = AlterShareGroupOffsetsRequestPartition::default()
                .with_partition_index(key.partition)
                .with_start_offset(*start);
            topics.entry(&key.topic).or_default().push(partition);
        }
        let topics = topics.into_iter().map(|(topic, partitions)| {
            AlterShareGroupOffsetsRequestTopic::default()
                .with_topic_name(topic_name(topic))
                .with_partitions(partitions)
        });
        AlterShareGroupOffsetsRequest::default()
            .with_group_id(keys.first().map(group_id).unwrap_or_default())
            .with_topics(topics.collect())
    }

    fn read(
        &self,
        _: i32,
        keys: &[GroupKey],
        answer: AlterShareGroupOffsetsResponse,
    ) -> Vec<(GroupKey, Outcome<PerPartition>)> {
        let Some(group) = keys.first().cloned() else { return Vec::new() };
        let outcome = match answer.error_code {
            code if PASSES.contains(&code) => Outcome::Again,
            code if MOVES.contains(&code) => Outcome::Moved,
            0 => {
                let outcomes = answer.responses.iter().flat_map(|topic| {
                    topic.partitions.iter().map(|partition| {
                        let key = TopicPartition {
                            topic: topic.topic_name.to_string(),
                            partition: partition.partition_index,
                        };
                        (key, check(partition.error_code, partition.error_message.as_deref()))
                    })
                });
                Outcome::Done(Ok(outcomes.collect()))
            }
            // What failed the group failed each of its partitions.
            code => {
                let message = answer.error_message.as_deref();
                let outcomes = self.0.iter().map(|(key, _)| (key.clone(), check(code, message)));
                Outcome::Done(Ok(outcomes.collect()))
            }
        };
        vec![(group, outcome)]
    }
}

struct DeleteShareGroupOffsets<'a>(&'a [String]);

impl KeyedCall for DeleteShareGroupOffsets<'_> {
    type Key = GroupKey;
    type Value = PerTopic;
    type Request = DeleteShareGroupOffsetsRequest;

    const NAMES: [&'static str; 2] = [
        "deleteShareGroupOffsets(api=FIND_COORDINATOR)",
        "deleteShareGroupOffsets(api=DELETE_SHARE_GROUP_OFFSETS)",
    ];

    fn request(&self, keys: &[GroupKey], _: i32) -> DeleteShareGroupOffsetsRequest {
        let topics = self.0.iter().map(|topic| {
            DeleteShareGroupOffsetsRequestTopic::default().with_topic_name(topic_name(topic))
        });
        DeleteShareGroupOffsetsRequest::default()
            .with_group_id(keys.first().map(group_id).unwrap_or_default())
            .with_topics(topics.collect())
    }

    fn read(
        &self,
        _: i32,
        keys: &[GroupKey],
        answer: DeleteShareGroupOffsetsResponse,
    ) -> Vec<(GroupKey, Outcome<PerTopic>)> {
        let Some(group) = keys.first().cloned() else { return Vec::new() };
        let outcome = match answer.error_code {
            code if PASSES.contains(&code) => Outcome::Again,
            0 => {
                let outcomes = answer.responses.iter().map(|topic| {
                    let result = check(topic.error_code, topic.error_message.as_deref());
                    (topic.topic_name.to_string(), result)
                });
                Outcome::Done(Ok(outcomes.collect()))
            }
            code => group_failed(code, answer.error_message.as_deref()),
        };
        vec![(group, outcome)]
    }
}

impl Admin {
    /// Where each share group starts to read what it has.
    pub async fn share_group_offsets(&mut self, groups: &[String]) -> Results<String, Starts> {
        by_name(self.ask_of_keys(&DescribeShareGroupOffsets, &group_keys(groups)).await)
    }

    /// Sets where a share group without members starts. A partition that is refused fails the call.
    pub async fn alter_share_group_offsets(
        &mut self,
        group: &str,
        starts: &[(TopicPartition, i64)],
    ) -> Result<(), AdminError> {
        let kind = AlterShareGroupOffsets(starts);
        all_altered(only(self.ask_of_keys(&kind, &group_keys(&[group.to_owned()])).await)?)
    }

    /// Lets a share group without members forget topics; the outcome of each.
    pub async fn delete_share_group_offsets(
        &mut self,
        group: &str,
        topics: &[String],
    ) -> Result<PerTopic, AdminError> {
        let kind = DeleteShareGroupOffsets(topics);
        only(self.ask_of_keys(&kind, &group_keys(&[group.to_owned()])).await)
    }
}

#[cfg(test)]
mod tests;
