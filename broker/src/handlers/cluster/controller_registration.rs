//! ControllerRegistration: a controller tells the active one where it listens and what it supports
//! (KIP-919).
//!
//! Kafka: `ControllerApis.handleControllerRegistration`.

use protocol::ErrorCode;
use protocol::messages::{ControllerRegistrationRequest, ControllerRegistrationResponse};

use crate::metadata::controller_client::ControllerClient;
use crate::requests::answer_budget;
use crate::requests::api_error::{ApiError, worded};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::controller_access::always_worded;
use crate::requests::reply::CloseConnection;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 256;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    request: ControllerRegistrationRequest,
) -> Result<ControllerRegistrationResponse, CloseConnection> {
    answer_budget::check(request.listeners.len() + request.features.len(), BYTES_EACH)?;
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        return Ok(refused(&worded(ErrorCode::ClusterAuthorizationFailed)));
    }
    let registered =
        controller.call(context, move |controller, _| controller.register_controller(&request));
    Ok(registered.await.unwrap_or_else(|failed| refused(&always_worded(failed))))
}

fn refused(error: &ApiError) -> ControllerRegistrationResponse {
    ControllerRegistrationResponse::default()
        .with_error_code(error.code())
        .with_error_message(error.text())
}
