//! Contexts of stores that keytool wrote: hands that are shaken, places that are taken, and bytes
//! of no protocol.

use proptest::prelude::*;

use super::*;

fn read(path: &str) -> std::io::Result<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tls/stores/fixtures/");
    std::fs::read(format!("{folder}{path}"))
}

/// A context whose keystore and truststore are these; none where it is empty.
fn context(
    keystore: &str,
    truststore: &str,
    more: &[(&str, &str)],
) -> Result<TlsContext, TlsError> {
    let value = |name: &str| {
        let own = more.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let given = match name {
            "ssl.keystore.location" => Some(keystore),
            "ssl.keystore.password" => Some("secret1").filter(|_| !keystore.is_empty()),
            "ssl.truststore.location" => Some(truststore),
            "ssl.truststore.password" => Some("secret1").filter(|_| !truststore.is_empty()),
            _ => None,
        };
        own.or(given).map(str::to_owned)
    };
    TlsContext::load(TlsSettings::read(value)?, &read)
}

const OF_KEY: (&str, &str) = ("ssl.key.password", "secret2");

#[test]
fn who_trusts_one_another_shakes_hands_and_others_do_not() {
    let both = context("keytool.p12", "trusted.p12", &[("ssl.client.auth", "required")]).unwrap();
    assert_eq!(both.check_handshake(&both), Ok(()));
    let mute = context("", "trusted.jks", &[]).unwrap();
    let refused = mute.check_handshake(&both).unwrap_err();
    assert!(matches!(refused, TlsError::Handshake(_)), "{refused}");
    // Another key of the same name is nobody that is trusted.
    let other = context("keytool.jks", "trusted.p12", &[OF_KEY]).unwrap();
    assert!(matches!(both.check_handshake(&other), Err(TlsError::Handshake(_))));
    for protocol in ["TLSv1.2", "TLSv1.3"] {
        let of_one = [("ssl.enabled.protocols", protocol), ("ssl.client.auth", "required")];
        let of_one = context("openssl.p12", "trusted.jks", &of_one).unwrap();
        assert_eq!(both.check_handshake(&of_one), Ok(()), "{protocol}");
        assert_eq!(of_one.check_handshake(&both), Ok(()), "{protocol}");
    }
}

#[test]
fn a_server_needs_a_key_and_whoever_asks_for_certificates_somebody_to_trust() {
    let keyless = context("", "trusted.p12", &[]).unwrap().server().unwrap_err().to_string();
    assert!(keyless.contains("ssl.keystore.location"), "{keyless}");
    let refused = context("none.p12", "", &[]).unwrap_err().to_string();
    assert!(refused.starts_with("Failed to load SSL keystore none.p12: "), "{refused}");
    let refused = context("keytool.jks", "", &[]).unwrap_err();
    assert!(matches!(refused, TlsError::Store { reason: StoreError::KeyPassword, .. }));
}

#[test]
fn a_place_is_taken_by_the_same_subject_alone() {
    let present = context("keytool.p12", "trusted.p12", &[]).unwrap();
    let same = context("openssl.p12", "trusted.jks", &[]).unwrap();
    assert_eq!(present.check_replacement(&same, true), Ok(()));
    let other_key = context("keytool.jks", "trusted.p12", &[OF_KEY]).unwrap();
    assert_eq!(present.check_replacement(&other_key, false), Ok(()));
    assert!(matches!(present.check_replacement(&other_key, true), Err(TlsError::Handshake(_))));
    let keyless = context("", "trusted.p12", &[]).unwrap();
    assert_eq!(present.check_replacement(&keyless, false), Err(TlsError::KeystoreRemoved));
    assert_eq!(keyless.check_replacement(&present, false), Err(TlsError::KeystoreAdded));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn bytes_of_no_protocol_end_a_session_without_a_panic(
        head in prop::sample::select(vec![
            vec![],
            vec![0x16, 3, 1],
            vec![0x15, 3, 3],
            vec![0x17, 3, 3],
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..3_000),
    ) {
        let server = context("keytool.p12", "trusted.p12", &[]).unwrap().server().unwrap();
        let mut session = Session::server(server).unwrap();
        let wire = [head, bytes].concat();
        let mut rest = wire.as_slice();
        while let Ok(taken @ 1..) = session.receive(rest) {
            rest = &rest[taken..];
        }
        prop_assert!(session.is_handshaking() && session.peer_certificate().is_none());
        let mut said = Vec::new();
        while session.wants_write() && session.write_to(&mut said).is_ok() {}
        prop_assert!(said.len() < 100);
    }
}
