//! Requests that only the active controller decides, on their way to it.
//!
//! ```text
//! client ─▶ dispatch ─ this node's controller active? ─ yes ─▶ handler ─▶ answer
//!              │                                        no ─▶ Envelope ─▶ active controller
//!              └─ no controller in time ─▶ the same handler, which says so in its API's words
//! ```
//! A request is passed on as it came (but for defaults of a broker of the ZooKeeper era), and its
//! answer as it came back. Requests that the node makes
//! itself go by the same channel without an envelope. Kafka: `ForwardingManagerImpl`,
//! `KafkaApis.forwardToController`. Unlike Kafka a node whose own controller is the active one
//! asks it without a connection to itself (docs/decisions/0125-no-envelope-to-oneself.md).

pub(crate) mod envelope;
mod principal;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::api::{Api, ApiKey, Listener};
use protocol::frame::{encode_request, strip_response_header};
use protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use protocol::wire::{Decodable, Encodable, Request};
use raft::controller::{Controller, ControllerNow, ControllerResult};

use crate::broker::Broker;
use crate::handlers;
use crate::metadata::controller_call::{self, CallFailed, ControllerAccess};
use crate::metadata::controller_channel::ChannelError;
use crate::metadata::controller_channel::FromController;
use crate::metadata::quorum::ControllerError;
use crate::net::connection::{Later, Reply};
use crate::requests::context::RequestContext;
use crate::requests::dispatch::CloseConnection;
use crate::zookeeper::defaults::{complete, refuses_deletion};
use client::PeerError;

/// For how long the active controller is looked for. Kafka: `retryTimeoutMs` of the channel.
const RETRY_MS: i32 = 60_000;
const RETRY: Duration = Duration::from_millis(RETRY_MS as u64);

/// Why a request that was passed on has no answer to hand back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error("{0}")]
    Failed(#[from] CallFailed),
    /// The controller knows no such version: the client must connect and look again.
    #[error("the active controller does not know {0} in the version of this request")]
    UnsupportedVersion(&'static str),
}

/// Whether requests of such an API are passed on as they came. Changes of settings are looked at
/// by the broker first.
pub(crate) fn takes(listener: Listener, api: &Api) -> bool {
    let looked_at = matches!(api.key, ApiKey::AlterConfigs | ApiKey::IncrementalAlterConfigs);
    listener == Listener::Broker && api.forwarded && !looked_at
}

/// Has the active controller answer a request; `whole` is header and body, `body` as checked.
pub(crate) fn forward(
    broker: Arc<Broker>,
    context: RequestContext,
    whole: Bytes,
    body: Bytes,
) -> Later {
    Box::pin(async move {
        if is_active(&broker) {
            let (controller, not_active) = ControllerAccess::noted();
            let here = RequestContext { controller, ..context.clone() };
            let reply = handlers::route(Arc::clone(&broker), here, body.clone()).await;
            if !not_active.load(Ordering::Relaxed) {
                return reply;
            }
        }
        let passed_on = match in_own_terms(&broker, &context, whole, &body) {
            Ok(whole) => pass_on(&broker, &context, whole).await,
            Err(refused) => Err(refused.into()),
        };
        match passed_on {
            Ok(answer) => framed(&answer),
            Err(Unanswered::Failed(failed)) => {
                let controller = ControllerAccess::Failed(failed);
                handlers::route(broker, RequestContext { controller, ..context }, body).await
            }
            Err(error @ Unanswered::UnsupportedVersion(_)) => Reply::fault(error.to_string()),
        }
    })
}

/// Asks the active controller in a client's name for what this broker makes of the client's
/// request; `context` is of the API of `asked`. Where the controller is this node's, `call` is how
/// it is asked.
pub(crate) async fn ask<Asked, Answer>(
    broker: &Arc<Broker>,
    context: &RequestContext,
    asked: Asked,
    call: impl FnOnce(&Asked, &mut Controller, &ControllerNow) -> ControllerResult<Answer>
    + Send
    + 'static,
) -> Result<Answer, Unanswered>
where
    Asked: Encodable + Clone + Send + Sync + 'static,
    Answer: Decodable + Send + 'static,
{
    let of_broker = broker.listener_kind(&context.client.listener) == Listener::Broker;
    if !of_broker || is_active(broker) {
        let own = asked.clone();
        let answered = controller_call::call(broker, context, move |controller, now| {
            call(&own, controller, now)
        });
        match answered.await {
            Err(CallFailed::Controller(ControllerError::NotActive)) if of_broker => {}
            answered => return Ok(answered?),
        }
    }
    let whole = encoded(context, &asked).map_err(|error| no_answer(context, &error))?;
    let mut answer = pass_on(broker, context, whole).await?;
    strip_response_header(&mut answer, context.api.key, context.api_version)
        .map_err(|error| no_answer(context, &error.to_string()))?;
    Answer::decode(&mut answer, context.api_version)
        .map_err(|error| no_answer(context, &error.to_string()).into())
}

/// Asks the active controller in this node's own name.
pub(crate) async fn ask_as_node<Asked>(
    broker: &Arc<Broker>,
    asked: Asked,
    call: impl FnOnce(&Asked, &mut Controller, &ControllerNow) -> ControllerResult<Asked::Response>
    + Send
    + 'static,
) -> Result<Asked::Response, CallFailed>
where
    Asked: Request + Clone + Send + Sync + 'static,
    Asked::Response: FromController + Send,
{
    if is_active(broker) {
        let own = asked.clone();
        let answered = broker.quorum().submit(move |controller, now| call(&own, controller, now));
        match tokio::time::timeout(RETRY, answered).await {
            Err(_) => return Err(CallFailed::TimedOut(RETRY_MS)),
            Ok(Err(ControllerError::NotActive)) => {}
            Ok(answered) => return Ok(answered?),
        }
    }
    let answered = broker.to_controller().request(asked, RETRY).await;
    answered.map_err(|error| failed(Api::of(key_of::<Asked>()).name, &error))
}

/// Of every request that is sent the key is known.
fn key_of<Asked: Request>() -> ApiKey {
    ApiKey::try_from(Asked::KEY).unwrap_or(ApiKey::ApiVersions)
}

fn is_active(broker: &Broker) -> bool {
    broker.quorum().is_active()
}

/// Sends a request in an envelope; gives the header and body of its answer.
async fn pass_on(
    broker: &Arc<Broker>,
    context: &RequestContext,
    whole: Bytes,
) -> Result<Bytes, Unanswered> {
    let request =
        envelope::wrap(&context.client, whole).map_err(|error| no_answer(context, &error))?;
    let answered = broker.to_controller().request(request, RETRY).await;
    let envelope = answered.map_err(|error| failed(context.api.name, &error))?;
    match ErrorCode::try_from_code(envelope.error_code) {
        None => {}
        Some(ErrorCode::UnsupportedVersion) => {
            return Err(Unanswered::UnsupportedVersion(context.api.name));
        }
        Some(code) => return Err(no_answer(context, &format!("error {code:?}")).into()),
    }
    let answer = envelope.response_data.unwrap_or_default();
    match answer.first_chunk() {
        Some(id) if i32::from_be_bytes(*id) == context.correlation_id => Ok(answer),
        _ => Err(no_answer(context, "the answer in the envelope is of another request").into()),
    }
}

fn encoded<Asked: Encodable>(context: &RequestContext, asked: &Asked) -> Result<Bytes, String> {
    let mut frame = BytesMut::new();
    let (key, version) = (context.api.key, context.api_version);
    encode_request(&mut frame, key, version, context.correlation_id, &context.client_id, asked)
        .map_err(|error| error.to_string())?;
    Ok(frame.split_off(size_of::<i32>()).freeze())
}

/// A request as a broker of the ZooKeeper era means it, whose file says what controllers' files say
/// otherwise; any other as it came.
fn in_own_terms(
    broker: &Broker,
    context: &RequestContext,
    whole: Bytes,
    body: &Bytes,
) -> Result<Bytes, CallFailed> {
    let config = broker.config();
    if config.zookeeper.broker().is_none() {
        return Ok(whole);
    }
    match context.api.key {
        ApiKey::DeleteTopics => match refuses_deletion(&config, context.api_version) {
            Some(code) => Err(CallFailed::Refused(code)),
            None => Ok(whole),
        },
        ApiKey::CreateTopics => {
            let mut request = CreateTopicsRequest::decode(&mut body.clone(), context.api_version)
                .map_err(|error| no_answer(context, &error.to_string()))?;
            if !complete(&mut request, &config) {
                return Ok(whole);
            }
            encoded(context, &request).map_err(|error| no_answer(context, &error))
        }
        _ => Ok(whole),
    }
}

/// An answer with its length in front.
fn framed(answer: &Bytes) -> Reply {
    let mut frame = BytesMut::with_capacity(size_of::<i32>() + answer.len());
    match i32::try_from(answer.len()) {
        Ok(length) => frame.put_i32(length),
        Err(_) => return Reply::fault("the answer is longer than a frame".to_owned()),
    }
    frame.put_slice(answer);
    Reply::Frame(frame.freeze())
}

/// Something was answered, and the client cannot be told.
fn no_answer(context: &RequestContext, why: &str) -> CallFailed {
    tracing::warn!(
        target: "kafka.server.ForwardingManagerImpl",
        "Forwarded {} of {} failed: {why}",
        context.api.name,
        context.client.ip(),
    );
    CallFailed::NoAnswer
}

fn failed(what: &str, error: &ChannelError) -> CallFailed {
    match error {
        ChannelError::TimedOut(_) => CallFailed::TimedOut(RETRY_MS),
        ChannelError::Stopping | ChannelError::Peer(PeerError::Stopping) => {
            ControllerError::Stopping.into()
        }
        ChannelError::Peer(error) => {
            tracing::warn!(
                target: "kafka.server.ForwardingManagerImpl",
                "{what} to the active controller failed: {error}",
            );
            CallFailed::NoAnswer
        }
    }
}

impl From<Unanswered> for CloseConnection {
    fn from(unanswered: Unanswered) -> Self {
        Self::Fault(unanswered.to_string())
    }
}

impl FromController for CreateTopicsResponse {
    /// A controller that is not active says so of every topic.
    fn error_code(&self) -> i16 {
        self.topics.first().map_or(0, |topic| topic.error_code)
    }
}
