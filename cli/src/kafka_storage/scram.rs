//! `--add-scram`: a SCRAM credential that the cluster begins with.
//!
//! ```text
//! SCRAM-SHA-256=[name=alice,password=alice-secret]
//! SCRAM-SHA-512=[name=alice,iterations=8192,salt="N3E=",saltedpassword="YCE="]
//! ```
//!
//! Answers to ScramParser; the keys are those of RFC 5802 (`security::sasl::scram`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use protocol::records::metadata::UserScramCredentialRecord;
use protocol::wire::StrBytes;
use security::sasl::scram::{ITERATIONS_MAX, ITERATIONS_MIN, ScramMechanism};

use super::failure::Failure;
use crate::release::CliRelease;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How many random bytes a salt has that nobody gave.
pub(crate) const SALT_LEN: usize = 24;

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
        None => ITERATIONS_MIN,
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
    mechanism: ScramMechanism,
    name: &str,
    salt: &[u8],
    salted_password: &[u8],
    iterations: i32,
) -> UserScramCredentialRecord {
    let kept = mechanism.credential(salt, salted_password, iterations);
    UserScramCredentialRecord {
        name: StrBytes::from_string(name.to_owned()),
        mechanism: mechanism.id(),
        salt: Bytes::from(kept.salt),
        stored_key: Bytes::from(kept.stored_key),
        server_key: Bytes::from(kept.server_key),
        iterations,
        ..UserScramCredentialRecord::default()
    }
}

fn check_iterations(
    words: CliRelease,
    mechanism: ScramMechanism,
    iterations: i32,
) -> Result<(), Failure> {
    let rule = if iterations < ITERATIONS_MIN {
        format!(">= {ITERATIONS_MIN}")
    } else if iterations > ITERATIONS_MAX {
        format!("<= {ITERATIONS_MAX}")
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
fn split(argument: &str) -> Result<(ScramMechanism, &str), Failure> {
    let (name, rest) = argument.split_once('=').ok_or_else(|| {
        wrong(format!("Failed to find equals sign in SCRAM argument '{argument}'"))
    })?;
    let mechanism = ScramMechanism::named(name)
        .ok_or_else(|| wrong(format!("The add-scram mechanism {name} is not supported.")))?;
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
