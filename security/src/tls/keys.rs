//! The keys that this side shows, one of which fits what the other side can verify.
//! Answers to Java's `SunX509KeyManagerImpl`.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::TlsError;
use super::certificate::Certificate;
use super::stores::KeyEntry;

#[derive(Debug)]
pub(super) struct Keys(Vec<Arc<CertifiedKey>>);

impl Keys {
    /// Takes keys as they are; one that is none, or not its certificate's, is refused.
    pub(super) fn load(
        entries: &[KeyEntry],
        place: &str,
        provider: &CryptoProvider,
    ) -> Result<Self, TlsError> {
        let load = |entry: &KeyEntry| {
            let refused = |problem: String| TlsError::Key {
                place: place.to_owned(),
                alias: entry.alias.clone(),
                problem,
            };
            let key = provider.key_provider.load_private_key(entry.key.clone_key());
            let key = key.map_err(|_| {
                refused("it is no RSA, EC or Ed25519 key in PKCS#8, or is damaged".to_owned())
            })?;
            let own = entry.chain.first().ok_or_else(|| refused("it has no certificate".into()))?;
            let own = Certificate::parse(own)
                .map_err(|error| refused(format!("its certificate is damaged: {error}")))?;
            match key.public_key() {
                Some(public) if *public != *own.key_info => {
                    Err(refused("its certificate is another key's".to_owned()))
                }
                _ => Ok(Arc::new(CertifiedKey::new(entry.chain.clone(), key))),
            }
        };
        entries.iter().map(load).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn choose(&self, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.iter().find(|key| key.key.choose_scheme(schemes).is_some()).cloned()
    }
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(client_hello.signature_schemes())
    }
}

impl ResolvesClientCert for Keys {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.choose(schemes)
    }

    fn has_certs(&self) -> bool {
        !self.is_empty()
    }
}
