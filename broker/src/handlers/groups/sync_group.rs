//! SyncGroup: the leader hands in the assignment, members take theirs.
//! Kafka: `KafkaApis.handleSyncGroupRequest`.

use coordinator::group::{GroupError, SyncAnswer};
use protocol::ErrorCode;
use protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

/// From this version on a member must say which protocol it follows.
const FIRST_WITH_PROTOCOL: i16 = 5;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: SyncGroupRequest,
) -> Result<SyncGroupResponse, CloseConnection> {
    let refuse = |code: ErrorCode| SyncGroupResponse::default().with_error_code(code.code());
    let has_protocol = request.protocol_type.is_some() && request.protocol_name.is_some();
    if context.api_version >= FIRST_WITH_PROTOCOL && !has_protocol {
        return Ok(refuse(ErrorCode::InconsistentGroupProtocol));
    }
    if !context.authorize(Operation::Read, Resource::Group(&request.group_id)) {
        return Ok(refuse(ErrorCode::GroupAuthorizationFailed));
    }
    if request.group_id.is_empty() {
        return Ok(respond(SyncAnswer::refused(GroupError::InvalidGroupId)));
    }
    let shard = groups.shard(groups.partition_of(&request.group_id, &metadata.image()));
    let image = groups.cluster_metadata();
    let asked = shard.and_then(|shard| {
        Ok(shard.ask(|shard, reply, now, out| {
            shard.catch_up(&image);
            shard.sync(&request, reply, now, out);
        })?)
    });
    let answer = match asked {
        Ok(parked) => parked.answer().await,
        Err(error) => Some(SyncAnswer::refused(error)),
    };
    Ok(answer.map_or_else(|| refuse(ErrorCode::NotCoordinator), respond))
}

fn respond(answer: SyncAnswer) -> SyncGroupResponse {
    SyncGroupResponse::default()
        .with_error_code(error_map::groups::code_or_none(answer.error.as_ref()))
        .with_protocol_type(answer.protocol_type)
        .with_protocol_name(answer.protocol_name)
        .with_assignment(answer.assignment)
}
