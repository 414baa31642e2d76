//! Tokens that somebody signed whose keys are known (KIP-768).
//!
//! Believed is what is signed by a key of the set, expires, says when it was made, is not too young
//! nor too old by more than the clocks may differ, and is meant for this cluster by whom it is
//! expected of. Answers to `BrokerJwtValidator` and jose4j's `JwtConsumer`.

use std::collections::HashSet;

use super::jwks::Jwks;
use super::jwt::{Claims, Jwt};
use super::signature::Algorithm;
use super::{BearerToken, Rejection, json};

/// What is asked of a token. The names of fields are those of keys below `sasl.oauthbearer.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTokens {
    /// Of the set of keys.
    pub jwks_endpoint_url: String,
    /// Empty: a token that is meant for anybody in particular is none.
    pub expected_audience: Vec<String>,
    pub expected_issuer: Option<String>,
    pub clock_skew_seconds: i64,
    pub scope_claim_name: String,
    pub sub_claim_name: String,
}

impl SignedTokens {
    pub(super) fn validate(
        &self,
        token: &str,
        keys: &Jwks,
        now_ms: i64,
    ) -> Result<BearerToken, Rejection> {
        let jwt = Jwt::parse(token.trim())?;
        verify(&jwt, keys)?;
        let claims = jwt.claims()?;
        let expires_at = self.check_times(&claims, now_ms / 1000)?;
        self.check_audience(&claims)?;
        self.check_issuer(&claims)?;
        for name in ["sub", "jti"] {
            claims.text(name)?;
        }
        self.check_scope(&claims)?;
        let name = &self.sub_claim_name;
        let subject = claims.text(name)?.map(str::trim).filter(|subject| !subject.is_empty());
        let principal = subject
            .ok_or_else(|| Rejection::invalid(format!("{name} value must be non-null")))?
            .to_owned();
        let expires_at_ms = expires_at
            .checked_mul(1000)
            .filter(|ms| *ms >= 0)
            .ok_or_else(|| Rejection::invalid("exp value must be non-negative"))?;
        Ok(BearerToken { principal, expires_at_ms })
    }

    /// When it expires.
    fn check_times(&self, claims: &Claims, now: i64) -> Result<i64, Rejection> {
        let skew = self.clock_skew_seconds;
        let missing = |name: &str| {
            Rejection::invalid(format!("No {name} claim is present, and it is asked for"))
        };
        let expires_at = claims.seconds("exp")?.ok_or_else(|| missing("exp"))?;
        let issued_at = claims.seconds("iat")?.ok_or_else(|| missing("iat"))?;
        let not_before = claims.seconds("nbf")?;
        if now.saturating_sub(skew) >= expires_at {
            return Err(Rejection::invalid("The JWT is no longer valid"));
        }
        if expires_at < issued_at || not_before.is_some_and(|at| expires_at < at) {
            return Err(Rejection::invalid("The JWT expires before it begins"));
        }
        if not_before.is_some_and(|at| now.saturating_add(skew) < at) {
            return Err(Rejection::invalid("The JWT is not yet valid"));
        }
        if issued_at < 0 {
            return Err(Rejection::invalid("iat value must be null or non-negative"));
        }
        Ok(expires_at)
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), Rejection> {
        let audience = claims.texts("aud")?;
        let expected = &self.expected_audience;
        let is_for_us = match (claims.get("aud"), expected.is_empty()) {
            (None, is_open) => is_open,
            (Some(_), true) => false,
            (Some(_), false) => {
                audience.iter().any(|own| expected.iter().any(|expected| expected == own))
            }
        };
        match is_for_us {
            true => Ok(()),
            false => Err(Rejection::invalid(format!(
                "Audience (aud) claim {audience:?} doesn't contain an acceptable identifier. \
                 Expected one of {expected:?}"
            ))),
        }
    }

    fn check_issuer(&self, claims: &Claims) -> Result<(), Rejection> {
        let issuer = claims.text("iss")?;
        match &self.expected_issuer {
            Some(expected) if issuer != Some(expected) => Err(Rejection::invalid(format!(
                "Issuer (iss) claim value ({issuer:?}) doesn't match expected value of {expected}"
            ))),
            _ => Ok(()),
        }
    }

    /// A scope decides nothing, but one that cannot be is refused.
    fn check_scope(&self, claims: &Claims) -> Result<(), Rejection> {
        let name = &self.scope_claim_name;
        let scopes = match claims.get(name) {
            Some(value) if value.is_string() || value.is_array() => claims.texts(name)?,
            _ => Vec::new(),
        };
        let mut seen = HashSet::new();
        match scopes.iter().map(|scope| scope.trim()).all(|it| !it.is_empty() && seen.insert(it)) {
            true => Ok(()),
            false => Err(Rejection::invalid(format!(
                "{name} value must be non-empty and must not contain duplicates"
            ))),
        }
    }
}

/// Whether a key of the set has signed the token.
fn verify(jwt: &Jwt<'_>, keys: &Jwks) -> Result<(), Rejection> {
    let header = |name: &str| {
        json::text(&jwt.header, name)
            .map_err(|why| Rejection::invalid(format!("the header: {why}")))
    };
    let named = header("alg")?.unwrap_or_default();
    // What is not in the list, `none` and HMAC among it, is no signature of anybody's.
    let algorithm = Algorithm::named(named)
        .ok_or_else(|| Rejection::invalid(format!("no token is signed by '{named}' here")))?;
    if jwt.header.contains_key("crit") {
        return Err(Rejection::invalid("the header has critical parts, and none is understood"));
    }
    let id = header("kid")?;
    let Some(key) = keys.select(id, algorithm) else {
        return Err(Rejection::UnknownKey(id.map(str::to_owned)));
    };
    match key.has_signed(algorithm, jwt.signed.as_bytes(), &jwt.signature) {
        true => Ok(()),
        false => Err(Rejection::invalid("JWS signature is invalid")),
    }
}
