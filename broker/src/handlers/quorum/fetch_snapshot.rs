//! FetchSnapshot: a piece of a snapshot of the metadata, for who is too far behind (KIP-630).
//!
//! Kafka: `ControllerApis.handleFetchSnapshot`;
//! what is answered is the quorum's, in raft/src/quorum.

use protocol::ErrorCode;
use protocol::messages::{FetchSnapshotRequest, FetchSnapshotResponse};
use raft::quorum::{PeerRequest, PeerResponse};

use crate::metadata::quorum::QuorumHandle;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    quorum: &QuorumHandle,
    context: &RequestContext,
    request: FetchSnapshotRequest,
) -> Result<FetchSnapshotResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        let code = ErrorCode::ClusterAuthorizationFailed.code();
        return Ok(FetchSnapshotResponse::default().with_error_code(code));
    }
    let request = PeerRequest::FetchSnapshot(request);
    match quorum.answer_peer(context.api_version, request).await {
        Ok(PeerResponse::FetchSnapshot(response)) => Ok(response),
        _ => Err(CloseConnection::NotServing("the quorum has stopped".to_owned())),
    }
}
