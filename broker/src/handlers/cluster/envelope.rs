//! Envelope: a request that a broker passes on for its client (KIP-590).
//!
//! The request inside is served by the handler of its API, as if its sender had come by this
//! listener. A controller that is not active says so of the envelope, so that the broker asks
//! another; the client never hears of it. Kafka: `ControllerApis.handleEnvelopeRequest`,
//! `RequestChannel.Request.buildResponseSend`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::{EnvelopeRequest, EnvelopeResponse};

use crate::metadata::envelope::{Unwrapped, answered, refused, unwrap};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::controller_access::ControllerAccess;
use crate::requests::reply::{CloseConnection, Later, Reply};

/// `route` hands a request to the handler of its API.
pub(crate) async fn handle(
    context: &RequestContext,
    request: EnvelopeRequest,
    route: impl Fn(RequestContext, Bytes) -> Later,
) -> Result<EnvelopeResponse, CloseConnection> {
    if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
        return Ok(refused(ErrorCode::ClusterAuthorizationFailed));
    }
    let Unwrapped { header, body, client } = match unwrap(&context.client, request) {
        Ok(unwrapped) => unwrapped,
        Err(code) => {
            tracing::debug!(
                target: "kafka.server.ControllerApis",
                "An envelope of {} cannot be opened: {code:?}",
                context.client.ip(),
            );
            return Ok(refused(code));
        }
    };
    let (controller, not_active) = ControllerAccess::noted();
    let forwarded = RequestContext {
        api: header.api,
        api_version: header.api_version,
        correlation_id: header.correlation_id,
        client_id: header.client_id,
        client: Arc::new(client),
        is_forwarded: true,
        policies: Arc::clone(&context.policies),
        metrics: context.metrics.clone(),
        controller,
    };
    let reply = route(forwarded, body).await;
    if not_active.load(Ordering::Relaxed) {
        return Ok(refused(ErrorCode::NotController));
    }
    // Its own connection is held back by the broker, which finds the time in the answer.
    let reply = if let Reply::Throttled(answer, _) = reply { *answer } else { reply };
    match reply {
        Reply::Frame(frame) => Ok(answered(frame)),
        Reply::Close(why) => Err(why),
        // Only Fetch and Produce answer otherwise, which nobody forwards.
        Reply::Segments(_) | Reply::Throttled(..) | Reply::Nothing => {
            Ok(refused(ErrorCode::InvalidRequest))
        }
    }
}
