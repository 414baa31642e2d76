//! Who the peer of a connection is, before its first request is served.
//! Kafka: `Authenticator`, `PlaintextAuthenticator`, `KafkaPrincipal`.

use std::sync::{Arc, LazyLock};

/// Kafka's name for somebody who was not asked.
static ANONYMOUS: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("User:ANONYMOUS"));

/// How a listener finds out, by its security protocol.
#[derive(Debug, Clone)]
pub(crate) enum Authenticator {
    /// PLAINTEXT, and SSL where nobody shows a certificate: everybody is anonymous.
    Plaintext,
    /// SSL: whom the certificate names that a client showed.
    Named(Arc<str>),
}

impl Authenticator {
    /// The principal of a connection, in Kafka's form `type:name`.
    pub(crate) fn principal(&self) -> Arc<str> {
        match self {
            Self::Plaintext => Arc::clone(&ANONYMOUS),
            Self::Named(principal) => Arc::clone(principal),
        }
    }
}
