//! The host of coordinators: one shard for each partition of a coordinator's topic led here.
//!
//! ```text
//! publisher ── a partition is ours / is not ──▶ Shards ──▶ HostedShard: loading ▶ active ▶ closed
//! handlers  ── ask(…) ──▶ HostedShard ── lock ──▶ coordinator::runtime::Runtime
//!                            │ writes in order         ▲ written
//!                            └─▶ writer: one append for all that waits ─┘ ▶ replies
//! ```
//! The lock is never held across an append, a read or an await, so a disk that stalls delays
//! writes and nothing else. Nothing in here knows which coordinator it hosts: that is [`Kind`].
//! Answers to `CoordinatorRuntime`, `CoordinatorLoaderImpl` and `CoordinatorPartitionWriter`.

mod clock;
pub(crate) mod groups;
mod hosted;
mod load;
mod log;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use coordinator::runtime::{Shard, Unavailable};
use parking_lot::RwLock;
use protocol::batch::Compression;
use raft::image::MetadataImage;
use uuid::Uuid;

use self::clock::Clock;
use self::hosted::NotLoaded;
pub(crate) use self::hosted::{HostedShard, Parked};
pub(crate) use self::log::ShardLog;
use crate::replication::partitions::Partitions;

/// A coordinator that is hosted.
pub(crate) trait Kind:
    Shard<Record: Send, Answer: Send, Note: Send, Then: Send> + Send + Sync + 'static
{
    /// The coordinator's topic.
    const TOPIC: &'static str;
    /// What Kafka's log calls it.
    const NAME: &'static str;

    /// Logs a line as Kafka does; `partition` is that of the topic.
    fn say(note: &Self::Note, node_id: i32, partition: i32);
}

/// How shards load and write, whatever they coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShardSettings {
    /// Read at once while a shard loads.
    pub(crate) load_buffer_bytes: usize,
    /// Of the batches that are appended.
    pub(crate) compression: Compression,
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
    clock: Clock,
    /// An empty shard, to be loaded.
    empty: Box<dyn Fn() -> S + Send + Sync>,
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
        let (clock, empty) = (Clock::start(), Box::new(empty));
        Self { node_id, settings, clock, empty, shards: RwLock::default() }
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
            self.clock.clone(),
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
                let log = log::PartitionLog::new(hosted, self.clock.clone());
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
            if !hosted.is_some_and(|hosted| hosted.marks().leads()) {
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

    /// Closes every shard; whoever waits is told that the coordinator is elsewhere.
    pub(crate) fn shut_down(&self) {
        for shard in std::mem::take(&mut *self.shards.write()).into_values() {
            shard.close();
        }
    }
}
