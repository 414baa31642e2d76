//! Encryption by a password: what key stores and encrypted keys are closed with.
//!
//! - PBES2 (RFC 8018) with PBKDF2 and AES or 3DES: what keytool and openssl write.
//! - The schemes of PKCS#12 (RFC 7292, appendix C) with 3DES and RC2: what their forerunners wrote.
//!
//! Kept true: a file cannot ask for more iterations than Java would do.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_128, AES_192, AES_256, DecryptionContext};
use aws_lc_rs::cipher::{PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256};
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512};
use aws_lc_rs::{digest, hmac};
use des::TdesEde3;
use des::cipher::{Block, BlockCipherDecrypt, KeyInit};
use rc2::Rc2;

use super::super::der::{Reader, dotted, tag};
use super::StoreError;

/// Java's most (`sun.security.pkcs12.PKCS12KeyStore`).
const ITERATIONS_MAX: u32 = 5_000_000;

const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
/// pkcs-12PbeIds; the last arc is the scheme.
const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
const DES_EDE3_CBC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07];
/// AES of NIST; the last arc is key size and mode.
const AES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01];
/// rsadsi digestAlgorithm; the last arc is the HMAC.
const HMACS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02];

/// Why something stays closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Closed {
    /// The padding is none: another password, or other bytes.
    Password,
    Because(StoreError),
}

impl<E: Into<StoreError>> From<E> for Closed {
    fn from(error: E) -> Self {
        Self::Because(error.into())
    }
}

/// Decrypts what an AlgorithmIdentifier, the next thing in `scheme`, says of `encrypted`.
pub(super) fn decrypt(
    scheme: &mut Reader<'_>,
    encrypted: &[u8],
    password: &str,
) -> Result<Vec<u8>, Closed> {
    let (identifier, mut parameters) = scheme.algorithm()?;
    if identifier == PBES2 {
        let mut parameters = parameters.sequence()?;
        return pbes2(&mut parameters, encrypted, password);
    }
    let Some([scheme @ (3 | 5 | 6)]) = identifier.strip_prefix(PKCS12_PBE) else {
        return Err(unknown(identifier));
    };
    let mut parameters = parameters.sequence()?;
    let salt = parameters.expect(tag::OCTET_STRING)?.contents;
    let iterations = iterations(&mut parameters)?;
    let derive = |purpose, bytes| {
        derive(&digest::SHA1_FOR_LEGACY_USE_ONLY, purpose, password, salt, iterations, bytes)
    };
    let iv = derive(Purpose::Iv, 8);
    match scheme {
        3 => triple_des(&derive(Purpose::Key, 24), &iv, encrypted),
        strength => rc2(&derive(Purpose::Key, if *strength == 6 { 5 } else { 16 }), &iv, encrypted),
    }
}

fn pbes2(parameters: &mut Reader<'_>, encrypted: &[u8], password: &str) -> Result<Vec<u8>, Closed> {
    let (derivation, mut derived_by) = parameters.algorithm()?;
    if derivation != PBKDF2 {
        return Err(unknown(derivation));
    }
    let mut derived_by = derived_by.sequence()?;
    let salt = derived_by.expect(tag::OCTET_STRING)?.contents;
    let iterations = iterations(&mut derived_by)?;
    derived_by.optional(tag::INTEGER)?;
    let function = match derived_by.is_empty() {
        true => PBKDF2_HMAC_SHA1,
        false => {
            let (function, _) = derived_by.algorithm()?;
            match function.strip_prefix(HMACS) {
                Some([7]) => PBKDF2_HMAC_SHA1,
                Some([9]) => PBKDF2_HMAC_SHA256,
                Some([10]) => PBKDF2_HMAC_SHA384,
                Some([11]) => PBKDF2_HMAC_SHA512,
                _ => return Err(unknown(function)),
            }
        }
    };
    let (cipher, mut iv) = parameters.algorithm()?;
    let iv = iv.expect(tag::OCTET_STRING)?.contents;
    let key_bytes = match cipher.strip_prefix(AES) {
        Some([2]) => 16,
        Some([22]) => 24,
        Some([42]) => 32,
        _ if cipher == DES_EDE3_CBC => 24,
        _ => return Err(unknown(cipher)),
    };
    let mut key = vec![0; key_bytes];
    pbkdf2::derive(function, iterations, salt, password.as_bytes(), &mut key);
    match cipher == DES_EDE3_CBC {
        true => triple_des(&key, iv, encrypted),
        false => aes(&key, iv, encrypted),
    }
}

fn iterations(parameters: &mut Reader<'_>) -> Result<NonZeroU32, StoreError> {
    let count = parameters.number()?;
    match NonZeroU32::new(count) {
        Some(count) if count.get() <= ITERATIONS_MAX => Ok(count),
        _ => Err(StoreError::Algorithm(format!("{count} iterations"))),
    }
}

fn unknown(identifier: &[u8]) -> Closed {
    let name = dotted(identifier).unwrap_or_else(|| "an unknown algorithm".to_owned());
    Closed::Because(StoreError::Algorithm(name))
}

fn aes(key: &[u8], iv: &[u8], encrypted: &[u8]) -> Result<Vec<u8>, Closed> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        _ => &AES_256,
    };
    let key = UnboundCipherKey::new(algorithm, key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
    let key = key.map_err(|_| Closed::Password)?;
    let iv: [u8; 16] = iv.try_into().map_err(|_| StoreError::Short)?;
    let mut bytes = encrypted.to_vec();
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let plain = key.decrypt(&mut bytes, context).map_err(|_| Closed::Password)?;
    Ok(plain.to_vec())
}

fn triple_des(key: &[u8], iv: &[u8], encrypted: &[u8]) -> Result<Vec<u8>, Closed> {
    let cipher = TdesEde3::new_from_slice(key).map_err(|_| Closed::Password)?;
    cbc(&cipher, iv, encrypted)
}

fn rc2(key: &[u8], iv: &[u8], encrypted: &[u8]) -> Result<Vec<u8>, Closed> {
    let cipher = Rc2::new_with_eff_key_len(key, key.len() * 8);
    cbc(&cipher, iv, encrypted)
}

/// CBC over blocks of eight bytes, with the padding of PKCS#7.
fn cbc<C: BlockCipherDecrypt>(cipher: &C, iv: &[u8], encrypted: &[u8]) -> Result<Vec<u8>, Closed> {
    let block_bytes = C::block_size();
    let is_whole = encrypted.len().is_multiple_of(block_bytes);
    if encrypted.is_empty() || !is_whole || iv.len() != block_bytes {
        return Err(StoreError::Short.into());
    }
    let mut plain = Vec::with_capacity(encrypted.len());
    let mut before = iv;
    for encrypted in encrypted.chunks(block_bytes) {
        let mut block = Block::<C>::default();
        block.copy_from_slice(encrypted);
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(before).map(|(byte, mask)| byte ^ mask));
        before = encrypted;
    }
    let padding = usize::from(plain.last().copied().unwrap_or(0));
    let end = plain.len().checked_sub(padding).ok_or(Closed::Password)?;
    let is_padded = (1..=block_bytes).contains(&padding)
        && plain[end..].iter().all(|byte| usize::from(*byte) == padding);
    if !is_padded {
        return Err(Closed::Password);
    }
    plain.truncate(end);
    Ok(plain)
}

/// What bytes are derived for (RFC 7292, B.3).
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// PKCS#12's own derivation (RFC 7292, B.2).
pub(super) fn derive(
    algorithm: &'static digest::Algorithm,
    purpose: Purpose,
    password: &str,
    salt: &[u8],
    iterations: NonZeroU32,
    bytes: usize,
) -> Vec<u8> {
    let block_bytes = algorithm.block_len();
    let password: Vec<u8> = password.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect();
    let stretch = |text: &[u8]| -> Vec<u8> {
        let length = text.len().div_ceil(block_bytes) * block_bytes;
        text.iter().copied().cycle().take(if text.is_empty() { 0 } else { length }).collect()
    };
    let mut input = [stretch(salt), stretch(&password)].concat();
    let diversifier = vec![purpose as u8; block_bytes];
    let mut derived = Vec::new();
    while derived.len() < bytes {
        let mut sum = digest::digest(algorithm, &[diversifier.as_slice(), &input].concat());
        for _ in 1..iterations.get() {
            sum = digest::digest(algorithm, sum.as_ref());
        }
        derived.extend_from_slice(sum.as_ref());
        let addend: Vec<u8> = sum.as_ref().iter().copied().cycle().take(block_bytes).collect();
        for block in input.chunks_mut(block_bytes) {
            // block + addend + 1, as one large number
            let mut carry = 1;
            for (byte, other) in block.iter_mut().zip(&addend).rev() {
                let sum = u16::from(*byte) + u16::from(*other) + carry;
                *byte = sum.to_be_bytes()[1];
                carry = sum >> 8;
            }
        }
    }
    derived.truncate(bytes);
    derived
}

/// Checks a MacData (RFC 7292) over a store's contents.
pub(super) fn check_mac(
    seal: &mut Reader<'_>,
    contents: &[u8],
    password: &str,
) -> Result<(), StoreError> {
    let mut sum = seal.sequence()?;
    let (identifier, _) = sum.algorithm()?;
    let expected = sum.expect(tag::OCTET_STRING)?.contents;
    let salt = seal.expect(tag::OCTET_STRING)?.contents;
    let iterations = match seal.is_empty() {
        true => NonZeroU32::MIN,
        false => iterations(seal)?,
    };
    /// sha-2 of NIST; the last arc is its size.
    const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
    let (digest, hmac) = match identifier.strip_prefix(SHA2) {
        Some([1]) => (&digest::SHA256, hmac::HMAC_SHA256),
        Some([2]) => (&digest::SHA384, hmac::HMAC_SHA384),
        Some([3]) => (&digest::SHA512, hmac::HMAC_SHA512),
        _ if identifier == SHA1 => {
            (&digest::SHA1_FOR_LEGACY_USE_ONLY, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)
        }
        _ => {
            let name = dotted(identifier).unwrap_or_default();
            return Err(StoreError::Algorithm(name));
        }
    };
    let key = derive(digest, Purpose::Mac, password, salt, iterations, digest.output_len());
    let key = hmac::Key::new(hmac, &key);
    hmac::verify(&key, contents, expected).map_err(|_| StoreError::Password)
}
