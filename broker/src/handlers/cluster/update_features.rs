//! UpdateFeatures: raises or lowers finalized features (KIP-584).
//!
//! Kafka: `ControllerApis.handleUpdateFeatures`.

use protocol::ErrorCode;
use protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};

use crate::metadata::controller_client::ControllerClient;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    request: UpdateFeaturesRequest,
) -> Result<UpdateFeaturesResponse, CloseConnection> {
    if !context.authorize(Operation::Alter, Resource::Cluster) {
        return Ok(refused(&ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let version = context.api_version;
    let answered = controller.within(context, request.timeout_ms, move |controller, _| {
        controller.update_features(&request, version)
    });
    Ok(answered.await.unwrap_or_else(|failed| refused(&failed.into())))
}

fn refused(error: &ApiError) -> UpdateFeaturesResponse {
    UpdateFeaturesResponse::default().with_error_code(error.code()).with_error_message(error.text())
}
