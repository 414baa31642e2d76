//! Why there is no TLS with a configuration, by cause, with what to do. Kafka's words where it has
//! some. Each is a single line, and none has a secret in it.

use super::principal_mapping::MappingError;
use super::stores::StoreError;

/// A configuration of TLS that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// Keys that exclude one another, in Kafka's words.
    #[error("{0}")]
    Combination(String),
    #[error("{key}={value} is no type of store: use JKS, PKCS12 or PEM")]
    StoreType { key: &'static str, value: String },
    #[error("Failed to load SSL keystore {path}: {reason} ({key})")]
    Unreadable { key: &'static str, path: String, reason: String },
    #[error("Failed to load SSL keystore {place}: {reason}")]
    Store { place: String, reason: StoreError },
    #[error(
        "There is no private key {place}: a server needs one with its certificate in \
         ssl.keystore.location, or in ssl.keystore.key and ssl.keystore.certificate.chain"
    )]
    NoKey { place: String },
    #[error("The key {alias} in {place} cannot be used: {problem}")]
    Key { place: String, alias: String, problem: String },
    #[error(
        "Nobody is trusted {place}: there is no trusted certificate in it. Import one with keytool \
         -importcert, or name a PEM file with ssl.truststore.type=PEM"
    )]
    NoTrust { place: String },
    #[error(
        "There is no ssl.truststore.location, and no certificates of the system were found: name a \
         trust store"
    )]
    NoSystemTrust,
    #[error("{key}={value}: {name} is not spoken; there are {known}")]
    Unspoken { key: &'static str, value: String, name: String, known: String },
    #[error("None of the suites in ssl.cipher.suites={0} goes with ssl.enabled.protocols")]
    NothingSpoken(String),
    #[error(
        "ssl.engine.factory.class={0} is a Java class, which no JVM is here to load: take it out"
    )]
    EngineFactory(String),
    #[error("{0}")]
    Mapping(#[from] MappingError),
    #[error(
        "A client SSLEngine created with the provided settings can't connect to a server SSLEngine \
         created with those settings: {0}"
    )]
    Handshake(String),
    #[error(
        "Cannot add SSL keystore to an existing listener for which no keystore was configured."
    )]
    KeystoreAdded,
    #[error(
        "Cannot remove the SSL keystore from an existing listener for which a keystore was \
         configured."
    )]
    KeystoreRemoved,
    #[error(
        "Cannot add SSL truststore to an existing listener for which no truststore was configured."
    )]
    TruststoreAdded,
    #[error(
        "Keystore entries do not match, existing store contains {existing} entries, new store \
         contains {new} entries"
    )]
    Entries { existing: usize, new: usize },
    #[error(
        "Keystore DistinguishedName does not match:  existing={{{existing}}}, new={{{new}}} \
         (ssl.allow.dn.changes=true allows it)"
    )]
    DistinguishedName { existing: String, new: String },
    #[error(
        "Keystore SubjectAltNames do not match:  existing={{{existing}}}, new={{{new}}} \
         (ssl.allow.san.changes=true allows it)"
    )]
    AlternativeNames { existing: String, new: String },
    #[error("{0} is no host's name")]
    HostName(String),
    #[error("TLS cannot be set up: {0}")]
    Library(String),
}
