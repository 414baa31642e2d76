//! UnregisterBroker: asks the controller to forget a broker that does not come back (KIP-631).
//!
//! Kafka: `ControllerApis.handleUnregisterBroker`.

use protocol::ErrorCode;
use protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};

use crate::metadata::controller_client::ControllerClient;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    request: UnregisterBrokerRequest,
) -> Result<UnregisterBrokerResponse, CloseConnection> {
    if !context.authorize(Operation::Alter, Resource::Cluster) {
        return Ok(refused(&ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let removed =
        controller.call(context, move |controller, _| controller.unregister_broker(&request));
    Ok(removed.await.unwrap_or_else(|failed| refused(&failed.into())))
}

fn refused(error: &ApiError) -> UnregisterBrokerResponse {
    UnregisterBrokerResponse::default()
        .with_error_code(error.code())
        .with_error_message(error.text())
}
