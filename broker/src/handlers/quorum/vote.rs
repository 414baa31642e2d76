//! Vote: a voter that wants to lead asks for this one's vote (KIP-595, 996).
//!
//! Kafka: `ControllerApis.handleVote`; what is answered is the quorum's, in raft/src/quorum.

use protocol::ErrorCode;
use protocol::messages::{VoteRequest, VoteResponse};
use raft::quorum::{PeerRequest, PeerResponse};

use crate::metadata::quorum::QuorumHandle;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    quorum: &QuorumHandle,
    context: &RequestContext,
    request: VoteRequest,
) -> Result<VoteResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        let code = ErrorCode::ClusterAuthorizationFailed.code();
        return Ok(VoteResponse::default().with_error_code(code));
    }
    let request = PeerRequest::Vote(request);
    match quorum.answer_peer(context.api_version, request).await {
        Ok(PeerResponse::Vote(response)) => Ok(response),
        _ => Err(CloseConnection::NotServing("the quorum has stopped".to_owned())),
    }
}
