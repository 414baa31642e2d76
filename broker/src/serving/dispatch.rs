//! From a frame to the handler of its API and back to a frame.
//!
//! A request that is not one (short header, unknown key, version or listener that does not fit,
//! counts that cannot be right) ends the connection without an answer, as in Kafka, whose
//! `SocketServer` closes on any exception while parsing. Only ApiVersions is answered whatever its
//! version.

use std::sync::Arc;

use bytes::Bytes;
use protocol::api::{ApiKey, Listener};
use protocol::frame::RequestHeader;
use protocol::shape::{self, DECODED_BUDGET};

use super::forwarding;
use crate::broker::Broker;
use crate::handlers;
use crate::handlers::records::produce;
use crate::requests::context::RequestContext;
use crate::requests::controller_access::ControllerAccess;
use crate::requests::reply::{CloseConnection, Later, Reply, encode};
use crate::requests::requester::Client;

/// A request that has been taken off the wire.
pub(crate) enum Begun {
    /// A Produce, appended already: its reply, or what the reply waits for.
    Produce(Result<Reply, Later>),
    /// What may wait for the controller's word: Produce requests behind it need not wait with it.
    Overtaken(Later),
    /// Anything else; starts when it is polled.
    Other(Later),
}

/// Parses the header and starts the request.
pub(crate) fn begin(broker: &Arc<Broker>, client: &Arc<Client>, mut frame: Bytes) -> Begun {
    let whole = frame.clone();
    let listener = broker.config.listener_kind(&client.listener);
    let header = match admitted_header(listener, broker.client_metrics.is_some(), &mut frame) {
        Ok(header) => header,
        Err(why) => return refuse(why),
    };
    if header.api.key != ApiKey::ApiVersions && !broker.policies.authorizer.is_ready_for(client) {
        // Unlike Kafka, which answers with an error that says nothing (docs/decisions/0500).
        let why = "ACLs are not loaded yet: only super users may come in".to_owned();
        let close = Reply::Close(CloseConnection::NotServing(why));
        return Begun::Other(Box::pin(std::future::ready(close)));
    }
    let context = RequestContext {
        api: header.api,
        api_version: header.api_version,
        correlation_id: header.correlation_id,
        client_id: header.client_id.clone(),
        client: Arc::clone(client),
        is_forwarded: false,
        policies: Arc::clone(&broker.policies),
        metrics: broker.request_metrics.clone(),
        controller: ControllerAccess::Here,
    };
    if header.api.key == ApiKey::Produce {
        let begun = produce::begin(
            &broker.metadata,
            &broker.replicas,
            &broker.add_partitions_to_txn,
            context,
            frame,
        );
        return match begun {
            produce::Begun::Answered(reply) => Begun::Produce(Ok(reply)),
            produce::Begun::Appended(later) => Begun::Produce(Err(later)),
            // Nothing overtakes it, or the next batch would come before the first.
            produce::Begun::Unverified(later) => Begun::Other(later),
        };
    }
    let broker = Arc::clone(broker);
    let response_version = header.response_version();
    if header.is_unsupported_api_versions() {
        let response = handlers::cluster::api_versions::unsupported_version(listener);
        // The version that it is answered in has no throttle_time_ms.
        let reply = Reply::of(encode(&context, response_version, &response));
        return Begun::Other(Box::pin(std::future::ready(reply.throttled(context.throttle()))));
    }
    match shape::check(&header, frame, DECODED_BUDGET) {
        Ok(body) if forwarding::takes(listener, context.api) => {
            let (controller, config) = (Arc::clone(&broker.controller), broker.config.current());
            let route = move |context, body| handlers::route(Arc::clone(&broker), context, body);
            Begun::Other(forwarding::forward(controller, config, context, whole, body, route))
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

fn admitted_header(
    listener: Listener,
    receiver: bool,
    frame: &mut Bytes,
) -> Result<RequestHeader, String> {
    let header = RequestHeader::parse(frame).map_err(|error| error.to_string())?;
    header.admit(listener, receiver).map_err(|error| error.to_string())?;
    Ok(header)
}

fn refuse(why: String) -> Begun {
    Begun::Other(Box::pin(std::future::ready(Reply::fault(why))))
}
