//! Every message that is declared here says what Kafka's schema of the same name says.
//!
//! The schemas are those of the tests' cache (`GREGOR_KAFKA_SCHEMAS`); without them there is
//! nothing to compare with.

#![allow(clippy::unwrap_used)]

mod schemas;

use std::collections::BTreeSet;
use std::path::Path;

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
use protocol::shape::Field;
use protocol::wire::{HeaderVersion, Message};
use serde_json::Value;

use schemas::{messages, our_kind, read, their_kind, versions};

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
    let Some(directory) = messages() else { return };
    for declared in all_declared() {
        let schema = read(&directory.join(format!("{}.json", declared.name)));
        let (min, max) = versions(&schema["validVersions"]).unwrap();
        assert_eq!(declared.versions, (min, max.unwrap()), "{}", declared.name);
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

fn our_fields(fields: &[Field], depth: usize, lines: &mut Vec<String>) {
    for field in fields {
        let (kind, inner) = our_kind(&field.kind);
        let nullable = field.nullable_from < i16::MAX;
        let Field { name, from, to, tag, .. } = field;
        let (name, kind) = (name.replace('_', ""), as_declared(&kind));
        lines.push(line(depth, &name, &kind, (*from, *to), nullable, *tag));
        our_fields(inner, depth + 1, lines);
    }
}

/// Records are declared as bytes, which they are on the wire.
fn as_declared(kind: &str) -> String {
    if kind == "records" { "bytes".to_owned() } else { kind.to_owned() }
}

fn their_fields(fields: &Value, shared: &Value, depth: usize, lines: &mut Vec<String>) {
    for field in fields.as_array().into_iter().flatten() {
        let name = field["name"].as_str().unwrap().to_lowercase();
        let (kind, inner) = their_kind(field, shared);
        let (from, to) = versions(&field["versions"]).unwrap();
        let nullable = versions(&field["nullableVersions"]);
        if let Some((_, nullable_to)) = nullable {
            // What a version could not leave out, its writer never leaves out.
            let all = nullable_to == to || nullable_to.is_none() || nullable_to == Some(0);
            assert!(all, "{name}");
        }
        let tag = field["tag"].as_u64().map(|tag| tag as u32);
        let to = to.unwrap_or(i16::MAX);
        lines.push(line(depth, &name, &as_declared(&kind), (from, to), nullable.is_some(), tag));
        if let Some(inner) = inner {
            their_fields(&inner, shared, depth + 1, lines);
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
