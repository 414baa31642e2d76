//! OAUTHBEARER (RFC 7628, KIP-255): somebody shows a token that another made for it.
//!
//! ```text
//! client   n,,^Aauth=Bearer TOKEN^A[NAME=VALUE^A]...^A
//! server   nothing, and the client is known; or {"status":"invalid_token"}
//! client   ^A, to which the server says why and ends
//! ```
//!
//! ```text
//! initial_response ── server ── validator ──┬── jwt ── signature ── jwks    whom a key vouches for
//!                                           └── unsecured                   whoever says so
//!
//! login ──┬── unsecured_login                                         a client says who it is
//!         ├── a file ────────────────────────────── access_token      what it was given
//!         └── client_credentials ── token_response ─── access_token ── refresh
//! ```
//!
//! The time and the keys are handed in. A token is a secret: no text has one. Answers to
//! `OAuthBearerSaslServer`, `BrokerJwtValidator` (KIP-768) and what of jose4j they use, and to
//! `OAuthBearerLoginCallbackHandler` and `OAuthBearerRefreshingLogin`.

mod access_token;
mod client_credentials;
mod initial_response;
mod json;
mod jwks;
mod jwt;
mod login;
mod login_keys;
mod refresh;
mod server;
mod signature;
mod signed;
#[cfg(test)]
mod tests;
mod token_response;
mod unsecured;
mod unsecured_login;

pub use access_token::{AccessToken, ClaimNames};
pub use client_credentials::{ClientCredentials, Retry, TokenEndpoint, TokenRequest};
pub use initial_response::InitialResponse;
pub use jwks::{Jwks, NoJwks};
pub use login::{BearerLogin, EndpointLogin, NoToken, TokenSource, file_path};
pub use login_keys::LoginKeys;
pub use refresh::{AGAIN_AFTER_MS, RefreshSettings};
pub use server::OAuthBearerServer;
pub use signed::SignedTokens;
pub use token_response::{NoTokenYet, token_of_response};
pub use unsecured::{UnsecuredOptionError, UnsecuredTokens};
pub use unsecured_login::UnsecuredLogin;

pub(super) use server::BearerOutcome;

/// Who decides about tokens, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenValidator {
    Signed(SignedTokens),
    /// Anybody may make such a token.
    Unsecured(UnsecuredTokens),
}

/// Whom a token is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BearerToken {
    pub principal: String,
    pub expires_at_ms: i64,
}

/// Why a token is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The client hears that it is invalid; the reason is for logs.
    Invalid(String),
    /// As [`Self::Invalid`]: no key is known that the token may be signed with; its id, if it has
    /// one.
    UnknownKey(Option<String>),
    /// The client hears which scope was asked for.
    Scope(String),
    /// Kafka fails over it, and says nothing.
    Fault(String),
}

impl Rejection {
    fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }
}
