//! UpdateRaftVoter: a voter that starts tells the leader its addresses and versions (KIP-853).
//!
//! Kafka: `ControllerApis.handleUpdateRaftVoter`; what is answered is the quorum's, in
//! raft/src/quorum.

use protocol::ErrorCode;
use protocol::messages::{UpdateRaftVoterRequest, UpdateRaftVoterResponse};
use raft::quorum::{PeerRequest, PeerResponse};

use crate::metadata::quorum::QuorumHandle;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    quorum: &QuorumHandle,
    context: &RequestContext,
    request: UpdateRaftVoterRequest,
) -> Result<UpdateRaftVoterResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        let code = ErrorCode::ClusterAuthorizationFailed.code();
        return Ok(UpdateRaftVoterResponse::default().with_error_code(code));
    }
    let request = PeerRequest::UpdateRaftVoter(request);
    match quorum.answer_peer(context.api_version, request).await {
        Ok(PeerResponse::UpdateRaftVoter(response)) => Ok(response),
        _ => Err(CloseConnection::NotServing("the quorum has stopped".to_owned())),
    }
}
