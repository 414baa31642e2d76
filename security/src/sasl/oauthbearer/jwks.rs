//! Sets of public keys (RFC 7517), and which of them a signature is looked at with.
//!
//! A key that is not understood is passed over. Unlike jose4j, secret keys are too: whoever can
//! read a set could sign with them (docs/decisions/0525). Answers to jose4j's `JsonWebKeySet` and
//! `VerificationJwkSelector`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::json::{self, Object};
use super::signature::{Algorithm, Curve, KeyType, PublicKey};

/// A key, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Jwk {
    id: Option<String>,
    algorithm: Option<String>,
    key: PublicKey,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jwks(Vec<Jwk>);

/// Why a text is no set of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoJwks {
    #[error("{0}")]
    Malformed(&'static str),
    #[error("The JWKS JSON content does not include the keys member.")]
    NoKeys,
}

impl Jwks {
    pub fn parse(bytes: &[u8]) -> Result<Self, NoJwks> {
        let set = json::object(bytes).map_err(NoJwks::Malformed)?;
        let Some(Value::Array(keys)) = set.get("keys") else { return Err(NoJwks::NoKeys) };
        Ok(Self(keys.iter().filter_map(Value::as_object).filter_map(Jwk::read).collect()))
    }

    /// How many keys were understood.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that a signature of this algorithm, by the key of this id, is looked at with.
    pub(super) fn select(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&PublicKey> {
        let is_meant = |jwk: &&Jwk| {
            id.is_none_or(|id| jwk.id.as_deref() == Some(id))
                && jwk.key.key_type() == algorithm.key_type()
        };
        let mut found: Vec<&Jwk> = self.0.iter().filter(is_meant).collect();
        if found.len() > 1 {
            let own = algorithm.name();
            found.retain(|jwk| jwk.algorithm.as_deref().is_none_or(|named| named == own));
        }
        if found.len() > 1
            && let KeyType::EllipticCurve = algorithm.key_type()
        {
            found.retain(|jwk| jwk.key.curve() == algorithm.curve());
        }
        found.first().map(|jwk| &jwk.key)
    }
}

impl Jwk {
    fn read(object: &Object) -> Option<Self> {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
        if text("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        if let Some(operations) = object.get("key_ops").and_then(Value::as_array)
            && !operations.iter().any(|operation| operation == "verify")
        {
            return None;
        }
        let key = match text("kty")? {
            "RSA" => PublicKey::Rsa { modulus: number("n")?, exponent: number("e")? },
            "EC" => {
                let curve = Curve::named(text("crv")?)?;
                PublicKey::elliptic(curve, &number("x")?, &number("y")?)?
            }
            _ => return None,
        };
        let own = |name: &str| text(name).map(str::to_owned);
        Some(Self { id: own("kid"), algorithm: own("alg"), key })
    }
}
