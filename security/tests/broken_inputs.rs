//! Stores and login files with flipped bits, cut short, doubled and mixed: each is read or refused,
//! nothing panics, and nothing takes long.
//!
//! A second of each kind; `GREGOR_BREAK_SECONDS=600` goes on for ten minutes. A failure names its
//! seed, by which `GREGOR_BREAK_SEED` begins.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use security::sasl::jaas::{JaasFile, parse_property};
use security::tls::{TlsContext, TlsSettings};

/// Xorshift64*; a seed that is zero stays zero.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or_default()
    }

    /// One to eight changes of a copy.
    fn broken(&mut self, whole: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(40)).min(bytes.len());
            match self.below(7) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                2 => bytes.truncate(at),
                3 => drop(bytes.drain(at..end)),
                4 => {
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
                5 => {
                    let from = self.below(other.len());
                    let piece = &other[from..(from + 1 + self.below(60)).min(other.len())];
                    bytes.splice(at..end, piece.iter().copied());
                }
                _ => bytes.extend((0..self.below(9)).map(|_| self.0 as u8)),
            }
        }
        bytes
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Breaks one of the inputs after the other with an eye on the time each takes.
fn break_all(inputs: &[Vec<u8>], mut look: impl FnMut(usize, &[u8])) {
    let patience = Duration::from_secs(number("GREGOR_BREAK_SECONDS").unwrap_or(1));
    let first = number("GREGOR_BREAK_SEED").unwrap_or(1);
    let began = Instant::now();
    let mut broken = 0_u64;
    for seed in first.. {
        if began.elapsed() > patience {
            break;
        }
        // A panic's output ends with it.
        println!("seed {seed}");
        let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (which, other) = (draw.below(inputs.len()), draw.below(inputs.len()));
        let bytes = draw.broken(&inputs[which], &inputs[other]);
        let looked = Instant::now();
        look(which, &bytes);
        let took = looked.elapsed();
        assert!(took < Duration::from_secs(20), "seed {seed} took {took:?}");
        broken += 1;
    }
    assert!(broken > 10, "only {broken} were tried");
}

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
