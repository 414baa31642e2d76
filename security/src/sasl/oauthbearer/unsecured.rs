//! Tokens that nobody signed: whoever comes is who he says. For development alone, where a node's
//! file says so by the name of the class.
//!
//! Answers to `OAuthBearerUnsecuredValidatorCallbackHandler`, whose options are those of the login
//! module, and `OAuthBearerUnsecuredJws`.

use std::collections::HashMap;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::super::jaas::Login;
use super::{BearerToken, Rejection};

/// Java takes padding or none, and any bits behind the last byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why the options of a login module are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsecuredOptionError {
    #[error("unsecuredValidatorAllowableClockSkewMs={0} is no number of milliseconds from 0 up")]
    ClockSkew(String),
    #[error("unsecuredValidatorRequiredScope={0} has what no scope has")]
    Scope(String),
}

/// What is asked of a token, by the options `unsecuredValidator...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsecuredTokens {
    principal_claim_name: String,
    scope_claim_name: String,
    required_scope: Vec<String>,
    allowable_clock_skew_ms: i32,
}

impl UnsecuredTokens {
    pub fn of(login: &Login) -> Result<Self, UnsecuredOptionError> {
        let option = |name: &str| {
            let value = login.option(&format!("unsecuredValidator{name}"));
            value.map(|value| value.reveal().trim().to_owned()).filter(|value| !value.is_empty())
        };
        let skew = option("AllowableClockSkewMs").unwrap_or_else(|| "0".to_owned());
        let allowable_clock_skew_ms = skew.parse().ok().filter(|ms| *ms >= 0);
        let scope = option("RequiredScope").unwrap_or_default();
        let required_scope: Vec<String> =
            scope.split(' ').filter(|item| !item.is_empty()).map(str::to_owned).collect();
        let is_of_scope = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if !required_scope.iter().all(|item| item.bytes().all(is_of_scope)) {
            return Err(UnsecuredOptionError::Scope(scope));
        }
        Ok(Self {
            principal_claim_name: option("PrincipalClaimName").unwrap_or_else(|| "sub".to_owned()),
            scope_claim_name: option("ScopeClaimName").unwrap_or_else(|| "scope".to_owned()),
            required_scope,
            allowable_clock_skew_ms: allowable_clock_skew_ms
                .ok_or(UnsecuredOptionError::ClockSkew(skew))?,
        })
    }

    pub(super) fn validate(&self, token: &str, now_ms: i64) -> Result<BearerToken, Rejection> {
        let claims = claims_of(token)?;
        let name = &self.principal_claim_name;
        let principal = match claims.get(name) {
            Some(Claim::Text(text)) if !text.trim().is_empty() => text.clone(),
            _ => return Err(Rejection::invalid(format!("No principal name in JWT claim: {name}"))),
        };
        let scope = self.scope(&claims)?;
        let skew_ms = f64::from(self.allowable_clock_skew_ms);
        let now_ms = now_ms as f64;
        let expires_at = seconds(&claims, "exp")?
            .ok_or_else(|| Rejection::invalid("No expiration time in JWT"))?;
        let issued_at = seconds(&claims, "iat")?;
        if issued_at.is_some_and(|at| 1000.0 * at > now_ms + skew_ms) {
            return Err(Rejection::invalid("The Issued At value was after the indicated time"));
        }
        if now_ms - skew_ms >= 1000.0 * expires_at {
            return Err(Rejection::invalid("The token has expired"));
        }
        if issued_at.is_some_and(|at| expires_at <= at) {
            let why = "The Expiration Time time was not after the Issued At time";
            return Err(Rejection::invalid(why));
        }
        if !self.required_scope.iter().all(|required| scope.contains(required)) {
            return Err(Rejection::Scope(format!("[{}]", self.required_scope.join(", "))));
        }
        Ok(BearerToken { principal, expires_at_ms: (expires_at * 1000.0).round() as i64 })
    }

    /// A text is one scope, whatever is in it, as in Kafka.
    fn scope(&self, claims: &HashMap<String, Claim>) -> Result<Vec<String>, Rejection> {
        let named = |texts: &[String]| {
            let trimmed = texts.iter().map(|text| text.trim().to_owned());
            trimmed.filter(|text| !text.is_empty()).collect()
        };
        match claims.get(&self.scope_claim_name) {
            None => Ok(Vec::new()),
            Some(Claim::Text(text)) => Ok(named(std::slice::from_ref(text))),
            Some(Claim::Texts(texts)) => Ok(named(texts)),
            Some(Claim::Number(_)) => Err(Rejection::invalid("the scope is a number")),
        }
    }
}

/// A claim as Kafka sees it: what is no number or list is a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Claim {
    Text(String),
    Number(f64),
    Texts(Vec<String>),
}

fn claims_of(token: &str) -> Result<HashMap<String, Claim>, Rejection> {
    let malformed = |why: &str| Rejection::invalid(why.to_owned());
    if token.contains("..") {
        return Err(malformed("Malformed compact serialization contains '..'"));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return Err(malformed(
            "Unsecured JWS compact serializations must have 3 dot-separated Base64URL-encoded \
             values",
        ));
    };
    let (header, claims) = (members(header)?, members(claims)?);
    match header.get("alg") {
        // Kafka trips over it.
        None => return Err(Rejection::Fault("JWS header must have an Algorithm value".to_owned())),
        Some(Claim::Text(algorithm)) if algorithm == "none" => {}
        Some(_) => return Err(malformed("Unsecured JWS must have 'none' for an algorithm")),
    }
    match signature.is_empty() {
        true => Ok(claims),
        false => Err(malformed("Unsecured JWS must not contain a digital signature")),
    }
}

pub(super) fn members(part: &str) -> Result<HashMap<String, Claim>, Rejection> {
    let bytes = BASE64
        .decode(part)
        .map_err(|_| Rejection::invalid("malformed Base64 URL encoded value"))?;
    if bytes.is_empty() {
        return Ok(HashMap::new());
    }
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|_| Rejection::invalid("malformed JSON"))?;
    let Value::Object(object) = value else { return Ok(HashMap::new()) };
    let claim = |value: Value| match value {
        Value::Number(number) => Claim::Number(number.as_f64().unwrap_or(f64::MAX)),
        Value::Array(values) => Claim::Texts(values.iter().map(text_of).collect()),
        value => Claim::Text(text_of(&value)),
    };
    Ok(object.into_iter().map(|(name, value)| (name, claim(value))).collect())
}

/// Jackson's `asText`.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => String::new(),
        value => value.to_string(),
    }
}

fn seconds(claims: &HashMap<String, Claim>, name: &str) -> Result<Option<f64>, Rejection> {
    match claims.get(name) {
        None => Ok(None),
        Some(Claim::Number(number)) => Ok(Some(*number)),
        Some(_) => Err(Rejection::invalid(format!("The '{name}' claim was not of type Number"))),
    }
}
