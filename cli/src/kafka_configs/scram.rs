//! SCRAM credentials of users: `SCRAM-SHA-256=[iterations=8192,password=secret]`.
//!
//! Answers to `alterUserScramCredentialConfigs` of ConfigCommand and to the salting that Kafka's
//! client does before it sends anything.

use client::admin::{Admin, AdminError, ScramAlteration};
use security::sasl::scram::{ITERATIONS_MIN, ScramMechanism};
use serde::Serialize;

use super::edits::Edits;
use super::options::Entities;
use super::quotas::EntityPart;
use super::{CHANGE, Failure, LOOK, within};
use crate::json::Report;
use crate::kafka_storage::scram::SALT_LEN;

/// UNACCEPTABLE_CREDENTIAL
const UNACCEPTABLE_CREDENTIAL: i16 = 93;

/// The mechanism of this name.
pub(super) fn mechanism(name: &str) -> Option<ScramMechanism> {
    ScramMechanism::named(name)
}

/// Credentials are of users alone, and there are no default ones.
pub(super) async fn describe(
    entities: &Entities,
    admin: &mut Admin,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    if entities.has_type("clients") || entities.names.iter().any(String::is_empty) {
        return Ok(());
    }
    for (user, described) in within(LOOK, admin.describe_scram(&entities.names)).await? {
        match described {
            Ok(credentials) => {
                let credential = |(mechanism, iterations): &(i8, i32)| Credential {
                    mechanism: mechanism_name(*mechanism),
                    iterations: *iterations,
                };
                let row = UserRow {
                    entity: EntityPart::all([("user", Some(user.as_str()))].into_iter()),
                    scram_credentials: credentials.iter().map(credential).collect(),
                };
                report.row(&row, || row.text(&user))?;
            }
            Err(error) => report.remark(&format!(
                "Error retrieving SCRAM credential configs for user-principal '{user}': \
                 ExecutionException: {}: {error}",
                error.class()
            ))?,
        }
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserRow<'a> {
    entity: Vec<EntityPart<'a>>,
    scram_credentials: Vec<Credential>,
}

#[derive(Serialize)]
struct Credential {
    mechanism: &'static str,
    iterations: i32,
}

impl UserRow<'_> {
    fn text(&self, user: &str) -> String {
        let shown = self.scram_credentials.iter().map(|credential| {
            format!("{}=iterations={}", credential.mechanism, credential.iterations)
        });
        let shown = shown.collect::<Vec<_>>().join(", ");
        format!("SCRAM credential configs for user-principal '{user}' are {shown}\n")
    }
}

fn mechanism_name(id: i8) -> &'static str {
    match id {
        1 => "SCRAM-SHA-256",
        2 => "SCRAM-SHA-512",
        _ => "UNKNOWN",
    }
}

pub(super) async fn alter(
    entities: &Entities,
    edits: &Edits,
    admin: &mut Admin,
) -> Result<(), Failure> {
    let deleted = edits.deleted.iter().filter_map(|name| mechanism(name));
    let mut alterations: Vec<ScramAlteration> =
        deleted.map(|mechanism| ScramAlteration::Delete { mechanism: mechanism.id() }).collect();
    for (name, text) in &edits.added {
        let Some(mechanism) = mechanism(name) else { continue };
        let (iterations, password) = credential(mechanism, name, text)?;
        if password.is_empty() {
            let message = "Password must not be empty".to_owned();
            let refused = AdminError::Answer { code: UNACCEPTABLE_CREDENTIAL, message };
            return Err(refused.into());
        }
        let salt = salt();
        let salted_password = mechanism.salted_password(password, &salt, iterations);
        let mechanism = mechanism.id();
        alterations.push(ScramAlteration::Upsert { mechanism, iterations, salt, salted_password });
    }
    if alterations.is_empty() {
        return Ok(());
    }
    let user = entities.names.first().map_or("", String::as_str);
    within(CHANGE, admin.alter_scram(user, &alterations)).await
}

/// Reads `iterations=N,password=…`; Kafka's least number counts where there is none, or -1.
fn credential<'a>(
    mechanism: ScramMechanism,
    name: &str,
    text: &'a str,
) -> Result<(i32, &'a str), Failure> {
    let wrong =
        || Failure::Words(format!("Invalid credential property {}={text}", mechanism.constant()));
    let (iterations, rest) = match text.strip_prefix("iterations=") {
        None => (None, text),
        Some(rest) => {
            let (number, rest) = rest.split_once(',').ok_or_else(wrong)?;
            let digits = number.strip_prefix('-').unwrap_or(number);
            if !digits.chars().all(|c| c.is_ascii_digit()) {
                return Err(wrong());
            }
            (Some(number), rest)
        }
    };
    let password = rest.strip_prefix("password=").ok_or_else(wrong)?;
    let iterations = match iterations {
        None | Some("-1") => ITERATIONS_MIN,
        Some(number) => {
            let no_number = |_| Failure::Words(format!("For input string: \"{number}\""));
            number.parse().map_err(no_number)?
        }
    };
    if iterations < ITERATIONS_MIN {
        return Err(Failure::Words(format!(
            "Iterations {iterations} is less than the minimum {ITERATIONS_MIN} required for \
             {name}"
        )));
    }
    Ok((iterations, password))
}

fn salt() -> Vec<u8> {
    let drawn = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
    drawn.iter().flat_map(|id| id.as_bytes()).copied().take(SALT_LEN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(i32, &str), String> {
        credential(ScramMechanism::Sha256, "SCRAM-SHA-256", text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_credential_is_read_with_and_without_iterations() {
        assert_eq!(read("iterations=8192,password=a,b=c"), Ok((8192, "a,b=c")));
        assert_eq!(read("iterations=-1,password=x"), Ok((4096, "x")));
        assert_eq!(read("password="), Ok((4096, "")));
    }

    #[test]
    fn what_is_none_is_refused_in_kafkas_words() {
        let table = [
            ("pass=x", "Invalid credential property SCRAM_SHA_256=pass=x"),
            ("iterations=9", "Invalid credential property SCRAM_SHA_256=iterations=9"),
            ("iterations=,password=x", "For input string: \"\""),
            (
                "iterations=10,password=x",
                "Iterations 10 is less than the minimum 4096 required for SCRAM-SHA-256",
            ),
        ];
        for (text, words) in table {
            assert_eq!(read(text), Err(words.to_owned()), "{text}");
        }
    }

    #[test]
    fn salts_differ() {
        assert_eq!(salt().len(), SALT_LEN);
        assert_ne!(salt(), salt());
    }
}
