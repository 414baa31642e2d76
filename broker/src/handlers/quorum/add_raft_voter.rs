//! AddRaftVoter: a controller that has caught up gets a vote (KIP-853).
//!
//! Kafka: `ControllerApis.handleAddRaftVoter`; what is answered is the
//! quorum's, in raft/src/quorum.

use protocol::ErrorCode;
use protocol::messages::{AddRaftVoterRequest, AddRaftVoterResponse};
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
    request: AddRaftVoterRequest,
) -> Result<AddRaftVoterResponse, CloseConnection> {
    if !context.authorize(Operation::Alter, Resource::Cluster) {
        return Ok(refused(&worded(ErrorCode::ClusterAuthorizationFailed)));
    }
    if let Err(failed) = context.controller.check() {
        return Ok(refused(&always_worded(failed)));
    }
    match quorum.answer_peer(context.api_version, PeerRequest::AddRaftVoter(request)).await {
        Ok(PeerResponse::AddRaftVoter(response)) => Ok(response),
        _ => Err(CloseConnection::NotServing("the quorum has stopped".to_owned())),
    }
}

fn refused(error: &ApiError) -> AddRaftVoterResponse {
    AddRaftVoterResponse {
        error_code: error.code(),
        error_message: error.text(),
        ..Default::default()
    }
}
