//! Quotas of users, clients and addresses.
//!
//! Answers to `describeQuotaConfigs` and `alterQuotaConfigs` of ConfigCommand.

use client::admin::{Admin, QuotaEntity, QuotaMatch, QuotaOp, Quotas};
use config::Value;
use serde::Serialize;

use super::edits::Edits;
use super::options::Entities;
use super::{CHANGE, Failure, LOOK, within};
use crate::java_order::{sort_with_capacity, string_hash};
use crate::json::{Report, fields};

const OF_CLIENTS: [&str; 4] =
    ["consumer_byte_rate", "producer_byte_rate", "request_percentage", "controller_mutation_rate"];
const OF_IPS: [&str; 1] = ["connection_creation_rate"];

/// What a change of users or clients is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Altered {
    Quotas,
    Credentials,
}

/// How a type is called in requests, and in what is printed.
const KINDS: [(&str, &str, &str); 3] = [
    ("users", "user", "user-principal"),
    ("clients", "client-id", "client-id"),
    ("ips", "ip", "ip"),
];

fn request_kind(kind: &str) -> &'static str {
    KINDS.iter().find(|(own, ..)| *own == kind).map_or("ip", |(_, kind, _)| *kind)
}

/// Judges by its keys whether a change of users or clients is about quotas or about credentials.
pub(super) fn split(entities: &Entities, edits: &Edits) -> Result<Altered, Failure> {
    let is_quota = |key: &str| OF_CLIENTS.contains(&key);
    let is_scram = |key: &str| super::scram::mechanism(key).is_some();
    let added: Vec<&str> = edits.added.iter().map(|(key, _)| key.as_str()).collect();
    let deleted: Vec<&str> = edits.deleted.iter().map(String::as_str).collect();
    let all = || added.iter().chain(&deleted);
    let unknown = |keys: &[&str]| -> Vec<String> {
        let unknown = keys.iter().filter(|key| !is_scram(key) && !is_quota(key));
        unknown.map(|key| (*key).to_owned()).collect()
    };
    let scram = |keys: &[&str]| -> Vec<String> {
        keys.iter().filter(|key| is_scram(key)).map(|key| (*key).to_owned()).collect()
    };
    // Java prints a Scala set of what was added, and a buffer of what was deleted.
    let refused = |kinds: &str, done: &str, of: &str, list: &str, keys: Vec<String>| {
        let keys = keys.join(", ");
        Err(Failure::Words(format!(
            "Only {kinds} configs can be {done} for '{of}' using --bootstrap-server. Unexpected \
             config names: {list}({keys})"
        )))
    };
    if entities.first_type() == "clients" || entities.types.len() == 2 {
        let wrong = [unknown(&added), scram(&added)].concat();
        if !wrong.is_empty() {
            return refused("quota", "added", "clients", "Set", wrong);
        }
        let wrong = [unknown(&deleted), scram(&deleted)].concat();
        if !wrong.is_empty() {
            return refused("quota", "deleted", "clients", "ArrayBuffer", wrong);
        }
    } else {
        let kinds = "quota and SCRAM credential";
        if !unknown(&added).is_empty() {
            return refused(kinds, "added", "users", "Set", unknown(&added));
        }
        if !unknown(&deleted).is_empty() {
            return refused(kinds, "deleted", "users", "ArrayBuffer", unknown(&deleted));
        }
        if all().any(|key| is_scram(key)) {
            let words = if entities.names.iter().any(String::is_empty) {
                "The use of --entity-default or --user-defaults is not allowed with User SCRAM \
                 Credentials using --bootstrap-server."
            } else if all().any(|key| is_quota(key)) {
                "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' \
                 using --bootstrap-server."
            } else {
                return Ok(Altered::Credentials);
            };
            return Err(Failure::Words(words.to_owned()));
        }
    }
    Ok(if all().any(|key| is_quota(key)) { Altered::Quotas } else { Altered::Credentials })
}

/// Addresses have one quota alone.
pub(super) fn check_ip(edits: &Edits) -> Result<(), Failure> {
    let keys = edits.added.iter().map(|(key, _)| key).chain(&edits.deleted);
    let unknown: Vec<&str> = keys.map(String::as_str).filter(|key| !OF_IPS.contains(key)).collect();
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(Failure::Words(format!(
            "Only connection quota configs can be added for 'ips' using --bootstrap-server. \
             Unexpected config names: {}",
            unknown.join(",")
        ))),
    }
}

async fn find(
    entities: &Entities,
    admin: &mut Admin,
) -> Result<Vec<(QuotaEntity, Quotas)>, Failure> {
    if entities.names.len() > entities.types.len() {
        let words = "More entity names specified than entity types";
        return Err(Failure::Words(words.to_owned()));
    }
    let names = entities.names.iter().map(Some).chain(std::iter::repeat(None));
    let wanted = entities.types.iter().zip(names).map(|(kind, name)| {
        let wanted = match name.map(String::as_str) {
            Some("") => QuotaMatch::Default,
            Some(name) => QuotaMatch::Name(name.to_owned()),
            None => QuotaMatch::Any,
        };
        (request_kind(kind), wanted)
    });
    let wanted: Vec<_> = wanted.collect();
    within(LOOK, admin.describe_quotas(&wanted)).await
}

pub(super) async fn describe(
    entities: &Entities,
    admin: &mut Admin,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    let mut found = find(entities, admin).await?;
    let count = found.len();
    sort_with_capacity(&mut found, count, |(entity, _)| entity_hash(entity));
    for (entity, mut quotas) in found {
        let count = quotas.len();
        sort_with_capacity(&mut quotas, count, |(key, _)| string_hash(key));
        let parts = entity.iter().map(|(kind, name)| (kind.as_ref(), name.as_deref()));
        let row = QuotaRow { entity: EntityPart::all(parts), quotas: quotas.clone() };
        report.row(&row, || {
            let values = quotas.iter();
            let values = values.map(|(key, value)| format!("{key}={}", Value::Double(*value)));
            let values = values.collect::<Vec<_>>().join(", ");
            format!("Quota configs for {} are {values}\n", shown(&entity))
        })?;
    }
    Ok(())
}

#[derive(Serialize)]
struct QuotaRow<'a> {
    entity: Vec<EntityPart<'a>>,
    #[serde(serialize_with = "fields")]
    quotas: Quotas,
}

/// One part of whom something is for; without a name it is what counts by default.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntityPart<'a> {
    entity_type: &'a str,
    entity_name: Option<&'a str>,
}

impl<'a> EntityPart<'a> {
    pub(super) fn all(parts: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Vec<Self> {
        let part = |(entity_type, entity_name)| Self { entity_type, entity_name };
        parts.map(part).collect()
    }
}

/// `user-principal 'alice', the default client-id`.
fn shown(entity: &QuotaEntity) -> String {
    let parts = KINDS.iter().filter_map(|(_, kind, word)| {
        let (_, name) = entity.iter().find(|(own, _)| own == kind)?;
        Some(match name {
            Some(name) => format!("{word} '{name}'"),
            None => format!("the default {word}"),
        })
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// `ClientQuotaEntity.hashCode`.
fn entity_hash(entity: &QuotaEntity) -> i32 {
    entity.iter().fold(31, |hash, (kind, name)| {
        let name = name.as_deref().map_or(0, string_hash);
        hash.wrapping_add(string_hash(kind) ^ name)
    })
}

pub(super) async fn alter(
    entities: &Entities,
    edits: &Edits,
    admin: &mut Admin,
) -> Result<(), Failure> {
    let found = find(entities, admin).await?;
    let old = found.into_iter().next().map(|(_, quotas)| quotas).unwrap_or_default();
    let unset = edits.deleted.iter().filter(|key| old.iter().all(|(known, _)| known != *key));
    let unset: Vec<&str> = unset.map(String::as_str).collect();
    if !unset.is_empty() {
        return Err(Failure::Words(format!("Invalid config(s): {}", unset.join(","))));
    }
    let mut ops: Vec<QuotaOp> = Vec::new();
    for (key, text) in &edits.added {
        let Some(value) = double(text) else {
            let words = format!("Cannot parse quota configuration value for {key}: {text}");
            return Err(Failure::Words(words));
        };
        ops.push(QuotaOp { key: key.clone(), value: Some(value) });
    }
    ops.extend(edits.deleted.iter().map(|key| QuotaOp { key: key.clone(), value: None }));
    let names = entities.names.iter().map(|name| Some(name.clone()).filter(|n| !n.is_empty()));
    let kinds = entities.types.iter().map(|kind| request_kind(kind));
    let entity: Vec<_> = kinds.zip(names).collect();
    within(CHANGE, admin.alter_quotas(&entity, &ops)).await
}

/// `Double.parseDouble`, but for numbers in base 16.
fn double(text: &str) -> Option<f64> {
    let bare = match text.trim() {
        "NaN" | "+NaN" | "-NaN" => return Some(f64::NAN),
        "Infinity" | "+Infinity" => return Some(f64::INFINITY),
        "-Infinity" => return Some(f64::NEG_INFINITY),
        text => text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text),
    };
    let is_plain = bare.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    bare.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(added: &[&str], deleted: &[&str]) -> Edits {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let added = owned(added).into_iter().map(|key| (key, "1".to_owned()));
        Edits { added: added.collect(), deleted: owned(deleted) }
    }

    fn of(kind: &str, name: &str) -> Entities {
        Entities { types: vec![kind.to_owned()], names: vec![name.to_owned()] }
    }

    #[test]
    fn keys_say_whether_quotas_or_credentials_change() {
        let quotas = edits(&["producer_byte_rate"], &["request_percentage"]);
        assert_eq!(split(&of("users", "a"), &quotas).unwrap(), Altered::Quotas);
        assert_eq!(split(&of("clients", "a"), &quotas).unwrap(), Altered::Quotas);
        let scram = edits(&["SCRAM-SHA-256"], &[]);
        assert_eq!(split(&of("users", "a"), &scram).unwrap(), Altered::Credentials);
        for (entities, edits) in [
            (of("clients", "a"), scram),
            (of("users", ""), edits(&[], &["SCRAM-SHA-512"])),
            (of("users", "a"), edits(&["SCRAM-SHA-256", "producer_byte_rate"], &[])),
            (of("users", "a"), edits(&["retention.ms"], &[])),
        ] {
            assert!(split(&entities, &edits).is_err(), "{edits:?}");
        }
    }

    #[test]
    fn numbers_are_javas_doubles() {
        assert_eq!(["1", " 2.5 ", "3d", "1e3"].map(double), [1.0, 2.5, 3.0, 1000.0].map(Some));
        assert_eq!(["fast", "inf", "", "1dd", "nan"].map(double), [None; 5]);
    }

    #[test]
    fn entities_have_javas_hashes() {
        let entity = vec![("user".to_owned(), None)];
        assert_eq!(entity_hash(&entity), 31 + string_hash("user"));
    }
}
