//! DescribeQuorum: who votes on the metadata, who follows, and how far each has read (KIP-595).
//!
//! Kafka: `ControllerApis.handleDescribeQuorum`; what is told is `KafkaRaftClient`'s.

use protocol::ErrorCode;
use protocol::messages::describe_quorum_response::PartitionData;
use protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse};
use protocol::wire::StrBytes;
use uuid::Uuid;

use crate::metadata::quorum::QuorumHandle;
use crate::requests::api_error::{ApiError, worded, words};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::controller_access::always_worded;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    quorum: &QuorumHandle,
    context: &RequestContext,
    request: DescribeQuorumRequest,
) -> Result<DescribeQuorumResponse, CloseConnection> {
    if !context.authorize(Operation::Describe, Resource::Cluster) {
        return Ok(refused(&worded(ErrorCode::ClusterAuthorizationFailed)));
    }
    if let Err(failed) = context.controller.check() {
        return Ok(refused(&always_worded(failed)));
    }
    let described = quorum.describe_quorum(request).await;
    let described = described.unwrap_or_else(|error| refused(&always_worded(error.into())));
    Ok(written_in(context.api_version, described))
}

/// Older versions have no place for addresses, directories and words.
fn written_in(version: i16, mut response: DescribeQuorumResponse) -> DescribeQuorumResponse {
    for partition in response.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        let said = ErrorCode::try_from_code(partition.error_code).and_then(words);
        if let Some(words) = said {
            partition.error_message = Some(StrBytes::from_static_str(words));
        }
    }
    if version < 2 {
        response.nodes.clear();
        response.error_message = DescribeQuorumResponse::default().error_message;
        let partitions = response.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        for partition in partitions {
            partition.error_message = PartitionData::default().error_message;
            let replicas = partition.current_voters.iter_mut().chain(&mut partition.observers);
            replicas.for_each(|replica| replica.replica_directory_id = Uuid::nil());
        }
    }
    response
}

fn refused(error: &ApiError) -> DescribeQuorumResponse {
    DescribeQuorumResponse::default().with_error_code(error.code()).with_error_message(error.text())
}
