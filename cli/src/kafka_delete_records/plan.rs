//! The JSON file of offsets: `{"partitions": [{"topic": "t", "partition": 0, "offset": 1}]}`.
//!
//! Answers to `parseOffsetJsonStringWithoutDedup` and to the words of Kafka's `JsonValue`. Pure.

use std::collections::HashMap;

use client::admin::TopicPartition;
use serde_json::{Deserializer, Value};

use crate::java_order::{partition_hash, sort_by_hash};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlanError {
    #[error("The input string is not a valid JSON")]
    NoJson,
    #[error("Missing partitions field")]
    NoPartitions,
    #[error("Not supported version field value {0}")]
    Version(i32),
    #[error("Expected {kind}, received {value}")]
    Kind { kind: &'static str, value: String },
    #[error("No such field exists: `{0}`")]
    NoField(&'static str),
    #[error("Offset json file contains duplicate topic partitions: {0}")]
    Duplicates(String),
}

/// The first offset that stays, of each partition.
pub(super) fn read(text: &str) -> Result<HashMap<TopicPartition, i64>, PlanError> {
    // What stands behind the first value is passed over, as by Jackson.
    let value = Deserializer::from_str(text).into_iter::<Value>().next();
    let value = value.and_then(Result::ok).ok_or(PlanError::NoJson)?;
    let object = value.as_object().ok_or_else(|| wrong("JSON object", &value))?;
    if let Some(version) = object.get("version") {
        let version = integer(version)?;
        if version != 1 {
            return Err(PlanError::Version(version));
        }
    }
    let partitions = object.get("partitions").ok_or(PlanError::NoPartitions)?;
    let partitions = partitions.as_array().ok_or_else(|| wrong("JSON array", partitions))?;
    let mut before: HashMap<TopicPartition, i64> = HashMap::new();
    let mut twice: Vec<TopicPartition> = Vec::new();
    for partition in partitions {
        let (partition, offset) = entry(partition)?;
        if before.insert(partition.clone(), offset).is_some() && !twice.contains(&partition) {
            twice.push(partition);
        }
    }
    if !twice.is_empty() {
        sort_by_hash(&mut twice, partition_hash);
        let twice: Vec<String> = twice.iter().map(ToString::to_string).collect();
        return Err(PlanError::Duplicates(twice.join(",")));
    }
    Ok(before)
}

fn wrong(kind: &'static str, value: &Value) -> PlanError {
    PlanError::Kind { kind, value: value.to_string() }
}

fn entry(value: &Value) -> Result<(TopicPartition, i64), PlanError> {
    let object = value.as_object().ok_or_else(|| wrong("JSON object", value))?;
    let field = |name| object.get(name).ok_or(PlanError::NoField(name));
    let topic = field("topic")?;
    let topic = topic.as_str().ok_or_else(|| wrong("`String` value", topic))?.to_owned();
    let partition = integer(field("partition")?)?;
    let offset = field("offset")?;
    let offset = offset.as_i64().ok_or_else(|| wrong("`Long` value", offset))?;
    Ok((TopicPartition { topic, partition }, offset))
}

fn integer(value: &Value) -> Result<i32, PlanError> {
    let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| wrong("`Integer` value", value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_partitions_and_offsets() {
        let text =
            r#"{"partitions": [{"topic": "t", "partition": 2, "offset": -1}], "version": 1} x"#;
        let partition = TopicPartition { topic: "t".to_owned(), partition: 2 };
        assert_eq!(read(text), Ok(HashMap::from([(partition, -1)])));
    }

    #[test]
    fn what_is_no_plan_is_refused_in_kafkas_words() {
        let twice = r#"{"partitions": [{"topic": "t", "partition": 2, "offset": 1},
            {"topic": "t", "partition": 2, "offset": 3}]}"#;
        let table = [
            ("", "The input string is not a valid JSON"),
            ("{", "The input string is not a valid JSON"),
            ("[]", "Expected JSON object, received []"),
            ("{}", "Missing partitions field"),
            (r#"{"version": 2}"#, "Not supported version field value 2"),
            (r#"{"version": "1"}"#, "Expected `Integer` value, received \"1\""),
            (r#"{"partitions": {}}"#, "Expected JSON array, received {}"),
            (r#"{"partitions": [{"topic": "t"}]}"#, "No such field exists: `partition`"),
            (twice, "Offset json file contains duplicate topic partitions: t-2"),
        ];
        for (text, words) in table {
            assert_eq!(read(text).unwrap_err().to_string(), words, "{text}");
        }
    }
}
