//! Stores and login files with flipped bits, cut short, doubled and mixed: each is read or refused,
//! nothing panics, and nothing takes long.

mod breaking;

use std::io;
use std::path::Path;

use security::sasl::jaas::{JaasFile, parse_property};
use security::tls::{TlsContext, TlsSettings};

use breaking::break_all;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tls/stores/fixtures");
    std::fs::read(folder.join(name)).expect("a fixture")
}

/// Reads a store as both of a context's, as Kafka's keys name it.
fn load(store_type: &str, bytes: &[u8]) {
    let value = |name: &str| {
        let value = match name {
            "ssl.keystore.type" | "ssl.truststore.type" => store_type,
            "ssl.keystore.location" | "ssl.truststore.location" => "store",
            "ssl.keystore.password" | "ssl.truststore.password" if store_type != "PEM" => "secret1",
            "ssl.key.password" => "secret2",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let read = |_: &str| -> io::Result<Vec<u8>> { Ok(bytes.to_vec()) };
    let settings = TlsSettings::read(value).expect("the settings are right");
    if let Ok(context) = TlsContext::load(settings, &read) {
        // What was read is used, too.
        let _ = (context.server(), context.client());
    }
}

#[test]
fn broken_stores_are_read_or_refused() {
    let stores = [
        ("JKS", "keytool.jks"),
        ("JKS", "trusted.jks"),
        ("PKCS12", "keytool.p12"),
        ("PKCS12", "keytool-legacy.p12"),
        ("PKCS12", "openssl.p12"),
        ("PKCS12", "openssl-legacy.p12"),
        ("PKCS12", "trusted.p12"),
    ];
    let bytes = stores.map(|(_, file)| fixture(file));
    for ((store_type, _), bytes) in stores.iter().zip(&bytes) {
        load(store_type, bytes);
    }
    break_all(&bytes, |which, bytes| load(stores[which].0, bytes));
}

#[test]
fn broken_pem_files_are_read_or_refused() {
    let of = |key: &str| [fixture(key), fixture("certificate.pem")].concat();
    let files = ["key.pem", "key-pbes2.pem", "key-3des.pem"].map(of);
    break_all(&files, |_, bytes| load("PEM", bytes));
}

#[test]
fn broken_logins_are_read_or_refused() {
    let module = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    let options = "username=\"admin\" password='s\\'\u{e9}cret' user_admin=\"a;b\" user_b=c";
    let texts = [
        format!("{module} {options};"),
        format!("// a comment\nKafkaServer {{\n  {module}\n  {options};\n}};\n"),
        format!("sasl_ssl.KafkaServer {{ {module}; }};\n/* * */ Client {{ {module} {options}; }};"),
    ];
    let texts = texts.map(String::into_bytes);
    break_all(&texts, |_, bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _ = (JaasFile::parse(&text), parse_property(&text));
    });
}
