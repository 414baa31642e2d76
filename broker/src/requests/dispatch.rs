//! From a frame to the handler of its API and back to a frame.
//!
//! A request that is not one (short header, unknown key, version or listener that does not fit,
//! counts that cannot be right) ends the connection without an answer, as in Kafka, whose
//! `SocketServer` closes on any exception while parsing. Only ApiVersions is answered whatever its
//! version.

use std::future::Future;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use protocol::api::{ApiKey, Listener};
use protocol::frame::{RequestHeader, encode_response};
use protocol::shape::{self, DECODED_BUDGET, Verdict};
use protocol::wire::{Decodable, Encodable};

use crate::broker::Broker;
use crate::handlers;
use crate::metadata::controller_call::ControllerAccess;
use crate::metadata::forwarding;
use crate::net::connection::{Later, Reply};
use crate::net::frames::Prefix;
use crate::requests::context::{Client, RequestContext};

/// A handler could not make an answer; the connection ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CloseConnection {
    /// The request is at fault, or the answer to it cannot be sent.
    #[error("{0}")]
    Fault(String),
    /// This node has nothing to answer with, whatever it is asked: it starts or stops.
    #[error("{0}")]
    NotServing(String),
}

/// A request that has been taken off the wire.
pub(crate) enum Begun {
    /// A Produce, appended already: its reply, or what the reply waits for.
    Produce(Result<Reply, Later>),
    /// What may wait for the controller's word: Produce requests behind it need not wait with it.
    Overtaken(Later),
    /// Anything else; starts when it is polled.
    Other(Later),
}

/// Looks at the beginning of a large frame; `frame_bytes` is what the whole of it has.
pub(crate) fn check_prefix(frame_bytes: usize, prefix: &[u8]) -> Result<Prefix, String> {
    match shape::check_prefix(frame_bytes, prefix, DECODED_BUDGET) {
        Ok(Verdict::NeedMore) => Ok(Prefix::NeedsMore),
        Ok(Verdict::Fits) => Ok(Prefix::IsWhole),
        Err(refusal) => Err(refusal.to_string()),
    }
}

/// Parses the header and starts the request.
pub(crate) fn begin(broker: &Arc<Broker>, client: &Arc<Client>, mut frame: Bytes) -> Begun {
    let whole = frame.clone();
    let listener = broker.listener_kind(&client.listener);
    let header = match admitted_header(listener, &mut frame) {
        Ok(header) => header,
        Err(why) => return refuse(why),
    };
    let context = RequestContext {
        api: header.api,
        api_version: header.api_version,
        correlation_id: header.correlation_id,
        client_id: header.client_id.clone(),
        client: Arc::clone(client),
        authorizer: Arc::clone(broker.authorizer()),
        controller: ControllerAccess::Here,
    };
    if header.api.key == ApiKey::Produce {
        return Begun::Produce(handlers::produce::begin(broker, context, frame));
    }
    let broker = Arc::clone(broker);
    let response_version = header.response_version();
    if header.is_unsupported_api_versions() {
        let response = handlers::api_versions::unsupported_version(listener);
        let reply = encode(&context, response_version, &response);
        return Begun::Other(Box::pin(std::future::ready(into_reply(reply))));
    }
    match shape::check(&header, frame, DECODED_BUDGET) {
        Ok(body) if forwarding::takes(listener, context.api) => {
            Begun::Other(forwarding::forward(broker, context, whole, body))
        }
        Ok(body) => {
            let waits_for_word = matches!(
                context.api.key,
                ApiKey::Metadata | ApiKey::DescribeTopicPartitions | ApiKey::FindCoordinator
            );
            let reply = handlers::route(broker, context, body);
            if waits_for_word { Begun::Overtaken(reply) } else { Begun::Other(reply) }
        }
        Err(refusal) => refuse(format!("{} v{}: {refusal}", header.api.name, header.api_version)),
    }
}

fn admitted_header(listener: Listener, frame: &mut Bytes) -> Result<RequestHeader, String> {
    let header = RequestHeader::parse(frame).map_err(|error| error.to_string())?;
    header.admit(listener).map_err(|error| error.to_string())?;
    Ok(header)
}

fn refuse(why: String) -> Begun {
    Begun::Other(Box::pin(std::future::ready(Reply::fault(why))))
}

/// Decodes a request, runs its handler and encodes the answer.
pub(crate) fn serve<Request, Response, Handled>(
    context: &Arc<RequestContext>,
    mut body: Bytes,
    handle: impl FnOnce(Request) -> Handled + Send + 'static,
) -> Later
where
    Request: Decodable + Send + 'static,
    Response: Encodable + Send,
    Handled: Future<Output = Result<Response, CloseConnection>> + Send,
{
    let context = Arc::clone(context);
    Box::pin(async move {
        let version = context.api_version;
        let request = match Request::decode(&mut body, version) {
            Ok(request) => request,
            Err(error) => {
                return Reply::fault(format!("{} v{version}: {error}", context.api.name));
            }
        };
        drop(body);
        match handle(request).await {
            Ok(response) => into_reply(encode(&context, version, &response)),
            Err(why) => Reply::Close(why),
        }
    })
}

/// One whole answer frame.
pub(crate) fn encode<Response: Encodable>(
    context: &RequestContext,
    version: i16,
    response: &Response,
) -> Result<Bytes, CloseConnection> {
    let mut out = BytesMut::new();
    encode_response(&mut out, context.api.key, version, context.correlation_id, response)
        .map_err(|error| CloseConnection::Fault(error.to_string()))?;
    Ok(out.freeze())
}

fn into_reply(frame: Result<Bytes, CloseConnection>) -> Reply {
    match frame {
        Ok(frame) => Reply::Frame(frame),
        Err(why) => Reply::Close(why),
    }
}
