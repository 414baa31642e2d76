//! The table of requests' shapes says what Kafka 4.3's own schemas say.
//!
//! `GREGOR_KAFKA_SCHEMAS` names the directory where `common/message/*.json` of the binary jar of
//! kafka-clients 4.3.1 lie; without it there is nothing to compare with.

#![allow(clippy::unwrap_used)]

mod schemas;

use std::collections::BTreeMap;
use std::path::Path;

use protocol::api::{self, ApiKey};
use protocol::shape::{Field, shape_of};
use serde_json::Value;

use schemas::{messages, our_kind, read, their_kind, versions};

#[test]
fn every_request_is_laid_out_as_in_kafkas_schemas() {
    let Some(directory) = messages() else { return };
    let schemas = request_schemas(&directory);
    assert_eq!(schemas.keys().copied().collect::<Vec<_>>(), our_keys());
    for (key, schema) in &schemas {
        let name = schema["name"].as_str().unwrap();
        let api = api::by_key(*key as i16).unwrap();
        assert_eq!(format!("{}Request", api.name), name);
        assert_eq!(ours(api.key), theirs(schema), "{name}");
    }
}

fn our_keys() -> Vec<i64> {
    api::all().iter().map(|api| api.key as i64).collect()
}

/// The schemas of all requests that have versions, by their api key.
fn request_schemas(directory: &Path) -> BTreeMap<i64, Value> {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.to_string_lossy().ends_with("Request.json"))
        .map(|path| read(&path))
        .filter(|schema| schema["validVersions"] != "none")
        .map(|schema| (schema["apiKey"].as_i64().unwrap(), schema))
        .collect()
}

fn ours(key: ApiKey) -> Vec<String> {
    let shape = shape_of(key);
    let flexible = Some(shape.first_flexible).filter(|first| *first < i16::MAX);
    let mut lines = vec![head(shape.min_version, Some(shape.max_version), flexible)];
    our_fields(shape.fields, 1, &mut lines);
    lines
}

fn our_fields(fields: &[Field], depth: usize, lines: &mut Vec<String>) {
    for field in fields {
        let (kind, inner) = our_kind(&field.kind);
        let to = Some(field.to).filter(|to| *to < i16::MAX);
        let nullable = Some(field.nullable_from).filter(|from| *from < i16::MAX);
        lines.push(line(depth, &camel(field.name), &kind, field.from, to, nullable, field.tag));
        our_fields(inner, depth + 1, lines);
    }
}

/// A name as schemas have it: declarations have it in snake case.
fn camel(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn theirs(schema: &Value) -> Vec<String> {
    let (min, max) = versions(&schema["validVersions"]).unwrap();
    let flexible = versions(&schema["flexibleVersions"]).map(|(first, _)| first);
    let mut lines = vec![head(min, max.or(Some(min)), flexible)];
    their_fields(&schema["fields"], &schema["commonStructs"], 1, &mut lines);
    lines
}

fn their_fields(fields: &Value, shared: &Value, depth: usize, lines: &mut Vec<String>) {
    for field in fields.as_array().into_iter().flatten() {
        let name = field["name"].as_str().unwrap();
        let name = name[..1].to_uppercase() + &name[1..];
        let (kind, inner) = their_kind(field, shared);
        let (from, to) = versions(&field["versions"]).unwrap();
        let nullable = versions(&field["nullableVersions"]);
        // The notation has no room for these; no schema of 4.3 needs it.
        assert!(nullable.is_none_or(|(_, nullable_to)| nullable_to == to), "{name}");
        let tag = field["tag"].as_u64().map(|tag| tag as u32);
        assert!(tag.is_none() || field["taggedVersions"] == field["versions"], "{name}");
        assert!(field["flexibleVersions"].is_null(), "{name}");
        lines.push(line(depth, &name, &kind, from, to, nullable.map(|(from, _)| from), tag));
        if let Some(inner) = inner {
            their_fields(&inner, shared, depth + 1, lines);
        }
    }
}

fn head(min: i16, max: Option<i16>, flexible: Option<i16>) -> String {
    format!("versions {min}..{max:?}, flexible from {flexible:?}")
}

fn line(
    depth: usize,
    name: &str,
    kind: &str,
    from: i16,
    to: Option<i16>,
    nullable: Option<i16>,
    tag: Option<u32>,
) -> String {
    format!("{depth} {name} {kind} {from}..{to:?}, null from {nullable:?}, tag {tag:?}")
}
