//! AlterShareGroupOffsets: a share group without members begins elsewhere.
//! Kafka: `KafkaApis.handleAlterShareGroupOffsetsRequest`.

use std::collections::HashMap;
use std::sync::Arc;

use coordinator::group::{AlterShareOffsetsAnswer, AlteredTopic, GroupError};
use coordinator::share::ShareTopicPartition;
use protocol::ErrorCode;
use protocol::messages::alter_share_group_offsets_response::{
    AlterShareGroupOffsetsResponsePartition, AlterShareGroupOffsetsResponseTopic,
};
use protocol::messages::{
    AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse, TopicName,
};
use protocol::wire::StrBytes;
use raft::image::MetadataImage;
use uuid::Uuid;

use super::refusal;
use crate::coordinators::groups::{Groups, GroupsShard};
use crate::coordinators::persister::{Persister, PersisterError};
use crate::coordinators::share::serves_share_groups;
use crate::coordinators::share_group_state;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::api_error::{ApiError, text, worded};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

type Partitions = Vec<(i32, i64)>;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    persister: &Persister,
    context: &RequestContext,
    request: AlterShareGroupOffsetsRequest,
) -> Result<AlterShareGroupOffsetsResponse, CloseConnection> {
    let image = metadata.image();
    if !serves_share_groups(&image) {
        return Ok(refused(worded(ErrorCode::UnsupportedVersion)));
    }
    if !context.authorize(Operation::Read, Resource::Group(&request.group_id)) {
        return Ok(refused(worded(ErrorCode::GroupAuthorizationFailed)));
    }
    let mut responses = Vec::new();
    let mut asked: Vec<(StrBytes, Partitions)> = Vec::new();
    for topic in request.topics {
        let partitions = topic.partitions.iter();
        let partitions: Partitions =
            partitions.map(|each| (each.partition_index, each.start_offset)).collect();
        let readable = context.authorize(Operation::Read, Resource::Topic(&topic.topic_name));
        let code = match image.topics().by_name(&topic.topic_name) {
            _ if !readable => ErrorCode::TopicAuthorizationFailed,
            None => ErrorCode::UnknownTopicOrPartition,
            Some(_) => {
                asked.push((topic.topic_name.0, partitions));
                continue;
            }
        };
        let partitions = partitions.iter().map(|(index, _)| entry(*index, &worded(code)));
        responses.push(response(topic.topic_name, &image, partitions.collect()));
    }
    match alter(metadata, groups, persister, &request.group_id, asked).await {
        Ok(altered) => {
            for (topic, outcomes) in altered {
                let partitions = outcomes.iter().map(|(index, outcome)| match outcome {
                    Ok(()) => AlterShareGroupOffsetsResponsePartition::default()
                        .with_partition_index(*index),
                    Err(error) => entry(*index, error),
                });
                responses.push(response(TopicName(topic), &image, partitions.collect()));
            }
            Ok(AlterShareGroupOffsetsResponse::default().with_responses(responses))
        }
        Err(error) => Ok(refused(refusal(&error))),
    }
}

/// What became of each partition, topic by topic.
type Altered = Vec<AlteredPartitions>;

/// What became of the partitions of a topic.
type AlteredPartitions = (StrBytes, Vec<(i32, Result<(), ApiError>)>);

async fn alter(
    metadata: &MetadataCache,
    groups: &Groups,
    persister: &Persister,
    group: &StrBytes,
    asked: Vec<(StrBytes, Partitions)>,
) -> Result<Altered, GroupError> {
    if group.is_empty() {
        return Err(GroupError::InvalidGroupId);
    }
    let shard = groups.shard(groups.partition_of(group, &metadata.image()))?;
    let decided = decide(groups, &shard, group, &asked).await?;
    let outcomes =
        share_group_state::initialize_for_admin(&shard, persister, decided.initialize).await;
    let outcomes: HashMap<ShareTopicPartition, Result<(), PersisterError>> =
        outcomes.into_iter().collect();
    Ok(decided.topics.into_iter().map(|topic| outcome(topic, &outcomes)).collect())
}

async fn decide(
    groups: &Groups,
    shard: &Arc<GroupsShard>,
    group: &StrBytes,
    asked: &[(StrBytes, Partitions)],
) -> AlterShareOffsetsAnswer {
    let image = groups.cluster_metadata();
    let parked = shard.ask(|shard, reply, now, out| {
        shard.alter_share_offsets(group, asked, &image, reply, now, out);
    })?;
    groups.within_commit_timeout(parked).await?
}

fn outcome(
    topic: AlteredTopic,
    outcomes: &HashMap<ShareTopicPartition, Result<(), PersisterError>>,
) -> AlteredPartitions {
    let of_partition = |(partition, is_there): (i32, bool)| {
        let known = topic.id.filter(|_| is_there);
        let persisted = known.map(|topic_id| {
            outcomes.get(&ShareTopicPartition { topic_id, partition }).cloned().unwrap_or(Ok(()))
        });
        let outcome = match persisted {
            None => Err(worded(ErrorCode::UnknownTopicOrPartition)),
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(ApiError::new(error.code, error.message)),
        };
        (partition, outcome)
    };
    let partitions = topic.partitions.iter().copied().map(of_partition).collect();
    (topic.name, partitions)
}

fn refused(error: ApiError) -> AlterShareGroupOffsetsResponse {
    AlterShareGroupOffsetsResponse::default()
        .with_error_code(error.code.code())
        .with_error_message(error.message.map(text))
}

fn entry(index: i32, error: &ApiError) -> AlterShareGroupOffsetsResponsePartition {
    AlterShareGroupOffsetsResponsePartition::default()
        .with_partition_index(index)
        .with_error_code(error.code.code())
        .with_error_message(error.message.clone().map(text))
}

fn response(
    name: TopicName,
    image: &MetadataImage,
    partitions: Vec<AlterShareGroupOffsetsResponsePartition>,
) -> AlterShareGroupOffsetsResponseTopic {
    let id = image.topics().by_name(&name).map_or(Uuid::nil(), |topic| topic.id);
    AlterShareGroupOffsetsResponseTopic::default()
        .with_topic_name(name)
        .with_topic_id(id)
        .with_partitions(partitions)
}
