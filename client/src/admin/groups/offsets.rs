//! The offsets that groups have committed: read, set and taken away by an administrator.
//!
//! Answers to `ListConsumerGroupOffsetsHandler`, `AlterConsumerGroupOffsetsHandler` and
//! `DeleteConsumerGroupOffsetsHandler`.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    OffsetFetchRequest, OffsetFetchResponse,
};
use protocol::wire::StrBytes;

use super::{by_name, group_id, group_keys, only};
use crate::admin::error::check;
use crate::admin::keyed::{KeyedCall, Outcome, Results};
use crate::admin::located::{GroupKey, TopicPartition, group_failed, topic_name};
use crate::admin::offsets::by_topic;
use crate::admin::{Admin, AdminError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommittedOffset {
    pub offset: i64,
    pub leader_epoch: Option<i32>,
}

/// In the order of the answer; nothing for a partition without a committed offset.
type Committed = Vec<(TopicPartition, Option<CommittedOffset>)>;
/// The outcome of each partition.
pub(super) type PerPartition = HashMap<TopicPartition, Result<(), AdminError>>;

/// The newest version that goes by topics' names.
const BY_NAME_MAX: i16 = 9;

struct OffsetFetch;

impl KeyedCall for OffsetFetch {
    type Key = GroupKey;
    type Value = Committed;
    type Request = OffsetFetchRequest;

    const NAMES: [&'static str; 2] =
        ["offsetFetch(api=FIND_COORDINATOR)", "offsetFetch(api=OFFSET_FETCH)"];

    fn versions(&self) -> RangeInclusive<i16> {
        8..=BY_NAME_MAX
    }

    fn request(&self, keys: &[GroupKey], _: i32) -> OffsetFetchRequest {
        let groups = keys.iter().map(|key| OffsetFetchRequestGroup {
            group_id: group_id(key),
            topics: None,
            ..Default::default()
        });
        OffsetFetchRequest { groups: groups.collect(), ..Default::default() }
    }

    fn read(
        &self,
        _: i32,
        _: &[GroupKey],
        answer: OffsetFetchResponse,
    ) -> Vec<(GroupKey, Outcome<Committed>)> {
        let groups = answer.groups.iter().map(|group| {
            let outcome = match group.error_code {
                0 => Outcome::Done(Ok(group.topics.iter().flat_map(committed).collect())),
                code => group_failed(code, None),
            };
            (GroupKey(group.group_id.to_string()), outcome)
        });
        groups.collect()
    }
}

fn committed(
    topic: &protocol::messages::offset_fetch_response::OffsetFetchResponseTopics,
) -> Committed {
    // What cannot be told of one partition is left out, as by Kafka.
    let known = topic.partitions.iter().filter(|partition| partition.error_code == 0);
    let offsets = known.map(|partition| {
        let key =
            TopicPartition { topic: topic.name.to_string(), partition: partition.partition_index };
        let committed = (partition.committed_offset >= 0).then_some(CommittedOffset {
            offset: partition.committed_offset,
            leader_epoch: Some(partition.committed_leader_epoch).filter(|epoch| *epoch >= 0),
        });
        (key, committed)
    });
    offsets.collect()
}

struct OffsetCommit<'a>(&'a [(TopicPartition, i64)]);

impl KeyedCall for OffsetCommit<'_> {
    type Key = GroupKey;
    type Value = PerPartition;
    type Request = OffsetCommitRequest;

    const NAMES: [&'static str; 2] =
        ["offsetCommit(api=FIND_COORDINATOR)", "offsetCommit(api=OFFSET_COMMIT)"];

    fn versions(&self) -> RangeInclusive<i16> {
        0..=BY_NAME_MAX
    }

    fn request(&self, keys: &[GroupKey], _: i32) -> OffsetCommitRequest {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for (key, offset) in self.0 {
            let partition = OffsetCommitRequestPartition {
                partition_index: key.partition,
                committed_offset: *offset,
                committed_leader_epoch: -1,
                committed_metadata: Some(StrBytes::from_static_str("")),
            };
            topics.entry(&key.topic).or_default().push(partition);
        }
        let topics = topics.into_iter().map(|(topic, partitions)| OffsetCommitRequestTopic {
            name: topic_name(topic),
            partitions,
            ..Default::default()
        });
        let group = keys.first().map(group_id).unwrap_or_default();
        OffsetCommitRequest {
            group_id: group,
            generation_id_or_member_epoch: -1,
            topics: topics.collect(),
            ..Default::default()
        }
    }

    fn read(
        &self,
        _: i32,
        keys: &[GroupKey],
        answer: OffsetCommitResponse,
    ) -> Vec<(GroupKey, Outcome<PerPartition>)> {
        let Some(group) = keys.first().cloned() else { return Vec::new() };
        let mut outcomes = PerPartition::new();
        for topic in &answer.topics {
            for partition in &topic.partitions {
                match partition.error_code {
                    // COORDINATOR_LOAD_IN_PROGRESS and REBALANCE_IN_PROGRESS pass.
                    14 | 27 => return vec![(group, Outcome::Again)],
                    15 | 16 => return vec![(group, Outcome::Moved)],
                    code => {
                        let key = TopicPartition {
                            topic: topic.name.to_string(),
                            partition: partition.partition_index,
                        };
                        outcomes.insert(key, check(code, None));
                    }
                }
            }
        }
        vec![(group, Outcome::Done(Ok(outcomes)))]
    }
}

struct OffsetDelete<'a>(&'a [TopicPartition]);

impl KeyedCall for OffsetDelete<'_> {
    type Key = GroupKey;
    type Value = PerPartition;
    type Request = OffsetDeleteRequest;

    const NAMES: [&'static str; 2] =
        ["offsetDelete(api=FIND_COORDINATOR)", "offsetDelete(api=OFFSET_DELETE)"];

    fn request(&self, keys: &[GroupKey], _: i32) -> OffsetDeleteRequest {
        let partition = |index| OffsetDeleteRequestPartition::default().with_partition_index(index);
        let topics = by_topic(self.0).into_iter().map(|(topic, partitions)| {
            OffsetDeleteRequestTopic::default()
                .with_name(topic_name(topic))
                .with_partitions(partitions.into_iter().map(partition).collect())
        });
        let group = keys.first().map(group_id).unwrap_or_default();
        OffsetDeleteRequest::default().with_group_id(group).with_topics(topics.collect())
    }

    fn read(
        &self,
        _: i32,
        keys: &[GroupKey],
        answer: OffsetDeleteResponse,
    ) -> Vec<(GroupKey, Outcome<PerPartition>)> {
        let Some(group) = keys.first().cloned() else { return Vec::new() };
        let outcome = match answer.error_code {
            0 => {
                let outcomes = answer.topics.iter().flat_map(|topic| {
                    topic.partitions.iter().map(|partition| {
                        let key = TopicPartition {
                            topic: topic.name.to_string(),
                            partition: partition.partition_index,
                        };
                        (key, check(partition.error_code, None))
                    })
                });
                Outcome::Done(Ok(outcomes.collect()))
            }
            code => group_failed(code, None),
        };
        vec![(group, outcome)]
    }
}

impl Admin {
    /// All committed offsets of each group.
    pub async fn committed_offsets(&mut self, groups: &[String]) -> Results<String, Committed> {
        by_name(self.ask_of_keys(&OffsetFetch, &group_keys(groups)).await)
    }

    /// Commits offsets for a group without members. A partition that is refused fails the call.
    pub async fn alter_group_offsets(
        &mut self,
        group: &str,
        offsets: &[(TopicPartition, i64)],
    ) -> Result<(), AdminError> {
        let kind = OffsetCommit(offsets);
        all_altered(only(self.ask_of_keys(&kind, &group_keys(&[group.to_owned()])).await)?)
    }

    /// Takes committed offsets away; the outcome of each partition.
    pub async fn delete_group_offsets(
        &mut self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<PerPartition, AdminError> {
        let kind = OffsetDelete(partitions);
        only(self.ask_of_keys(&kind, &group_keys(&[group.to_owned()])).await)
    }
}

/// What a change of offsets came to: the first partition that was refused fails it all.
pub(super) fn all_altered(done: PerPartition) -> Result<(), AdminError> {
    let failed = done.into_iter().filter_map(|(key, result)| Some((key, result.err()?)));
    let failed: BTreeMap<TopicPartition, AdminError> = failed.collect();
    match failed.first_key_value() {
        None => Ok(()),
        Some((_, AdminError::Answer { code, .. })) => {
            let names: Vec<String> = failed.keys().map(ToString::to_string).collect();
            let message = format!(
                "Failed altering group offsets for the following partitions: [{}]",
                names.join(", ")
            );
            Err(AdminError::Answer { code: *code, message })
        }
        Some((_, error)) => Err(error.clone()),
    }
}
