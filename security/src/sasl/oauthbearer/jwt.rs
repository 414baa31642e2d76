//! A token in its compact form (RFC 7519): header, claims, signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::Rejection;
use super::json::{self, Object};

/// A token whose signature nobody has looked at yet.
#[derive(Debug)]
pub(super) struct Jwt<'a> {
    pub(super) header: Object,
    /// What is signed: header and claims as they came.
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
    claims: Vec<u8>,
}

impl<'a> Jwt<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Rejection> {
        let malformed = || {
            Rejection::invalid(
                "Malformed JWT provided; expected three sections (header, payload, and signature)",
            )
        };
        let (signed, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        if [header, claims, signature].iter().any(|part| part.is_empty() || part.contains('.')) {
            return Err(malformed());
        }
        let decode = |part: &str| {
            let decoded = URL_SAFE_NO_PAD.decode(part);
            decoded.map_err(|_| Rejection::invalid("a section is no base64url"))
        };
        let header = json::object(&decode(header)?)
            .map_err(|why| Rejection::invalid(format!("the header: {why}")))?;
        Ok(Self { header, signed, signature: decode(signature)?, claims: decode(claims)? })
    }

    /// Believed by whoever has looked at the signature.
    pub(super) fn claims(&self) -> Result<Claims, Rejection> {
        let claims = json::object(&self.claims);
        claims.map(Claims).map_err(|why| Rejection::invalid(format!("the claims: {why}")))
    }
}

/// What a token says of whom it is of.
#[derive(Debug)]
pub(super) struct Claims(Object);

impl Claims {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A claim that is a text, if it is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Rejection> {
        let malformed = |_| {
            Rejection::invalid(format!(
                "Could not extract the '{name}' claim from the access token"
            ))
        };
        json::text(&self.0, name).map_err(malformed)
    }

    /// A claim that is a time, in whole seconds since 1970.
    pub(super) fn seconds(&self, name: &str) -> Result<Option<i64>, Rejection> {
        match self.get(name) {
            None => Ok(None),
            // As Java cuts numbers down.
            Some(Value::Number(number)) => {
                let whole = number.as_i64();
                Ok(whole.or_else(|| number.as_f64().map(|seconds| seconds as i64)))
            }
            Some(_) => Err(Rejection::invalid(format!("the claim '{name}' is no time"))),
        }
    }

    /// A claim that is a text, or several.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<&str>, Rejection> {
        let wrong = || Rejection::invalid(format!("the claim '{name}' is no list of texts"));
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(values)) => {
                values.iter().map(|value| value.as_str().ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }
}
