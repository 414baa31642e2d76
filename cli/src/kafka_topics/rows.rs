//! Topics and their partitions as `--describe` shows them: as lines, or as rows of JSON.
//!
//! Pure. Answers to the `printDescription`s of TopicCommand.

use client::admin::{Partition, Reassignment};
use serde::Serialize;

use crate::json::fields;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TopicRow<'a> {
    pub(super) topic: &'a str,
    pub(super) topic_id: Option<String>,
    pub(super) partition_count: usize,
    pub(super) replication_factor: usize,
    /// Those that are not Kafka's own defaults.
    #[serde(serialize_with = "fields")]
    pub(super) configs: Vec<(&'a str, Option<&'a str>)>,
    /// Those that are shown; nothing where none are asked for.
    pub(super) partitions: Option<Vec<PartitionRow<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartitionRow<'a> {
    partition: i32,
    leader: Option<i32>,
    replicas: &'a [i32],
    isr: &'a [i32],
    elr: Option<&'a [i32]>,
    last_known_elr: Option<&'a [i32]>,
    /// Nothing where the partition does not move.
    adding_replicas: Option<&'a [i32]>,
    removing_replicas: Option<&'a [i32]>,
}

impl TopicRow<'_> {
    /// As lines; those of partitions alone where what is in trouble is reported.
    pub(super) fn text(&self, has_head: bool, shows_elr: bool) -> String {
        let mut lines = if has_head { self.head() } else { String::new() };
        for partition in self.partitions.iter().flatten() {
            lines.push_str(&partition.text(self.topic, shows_elr));
        }
        lines
    }

    fn head(&self) -> String {
        let id = self.topic_id.as_ref().map(|id| format!("\tTopicId: {id}")).unwrap_or_default();
        let pairs =
            self.configs.iter().map(|(name, value)| format!("{name}={}", value.unwrap_or("null")));
        format!(
            "Topic: {}{id}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n",
            self.topic,
            self.partition_count,
            self.replication_factor,
            pairs.collect::<Vec<_>>().join(",")
        )
    }
}

impl<'a> PartitionRow<'a> {
    pub(super) fn of(partition: &'a Partition, moving: Option<&'a Reassignment>) -> Self {
        Self {
            partition: partition.index,
            leader: partition.leader,
            replicas: &partition.replicas,
            isr: &partition.isr,
            elr: partition.elr.as_deref(),
            last_known_elr: partition.last_known_elr.as_deref(),
            adding_replicas: moving.map(|moving| moving.adding.as_slice()),
            removing_replicas: moving.map(|moving| moving.removing.as_slice()),
        }
    }

    fn text(&self, topic: &str, shows_elr: bool) -> String {
        let leader = self.leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string());
        let moving = self.adding_replicas.zip(self.removing_replicas);
        let moving = moving.map_or_else(String::new, |(adding, removing)| {
            format!("\tAdding Replicas: {}\tRemoving Replicas: {}", ids(adding), ids(removing))
        });
        let known = |known: Option<&[i32]>| known.map_or_else(|| "N/A".to_owned(), ids);
        let elr = match shows_elr {
            true => {
                format!("\tElr: {}\tLastKnownElr: {}", known(self.elr), known(self.last_known_elr))
            }
            false => String::new(),
        };
        format!(
            "\tTopic: {topic}\tPartition: {}\tLeader: {leader}\tReplicas: {}\tIsr: {}\
             {moving}{elr}\n",
            self.partition,
            ids(self.replicas),
            ids(self.isr),
        )
    }
}

fn ids(ids: &[i32]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_json_say_the_same() {
        let partition = Partition {
            index: 1,
            leader: None,
            replicas: vec![1, 2],
            isr: vec![2],
            elr: Some(Vec::new()),
            last_known_elr: None,
        };
        let moving = Reassignment { replicas: vec![1, 2], adding: vec![1], removing: vec![] };
        let row = TopicRow {
            topic: "orders",
            topic_id: None,
            partition_count: 1,
            replication_factor: 2,
            configs: vec![("retention.ms", Some("5"))],
            partitions: Some(vec![PartitionRow::of(&partition, Some(&moving))]),
        };
        let text = "Topic: orders\tPartitionCount: 1\tReplicationFactor: 2\tConfigs: \
                    retention.ms=5\n\tTopic: orders\tPartition: 1\tLeader: none\tReplicas: \
                    1,2\tIsr: 2\tAdding Replicas: 1\tRemoving Replicas: \tElr: \t\
                    LastKnownElr: N/A\n";
        assert_eq!(row.text(true, true), text);
        let json = concat!(
            r#"{"topic":"orders","topicId":null,"partitionCount":1,"replicationFactor":2,"#,
            r#""configs":{"retention.ms":"5"},"partitions":[{"partition":1,"leader":null,"#,
            r#""replicas":[1,2],"isr":[2],"elr":[],"lastKnownElr":null,"addingReplicas":[1],"#,
            r#""removingReplicas":[]}]}"#
        );
        assert_eq!(serde_json::to_string(&row).unwrap(), json);
    }
}
