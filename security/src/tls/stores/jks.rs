//! Java's own format, read only.
//!
//! ```text
//! FEEDFEED | version (1, 2) | count | entries | SHA-1 of password, "Mighty Aphrodite", all before
//! entry 1, a key:         alias | date | EncryptedPrivateKeyInfo | count | certificates
//! entry 2, a certificate: alias | date | certificate
//! certificate:            its type (version 2) | length | DER
//! ```
//! A key is hidden by a keystream of SHA-1 over password and salt, and followed by a SHA-1 of
//! password and key. Answers to Java's `JavaKeyStore` and `KeyProtector`.

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::super::der::{Reader, tag};
use super::{Entries, KeyEntry, StoreError};

const WHITENER: &[u8] = b"Mighty Aphrodite";
const DIGEST_BYTES: usize = 20;
const KEY: u32 = 1;
const CERTIFICATE: u32 = 2;
/// The protection of keys, 1.3.6.1.4.1.42.2.17.1.1.
const KEY_PROTECTOR: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01];

/// `all` is the file, `rest` what stands behind its first four bytes.
pub(super) fn read(
    all: &[u8],
    rest: &[u8],
    password: Option<&str>,
    key_password: Option<&str>,
) -> Result<Entries, StoreError> {
    let sealed = all.len().checked_sub(DIGEST_BYTES).ok_or(StoreError::Short)?;
    if let Some(password) = password {
        let sum = sha1(&[&utf16(password), WHITENER, &all[..sealed]]);
        if sum != all[sealed..] {
            return Err(StoreError::Password);
        }
    }
    let body = rest.len().checked_sub(DIGEST_BYTES).ok_or(StoreError::Short)?;
    let mut fields = Fields(&rest[..body]);
    let version = fields.number()?;
    if !(1..=2).contains(&version) {
        return Err(StoreError::UnknownFormat);
    }
    let mut entries = Entries::default();
    for _ in 0..fields.number()? {
        let kind = fields.number()?;
        let alias = fields.text()?;
        fields.take(size_of::<u64>())?;
        match kind {
            KEY => {
                let hidden = fields.block()?;
                let count = fields.number()?;
                let mut chain = Vec::new();
                for _ in 0..count {
                    chain.push(fields.certificate(version)?);
                }
                // A trust store may hold keys that nobody asks for.
                if let Some(password) = key_password {
                    let key = PrivatePkcs8KeyDer::from(reveal(hidden, password)?).into();
                    entries.keys.push(KeyEntry { alias, key, chain });
                } else if let Some(own) = chain.into_iter().next() {
                    entries.trusted.push((alias, own));
                }
            }
            CERTIFICATE => entries.trusted.push((alias, fields.certificate(version)?)),
            _ => return Err(StoreError::UnknownFormat),
        }
    }
    Ok(entries)
}

/// The key in an EncryptedPrivateKeyInfo of Java's own protection.
fn reveal(hidden: &[u8], password: &str) -> Result<Vec<u8>, StoreError> {
    let mut info = Reader::new(hidden).sequence()?;
    let (algorithm, _) = info.algorithm()?;
    if algorithm != KEY_PROTECTOR {
        let name = super::super::der::dotted(algorithm).unwrap_or_default();
        return Err(StoreError::Algorithm(name));
    }
    let protected = info.expect(tag::OCTET_STRING)?.contents;
    let key_bytes = protected.len().checked_sub(2 * DIGEST_BYTES).ok_or(StoreError::Short)?;
    let (salt, protected) = protected.split_at(DIGEST_BYTES);
    let (hidden, check) = protected.split_at(key_bytes);
    let password = utf16(password);
    let mut stream = salt.to_vec();
    let mut key = Vec::with_capacity(key_bytes);
    for block in hidden.chunks(DIGEST_BYTES) {
        stream = sha1(&[&password, &stream]);
        key.extend(block.iter().zip(&stream).map(|(byte, mask)| byte ^ mask));
    }
    match sha1(&[&password, &key]) == check {
        true => Ok(key),
        false => Err(StoreError::KeyPassword),
    }
}

fn utf16(password: &str) -> Vec<u8> {
    password.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn sha1(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = digest::Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().to_vec()
}

/// What is still to be read; every length is one of bytes that are there.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], StoreError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(StoreError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, StoreError> {
        let digits = self.take(size_of::<u32>())?;
        Ok(digits.iter().fold(0, |all, digit| all << 8 | u32::from(*digit)))
    }

    fn block(&mut self) -> Result<&'a [u8], StoreError> {
        let bytes = usize::try_from(self.number()?).map_err(|_| StoreError::Short)?;
        self.take(bytes)
    }

    fn text(&mut self) -> Result<String, StoreError> {
        let length = self.take(size_of::<u16>())?;
        let bytes = length.iter().fold(0, |all, digit| all << 8 | usize::from(*digit));
        Ok(String::from_utf8_lossy(self.take(bytes)?).into_owned())
    }

    fn certificate(&mut self, version: u32) -> Result<CertificateDer<'static>, StoreError> {
        if version == 2 {
            self.text()?;
        }
        Ok(CertificateDer::from(self.block()?.to_vec()))
    }
}
