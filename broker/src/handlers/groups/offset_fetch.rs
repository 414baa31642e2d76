//! OffsetFetch: what groups have committed; one group below version 8, several from there on.
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

use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

const FIRST_WITH_TOP_LEVEL_ERROR: i16 = 2;
const FIRST_WITH_GROUPS: i16 = 8;

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
        return Ok(OffsetFetchResponse::default().with_groups(fetched));
    }
    let topics = request.topics.take().map(|topics| {
        let several = topics.into_iter().map(|topic| {
            OffsetFetchRequestTopics::default()
                .with_name(topic.name)
                .with_partition_indexes(topic.partition_indexes)
        });
        several.collect()
    });
    let group =
        OffsetFetchRequestGroup::default().with_group_id(request.group_id).with_topics(topics);
    Ok(single(fetch(metadata, groups, context, group, require_stable).await))
}

async fn fetch(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    group: OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    if !context.authorize(Operation::Describe, Resource::Group(&group.group_id)) {
        return refused(&group, ErrorCode::GroupAuthorizationFailed, context.api_version);
    }
    let may_describe = |topic: &str| context.authorize(Operation::Describe, Resource::Topic(topic));
    let mut denied = Vec::new();
    let wanted = group.topics.as_ref().map(|topics| {
        let mut wanted = Vec::with_capacity(topics.len());
        for topic in topics {
            if may_describe(&topic.name) {
                wanted.push((topic.name.0.clone(), topic.partition_indexes.clone()));
            } else {
                denied.push(denied_topic(topic));
            }
        }
        wanted
    });
    match look_up(metadata, groups, &group, wanted, require_stable).await {
        Ok(fetched) => {
            let visible = fetched.into_iter().filter(|topic| may_describe(&topic.topic));
            let mut topics: Vec<_> = visible.map(respond).collect();
            topics.extend(denied);
            OffsetFetchResponseGroup::default().with_group_id(group.group_id).with_topics(topics)
        }
        Err(error) => refused(&group, error_map::groups::fetch_code(&error), context.api_version),
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

fn respond(topic: FetchedTopic) -> OffsetFetchResponseTopics {
    let partitions = topic.partitions.into_iter().map(|partition| {
        let entry = no_offset(partition.partition);
        match partition.offset {
            Ok(Some(committed)) => entry
                .with_committed_offset(committed.offset)
                .with_committed_leader_epoch(committed.leader_epoch)
                .with_metadata(Some(committed.metadata)),
            Ok(None) => entry,
            Err(error) => entry.with_error_code(error_map::groups::code(&error).code()),
        }
    });
    OffsetFetchResponseTopics::default()
        .with_name(TopicName(topic.topic))
        .with_partitions(partitions.collect())
}

fn no_offset(partition: i32) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions::default()
        .with_partition_index(partition)
        .with_committed_offset(-1)
        .with_committed_leader_epoch(-1)
        .with_metadata(Some(StrBytes::default()))
}

fn denied_topic(topic: &OffsetFetchRequestTopics) -> OffsetFetchResponseTopics {
    refused_topic(topic, ErrorCode::TopicAuthorizationFailed)
}

fn refused_topic(topic: &OffsetFetchRequestTopics, code: ErrorCode) -> OffsetFetchResponseTopics {
    let partitions = topic.partition_indexes.iter();
    let partitions = partitions.map(|partition| no_offset(*partition).with_error_code(code.code()));
    OffsetFetchResponseTopics::default()
        .with_name(topic.name.clone())
        .with_partitions(partitions.collect())
}

/// A whole group's refusal; version 1 has no place for it but the partitions.
fn refused(
    group: &OffsetFetchRequestGroup,
    code: ErrorCode,
    version: i16,
) -> OffsetFetchResponseGroup {
    let response = OffsetFetchResponseGroup::default().with_group_id(group.group_id.clone());
    if version >= FIRST_WITH_TOP_LEVEL_ERROR {
        return response.with_error_code(code.code());
    }
    let topics = group.topics.iter().flatten().map(|topic| refused_topic(topic, code));
    response.with_topics(topics.collect())
}

/// The answer in the form that names no group.
fn single(group: OffsetFetchResponseGroup) -> OffsetFetchResponse {
    let topics = group.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| {
            OffsetFetchResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_committed_offset(partition.committed_offset)
                .with_committed_leader_epoch(partition.committed_leader_epoch)
                .with_metadata(partition.metadata)
                .with_error_code(partition.error_code)
        });
        OffsetFetchResponseTopic::default()
            .with_name(topic.name)
            .with_partitions(partitions.collect())
    });
    OffsetFetchResponse::default().with_error_code(group.error_code).with_topics(topics.collect())
}

#[cfg(test)]
mod tests {
    use protocol::messages::GroupId;

    use super::*;

    #[test]
    fn a_groups_refusal_stands_at_the_top_or_in_every_partition() {
        let topic = OffsetFetchRequestTopics::default()
            .with_name(TopicName(StrBytes::from_static_str("t")))
            .with_partition_indexes(vec![0, 3]);
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(GroupId(StrBytes::from_static_str("g")))
            .with_topics(Some(vec![topic]));
        let new = single(refused(&group, ErrorCode::NotCoordinator, 2));
        assert_eq!((new.error_code, new.topics.len()), (16, 0));
        let old = single(refused(&group, ErrorCode::NotCoordinator, 1));
        let codes: Vec<i16> = old.topics[0].partitions.iter().map(|p| p.error_code).collect();
        assert_eq!((old.error_code, codes), (0, vec![16, 16]));
    }
}
