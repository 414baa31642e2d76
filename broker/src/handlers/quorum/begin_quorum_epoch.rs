//! BeginQuorumEpoch: a new leader of the quorum makes itself known (KIP-595).
//!
//! Kafka: `ControllerApis.handleBeginQuorumEpoch`;
//! what is answered is the quorum's, in raft/src/quorum.

use protocol::ErrorCode;
use protocol::messages::{BeginQuorumEpochRequest, BeginQuorumEpochResponse};
use raft::quorum::{PeerRequest, PeerResponse};

use crate::metadata::quorum::QuorumHandle;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    quorum: &QuorumHandle,
    context: &RequestContext,
    request: BeginQuorumEpochRequest,
) -> Result<BeginQuorumEpochResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        let code = ErrorCode::ClusterAuthorizationFailed.code();
        return Ok(BeginQuorumEpochResponse::default().with_error_code(code));
    }
    let request = PeerRequest::BeginQuorumEpoch(request);
    match quorum.answer_peer(context.api_version, request).await {
        Ok(PeerResponse::BeginQuorumEpoch(response)) => Ok(response),
        _ => Err(CloseConnection::NotServing("the quorum has stopped".to_owned())),
    }
}
