//! Which partitions this broker hosts, by topic name and by topic id.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use uuid::Uuid;

use super::hosted::HostedPartition;

/// A topic and those of its partitions that have a replica here.
#[derive(Debug)]
pub(crate) struct HostedTopic {
    pub(crate) name: Arc<str>,
    pub(crate) id: Uuid,
    /// By partition index; `None` where no replica is here.
    partitions: RwLock<Vec<Option<Arc<HostedPartition>>>>,
}

impl HostedTopic {
    pub(crate) fn partition(&self, partition: i32) -> Option<Arc<HostedPartition>> {
        let index = usize::try_from(partition).ok()?;
        self.partitions.read().get(index)?.clone()
    }

    pub(crate) fn partitions(&self) -> Vec<Arc<HostedPartition>> {
        self.partitions.read().iter().flatten().cloned().collect()
    }
}

#[derive(Debug, Default)]
struct Topics {
    by_name: HashMap<Arc<str>, Arc<HostedTopic>>,
    by_id: HashMap<Uuid, Arc<HostedTopic>>,
}

/// The table. Locks are held for a look-up or a change of the maps only.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    topics: RwLock<Topics>,
}

impl Partitions {
    pub(crate) fn topic(&self, name: &str) -> Option<Arc<HostedTopic>> {
        self.topics.read().by_name.get(name).cloned()
    }

    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<Arc<HostedTopic>> {
        self.topics.read().by_id.get(&id).cloned()
    }

    pub(crate) fn partition(&self, topic: &str, partition: i32) -> Option<Arc<HostedPartition>> {
        self.topic(topic)?.partition(partition)
    }

    /// Every partition hosted here.
    pub(crate) fn all(&self) -> Vec<Arc<HostedPartition>> {
        let topics: Vec<_> = self.topics.read().by_id.values().cloned().collect();
        topics.iter().flat_map(|topic| topic.partitions()).collect()
    }

    /// Adds a partition, and its topic if it is the first.
    pub(crate) fn insert(&self, partition: Arc<HostedPartition>) {
        let Ok(index) = usize::try_from(partition.partition()) else { return };
        let topic = {
            let mut topics = self.topics.write();
            match topics.by_id.get(&partition.topic_id()) {
                Some(topic) => Arc::clone(topic),
                None => {
                    let topic = Arc::new(HostedTopic {
                        name: Arc::clone(partition.topic()),
                        id: partition.topic_id(),
                        partitions: RwLock::default(),
                    });
                    topics.by_name.insert(Arc::clone(&topic.name), Arc::clone(&topic));
                    topics.by_id.insert(topic.id, Arc::clone(&topic));
                    topic
                }
            }
        };
        let mut partitions = topic.partitions.write();
        if partitions.len() <= index {
            partitions.resize(index + 1, None);
        }
        partitions[index] = Some(partition);
    }

    /// Takes one partition out, and its topic if it was the last.
    pub(crate) fn remove(&self, id: Uuid, partition: i32) -> Option<Arc<HostedPartition>> {
        let topic = self.topic_by_id(id)?;
        let index = usize::try_from(partition).ok()?;
        let (removed, is_empty) = {
            let mut partitions = topic.partitions.write();
            let removed = partitions.get_mut(index)?.take();
            (removed, partitions.iter().all(Option::is_none))
        };
        if is_empty {
            self.remove_topic(id);
        }
        removed
    }

    /// Takes a topic out; its partitions are the caller's to end.
    pub(crate) fn remove_topic(&self, id: Uuid) -> Option<Arc<HostedTopic>> {
        let mut topics = self.topics.write();
        let topic = topics.by_id.remove(&id)?;
        // A topic of the same name may have been created since.
        if topics.by_name.get(&topic.name).is_some_and(|named| named.id == id) {
            topics.by_name.remove(&topic.name);
        }
        Some(topic)
    }
}
