//! AlterPartition: a leader tells the controller which replicas are in sync (KIP-497, KIP-841).
//!
//! Kafka: `ControllerApis.handleAlterPartitionRequest`.

use protocol::ErrorCode;
use protocol::messages::{AlterPartitionRequest, AlterPartitionResponse};

use crate::metadata::controller_client::ControllerClient;
use crate::requests::answer_budget;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 256;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    request: AlterPartitionRequest,
) -> Result<AlterPartitionResponse, CloseConnection> {
    let partitions = request.topics.iter().map(|topic| topic.partitions.len()).sum();
    answer_budget::check(partitions, BYTES_EACH)?;
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        return Ok(refused(&ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let version = context.api_version;
    let altered = controller
        .call(context, move |controller, _| controller.alter_partition(&request, version));
    Ok(altered.await.unwrap_or_else(|failed| refused(&failed.into())))
}

fn refused(error: &ApiError) -> AlterPartitionResponse {
    AlterPartitionResponse::default().with_error_code(error.code())
}
