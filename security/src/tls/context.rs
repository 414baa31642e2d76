//! What connections are made with: settings and the stores they name, as rustls wants them.
//!
//! A context is never changed; another takes its place (`replacement`). Answers to
//! `DefaultSslEngineFactory`.

use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, IpAddr, ServerName};
use rustls::{ClientConfig, ServerConfig};

use super::keys::Keys;
use super::settings::Source;
use super::stores::{self, Entries, StoreError, StoreType};
use super::verifier::Verifier;
use super::{ClientAuth, Session, TlsError, TlsSettings};
use crate::Secret;

/// Where Linux systems keep the certificates that everybody trusts.
const SYSTEM_TRUST: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// How a file is read.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> io::Result<Vec<u8>>;

/// What the stores of one context hold.
#[derive(Debug)]
pub struct Stores {
    pub(super) keys: Option<Entries>,
    keys_place: String,
    /// Nothing where ssl.truststore.* is not set.
    pub(super) trusted: Option<Vec<CertificateDer<'static>>>,
    trusted_place: String,
    /// What everybody trusts, where it was found and is needed.
    system: Vec<CertificateDer<'static>>,
}

impl Stores {
    pub fn read(settings: &TlsSettings, read: ReadFile<'_>) -> Result<Self, TlsError> {
        let key_password = settings.key_password.as_ref();
        let keys = match &settings.keystore {
            None => None,
            Some(source) => Some(read_keys(source, key_password, read)?),
        };
        let trusted = match &settings.truststore {
            None => None,
            Some(source) => {
                let Entries { keys, trusted } = read_trusted(source, read)?;
                let trusted = trusted.into_iter().map(|(_, certificate)| certificate);
                // Java trusts the certificates of a trust store's own keys, too.
                let own = keys.into_iter().filter_map(|key| key.chain.into_iter().next());
                Some(trusted.chain(own).collect())
            }
        };
        let system = match trusted {
            Some(_) => Vec::new(),
            None => read_system(read),
        };
        Ok(Self {
            keys,
            keys_place: place(settings.keystore.as_ref(), "ssl.keystore.location"),
            trusted,
            trusted_place: place(settings.truststore.as_ref(), "ssl.truststore.location"),
            system,
        })
    }

    fn keys(&self, provider: &CryptoProvider) -> Result<Keys, TlsError> {
        let entries = self.keys.as_ref().map_or(&[][..], |entries| &entries.keys);
        Keys::load(entries, &self.keys_place, provider)
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
        verifies_host: bool,
        is_optional: bool,
    ) -> Result<Arc<Verifier>, TlsError> {
        let trusted = self.trusted.as_ref().unwrap_or(&self.system);
        if self.trusted.is_none() && trusted.is_empty() {
            return Err(TlsError::NoSystemTrust);
        }
        let place = &self.trusted_place;
        Verifier::new(trusted, place, provider, verifies_host, is_optional).map(Arc::new)
    }
}

fn place(source: Option<&Source>, key: &str) -> String {
    match source {
        Some(Source::File { path, .. }) => format!("in {path}"),
        Some(Source::Key { .. }) => "in ssl.keystore.key".to_owned(),
        Some(Source::Certificates(_)) => "in ssl.truststore.certificates".to_owned(),
        None => format!("without {key}"),
    }
}

fn read_file(key: &'static str, path: &str, read: ReadFile<'_>) -> Result<Vec<u8>, TlsError> {
    read(path).map_err(|error| TlsError::Unreadable {
        key,
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn read_keys(
    source: &Source,
    key_password: Option<&Secret>,
    read: ReadFile<'_>,
) -> Result<Entries, TlsError> {
    let entries = match source {
        Source::File { path, kind, password } => {
            let bytes = read_file("ssl.keystore.location", path, read)?;
            match kind {
                StoreType::Binary => stores::read_binary(&bytes, password.as_ref(), key_password),
                StoreType::Pem => {
                    let text = String::from_utf8_lossy(&bytes);
                    stores::read_pem_key(&text, &text, key_password)
                }
            }
        }
        Source::Key { key, chain } => {
            stores::read_pem_key(key.reveal(), chain.reveal(), key_password)
        }
        Source::Certificates(_) => Err(StoreError::NoPem("PRIVATE KEY")),
    };
    named(entries, source, "ssl.keystore.location")
}

fn read_trusted(source: &Source, read: ReadFile<'_>) -> Result<Entries, TlsError> {
    let entries = match source {
        Source::File { path, kind, password } => {
            let bytes = read_file("ssl.truststore.location", path, read)?;
            match kind {
                StoreType::Binary => stores::read_binary(&bytes, password.as_ref(), None),
                StoreType::Pem => stores::read_pem_certificates(&String::from_utf8_lossy(&bytes)),
            }
        }
        Source::Certificates(text) => stores::read_pem_certificates(text.reveal()),
        Source::Key { .. } => Err(StoreError::NoPem("CERTIFICATE")),
    };
    named(entries, source, "ssl.truststore.location")
}

fn named(
    entries: Result<Entries, StoreError>,
    source: &Source,
    key: &str,
) -> Result<Entries, TlsError> {
    entries.map_err(|reason| {
        let place = place(Some(source), key);
        let place = place.strip_prefix("in ").unwrap_or_default().to_owned();
        TlsError::Store { place, reason }
    })
}

fn read_system(read: ReadFile<'_>) -> Vec<CertificateDer<'static>> {
    let texts = SYSTEM_TRUST.iter().filter_map(|path| read(path).ok());
    let mut read = texts
        .filter_map(|bytes| stores::read_pem_certificates(&String::from_utf8_lossy(&bytes)).ok());
    let entries = read.next().unwrap_or_default();
    entries.trusted.into_iter().map(|(_, certificate)| certificate).collect()
}

/// One listener's TLS, or one client's.
#[derive(Debug)]
pub struct TlsContext {
    pub(super) settings: TlsSettings,
    pub(super) stores: Stores,
    provider: Arc<CryptoProvider>,
}

impl TlsContext {
    pub fn load(settings: TlsSettings, read: ReadFile<'_>) -> Result<Self, TlsError> {
        let stores = Stores::read(&settings, read)?;
        let provider = CryptoProvider {
            cipher_suites: settings.suites.clone(),
            ..aws_lc_rs::default_provider()
        };
        Ok(Self { settings, stores, provider: Arc::new(provider) })
    }

    pub fn settings(&self) -> &TlsSettings {
        &self.settings
    }

    /// What a listener greets with.
    pub fn server(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let keys = self.stores.keys(&self.provider)?;
        if keys.is_empty() {
            return Err(TlsError::NoKey { place: self.stores.keys_place.clone() });
        }
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&self.settings.versions)
            .map_err(library)?;
        let builder = match self.settings.client_auth {
            ClientAuth::None => builder.with_no_client_auth(),
            asked => {
                let is_optional = asked == ClientAuth::Requested;
                let verifier = self.stores.verifier(&self.provider, false, is_optional)?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        Ok(Arc::new(builder.with_cert_resolver(Arc::new(keys))))
    }

    /// What connects with it, verifying hosts as the settings say.
    pub fn client(&self) -> Result<Arc<ClientConfig>, TlsError> {
        self.client_verifying(self.settings.verifies_host)
    }

    pub(super) fn client_verifying(
        &self,
        verifies_host: bool,
    ) -> Result<Arc<ClientConfig>, TlsError> {
        let keys = self.stores.keys(&self.provider)?;
        let verifier = self.stores.verifier(&self.provider, verifies_host, true)?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&self.settings.versions)
            .map_err(library)?;
        // Verified by webpki and by what Java trusts besides: `verifier`.
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        Ok(Arc::new(match keys.is_empty() {
            true => builder.with_no_client_auth(),
            false => builder.with_client_cert_resolver(Arc::new(keys)),
        }))
    }
}

fn library(error: rustls::Error) -> TlsError {
    TlsError::Library(error.to_string())
}

/// What outgoing connections are made with; may be replaced while it is used.
#[derive(Debug)]
pub struct ClientContext(ArcSwap<ClientConfig>);

impl ClientContext {
    pub fn new(config: Arc<ClientConfig>) -> Self {
        Self(ArcSwap::new(config))
    }

    /// Connections from now on are made with this.
    pub fn replace(&self, config: Arc<ClientConfig>) {
        self.0.store(config);
    }

    /// The client's side of a connection to a host, by the name or address it was given as.
    pub fn session(&self, host: &str) -> Result<Session, TlsError> {
        let name = match host.parse::<std::net::IpAddr>() {
            Ok(address) => ServerName::IpAddress(IpAddr::from(address)),
            Err(_) => ServerName::try_from(host.to_owned())
                .map_err(|_| TlsError::HostName(host.to_owned()))?,
        };
        Session::client(self.0.load_full(), name)
    }
}
