//! FindCoordinator: which broker looks after a group or a transactional id.
//!
//! Asking creates the coordinator's topic where it is not there yet; the client asks again. Kafka:
//! `KafkaApis.handleFindCoordinatorRequest`.

use std::sync::Arc;

use coordinator::share::SharePartitionKey;
use protocol::ErrorCode;
use protocol::leader_hint::NodeEndpoint;
use protocol::messages::find_coordinator_response::Coordinator;
use protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use protocol::wire::StrBytes;
use raft::image::MetadataImage;

use crate::coordinators::groups::{self, Groups};
use crate::coordinators::share::{self, ShareStates};
use crate::coordinators::transactions::{self, Transactions};
use crate::metadata::auto_topics::AutoTopics;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::metadata_cache::node_endpoint;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;

/// From this version on a request names several keys.
const FIRST_WITH_KEYS: i16 = 4;
const FIRST_WITH_SHARE: i16 = 6;

/// The coordinators, and who creates their topics.
struct Coordinators<'a> {
    groups: &'a Groups,
    transactions: &'a Transactions,
    share_states: &'a ShareStates,
    auto_topics: &'a Arc<AutoTopics>,
}

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    transactions: &Transactions,
    share_states: &ShareStates,
    auto_topics: &Arc<AutoTopics>,
    context: &RequestContext,
    request: FindCoordinatorRequest,
) -> Result<FindCoordinatorResponse, CloseConnection> {
    let known = Coordinators { groups, transactions, share_states, auto_topics };
    let image = metadata.settled_image(|image| named(&known, image, context, &request)).await;
    if context.api_version < FIRST_WITH_KEYS {
        let found = find(&known, &image, context, request.key_type, &request.key);
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
        let found = find(&known, &image, context, request.key_type, &key);
        coordinator(key, found)
    });
    Ok(FindCoordinatorResponse::default().with_coordinators(found.collect()))
}

impl Coordinators<'_> {
    /// The topic and the partition of it that a key of this type belongs to.
    fn place(
        &self,
        key_type: i8,
        key: &StrBytes,
        image: &MetadataImage,
    ) -> Option<(&'static str, i32)> {
        match key_type {
            GROUP => Some((groups::TOPIC, self.groups.partition_of(key, image))),
            TRANSACTION => Some((transactions::TOPIC, self.transactions.partition_of(key, image))),
            SHARE => {
                let key = SharePartitionKey::of_coordinator_key(key)?;
                Some((share::TOPIC, self.share_states.partition_of(&key, image)))
            }
            _ => None,
        }
    }
}

/// The brokers that an answer names.
fn named(
    known: &Coordinators<'_>,
    image: &MetadataImage,
    context: &RequestContext,
    request: &FindCoordinatorRequest,
) -> Vec<i32> {
    let keys = match context.api_version < FIRST_WITH_KEYS {
        true => std::slice::from_ref(&request.key),
        false => request.coordinator_keys.as_slice(),
    };
    let leader = |key: &StrBytes| {
        let (topic, partition) = known.place(request.key_type, key, image)?;
        Some(image.topics().by_name(topic)?.partition(partition)?.leader)
    };
    keys.iter().filter_map(leader).collect()
}

fn find(
    known: &Coordinators<'_>,
    image: &MetadataImage,
    context: &RequestContext,
    key_type: i8,
    key: &StrBytes,
) -> Result<NodeEndpoint, ErrorCode> {
    let may = |resource| context.authorize(Operation::Describe, resource);
    match key_type {
        GROUP if !may(Resource::Group(key)) => Err(ErrorCode::GroupAuthorizationFailed),
        TRANSACTION if !may(Resource::TransactionalId(key)) => {
            Err(ErrorCode::TransactionalIdAuthorizationFailed)
        }
        GROUP | TRANSACTION => {
            let place = known.place(key_type, key, image).ok_or(ErrorCode::InvalidRequest)?;
            lead(known, image, context, place)
        }
        SHARE if context.api_version < FIRST_WITH_SHARE => Err(ErrorCode::InvalidRequest),
        SHARE if !context.authorize(Operation::ClusterAction, Resource::Cluster) => {
            Err(ErrorCode::ClusterAuthorizationFailed)
        }
        SHARE => {
            let place = known.place(key_type, key, image).ok_or(ErrorCode::InvalidRequest)?;
            lead(known, image, context, place)
        }
        _ => Err(ErrorCode::InvalidRequest),
    }
}

fn lead(
    known: &Coordinators<'_>,
    image: &MetadataImage,
    context: &RequestContext,
    (name, partition): (&str, i32),
) -> Result<NodeEndpoint, ErrorCode> {
    let Some(topic) = image.topics().by_name(name) else {
        known.auto_topics.create_own(name);
        return Err(ErrorCode::CoordinatorNotAvailable);
    };
    topic
        .partition(partition)
        .and_then(|state| node_endpoint(image, state.leader, &context.client.listener))
        .ok_or(ErrorCode::CoordinatorNotAvailable)
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
