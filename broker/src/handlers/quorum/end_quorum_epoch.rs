//! EndQuorumEpoch: a leader of the quorum resigns and names who should follow (KIP-595).
//!
//! Kafka: `ControllerApis.handleEndQuorumEpoch`;
//! what is answered is the quorum's, in raft/src/quorum.

use protocol::ErrorCode;
use protocol::messages::{EndQuorumEpochRequest, EndQuorumEpochResponse};
use raft::quorum::{PeerRequest, PeerResponse};

use crate::metadata::quorum::QuorumHandle;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    quorum: &QuorumHandle,
    context: &RequestContext,
    request: EndQuorumEpochRequest,
) -> Result<EndQuorumEpochResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        let code = ErrorCode::ClusterAuthorizationFailed.code();
        return Ok(EndQuorumEpochResponse::default().with_error_code(code));
    }
    let request = PeerRequest::EndQuorumEpoch(request);
    match quorum.answer_peer(context.api_version, request).await {
        Ok(PeerResponse::EndQuorumEpoch(response)) => Ok(response),
        _ => Err(CloseConnection::NotServing("the quorum has stopped".to_owned())),
    }
}
