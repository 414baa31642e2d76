//! DescribeQuorum: who votes on the metadata, who follows, and how far each has read (KIP-595).
//!
//! Kafka: `ControllerApis.handleDescribeQuorum`; what is told is `KafkaRaftClient`'s.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse};

use crate::api_error::{ApiError, worded};
use crate::authorizer::{Operation, Resource};
use crate::broker::Broker;
use crate::context::RequestContext;
use crate::controller_call::always_worded;
use crate::dispatch::CloseConnection;

pub(crate) async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: DescribeQuorumRequest,
) -> Result<DescribeQuorumResponse, CloseConnection> {
    if !context.authorize(Operation::Describe, Resource::Cluster) {
        return Ok(refused(&worded(ErrorCode::ClusterAuthorizationFailed)));
    }
    let described = broker.quorum().describe_quorum(request).await;
    Ok(described.unwrap_or_else(|error| refused(&always_worded(error.into()))))
}

fn refused(error: &ApiError) -> DescribeQuorumResponse {
    DescribeQuorumResponse::default().with_error_code(error.code()).with_error_message(error.text())
}
