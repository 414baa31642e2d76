//! AllocateProducerIds: a broker takes a block of producer ids (KIP-730).
//!
//! Kafka: `ControllerApis.handleAllocateProducerIdsRequest`.

use protocol::ErrorCode;
use protocol::messages::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};

use crate::metadata::controller_client::ControllerClient;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    request: AllocateProducerIdsRequest,
) -> Result<AllocateProducerIdsResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        return Ok(refused(&ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let allocated =
        controller.call(context, move |controller, _| controller.allocate_producer_ids(&request));
    Ok(allocated.await.unwrap_or_else(|failed| refused(&failed.into())))
}

fn refused(error: &ApiError) -> AllocateProducerIdsResponse {
    AllocateProducerIdsResponse::default().with_error_code(error.code())
}
