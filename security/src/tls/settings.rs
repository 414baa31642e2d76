//! The `ssl.*` keys, read and checked by themselves, before any file is.
//!
//! Answers to `SslConfigs` and to the checks of `DefaultSslEngineFactory.createKeystore` and
//! `createTruststore`, whose words these are.

use rustls::crypto::aws_lc_rs;
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use super::stores::StoreType;
use super::{PrincipalMapping, TlsError, suites};
use crate::Secret;

/// Kafka's own classes, which ours stands for. The second logs names of expired certificates, too.
const ENGINE_FACTORIES: [&str; 2] = [
    "org.apache.kafka.common.security.ssl.DefaultSslEngineFactory",
    "org.apache.kafka.common.security.ssl.CommonNameLoggingSslEngineFactory",
];

/// ssl.client.auth
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    None,
    Requested,
    Required,
}

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    File {
        path: String,
        kind: StoreType,
        password: Option<Secret>,
    },
    /// A key and its certificates, as PEM.
    Key {
        key: Secret,
        chain: Secret,
    },
    /// Trusted certificates, as PEM.
    Certificates(Secret),
}

/// What one listener, or one client, is configured with.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    pub(super) keystore: Option<Source>,
    pub(super) key_password: Option<Secret>,
    pub(super) truststore: Option<Source>,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    pub(super) suites: Vec<SupportedCipherSuite>,
    pub(super) client_auth: ClientAuth,
    /// Whether ssl.endpoint.identification.algorithm is https.
    pub(super) verifies_host: bool,
    pub(super) mapping: PrincipalMapping,
    pub(super) allows_name_changes: bool,
    pub(super) allows_alternative_name_changes: bool,
}

impl TlsSettings {
    /// Reads the keys; `value` gives what is set for one, empty or not, with the listener's own
    /// before what holds for all.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, TlsError> {
        let set = |name: &str| value(name).filter(|text| !text.is_empty());
        let secret = |name: &str| set(name).map(Secret::new);
        let list = |name: &str| -> Vec<String> {
            let text = value(name).unwrap_or_default();
            let elements = text.split(',').map(|element| element.trim().to_owned());
            elements.filter(|element| !element.is_empty()).collect()
        };
        let class = set("ssl.engine.factory.class");
        if let Some(class) = class.filter(|class| !ENGINE_FACTORIES.contains(&class.as_str())) {
            return Err(TlsError::EngineFactory(class));
        }
        let enabled = match value("ssl.enabled.protocols") {
            Some(_) => list("ssl.enabled.protocols"),
            None => vec!["TLSv1.2".to_owned(), "TLSv1.3".to_owned()],
        };
        let versions = suites::protocols(&enabled, &set("ssl.protocol").unwrap_or_default())?;
        let named = list("ssl.cipher.suites");
        let suites = suites::suites(&named, &versions, &aws_lc_rs::default_provider())?;
        let is_true = |name: &str| set(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let algorithm = value("ssl.endpoint.identification.algorithm");
        Ok(Self {
            keystore: keystore(&set)?,
            key_password: secret("ssl.key.password"),
            truststore: truststore(&set)?,
            versions: suites::versions_of(&suites, &versions),
            suites,
            client_auth: match set("ssl.client.auth").unwrap_or_default().to_lowercase().as_str() {
                "required" => ClientAuth::Required,
                "requested" => ClientAuth::Requested,
                _ => ClientAuth::None,
            },
            verifies_host: algorithm.is_none_or(|algorithm| !algorithm.trim().is_empty()),
            mapping: PrincipalMapping::parse(
                set("ssl.principal.mapping.rules").as_deref().unwrap_or("DEFAULT"),
            )?,
            allows_name_changes: is_true("ssl.allow.dn.changes"),
            allows_alternative_name_changes: is_true("ssl.allow.san.changes"),
        })
    }

    /// The same with another ssl.client.auth: that of all listeners is none of a SASL_SSL one's.
    #[must_use]
    pub fn with_client_auth(self, client_auth: ClientAuth) -> Self {
        Self { client_auth, ..self }
    }

    /// Whose user a certificate's name is.
    pub fn principal_mapping(&self) -> &PrincipalMapping {
        &self.mapping
    }

    /// The files that the stores are in.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        [&self.keystore, &self.truststore].into_iter().filter_map(|store| match store {
            Some(Source::File { path, .. }) => Some(path.as_str()),
            _ => None,
        })
    }

    /// Whether the stores and what opens them are named as there.
    pub fn names_the_same(&self, other: &Self) -> bool {
        self.keystore == other.keystore
            && self.key_password == other.key_password
            && self.truststore == other.truststore
            && self.versions == other.versions
            && self.suites == other.suites
            && self.verifies_host == other.verifies_host
    }
}

fn refused<T>(words: impl Into<String>) -> Result<T, TlsError> {
    Err(TlsError::Combination(words.into()))
}

fn store_type(
    key: &'static str,
    set: &impl Fn(&str) -> Option<String>,
) -> Result<(String, StoreType), TlsError> {
    let name = set(key).unwrap_or_else(|| "JKS".to_owned());
    match StoreType::of(&name) {
        Some(kind) => Ok((name, kind)),
        None => Err(TlsError::StoreType { key, value: name }),
    }
}

fn keystore(set: &impl Fn(&str) -> Option<String>) -> Result<Option<Source>, TlsError> {
    let key = set("ssl.keystore.key").map(Secret::new);
    let chain = set("ssl.keystore.certificate.chain").map(Secret::new);
    let path = set("ssl.keystore.location");
    let password = set("ssl.keystore.password").map(Secret::new);
    let (name, kind) = store_type("ssl.keystore.type", set)?;
    match (key, chain, path, password) {
        (Some(_), ..) if kind != StoreType::Pem => refused(format!(
            "SSL private key can be specified only for PEM, but key store type is {name}."
        )),
        (Some(_), None, ..) => {
            refused("SSL private key is specified, but certificate chain is not specified.")
        }
        (Some(_), _, Some(_), _) => {
            refused("Both SSL key store location and separate private key are specified.")
        }
        (Some(_), _, _, Some(_)) => refused(
            "SSL key store password cannot be specified with PEM format, only key password may be \
             specified.",
        ),
        (Some(key), Some(chain), None, None) => Ok(Some(Source::Key { key, chain })),
        (None, Some(_), ..) => {
            refused("SSL certificate chain is specified, but private key is not specified")
        }
        (None, None, Some(_), Some(_)) if kind == StoreType::Pem => refused(
            "SSL key store password cannot be specified with PEM format, only key password may be \
             specified",
        ),
        (None, None, None, Some(_)) => {
            refused("SSL key store is not specified, but key store password is specified.")
        }
        (None, None, Some(_), None) if kind != StoreType::Pem => {
            refused("SSL key store is specified, but key store password is not specified.")
        }
        (None, None, Some(path), password) => Ok(Some(Source::File { path, kind, password })),
        (None, None, None, None) => Ok(None),
    }
}

fn truststore(set: &impl Fn(&str) -> Option<String>) -> Result<Option<Source>, TlsError> {
    let certificates = set("ssl.truststore.certificates").map(Secret::new);
    let path = set("ssl.truststore.location");
    let password = set("ssl.truststore.password").map(Secret::new);
    let (name, kind) = store_type("ssl.truststore.type", set)?;
    match (certificates, path, password) {
        (Some(_), ..) if kind != StoreType::Pem => refused(format!(
            "SSL trust store certs can be specified only for PEM, but trust store type is {name}."
        )),
        (Some(_), Some(_), _) => {
            refused("Both SSL trust store location and separate trust certificates are specified.")
        }
        (Some(_), None, Some(_)) => {
            refused("SSL trust store password cannot be specified for PEM format.")
        }
        (Some(certificates), None, None) => Ok(Some(Source::Certificates(certificates))),
        (None, Some(_), Some(_)) if kind == StoreType::Pem => {
            refused("SSL trust store password cannot be specified for PEM format.")
        }
        (None, None, Some(_)) => {
            refused("SSL trust store is not specified, but trust store password is specified.")
        }
        (None, Some(path), password) => Ok(Some(Source::File { path, kind, password })),
        (None, None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<TlsSettings, String> {
        let value = |name: &str| {
            let found = given.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        TlsSettings::read(value).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_that_exclude_one_another_are_refused_in_kafkas_words() {
        let pem = ("ssl.keystore.type", "PEM");
        let cases: [(&[(&str, &str)], &str); 9] = [
            (&[("ssl.keystore.key", "k")], "only for PEM, but key store type is JKS."),
            (&[pem, ("ssl.keystore.key", "k")], "certificate chain is not specified."),
            (&[("ssl.keystore.certificate.chain", "c")], "private key is not specified"),
            (&[("ssl.keystore.location", "/k")], "key store password is not specified."),
            (&[("ssl.keystore.password", "p")], "key store password is specified."),
            (&[("ssl.truststore.certificates", "c")], "but trust store type is JKS."),
            (&[("ssl.truststore.password", "p")], "trust store password is specified."),
            (&[("ssl.keystore.type", "BCFKS")], "use JKS, PKCS12 or PEM"),
            (&[("ssl.engine.factory.class", "org.example.Own")], "take it out"),
        ];
        for (given, words) in cases {
            let said = read(given).unwrap_err();
            assert!(said.contains(words), "{words} in {said}");
        }
    }

    #[test]
    fn nothing_set_is_kafkas_default_and_no_secret_is_printed() {
        let settings = read(&[]).unwrap();
        assert!(settings.verifies_host && settings.client_auth == ClientAuth::None);
        assert_eq!(settings.versions.len(), 2);
        assert!(!read(&[("ssl.endpoint.identification.algorithm", "")]).unwrap().verifies_host);
        let given = [("ssl.keystore.location", "/k"), ("ssl.keystore.password", "hunter2")];
        let settings = read(&given).unwrap();
        assert_eq!(settings.files().collect::<Vec<_>>(), ["/k"]);
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
