//! TLS: key stores, certificates, the names in them, and what rustls is configured with.
//!
//! ```text
//! ssl.* ── settings ──┬── stores (JKS, PKCS12, PEM) ── context ──┬── server ── session
//!   file contents ────┘                                         └── client ── session
//! a peer's certificate ── distinguished_name ── principal_mapping ── User:name
//! ```
//! Bytes in, bytes out: files are read and sockets are served by whoever calls. Passwords are in
//! [`Secret`](crate::Secret), which nothing prints. Chains are verified by webpki as rustls brings
//! it, hosts' names and what Java trusts besides by `verifier`. Answers to Kafka's `SslFactory`,
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

pub use rustls::{ClientConfig, ServerConfig};

pub use certificate::subject_name;
pub use context::{ClientContext, ReadFile, Stores, TlsContext};
pub use der::Malformed;
pub use error::TlsError;
pub use principal_mapping::{MappingError, PrincipalMapping};
pub use session::{Plain, Session, SessionError};
pub use settings::{ClientAuth, TlsSettings};
pub use stores::StoreError;
