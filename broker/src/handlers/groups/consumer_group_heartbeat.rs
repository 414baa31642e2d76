//! ConsumerGroupHeartbeat: a member of a consumer group joins, stays or leaves.
//! Kafka: `KafkaApis.handleConsumerGroupHeartbeatRequest`.

use coordinator::group::{
    Assignment, ConsumerGroupHeartbeat, GroupError, HeartbeatAnswer, refuse_heartbeat,
};
use protocol::ErrorCode;
use protocol::messages::consumer_group_heartbeat_response::{
    Assignment as AssignmentMessage, TopicPartitions,
};
use protocol::messages::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::caller;
use crate::coordinators::groups::{Groups, Parked};
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: ConsumerGroupHeartbeatRequest,
) -> Result<ConsumerGroupHeartbeatResponse, CloseConnection> {
    let refused =
        |code: ErrorCode| ConsumerGroupHeartbeatResponse::default().with_error_code(code.code());
    if !groups.serves_consumer_groups(&metadata.image()) {
        return Ok(refused(ErrorCode::UnsupportedVersion));
    }
    if !context.authorize(Operation::Read, Resource::Group(&request.group_id)) {
        return Ok(refused(ErrorCode::GroupAuthorizationFailed));
    }
    let may_describe = |topic: &str| context.authorize(Operation::Describe, Resource::Topic(topic));
    let mut topics = request.subscribed_topic_names.iter().flatten();
    if !topics.all(|topic| may_describe(topic)) {
        return Ok(refused(ErrorCode::TopicAuthorizationFailed));
    }
    let asked = ask(metadata, groups, context, &request, &may_describe);
    let answer = match asked {
        Ok(parked) => parked.answer().await.unwrap_or(Err(GroupError::NotCoordinator)),
        Err(error) => Err(error),
    };
    Ok(answer.map_or_else(|error| refusal(&error), respond))
}

fn ask(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: &ConsumerGroupHeartbeatRequest,
    may_describe: &dyn Fn(&str) -> bool,
) -> Result<Parked<HeartbeatAnswer>, GroupError> {
    refuse_heartbeat(request, context.api_version, &groups.settings().consumer_assignors)?;
    let shard = groups.shard(groups.partition_of(&request.group_id, &metadata.image()))?;
    let host = context.client.host();
    let caller = caller(context, &host);
    let (image, draw) = (groups.cluster_metadata(), Uuid::new_v4());
    Ok(shard.ask(|shard, reply, now, out| {
        shard.consumer_group_heartbeat(
            caller,
            request,
            &image,
            may_describe,
            reply,
            draw,
            now,
            out,
        );
    })?)
}

fn refusal(error: &GroupError) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse::default()
        .with_error_code(error_map::groups::code(error).code())
        .with_error_message(error_map::groups::message(error))
}

fn respond(beat: ConsumerGroupHeartbeat) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse::default()
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
