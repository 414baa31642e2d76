//! JoinGroup: a member comes into its group; the answer waits for the others.
//! Kafka: `KafkaApis.handleJoinGroupRequest`.

use coordinator::group::{GroupError, JoinAnswer, refuse_join};
use protocol::messages::join_group_response::JoinGroupResponseMember;
use protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::caller;
use crate::coordinators::groups::Groups;
use crate::coordinators::groups::Parked;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

/// Below this version the protocol's name cannot be null.
const FIRST_WITH_NULL_PROTOCOL: i16 = 7;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: JoinGroupRequest,
) -> Result<JoinGroupResponse, CloseConnection> {
    let version = context.api_version;
    if !context.authorize(Operation::Read, Resource::Group(&request.group_id)) {
        let denied = protocol::ErrorCode::GroupAuthorizationFailed.code();
        let refused = JoinAnswer::refused(StrBytes::default(), GroupError::NotCoordinator);
        return Ok(respond(refused, version).with_error_code(denied));
    }
    if let Some(refused) = refuse_join(groups.settings(), &request) {
        return Ok(respond(refused, version));
    }
    let answer = match ask(metadata, groups, context, &request) {
        Ok(parked) => parked.answer().await,
        Err(error) => Some(JoinAnswer::refused(StrBytes::default(), error)),
    };
    let gone = || JoinAnswer::refused(StrBytes::default(), GroupError::NotCoordinator);
    Ok(respond(answer.unwrap_or_else(gone), version))
}

fn ask(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: &JoinGroupRequest,
) -> Result<Parked<JoinAnswer>, GroupError> {
    let shard = groups.shard(groups.partition_of(&request.group_id, &metadata.image()))?;
    let host = context.client.host();
    let caller = caller(context, &host);
    let draw = Uuid::new_v4();
    let image = groups.cluster_metadata();
    Ok(shard.ask(|shard, reply, now, out| {
        shard.catch_up(&image);
        shard.join(caller, request, reply, draw, now, out);
    })?)
}

fn respond(answer: JoinAnswer, version: i16) -> JoinGroupResponse {
    let members = answer.members.into_iter().map(|member| {
        JoinGroupResponseMember::default()
            .with_member_id(member.member_id)
            .with_group_instance_id(member.group_instance_id)
            .with_metadata(member.metadata)
    });
    let protocol_name = match answer.protocol_name {
        None if version < FIRST_WITH_NULL_PROTOCOL => Some(StrBytes::default()),
        name => name,
    };
    JoinGroupResponse::default()
        .with_error_code(error_map::groups::code_or_none(answer.error.as_ref()))
        .with_generation_id(answer.generation)
        .with_protocol_type(answer.protocol_type)
        .with_protocol_name(protocol_name)
        .with_leader(answer.leader)
        .with_skip_assignment(answer.skip_assignment)
        .with_member_id(answer.member_id)
        .with_members(members.collect())
}
