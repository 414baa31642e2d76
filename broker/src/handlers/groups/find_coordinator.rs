//! FindCoordinator: which broker looks after a group or a transactional id.
//!
//! Asking for a group creates `__consumer_offsets` where it is not there yet; the client asks
//! again. Kafka: `KafkaApis.handleFindCoordinatorRequest`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::leader_hint::NodeEndpoint;
use protocol::messages::find_coordinator_response::Coordinator;
use protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use protocol::wire::StrBytes;
use raft::image::MetadataImage;

use crate::coordinators::groups;
use crate::coordinators::groups::Groups;
use crate::metadata::auto_topics::AutoTopics;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::metadata_cache::node_endpoint;
use crate::replication::add_partitions_to_txn;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;

/// From this version on a request names several keys.
const FIRST_WITH_KEYS: i16 = 4;
const FIRST_WITH_SHARE: i16 = 6;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    auto_topics: &Arc<AutoTopics>,
    context: &RequestContext,
    request: FindCoordinatorRequest,
) -> Result<FindCoordinatorResponse, CloseConnection> {
    let image =
        metadata.settled_image(|image| coordinators(groups, image, context, &request)).await;
    if context.api_version < FIRST_WITH_KEYS {
        let found = find(groups, auto_topics, &image, context, request.key_type, &request.key);
        return Ok(single(found));
    }
    if ![GROUP, TRANSACTION, SHARE].contains(&request.key_type) {
        let all = request.coordinator_keys.into_iter().map(|key| {
            let error = ErrorCode::InvalidRequest;
            coordinator(key, Err(error)).with_error_message(message(error))
        });
        return Ok(FindCoordinatorResponse::default().with_coordinators(all.collect()));
    }
    let found = request.coordinator_keys.into_iter().map(|key| {
        let found = find(groups, auto_topics, &image, context, request.key_type, &key);
        coordinator(key, found)
    });
    Ok(FindCoordinatorResponse::default().with_coordinators(found.collect()))
}

/// The brokers that an answer about groups names.
fn coordinators(
    groups: &Groups,
    image: &MetadataImage,
    context: &RequestContext,
    request: &FindCoordinatorRequest,
) -> Vec<i32> {
    let topic = image.topics().by_name(groups::TOPIC).filter(|_| request.key_type == GROUP);
    let Some(topic) = topic else { return Vec::new() };
    let keys = match context.api_version < FIRST_WITH_KEYS {
        true => std::slice::from_ref(&request.key),
        false => request.coordinator_keys.as_slice(),
    };
    let partitions = keys.iter().map(|group| groups.partition_of(group, image));
    partitions.filter_map(|partition| Some(topic.partition(partition)?.leader)).collect()
}

fn find(
    groups: &Groups,
    auto_topics: &Arc<AutoTopics>,
    image: &MetadataImage,
    context: &RequestContext,
    key_type: i8,
    key: &StrBytes,
) -> Result<NodeEndpoint, ErrorCode> {
    let may = |resource| context.authorize(Operation::Describe, resource);
    match key_type {
        GROUP if !may(Resource::Group(key)) => Err(ErrorCode::GroupAuthorizationFailed),
        GROUP => find_group(groups, auto_topics, image, context, key),
        TRANSACTION if !may(Resource::TransactionalId(key)) => {
            Err(ErrorCode::TransactionalIdAuthorizationFailed)
        }
        TRANSACTION => find_transaction(image, context, key),
        SHARE if context.api_version < FIRST_WITH_SHARE => Err(ErrorCode::InvalidRequest),
        SHARE if !context.authorize(Operation::ClusterAction, Resource::Cluster) => {
            Err(ErrorCode::ClusterAuthorizationFailed)
        }
        SHARE if !is_share_key(key) => Err(ErrorCode::InvalidRequest),
        // There is no coordinator of this kind yet: docs/apis.md.
        SHARE => Err(ErrorCode::CoordinatorNotAvailable),
        _ => Err(ErrorCode::InvalidRequest),
    }
}

fn find_group(
    groups: &Groups,
    auto_topics: &Arc<AutoTopics>,
    image: &MetadataImage,
    context: &RequestContext,
    group: &StrBytes,
) -> Result<NodeEndpoint, ErrorCode> {
    let Some(topic) = image.topics().by_name(groups::TOPIC) else {
        auto_topics.create_own(groups::TOPIC);
        return Err(ErrorCode::CoordinatorNotAvailable);
    };
    let partition = groups.partition_of(group, image);
    topic
        .partition(partition)
        .and_then(|state| node_endpoint(image, state.leader, &context.client.listener))
        .ok_or(ErrorCode::CoordinatorNotAvailable)
}

/// Where the coordinator's topic is there: whoever leads the id's partition of it.
fn find_transaction(
    image: &MetadataImage,
    context: &RequestContext,
    id: &str,
) -> Result<NodeEndpoint, ErrorCode> {
    let topic = image.topics().by_name(add_partitions_to_txn::TOPIC);
    let leader = topic.and_then(|topic| {
        let partitions = i32::try_from(topic.partitions().len()).ok()?;
        Some(topic.partition(coordinator::partition_of(id, partitions))?.leader)
    });
    leader
        .and_then(|leader| node_endpoint(image, leader, &context.client.listener))
        .ok_or(ErrorCode::CoordinatorNotAvailable)
}

/// `group:topic id:partition`. Kafka: `SharePartitionKey.validate`.
fn is_share_key(key: &str) -> bool {
    let mut parts = key.split(':');
    let (group, topic_id, partition) = (parts.next(), parts.next(), parts.next());
    parts.next().is_none()
        && group.is_some_and(|group| !group.trim().is_empty())
        && topic_id.is_some_and(|id| id.len() == 22)
        && partition.is_some_and(|partition| partition.parse::<i32>().is_ok())
}

fn single(found: Result<NodeEndpoint, ErrorCode>) -> FindCoordinatorResponse {
    let response = FindCoordinatorResponse::default();
    match found {
        Ok(node) => response
            .with_error_message(Some(StrBytes::from_static_str("NONE")))
            .with_node_id(BrokerId(node.node_id))
            .with_host(StrBytes::from_string(node.host))
            .with_port(node.port),
        Err(error) => response
            .with_error_code(error.code())
            .with_error_message(message(error))
            .with_node_id(BrokerId(-1))
            .with_port(-1),
    }
}

fn coordinator(key: StrBytes, found: Result<NodeEndpoint, ErrorCode>) -> Coordinator {
    let coordinator = Coordinator::default().with_key(key);
    match found {
        Ok(node) => coordinator
            .with_node_id(BrokerId(node.node_id))
            .with_host(StrBytes::from_string(node.host))
            .with_port(node.port),
        Err(error) => {
            coordinator.with_error_code(error.code()).with_node_id(BrokerId(-1)).with_port(-1)
        }
    }
}

/// Kafka's own words, where this API sends them.
fn message(error: ErrorCode) -> Option<StrBytes> {
    let words = match error {
        ErrorCode::CoordinatorNotAvailable => "The coordinator is not available.",
        ErrorCode::TransactionalIdAuthorizationFailed => "Transactional Id authorization failed.",
        other => return crate::requests::api_error::words(other).map(StrBytes::from_static_str),
    };
    Some(StrBytes::from_static_str(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_partitions_key_has_three_parts() {
        for (key, is_one) in [
            ("g:AAAAAAAAAAAAAAAAAAAAAA:0", true),
            ("g:AAAAAAAAAAAAAAAAAAAAAA:x", false),
            (" :AAAAAAAAAAAAAAAAAAAAAA:0", false),
            ("g:short:0", false),
            ("g:AAAAAAAAAAAAAAAAAAAAAA", false),
            ("g:AAAAAAAAAAAAAAAAAAAAAA:0:1", false),
            ("", false),
        ] {
            assert_eq!(is_share_key(key), is_one, "{key}");
        }
    }
}
