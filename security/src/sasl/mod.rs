//! SASL, both sides: mechanisms, JAAS sections, the order of what is said.
//!
//! ```text
//! jaas ──> plain, scram, oauthbearer, gssapi ──> server   one connection's login, and again
//!          kerberos ──────────────────┘     └──> client   what a client says
//! ```
//!
//! Random draws and time are handed in, and so is the way to credentials. Kafka:
//! `SaslServerAuthenticator`, `SaslClientAuthenticator`.

mod basic;
pub mod client;
pub mod gssapi;
pub mod jaas;
pub mod kerberos;
mod mechanism;
pub mod oauthbearer;
mod plain;
pub mod scram;
pub mod server;

pub use basic::BasicLogin;
pub use mechanism::Mechanism;
pub use plain::PlainUsers;
