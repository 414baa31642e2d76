//! TLS: key stores, certificates, the names in them, and what rustls is configured with.
//!
//! ```text
//! ssl.* ── settings ──┬── stores (JKS, PKCS12, PEM) ── context ──┬── server ── session
//!   file contents ────┘                                         └── client ── session
//! a peer's certificate ── distinguished_name ── principal_mapping ── User:name
//! ```
//! Bytes in, bytes out: files are read and sockets are served by whoever calls. Secrets are in
//! [`Password`], which nothing prints. Chains are verified by webpki as rustls brings it, hosts'
//! names and what Java trusts besides by `verifier`. Answers to Kafka's `SslFactory`,
//! `DefaultSslEngineFactory` and `SslPrincipalMapper`.

mod certificate;
mod context;
#[cfg(test)]
mod context_test;
mod der;
mod distinguished_name;
mod error;
mod host_name;
mod keys;
mod principal_mapping;
mod replacement;
mod session;
mod settings;
mod stores;
mod suites;
mod verifier;

use std::fmt;

pub use rustls::{ClientConfig, ServerConfig};

pub use certificate::subject_name;
pub use context::{ClientContext, ReadFile, Stores, TlsContext};
pub use der::Malformed;
pub use error::TlsError;
pub use principal_mapping::{MappingError, PrincipalMapping};
pub use session::{Plain, Session, SessionError};
pub use settings::{ClientAuth, TlsSettings};
pub use stores::StoreError;

/// A secret of the configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
