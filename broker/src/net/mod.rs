//! Sockets: accepting, reading frames, writing replies in order. Nothing here knows an API.
//!
//! ```text
//! listener ── limits ──> frames ──> serving ──> replies ──> outbox ── writev
//! ```

pub(crate) mod authenticator;
pub(crate) mod buffers;
pub(crate) mod frames;
pub(crate) mod host_address;
pub(crate) mod jwks;
pub(crate) mod kerberos;
mod kernel_copy;
pub(crate) mod limits;
pub(crate) mod listener;
pub(crate) mod log_rate_limiter;
pub(crate) mod outbox;
pub(crate) mod registry;
pub(crate) mod tls;
pub(crate) mod transport_layer;
