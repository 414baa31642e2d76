//! The file of `--path-to-json-file`: `{"partitions": [{"topic": "foo", "partition": 1}]}`.
//!
//! Answers to `parseReplicaElectionData` of LeaderElectionCommand and to Kafka's `DecodeJson`.

use serde_json::Value;

use crate::decode_json::{self, Mismatch, array, field, integer, object, string};
use crate::java_order::{partition_hash_of, sort_by_hash};

/// Reads the file; what is wrong with it in Java's words.
pub(super) fn read(path: &str) -> Result<Vec<(String, i32)>, String> {
    let text = decode_json::read_file(path);
    parse(&text.map_err(|words| format!("java.io.IOException: {words}"))?)
}

fn parse(text: &str) -> Result<Vec<(String, i32)>, String> {
    let empty = |_| "Replica election data is empty".to_owned();
    let json: Value = serde_json::from_str(text).map_err(empty)?;
    let missing = "Replica election data is missing \"partitions\" field";
    let list = object(&json).map_err(wrapped)?.get("partitions").ok_or(missing)?;
    let mut partitions = list_of(list).map_err(wrapped)?;
    sort_by_hash(&mut partitions, |(topic, index)| partition_hash_of(topic, *index));
    let names = partitions.iter().map(|(topic, index)| format!("{topic}-{index}"));
    let (mut seen, mut twice): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for name in names {
        if seen.contains(&name) && !twice.contains(&name) {
            twice.push(name);
        } else {
            seen.push(name);
        }
    }
    match twice.is_empty() {
        true => Ok(partitions),
        false => {
            let twice = twice.join(", ");
            Err(format!("Replica election data contains duplicate partitions: [{twice}]"))
        }
    }
}

/// Java wraps what its decoder says, and prints the wrapped class before it.
fn wrapped(words: Mismatch) -> String {
    format!("com.fasterxml.jackson.databind.JsonMappingException: {words}")
}

fn list_of(list: &Value) -> Result<Vec<(String, i32)>, Mismatch> {
    let partition = |entry: &Value| {
        let entry = object(entry)?;
        Ok((string(field(entry, "topic")?)?, integer(field(entry, "partition")?)?))
    };
    array(list)?.iter().map(partition).collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn partitions_are_read() {
        let text = r#"{"partitions": [{"topic": "foo", "partition": 1}], "version": 1}"#;
        assert_eq!(parse(text), Ok(vec![("foo".to_owned(), 1)]));
    }

    #[test]
    fn what_is_wrong_is_said_in_javas_words() {
        let twice = r#"{"topic": "a", "partition": 1}"#;
        let table = [
            ("", "Replica election data is empty"),
            ("{", "Replica election data is empty"),
            ("{}", "Replica election data is missing \"partitions\" field"),
            (
                &format!("{{\"partitions\": [{twice}, {twice}]}}"),
                "Replica election data contains duplicate partitions: [a-1]",
            ),
        ];
        for (text, words) in table {
            assert_eq!(parse(text), Err(words.to_owned()), "{text}");
        }
    }
}
