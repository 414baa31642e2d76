//! DeleteShareGroupOffsets: a share group without members forgets topics.
//! Kafka: `KafkaApis.handleDeleteShareGroupOffsetsRequest`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coordinator::group::{
    CompletionAnswer, DeleteShareOffsetsAnswer, GroupError, NoShareOffsets, StateToDelete,
};
use protocol::ErrorCode;
use protocol::messages::delete_share_group_offsets_response::DeleteShareGroupOffsetsResponseTopic;
use protocol::messages::{
    DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse, TopicName,
};
use protocol::wire::StrBytes;
use raft::image::MetadataImage;
use uuid::Uuid;

use super::refusal;
use crate::coordinators::groups::{Groups, GroupsShard};
use crate::coordinators::persister::Persister;
use crate::coordinators::share::serves_share_groups;
use crate::coordinators::share_group_state;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::api_error::{ApiError, text, worded};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

type Topic = DeleteShareGroupOffsetsResponseTopic;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    persister: &Persister,
    context: &RequestContext,
    request: DeleteShareGroupOffsetsRequest,
) -> Result<DeleteShareGroupOffsetsResponse, CloseConnection> {
    let image = metadata.image();
    if !serves_share_groups(&image) {
        return Ok(refused(worded(ErrorCode::UnsupportedVersion)));
    }
    if !context.authorize(Operation::Delete, Resource::Group(&request.group_id)) {
        return Ok(refused(worded(ErrorCode::GroupAuthorizationFailed)));
    }
    let mut responses = Vec::new();
    let mut asked: Vec<StrBytes> = Vec::new();
    for topic in request.topics {
        if context.authorize(Operation::Read, Resource::Topic(&topic.topic_name)) {
            asked.push(topic.topic_name.0);
        } else {
            let denied = worded(ErrorCode::TopicAuthorizationFailed);
            responses.push(failed(topic.topic_name.0, Uuid::nil(), denied));
        }
    }
    match delete(groups, persister, &image, &request.group_id, &asked).await {
        Ok(topics) => {
            responses.extend(topics);
            Ok(DeleteShareGroupOffsetsResponse::default().with_responses(responses))
        }
        Err(error) => Ok(refused(refusal(&error))),
    }
}

async fn delete(
    groups: &Groups,
    persister: &Persister,
    image: &MetadataImage,
    group: &StrBytes,
    asked: &[StrBytes],
) -> Result<Vec<Topic>, GroupError> {
    if group.is_empty() {
        return Err(GroupError::InvalidGroupId);
    }
    let shard = groups.shard(groups.partition_of(group, image))?;
    let decided = decide(groups, &shard, group, asked).await?;
    let mut refused: Vec<Topic> = decided
        .refused
        .into_iter()
        .map(|(name, why)| failed(name, Uuid::nil(), no_offsets(why)))
        .collect();
    let Some(state) = decided.state else { return Ok(refused) };
    let (forgotten, kept) = forget(persister, image, state).await;
    refused.extend(kept);
    if forgotten.is_empty() {
        return Ok(refused);
    }
    let topics: BTreeSet<Uuid> = forgotten.keys().copied().collect();
    complete(groups, &shard, group, &topics).await?;
    let forgotten = forgotten
        .into_iter()
        .map(|(id, name)| Topic::default().with_topic_name(TopicName(name)).with_topic_id(id));
    Ok(forgotten.chain(refused).collect())
}

async fn decide(
    groups: &Groups,
    shard: &Arc<GroupsShard>,
    group: &StrBytes,
    asked: &[StrBytes],
) -> DeleteShareOffsetsAnswer {
    let image = groups.cluster_metadata();
    let parked = shard.ask(|shard, reply, _, out| {
        shard.delete_share_offsets(group, asked, &image, reply, out);
    })?;
    groups.within_commit_timeout(parked).await?
}

/// Which topics the share coordinator has forgotten, and what it said of the others.
async fn forget(
    persister: &Persister,
    image: &MetadataImage,
    state: StateToDelete,
) -> (BTreeMap<Uuid, StrBytes>, Vec<Topic>) {
    let name_of = |id| image.topics().by_id(id).map(|topic| topic.name.clone()).unwrap_or_default();
    let (mut forgotten, mut kept) = (BTreeMap::new(), Vec::new());
    for (id, error) in share_group_state::delete(persister, state).await {
        match error {
            None => _ = forgotten.insert(id, name_of(id)),
            Some(error) => kept.push(failed(name_of(id), id, worded(error.code))),
        }
    }
    (forgotten, kept)
}

async fn complete(
    groups: &Groups,
    shard: &Arc<GroupsShard>,
    group: &StrBytes,
    topics: &BTreeSet<Uuid>,
) -> CompletionAnswer {
    let parked = shard.ask(|shard, reply, _, out| {
        shard.share_offsets_deleted(group, topics, reply, out);
    })?;
    groups.within_commit_timeout(parked).await?
}

fn no_offsets(why: NoShareOffsets) -> ApiError {
    let code = ErrorCode::UnknownTopicOrPartition;
    match why {
        NoShareOffsets::UnknownTopic => worded(code),
        NoShareOffsets::NotRead => ApiError::new(code, "There is no offset information to delete."),
    }
}

fn refused(error: ApiError) -> DeleteShareGroupOffsetsResponse {
    DeleteShareGroupOffsetsResponse::default()
        .with_error_code(error.code.code())
        .with_error_message(error.message.map(text))
}

fn failed(name: StrBytes, id: Uuid, error: ApiError) -> Topic {
    Topic::default()
        .with_topic_name(TopicName(name))
        .with_topic_id(id)
        .with_error_code(error.code.code())
        .with_error_message(error.message.map(text))
}
