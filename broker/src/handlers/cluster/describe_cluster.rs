//! DescribeCluster: the nodes of a kind, brokers or controllers, as those who ask reach them.
//!
//! A listener answers for its own kind only (KIP-919); fenced brokers come on request (KIP-1073).
//! Kafka: `AuthHelper.computeDescribeClusterResponse`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::api::Listener;
use protocol::messages::describe_cluster_response::DescribeClusterBroker;
use protocol::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};
use raft::image::MetadataImage;

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::quorum::QuorumHandle;
use crate::requests::api_error::{ApiError, text};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    quorum: &QuorumHandle,
    metadata: &MetadataCache,
    context: &RequestContext,
    request: DescribeClusterRequest,
) -> Result<DescribeClusterResponse, CloseConnection> {
    let image = metadata.image();
    let kind = match config.listener_kind(&context.client.listener) {
        Listener::Broker => BROKERS,
        Listener::Controller => CONTROLLERS,
    };
    let leave = if kind == CONTROLLERS { may_ask_controller(context, &image) } else { Ok(()) };
    let checked = leave.and_then(|()| check_kind(context.api_version, kind, request.endpoint_type));
    if let Err(error) = checked {
        return Ok(refused(&error));
    }
    let operations = if !request.include_cluster_authorized_operations {
        i32::MIN
    } else if context.authorize(Operation::Describe, Resource::Cluster) {
        context.authorized_operations(Resource::Cluster)
    } else {
        0
    };
    let listener = &context.client.listener;
    let (nodes, controller) = if kind == BROKERS {
        let nodes = brokers(&image, listener, request.include_fenced_brokers);
        (nodes, MetadataCache::random_alive(&image))
    } else {
        let nodes = controllers(&image, listener);
        if nodes.is_empty() {
            return Ok(refused(&nobody_registered()));
        }
        (nodes, quorum.leader_id())
    };
    let listed = nodes.iter().any(|node| node.broker_id.0 == controller);
    Ok(DescribeClusterResponse::default()
        .with_endpoint_type(kind)
        .with_cluster_id(text(metadata.cluster_id()))
        .with_controller_id(BrokerId(if listed { controller } else { -1 }))
        .with_brokers(nodes)
        .with_cluster_authorized_operations(operations))
}

fn may_ask_controller(context: &RequestContext, image: &MetadataImage) -> Result<(), ApiError> {
    // Unlike Kafka: a version that is not known yet is not an old one.
    if image.is_empty() {
        return Err(nobody_registered());
    }
    if !image.metadata_version().has_controller_registration() {
        let message = "Direct-to-controller communication is not supported with the current \
                       MetadataVersion.";
        return Err(ApiError::new(ErrorCode::UnsupportedVersion, message));
    }
    if !context.authorize(Operation::Alter, Resource::Cluster) {
        return Err(ErrorCode::ClusterAuthorizationFailed.into());
    }
    Ok(())
}

/// Unlike Kafka: an Admin client that is answered with no controllers has nobody left to ask; one
/// that gets an error tries again.
fn nobody_registered() -> ApiError {
    let message = "No controller has registered with the quorum yet.";
    ApiError::new(ErrorCode::BrokerNotAvailable, message)
}

fn check_kind(version: i16, ours: i8, asked: i8) -> Result<(), ApiError> {
    let name = |kind| if kind == BROKERS { "BROKER" } else { "CONTROLLER" };
    let (code, message) = if !matches!(asked, BROKERS | CONTROLLERS) {
        (ErrorCode::UnsupportedEndpointType, format!("Unsupported endpoint type {asked}"))
    } else if asked != ours {
        let message = format!(
            "The request was sent to an endpoint of type {}, but we wanted an endpoint of type {}",
            name(ours),
            name(asked)
        );
        (ErrorCode::MismatchedEndpointType, message)
    } else {
        return Ok(());
    };
    // Version 0 knows neither of the codes.
    Err(ApiError::new(if version == 0 { ErrorCode::InvalidRequest } else { code }, message))
}

fn brokers(
    image: &MetadataImage,
    listener: &str,
    include_fenced: bool,
) -> Vec<DescribeClusterBroker> {
    let shown = image.cluster().brokers().filter(|broker| include_fenced || !broker.fenced);
    let node = |broker: &Arc<raft::image::Broker>| {
        let endpoint = broker.end_points.iter().find(|each| each.name.as_str() == listener)?;
        Some(
            DescribeClusterBroker::default()
                .with_broker_id(BrokerId(broker.broker_id))
                .with_host(endpoint.host.clone())
                .with_port(i32::from(endpoint.port))
                .with_rack(broker.rack.clone())
                .with_is_fenced(broker.fenced),
        )
    };
    shown.filter_map(node).collect()
}

fn controllers(image: &MetadataImage, listener: &str) -> Vec<DescribeClusterBroker> {
    let node = |controller: &Arc<raft::image::RegisteredController>| {
        let endpoint = controller.end_points.iter().find(|each| each.name.as_str() == listener)?;
        Some(
            DescribeClusterBroker::default()
                .with_broker_id(BrokerId(controller.controller_id))
                .with_host(endpoint.host.clone())
                .with_port(i32::from(endpoint.port)),
        )
    };
    image.cluster().controllers().filter_map(node).collect()
}

fn refused(error: &ApiError) -> DescribeClusterResponse {
    DescribeClusterResponse::default()
        .with_error_code(error.code())
        .with_error_message(error.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_answers_for_its_own_kind_only() {
        let code =
            |version, ours, asked| check_kind(version, ours, asked).map_err(|error| error.code);
        assert_eq!(code(1, BROKERS, BROKERS), Ok(()));
        assert_eq!(code(1, BROKERS, 7), Err(ErrorCode::UnsupportedEndpointType));
        assert_eq!(code(1, BROKERS, CONTROLLERS), Err(ErrorCode::MismatchedEndpointType));
        assert_eq!(code(2, CONTROLLERS, BROKERS), Err(ErrorCode::MismatchedEndpointType));
        assert_eq!(code(0, BROKERS, CONTROLLERS), Err(ErrorCode::InvalidRequest));
    }
}
