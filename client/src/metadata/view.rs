//! What is known of a cluster, and what an answer changes of it.
//!
//! Pure. Kept true: a partition never goes back to an older leader epoch of the same topic id; a
//! topic that nobody wants any more is forgotten; what an answer does not name stays. Answers to
//! Kafka's `Metadata.handleMetadataResponse` and `MetadataSnapshot`.

use std::collections::{BTreeMap, HashSet};

use protocol::ErrorCode;
use protocol::messages::{MetadataResponse, metadata_response as answers};
use uuid::Uuid;

use crate::Address;
use crate::admin::{Node, known};

/// One partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    pub index: i32,
    /// None while it has none.
    pub leader_id: Option<i32>,
    /// None where the node is too old to tell.
    pub leader_epoch: Option<i32>,
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    pub offline_replicas: Vec<i32>,
}

/// One topic; its partitions in the order of their indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    /// Nil where the node is too old to tell.
    pub id: Uuid,
    pub is_internal: bool,
    pub partitions: Vec<Partition>,
}

/// The cluster at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterView {
    pub cluster_id: Option<String>,
    /// Minus one while nobody knows.
    pub controller_id: i32,
    pub nodes: Vec<Node>,
    topics: BTreeMap<String, Topic>,
    /// Topics that an answer named with an error: the code.
    errors: BTreeMap<String, i16>,
    /// Counts the answers that were taken.
    pub version: u64,
    /// Whether an answer has listed every topic there is.
    pub lists_all: bool,
}

/// What an answer said beside what it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Applied {
    /// Something of it will be otherwise soon: ask again after the backoff.
    pub(super) is_unsettled: bool,
    /// Errors of topics, in the order of the answer.
    pub(super) topic_errors: Vec<(String, i16)>,
}

impl ClusterView {
    pub fn node(&self, id: i32) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.get(name)
    }

    pub fn topic_by_id(&self, id: Uuid) -> Option<&Topic> {
        self.topics.values().find(|topic| topic.id == id)
    }

    /// Every topic that is known, by name.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.values()
    }

    pub fn partition(&self, topic: &str, index: i32) -> Option<&Partition> {
        let partitions = &self.topics.get(topic)?.partitions;
        let at = partitions.binary_search_by_key(&index, |partition| partition.index).ok()?;
        partitions.get(at)
    }

    /// What the last answer that named this topic said was wrong with it.
    pub fn topic_error(&self, name: &str) -> Option<i16> {
        self.errors.get(name).copied()
    }

    /// Takes an answer in. `is_full` where it answers for every topic that is wanted, so that what
    /// it leaves out is gone.
    pub(super) fn apply(
        &mut self,
        answer: &MetadataResponse,
        is_full: bool,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Applied {
        self.version += 1;
        self.cluster_id = answer.cluster_id.as_ref().map(ToString::to_string);
        self.controller_id = answer.controller_id.0;
        self.nodes = crate::admin::nodes_of_metadata(answer);
        let mut applied = Applied::default();
        let mut named = HashSet::new();
        for topic in &answer.topics {
            let Some(name) = topic.name.as_ref().map(|name| name.to_string()) else { continue };
            if topic.error_code != 0 {
                applied.is_unsettled |= known(topic.error_code).is_retriable;
                applied.topic_errors.push((name.clone(), topic.error_code));
                self.topics.remove(&name);
                self.errors.insert(name.clone(), topic.error_code);
            } else {
                applied.is_unsettled |=
                    topic.partitions.iter().any(|partition| is_stale(partition.error_code));
                self.errors.remove(&name);
                let old = self.topics.remove(&name);
                self.topics.insert(name.clone(), taken(name.clone(), topic, old.as_ref()));
            }
            named.insert(name);
        }
        let stays = |name: &str| is_wanted(name) && (!is_full || named.contains(name));
        self.topics.retain(|name, _| stays(name));
        self.errors.retain(|name, _| stays(name));
        applied
    }

    /// A leader that somebody else told of (KIP-951): taken where its epoch is newer.
    pub(super) fn lead(&mut self, topic: &str, index: i32, leader: i32, epoch: i32) -> bool {
        let Some(topic) = self.topics.get_mut(topic) else { return false };
        let found = topic.partitions.iter_mut().find(|partition| partition.index == index);
        let Some(partition) = found else { return false };
        if partition.leader_epoch.is_some_and(|own| own >= epoch) {
            return false;
        }
        partition.leader_id = Some(leader);
        partition.leader_epoch = Some(epoch);
        self.version += 1;
        true
    }
}

/// The topic as the answer has it, but for partitions that are known at a newer epoch.
fn taken(name: String, topic: &answers::MetadataResponseTopic, old: Option<&Topic>) -> Topic {
    let old = old.filter(|old| old.id == topic.topic_id);
    let known = |index: i32| old?.partitions.iter().find(|partition| partition.index == index);
    let mut partitions: Vec<Partition> = topic
        .partitions
        .iter()
        .map(|partition| {
            let new = read(partition);
            match known(new.index) {
                Some(own) if new.leader_epoch.is_some() && own.leader_epoch > new.leader_epoch => {
                    own.clone()
                }
                _ => new,
            }
        })
        .collect();
    partitions.sort_by_key(|partition| partition.index);
    Topic { name, id: topic.topic_id, is_internal: topic.is_internal, partitions }
}

fn read(partition: &answers::MetadataResponsePartition) -> Partition {
    let ids = |nodes: &[protocol::messages::BrokerId]| nodes.iter().map(|node| node.0).collect();
    Partition {
        index: partition.partition_index,
        leader_id: Some(partition.leader_id.0).filter(|id| *id >= 0),
        leader_epoch: Some(partition.leader_epoch).filter(|epoch| *epoch >= 0),
        replicas: ids(&partition.replica_nodes),
        isr: ids(&partition.isr_nodes),
        offline_replicas: ids(&partition.offline_replicas),
    }
}

/// Kafka's `InvalidMetadataException`s that a partition may have in an answer.
fn is_stale(code: i16) -> bool {
    [
        ErrorCode::LeaderNotAvailable,
        ErrorCode::NotLeaderOrFollower,
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::ReplicaNotAvailable,
        ErrorCode::FencedLeaderEpoch,
        ErrorCode::KafkaStorageError,
    ]
    .iter()
    .any(|error| error.code() == code)
}

/// The address of a node as an answer has it.
pub(super) fn address(host: &str, port: i32) -> Address {
    Address { host: host.to_owned(), port: u16::try_from(port).unwrap_or_default() }
}
