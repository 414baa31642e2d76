//! DeleteGroups: groups without members go, with their offsets.
//! Kafka: `KafkaApis.handleDeleteGroupsRequest`.

use std::collections::{BTreeMap, BTreeSet};

use coordinator::group::{DeleteGroupsAnswer, GroupError};
use protocol::ErrorCode;
use protocol::messages::delete_groups_response::DeletableGroupResult;
use protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse, GroupId};
use protocol::wire::StrBytes;

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
    request: DeleteGroupsRequest,
) -> Result<DeleteGroupsResponse, CloseConnection> {
    let mut results = Vec::with_capacity(request.groups_names.len());
    let mut denied = Vec::new();
    let mut seen = BTreeSet::new();
    let mut by_shard: BTreeMap<i32, Vec<StrBytes>> = BTreeMap::new();
    let image = metadata.image();
    for GroupId(group) in request.groups_names {
        if !seen.insert(group.clone()) {
            continue;
        }
        if context.authorize(Operation::Delete, Resource::Group(&group)) {
            let partition = groups.partition_of(&group, &image);
            by_shard.entry(partition).or_default().push(group);
        } else {
            denied.push(result(group, ErrorCode::GroupAuthorizationFailed.code()));
        }
    }
    for (partition, named) in by_shard {
        match delete(groups, partition, &named).await {
            Ok(deleted) => results.extend(deleted.into_iter().map(|(group, error)| {
                result(group, error_map::groups::code_or_none(error.as_ref()))
            })),
            Err(error) => {
                let code = error_map::groups::code(&error).code();
                results.extend(named.into_iter().map(|group| result(group, code)));
            }
        }
    }
    results.extend(denied);
    Ok(DeleteGroupsResponse::default().with_results(results))
}

async fn delete(
    groups: &Groups,
    partition: i32,
    named: &[StrBytes],
) -> Result<DeleteGroupsAnswer, GroupError> {
    let shard = groups.shard(partition)?;
    let parked = shard.ask(|shard, reply, _, out| shard.delete_groups(named, reply, out))?;
    groups.within_commit_timeout(parked).await
}

fn result(group: StrBytes, code: i16) -> DeletableGroupResult {
    DeletableGroupResult::default().with_group_id(GroupId(group)).with_error_code(code)
}
