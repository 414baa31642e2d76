//! The way to the controller that decides, wherever it is: this node's own, asked without a
//! connection, or the active one of another node.
//!
//! Kafka: `ControllerApis` for the node's own, `ForwardingManagerImpl` and
//! `NodeToControllerChannelManager` for another's. Unlike Kafka a node whose own controller is the
//! active one asks it without a connection to itself
//! (docs/decisions/0125-no-envelope-to-oneself.md).

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::api::{Api, ApiKey, Listener};
use protocol::frame::{encode_request, strip_response_header};
use protocol::messages::CreateTopicsResponse;
use protocol::wire::{Decodable, Encodable, Request};
use raft::controller::{Controller, ControllerNow, ControllerResult};

use super::controller_channel::{ChannelError, ControllerChannel, FromController};
use super::dynamic_broker_config::DynamicBrokerConfig;
use super::envelope;
use super::quorum::{Due, QuorumHandle};
use crate::requests::context::RequestContext;
use crate::requests::controller_access::CallFailed;
use crate::requests::controller_error::ControllerError;
use crate::requests::reply::CloseConnection;
use client::{PeerError, PeerSettings};

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

impl From<Unanswered> for CloseConnection {
    fn from(unanswered: Unanswered) -> Self {
        Self::Fault(unanswered.to_string())
    }
}

/// Asks the controller.
#[derive(Debug)]
pub(crate) struct ControllerClient {
    quorum: Arc<QuorumHandle>,
    config: Arc<DynamicBrokerConfig>,
    channel: ControllerChannel,
}

impl ControllerClient {
    pub(crate) fn new(quorum: Arc<QuorumHandle>, config: Arc<DynamicBrokerConfig>) -> Self {
        let channel = channel_to_active(&quorum, &config, "forwarding");
        Self { quorum, config, channel }
    }

    /// Whether this node's own controller is the active one.
    pub(crate) fn is_active(&self) -> bool {
        self.quorum.is_active()
    }

    /// Calls the controller of this node. A client of this broker is answered when the records are
    /// committed and applied here, so that it finds what it made; other nodes when they are
    /// committed, so that nobody's heartbeat waits for the files that this broker opens.
    pub(crate) async fn within<R: Send + 'static>(
        &self,
        context: &RequestContext,
        timeout_ms: i32,
        call: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R> + Send + 'static,
    ) -> Result<R, CallFailed> {
        context.controller.check()?;
        let timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
        let due = match self.config.listener_kind(&context.client.listener) {
            Listener::Broker => Due::Applied,
            Listener::Controller => Due::Committed,
        };
        match tokio::time::timeout(timeout, self.quorum.submit_due(due, call)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                if error == ControllerError::NotActive {
                    context.controller.note_not_active();
                }
                Err(error.into())
            }
            Err(_) => Err(CallFailed::TimedOut(timeout_ms)),
        }
    }

    /// Calls the controller of this node on behalf of a request that has no deadline of its own.
    pub(crate) async fn call<R: Send + 'static>(
        &self,
        context: &RequestContext,
        call: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R> + Send + 'static,
    ) -> Result<R, CallFailed> {
        self.within(context, self.config.current().request_timeout_ms, call).await
    }

    /// Asks the active controller in a client's name for what this broker makes of the client's
    /// request; `context` is of the API of `asked`. Where the controller is this node's, `call` is
    /// how it is asked.
    pub(crate) async fn ask<Asked, Answer>(
        &self,
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
        let of_broker = self.config.listener_kind(&context.client.listener) == Listener::Broker;
        if !of_broker || self.is_active() {
            let own = asked.clone();
            let answered =
                self.call(context, move |controller, now| call(&own, controller, now)).await;
            match answered {
                Err(CallFailed::Controller(ControllerError::NotActive)) if of_broker => {}
                answered => return Ok(answered?),
            }
        }
        let whole = encoded(context, &asked).map_err(|error| no_answer(context, &error))?;
        let mut answer = self.pass_on(context, whole).await?;
        strip_response_header(&mut answer, context.api.key, context.api_version)
            .map_err(|error| no_answer(context, &error.to_string()))?;
        Answer::decode(&mut answer, context.api_version)
            .map_err(|error| no_answer(context, &error.to_string()).into())
    }

    /// Asks the active controller in this node's own name.
    pub(crate) async fn ask_as_node<Asked, Call>(
        &self,
        asked: Asked,
        call: Call,
    ) -> Result<Asked::Response, CallFailed>
    where
        Asked: Request + Clone + Send + Sync + 'static,
        Asked::Response: FromController + Send,
        Call: FnOnce(&Asked, &mut Controller, &ControllerNow) -> ControllerResult<Asked::Response>
            + Send
            + 'static,
    {
        if self.is_active() {
            let own = asked.clone();
            let answered = self.quorum.submit(move |controller, now| call(&own, controller, now));
            match tokio::time::timeout(RETRY, answered).await {
                Err(_) => return Err(CallFailed::TimedOut(RETRY_MS)),
                Ok(Err(ControllerError::NotActive)) => {}
                Ok(answered) => return Ok(answered?),
            }
        }
        let answered = self.channel.request(asked, RETRY).await;
        answered.map_err(|error| failed(Api::of(key_of::<Asked>()).name, &error))
    }

    /// Sends a client's request, header and body, in an envelope; gives the header and body of its
    /// answer.
    pub(crate) async fn pass_on(
        &self,
        context: &RequestContext,
        whole: Bytes,
    ) -> Result<Bytes, Unanswered> {
        let request =
            envelope::wrap(&context.client, whole).map_err(|error| no_answer(context, &error))?;
        let answered = self.channel.request(request, RETRY).await;
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
}

/// A channel of its own to the active controller. `purpose` names it as Kafka names its channels.
pub(crate) fn channel_to_active(
    quorum: &QuorumHandle,
    config: &DynamicBrokerConfig,
    purpose: &str,
) -> ControllerChannel {
    let config = config.current();
    let id = config.node_id;
    ControllerChannel::new(
        quorum.active_controller(),
        PeerSettings::new(
            id.to_string(),
            format!("[NodeToControllerChannelManager id={id} name={purpose}] "),
        )
        .logging_in(config.sasl.controllers.clone()),
        Duration::from_millis(u64::try_from(config.controller_socket_timeout_ms).unwrap_or(0)),
    )
}

/// A request of the context's API as it goes into an envelope: header and body.
pub(crate) fn encoded<Asked: Encodable>(
    context: &RequestContext,
    asked: &Asked,
) -> Result<Bytes, String> {
    let mut frame = BytesMut::new();
    let (key, version) = (context.api.key, context.api_version);
    encode_request(&mut frame, key, version, context.correlation_id, &context.client_id, asked)
        .map_err(|error| error.to_string())?;
    Ok(frame.split_off(size_of::<i32>()).freeze())
}

/// Of every request that is sent the key is known.
fn key_of<Asked: Request>() -> ApiKey {
    ApiKey::try_from(Asked::KEY).unwrap_or(ApiKey::ApiVersions)
}

/// Something was answered, and the client cannot be told.
pub(crate) fn no_answer(context: &RequestContext, why: &str) -> CallFailed {
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

impl FromController for CreateTopicsResponse {
    /// A controller that is not active says so of every topic.
    fn error_code(&self) -> i16 {
        self.topics.first().map_or(0, |topic| topic.error_code)
    }
}
