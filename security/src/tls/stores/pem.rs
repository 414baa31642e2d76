//! Certificates and keys as text (RFC 7468), as loosely as Kafka reads it: on one line or many,
//! with anything before, between and behind, headers below BEGIN left out.
//!
//! Unlike Kafka: keys of PKCS#1 and SEC1 (`BEGIN RSA PRIVATE KEY`) are read, too.
//! Answers to `DefaultSslEngineFactory.PemParser`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::pki_types::{PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::super::der::{Reader, tag};
use super::{StoreError, pkcs12};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// What stands between BEGIN and END.
struct Section<'a> {
    label: &'a str,
    bytes: Vec<u8>,
}

/// All sections whose label ends in `kind`.
fn sections<'a>(text: &'a str, kind: &'static str) -> Result<Vec<Section<'a>>, StoreError> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once(BEGIN) {
        let Some((label, behind)) = behind.split_once(DASHES) else { break };
        let Some((body, behind)) = behind.split_once(END) else { break };
        rest = behind;
        if !label.trim().ends_with(kind) {
            continue;
        }
        let lines = body.lines().filter(|line| !line.contains(':'));
        let digits: String =
            lines.flat_map(|line| line.chars().filter(|one| !one.is_whitespace())).collect();
        let bytes = STANDARD.decode(digits).map_err(|_| StoreError::Base64)?;
        found.push(Section { label: label.trim(), bytes });
    }
    if found.is_empty() { Err(StoreError::NoPem(kind)) } else { Ok(found) }
}

pub(super) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let sections = sections(text, "CERTIFICATE")?;
    Ok(sections.into_iter().map(|section| CertificateDer::from(section.bytes)).collect())
}

pub(super) fn private_key(
    text: &str,
    password: Option<&str>,
) -> Result<PrivateKeyDer<'static>, StoreError> {
    let mut sections = sections(text, "PRIVATE KEY")?;
    let count = sections.len();
    let Some(Section { label, bytes }) = sections.pop().filter(|_| count == 1) else {
        return Err(StoreError::SeveralKeys(count));
    };
    Ok(match (label, password) {
        ("ENCRYPTED PRIVATE KEY", None) => return Err(StoreError::KeyIsEncrypted),
        ("ENCRYPTED PRIVATE KEY", Some(password)) => {
            let info = Reader::new(&bytes).expect(tag::SEQUENCE)?;
            PrivatePkcs8KeyDer::from(pkcs12::open_key(info, password)?).into()
        }
        ("RSA PRIVATE KEY", _) => PrivatePkcs1KeyDer::from(bytes).into(),
        ("EC PRIVATE KEY", _) => PrivateSec1KeyDer::from(bytes).into(),
        _ => PrivatePkcs8KeyDer::from(bytes).into(),
    })
}
