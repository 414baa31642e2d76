//! The server's side of one exchange.

use std::sync::Arc;

use super::initial_response::{InitialResponse, NoResponse};
use super::jwks::Jwks;
use super::{BearerToken, Rejection, TokenValidator};

/// What a client sends when it has read why its token is none.
const ACKNOWLEDGED: &[u8] = b"\x01";

#[derive(Debug, Default)]
pub struct OAuthBearerServer {
    /// What the client was told of its token, and why.
    error: Option<(String, Rejection)>,
}

/// What a message came to.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sasl) enum BearerOutcome {
    Proven(BearerToken),
    /// What the client hears of a token that is none, and why.
    Rejected {
        told: Vec<u8>,
        why: Rejection,
    },
    /// A text that clients get to see, and why, which is for the log.
    Refused {
        told: String,
        why: String,
    },
    /// Whose reason clients do not get to see.
    Invalid(String),
    /// Ends the connection at once.
    Fault(String),
}

impl OAuthBearerServer {
    /// Takes a message. `keys` are those of the validator's set.
    pub(in crate::sasl) fn evaluate(
        &mut self,
        message: &[u8],
        validator: &TokenValidator,
        keys: impl FnOnce(&str) -> Arc<Jwks>,
        now_ms: i64,
    ) -> BearerOutcome {
        let told = self.error.take();
        if message == ACKNOWLEDGED
            && let Some((told, why)) = told
        {
            return BearerOutcome::Refused { told, why: format!("{why:?}") };
        }
        let response = match InitialResponse::parse(message) {
            Ok(response) => response,
            Err(error @ NoResponse::OtherScheme) => return BearerOutcome::Fault(error.to_string()),
            Err(error) => return BearerOutcome::Invalid(error.to_string()),
        };
        let validated = match validator {
            TokenValidator::Signed(signed) => {
                signed.validate(&response.token, &keys(&signed.jwks_endpoint_url), now_ms)
            }
            TokenValidator::Unsecured(unsecured) => unsecured.validate(&response.token, now_ms),
        };
        match validated {
            Ok(token) => conclude(&response, token),
            Err(Rejection::Fault(why)) => BearerOutcome::Fault(why),
            Err(why) => {
                let told = match &why {
                    Rejection::Scope(scope) => {
                        format!("{{\"status\":\"insufficient_scope\", \"scope\":\"{scope}\"}}")
                    }
                    _ => "{\"status\":\"invalid_token\"}".to_owned(),
                };
                self.error = Some((told.clone(), why.clone()));
                BearerOutcome::Rejected { told: told.into_bytes(), why }
            }
        }
    }
}

/// Nobody acts for another. Whatever else was said decides nothing.
fn conclude(response: &InitialResponse, token: BearerToken) -> BearerOutcome {
    let id = &response.authorization_id;
    if id.is_empty() || *id == token.principal {
        return BearerOutcome::Proven(token);
    }
    let told = format!(
        "Authentication failed: Client requested an authorization id ({id}) that is different \
         from the token's principal name ({})",
        token.principal
    );
    BearerOutcome::Refused { told, why: "for another".to_owned() }
}
