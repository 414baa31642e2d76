//! What a client says of itself in a token that nobody signs (KIP-255).
//!
//! Answers to `OAuthBearerUnsecuredLoginCallbackHandler`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::jaas::Login;
use super::NoToken;

const UNSECURED: &str = "unsecuredLogin";
const LIFETIME_SECONDS: i64 = 3600;

/// Claims that a client makes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsecuredLogin {
    claims: BTreeMap<String, Value>,
    lifetime_seconds: i64,
}

impl UnsecuredLogin {
    pub(super) fn of(login: &Login) -> Result<Self, NoToken> {
        let option = |name: &str| login.option(&format!("{UNSECURED}{name}"));
        let mut claims = BTreeMap::new();
        for (name, value) in &login.options {
            let Some(kind) = name.strip_prefix(UNSECURED) else { continue };
            let Some((kind, claim)) = kind.split_once('_').filter(|(_, claim)| !claim.is_empty())
            else {
                continue;
            };
            let value = value.reveal();
            let value = match kind {
                "StringClaim" => json!(value),
                "NumberClaim" => match value.trim().parse::<f64>() {
                    Ok(number) if number.is_finite() => json!(number),
                    _ => return Err(NoToken::NoNumber(name.clone())),
                },
                "ListClaim" => json!(elements(value)),
                _ => continue,
            };
            if ["iat", "exp"].contains(&claim) {
                return Err(NoToken::ReservedClaim(claim.to_owned()));
            }
            claims.insert(claim.to_owned(), value);
        }
        let principal = option("PrincipalClaimName").map(|name| name.reveal().trim());
        let principal = principal.filter(|name| !name.is_empty()).unwrap_or("sub");
        let named = claims.get(principal).and_then(Value::as_str);
        if named.is_none_or(|name| name.trim().is_empty()) {
            return Err(NoToken::NoPrincipal(principal.to_owned()));
        }
        let lifetime_seconds = match option("LifetimeSeconds") {
            None => LIFETIME_SECONDS,
            Some(text) => {
                let whole = text.reveal().parse();
                whole.map_err(|_| NoToken::NoNumber(format!("{UNSECURED}LifetimeSeconds")))?
            }
        };
        Ok(Self { claims, lifetime_seconds })
    }

    /// A token that says who this is, and is signed by nobody.
    pub fn token(&self, now_ms: i64) -> String {
        let now = now_ms as f64 / 1000.0;
        let mut claims = self.claims.clone();
        claims.insert("iat".to_owned(), json!(now));
        claims.insert("exp".to_owned(), json!(now + self.lifetime_seconds as f64));
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", encode(&json!({"alg": "none"})), encode(&json!(claims)))
    }
}

/// The first letter of a list is what stands between its elements.
fn elements(list: &str) -> Vec<&str> {
    let mut letters = list.chars();
    match letters.next() {
        Some(delimiter) if !letters.as_str().is_empty() => {
            letters.as_str().split(delimiter).collect()
        }
        _ => Vec::new(),
    }
}
