//! Stores that keytool and openssl wrote (fixtures/make), whole, with wrong passwords, and damaged.

use proptest::prelude::*;

use super::super::certificate::subject_name;
use super::*;

const KEYTOOL: &[u8] = include_bytes!("fixtures/keytool.p12");
const KEYTOOL_LEGACY: &[u8] = include_bytes!("fixtures/keytool-legacy.p12");
const OPENSSL: &[u8] = include_bytes!("fixtures/openssl.p12");
const OPENSSL_LEGACY: &[u8] = include_bytes!("fixtures/openssl-legacy.p12");
const JKS: &[u8] = include_bytes!("fixtures/keytool.jks");
const TRUSTED_JKS: &[u8] = include_bytes!("fixtures/trusted.jks");
const TRUSTED_PKCS12: &[u8] = include_bytes!("fixtures/trusted.p12");
const CERTIFICATE: &str = include_str!("fixtures/certificate.pem");
const KEY: &str = include_str!("fixtures/key.pem");
const KEY_PBES2: &str = include_str!("fixtures/key-pbes2.pem");
const KEY_3DES: &str = include_str!("fixtures/key-3des.pem");

fn password(text: &str) -> Option<Secret> {
    Some(Secret::new(text))
}

fn read(bytes: &[u8], of_store: Option<&str>, of_key: Option<&str>) -> Result<Entries, StoreError> {
    let [of_store, of_key] = [of_store, of_key].map(|text| text.and_then(password));
    read_binary(bytes, of_store.as_ref(), of_key.as_ref())
}

/// The store's only key, as PKCS#8.
fn only_key(entries: &Entries) -> &[u8] {
    assert_eq!((entries.keys.len(), entries.trusted.len()), (1, 0));
    let entry = &entries.keys[0];
    assert_eq!(entry.alias, "first");
    assert_eq!(subject_name(&entry.chain[0]).unwrap(), "CN=localhost,OU=Tests,O=Gregor");
    entry.key.secret_der()
}

#[test]
fn a_key_and_its_certificate_come_out_of_what_keytool_and_openssl_wrote() {
    let stores = [KEYTOOL, KEYTOOL_LEGACY, OPENSSL, OPENSSL_LEGACY];
    let keys = stores.map(|store| only_key(&read(store, Some("secret1"), None).unwrap()).to_vec());
    // The three that were made of one key; encodings differ in what is optional.
    let of_openssl = read_pem_key(KEY, CERTIFICATE, None).unwrap();
    assert_eq!(keys[2], of_openssl.keys[0].key.secret_der());
    assert_eq!(keys[3], keys[2]);
    let of_jks = read(JKS, Some("secret1"), Some("secret2")).unwrap();
    assert!(!only_key(&of_jks).is_empty());
}

#[test]
fn trusted_certificates_come_out_of_trust_stores_of_both_formats() {
    for store in [TRUSTED_JKS, TRUSTED_PKCS12] {
        let entries = read(store, Some("secret1"), None).unwrap();
        assert_eq!((entries.keys.len(), entries.trusted.len()), (0, 1));
        assert_eq!(entries.trusted[0].0, "ca");
    }
    let entries = read(TRUSTED_JKS, None, None).unwrap();
    assert_eq!(entries.trusted.len(), 1, "without a password nothing is checked");
    assert_eq!(read(TRUSTED_PKCS12, None, None).unwrap_err(), StoreError::PasswordMissing);
}

#[test]
fn each_wrong_password_is_named() {
    for store in [KEYTOOL, KEYTOOL_LEGACY, OPENSSL, OPENSSL_LEGACY, JKS, TRUSTED_PKCS12] {
        assert_eq!(read(store, Some("wrong"), None).unwrap_err(), StoreError::Password);
    }
    assert_eq!(read(JKS, Some("secret1"), None).unwrap_err(), StoreError::KeyPassword);
    let wrong = password("wrong");
    for key in [KEY_PBES2, KEY_3DES] {
        let refused = read_pem_key(key, CERTIFICATE, wrong.as_ref()).unwrap_err();
        assert_eq!(refused, StoreError::KeyPassword);
        let refused = read_pem_key(key, CERTIFICATE, None).unwrap_err();
        assert_eq!(refused, StoreError::KeyIsEncrypted);
    }
}

#[test]
fn pem_is_read_on_one_line_or_many_and_encrypted_or_not() {
    let plain = read_pem_key(KEY, CERTIFICATE, None).unwrap();
    let expected = plain.keys[0].key.secret_der();
    let right = password("secret2");
    for key in [KEY_PBES2, KEY_3DES] {
        let opened = read_pem_key(key, CERTIFICATE, right.as_ref()).unwrap();
        assert_eq!(opened.keys[0].key.secret_der(), expected);
    }
    let [key, certificate] = [KEY, CERTIFICATE].map(|text| text.replace('\n', " "));
    let on_one_line = read_pem_key(&key, &certificate, None).unwrap();
    assert_eq!(on_one_line.keys[0].key.secret_der(), expected);
    let both = format!("Bag Attributes\n  friendlyName: first\n{KEY}{CERTIFICATE}{CERTIFICATE}");
    assert_eq!(read_pem_key(&both, &both, None).unwrap().keys[0].chain.len(), 2);
    assert_eq!(read_pem_certificates(&both).unwrap().trusted.len(), 2);
    assert_eq!(read_pem_certificates("").unwrap_err(), StoreError::NoPem("CERTIFICATE"));
    let twice = format!("{KEY}{KEY}");
    assert_eq!(read_pem_key(&twice, &both, None).unwrap_err(), StoreError::SeveralKeys(2));
}

#[test]
fn what_is_no_store_is_named() {
    for (bytes, cause) in [
        (&b""[..], StoreError::UnknownFormat),
        (CERTIFICATE.as_bytes(), StoreError::UnknownFormat),
        (&[0xce, 0xce, 0xce, 0xce, 0, 0], StoreError::Jceks),
        (&JKS[..4], StoreError::Short),
    ] {
        assert_eq!(read(bytes, Some("secret1"), None).unwrap_err(), cause);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Without a password nothing is sealed, and damage gets as far as it can.
    #[test]
    fn damaged_stores_end_in_a_cause_or_a_store(
        store in 0_usize..7,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        has_password in any::<bool>(),
    ) {
        let stores =
            [KEYTOOL, KEYTOOL_LEGACY, OPENSSL, OPENSSL_LEGACY, JKS, TRUSTED_JKS, TRUSTED_PKCS12];
        let mut bytes = stores[store].to_vec();
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let of_store = has_password.then_some("secret1");
        let _ = read(&bytes, of_store, Some("secret2"));
        let _ = subject_name(&bytes);
    }
}
