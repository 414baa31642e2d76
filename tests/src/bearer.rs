//! An identity provider: keys, the set that publishes them, and tokens that they sign.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// One key of RSA and one of P-256.
#[derive(Debug)]
pub struct Issuer {
    name: String,
    rsa: RsaKeyPair,
    elliptic: EcdsaKeyPair,
}

/// As tokens have it.
#[must_use]
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Seconds since 1970, and so many more.
#[must_use]
pub fn seconds_from_now(more: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    i64::try_from(now.as_secs()).expect("it is before the end") + more
}

impl Issuer {
    /// One whose keys have this in their ids.
    ///
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).expect("a key is made"),
            elliptic: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .expect("a key is made"),
        }
    }

    /// The set of its public keys.
    #[must_use]
    pub fn jwks(&self) -> String {
        // Of 2048 bits: 30 82 01 0a 02 82 01 01 00 MODULUS 02 03 EXPONENT.
        let der = self.rsa.public_key().as_ref();
        let (modulus, exponent) = (&der[9..9 + 256], &der[der.len() - 3..]);
        let point = &self.elliptic.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        format!(
            r#"{{"keys":[{{"kty":"RSA","kid":"{name}-rsa","n":"{}","e":"{}"}},
            {{"kty":"EC","kid":"{name}-ec","crv":"P-256","x":"{}","y":"{}"}}]}}"#,
            base64url(modulus),
            base64url(exponent),
            base64url(x),
            base64url(y),
            name = self.name
        )
    }

    /// A token of these claims.
    ///
    /// # Panics
    /// When the algorithm is none of its own.
    #[must_use]
    pub fn sign(&self, algorithm: &str, claims: &str) -> String {
        let kind = if algorithm == "ES256" { "ec" } else { "rsa" };
        let header = format!(r#"{{"alg":"{algorithm}","kid":"{}-{kind}"}}"#, self.name);
        let message = format!("{}.{}", base64url(header), base64url(claims));
        let random = SystemRandom::new();
        let by_rsa = |encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(encoding, &random, message.as_bytes(), &mut signature).expect("signed");
            signature
        };
        let signature = match algorithm {
            "RS256" => by_rsa(&RSA_PKCS1_SHA256),
            "PS256" => by_rsa(&RSA_PSS_SHA256),
            "ES256" => {
                let signed = self.elliptic.sign(&random, message.as_bytes());
                signed.expect("signed").as_ref().to_vec()
            }
            other => panic!("{other}"),
        };
        format!("{message}.{}", base64url(signature))
    }

    /// A token of somebody for the cluster, for ten minutes.
    #[must_use]
    pub fn token(&self, user: &str) -> String {
        self.sign("RS256", &claims(user, ""))
    }
}

/// Claims of somebody for the cluster, with these in place of the usual ones.
#[must_use]
pub fn claims(user: &str, instead: &str) -> String {
    let usual = [
        ("\"sub\"", format!("\"{user}\"")),
        ("\"iss\"", "\"https://issuer\"".to_owned()),
        ("\"aud\"", "\"kafka\"".to_owned()),
        ("\"iat\"", seconds_from_now(-5).to_string()),
        ("\"exp\"", seconds_from_now(600).to_string()),
    ];
    let kept = usual.iter().filter(|(name, _)| !instead.contains(name));
    let kept = kept.map(|(name, value)| format!("{name}:{value}"));
    // What is to be absent stands there without a value.
    let more = instead.split(';').filter(|one| one.contains(':')).map(str::to_owned);
    format!("{{{}}}", kept.chain(more).collect::<Vec<_>>().join(","))
}
