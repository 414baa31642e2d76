//! ListPartitionReassignments: which partitions are on their way to other replicas (KIP-455).
//!
//! Kafka: `ControllerApis.handleListPartitionReassignments`.

use protocol::ErrorCode;
use protocol::messages::list_partition_reassignments_response::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use protocol::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};
use raft::controller::ControllerResult;

use crate::metadata::controller_client::ControllerClient;
use crate::requests::answer_budget;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 160;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    request: ListPartitionReassignmentsRequest,
) -> Result<ListPartitionReassignmentsResponse, CloseConnection> {
    let partitions = request.topics.iter().flatten().map(|topic| topic.partition_indexes.len());
    answer_budget::check(partitions.sum(), BYTES_EACH)?;
    let asked = request.clone();
    if !context.authorize(Operation::Describe, Resource::Cluster) {
        return Ok(refused(asked, &ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let answered = controller.within(context, request.timeout_ms, move |controller, _| {
        ControllerResult::unchanged(controller.list_partition_reassignments(&request))
    });
    Ok(answered.await.unwrap_or_else(|failed| refused(asked, &failed.into())))
}

fn refused(
    request: ListPartitionReassignmentsRequest,
    error: &ApiError,
) -> ListPartitionReassignmentsResponse {
    let partition = |index| OngoingPartitionReassignment::default().with_partition_index(index);
    let topics = request.topics.unwrap_or_default().into_iter().map(|topic| {
        OngoingTopicReassignment::default()
            .with_name(topic.name)
            .with_partitions(topic.partition_indexes.into_iter().map(partition).collect())
    });
    ListPartitionReassignmentsResponse::default()
        .with_error_code(error.code())
        .with_error_message(error.text())
        .with_topics(topics.collect())
}
