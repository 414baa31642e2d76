//! OffsetDelete: a group forgets what it committed for partitions.
//! Kafka: `KafkaApis.handleOffsetDeleteRequest`.

use coordinator::group::{DeletedTopic, GroupError};
use protocol::ErrorCode;
use protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse, TopicName};

use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    mut request: OffsetDeleteRequest,
) -> Result<OffsetDeleteResponse, CloseConnection> {
    if !context.authorize(Operation::Delete, Resource::Group(&request.group_id)) {
        let code = ErrorCode::GroupAuthorizationFailed.code();
        return Ok(OffsetDeleteResponse::default().with_error_code(code));
    }
    let image = metadata.image();
    let mut topics: Vec<OffsetDeleteResponseTopic> = Vec::new();
    for topic in &mut request.topics {
        let readable = context.authorize(Operation::Read, Resource::Topic(&topic.name));
        let found = image.topics().by_name(&topic.name).filter(|_| readable);
        let code = if readable {
            ErrorCode::UnknownTopicOrPartition
        } else {
            ErrorCode::TopicAuthorizationFailed
        };
        let mut refused = Vec::new();
        topic.partitions.retain(|partition| {
            let index = partition.partition_index;
            let exists = found.is_some_and(|found| found.partition(index).is_some());
            if !exists {
                refused.push(entry(index, code.code()));
            }
            exists
        });
        if !refused.is_empty() {
            add(&mut topics, topic.name.clone(), refused);
        }
    }
    request.topics.retain(|topic| !topic.partitions.is_empty());
    let response = OffsetDeleteResponse::default();
    match delete(metadata, groups, &request).await {
        Ok(deleted) => {
            for topic in deleted {
                let partitions = topic.partitions.into_iter().map(|(partition, error)| {
                    entry(partition, error_map::groups::code_or_none(error.as_ref()))
                });
                add(&mut topics, TopicName(topic.topic), partitions.collect());
            }
            Ok(response.with_topics(topics))
        }
        Err(error) => Ok(response.with_error_code(error_map::groups::code(&error).code())),
    }
}

fn entry(partition: i32, code: i16) -> OffsetDeleteResponsePartition {
    OffsetDeleteResponsePartition::default().with_partition_index(partition).with_error_code(code)
}

/// Adds partitions to the entry of their topic.
fn add(
    topics: &mut Vec<OffsetDeleteResponseTopic>,
    name: TopicName,
    partitions: Vec<OffsetDeleteResponsePartition>,
) {
    match topics.iter_mut().find(|topic| topic.name == name) {
        Some(topic) => topic.partitions.extend(partitions),
        None => topics
            .push(OffsetDeleteResponseTopic::default().with_name(name).with_partitions(partitions)),
    }
}

async fn delete(
    metadata: &MetadataCache,
    groups: &Groups,
    request: &OffsetDeleteRequest,
) -> Result<Vec<DeletedTopic>, GroupError> {
    if request.group_id.is_empty() {
        return Err(GroupError::InvalidGroupId);
    }
    let shard = groups.shard(groups.partition_of(&request.group_id, &metadata.image()))?;
    let parked = shard.ask(|shard, reply, _, out| shard.delete_offsets(request, reply, out))?;
    groups.within_commit_timeout(parked).await?
}
