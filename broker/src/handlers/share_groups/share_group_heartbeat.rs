//! ShareGroupHeartbeat: a member of a share group joins, stays or leaves.
//! Kafka: `KafkaApis.handleShareGroupHeartbeatRequest`.

use std::sync::Arc;

use coordinator::group::{
    Assignment, GroupError, ShareGroupHeartbeat, ShareHeartbeatAnswer, is_share_member_id,
    refuse_share_heartbeat,
};
use protocol::ErrorCode;
use protocol::messages::share_group_heartbeat_response::{
    Assignment as AssignmentMessage, TopicPartitions,
};
use protocol::messages::{ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse};
use protocol::wire::StrBytes;

use crate::coordinators::groups::Groups;
use crate::coordinators::persister::Persister;
use crate::coordinators::share::serves_share_groups;
use crate::coordinators::share_group_state;
use crate::handlers::groups::caller;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    persister: &Arc<Persister>,
    context: &RequestContext,
    request: ShareGroupHeartbeatRequest,
) -> Result<ShareGroupHeartbeatResponse, CloseConnection> {
    let refused =
        |code: ErrorCode| ShareGroupHeartbeatResponse::default().with_error_code(code.code());
    if !serves_share_groups(&metadata.image()) {
        return Ok(refused(ErrorCode::UnsupportedVersion));
    }
    if !context.authorize(Operation::Read, Resource::Group(&request.group_id)) {
        return Ok(refused(ErrorCode::GroupAuthorizationFailed));
    }
    if !is_share_member_id(&request.member_id) {
        return Ok(refused(ErrorCode::InvalidRequest));
    }
    let may_describe = |topic: &str| context.authorize(Operation::Describe, Resource::Topic(topic));
    let mut topics = request.subscribed_topic_names.iter().flatten();
    if !topics.all(|topic| may_describe(topic)) {
        return Ok(refused(ErrorCode::TopicAuthorizationFailed));
    }
    let beaten = beat(metadata, groups, persister, context, &request).await;
    Ok(beaten.map_or_else(|error| refusal(&error), respond))
}

async fn beat(
    metadata: &MetadataCache,
    groups: &Groups,
    persister: &Arc<Persister>,
    context: &RequestContext,
    request: &ShareGroupHeartbeatRequest,
) -> ShareHeartbeatAnswer {
    refuse_share_heartbeat(request)?;
    let shard = groups.shard(groups.partition_of(&request.group_id, &metadata.image()))?;
    let host = context.client.host();
    let caller = caller(context, &host);
    let image = groups.cluster_metadata();
    let parked = shard.ask(|shard, reply, now, out| {
        shard.share_group_heartbeat(caller, request, &image, reply, now, out);
    })?;
    let mut answer = parked.answer().await.unwrap_or(Err(GroupError::NotCoordinator))?;
    if let Some(state) = answer.initialize.take() {
        // The member does not wait for it: a later heartbeat brings what it is about.
        let persister = Arc::clone(persister);
        tokio::spawn(async move {
            share_group_state::initialize_for_member(&shard, &persister, state).await;
        });
    }
    Ok(answer)
}

fn refusal(error: &GroupError) -> ShareGroupHeartbeatResponse {
    ShareGroupHeartbeatResponse::default()
        .with_error_code(error_map::groups::code(error).code())
        .with_error_message(error_map::groups::message(error))
}

fn respond(beat: ShareGroupHeartbeat) -> ShareGroupHeartbeatResponse {
    ShareGroupHeartbeatResponse::default()
        .with_member_id(Some(StrBytes::from_string(beat.member_id.as_str().to_owned())))
        .with_member_epoch(beat.member_epoch)
        .with_heartbeat_interval_ms(beat.heartbeat_interval_ms)
        .with_assignment(beat.assignment.map(|assignment| message(&assignment)))
}

fn message(assignment: &Assignment) -> AssignmentMessage {
    let topics = assignment.iter().map(|(topic, partitions)| {
        TopicPartitions::default()
            .with_topic_id(*topic)
            .with_partitions(partitions.iter().copied().collect())
    });
    AssignmentMessage::default().with_topic_partitions(topics.collect())
}
