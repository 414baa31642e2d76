//! Which partitions this broker hosts, by topic name and by topic id, and which of them it cannot
//! serve because their log directory is offline.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use uuid::Uuid;

use super::hosted::HostedPartition;

/// What is here of a partition.
#[derive(Debug, Clone)]
enum Presence {
    /// No replica.
    None,
    Online(Arc<HostedPartition>),
    /// A replica in a log directory that is offline.
    Offline,
}

impl Presence {
    fn online(&self) -> Option<&Arc<HostedPartition>> {
        match self {
            Self::Online(partition) => Some(partition),
            Self::None | Self::Offline => None,
        }
    }
}

/// A topic and those of its partitions that have a replica here.
#[derive(Debug)]
pub(crate) struct HostedTopic {
    pub(crate) name: Arc<str>,
    pub(crate) id: Uuid,
    /// By partition index.
    partitions: RwLock<Vec<Presence>>,
}

impl HostedTopic {
    pub(crate) fn partition(&self, partition: i32) -> Option<Arc<HostedPartition>> {
        let index = usize::try_from(partition).ok()?;
        self.partitions.read().get(index)?.online().cloned()
    }

    pub(crate) fn partitions(&self) -> Vec<Arc<HostedPartition>> {
        self.partitions.read().iter().filter_map(Presence::online).cloned().collect()
    }

    /// Whether the partition has a replica here that cannot be served.
    pub(crate) fn is_offline(&self, partition: i32) -> bool {
        let Ok(index) = usize::try_from(partition) else { return false };
        matches!(self.partitions.read().get(index), Some(Presence::Offline))
    }

    fn offline_count(&self) -> usize {
        let is_offline = |presence: &&Presence| matches!(presence, Presence::Offline);
        self.partitions.read().iter().filter(is_offline).count()
    }

    fn set(&self, index: usize, presence: Presence) {
        let mut partitions = self.partitions.write();
        if partitions.len() <= index {
            partitions.resize(index + 1, Presence::None);
        }
        partitions[index] = presence;
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

    /// How many replicas here cannot be served.
    pub(crate) fn offline_count(&self) -> usize {
        self.topics.read().by_id.values().map(|topic| topic.offline_count()).sum()
    }

    /// Adds a partition, and its topic if it is the first.
    pub(crate) fn insert(&self, partition: Arc<HostedPartition>) {
        let Ok(index) = usize::try_from(partition.partition()) else { return };
        let topic = self.begun(partition.topic(), partition.topic_id());
        topic.set(index, Presence::Online(partition));
    }

    /// The partition is in a log directory that is offline.
    pub(crate) fn set_offline(&self, name: &Arc<str>, id: Uuid, partition: i32) {
        let Ok(index) = usize::try_from(partition) else { return };
        self.begun(name, id).set(index, Presence::Offline);
    }

    /// The topic, which is here from now on.
    fn begun(&self, name: &Arc<str>, id: Uuid) -> Arc<HostedTopic> {
        let mut topics = self.topics.write();
        if let Some(topic) = topics.by_id.get(&id) {
            return Arc::clone(topic);
        }
        let name = Arc::clone(name);
        let topic = Arc::new(HostedTopic { name, id, partitions: RwLock::default() });
        topics.by_name.insert(Arc::clone(&topic.name), Arc::clone(&topic));
        topics.by_id.insert(id, Arc::clone(&topic));
        topic
    }

    /// Takes one partition out, and its topic if it was the last.
    pub(crate) fn remove(&self, id: Uuid, partition: i32) -> Option<Arc<HostedPartition>> {
        let topic = self.topic_by_id(id)?;
        let index = usize::try_from(partition).ok()?;
        let (removed, is_empty) = {
            let mut partitions = topic.partitions.write();
            let removed = std::mem::replace(partitions.get_mut(index)?, Presence::None);
            (removed, partitions.iter().all(|presence| matches!(presence, Presence::None)))
        };
        if is_empty {
            self.remove_topic(id);
        }
        removed.online().cloned()
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
