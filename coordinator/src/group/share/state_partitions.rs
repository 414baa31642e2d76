//! For which partitions a group's state is held by the share coordinator, is about to be, or is
//! about to be no longer. Answers to `ShareGroupStatePartitionMetadataInfo` and `combineInitMaps`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::records::group::{
    ShareGroupStatePartitionMetadataValue, StatePartitionsOfTopic, StateTopic,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::modern::{Assignment, ClusterMetadata, hash_map_order};
use super::assignor::uuid_hash;

/// The state of these partitions is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateToDelete {
    pub group: StrBytes,
    pub partitions: Assignment,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TopicPartitions {
    pub(super) name: StrBytes,
    pub(super) partitions: BTreeSet<i32>,
    /// Since when they stand so, as far as this coordinator knows.
    pub(super) since_ms: i64,
}

/// Partitions by the ids of their topics.
pub(super) type Topics = BTreeMap<Uuid, TopicPartitions>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StatePartitions {
    pub(super) initializing: Topics,
    pub(super) initialized: Topics,
    pub(super) deleting: BTreeSet<Uuid>,
}

impl StatePartitions {
    pub(super) fn replayed(value: ShareGroupStatePartitionMetadataValue, now_ms: i64) -> Self {
        let topics = |topics: Vec<StatePartitionsOfTopic>| {
            let topics = topics.into_iter().map(|topic| {
                let (name, partitions) = (topic.topic_name, topic.partitions.into_iter().collect());
                (topic.topic_id, TopicPartitions { name, partitions, since_ms: now_ms })
            });
            topics.collect()
        };
        Self {
            initializing: topics(value.initializing_topics),
            initialized: topics(value.initialized_topics),
            deleting: value.deleting_topics.into_iter().map(|topic| topic.topic_id).collect(),
        }
    }

    /// As it is written; topics on the way out have the name that they have in the metadata.
    pub(super) fn value(
        &self,
        image: &dyn ClusterMetadata,
    ) -> ShareGroupStatePartitionMetadataValue {
        let deleting = in_order(self.deleting.iter().copied()).into_iter().map(|topic_id| {
            let topic_name = name_of(topic_id, image);
            StateTopic { topic_id, topic_name, ..StateTopic::default() }
        });
        ShareGroupStatePartitionMetadataValue {
            initializing_topics: written(&self.initializing),
            initialized_topics: written(&self.initialized),
            deleting_topics: deleting.collect(),
            ..ShareGroupStatePartitionMetadataValue::default()
        }
    }
}

/// As Kafka names a topic that is not there any more.
pub(super) fn name_of(topic: Uuid, image: &dyn ClusterMetadata) -> StrBytes {
    let known = image.topic_by_id(topic).map(|topic| topic.name);
    known.unwrap_or(StrBytes::from_static_str("<UNKNOWN>"))
}

/// All of them about to go, by the names that they had.
pub(super) fn deleting(topics: &Topics) -> ShareGroupStatePartitionMetadataValue {
    let ids = in_order(topics.keys().copied()).into_iter();
    let deleting_topics = ids.filter_map(|topic_id| {
        let topic_name = topics.get(&topic_id)?.name.clone();
        Some(StateTopic { topic_id, topic_name, ..StateTopic::default() })
    });
    ShareGroupStatePartitionMetadataValue {
        deleting_topics: deleting_topics.collect(),
        ..ShareGroupStatePartitionMetadataValue::default()
    }
}

/// Both together; what is newer says the name and the time.
pub(super) fn combined(older: &Topics, newer: &Topics) -> Topics {
    let mut combined = older.clone();
    for (id, topic) in newer {
        let both = combined.entry(*id).or_insert_with(|| topic.clone());
        both.partitions.extend(&topic.partitions);
        (both.name, both.since_ms) = (topic.name.clone(), topic.since_ms);
    }
    combined
}

/// What is left without these partitions; no topic without one.
pub(super) fn without(topics: &Topics, gone: &Assignment) -> Topics {
    let mut left = topics.clone();
    for (id, partitions) in gone {
        if let Some(topic) = left.get_mut(id) {
            topic.partitions.retain(|partition| !partitions.contains(partition));
            if topic.partitions.is_empty() {
                left.remove(id);
            }
        }
    }
    left
}

pub(super) fn partitions_of(topics: &Topics) -> Assignment {
    topics.iter().map(|(id, topic)| (*id, topic.partitions.clone())).collect()
}

fn written(topics: &Topics) -> Vec<StatePartitionsOfTopic> {
    let ids = in_order(topics.keys().copied());
    let topics = ids.into_iter().filter_map(|topic_id| {
        let topic = topics.get(&topic_id)?;
        Some(StatePartitionsOfTopic {
            topic_id,
            topic_name: topic.name.clone(),
            partitions: topic.partitions.iter().copied().collect(),
            ..StatePartitionsOfTopic::default()
        })
    });
    topics.collect()
}

fn in_order(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    hash_map_order(ids.collect(), |id| uuid_hash(*id))
}
