//! Fetch on a controller listener: the metadata log, read by voters and observers (KIP-595).
//!
//! Kafka: `ControllerApis.handleFetch`; what is answered is the quorum's, in raft/src/quorum.

use protocol::ErrorCode;
use protocol::messages::{FetchRequest, FetchResponse};
use raft::quorum::{PeerRequest, PeerResponse};

use crate::metadata::quorum::QuorumHandle;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    quorum: &QuorumHandle,
    context: &RequestContext,
    request: FetchRequest,
) -> Result<FetchResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        let code = ErrorCode::ClusterAuthorizationFailed.code();
        return Ok(FetchResponse::default().with_error_code(code));
    }
    let request = PeerRequest::Fetch(Box::new(request));
    match quorum.answer_peer(context.api_version, request).await {
        Ok(PeerResponse::Fetch(response)) => Ok(*response),
        _ => Err(CloseConnection::NotServing("the quorum has stopped".to_owned())),
    }
}
