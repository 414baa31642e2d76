//! BrokerHeartbeat: a broker tells the controller that it lives, and what it wants (KIP-631).
//!
//! Kafka: `ControllerApis.handleBrokerHeartBeatRequest`.

use protocol::ErrorCode;
use protocol::messages::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};

use crate::metadata::controller_client::ControllerClient;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::quorum::QuorumHandle;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    quorum: &QuorumHandle,
    controller: &ControllerClient,
    context: &RequestContext,
    request: BrokerHeartbeatRequest,
) -> Result<BrokerHeartbeatResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        return Ok(refused(&ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let (broker_id, connection_id) = (request.broker_id.0, context.client.connection_id);
    quorum.heard_of(broker_id, request.broker_epoch, connection_id);
    // An answer that comes later than the next heartbeat is due is of no use.
    let timeout_ms = config.current().broker_heartbeat_interval_ms / 2;
    let answered = controller
        .within(context, timeout_ms, move |controller, now| controller.heartbeat(&request, now));
    Ok(answered.await.unwrap_or_else(|failed| refused(&failed.into())))
}

fn refused(error: &ApiError) -> BrokerHeartbeatResponse {
    BrokerHeartbeatResponse { error_code: error.code(), ..Default::default() }
}
