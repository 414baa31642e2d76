//! ListGroups: the groups that this broker coordinates. Kafka: `KafkaApis.handleListGroupsRequest`.

use coordinator::runtime::Unavailable;
use protocol::messages::list_groups_response::ListedGroup;
use protocol::messages::{GroupId, ListGroupsRequest, ListGroupsResponse};
use protocol::wire::StrBytes;

use crate::coordinators::groups::Groups;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    groups: &Groups,
    context: &RequestContext,
    request: ListGroupsRequest,
) -> Result<ListGroupsResponse, CloseConnection> {
    let sees_all = context.is_authorized(Operation::Describe, Resource::Cluster);
    let mut found = Vec::new();
    for shard in groups.shards() {
        let listed =
            shard.act(|shard, _, _| shard.list(&request.states_filter, &request.types_filter));
        match listed {
            Ok(listed) => found.extend(listed),
            // Lost in this moment, or not loadable: its groups are not this broker's to list.
            Err(Unavailable::NotCoordinator) => {}
            Err(error) => {
                let code = error_map::groups::code(&error.into()).code();
                return Ok(ListGroupsResponse::default().with_error_code(code));
            }
        }
    }
    let visible = found.into_iter().filter(|group| {
        sees_all || context.is_authorized(Operation::Describe, Resource::Group(&group.group))
    });
    let listed = visible.map(|group| {
        ListedGroup::default()
            .with_group_id(GroupId(group.group))
            .with_protocol_type(group.protocol_type)
            .with_group_state(StrBytes::from_static_str(group.state))
            .with_group_type(StrBytes::from_static_str(group.kind.name()))
    });
    Ok(ListGroupsResponse::default().with_groups(listed.collect()))
}
