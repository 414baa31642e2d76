//! Key stores and trust stores: keys with their certificates, and certificates that are trusted.
//!
//! Bytes in; nothing is written and no file is opened here. The types JKS and PKCS12 mean either
//! format, as in Java since 9, which looks at the first bytes. PEM is text.
//!
//! Kept true: whatever the bytes, reading ends with a store or a cause, soon and without panic.
//! Answers to Java's `KeyStore` as `DefaultSslEngineFactory` uses it.

mod jks;
mod pbe;
mod pem;
mod pkcs12;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::der::Malformed;
use crate::Secret;

/// A private key with the certificates that go with it, its own first.
#[derive(Debug)]
pub(super) struct KeyEntry {
    pub(super) alias: String,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) chain: Vec<CertificateDer<'static>>,
}

/// What a store holds, in its order.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) keys: Vec<KeyEntry>,
    pub(super) trusted: Vec<(String, CertificateDer<'static>)>,
}

/// ssl.keystore.type and ssl.truststore.type
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreType {
    /// JKS or PKCS12, as the first bytes say.
    Binary,
    Pem,
}

impl StoreType {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "JKS" | "PKCS12" => Some(Self::Binary),
            "PEM" => Some(Self::Pem),
            _ => None,
        }
    }
}

/// Why bytes are no store, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("keystore password was incorrect, or the file is damaged")]
    Password,
    #[error("the password of its key is another: set ssl.key.password, or mend it")]
    KeyPassword,
    #[error("its key is encrypted: set ssl.key.password")]
    KeyIsEncrypted,
    #[error("its certificates are encrypted: set its password")]
    PasswordMissing,
    #[error("it is neither a JKS nor a PKCS12 store; PEM files go by the type PEM")]
    UnknownFormat,
    #[error(
        "it is a JCEKS store, which is not read: convert it with keytool -importkeystore \
         -deststoretype PKCS12"
    )]
    Jceks,
    #[error("it is cut off or damaged: {0}")]
    Damaged(#[from] Malformed),
    #[error("it ends too early")]
    Short,
    #[error(
        "it is encrypted or sealed by {0}, which is not read: convert it with a present keytool or \
         openssl, -importkeystore or pkcs12"
    )]
    Algorithm(String),
    #[error("No matching {0} entries in PEM file")]
    NoPem(&'static str),
    #[error("Expected one private key, but found {0}")]
    SeveralKeys(usize),
    #[error("what stands in it between BEGIN and END is no base64")]
    Base64,
}

/// Reads a binary store. `key_password` is for its keys where it is another than the store's.
pub(super) fn read_binary(
    bytes: &[u8],
    password: Option<&Secret>,
    key_password: Option<&Secret>,
) -> Result<Entries, StoreError> {
    let password = password.map(Secret::reveal);
    let key_password = key_password.map(Secret::reveal).or(password);
    match bytes {
        [0xfe, 0xed, 0xfe, 0xed, rest @ ..] => jks::read(bytes, rest, password, key_password),
        [0xce, 0xce, 0xce, 0xce, ..] => Err(StoreError::Jceks),
        [0x30, ..] => pkcs12::read(bytes, password, key_password),
        _ => Err(StoreError::UnknownFormat),
    }
}

/// Reads a key and its chain from PEM, which may be one text.
pub(super) fn read_pem_key(
    key: &str,
    chain: &str,
    key_password: Option<&Secret>,
) -> Result<Entries, StoreError> {
    let key = pem::private_key(key, key_password.map(Secret::reveal))?;
    let chain = pem::certificates(chain)?;
    let entry = KeyEntry { alias: "kafka".to_owned(), key, chain };
    Ok(Entries { keys: vec![entry], trusted: Vec::new() })
}

/// Reads certificates that are to be trusted from PEM.
pub(super) fn read_pem_certificates(text: &str) -> Result<Entries, StoreError> {
    let named = pem::certificates(text)?.into_iter().enumerate();
    let trusted = named.map(|(at, certificate)| (format!("kafka{at}"), certificate)).collect();
    Ok(Entries { keys: Vec::new(), trusted })
}

#[cfg(test)]
mod tests;
