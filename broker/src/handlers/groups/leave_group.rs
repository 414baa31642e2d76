//! LeaveGroup: members go, one by one below version 3, in batches from there on.
//! Kafka: `KafkaApis.handleLeaveGroupRequest`, `LeaveGroupResponse`.

use coordinator::group::{GroupError, LeaveAnswer};
use protocol::ErrorCode;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::leave_group_response::MemberResponse;
use protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

const FIRST_WITH_BATCHES: i16 = 3;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    mut request: LeaveGroupRequest,
) -> Result<LeaveGroupResponse, CloseConnection> {
    if !context.authorize(Operation::Read, Resource::Group(&request.group_id)) {
        let code = ErrorCode::GroupAuthorizationFailed.code();
        return Ok(LeaveGroupResponse::default().with_error_code(code));
    }
    if context.api_version < FIRST_WITH_BATCHES {
        let member = std::mem::take(&mut request.member_id);
        request.members = vec![MemberIdentity::default().with_member_id(member)];
    }
    let answer = leave(metadata, groups, &request)
        .await
        .unwrap_or_else(|error| LeaveAnswer { error: Some(error), members: Vec::new() });
    Ok(respond(answer, context.api_version))
}

async fn leave(
    metadata: &MetadataCache,
    groups: &Groups,
    request: &LeaveGroupRequest,
) -> Result<LeaveAnswer, GroupError> {
    if request.group_id.is_empty() {
        return Err(GroupError::InvalidGroupId);
    }
    let shard = groups.shard(groups.partition_of(&request.group_id, &metadata.image()))?;
    let parked = shard.ask(|shard, reply, now, out| {
        shard.leave(&request.group_id, &request.members, reply, now, out);
    })?;
    groups.within_commit_timeout(parked).await
}

fn respond(answer: LeaveAnswer, version: i16) -> LeaveGroupResponse {
    let code = error_map::groups::code_or_none(answer.error.as_ref());
    let members = answer.members.into_iter().map(|member| {
        MemberResponse::default()
            .with_error_code(error_map::groups::code_or_none(member.error.as_ref()))
            .with_member_id(member.member_id)
            .with_group_instance_id(member.group_instance_id)
    });
    let members: Vec<MemberResponse> = members.collect();
    if version >= FIRST_WITH_BATCHES {
        return LeaveGroupResponse::default().with_error_code(code).with_members(members);
    }
    // One member, whose own error is the whole answer's.
    let of_member = members.first().map_or(0, |member| member.error_code);
    LeaveGroupResponse::default().with_error_code(if code == 0 { of_member } else { code })
}

#[cfg(test)]
mod tests {
    use coordinator::group::LeftMember;

    use super::*;

    #[test]
    fn a_single_members_error_is_the_whole_answers_below_version_3() {
        let unknown = LeftMember {
            member_id: protocol::wire::StrBytes::from_static_str("m"),
            group_instance_id: None,
            error: Some(GroupError::UnknownMember),
        };
        let answer = LeaveAnswer { error: None, members: vec![unknown] };
        let old = respond(answer.clone(), 2);
        assert_eq!((old.error_code, old.members.len()), (25, 0));
        let new = respond(answer, 3);
        assert_eq!((new.error_code, new.members[0].error_code), (0, 25));
    }
}
