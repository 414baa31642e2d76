//! Every message that is declared here says what Kafka's schema of the same name says.
//!
//! The schemas are those of the tests' cache (`GREGOR_KAFKA_SCHEMAS`); without them there is
//! nothing to compare with.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use protocol::layout::StructLayout;
use protocol::messages::{
    AddRaftVoterRequest, AddRaftVoterResponse, BrokerHeartbeatRequest, BrokerHeartbeatResponse,
    DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeShareGroupOffsetsRequest,
    DescribeShareGroupOffsetsResponse, ListOffsetsRequest, ListOffsetsResponse,
    OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
    ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse, ShareAcknowledgeRequest,
    ShareAcknowledgeResponse, ShareFetchRequest, ShareFetchResponse, StreamsGroupDescribeRequest,
    StreamsGroupDescribeResponse, StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse,
    WriteShareGroupStateRequest, WriteShareGroupStateResponse, WriteTxnMarkersRequest,
    WriteTxnMarkersResponse,
};
use protocol::shape::{Element, Field, Fixed, Kind};
use protocol::wire::{HeaderVersion, Message};
use serde_json::Value;

/// A declared message: the name of its schema, its versions, and its fields.
struct Declared {
    name: &'static str,
    versions: (i16, i16),
    first_flexible: i16,
    fields: &'static [Field],
}

fn declared<M: Message + HeaderVersion + StructLayout>(name: &'static str) -> Declared {
    let is_request = name.ends_with("Request");
    let flexible_header = if is_request { 2 } else { 1 };
    let first_flexible = (M::VERSIONS.min..=M::VERSIONS.max)
        .find(|version| M::header_version(*version) >= flexible_header)
        .unwrap_or(i16::MAX);
    let versions = (M::VERSIONS.min, M::VERSIONS.max);
    Declared { name, versions, first_flexible, fields: M::FIELDS }
}

/// One line for each message under `src/messages`.
fn all_declared() -> Vec<Declared> {
    vec![
        declared::<AddRaftVoterRequest>("AddRaftVoterRequest"),
        declared::<AddRaftVoterResponse>("AddRaftVoterResponse"),
        declared::<BrokerHeartbeatRequest>("BrokerHeartbeatRequest"),
        declared::<BrokerHeartbeatResponse>("BrokerHeartbeatResponse"),
        declared::<DescribeLogDirsRequest>("DescribeLogDirsRequest"),
        declared::<DescribeLogDirsResponse>("DescribeLogDirsResponse"),
        declared::<DescribeShareGroupOffsetsRequest>("DescribeShareGroupOffsetsRequest"),
        declared::<DescribeShareGroupOffsetsResponse>("DescribeShareGroupOffsetsResponse"),
        declared::<ListOffsetsRequest>("ListOffsetsRequest"),
        declared::<ListOffsetsResponse>("ListOffsetsResponse"),
        declared::<OffsetCommitRequest>("OffsetCommitRequest"),
        declared::<OffsetCommitResponse>("OffsetCommitResponse"),
        declared::<OffsetFetchRequest>("OffsetFetchRequest"),
        declared::<OffsetFetchResponse>("OffsetFetchResponse"),
        declared::<ReadShareGroupStateSummaryRequest>("ReadShareGroupStateSummaryRequest"),
        declared::<ReadShareGroupStateSummaryResponse>("ReadShareGroupStateSummaryResponse"),
        declared::<ShareAcknowledgeRequest>("ShareAcknowledgeRequest"),
        declared::<ShareAcknowledgeResponse>("ShareAcknowledgeResponse"),
        declared::<ShareFetchRequest>("ShareFetchRequest"),
        declared::<ShareFetchResponse>("ShareFetchResponse"),
        declared::<StreamsGroupDescribeRequest>("StreamsGroupDescribeRequest"),
        declared::<StreamsGroupDescribeResponse>("StreamsGroupDescribeResponse"),
        declared::<StreamsGroupHeartbeatRequest>("StreamsGroupHeartbeatRequest"),
        declared::<StreamsGroupHeartbeatResponse>("StreamsGroupHeartbeatResponse"),
        declared::<WriteShareGroupStateRequest>("WriteShareGroupStateRequest"),
        declared::<WriteShareGroupStateResponse>("WriteShareGroupStateResponse"),
        declared::<WriteTxnMarkersRequest>("WriteTxnMarkersRequest"),
        declared::<WriteTxnMarkersResponse>("WriteTxnMarkersResponse"),
    ]
}

#[test]
fn every_file_of_messages_is_compared() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/messages");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let compared = all_declared().iter().map(|declared| snake(declared.name)).collect();
    assert_eq!(files, compared);
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[test]
fn every_declaration_says_what_kafkas_schema_says() {
    let Some(directory) = schemas() else {
        eprintln!("SKIPPED, NOTHING COMPARED: GREGOR_KAFKA_SCHEMAS names no directory of schemas");
        return;
    };
    for declared in all_declared() {
        let file = directory.join(format!("common/message/{}.json", declared.name));
        let schema = parse(&std::fs::read_to_string(file).unwrap());
        let (min, max) = versions(&schema["validVersions"]).unwrap();
        assert_eq!(declared.versions, (min, max), "{}", declared.name);
        let flexible = versions(&schema["flexibleVersions"]).map_or(i16::MAX, |(from, _)| from);
        // Versions that are not spoken any more may have been flexible, too.
        let flexible = if flexible == i16::MAX { flexible } else { flexible.max(min) };
        assert_eq!(declared.first_flexible, flexible, "{}", declared.name);
        let mut ours = Vec::new();
        our_fields(declared.fields, 1, &mut ours);
        let mut theirs = Vec::new();
        their_fields(&schema["fields"], &schema["commonStructs"], 1, &mut theirs);
        assert_eq!(ours, theirs, "{}", declared.name);
    }
}

/// Those of the release that has all of the declared versions.
fn schemas() -> Option<PathBuf> {
    std::env::var_os("GREGOR_KAFKA_SCHEMAS").map(PathBuf::from)
}

/// The files are JSON with comments of whole lines or behind a value.
fn parse(text: &str) -> Value {
    let lines = text.lines().map(|line| match line.find("//") {
        Some(at) if !line[..at].contains(": \"") || line[..at].trim_end().ends_with([',', '}']) => {
            &line[..at]
        }
        _ => line,
    });
    serde_json::from_str(&lines.collect::<Vec<_>>().join("\n")).unwrap()
}

/// "3", "3+", "3-5", "none" or nothing.
fn versions(text: &Value) -> Option<(i16, i16)> {
    let text = text.as_str()?;
    if let Some(from) = text.strip_suffix('+') {
        return Some((from.parse().unwrap(), i16::MAX));
    }
    match text.split_once('-') {
        Some((from, to)) => Some((from.parse().unwrap(), to.parse().unwrap())),
        None => text.parse().ok().map(|only| (only, only)),
    }
}

fn our_fields(fields: &[Field], depth: usize, lines: &mut Vec<String>) {
    for field in fields {
        let (kind, inner) = our_kind(&field.kind);
        let nullable = field.nullable_from < i16::MAX;
        let Field { name, from, to, tag, .. } = field;
        lines.push(line(depth, &name.replace('_', ""), &kind, (*from, *to), nullable, *tag));
        our_fields(inner, depth + 1, lines);
    }
}

fn our_kind(kind: &Kind) -> (String, &[Field]) {
    match kind {
        Kind::Fixed(fixed) => (fixed_name(*fixed).to_owned(), &[]),
        Kind::String => ("string".to_owned(), &[]),
        Kind::Bytes | Kind::Records => ("bytes".to_owned(), &[]),
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

fn their_fields(fields: &Value, shared: &Value, depth: usize, lines: &mut Vec<String>) {
    for field in fields.as_array().into_iter().flatten() {
        let name = field["name"].as_str().unwrap().to_lowercase();
        let kind = field["type"].as_str().unwrap();
        let (prefix, base) = kind.strip_prefix("[]").map_or(("", kind), |base| ("[]", base));
        let is_struct = base.starts_with(char::is_uppercase);
        let base_kind = match base {
            "records" => "bytes",
            _ if is_struct => "struct",
            base => base,
        };
        let (from, to) = versions(&field["versions"]).unwrap();
        let nullable = versions(&field["nullableVersions"]);
        if let Some((_, nullable_to)) = nullable {
            // What a version could not leave out, its writer never leaves out.
            assert!(nullable_to == to || nullable_to == i16::MAX || nullable_to == 0, "{name}");
        }
        let tag = field["tag"].as_u64().map(|tag| tag as u32);
        let kind = format!("{prefix}{base_kind}");
        lines.push(line(depth, &name, &kind, (from, to), nullable.is_some(), tag));
        if is_struct {
            let same_name = |one: &&Value| one["name"] == base;
            let inner = shared.as_array().into_iter().flatten().find(same_name).unwrap_or(field);
            their_fields(&inner["fields"], shared, depth + 1, lines);
        }
    }
}

fn line(
    depth: usize,
    name: &str,
    kind: &str,
    (from, to): (i16, i16),
    nullable: bool,
    tag: Option<u32>,
) -> String {
    let to = if to == i16::MAX { String::from("+") } else { format!("-{to}") };
    let null = if nullable { " or null" } else { "" };
    format!("{depth} {name}: {kind}{null} [{from}{to}] tag {tag:?}")
}
