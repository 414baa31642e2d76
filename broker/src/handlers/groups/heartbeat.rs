//! Heartbeat: a member is alive. Answered at once, whatever the disk does.
//! Kafka: `KafkaApis.handleHeartbeatRequest`.

use coordinator::group::GroupError;
use protocol::ErrorCode;
use protocol::messages::{HeartbeatRequest, HeartbeatResponse};

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
    request: HeartbeatRequest,
) -> Result<HeartbeatResponse, CloseConnection> {
    let respond = |code: i16| HeartbeatResponse::default().with_error_code(code);
    if !context.authorize(Operation::Read, Resource::Group(&request.group_id)) {
        return Ok(respond(ErrorCode::GroupAuthorizationFailed.code()));
    }
    let error = match beat(metadata, groups, &request) {
        // The member can only be told to go on: its group is on its way back.
        Ok(()) | Err(GroupError::LoadInProgress) => None,
        Err(error) => Some(error),
    };
    Ok(respond(error_map::groups::code_or_none(error.as_ref())))
}

fn beat(
    metadata: &MetadataCache,
    groups: &Groups,
    request: &HeartbeatRequest,
) -> Result<(), GroupError> {
    if request.group_id.is_empty() {
        return Err(GroupError::InvalidGroupId);
    }
    let shard = groups.shard(groups.partition_of(&request.group_id, &metadata.image()))?;
    shard.act(|shard, now, out| shard.heartbeat(request, now, out))?
}
