//! Requests that only the active controller decides, on their way to it.
//!
//! ```text
//! client ─▶ dispatch ─ this node's controller active? ─ yes ─▶ handler ─▶ answer
//!              │                                        no ─▶ Envelope ─▶ active controller
//!              └─ no controller in time ─▶ the same handler, which says so in its API's words
//! ```
//! A request is passed on as it came (but for defaults of a broker of the ZooKeeper era), and its
//! answer as it came back. Requests that the node makes
//! itself go by the same channel without an envelope (`controller_client`). Kafka:
//! `ForwardingManagerImpl`, `KafkaApis.forwardToController`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{BufMut, Bytes, BytesMut};
use config::BrokerConfig;
use protocol::api::{Api, ApiKey, Listener};
use protocol::messages::CreateTopicsRequest;
use protocol::wire::Decodable;

use crate::metadata::controller_client::{ControllerClient, Unanswered, encoded, no_answer};
use crate::requests::context::RequestContext;
use crate::requests::controller_access::{CallFailed, ControllerAccess};
use crate::requests::reply::{Later, Reply};
use crate::requests::throttle::{self, ThrottleTime};
use crate::zookeeper::defaults::{complete, refuses_deletion};

/// Whether requests of such an API are passed on as they came. Changes of settings, and what is
/// asked about delegation tokens, are looked at by the broker first.
pub(crate) fn takes(listener: Listener, api: &Api) -> bool {
    let looked_at = matches!(
        api.key,
        ApiKey::AlterConfigs
            | ApiKey::IncrementalAlterConfigs
            | ApiKey::CreateDelegationToken
            | ApiKey::RenewDelegationToken
            | ApiKey::ExpireDelegationToken
    );
    listener == Listener::Broker && api.forwarded && !looked_at
}

/// Has the active controller answer a request; `whole` is header and body, `body` as checked.
/// `route` hands a request to the handler of its API.
pub(crate) fn forward(
    controller: Arc<ControllerClient>,
    config: Arc<BrokerConfig>,
    context: RequestContext,
    whole: Bytes,
    body: Bytes,
    route: impl Fn(RequestContext, Bytes) -> Later + Send + 'static,
) -> Later {
    Box::pin(async move {
        if controller.is_active() {
            let (access, not_active) = ControllerAccess::noted();
            let here = RequestContext { controller: access, ..context.clone() };
            let reply = route(here, body.clone()).await;
            if !not_active.load(Ordering::Relaxed) {
                return reply;
            }
        }
        let passed_on = match in_own_terms(&config, &context, whole, &body) {
            Ok(whole) => controller.pass_on(&context, whole).await,
            Err(refused) => Err(refused.into()),
        };
        match passed_on {
            Ok(answer) => framed(&context, &answer),
            Err(Unanswered::Failed(failed)) => {
                let controller = ControllerAccess::Failed(failed);
                route(RequestContext { controller, ..context }, body).await
            }
            Err(error @ Unanswered::UnsupportedVersion(_)) => Reply::fault(error.to_string()),
        }
    })
}

/// A request as a broker of the ZooKeeper era means it, whose file says what controllers' files say
/// otherwise; any other as it came.
fn in_own_terms(
    config: &BrokerConfig,
    context: &RequestContext,
    whole: Bytes,
    body: &Bytes,
) -> Result<Bytes, CallFailed> {
    if config.zookeeper.broker().is_none() {
        return Ok(whole);
    }
    match context.api.key {
        ApiKey::DeleteTopics => match refuses_deletion(config, context.api_version) {
            Some(code) => Err(CallFailed::Refused(code)),
            None => Ok(whole),
        },
        ApiKey::CreateTopics => {
            let mut request = CreateTopicsRequest::decode(&mut body.clone(), context.api_version)
                .map_err(|error| no_answer(context, &error.to_string()))?;
            if !complete(&mut request, config) {
                return Ok(whole);
            }
            encoded(context, &request).map_err(|error| no_answer(context, &error))
        }
        _ => Ok(whole),
    }
}

/// An answer with its length in front. The sender is held back for as long as the controller or
/// this broker says, whichever is longer. Kafka: `RequestHandlerHelper.sendForwardedResponse`.
fn framed(context: &RequestContext, answer: &Bytes) -> Reply {
    let mut frame = BytesMut::with_capacity(size_of::<i32>() + answer.len());
    match i32::try_from(answer.len()) {
        Ok(length) => frame.put_i32(length),
        Err(_) => return Reply::fault("the answer is longer than a frame".to_owned()),
    }
    frame.put_slice(answer);
    let mut throttle = context.throttle();
    if throttle::begins_with_throttle_time(context.api.key)
        && let Some(field) = body_of(context, &mut frame).and_then(<[u8]>::first_chunk_mut)
    {
        throttle = throttle.max(ThrottleTime::of_ms(i32::from_be_bytes(*field)));
        *field = throttle.as_ms().to_be_bytes();
    }
    Reply::Frame(frame.freeze()).throttled(throttle)
}

/// What stands behind the length, the correlation id and the tagged fields, of which no answer has
/// any.
fn body_of<'f>(context: &RequestContext, frame: &'f mut [u8]) -> Option<&'f mut [u8]> {
    let body = frame.get_mut(2 * size_of::<i32>()..)?;
    if context.api.response_header_version(context.api_version) == 0 {
        return Some(body);
    }
    body.split_first_mut().filter(|(tags, _)| **tags == 0).map(|(_, body)| body)
}
