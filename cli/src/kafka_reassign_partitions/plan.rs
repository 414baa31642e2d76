//! Reassignments as JSON: read, checked and written.
//!
//! ```text
//! {"version":1,"partitions":[{"topic":"a","partition":1,"replicas":[1],"log_dirs":["any"]}]}
//! {"version":1,"topics":[{"topic":"foo"}]}
//! ```
//! Pure. Answers to `parsePartitionReassignmentData`, `parseExecuteAssignmentArgs`,
//! `parseTopicsData` and `formatAsReassignmentJson` of ReassignPartitionsCommand.
//!
//! Unlike Kafka: what is no JSON is described by this parser's words, not Jackson's
//! (docs/decisions/0375).

use std::collections::BTreeMap;

use serde_json::Value;

use super::Failure;
use crate::decode_json::{array, field, integer, object, string};
use crate::java_order::{partition_hash_of, sort_by_hash};

/// Where a replica lies as long as nobody says.
const ANY: &str = "any";

/// Topic and index.
pub(super) type Partition = (String, i32);
/// Broker, topic and index: Kafka's order of them.
pub(super) type Replica = (i32, String, i32);

/// What a file asks for, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) partitions: Vec<(Partition, Vec<i32>)>,
    pub(super) log_dirs: BTreeMap<Replica, String>,
}

impl Plan {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let json: Value =
            serde_json::from_str(text).map_err(|error| Failure::Words(error.to_string()))?;
        check_version(&json)?;
        let mut plan = Self::default();
        let Some(list) = object(&json)?.get("partitions") else { return Ok(plan) };
        for entry in array(list)? {
            plan.add(entry)?;
        }
        Ok(plan)
    }

    fn add(&mut self, entry: &Value) -> Result<(), Failure> {
        let fields = object(entry)?;
        let topic = string(field(fields, "topic")?)?;
        let index = integer(field(fields, "partition")?)?;
        let replicas: Result<Vec<i32>, String> =
            array(field(fields, "replicas")?)?.iter().map(integer).collect();
        let replicas = replicas?;
        let log_dirs: Vec<String> = match fields.get("log_dirs") {
            Some(list) => array(list)?.iter().map(string).collect::<Result<_, _>>()?,
            None => vec![ANY.to_owned(); replicas.len()],
        };
        if replicas.len() != log_dirs.len() {
            return Err(Failure::Words(format!(
                "Size of replicas list {replicas:?} is different from size of log dirs list [{}] \
                 for partition {topic}-{index}",
                log_dirs.join(", ")
            )));
        }
        for (replica, log_dir) in replicas.iter().zip(log_dirs) {
            if log_dir != ANY {
                self.log_dirs.insert((*replica, topic.clone(), index), log_dir);
            }
        }
        self.partitions.push(((topic, index), replicas));
        Ok(())
    }

    /// What an execution refuses, and a verification does not.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let words = |words: String| Err(Failure::Words(words));
        if self.partitions.is_empty() {
            return words("Partition reassignment list cannot be empty".to_owned());
        }
        if self.partitions.iter().any(|(_, replicas)| replicas.is_empty()) {
            return words("Partition replica list cannot be empty".to_owned());
        }
        let mut twice = duplicates(self.partitions.iter().map(|(partition, _)| partition));
        if !twice.is_empty() {
            sort_by_hash(&mut twice, |(topic, index)| partition_hash_of(topic, *index));
            let twice: Vec<String> =
                twice.iter().map(|(topic, index)| format!("{topic}-{index}")).collect();
            return words(format!(
                "Partition reassignment contains duplicate topic partitions: {}",
                twice.join(",")
            ));
        }
        let repeated = self.partitions.iter().filter_map(|((topic, index), replicas)| {
            let twice = crate::java_order::integer_set(duplicates(replicas.iter()));
            let entries = joined(&twice);
            (!twice.is_empty())
                .then(|| format!("{topic}-{index} contains multiple entries for {entries}"))
        });
        let repeated: Vec<String> = repeated.collect();
        if !repeated.is_empty() {
            return words(format!(
                "Partition replica lists may not contain duplicate entries: {}",
                repeated.join(". ")
            ));
        }
        Ok(())
    }
}

/// The topics that shall move.
pub(super) fn topics(text: &str) -> Result<Vec<String>, Failure> {
    let invalid = |_| Failure::Words("The input string is not a valid JSON".to_owned());
    let json: Value = serde_json::from_str(text).map_err(invalid)?;
    check_version(&json)?;
    let Some(list) = object(&json)?.get("topics") else { return Ok(Vec::new()) };
    let mut topics = Vec::new();
    for entry in array(list)? {
        topics.push(string(field(object(entry)?, "topic")?)?);
    }
    Ok(topics)
}

fn check_version(json: &Value) -> Result<(), Failure> {
    match object(json)?.get("version").map(integer).transpose()?.unwrap_or(1) {
        1 => Ok(()),
        other => Err(Failure::Words(format!("Not supported version field value {other}"))),
    }
}

/// What stands there more than once.
pub(super) fn duplicates<'a, T: Clone + PartialEq + 'a>(
    items: impl Iterator<Item = &'a T>,
) -> Vec<T> {
    let (mut seen, mut twice): (Vec<&T>, Vec<T>) = (Vec::new(), Vec::new());
    for item in items {
        if seen.contains(&item) && !twice.contains(item) {
            twice.push(item.clone());
        }
        seen.push(item);
    }
    twice
}

pub(super) fn joined(ids: &[i32]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// An assignment as a file for `--reassignment-json-file`, with the directories that are known.
pub(super) fn format(
    partitions: &BTreeMap<Partition, Vec<i32>>,
    log_dirs: &BTreeMap<Replica, String>,
) -> String {
    let partitions = partitions.iter().map(|((topic, index), replicas)| {
        let dirs = replicas.iter().map(|replica| {
            let dir = log_dirs.get(&(*replica, topic.clone(), *index));
            Value::from(dir.map_or(ANY, String::as_str)).to_string()
        });
        format!(
            "{{\"topic\":{},\"partition\":{index},\"replicas\":[{}],\"log_dirs\":[{}]}}",
            Value::from(topic.as_str()),
            joined(replicas),
            dirs.collect::<Vec<_>>().join(",")
        )
    });
    let partitions = partitions.collect::<Vec<_>>().join(",");
    format!("{{\"version\":1,\"partitions\":[{partitions}]}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let checked = Plan::parse(text).and_then(|plan| plan.check());
        checked.unwrap_err().to_string()
    }

    #[test]
    fn a_plan_is_read_and_written() {
        let text = concat!(
            r#"{"version":1,"partitions":["#,
            r#"{"topic":"a","partition":0,"replicas":[1,2],"log_dirs":["any","/d"]}]}"#
        );
        let plan = Plan::parse(text).unwrap();
        plan.check().unwrap();
        assert_eq!(plan.partitions, [(("a".to_owned(), 0), vec![1, 2])]);
        let partitions = plan.partitions.into_iter().collect();
        assert_eq!(format(&partitions, &plan.log_dirs), text);
        assert_eq!(topics(r#"{"topics":[{"topic":"a"}]}"#).unwrap(), ["a"]);
    }

    #[test]
    fn what_cannot_be_done_is_refused_in_kafkas_words() {
        let one = r#"{"topic":"a","partition":0,"replicas":[1]}"#;
        let table = [
            ("{}".to_owned(), "Partition reassignment list cannot be empty"),
            (r#"{"version":2}"#.to_owned(), "Not supported version field value 2"),
            (
                format!(r#"{{"partitions":[{one},{one}]}}"#),
                "Partition reassignment contains duplicate topic partitions: a-0",
            ),
            (
                r#"{"partitions":[{"topic":"a","partition":0,"replicas":[]}]}"#.to_owned(),
                "Partition replica list cannot be empty",
            ),
            (
                r#"{"partitions":[{"topic":"a","partition":0,"replicas":[2,2,1]}]}"#.to_owned(),
                "Partition replica lists may not contain duplicate entries: a-0 contains multiple \
                 entries for 2",
            ),
            (
                r#"{"partitions":[{"topic":"a","partition":0,"replicas":[1,2],"log_dirs":["d"]}]}"#
                    .to_owned(),
                "Size of replicas list [1, 2] is different from size of log dirs list [d] for \
                 partition a-0",
            ),
            (r#"{"partitions":5}"#.to_owned(), "Expected JSON array, received 5"),
        ];
        for (text, words) in table {
            assert_eq!(refused(&text), words, "{text}");
        }
    }
}
