//! Who somebody is, what he may do, and how a connection is kept from others: decisions only.
//!
//! Nothing in here knows tasks, clocks, sockets or files: bytes, time and draws are handed in.
//!
//! - [`acl`] decides who may do what. Kafka: `StandardAuthorizer`.
//! - [`delegation_token`] makes what tokens are known by. Kafka: `DelegationTokenManager`.
//! - [`sasl`] decides who somebody is. Kafka: `SaslServerAuthenticator`, `SaslClientAuthenticator`.
//! - [`tls`] reads keys and certificates, and names the peer of a certificate. Kafka:
//!   `DefaultSslEngineFactory`, `SslPrincipalMapper`.

pub mod acl;
pub mod delegation_token;
mod java_pattern;
pub mod sasl;
mod secret;
pub mod tls;

pub use java_pattern::PatternError;
pub use secret::Secret;
