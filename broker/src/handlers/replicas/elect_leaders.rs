//! ElectLeaders: asks the controller to elect preferred leaders, or any at all (KIP-460).
//!
//! Kafka: `ControllerApis.handleElectLeaders`.

use protocol::ErrorCode;
use protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};

use crate::metadata::controller_client::ControllerClient;
use crate::requests::answer_budget;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// First version that tells of an error of the whole request.
const FIRST_WITH_ERROR: i16 = 1;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 256;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    request: ElectLeadersRequest,
) -> Result<ElectLeadersResponse, CloseConnection> {
    let partitions = request.topic_partitions.iter().flatten().map(|topic| topic.partitions.len());
    answer_budget::check(partitions.sum(), BYTES_EACH)?;
    let asked = request.clone();
    let answered = if context.authorize(Operation::Alter, Resource::Cluster) {
        let elected = controller.within(context, request.timeout_ms, move |controller, _| {
            controller.elect_leaders(&request)
        });
        elected.await.map_err(ApiError::from)
    } else {
        Err(ErrorCode::ClusterAuthorizationFailed.into())
    };
    let response = answered.unwrap_or_else(|error| refused(asked, &error));
    if context.api_version < FIRST_WITH_ERROR {
        return Ok(response.with_error_code(0));
    }
    Ok(response)
}

fn refused(request: ElectLeadersRequest, error: &ApiError) -> ElectLeadersResponse {
    let partition = |id| {
        PartitionResult::default()
            .with_partition_id(id)
            .with_error_code(error.code())
            .with_error_message(error.text())
    };
    let topics = request.topic_partitions.unwrap_or_default().into_iter().map(|topic| {
        ReplicaElectionResult::default()
            .with_topic(topic.topic)
            .with_partition_result(topic.partitions.into_iter().map(partition).collect())
    });
    ElectLeadersResponse::default()
        .with_error_code(error.code())
        .with_replica_election_results(topics.collect())
}
