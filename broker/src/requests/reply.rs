//! What a request comes to: a frame at once or later, nothing, or the connection's end; and how
//! long nothing is read from the connection after it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::fetch::Segment;
use protocol::frame::encode_response;
use protocol::wire::{Decodable, Encodable};

use super::context::RequestContext;
use super::error_counts::ErrorCounts;
use super::throttle::{ThrottleTime, ThrottledResponse};

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

/// What a request comes to.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A whole frame, length included.
    Frame(Bytes),
    /// A whole frame in pieces; records among them are slices of mapped files.
    Segments(Vec<Segment>),
    /// acks=0: the client expects none.
    Nothing,
    /// An answer, after which nothing is read from the connection for so long.
    Throttled(Box<Self>, Duration),
    /// The connection ends.
    Close(CloseConnection),
}

impl Reply {
    /// The connection ends for this reason, which is the request's or the answer's.
    pub(crate) fn fault(why: impl Into<String>) -> Self {
        Self::Close(CloseConnection::Fault(why.into()))
    }

    /// The same for somebody who is held back.
    pub(crate) fn throttled(self, time: ThrottleTime) -> Self {
        match (time.mute(), self) {
            (None, reply) | (_, reply @ Self::Close(_)) => reply,
            (Some(mute), reply) => Self::Throttled(Box::new(reply), mute),
        }
    }

    /// A whole frame, or why there is none.
    pub(crate) fn of(frame: Result<Bytes, CloseConnection>) -> Self {
        match frame {
            Ok(frame) => Self::Frame(frame),
            Err(why) => Self::Close(why),
        }
    }
}

/// A reply that is not there yet.
pub(crate) type Later = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Decodes a request, runs its handler and encodes the answer.
pub(crate) fn serve<Request, Response, Handled>(
    context: &Arc<RequestContext>,
    mut body: Bytes,
    handle: impl FnOnce(Request) -> Handled + Send + 'static,
) -> Later
where
    Request: Decodable + Send + 'static,
    Response: Encodable + ErrorCounts + ThrottledResponse + Send,
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
            Ok(mut response) => {
                let time = context.throttle();
                response.set_throttle_time(time);
                context.count_errors(|count| response.each_error(count));
                Reply::of(encode(&context, version, &response)).throttled(time)
            }
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
