//! Vote: a voter that wants to lead asks for this one's vote (KIP-595, 996).
//!
//! Kafka: `ControllerApis.handleVote`; what is answered is the quorum's, in raft/src/quorum.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{VoteRequest, VoteResponse};
use raft::quorum::{PeerRequest, PeerResponse};

use crate::broker::Broker;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::dispatch::CloseConnection;

pub(crate) async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: VoteRequest,
) -> Result<VoteResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        let code = ErrorCode::ClusterAuthorizationFailed.code();
        return Ok(VoteResponse::default().with_error_code(code));
    }
    let request = PeerRequest::Vote(request);
    match broker.quorum().answer_peer(context.api_version, request).await {
        Ok(PeerResponse::Vote(response)) => Ok(response),
        _ => Err(CloseConnection::NotServing("the quorum has stopped".to_owned())),
    }
}
