//! SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677): both sides know the password, and neither
//! says it.
//!
//! ```text
//! client first   n,,n=USER,r=NONCE
//! server first   r=NONCE+MORE,s=SALT,i=ITERATIONS
//! client final   c=biws,r=NONCE+MORE,p=PROOF
//! server final   v=SIGNATURE
//! ```
//!
//! Each exchange has nonces of its own, of both sides, and a proof is over both: an old one proves
//! nothing. Texts are not normalized by SASLprep, as in Kafka. Answers to `ScramFormatter`,
//! `ScramMessages`, `ScramSaslServer` and `ScramSaslClient`.

mod client;
mod keys;
mod messages;
mod server;

pub use client::ScramClient;
pub use keys::{ITERATIONS_MAX, ITERATIONS_MIN, ScramCredential, ScramMechanism};
pub use server::{Decoy, Proven, ScramServer, Stored, TokenHolder};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

/// Java's decoder does not look at the bits behind the last byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Random bytes of a nonce, which has no comma as text.
pub const NONCE_BYTES: usize = 18;

/// Why an exchange came to nothing; for logs alone. A client hears that its credentials are
/// invalid, whatever it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    #[error("Invalid SCRAM {0} message format")]
    Format(&'static str),
    #[error("Authentication failed: Invalid user credentials")]
    Unknown,
    #[error("{}", super::plain::OTHER_AUTHORIZATION_ID)]
    OtherAuthorizationId,
    #[error("Token Authentication failed: Invalid tokenId")]
    UnknownToken,
    #[error("Iterations {iterations} is less than the minimum {minimum} for {mechanism}")]
    TooFewIterations { iterations: i32, minimum: i32, mechanism: &'static str },
    #[error("Invalid client nonce in the final client message.")]
    OtherNonce,
    #[error("Invalid client credentials")]
    WrongProof,
    #[error("Invalid server nonce: does not start with client nonce")]
    ServerNonce,
    #[error("Invalid server signature in server final message")]
    ServerSignature,
    #[error("Sasl authentication using {mechanism} failed with error: {error}")]
    Refused { mechanism: &'static str, error: String },
    #[error("Unexpected message after the exchange was over")]
    Over,
}

impl ScramError {
    /// Whether a client gets to see the text.
    pub(super) fn is_told(&self) -> bool {
        *self == Self::OtherAuthorizationId
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// A nonce of random bytes.
fn nonce(draw: [u8; NONCE_BYTES]) -> String {
    encode(&draw)
}
