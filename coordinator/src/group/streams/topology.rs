//! The topology of a streams group as its first member brought it. Answers to `StreamsTopology`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::records::group::{StreamsSubtopologyValue, StreamsTopologyValue};
use protocol::wire::StrBytes;

use super::super::modern::hash_map_order;
use crate::java_hash;

#[derive(Debug, Clone)]
pub(super) struct StreamsTopology {
    pub(super) epoch: i32,
    /// In the order in which Kafka goes over them.
    pub(super) subtopologies: Vec<StreamsSubtopologyValue>,
    /// Which subtopology reads a topic.
    readers: BTreeMap<StrBytes, StrBytes>,
}

impl StreamsTopology {
    /// Of a record or a request; none if two subtopologies have one id.
    pub(super) fn new(value: StreamsTopologyValue) -> Option<Self> {
        let ids: BTreeSet<&StrBytes> =
            value.subtopologies.iter().map(|part| &part.subtopology_id).collect();
        if ids.len() != value.subtopologies.len() {
            return None;
        }
        let subtopologies =
            hash_map_order(value.subtopologies, |part| java_hash(&part.subtopology_id));
        let mut readers = BTreeMap::new();
        for part in &subtopologies {
            for topic in sources(part) {
                readers.insert(topic.clone(), part.subtopology_id.clone());
            }
        }
        Some(Self { epoch: value.epoch, subtopologies, readers })
    }

    /// By id.
    pub(super) fn sorted(&self) -> BTreeMap<&StrBytes, &StreamsSubtopologyValue> {
        self.subtopologies.iter().map(|part| (&part.subtopology_id, part)).collect()
    }

    /// The topics that must be there, by name.
    pub(super) fn required_topics(&self) -> BTreeSet<&StrBytes> {
        let topics = self.subtopologies.iter().flat_map(|part| {
            sources(part).chain(part.state_changelog_topics.iter().map(|topic| &topic.name))
        });
        topics.collect()
    }

    /// The subtopology that reads this topic.
    pub(super) fn reader_of(&self, topic: &StrBytes) -> Option<&StrBytes> {
        self.readers.get(topic)
    }
}

impl PartialEq for StreamsTopology {
    fn eq(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.sorted() == other.sorted()
    }
}

/// What a subtopology reads.
pub(super) fn sources(part: &StreamsSubtopologyValue) -> impl Iterator<Item = &StrBytes> {
    part.source_topics.iter().chain(part.repartition_source_topics.iter().map(|topic| &topic.name))
}
