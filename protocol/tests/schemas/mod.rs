//! Kafka's message schemas, as its jars have them, for the tests that hold ours against them; and
//! our shapes in their words.

use std::path::{Path, PathBuf};

use protocol::shape::{Element, Field, Fixed, Kind};
use serde_json::Value;

/// The folder of the messages' schemas, below the one that `GREGOR_KAFKA_SCHEMAS` names. Without it
/// there is nothing to compare with.
pub(crate) fn messages() -> Option<PathBuf> {
    let Some(directory) = std::env::var_os("GREGOR_KAFKA_SCHEMAS") else {
        eprintln!("SKIPPED, NOTHING COMPARED: GREGOR_KAFKA_SCHEMAS names no directory of schemas");
        return None;
    };
    Some(Path::new(&directory).join("common/message"))
}

/// A file is JSON with comments of whole lines or behind a value.
pub(crate) fn read(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| match line.find("//") {
        Some(at) if !line[..at].contains(": \"") || line[..at].trim_end().ends_with([',', '}']) => {
            &line[..at]
        }
        _ => line,
    });
    serde_json::from_str(&lines.collect::<Vec<_>>().join("\n")).unwrap()
}

/// "3", "3+", "3-5", "none" or nothing.
pub(crate) fn versions(text: &Value) -> Option<(i16, Option<i16>)> {
    let text = text.as_str()?;
    if let Some(from) = text.strip_suffix('+') {
        return Some((from.parse().unwrap(), None));
    }
    match text.split_once('-') {
        Some((from, to)) => Some((from.parse().unwrap(), Some(to.parse().unwrap()))),
        None => text.parse().ok().map(|only| (only, Some(only))),
    }
}

/// What a field is, every struct being one, and the fields of a struct.
pub(crate) fn their_kind(field: &Value, shared: &Value) -> (String, Option<Value>) {
    let kind = field["type"].as_str().unwrap();
    let (prefix, base) = kind.strip_prefix("[]").map_or(("", kind), |base| ("[]", base));
    if !base.starts_with(char::is_uppercase) {
        return (kind.to_owned(), None);
    }
    let same_name = |one: &&Value| one["name"] == base;
    let inner = shared.as_array().into_iter().flatten().find(same_name).unwrap_or(field);
    (format!("{prefix}struct"), Some(inner["fields"].clone()))
}

pub(crate) fn our_kind(kind: &Kind) -> (String, &[Field]) {
    match kind {
        Kind::Fixed(fixed) => (fixed_name(*fixed).to_owned(), &[]),
        Kind::String => ("string".to_owned(), &[]),
        Kind::Bytes => ("bytes".to_owned(), &[]),
        Kind::Records => ("records".to_owned(), &[]),
        Kind::Struct(fields) => ("struct".to_owned(), fields),
        Kind::Array(Element::Fixed(fixed)) => (format!("[]{}", fixed_name(*fixed)), &[]),
        Kind::Array(Element::String) => ("[]string".to_owned(), &[]),
        Kind::Array(Element::Struct { fields, .. }) => ("[]struct".to_owned(), fields),
    }
}

fn fixed_name(fixed: Fixed) -> &'static str {
    match fixed {
        Fixed::Boolean => "bool",
        Fixed::Int8 => "int8",
        Fixed::Int16 => "int16",
        Fixed::Uint16 => "uint16",
        Fixed::Int32 => "int32",
        Fixed::Int64 => "int64",
        Fixed::Float64 => "float64",
        Fixed::Uuid => "uuid",
    }
}
