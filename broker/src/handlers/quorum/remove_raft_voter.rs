//! RemoveRaftVoter: a voter loses its vote (KIP-853).
//!
//! Kafka: `ControllerApis.handleRemoveRaftVoter`; what is answered is the
//! quorum's, in raft/src/quorum.

use protocol::ErrorCode;
use protocol::messages::{RemoveRaftVoterRequest, RemoveRaftVoterResponse};
use raft::quorum::{PeerRequest, PeerResponse};

use crate::metadata::quorum::QuorumHandle;
use crate::requests::api_error::{ApiError, worded};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::controller_access::always_worded;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    quorum: &QuorumHandle,
    context: &RequestContext,
    request: RemoveRaftVoterRequest,
) -> Result<RemoveRaftVoterResponse, CloseConnection> {
    if !context.authorize(Operation::Alter, Resource::Cluster) {
        return Ok(refused(&worded(ErrorCode::ClusterAuthorizationFailed)));
    }
    if let Err(failed) = context.controller.check() {
        return Ok(refused(&always_worded(failed)));
    }
    let request = PeerRequest::RemoveRaftVoter(request);
    match quorum.answer_peer(context.api_version, request).await {
        Ok(PeerResponse::RemoveRaftVoter(response)) => Ok(response),
        _ => Err(CloseConnection::NotServing("the quorum has stopped".to_owned())),
    }
}

fn refused(error: &ApiError) -> RemoveRaftVoterResponse {
    RemoveRaftVoterResponse::default()
        .with_error_code(error.code())
        .with_error_message(error.text())
}
