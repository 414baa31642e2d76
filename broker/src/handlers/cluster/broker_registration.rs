//! BrokerRegistration: a broker that starts tells the controller who it is (KIP-631).
//!
//! Kafka: `ControllerApis.handleBrokerRegistration`.

use protocol::ErrorCode;
use protocol::messages::{BrokerRegistrationRequest, BrokerRegistrationResponse};

use crate::metadata::controller_client::ControllerClient;
use crate::metadata::quorum::QuorumHandle;
use crate::requests::answer_budget;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 256;

pub(crate) async fn handle(
    quorum: &QuorumHandle,
    controller: &ControllerClient,
    context: &RequestContext,
    request: BrokerRegistrationRequest,
) -> Result<BrokerRegistrationResponse, CloseConnection> {
    let parts = request.listeners.len() + request.features.len() + request.log_dirs.len();
    answer_budget::check(parts, BYTES_EACH)?;
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        return Ok(refused(&ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let (version, kraft_version) = (context.api_version, quorum.kraft_version());
    let registered = controller.call(context, move |controller, now| {
        controller.register_broker(&request, version, kraft_version, now)
    });
    Ok(registered.await.unwrap_or_else(|failed| refused(&failed.into())))
}

fn refused(error: &ApiError) -> BrokerRegistrationResponse {
    BrokerRegistrationResponse::default().with_error_code(error.code())
}
