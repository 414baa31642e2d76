//! UpdateRaftVoter: a voter that starts tells the leader its addresses and versions (KIP-853).
//!
//! Kafka: `ControllerApis.handleUpdateRaftVoter`; what is answered is the quorum's, in
//! raft/src/quorum.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{UpdateRaftVoterRequest, UpdateRaftVoterResponse};
use raft::quorum::{PeerRequest, PeerResponse};

use crate::broker::Broker;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::dispatch::CloseConnection;

pub(crate) async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: UpdateRaftVoterRequest,
) -> Result<UpdateRaftVoterResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        let code = ErrorCode::ClusterAuthorizationFailed.code();
        return Ok(UpdateRaftVoterResponse::default().with_error_code(code));
    }
    let request = PeerRequest::UpdateRaftVoter(request);
    match broker.quorum().answer_peer(context.api_version, request).await {
        Ok(PeerResponse::UpdateRaftVoter(response)) => Ok(response),
        _ => Err(CloseConnection::NotServing("the quorum has stopped".to_owned())),
    }
}
