//! The secret that the delegation tokens of a cluster are made of (KIP-48).
//!
//! ```text
//! hmac = HMAC-SHA-512(delegation.token.secret.key, token id)
//! the holder logs in by SCRAM: its name is the id, its password the hmac in base64
//! ```
//!
//! A token is as good as its hmac, which is kept nowhere: every node that has the key makes it of
//! the id again. Kafka: `DelegationTokenManager`.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::sasl::scram::{ITERATIONS_MIN, ScramCredential, ScramMechanism};

/// `delegation.token.secret.key`; `Debug` hides it.
#[derive(Clone)]
pub struct DelegationTokenKey(hmac::Key);

impl DelegationTokenKey {
    /// Nothing of an empty text: tokens are disabled then.
    pub fn of(secret: &str) -> Option<Self> {
        let key = || Self(hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes()));
        (!secret.is_empty()).then(key)
    }

    pub fn hmac(&self, token_id: &str) -> Vec<u8> {
        hmac::sign(&self.0, token_id.as_bytes()).as_ref().to_vec()
    }

    /// What is known of the password of a token's holder.
    pub fn credential(
        &self,
        mechanism: ScramMechanism,
        token_id: &str,
        salt: &[u8],
    ) -> ScramCredential {
        let password = STANDARD.encode(self.hmac(token_id));
        let salted = mechanism.salted_password(&password, salt, ITERATIONS_MIN);
        mechanism.credential(salt, &salted, ITERATIONS_MIN)
    }
}

impl fmt::Debug for DelegationTokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DelegationTokenKey([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `DelegationTokenManager.createHmac` of 4.3.1's rule: `HmacSHA512` of the UTF-8 text.
    #[test]
    fn an_hmac_is_javas_hmac_sha512() {
        let key = DelegationTokenKey::of("key").unwrap();
        let hex: String = key
            .hmac("The quick brown fox jumps over the lazy dog")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "b42af09057bac1e2d41708e48a902e09b5ff7f12ab428a4fe86653c73dd248fb\
             82f948a549f7b791a5b41915ee4d1ec3935357e4e2317250d0372afa2ebeeb3a"
        );
    }

    #[test]
    fn there_are_no_tokens_without_a_key() {
        assert!(DelegationTokenKey::of("").is_none());
    }

    #[test]
    fn a_key_is_not_shown() {
        let key = DelegationTokenKey::of("master-secret").unwrap();
        assert_eq!(format!("{key:?}"), "DelegationTokenKey([hidden])");
    }
}
