//! What the metadata makes of this broker's replicas, said as Kafka says it: logs created, leaders
//! and followers begun, fetchers added and taken away. Labs read these lines aloud when a leader
//! moves. Kafka: `ReplicaManager`, `Partition`, `AbstractFetcherManager`, `LogManager`.

use protocol::Base64Uuid;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use client::Address;
use raft::image::{ConfigResource, MetadataImage, Partition, Topic};
use replica::Standing;

use crate::partitions::HostedPartition;

/// Who led a partition before, and in which epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before {
    leader: Option<i32>,
    leader_epoch: i32,
}

impl Before {
    /// As the image before this one has it.
    pub(crate) fn of(image: &MetadataImage, topic: &Topic, partition: i32) -> Self {
        let topic = image.topics().by_id(topic.id);
        let known = topic.and_then(|topic| topic.partition(partition));
        Self {
            leader: known.map(|known| known.leader).filter(|leader| *leader >= 0),
            leader_epoch: known.map_or(-1, |known| known.leader_epoch),
        }
    }

    /// As the replica itself has it.
    pub(crate) fn as_hosted(standing: &Standing, node_id: i32) -> Self {
        let leader = if standing.leads { node_id } else { standing.leader };
        Self { leader: Some(leader).filter(|id| *id >= 0), leader_epoch: standing.leader_epoch }
    }

    /// Of a replica that is new here.
    pub(crate) fn nothing() -> Self {
        Self { leader: None, leader_epoch: -1 }
    }

    /// Whether the leader's epoch is another now.
    pub(crate) fn is_other_than(self, state: &Partition) -> bool {
        self.leader_epoch != state.leader_epoch
    }
}

/// A replica's log began in this directory.
pub(crate) fn created(topic: &Topic, partition: i32, directory: &Path, image: &MetadataImage) {
    let values = image.configs().of(&ConfigResource::topic(&topic.name));
    let shown: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    tracing::info!(
        target: "kafka.log.LogManager",
        "Created log for partition {}-{partition} in {} with properties {{{}}}",
        topic.name,
        directory.join(format!("{}-{partition}", topic.name)).display(),
        shown.join(", "),
    );
}

/// The replica has its role in an epoch that is new to it.
pub(crate) fn began(node_id: i32, hosted: &HostedPartition, state: &Partition, before: Before) {
    if !before.is_other_than(state) {
        return;
    }
    let name = format!("{}-{}", hosted.topic(), hosted.partition());
    let previous = before.leader.map_or_else(|| "None".to_owned(), |id| format!("Some({id})"));
    let (end, high_watermark) =
        (hosted.published().log_end_offset(), hosted.published().high_watermark());
    if state.leader == node_id {
        tracing::info!(
            target: "state.change.logger",
            "[Broker id={node_id}] Leader {name} with topic id Some({}) starts at leader epoch {} \
             from offset {end} with partition epoch {}, high watermark {high_watermark}, ISR [{}], \
             adding replicas [{}] and removing replicas [{}] . Previous leader {previous} and \
             previous leader epoch was {}.",
            Base64Uuid(hosted.topic_id()),
            state.leader_epoch,
            state.partition_epoch,
            listed(&state.isr),
            listed(&state.adding_replicas),
            listed(&state.removing_replicas),
            before.leader_epoch,
        );
    } else {
        tracing::info!(
            target: "state.change.logger",
            "[Broker id={node_id}] Follower {name} starts at leader epoch {} from offset {end} \
             with partition epoch {} and high watermark {high_watermark}. Current leader is {}. \
             Previous leader {previous} and previous leader epoch was {}.",
            state.leader_epoch, state.partition_epoch, state.leader, before.leader_epoch,
        );
    }
}

/// A topic's settings are others now.
pub(crate) fn configured(node_id: i32, topic: &ConfigResource, image: &MetadataImage) {
    let values = image.configs().of(topic);
    let shown: Vec<String> =
        values.iter().map(|(name, value)| format!("{name} -> {value}")).collect();
    tracing::info!(
        target: "kafka.server.metadata.DynamicConfigPublisher",
        "[DynamicConfigPublisher broker id={node_id}] Updating topic {} with new configuration : \
         {}",
        topic.name, shown.join(","),
    );
}

/// So many of a change's partitions are led here, so many followed.
pub(crate) fn transitioning(node_id: i32, leaders: usize, followers: usize) {
    for (count, roles) in [(leaders, "leaders"), (followers, "followers")] {
        if count > 0 {
            tracing::info!(
                target: "state.change.logger",
                "[Broker id={node_id}] Transitioning {count} partition(s) to local {roles}.",
            );
        }
    }
}

/// So many partitions of deleted topics go.
pub(crate) fn deleting(node_id: i32, count: usize) {
    if count > 0 {
        tracing::info!(
            target: "state.change.logger",
            "[Broker id={node_id}] Deleting {count} partition(s).",
        );
    }
}

/// Partitions whose fetchers changed, by leader; said all at once.
#[derive(Debug, Default)]
pub(crate) struct Fetching {
    added: BTreeMap<i32, String>,
    removed: String,
}

impl Fetching {
    pub(crate) fn added(&mut self, leader: i32, at: &Address, hosted: &HostedPartition) {
        let names = self.added.entry(leader).or_default();
        let separator = if names.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(
            names,
            "{separator}{}-{} -> InitialFetchState(Some({}),BrokerEndPoint[id={leader}, host={}, \
             port={}],{},{})",
            hosted.topic(),
            hosted.partition(),
            Base64Uuid(hosted.topic_id()),
            at.host,
            at.port,
            hosted.published().leader_epoch(),
            hosted.published().log_end_offset(),
        );
    }

    pub(crate) fn removed(&mut self, hosted: &HostedPartition) {
        let separator = if self.removed.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(self.removed, "{separator}{}-{}", hosted.topic(), hosted.partition());
    }

    pub(crate) fn say(self, node_id: i32) {
        if !self.removed.is_empty() {
            tracing::info!(
                target: "kafka.server.ReplicaFetcherManager",
                "[ReplicaFetcherManager on broker {node_id}] Removed fetcher for partitions \
                 Set({})",
                self.removed,
            );
        }
        for (leader, partitions) in self.added {
            tracing::info!(
                target: "kafka.server.ReplicaFetcherManager",
                "[ReplicaFetcherManager on broker {node_id}] Added fetcher to broker {leader} for \
                 partitions HashMap({partitions})",
            );
        }
    }
}

fn listed(ids: &[i32]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
