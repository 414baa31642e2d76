//! `--add-scram`: a SCRAM credential that the cluster begins with.
//!
//! ```text
//! SCRAM-SHA-256=[name=alice,password=alice-secret]
//! SCRAM-SHA-512=[name=alice,iterations=8192,salt="N3E=",saltedpassword="YCE="]
//! ```
//!
//! Answers to ScramParser and ScramFormatter; the keys are those of RFC 5802.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use protocol::records::metadata::UserScramCredentialRecord;
use protocol::wire::StrBytes;
use sha2::{Digest as _, Sha256, Sha512};

use super::failure::Failure;
use crate::release::CliRelease;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(crate) const LEAST_ITERATIONS: i32 = 4096;
const MOST_ITERATIONS: i32 = 16_384;
/// How many random bytes a salt has that nobody gave.
pub(crate) const SALT_LEN: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Sha256,
    Sha512,
}

impl Mechanism {
    pub(crate) fn constant(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM_SHA_256",
            Self::Sha512 => "SCRAM_SHA_512",
        }
    }

    pub(crate) fn id(self) -> i8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }

    fn mac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        // HMAC takes keys of any length.
        match self {
            Self::Sha256 => Hmac::<Sha256>::new_from_slice(key)
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
            Self::Sha512 => Hmac::<Sha512>::new_from_slice(key)
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
        }
        .unwrap_or_default()
    }

    fn hash(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// `Hi` of RFC 5802: the password, salted and hashed over and over.
    pub(crate) fn salted_password(self, password: &str, salt: &[u8], iterations: i32) -> Vec<u8> {
        let password = password.as_bytes();
        let mut round = self.mac(password, &[salt, &1_u32.to_be_bytes()].concat());
        let mut salted = round.clone();
        for _ in 1..iterations {
            round = self.mac(password, &round);
            for (salted, round) in salted.iter_mut().zip(&round) {
                *salted ^= round;
            }
        }
        salted
    }
}

/// Reads one argument. `draw` fills a salt that nobody gave with random bytes.
pub(super) fn parse(
    words: CliRelease,
    argument: &str,
    draw: impl FnOnce(&mut [u8]),
) -> Result<UserScramCredentialRecord, Failure> {
    let (mechanism, components) = split(argument.trim())?;
    let mut given = BTreeMap::new();
    for component in components.split(',') {
        let (name, value) = component.split_once('=').ok_or_else(|| {
            wrong(format!("No equals sign found in SCRAM component: {component}"))
        })?;
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        given.insert(name, unquoted.unwrap_or(value));
    }
    let name = given.remove("name").ok_or_else(|| wrong("You must supply 'name' to add-scram"))?;
    let salt = given.remove("salt").map(|text| decode("salt", text)).transpose()?;
    let iterations = match given.remove("iterations") {
        None => LEAST_ITERATIONS,
        Some(text) => {
            text.parse().map_err(|_| wrong(format!("Failed to parse iterations count: {text}")))?
        }
    };
    let password = given.remove("password");
    let salted = match (password, given.remove("saltedpassword"), &salt) {
        (Some(_), Some(_), _) if words.is_3_7() => {
            return Err(wrong(
                "You must only supply one of 'password' or 'saltedpassword' to add-scram",
            ));
        }
        (Some(_), _, _) => None,
        (None, None, _) => {
            return Err(wrong(
                "You must supply one of 'password' or 'saltedpassword' to add-scram",
            ));
        }
        (None, Some(_), None) => {
            return Err(wrong("You must supply 'salt' with 'saltedpassword' to add-scram"));
        }
        (None, Some(text), Some(_)) => Some(decode("saltedPassword", text)?),
    };
    if !given.is_empty() {
        let unknown: Vec<_> = given.keys().copied().collect();
        return Err(wrong(format!("Unknown SCRAM configurations: {}", unknown.join(", "))));
    }
    check_iterations(words, mechanism, iterations)?;
    let salt = salt.unwrap_or_else(|| {
        let mut salt = vec![0; SALT_LEN];
        draw(&mut salt);
        salt
    });
    let salted = salted.unwrap_or_else(|| {
        mechanism.salted_password(password.unwrap_or_default(), &salt, iterations)
    });
    Ok(credential(mechanism, name, &salt, &salted, iterations))
}

fn credential(
    mechanism: Mechanism,
    name: &str,
    salt: &[u8],
    salted_password: &[u8],
    iterations: i32,
) -> UserScramCredentialRecord {
    let client_key = mechanism.mac(salted_password, b"Client Key");
    UserScramCredentialRecord {
        name: StrBytes::from_string(name.to_owned()),
        mechanism: mechanism.id(),
        salt: Bytes::copy_from_slice(salt),
        stored_key: Bytes::from(mechanism.hash(&client_key)),
        server_key: Bytes::from(mechanism.mac(salted_password, b"Server Key")),
        iterations,
        ..UserScramCredentialRecord::default()
    }
}

fn check_iterations(
    words: CliRelease,
    mechanism: Mechanism,
    iterations: i32,
) -> Result<(), Failure> {
    let rule = if iterations < LEAST_ITERATIONS {
        format!(">= {LEAST_ITERATIONS}")
    } else if iterations > MOST_ITERATIONS {
        format!("<= {MOST_ITERATIONS}")
    } else {
        return Ok(());
    };
    let using = match words {
        CliRelease::V3_7 => String::new(),
        CliRelease::V4_3 => format!(" using {}", mechanism.constant()),
    };
    Err(wrong(format!("The 'iterations' value must be {rule} for add-scram{using}")))
}

/// `MECHANISM=[...]` without its brackets.
fn split(argument: &str) -> Result<(Mechanism, &str), Failure> {
    let (name, rest) = argument.split_once('=').ok_or_else(|| {
        wrong(format!("Failed to find equals sign in SCRAM argument '{argument}'"))
    })?;
    let mechanism = match name {
        "SCRAM-SHA-256" => Mechanism::Sha256,
        "SCRAM-SHA-512" => Mechanism::Sha512,
        _ => {
            return Err(wrong(format!("The add-scram mechanism {name} is not supported.")));
        }
    };
    let rest = rest
        .strip_prefix('[')
        .ok_or_else(|| wrong("Expected configuration string to start with ["))?;
    let inner = rest
        .strip_suffix(']')
        .ok_or_else(|| wrong("Expected configuration string to end with ]"))?;
    Ok((mechanism, inner))
}

fn decode(name: &str, text: &str) -> Result<Vec<u8>, Failure> {
    ENGINE.decode(text).map_err(|_| wrong(format!("Failed to decode given {name}: {text}")))
}

fn wrong(problem: impl Into<String>) -> Failure {
    Failure::Scram(problem.into())
}
