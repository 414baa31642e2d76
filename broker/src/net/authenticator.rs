//! Who the peer of a connection is, before its first request is served.
//! Kafka: `Authenticator`, `PlaintextAuthenticator`, `KafkaPrincipal`.

use std::sync::{Arc, LazyLock};

use config::BrokerConfig;
use config::broker::SaslListener;

/// Kafka's name for somebody who was not asked.
static ANONYMOUS: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("User:ANONYMOUS"));

/// How a listener finds out, by its security protocol.
#[derive(Debug, Clone)]
pub(crate) enum Authenticator {
    /// PLAINTEXT, and SSL where nobody shows a certificate: everybody is anonymous.
    Plaintext,
    /// SSL: whom the certificate names that a client showed.
    Named(Arc<str>),
    /// SASL_PLAINTEXT, SASL_SSL: whoever comes logs in.
    Sasl(SaslListener),
}

impl Authenticator {
    /// What a listener asks by its configuration as of now; nothing where nobody may come in,
    /// because it cannot be asked what must be.
    pub(crate) fn of(config: &BrokerConfig, listener: &str) -> Option<Self> {
        match config.own_endpoint(listener)?.protocol.is_sasl() {
            true => config.sasl.listener(listener).cloned().map(Self::Sasl),
            false => Some(Self::Plaintext),
        }
    }

    /// The principal of a connection before anybody has logged in.
    pub(crate) fn first_principal(&self) -> Arc<str> {
        match self {
            Self::Named(principal) => Arc::clone(principal),
            Self::Plaintext | Self::Sasl(_) => Self::anonymous(),
        }
    }

    /// Kafka's name for somebody who was not asked, in its form `type:name`.
    pub(crate) fn anonymous() -> Arc<str> {
        Arc::clone(&ANONYMOUS)
    }

    /// The principal of somebody who logged in by this name.
    pub(crate) fn user(name: &str) -> Arc<str> {
        Arc::from(format!("User:{name}"))
    }
}
