//! The table by which records are shown as JSON is what Kafka 4.3.1's own schemas say.
//!
//! With `GREGOR_RECORD=1` (`tests/record record_schemas`) it is written anew from them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tests::golden::recording;
use tests::oracle::{NEWEST, jars};

/// Messages that stand in logs by themselves, of all that kafka-clients has.
const MESSAGES: [&str; 7] = [
    "ConsumerProtocolAssignment",
    "ConsumerProtocolSubscription",
    "KRaftVersionRecord",
    "LeaderChangeMessage",
    "SnapshotFooterRecord",
    "SnapshotHeaderRecord",
    "VotersRecord",
];

/// Artifact, and what its records are called in the table: of the metadata, or keys and values.
const ARTIFACTS: [(&str, &str); 5] = [
    ("kafka-metadata", "metadata"),
    ("kafka-group-coordinator", "group"),
    ("kafka-transaction-coordinator", "transaction"),
    ("kafka-share-coordinator", "share"),
    ("kafka-clients", "message"),
];

fn table_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/src/record_json/schemas-4.3.1.txt")
}

/// The schemas in a jar: JSON with comments of whole lines or behind a value.
fn schemas(artifact: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let unzipped = Command::new("unzip")
        .arg("-qo")
        .arg(jars(NEWEST).join(format!("{artifact}-{NEWEST}.jar")))
        .args(["common/*.json", "-d"])
        .arg(folder.path())
        .status();
    assert!(unzipped.expect("unzip is installed").success(), "{artifact}");
    let mut found = Vec::new();
    for below in ["common/metadata", "common/message"] {
        let Ok(files) = std::fs::read_dir(folder.path().join(below)) else { continue };
        for file in files {
            let text = std::fs::read_to_string(file.expect("a file").path()).expect("it is read");
            found.push(parse(&text));
        }
    }
    found
}

fn parse(text: &str) -> Value {
    let lines = text.lines().map(|line| match line.find("//") {
        Some(at) if !line[..at].contains(": \"") || line[..at].trim_end().ends_with([',', '}']) => {
            &line[..at]
        }
        _ => line,
    });
    serde_json::from_str(&lines.collect::<Vec<_>>().join("\n")).expect("a schema")
}

/// What a schema's record is called in the table; nothing for one that stands in no log.
fn topic(schema: &Value, of: &str) -> Option<String> {
    let name = schema["name"].as_str()?;
    match (of, schema["type"].as_str()?) {
        ("metadata", "metadata") => Some("metadata".to_owned()),
        ("message", _) => MESSAGES.contains(&name).then(|| "message".to_owned()),
        (_, "coordinator-key") => Some(format!("{of}-key")),
        (_, "coordinator-value") => Some(format!("{of}-value")),
        _ => None,
    }
}

fn table() -> String {
    let mut records: Vec<(String, i64, String)> = Vec::new();
    for (artifact, of) in ARTIFACTS {
        for schema in schemas(artifact) {
            let Some(topic) = topic(&schema, of) else { continue };
            let key = schema["apiKey"].as_i64().unwrap_or(-1);
            records.push((topic.clone(), key, record(&schema, &topic, key)));
        }
    }
    records.sort();
    records.into_iter().map(|(_, _, text)| text).collect()
}

fn record(schema: &Value, topic: &str, key: i64) -> String {
    let word = |name: &str| schema[name].as_str().unwrap_or("none").to_owned();
    let (name, versions, flexible) =
        (word("name"), word("validVersions"), word("flexibleVersions"));
    let mut text = format!("{topic} {key} {name} {versions} flexible {flexible}\n");
    fields(&schema["fields"], schema, 1, &mut text);
    text
}

fn fields(of: &Value, schema: &Value, depth: usize, text: &mut String) {
    for field in of.as_array().into_iter().flatten() {
        let word = |name: &str| field[name].as_str();
        let kind = word("type").expect("a type");
        let (array, element) = match kind.strip_prefix("[]") {
            Some(element) => ("[]", element),
            None => ("", kind),
        };
        let is_struct = element.starts_with(|letter: char| letter.is_ascii_uppercase());
        let mut name = word("name").expect("a name").to_owned();
        name[..1].make_ascii_lowercase();
        let shown = if is_struct { "struct" } else { element };
        let versions = word("versions").or_else(|| word("taggedVersions")).unwrap_or("0+");
        let _ = write!(text, "{:depth$}{name} {array}{shown} {versions}", "");
        if let Some(nullable) = word("nullableVersions") {
            let _ = write!(text, " null={nullable}");
        }
        if let Some(tag) = field["tag"].as_i64() {
            let _ = write!(text, " tag={tag}@{}", word("taggedVersions").expect("its versions"));
        }
        match &field["default"] {
            Value::Null => {}
            Value::String(default) if default.is_empty() => {}
            Value::String(default) => drop(write!(text, " default={default}")),
            default => drop(write!(text, " default={default}")),
        }
        text.push('\n');
        if is_struct {
            let common = schema["commonStructs"].as_array().into_iter().flatten();
            let common = common.into_iter().find(|common| common["name"] == *element);
            let below = common.map_or(&field["fields"], |common| &common["fields"]);
            fields(below, schema, depth + 1, text);
        }
    }
}

#[test]
fn the_table_of_records_says_what_kafkas_schemas_say() {
    let theirs = table();
    assert!(theirs.lines().count() > 300, "all are there");
    if recording() {
        std::fs::write(table_file(), &theirs).expect("the table is written");
    }
    let ours = std::fs::read_to_string(table_file()).expect("the table is there");
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.lines().count(), theirs.lines().count());
}
