//! DescribeGroups: classic groups with their members. Kafka:
//! `KafkaApis.handleDescribeGroupsRequest`.

use coordinator::group::{DescribedGroup as Described, GroupError, GroupState};
use protocol::ErrorCode;
use protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse, GroupId};
use protocol::wire::StrBytes;

use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

/// From this version on a group that is not there is an error; before, it is a dead one.
const FIRST_WITH_NOT_FOUND: i16 = 6;
const FIRST_WITH_OPERATIONS: i16 = 3;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: DescribeGroupsRequest,
) -> Result<DescribeGroupsResponse, CloseConnection> {
    let with_operations =
        request.include_authorized_operations && context.api_version >= FIRST_WITH_OPERATIONS;
    let mut described = Vec::with_capacity(request.groups.len());
    for id in request.groups {
        if !context.authorize(Operation::Describe, Resource::Group(&id)) {
            let code = ErrorCode::GroupAuthorizationFailed.code();
            described.push(DescribedGroup::default().with_group_id(id).with_error_code(code));
            continue;
        }
        let mut group = match describe(metadata, groups, &id) {
            Ok(group) => respond(group),
            Err(error) => refused(id, &error, context.api_version),
        };
        if with_operations && group.error_code == 0 {
            group.authorized_operations =
                context.authorized_operations(Resource::Group(&group.group_id));
        }
        described.push(group);
    }
    Ok(DescribeGroupsResponse::default().with_groups(described))
}

fn describe(
    metadata: &MetadataCache,
    groups: &Groups,
    group: &GroupId,
) -> Result<Described, GroupError> {
    let shard = groups.shard(groups.partition_of(group, &metadata.image()))?;
    shard.act(|shard, _, _| shard.describe(group))?
}

fn refused(id: GroupId, error: &GroupError, version: i16) -> DescribedGroup {
    let group = DescribedGroup::default().with_group_id(id);
    match error {
        GroupError::GroupNotFound(_) | GroupError::NotAClassicGroup(_) => {
            let dead = group.with_group_state(StrBytes::from_static_str(GroupState::Dead.name()));
            if version < FIRST_WITH_NOT_FOUND {
                return dead;
            }
            dead.with_error_code(ErrorCode::GroupIdNotFound.code())
                .with_error_message(Some(StrBytes::from_string(error.to_string())))
        }
        other => group.with_error_code(error_map::groups::code(other).code()),
    }
}

fn respond(group: Described) -> DescribedGroup {
    let members = group.members.into_iter().map(|member| {
        DescribedGroupMember::default()
            .with_member_id(member.member_id)
            .with_group_instance_id(member.group_instance_id)
            .with_client_id(member.client_id)
            .with_client_host(member.client_host)
            .with_member_metadata(member.metadata)
            .with_member_assignment(member.assignment)
    });
    DescribedGroup::default()
        .with_group_id(GroupId(group.group))
        .with_group_state(StrBytes::from_static_str(group.state.name()))
        .with_protocol_type(group.protocol_type)
        .with_protocol_data(group.protocol)
        .with_members(members.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_is_not_there_is_dead_or_an_error() {
        let id = || GroupId(StrBytes::from_static_str("g"));
        let error = GroupError::GroupNotFound(StrBytes::from_static_str("g"));
        let old = refused(id(), &error, 5);
        assert_eq!((old.error_code, old.group_state.as_str()), (0, "Dead"));
        let new = refused(id(), &error, 6);
        assert_eq!((new.error_code, new.group_state.as_str()), (69, "Dead"));
        assert_eq!(new.error_message.as_deref(), Some("Group g not found."));
    }
}
