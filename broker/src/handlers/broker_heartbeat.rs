//! BrokerHeartbeat: a broker tells the controller that it lives, and what it wants (KIP-631).
//!
//! Kafka: `ControllerApis.handleBrokerHeartBeatRequest`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};

use crate::broker::Broker;
use crate::metadata::controller_call;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::dispatch::CloseConnection;

pub(crate) async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: BrokerHeartbeatRequest,
) -> Result<BrokerHeartbeatResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        return Ok(refused(&ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let (broker_id, connection_id) = (request.broker_id.0, context.client.connection_id);
    broker.quorum().heard_of(broker_id, request.broker_epoch, connection_id);
    // An answer that comes later than the next heartbeat is due is of no use.
    let timeout_ms = broker.config().broker_heartbeat_interval_ms / 2;
    let answered = controller_call::within(broker, context, timeout_ms, move |controller, now| {
        controller.heartbeat(&request, now)
    });
    Ok(answered.await.unwrap_or_else(|failed| refused(&failed.into())))
}

fn refused(error: &ApiError) -> BrokerHeartbeatResponse {
    BrokerHeartbeatResponse::default().with_error_code(error.code())
}
