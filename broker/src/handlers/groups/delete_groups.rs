//! DeleteGroups: groups without members go, with their offsets.
//! Kafka: `KafkaApis.handleDeleteGroupsRequest`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coordinator::group::{DeleteGroupsAnswer, GroupError, ShareStateToDelete};
use protocol::ErrorCode;
use protocol::messages::delete_groups_response::DeletableGroupResult;
use protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse, GroupId};
use protocol::wire::StrBytes;

use crate::coordinators::groups::{Groups, GroupsShard};
use crate::coordinators::persister::Persister;
use crate::coordinators::share_group_state;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    persister: &Persister,
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
        match delete(groups, persister, partition, &named).await {
            Ok(deleted) => {
                results.extend(deleted.into_iter().map(|(group, code)| result(group, code)));
            }
            Err(error) => {
                let code = error_map::groups::code(&error).code();
                results.extend(named.into_iter().map(|group| result(group, code)));
            }
        }
    }
    results.extend(denied);
    Ok(DeleteGroupsResponse::default().with_results(results))
}

/// The state of share groups goes first; where it stays, the group does.
async fn delete(
    groups: &Groups,
    persister: &Persister,
    partition: i32,
    named: &[StrBytes],
) -> Result<Vec<(StrBytes, i16)>, GroupError> {
    let shard = groups.shard(partition)?;
    let mut outcomes = keep(groups, &shard, persister, named).await?;
    let stays = |group: &&StrBytes| outcomes.iter().any(|(kept, _)| kept == *group);
    let named: Vec<StrBytes> = named.iter().filter(|group| !stays(group)).cloned().collect();
    if !named.is_empty() {
        let parked = shard.ask(|shard, reply, _, out| shard.delete_groups(&named, reply, out))?;
        let deleted: DeleteGroupsAnswer = groups.within_commit_timeout(parked).await?;
        let code = |error: Option<GroupError>| error_map::groups::code_or_none(error.as_ref());
        outcomes.extend(deleted.into_iter().map(|(group, error)| (group, code(error))));
    }
    Ok(outcomes)
}

/// Share groups that must stay, and why.
async fn keep(
    groups: &Groups,
    shard: &Arc<GroupsShard>,
    persister: &Persister,
    named: &[StrBytes],
) -> Result<Vec<(StrBytes, i16)>, GroupError> {
    let parked = shard.ask(|shard, reply, _, out| shard.delete_share_state(named, reply, out))?;
    let mut kept = Vec::new();
    let answer: ShareStateToDelete = groups.within_commit_timeout(parked).await?;
    for (group, state) in answer? {
        let failed = match state {
            Err(error) => Some(error_map::groups::code(&error)),
            Ok(state) => {
                let topics = share_group_state::delete(persister, state).await;
                let failed = topics.into_values().flatten().next();
                if let Some(error) = &failed {
                    tracing::error!(
                        target: "org.apache.kafka.coordinator.group.GroupCoordinatorService",
                        "[GroupCoordinator id={}] Received error while deleting share group \
                         {group} - {}",
                        shard.node_id(),
                        error.message,
                    );
                }
                failed.map(|error| error.code)
            }
        };
        kept.extend(failed.map(|code| (group, code.code())));
    }
    Ok(kept)
}

fn result(group: StrBytes, code: i16) -> DeletableGroupResult {
    DeletableGroupResult::default().with_group_id(GroupId(group)).with_error_code(code)
}
