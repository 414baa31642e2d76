//! All shards of one kind on this broker: which partitions of the topic are led here.

use std::collections::BTreeMap;
use std::sync::Arc;

use coordinator::runtime::Unavailable;
use parking_lot::RwLock;
use protocol::batch::Compression;
use raft::image::{Changes, MetadataImage};
use uuid::Uuid;

use super::hosted::{Commanded, HostedShard, NotLoaded};
use super::kind::Kind;
use super::load;
use super::log::{self, ShardLog};
use crate::partitions::Partitions;

/// How shards load and write, whatever they coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShardSettings {
    /// Read at once while a shard loads.
    pub(crate) load_buffer_bytes: usize,
    /// Of the batches that are appended.
    pub(crate) compression: Compression,
}

impl ShardSettings {
    /// By what the keys of a coordinator's topic say.
    pub(crate) fn of(load_buffer_size: i32, compression_codec: i32) -> Self {
        let codec = u8::try_from(compression_codec).ok();
        let compression = codec.and_then(|codec| Compression::from_id(codec).ok());
        Self {
            load_buffer_bytes: usize::try_from(load_buffer_size).unwrap_or(0),
            compression: compression.unwrap_or(Compression::None),
        }
    }
}

/// A partition of a coordinator's topic that is led here and is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unserved {
    pub(crate) partition: i32,
    pub(crate) reason: String,
    /// Its log can be read, so it is loaded again.
    pub(crate) is_tried_again: bool,
}

/// All shards of one kind on this broker.
pub(crate) struct Shards<S: Kind> {
    node_id: i32,
    settings: ShardSettings,
    /// An empty shard, to be loaded.
    empty: Box<dyn Fn() -> S + Send + Sync>,
    commanded: Arc<Commanded<S>>,
    shards: RwLock<BTreeMap<i32, Arc<HostedShard<S>>>>,
}

impl<S: Kind> std::fmt::Debug for Shards<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shards").field("shards", &self.shards).finish_non_exhaustive()
    }
}

impl<S: Kind> Shards<S> {
    pub(crate) fn new(
        node_id: i32,
        settings: ShardSettings,
        empty: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self {
        let commanded: Arc<Commanded<S>> = Arc::new(|_: &Arc<HostedShard<S>>, _: S::Command| {});
        Self { node_id, settings, empty: Box::new(empty), commanded, shards: RwLock::default() }
    }

    /// The same, for a kind whose shards give commands.
    pub(crate) fn commanded(
        self,
        commanded: impl Fn(&Arc<HostedShard<S>>, S::Command) + Send + Sync + 'static,
    ) -> Self {
        Self { commanded: Arc::new(commanded), ..self }
    }

    /// The shard of this partition, if this broker has it.
    pub(crate) fn shard(&self, partition: i32) -> Result<Arc<HostedShard<S>>, Unavailable> {
        self.shards.read().get(&partition).cloned().ok_or(Unavailable::NotCoordinator)
    }

    /// Every shard of this broker.
    pub(crate) fn all(&self) -> Vec<Arc<HostedShard<S>>> {
        self.shards.read().values().cloned().collect()
    }

    /// A partition of the coordinator's topic is led here: it is loaded, then served.
    pub(crate) fn take(&self, partition: i32, leader_epoch: i32, log: Arc<dyn ShardLog>) {
        let shard = Arc::new(HostedShard::new(
            self.node_id,
            partition,
            leader_epoch,
            log,
            self.settings.compression,
            Arc::clone(&self.commanded),
        ));
        let replaced = {
            let mut shards = self.shards.write();
            // As in Kafka, a newer epoch of the same leader does not load again what is there.
            let goes_on = shards.get(&partition).is_some_and(|shard| shard.goes_on(leader_epoch));
            if goes_on {
                return;
            }
            shards.insert(partition, Arc::clone(&shard))
        };
        if let Some(replaced) = replaced {
            replaced.close();
        }
        tracing::info!(
            target: "org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime",
            "[{} id={}] Scheduling loading of metadata from {}-{partition} with epoch \
             {leader_epoch}",
            S::NAME, self.node_id, S::TOPIC,
        );
        load::start(shard, (self.empty)(), self.settings.load_buffer_bytes);
    }

    /// A partition of the coordinator's topic is not led here any more.
    pub(crate) fn give_up(&self, partition: i32) {
        let gone = self.shards.write().remove(&partition);
        if let Some(shard) = gone {
            let (name, id, topic, epoch) = (S::NAME, self.node_id, S::TOPIC, shard.leader_epoch());
            tracing::info!(
                target: "org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime",
                "[{name} id={id}] Started unloading metadata for {topic}-{partition} with epoch \
                 OptionalInt[{epoch}].",
            );
            shard.close();
            tracing::info!(
                target: "org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime",
                "[{name} id={id}] Finished unloading metadata for {topic}-{partition} with epoch \
                 OptionalInt[{epoch}].",
            );
        }
    }

    /// Takes a partition of the topic if this broker leads it, or gives it up.
    pub(crate) fn follow(
        &self,
        partitions: &Partitions,
        image: &MetadataImage,
        topic: Uuid,
        partition: i32,
    ) {
        let Some(state) = image.topics().partition(topic, partition) else { return };
        let hosted = partitions.partition(S::TOPIC, partition);
        match hosted.filter(|_| state.leader == self.node_id) {
            Some(hosted) => {
                let log = log::PartitionLog::new(hosted);
                self.take(partition, state.leader_epoch, Arc::new(log));
            }
            None => self.give_up(partition),
        }
    }

    /// Takes up again what is led here and is not served for a reason that may have passed; the
    /// partitions that are not served, with the reasons.
    pub(crate) fn reconcile(
        &self,
        partitions: &Partitions,
        image: &MetadataImage,
    ) -> Vec<Unserved> {
        let Some(topic) = image.topics().by_name(S::TOPIC) else { return Vec::new() };
        let led = topic.partitions().filter(|(_, state)| state.leader == self.node_id);
        let mut unserved = Vec::new();
        for (partition, _) in led {
            // One that does not lead is told of by itself.
            let hosted = partitions.partition(S::TOPIC, partition);
            if !hosted.is_some_and(|hosted| hosted.published().leads()) {
                continue;
            }
            let not_loaded = match self.shard(partition) {
                Ok(shard) => shard.not_loaded(),
                Err(_) => Some(NotLoaded::ForNow("it is not loaded".to_owned())),
            };
            match not_loaded {
                None => {}
                Some(NotLoaded::ForNow(reason)) => {
                    self.follow(partitions, image, topic.id, partition);
                    unserved.push(Unserved { partition, reason, is_tried_again: true });
                }
                Some(NotLoaded::Unreadable(reason)) => {
                    unserved.push(Unserved { partition, reason, is_tried_again: false });
                }
            }
        }
        unserved
    }

    /// The first image: every partition of the topic that this broker leads is taken.
    pub(crate) fn begin(&self, partitions: &Partitions, image: &MetadataImage) {
        let Some(topic) = image.topics().by_name(S::TOPIC) else { return };
        for (partition, _) in topic.partitions() {
            self.follow(partitions, image, topic.id, partition);
        }
    }

    /// What changed: shards come and go. Called when the partitions are what `image` says;
    /// `before` is the image before it.
    pub(crate) fn apply(
        &self,
        partitions: &Partitions,
        before: &MetadataImage,
        image: &MetadataImage,
        changes: &Changes,
    ) {
        self.give_up_deleted(before, changes);
        self.follow_changed(partitions, image, changes);
    }

    /// The coordinator's topic was deleted, if it was.
    pub(crate) fn give_up_deleted(&self, before: &MetadataImage, changes: &Changes) {
        let known = before.topics().by_name(S::TOPIC);
        if known.is_some_and(|topic| changes.deleted_topics.contains_key(&topic.id)) {
            for shard in self.all() {
                self.give_up(shard.partition());
            }
        }
    }

    /// Takes and gives up what changed of the coordinator's topic.
    pub(crate) fn follow_changed(
        &self,
        partitions: &Partitions,
        image: &MetadataImage,
        changes: &Changes,
    ) {
        let Some(topic) = image.topics().by_name(S::TOPIC) else { return };
        if let Some(change) = changes.topics.get(&topic.id) {
            for partition in &change.partitions {
                self.follow(partitions, image, topic.id, *partition);
            }
        }
    }

    /// Closes every shard; whoever waits is told that the coordinator is elsewhere.
    pub(crate) fn shut_down(&self) {
        for shard in std::mem::take(&mut *self.shards.write()).into_values() {
            shard.close();
        }
    }
}
