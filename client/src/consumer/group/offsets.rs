//! Committed offsets: asking for them, and committing.

use std::sync::Arc;

use ::protocol::ErrorCode;
use ::protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ::protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};

use super::super::ConsumerError;
use super::super::fetch::{by_topic, topic_name};
use super::super::fetched::TopicPartition;
use super::super::partitions::Position;
use super::protocol::Reaction;
use super::{Group, Lost, text};

/// From version 10 on topics go by ids alone; names do for every release.
const BY_NAME_MAX: i16 = 9;

/// What the group committed of each partition; nothing for one it never did.
pub(in super::super) async fn committed(
    group: Arc<Group>,
    partitions: Vec<TopicPartition>,
) -> Result<Vec<(TopicPartition, Option<Position>)>, ConsumerError> {
    loop {
        let topics = by_topic(partitions.iter().map(|one| (one.clone(), ()))).into_iter();
        let topics = topics.map(|(topic, indexes)| OffsetFetchRequestTopics {
            name: topic_name(&topic),
            partition_indexes: indexes.into_iter().map(|(index, ())| index).collect(),
            ..Default::default()
        });
        let asked = OffsetFetchRequestGroup {
            group_id: group.group_id(),
            member_epoch: -1,
            topics: Some(topics.collect()),
            ..Default::default()
        };
        let request =
            OffsetFetchRequest { groups: vec![asked], require_stable: true, ..Default::default() };
        let limit = group.settings.cluster.request_timeout;
        let answer = match group.ask(8..=BY_NAME_MAX, request, limit).await? {
            Ok(answer) => answer,
            Err(Lost) => continue,
        };
        let Some(of_group) = answer.groups.first() else { continue };
        match group.react(of_group.error_code).await {
            Reaction::Fine => {}
            Reaction::Fail => return Err(ConsumerError::of_group(of_group.error_code, &group.id)),
            _ => continue,
        }
        let mut found = Vec::new();
        let mut failed = 0;
        for topic in &of_group.topics {
            for one in &topic.partitions {
                failed = if failed == 0 { one.error_code } else { failed };
                let position =
                    Position { offset: one.committed_offset, epoch: one.committed_leader_epoch };
                let partition = TopicPartition::new(topic.name.to_string(), one.partition_index);
                found.push((partition, (position.offset >= 0).then_some(position)));
            }
        }
        match failed {
            0 => return Ok(found),
            code if passes(code) => group.pause().await,
            code => return Err(ConsumerError::of_group(code, &group.id)),
        }
    }
}

/// A transaction that commits offsets is open, a topic is new, or the member's epoch is about to
/// be known here.
fn passes(code: i16) -> bool {
    [
        ErrorCode::UnstableOffsetCommit,
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::StaleMemberEpoch,
    ]
    .iter()
    .any(|error| error.code() == code)
}

/// Commits these positions as the member that the group knows.
pub(in super::super) async fn commit(
    group: Arc<Group>,
    positions: Vec<(TopicPartition, Position)>,
) -> Result<(), ConsumerError> {
    loop {
        let identity = group.identity();
        let topics = by_topic(positions.iter().cloned()).into_iter().map(|(topic, positions)| {
            let partitions =
                positions.into_iter().map(|(index, position)| OffsetCommitRequestPartition {
                    partition_index: index,
                    committed_offset: position.offset,
                    committed_leader_epoch: position.epoch,
                    committed_metadata: Some(text("")),
                });
            OffsetCommitRequestTopic {
                name: topic_name(&topic),
                partitions: partitions.collect(),
                ..Default::default()
            }
        });
        let request = OffsetCommitRequest {
            group_id: group.group_id(),
            generation_id_or_member_epoch: identity.generation,
            member_id: text(&identity.member_id),
            group_instance_id: group.instance_id(),
            topics: topics.collect(),
            ..Default::default()
        };
        let limit = group.settings.cluster.request_timeout;
        let answer = match group.ask(7..=BY_NAME_MAX, request, limit).await? {
            Ok(answer) => answer,
            Err(Lost) => continue,
        };
        let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
        let failed = partitions.map(|one| one.error_code).find(|code| *code != 0).unwrap_or(0);
        match group.react(failed).await {
            Reaction::Fine => return Ok(()),
            Reaction::Retry | Reaction::FindCoordinator => {}
            Reaction::Fail if passes(failed) => group.pause().await,
            _ => return Err(ConsumerError::of_group(failed, &group.id)),
        }
    }
}
