//! AssignReplicasToDirs: a broker tells the controller in which of its directories its replicas are
//! (KIP-858).
//!
//! Kafka: `ControllerApis.handleAssignReplicasToDirs`.

use protocol::ErrorCode;
use protocol::messages::{AssignReplicasToDirsRequest, AssignReplicasToDirsResponse};

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
    request: AssignReplicasToDirsRequest,
) -> Result<AssignReplicasToDirsResponse, CloseConnection> {
    let topics = request.directories.iter().flat_map(|directory| &directory.topics);
    answer_budget::check(topics.map(|topic| 1 + topic.partitions.len()).sum(), BYTES_EACH)?;
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        return Ok(refused(&ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let assigned =
        controller.call(context, move |controller, _| controller.assign_replicas_to_dirs(&request));
    Ok(assigned.await.unwrap_or_else(|failed| refused(&failed.into())))
}

fn refused(error: &ApiError) -> AssignReplicasToDirsResponse {
    AssignReplicasToDirsResponse::default().with_error_code(error.code())
}
