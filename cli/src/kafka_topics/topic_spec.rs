//! The topic that `--create` and `--alter` describe: numbers, placement, settings.
//!
//! Answers to `CommandTopicPartition`, `parseReplicaAssignment` and `parseTopicConfigsToBeAdded`.

use std::collections::BTreeMap;

use client::admin::NewTopic;
use config::topic;

use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::{OptionError, ParsedOptions};

/// Replicas of each partition.
pub(super) type Placement = Vec<Vec<i32>>;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct TopicSpec {
    pub(super) name: String,
    pub(super) partitions: Option<i32>,
    pub(super) replication_factor: Option<i32>,
    pub(super) assignment: Option<Placement>,
    pub(super) configs: Vec<(String, String)>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum TopicSpecError {
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("For input string: \"{0}\"")]
    NoNumber(String),
    #[error("Partition replica lists may not contain duplicate entries: {0}")]
    Duplicate(String),
    #[error("Partition {partition} has different replication factor: {replicas}")]
    Uneven { partition: usize, replicas: String },
    #[error(
        "requirement failed: Invalid topic config: all configs to be added must be in the format \
         \"key=val\"."
    )]
    NoPair,
    #[error("{0}")]
    Config(#[from] config::ConfigError),
    #[error("The replication factor must be between 1 and {} inclusive", i16::MAX)]
    ReplicationFactor,
    #[error("The partitions must be greater than 0")]
    Partitions,
}

impl TopicSpec {
    pub(super) fn read(given: &ParsedOptions) -> Result<Self, TopicSpecError> {
        let name = given.value("topic")?.unwrap_or_default().to_owned();
        let partitions = given.integer("partitions")?;
        let replication_factor = given.integer("replication-factor")?;
        let assignment = given.value("replica-assignment")?.filter(|list| !list.is_empty());
        let assignment = assignment.map(placement).transpose()?;
        let configs = configs(&given.values("config"))?;
        Ok(Self { name, partitions, replication_factor, assignment, configs })
    }

    /// What a cluster is asked to create.
    pub(super) fn new_topic(&self) -> Result<NewTopic, TopicSpecError> {
        let factor = self
            .replication_factor
            .map(|factor| i16::try_from(factor).ok().filter(|factor| *factor >= 1));
        let replication_factor = match factor {
            Some(None) => return Err(TopicSpecError::ReplicationFactor),
            Some(Some(factor)) => Some(factor),
            None => None,
        };
        if self.partitions.is_some_and(|partitions| partitions < 1) {
            return Err(TopicSpecError::Partitions);
        }
        Ok(NewTopic {
            name: self.name.clone(),
            partitions: self.partitions,
            replication_factor,
            assignment: self.assignment.clone().unwrap_or_default(),
            configs: self.configs.clone(),
        })
    }
}

/// `1:2,2:3`: replicas of partition 0, of partition 1.
fn placement(list: &str) -> Result<Placement, TopicSpecError> {
    let mut placement: Placement = Vec::new();
    // Java's split leaves out what is empty at the end.
    for (partition, replicas) in list.trim_end_matches(',').split(',').enumerate() {
        let replicas = replicas.trim_end_matches(':').split(':').map(|id| {
            let id = id.trim();
            id.parse().map_err(|_| TopicSpecError::NoNumber(id.to_owned()))
        });
        let replicas = replicas.collect::<Result<Vec<i32>, _>>()?;
        let mut seen: Vec<i32> = Vec::new();
        let mut twice: Vec<i32> = Vec::new();
        for id in &replicas {
            if seen.contains(id) && !twice.contains(id) {
                twice.push(*id);
            }
            seen.push(*id);
        }
        if !twice.is_empty() {
            return Err(TopicSpecError::Duplicate(joined(&twice, ",")));
        }
        if placement.first().is_some_and(|first| first.len() != replicas.len()) {
            let replicas = format!("[{}]", joined(&replicas, ", "));
            return Err(TopicSpecError::Uneven { partition, replicas });
        }
        placement.push(replicas);
    }
    Ok(placement)
}

fn joined(ids: &[i32], by: &str) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(by)
}

/// `name=value` pairs; the last of a name counts. Checked as Kafka's tool checks them, before
/// anything is asked.
fn configs(pairs: &[&str]) -> Result<Vec<(String, String)>, TopicSpecError> {
    let mut settings = BTreeMap::new();
    for pair in pairs {
        // Java's split leaves out what is empty at the end.
        let mut parts: Vec<&str> = pair.split('=').map(str::trim).collect();
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        let [name, value] = parts.as_slice() else { return Err(TopicSpecError::NoPair) };
        settings.insert((*name).to_owned(), (*value).to_owned());
    }
    let mut settings: Vec<(String, String)> = settings.into_iter().collect();
    sort_by_hash(&mut settings, |(name, _)| string_hash(name));
    for (name, value) in &settings {
        topic::validate(name, value)?;
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placements_are_read_as_kafka_reads_them() {
        assert_eq!(placement("1:2, 2 :3").unwrap(), [[1, 2], [2, 3]]);
        assert_eq!(placement("7,").unwrap(), [[7]]);
        let table = [
            ("1:1", "Partition replica lists may not contain duplicate entries: 1"),
            ("1:2,3", "Partition 1 has different replication factor: [3]"),
            ("1,x", "For input string: \"x\""),
            ("1,,2", "For input string: \"\""),
        ];
        for (list, problem) in table {
            assert_eq!(placement(list).unwrap_err().to_string(), problem, "{list}");
        }
    }

    #[test]
    fn settings_are_pairs_that_a_topic_can_have() {
        let read = configs(&["retention.ms=1", "retention.ms = 60000", "cleanup.policy=compact"]);
        let expected = [("cleanup.policy", "compact"), ("retention.ms", "60000")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read.unwrap(), expected);
        for wrong in ["retention.ms", "retention.ms=", "a=b=c"] {
            assert!(matches!(configs(&[wrong]), Err(TopicSpecError::NoPair)), "{wrong}");
        }
        let problem = configs(&["no.such.key=1"]).unwrap_err().to_string();
        assert_eq!(problem, "Unknown topic config name: no.such.key");
    }
}
