//! PKCS#12 (RFC 7292), read only.
//!
//! ```text
//! PFX: version | data: safes | MAC under the password
//! safe: plain or encrypted, a list of bags
//! bag: a key, an encrypted key or a certificate, with attributes
//! ```
//! A certificate is trusted where Java's attribute says so; a key's own one has its localKeyId, and
//! the others of its chain are found by their issuers. Answers to Java's `PKCS12KeyStore`.

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::super::certificate::Certificate;
use super::super::der::{Element, Reader, tag};
use super::pbe::{self, Closed};
use super::{Entries, KeyEntry, StoreError};

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
/// bagtypes; the last arc is the type.
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01];
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
const FRIENDLY_NAME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
const LOCAL_KEY_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
/// Oracle's attribute of trusted certificates, 2.16.840.1.113894.746875.1.1.
const TRUSTED_KEY_USAGE: &[u8] =
    &[0x60, 0x86, 0x48, 0x01, 0x86, 0xf9, 0x66, 0xad, 0xca, 0x7b, 0x01, 0x01];
/// Safes within safes; nobody writes more than one.
const DEPTH_MAX: usize = 4;

#[derive(Debug, Default)]
struct Attributes {
    name: Option<String>,
    key_id: Option<Vec<u8>>,
    is_trusted: bool,
}

/// What the bags hold, before keys have found their certificates.
#[derive(Debug, Default)]
struct Contents {
    keys: Vec<(Attributes, Vec<u8>)>,
    certificates: Vec<(Attributes, CertificateDer<'static>)>,
    /// Something stayed closed for want of a password.
    has_closed: bool,
}

pub(super) fn read(
    bytes: &[u8],
    password: Option<&str>,
    key_password: Option<&str>,
) -> Result<Entries, StoreError> {
    let mut pfx = Reader::new(bytes).sequence()?;
    pfx.number()?;
    let (kind, mut content) = content_info(&mut pfx)?;
    if kind != DATA {
        return Err(StoreError::UnknownFormat);
    }
    let safes = content.expect(tag::OCTET_STRING)?;
    if let (Some(password), false) = (password, pfx.is_empty()) {
        pbe::check_mac(&mut pfx.sequence()?, safes.contents, password)?;
    }
    let mut contents = Contents::default();
    let mut safes = safes.reader().sequence()?;
    while !safes.is_empty() {
        let (kind, mut content) = content_info(&mut safes)?;
        match kind {
            DATA => {
                let bags = content.expect(tag::OCTET_STRING)?.reader();
                contents.read_bags(bags, key_password, 0)?;
            }
            ENCRYPTED_DATA => match password {
                Some(password) => {
                    let opened = open(&mut content, password)?;
                    contents.read_bags(Reader::new(&opened), key_password, 0)?;
                }
                None => contents.has_closed = true,
            },
            _ => return Err(StoreError::UnknownFormat),
        }
    }
    contents.into_entries()
}

fn content_info<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], Reader<'a>), StoreError> {
    let mut info = reader.sequence()?;
    let kind = info.expect(tag::OBJECT_IDENTIFIER)?.contents;
    Ok((kind, info.expect(tag::context(0))?.reader()))
}

/// The bags of an EncryptedData.
fn open(content: &mut Reader<'_>, password: &str) -> Result<Vec<u8>, StoreError> {
    let mut data = content.sequence()?;
    data.number()?;
    let mut info = data.sequence()?;
    info.expect(tag::OBJECT_IDENTIFIER)?;
    let mut scheme = info;
    // The scheme is read where it stands; the encrypted bytes stand behind it.
    info.expect(tag::SEQUENCE)?;
    let encrypted = info.expect(tag::context_primitive(0))?.contents;
    pbe::decrypt(&mut scheme, encrypted, password).map_err(|closed| match closed {
        Closed::Password => StoreError::Password,
        Closed::Because(error) => error,
    })
}

impl Contents {
    fn read_bags(
        &mut self,
        mut bags: Reader<'_>,
        key_password: Option<&str>,
        depth: usize,
    ) -> Result<(), StoreError> {
        let mut bags = bags.sequence()?;
        while !bags.is_empty() {
            let mut bag = bags.sequence()?;
            let kind = bag.expect(tag::OBJECT_IDENTIFIER)?.contents;
            let mut value = bag.expect(tag::context(0))?.reader();
            let attributes = attributes(bag.optional(tag::SET)?)?;
            match kind.strip_prefix(BAG) {
                Some([1]) => {
                    let key = value.expect(tag::SEQUENCE)?.encoded.to_vec();
                    self.keys.push((attributes, key));
                }
                Some([2]) => match key_password {
                    Some(password) => {
                        let key = open_key(value.expect(tag::SEQUENCE)?, password)?;
                        self.keys.push((attributes, key));
                    }
                    None => self.has_closed = true,
                },
                Some([3]) => {
                    let mut certificate = value.sequence()?;
                    if certificate.expect(tag::OBJECT_IDENTIFIER)?.contents == X509 {
                        let mut inside = certificate.expect(tag::context(0))?.reader();
                        let encoded = inside.expect(tag::OCTET_STRING)?.contents.to_vec();
                        self.certificates.push((attributes, CertificateDer::from(encoded)));
                    }
                }
                Some([6]) if depth < DEPTH_MAX => {
                    self.read_bags(value, key_password, depth + 1)?;
                }
                // Secrets and lists of revoked certificates are nobody's here.
                _ => {}
            }
        }
        Ok(())
    }

    fn into_entries(self) -> Result<Entries, StoreError> {
        let Self { keys, certificates, has_closed } = self;
        if keys.is_empty() && certificates.is_empty() && has_closed {
            return Err(StoreError::PasswordMissing);
        }
        let mut entries = Entries::default();
        for (at, (attributes, key)) in keys.into_iter().enumerate() {
            let own = certificates
                .iter()
                .find(|(of, _)| of.key_id.is_some() && of.key_id == attributes.key_id);
            let Some((of, own)) = own else { continue };
            let alias = attributes.name.or_else(|| of.name.clone());
            let alias = alias.unwrap_or_else(|| (at + 1).to_string()).to_lowercase();
            let chain = chain(own, &certificates);
            entries.keys.push(KeyEntry { alias, key: PrivatePkcs8KeyDer::from(key).into(), chain });
        }
        let trusted = certificates.into_iter().enumerate();
        let trusted = trusted.filter(|(_, (attributes, _))| attributes.is_trusted);
        entries.trusted = trusted
            .map(|(at, (attributes, certificate))| {
                let alias = attributes.name.unwrap_or_else(|| (at + 1).to_string());
                (alias.to_lowercase(), certificate)
            })
            .collect();
        Ok(entries)
    }
}

/// A key in its EncryptedPrivateKeyInfo.
pub(super) fn open_key(info: Element<'_>, password: &str) -> Result<Vec<u8>, StoreError> {
    let mut info = info.reader();
    let mut scheme = info;
    info.expect(tag::SEQUENCE)?;
    let encrypted = info.expect(tag::OCTET_STRING)?.contents;
    pbe::decrypt(&mut scheme, encrypted, password).map_err(|closed| match closed {
        Closed::Password => StoreError::KeyPassword,
        Closed::Because(error) => error,
    })
}

fn attributes(set: Option<Element<'_>>) -> Result<Attributes, StoreError> {
    let mut found = Attributes::default();
    let Some(set) = set else { return Ok(found) };
    let mut all = set.reader();
    while !all.is_empty() {
        let mut attribute = all.sequence()?;
        let kind = attribute.expect(tag::OBJECT_IDENTIFIER)?.contents;
        let mut values = attribute.expect(tag::SET)?.reader();
        match kind {
            FRIENDLY_NAME => {
                let name = values.expect(tag::BMP_STRING)?.contents;
                let units = name.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
                let units: Vec<u16> = units.collect();
                found.name = Some(String::from_utf16_lossy(&units));
            }
            LOCAL_KEY_ID => {
                found.key_id = Some(values.expect(tag::OCTET_STRING)?.contents.to_vec());
            }
            TRUSTED_KEY_USAGE => found.is_trusted = true,
            _ => {}
        }
    }
    Ok(found)
}

/// A certificate, who issued it, who issued that, as far as the store knows.
fn chain(
    own: &CertificateDer<'static>,
    all: &[(Attributes, CertificateDer<'static>)],
) -> Vec<CertificateDer<'static>> {
    let mut chain = vec![own.clone()];
    while let Some(Ok(last)) = chain.last().map(|last| Certificate::parse(last)) {
        let issuer = all.iter().map(|(_, certificate)| certificate).find(|candidate| {
            !chain.contains(candidate)
                && Certificate::parse(candidate).is_ok_and(|issuer| issuer.subject == last.issuer)
        });
        match issuer.filter(|_| last.issuer != last.subject).cloned() {
            Some(issuer) => chain.push(issuer),
            None => break,
        }
    }
    chain
}
