//! Topics and their partitions, by name and by id.
//!
//! Kept true: both maps hold the same topics. Answers to `TopicsImage` and `TopicImage`.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::records::metadata::{
    ClearElrRecord, MetadataRecord, PartitionChangeRecord, PartitionRecord, TaggedFields,
    TopicRecord,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::ReplayError;
use super::partition::Partition;
use super::shards::Shards;
use crate::feature::MetadataVersion;

#[derive(Debug, Clone, PartialEq)]
pub struct Topic {
    pub name: StrBytes,
    pub id: Uuid,
    partitions: BTreeMap<i32, Arc<Partition>>,
    unknown_tagged_fields: TaggedFields,
}

impl Topic {
    pub fn partition(&self, id: i32) -> Option<&Arc<Partition>> {
        self.partitions.get(&id)
    }

    /// By id.
    pub fn partitions(&self) -> impl ExactSizeIterator<Item = (i32, &Arc<Partition>)> {
        self.partitions.iter().map(|(id, partition)| (*id, partition))
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct TopicsImage {
    by_id: Shards<Uuid, Arc<Topic>>,
    by_name: Shards<StrBytes, Uuid>,
}

impl TopicsImage {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn by_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.by_id.find(&id)
    }

    pub fn by_name(&self, name: &str) -> Option<&Arc<Topic>> {
        self.by_id(self.id_of(name)?)
    }

    pub fn id_of(&self, name: &str) -> Option<Uuid> {
        self.by_name.find(name.as_bytes()).copied()
    }

    pub fn partition(&self, id: Uuid, partition: i32) -> Option<&Arc<Partition>> {
        self.by_id(id)?.partition(partition)
    }

    /// In no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.by_id.values()
    }

    /// By name.
    pub fn sorted(&self) -> Vec<&Arc<Topic>> {
        let mut topics: Vec<_> = self.iter().collect();
        topics.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        topics
    }

    pub(crate) fn replay_topic(&mut self, record: &TopicRecord) -> Result<(), ReplayError> {
        if self.id_of(&record.name).is_some() {
            return Err(ReplayError::DuplicateTopic(record.name.to_string()));
        }
        self.by_name.insert(record.name.clone(), record.topic_id);
        let topic = Topic {
            name: record.name.clone(),
            id: record.topic_id,
            partitions: BTreeMap::new(),
            unknown_tagged_fields: record.unknown_tagged_fields.clone(),
        };
        self.by_id.insert(record.topic_id, Arc::new(topic));
        Ok(())
    }

    /// Removes a topic and says what it was.
    pub(crate) fn replay_removal(&mut self, id: Uuid) -> Result<Arc<Topic>, ReplayError> {
        let topic = self.by_id.remove(&id).ok_or(ReplayError::UnknownTopic(id))?;
        self.by_name.remove(topic.name.as_bytes());
        Ok(topic)
    }

    pub(crate) fn replay_partition(&mut self, record: &PartitionRecord) -> Result<(), ReplayError> {
        let partition = Arc::new(Partition::from_record(record)?);
        self.topic_mut(record.topic_id)?.partitions.insert(record.partition_id, partition);
        Ok(())
    }

    pub(crate) fn replay_change(
        &mut self,
        record: &PartitionChangeRecord,
    ) -> Result<(), ReplayError> {
        let (topic_id, id) = (record.topic_id, record.partition_id);
        let topic = self.topic_mut(topic_id)?;
        let partition = topic
            .partitions
            .get_mut(&id)
            .ok_or(ReplayError::UnknownPartition { topic_id, partition: id })?;
        *partition = Arc::new(partition.merged(record)?);
        Ok(())
    }

    /// Forgets eligible leader replicas; says which partitions changed.
    pub(crate) fn replay_clear_elr(
        &mut self,
        record: &ClearElrRecord,
    ) -> Result<Vec<(Uuid, i32)>, ReplayError> {
        let topics = if record.topic_name.is_empty() {
            self.iter().map(|topic| topic.id).collect()
        } else {
            let unknown = || ReplayError::UnknownTopicName(record.topic_name.to_string());
            vec![self.id_of(&record.topic_name).ok_or_else(unknown)?]
        };
        let mut cleared = Vec::new();
        for id in topics {
            let has_elr = |partition: &Partition| {
                !partition.elr.is_empty() || !partition.last_known_elr.is_empty()
            };
            if !self.by_id(id).is_some_and(|topic| topic.partitions().any(|(_, p)| has_elr(p))) {
                continue;
            }
            for (partition_id, partition) in &mut self.topic_mut(id)?.partitions {
                if has_elr(partition) {
                    let partition = Arc::make_mut(partition);
                    partition.elr.clear();
                    partition.last_known_elr.clear();
                    partition.partition_epoch += 1;
                    cleared.push((id, *partition_id));
                }
            }
        }
        Ok(cleared)
    }

    fn topic_mut(&mut self, id: Uuid) -> Result<&mut Topic, ReplayError> {
        self.by_id.find_mut(&id).map(Arc::make_mut).ok_or(ReplayError::UnknownTopic(id))
    }

    pub(crate) fn write(&self, level: MetadataVersion, out: &mut Vec<MetadataRecord>) {
        for topic in self.sorted() {
            let record = TopicRecord {
                name: topic.name.clone(),
                topic_id: topic.id,
                unknown_tagged_fields: topic.unknown_tagged_fields.clone(),
            };
            out.push(record.into());
            out.extend(topic.partitions().map(|(id, partition)| {
                partition.to_record(topic.id, id, level.has_directories(), level.has_elr()).into()
            }));
        }
    }
}
