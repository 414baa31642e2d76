//! What this node knows of delegation tokens beside their records: what a token's HMAC is, whose an
//! HMAC is, and by what its holder logs in.
//!
//! All of it follows from `delegation.token.secret.key` and the ids in the metadata; it is worked
//! out when it is first asked for and forgotten with its token. Kafka: `DelegationTokenManager`,
//! `DelegationTokenCache`, `DelegationTokenPublisher`.

use std::collections::HashMap;

use config::BrokerConfig;
use parking_lot::Mutex;
use protocol::wire::StrBytes;
use raft::controller::principal_parts;
use raft::image::{DelegationTokensImage, MetadataImage};
use security::delegation_token::DelegationTokenKey;
use security::sasl::scram::{ScramCredential, ScramMechanism, Stored, TokenHolder};

#[derive(Debug)]
pub(crate) struct DelegationTokens {
    /// Nothing: tokens are disabled.
    key: Option<DelegationTokenKey>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    ids: HashMap<Vec<u8>, StrBytes>,
    hmacs: HashMap<StrBytes, Vec<u8>>,
    credentials: HashMap<(StrBytes, ScramMechanism), ScramCredential>,
}

/// An HMAC is a password.
impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("tokens", &self.hmacs.len()).finish_non_exhaustive()
    }
}

impl Known {
    /// Comes to know all tokens that there are, and no others.
    fn follow(&mut self, tokens: &DelegationTokensImage, key: &DelegationTokenKey) {
        self.hmacs.retain(|id, _| tokens.find(id).is_some());
        self.ids.retain(|_, id| tokens.find(id).is_some());
        for token in tokens.iter() {
            if !self.hmacs.contains_key(&token.token_id) {
                let hmac = key.hmac(&token.token_id);
                self.ids.insert(hmac.clone(), token.token_id.clone());
                self.hmacs.insert(token.token_id.clone(), hmac);
            }
        }
    }
}

impl DelegationTokens {
    pub(crate) fn new(config: &BrokerConfig) -> Self {
        let secret = config.delegation_token_secret.as_ref();
        let key = secret.and_then(|secret| DelegationTokenKey::of(secret.reveal()));
        Self { key, known: Mutex::default() }
    }

    pub(crate) fn are_enabled(&self) -> bool {
        self.key.is_some()
    }

    /// The HMAC of a token; nothing where tokens are disabled.
    pub(crate) fn hmac(&self, token_id: &str) -> Vec<u8> {
        self.key.as_ref().map(|key| key.hmac(token_id)).unwrap_or_default()
    }

    /// The id of the token that has this HMAC.
    pub(crate) fn find(&self, image: &MetadataImage, hmac: &[u8]) -> Option<StrBytes> {
        let key = self.key.as_ref()?;
        let tokens = image.delegation_tokens();
        let mut known = self.known.lock();
        if !known.ids.contains_key(hmac) {
            known.follow(tokens, key);
        }
        known.ids.get(hmac).filter(|id| tokens.find(id).is_some()).cloned()
    }

    /// By what the holder of a token logs in; `draw` makes a salt.
    pub(crate) fn stored<const N: usize>(
        &self,
        image: &MetadataImage,
        mechanism: ScramMechanism,
        token_id: &str,
        draw: impl FnOnce() -> [u8; N],
    ) -> Option<Stored> {
        let key = self.key.as_ref()?;
        let tokens = image.delegation_tokens();
        let token = tokens.find(token_id)?;
        let place = (token.token_id.clone(), mechanism);
        let known = self.known.lock().credentials.get(&place).cloned();
        let credential = known.unwrap_or_else(|| {
            // Thousands of rounds, for which nobody is held up.
            let made = key.credential(mechanism, token_id, &draw());
            let credentials = &mut self.known.lock().credentials;
            credentials.retain(|(id, _), _| tokens.find(id).is_some());
            credentials.entry(place).or_insert(made).clone()
        });
        let (_, owner) = principal_parts(&token.owner);
        let expires_at_ms = token.expiration_timestamp;
        let holder = TokenHolder { owner: owner.to_owned(), expires_at_ms };
        Some(Stored { credential, holder: Some(holder) })
    }
}

#[cfg(test)]
mod tests {
    use config::Properties;
    use protocol::records::metadata::{DelegationTokenRecord, RemoveDelegationTokenRecord};
    use raft::image::MetadataDelta;

    use super::*;

    fn tokens(more: &[(&'static str, &'static str)]) -> DelegationTokens {
        let mut properties = config::broker::zero_properties();
        properties.merge(&Properties::from_iter(more.iter().copied()));
        DelegationTokens::new(&BrokerConfig::from_properties(&properties).unwrap().0)
    }

    fn with_token(image: &MetadataImage, id: &'static str) -> MetadataImage {
        let mut delta = MetadataDelta::new(image);
        let token = DelegationTokenRecord {
            owner: "User:al:ice".into(),
            expiration_timestamp: 70,
            token_id: id.into(),
            ..Default::default()
        };
        delta.replay(&token.into()).unwrap();
        delta.after().clone()
    }

    fn without_token(image: &MetadataImage, id: &'static str) -> MetadataImage {
        let mut delta = MetadataDelta::new(image);
        let gone = RemoveDelegationTokenRecord { token_id: id.into(), ..Default::default() };
        delta.replay(&gone.into()).unwrap();
        delta.after().clone()
    }

    #[test]
    fn a_token_is_found_by_its_hmac_as_long_as_it_is_there() {
        let tokens = tokens(&[("delegation.token.secret.key", "master-secret")]);
        assert!(tokens.are_enabled());
        assert!(!format!("{tokens:?}").contains("master-secret"));
        let none = MetadataImage::default();
        assert_eq!(tokens.find(&none, &tokens.hmac("a")), None);
        let one = with_token(&none, "a");
        let two = with_token(&one, "b");
        for (image, id, expected) in
            [(&one, "a", Some("a")), (&one, "b", None), (&two, "b", Some("b")), (&none, "a", None)]
        {
            let found = tokens.find(image, &tokens.hmac(id));
            assert_eq!(found.as_ref().map(|id| id.as_str()), expected);
        }
        assert_eq!(tokens.find(&two, b"other"), None);
        let after = without_token(&two, "a");
        assert_eq!(tokens.find(&after, &tokens.hmac("a")), None);
        assert_eq!(tokens.find(&after, b"other"), None, "what is gone is forgotten");
        assert_eq!(tokens.known.lock().hmacs.len(), 1);
    }

    #[test]
    fn a_holder_logs_in_with_the_hmac_in_base64_as_the_owner() {
        let tokens = tokens(&[("delegation.token.secret.key", "master-secret")]);
        let image = with_token(&MetadataImage::default(), "a");
        for mechanism in ScramMechanism::ALL {
            let stored = |id| tokens.stored(&image, mechanism, id, || [7; 24]);
            let first = stored("a").unwrap();
            let holder = TokenHolder { owner: "al:ice".to_owned(), expires_at_ms: 70 };
            assert_eq!(first.holder, Some(holder));
            let again = tokens.stored(&image, mechanism, "a", || [8; 24]).unwrap();
            assert_eq!(first, again, "it is worked out once");
            assert_eq!(stored("b"), None);
        }
    }

    #[test]
    fn without_a_key_there_are_none() {
        for more in [&[][..], &[("delegation.token.secret.key", "")]] {
            let tokens = tokens(more);
            assert!(!tokens.are_enabled());
            let image = with_token(&MetadataImage::default(), "a");
            assert_eq!(tokens.find(&image, &tokens.hmac("a")), None);
            assert_eq!(tokens.stored(&image, ScramMechanism::Sha256, "a", || [7; 24]), None);
        }
    }
}
