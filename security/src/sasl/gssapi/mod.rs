//! GSSAPI (RFC 4752): Kerberos, one token at a time, over security contexts that somebody else
//! hosts.
//!
//! ```text
//! client                                server
//! context token       ─────────────▶    SecurityContext::step
//!    ...              ◀─────────────    context token; the context is established
//! (empty)             ─────────────▶
//!                     ◀─────────────    wrapped: which security layers, and 64 KiB
//! wrapped: no layer   ─────────────▶    the peer is proven
//! ```
//!
//! No security layer is offered and none is chosen: what is encrypted is so by TLS. Calls into a
//! [`SecurityContext`] read files and ask servers: whoever makes them does so where waiting costs
//! nobody else anything. Kafka hosts the JDK's `GssKrb5Server` and `GssKrb5Client`.

mod client;
mod security_layer;
mod server;

pub use client::{GssapiClient, Initiated};
pub use server::{Accepted, GssapiServer};

use std::fmt;

use super::kerberos::{KerberosLogin, PrincipalToLocalRules};

/// Why a security context went no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct GssError {
    pub text: String,
    /// It may be gone at the next try: a clock that is a little behind, a replay that was none.
    pub is_retriable: bool,
}

impl GssError {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_retriable: false }
    }
}

/// One side's security context (RFC 2743). Messages are wrapped without being encrypted.
pub trait SecurityContext: Send {
    /// Takes a token of the other side, empty for the very first; what it is answered, if anything.
    fn step(&mut self, token: &[u8]) -> Result<Option<Vec<u8>>, GssError>;
    fn is_established(&self) -> bool;
    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, GssError>;
    fn unwrap(&mut self, message: &[u8]) -> Result<Vec<u8>, GssError>;
    /// The name of who initiated it.
    fn initiator(&self) -> Result<String, GssError>;
}

impl fmt::Debug for dyn SecurityContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityContext").finish_non_exhaustive()
    }
}

/// What a listener is to those who log in by Kerberos, and who they are to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KerberosListener {
    pub login: KerberosLogin,
    pub rules: PrincipalToLocalRules,
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::VecDeque;

    use super::{GssError, SecurityContext};

    /// A context that answers what it was told to, and is established after the last of it. What it
    /// wraps stands in parentheses.
    pub(crate) struct Scripted {
        steps: VecDeque<Option<Vec<u8>>>,
        pub(crate) is_retriable: bool,
    }

    pub(crate) fn scripted(steps: &[Option<&[u8]>]) -> Scripted {
        let steps = steps.iter().map(|step| step.map(<[u8]>::to_vec)).collect();
        Scripted { steps, is_retriable: false }
    }

    impl Scripted {
        fn failure(&self, text: &str) -> GssError {
            GssError { text: text.to_owned(), is_retriable: self.is_retriable }
        }
    }

    impl SecurityContext for Scripted {
        fn step(&mut self, _: &[u8]) -> Result<Option<Vec<u8>>, GssError> {
            self.steps.pop_front().ok_or_else(|| self.failure("no more steps"))
        }
        fn is_established(&self) -> bool {
            self.steps.is_empty()
        }
        fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, GssError> {
            Ok([b"(", message, b")"].concat())
        }
        fn unwrap(&mut self, message: &[u8]) -> Result<Vec<u8>, GssError> {
            let inner = message.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
            inner.map(<[u8]>::to_vec).ok_or_else(|| self.failure("not wrapped by this context"))
        }
        fn initiator(&self) -> Result<String, GssError> {
            Ok("alice@EX".to_owned())
        }
    }
}
