//! Messages and records as Kafka's own schemas say them: JSON with comments, in the jars.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use super::ReleaseDiffError;
use super::facts::{Facts, Properties};

/// Attributes of a message that are no properties of its own, or that are shown apart.
const APART: [&str; 4] = ["name", "fields", "commonStructs", "about"];

/// Reads all schemas in the jars of a release.
pub(super) fn read(jars: &Path, facts: &mut Facts) -> Result<(), ReleaseDiffError> {
    facts.section("messages");
    facts.section("records");
    let mut files: Vec<_> = std::fs::read_dir(jars)?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        // What Kafka Streams' members say among themselves is opaque to brokers.
        let is_of_streams = name.starts_with("kafka-streams");
        if name.starts_with("kafka") && name.ends_with(".jar") && !is_of_streams {
            read_jar(&file.path(), facts)?;
        }
    }
    Ok(())
}

fn read_jar(jar: &Path, facts: &mut Facts) -> Result<(), ReleaseDiffError> {
    let folder = tempfile::tempdir()?;
    let folders = ["common/message/*.json", "common/metadata/*.json", "message/*.json"];
    let mut unzip = Command::new("unzip");
    unzip.arg("-qo").arg(jar).args(folders).arg("-d").arg(folder.path());
    let unzipped = unzip.output()?;
    // 11 is what unzip says of a jar without any.
    if !matches!(unzipped.status.code(), Some(0 | 11)) {
        let why = String::from_utf8_lossy(&unzipped.stderr).into_owned();
        return Err(ReleaseDiffError::Jar { jar: jar.to_owned(), why });
    }
    for below in ["common/message", "common/metadata", "message"] {
        let Ok(files) = std::fs::read_dir(folder.path().join(below)) else { continue };
        for file in files {
            let file = file?.path();
            let text = std::fs::read_to_string(&file)?;
            schema(&text, facts).map_err(|why| ReleaseDiffError::Schema { file, why })?;
        }
    }
    Ok(())
}

/// Takes one schema's text into the facts.
fn schema(text: &str, facts: &mut Facts) -> Result<(), String> {
    let (json, comments) = without_comments(text);
    let schema: Map<String, Value> = serde_json::from_str(&json).map_err(|e| e.to_string())?;
    let word = |name: &str| schema.get(name).and_then(Value::as_str).unwrap_or_default();
    let key = schema.get("apiKey").and_then(Value::as_i64).unwrap_or(-1);
    // A request, then its response, by API key; records by their name.
    let (section, order) = match word("type") {
        "request" => ("messages", key * 2),
        "response" => ("messages", key * 2 + 1),
        "header" => ("messages", -1),
        _ => ("records", 0),
    };
    let mut properties = attributes(&schema);
    properties.extend(comments.into_iter().map(|comment| (format!("// {comment}"), String::new())));
    fields("", schema.get("fields"), &mut properties);
    for common in schema.get("commonStructs").and_then(Value::as_array).into_iter().flatten() {
        let name = common["name"].as_str().unwrap_or_default();
        properties.push((format!("struct {name}"), spoken(&common["versions"])));
        fields(&format!("{name}."), common.get("fields"), &mut properties);
    }
    facts.section(section).entries.insert((order, word("name").to_owned()), properties);
    Ok(())
}

fn attributes(of: &Map<String, Value>) -> Properties {
    let shown = of.iter().filter(|(name, _)| !APART.contains(&name.as_str()));
    shown.map(|(name, value)| (name.clone(), spoken(value))).collect()
}

/// A property for each field, and for those below it: `field Topics.Name: string 0+ …`.
fn fields(above: &str, fields_of: Option<&Value>, properties: &mut Properties) {
    for field in fields_of.and_then(Value::as_array).into_iter().flatten() {
        let Some(field) = field.as_object() else { continue };
        let word = |name: &str| field.get(name).and_then(Value::as_str).unwrap_or_default();
        let path = format!("{above}{}", word("name"));
        let mut said = format!("{} {}", word("type"), word("versions"));
        for (name, value) in attributes(field) {
            if name != "type" && name != "versions" {
                said.push_str(&format!(" {name}={value}"));
            }
        }
        properties.push((format!("field {path}"), said));
        fields(&format!("{path}."), field.get("fields"), properties);
    }
}

/// A value as it is meant: "1" and 1 are the same default.
fn spoken(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(spoken).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The JSON alone, and what the comments before the fields say, a paragraph each: of versions,
/// mostly. The licence stands before the JSON and is left out.
fn without_comments(text: &str) -> (String, Vec<String>) {
    let (mut json, mut comments) = (String::new(), Vec::new());
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !in_string && rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            if json.contains('{') && !json.contains("\"fields\"") {
                continue_paragraph(rest[2..end].trim(), &mut comments);
            }
            rest = &rest[end..];
            continue;
        }
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = c == '\\' && !escaped;
        json.push(c);
        rest = &rest[c.len_utf8()..];
    }
    comments.retain(|comment| !comment.is_empty());
    (json, comments)
}

/// Takes a comment's line to the paragraph it belongs to.
fn continue_paragraph(line: &str, paragraphs: &mut Vec<String>) {
    let begins = ["version", "starting"].iter().any(|word| line.to_lowercase().starts_with(word));
    match paragraphs.last_mut() {
        Some(last) if !begins && !line.is_empty() => {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(line);
        }
        _ => paragraphs.push(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"// Licensed to somebody
{
  "apiKey": 2, "type": "request", "listeners": ["broker", "controller"],
  "name": "PingRequest",
  // Version 1 is what
  // it is.
  //
  // Version 2 says "more".
  "validVersions": "0-2", // not 3
  "fields": [
    // of whom
    { "name": "Url", "type": "string", "versions": "0+", "default": "http://\"//x",
      "about": "Where // it is." },
    { "name": "Topics", "type": "[]Topic", "versions": "1+", "fields": [
      { "name": "Id", "type": "uuid", "versions": "2+", "tag": 0, "default": -1 } ] }
  ],
  "commonStructs": [ { "name": "Node", "versions": "0+", "fields": [
    { "name": "Port", "type": "int32", "versions": "0+" } ] } ]
}
"#;

    #[test]
    fn a_schema_becomes_properties() {
        let mut facts = Facts::default();
        schema(SCHEMA, &mut facts).expect("a schema");
        let properties = &facts.section("messages").entries[&(4, "PingRequest".to_owned())];
        let lines: Vec<String> =
            properties.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let expected = [
            "apiKey: 2",
            "listeners: broker, controller",
            "type: request",
            "validVersions: 0-2",
            "// Version 1 is what it is.: ",
            "// Version 2 says \"more\". not 3: ",
            "field Url: string 0+ default=http://\"//x",
            "field Topics: []Topic 1+",
            "field Topics.Id: uuid 2+ default=-1 tag=0",
            "struct Node: 0+",
            "field Node.Port: int32 0+",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn responses_stand_behind_their_requests_and_records_apart() {
        let mut facts = Facts::default();
        for text in [
            r#"{"apiKey": 3, "type": "response", "name": "A"}"#,
            r#"{"type": "header", "name": "B"}"#,
            r#"{"apiKey": 3, "type": "coordinator-key", "name": "C"}"#,
        ] {
            schema(text, &mut facts).expect("a schema");
        }
        let places = |section: &super::super::facts::Section| {
            section.entries.keys().cloned().collect::<Vec<_>>()
        };
        let messages = places(facts.section("messages"));
        assert_eq!(messages, [(-1, "B".to_owned()), (7, "A".to_owned())]);
        assert_eq!(places(facts.section("records")), [(0, "C".to_owned())]);
        assert!(schema("{", &mut facts).is_err());
    }
}
