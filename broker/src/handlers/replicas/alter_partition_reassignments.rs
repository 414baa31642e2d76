//! AlterPartitionReassignments: asks the controller to move partitions to other replicas, or to
//! cancel that (KIP-455).
//!
//! Kafka: `ControllerApis.handleAlterPartitionReassignments`.

use protocol::ErrorCode;
use protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use protocol::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};

use crate::metadata::controller_client::ControllerClient;
use crate::requests::answer_budget;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 512;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    request: AlterPartitionReassignmentsRequest,
) -> Result<AlterPartitionReassignmentsResponse, CloseConnection> {
    let partitions = request.topics.iter().flat_map(|topic| &topic.partitions);
    let replicas = partitions.map(|each| 1 + each.replicas.as_ref().map_or(0, Vec::len)).sum();
    answer_budget::check(replicas, BYTES_EACH)?;
    let asked = request.clone();
    if !context.authorize(Operation::Alter, Resource::Cluster) {
        return Ok(refused(asked, &ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let timeout_ms = request.timeout_ms;
    let altered = controller.within(context, timeout_ms, move |controller, _| {
        controller.alter_partition_reassignments(&request)
    });
    Ok(altered.await.unwrap_or_else(|failed| refused(asked, &failed.into())))
}

fn refused(
    request: AlterPartitionReassignmentsRequest,
    error: &ApiError,
) -> AlterPartitionReassignmentsResponse {
    let partition = |index| {
        ReassignablePartitionResponse::default()
            .with_partition_index(index)
            .with_error_code(error.code())
            .with_error_message(error.text())
    };
    let topics = request.topics.into_iter().map(|topic| {
        let indexes = topic.partitions.into_iter().map(|each| partition(each.partition_index));
        ReassignableTopicResponse::default()
            .with_name(topic.name)
            .with_partitions(indexes.collect())
    });
    AlterPartitionReassignmentsResponse::default()
        .with_error_code(error.code())
        .with_error_message(error.text())
        .with_responses(topics.collect())
}
