//! OffsetFetch: what groups have committed; one group below version 8, several from there on, with
//! topics by their ids from version 10 on.
//! Kafka: `KafkaApis.handleOffsetFetchRequest`, `OffsetFetchResponse`.

use coordinator::group::{FetchedTopic, GroupError};
use protocol::ErrorCode;
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use protocol::messages::{OffsetFetchRequest, OffsetFetchResponse, TopicName};
use protocol::wire::StrBytes;
use uuid::Uuid;

use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

const FIRST_WITH_TOP_LEVEL_ERROR: i16 = 2;
const FIRST_WITH_GROUPS: i16 = 8;
const FIRST_WITH_TOPIC_IDS: i16 = 10;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    mut request: OffsetFetchRequest,
) -> Result<OffsetFetchResponse, CloseConnection> {
    let require_stable = request.require_stable;
    if context.api_version >= FIRST_WITH_GROUPS {
        let mut fetched = Vec::with_capacity(request.groups.len());
        for group in std::mem::take(&mut request.groups) {
            fetched.push(fetch(metadata, groups, context, group, require_stable).await);
        }
        return Ok(OffsetFetchResponse { groups: fetched, ..Default::default() });
    }
    let topics = request.topics.take().map(|topics| {
        let several = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        });
        several.collect()
    });
    let group =
        OffsetFetchRequestGroup { group_id: request.group_id, topics, ..Default::default() };
    Ok(single(fetch(metadata, groups, context, group, require_stable).await))
}

async fn fetch(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    mut group: OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let by_ids = context.api_version >= FIRST_WITH_TOPIC_IDS;
    if by_ids {
        name_topics(metadata, &mut group);
    }
    if !context.authorize(Operation::Describe, Resource::Group(&group.group_id)) {
        return refused(&group, ErrorCode::GroupAuthorizationFailed, context.api_version);
    }
    let may_describe = |topic: &str| context.authorize(Operation::Describe, Resource::Topic(topic));
    let mut denied = Vec::new();
    let wanted = group.topics.as_ref().map(|topics| {
        let mut wanted = Vec::with_capacity(topics.len());
        for topic in topics {
            if by_ids && topic.name.is_empty() {
                denied.push(refused_topic(topic, ErrorCode::UnknownTopicId));
            } else if may_describe(&topic.name) {
                wanted.push((topic.name.0.clone(), topic.partition_indexes.clone()));
            } else {
                denied.push(refused_topic(topic, ErrorCode::TopicAuthorizationFailed));
            }
        }
        wanted
    });
    match look_up(metadata, groups, &group, wanted, require_stable).await {
        Ok(fetched) => {
            let image = metadata.image();
            let visible = fetched.into_iter().filter(|topic| may_describe(&topic.topic));
            let topics = visible.filter_map(|topic| {
                let asked = group.topics.iter().flatten().find(|asked| *asked.name == *topic.topic);
                let asked = asked.map(|asked| asked.topic_id).filter(|_| by_ids);
                let known = || image.topics().by_name(&topic.topic).map(|known| known.id);
                match asked.or_else(|| known().filter(|_| by_ids)) {
                    // By its id it cannot be told of when it has none any more.
                    None if by_ids => None,
                    topic_id => Some(respond(topic, topic_id.unwrap_or_default())),
                }
            });
            let mut topics: Vec<_> = topics.collect();
            topics.extend(denied);
            OffsetFetchResponseGroup { group_id: group.group_id, topics, ..Default::default() }
        }
        Err(error) => refused(&group, error_map::groups::fetch_code(&error), context.api_version),
    }
}

/// Topics that were asked for by their ids get their names; who is unknown gets none.
fn name_topics(metadata: &MetadataCache, group: &mut OffsetFetchRequestGroup) {
    let image = metadata.image();
    for topic in group.topics.iter_mut().flatten() {
        if let Some(known) = image.topics().by_id(topic.topic_id) {
            topic.name = TopicName(known.name.clone());
        }
    }
}

async fn look_up(
    metadata: &MetadataCache,
    groups: &Groups,
    group: &OffsetFetchRequestGroup,
    wanted: Option<Vec<(StrBytes, Vec<i32>)>>,
    require_stable: bool,
) -> Result<Vec<FetchedTopic>, GroupError> {
    let shard = groups.shard(groups.partition_of(&group.group_id, &metadata.image()))?;
    if require_stable {
        // What is on its way to the log counts, so that nobody resumes behind its own commit.
        groups.settled(&shard).await?;
    }
    let member = group.member_id.as_ref().map(|member| (member, group.member_epoch));
    shard.act(|shard, _, _| match &wanted {
        Some(topics) => shard.fetch_offsets(&group.group_id, member, topics, require_stable),
        None => shard.fetch_all_offsets(&group.group_id, member, require_stable),
    })?
}

/// The offsets of a topic; those of an earlier topic of the name don't count.
fn respond(topic: FetchedTopic, topic_id: Uuid) -> OffsetFetchResponseTopics {
    let partitions = topic.partitions.into_iter().map(|partition| {
        let partition_index = partition.partition;
        match partition.offset {
            Ok(Some(committed)) if committed.is_of(topic_id) => OffsetFetchResponsePartitions {
                partition_index,
                committed_offset: committed.offset,
                committed_leader_epoch: committed.leader_epoch,
                metadata: Some(committed.metadata),
                error_code: 0,
            },
            Ok(_) => no_offset(partition_index, 0),
            Err(error) => no_offset(partition_index, error_map::groups::code(&error).code()),
        }
    });
    OffsetFetchResponseTopics {
        name: TopicName(topic.topic),
        topic_id,
        partitions: partitions.collect(),
    }
}

fn no_offset(partition_index: i32, error_code: i16) -> OffsetFetchResponsePartitions {
    let committed_offset = -1;
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset,
        error_code,
        ..Default::default()
    }
}

fn refused_topic(topic: &OffsetFetchRequestTopics, code: ErrorCode) -> OffsetFetchResponseTopics {
    let partitions = topic.partition_indexes.iter();
    OffsetFetchResponseTopics {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: partitions.map(|partition| no_offset(*partition, code.code())).collect(),
    }
}

/// A whole group's refusal; version 1 has no place for it but the partitions.
fn refused(
    group: &OffsetFetchRequestGroup,
    code: ErrorCode,
    version: i16,
) -> OffsetFetchResponseGroup {
    let group_id = group.group_id.clone();
    if version >= FIRST_WITH_TOP_LEVEL_ERROR {
        let error_code = code.code();
        return OffsetFetchResponseGroup { group_id, error_code, ..Default::default() };
    }
    let topics = group.topics.iter().flatten().map(|topic| refused_topic(topic, code)).collect();
    OffsetFetchResponseGroup { group_id, topics, ..Default::default() }
}

/// The answer in the form that names no group.
fn single(group: OffsetFetchResponseGroup) -> OffsetFetchResponse {
    let topics = group.topics.into_iter().map(|topic| {
        let partitions =
            topic.partitions.into_iter().map(|partition| OffsetFetchResponsePartition {
                partition_index: partition.partition_index,
                committed_offset: partition.committed_offset,
                committed_leader_epoch: partition.committed_leader_epoch,
                metadata: partition.metadata,
                error_code: partition.error_code,
            });
        OffsetFetchResponseTopic { name: topic.name, partitions: partitions.collect() }
    });
    let (error_code, topics) = (group.error_code, topics.collect());
    OffsetFetchResponse { error_code, topics, ..Default::default() }
}

#[cfg(test)]
mod tests {
    use protocol::messages::GroupId;

    use super::*;

    #[test]
    fn a_groups_refusal_stands_at_the_top_or_in_every_partition() {
        let topic = OffsetFetchRequestTopics {
            name: TopicName(StrBytes::from_static_str("t")),
            partition_indexes: vec![0, 3],
            ..Default::default()
        };
        let group = OffsetFetchRequestGroup {
            group_id: GroupId(StrBytes::from_static_str("g")),
            topics: Some(vec![topic]),
            ..Default::default()
        };
        let new = single(refused(&group, ErrorCode::NotCoordinator, 2));
        assert_eq!((new.error_code, new.topics.len()), (16, 0));
        let old = single(refused(&group, ErrorCode::NotCoordinator, 1));
        let codes: Vec<i16> = old.topics[0].partitions.iter().map(|p| p.error_code).collect();
        assert_eq!((old.error_code, codes), (0, vec![16, 16]));
    }
}
