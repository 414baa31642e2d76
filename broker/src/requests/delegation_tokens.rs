//! Requests about delegation tokens, as far as they are the same for all four. Kafka:
//! `KafkaApis.allowTokenRequests`, `ControllerApis.allowTokenRequests`.

use config::{BrokerConfig, SecurityProtocol};

use super::context::RequestContext;
use crate::net::authenticator::Authenticator;

/// Before it answers do not say who asked for a token.
pub(crate) const FIRST_VERSION_WITH_REQUESTER: i16 = 3;

/// Whether somebody is known well enough to ask for tokens, and did not come by one.
///
/// A request that a broker passes on was asked about there; what is known here is the broker's
/// own connection.
pub(crate) fn may_ask(config: &BrokerConfig, context: &RequestContext) -> bool {
    let client = &context.client;
    if client.by_token {
        return false;
    }
    if context.is_forwarded {
        return true;
    }
    match config.own_endpoint(&client.listener).map(|own| own.protocol) {
        None | Some(SecurityProtocol::Plaintext) => false,
        // Without a certificate of its own nobody is known by TLS.
        Some(SecurityProtocol::Ssl) => client.principal != Authenticator::anonymous(),
        Some(SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl) => true,
    }
}
