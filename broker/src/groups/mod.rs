//! The group coordinator's host: one shard for each partition of `__consumer_offsets` led here.
//!
//! ```text
//! publisher ── a partition is ours / is not ──▶ Groups ──▶ HostedShard: loading ▶ active ▶ closed
//! handlers  ── ask(group, …) ──▶ HostedShard ── lock ──▶ coordinator::GroupShard
//!                                   │ writes in order         ▲ written
//!                                   └─▶ writer: one append for all that waits ─┘ ▶ replies
//! ```
//! The lock is never held across an append, a read or an await, so a disk that stalls delays
//! commits and nothing else. Answers to `GroupCoordinatorService` and `CoordinatorRuntime`.

mod clock;
mod load;
mod log;
mod shard;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use coordinator::group::{Answer, GroupError, GroupSettings, WriteFailure};
use coordinator::partition_of;
use parking_lot::RwLock;
use protocol::batch::Compression;
use protocol::wire::StrBytes;
use raft::image::{Changes, MetadataImage};
use uuid::Uuid;

pub(crate) use self::clock::Clock;
pub(crate) use self::log::ShardLog;
use self::shard::NotLoaded;
pub(crate) use self::shard::{HostedShard, Parked};
use crate::partitions::Partitions;

/// The coordinator's topic.
pub(crate) const TOPIC: &str = "__consumer_offsets";

/// What the coordinator takes from the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) settings: GroupSettings,
    pub(crate) commit_timeout: Duration,
    pub(crate) load_buffer_bytes: usize,
    pub(crate) compression: Compression,
    pub(crate) topic_partitions: i32,
}

impl Limits {
    pub(crate) fn of(config: &BrokerConfig) -> Self {
        let size = |value: i32| usize::try_from(value).unwrap_or(0);
        let ms = |value: i64| u64::try_from(value).unwrap_or(0);
        let defaults = GroupSettings::default();
        Self {
            settings: GroupSettings {
                min_session_timeout_ms: config.group_min_session_timeout_ms,
                max_session_timeout_ms: config.group_max_session_timeout_ms,
                max_size: size(config.group_max_size),
                initial_rebalance_delay_ms: ms(config.group_initial_rebalance_delay_ms.into()),
                offset_metadata_max_size: size(config.offset_metadata_max_bytes),
                offsets_retention_ms: i64::from(config.offsets_retention_minutes) * 60_000,
                retention_check_interval_ms: ms(config.offsets_retention_check_interval_ms),
                ..defaults
            },
            commit_timeout: Duration::from_millis(ms(config.offsets_commit_timeout_ms.into())),
            load_buffer_bytes: size(config.offsets_load_buffer_size),
            compression: u8::try_from(config.offsets_topic_compression_codec)
                .ok()
                .and_then(|codec| Compression::from_id(codec).ok())
                .unwrap_or(Compression::None),
            topic_partitions: config.offsets_topic_num_partitions,
        }
    }
}

/// A partition of the coordinator's topic that is led here and whose groups are not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unserved {
    pub(crate) partition: i32,
    pub(crate) reason: String,
    /// Its log can be read, so it is loaded again.
    pub(crate) is_tried_again: bool,
}

/// All shards of this broker.
#[derive(Debug)]
pub(crate) struct Groups {
    node_id: i32,
    limits: Limits,
    clock: Clock,
    shards: RwLock<BTreeMap<i32, Arc<HostedShard>>>,
}

impl Groups {
    pub(crate) fn new(node_id: i32, limits: Limits) -> Self {
        Self { node_id, limits, clock: Clock::start(), shards: RwLock::default() }
    }

    pub(crate) fn settings(&self) -> &GroupSettings {
        &self.limits.settings
    }

    /// The partition of the coordinator's topic that a group belongs to.
    pub(crate) fn partition_of(&self, group: &str, image: &MetadataImage) -> i32 {
        let topic = image.topics().by_name(TOPIC);
        let partitions = topic.and_then(|topic| i32::try_from(topic.partitions().len()).ok());
        partition_of(group, partitions.unwrap_or(self.limits.topic_partitions))
    }

    /// The shard of this partition, if this broker has it.
    pub(crate) fn shard(&self, partition: i32) -> Result<Arc<HostedShard>, GroupError> {
        self.shards.read().get(&partition).cloned().ok_or(GroupError::NotCoordinator)
    }

    /// Every shard of this broker.
    pub(crate) fn shards(&self) -> Vec<Arc<HostedShard>> {
        self.shards.read().values().cloned().collect()
    }

    /// Waits for an answer that depends on a write, as long as offsets.commit.timeout.ms allows.
    /// The write goes on all the same, and what it says will hold.
    pub(crate) async fn within_commit_timeout(&self, parked: Parked) -> Result<Answer, GroupError> {
        match tokio::time::timeout(self.limits.commit_timeout, parked.answer()).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(GroupError::NotCoordinator),
            Err(_) => Err(GroupError::WriteFailed(WriteFailure::TimedOut)),
        }
    }

    /// Waits as long for what a shard has decided to be written.
    pub(crate) async fn settled(&self, shard: &Arc<HostedShard>) -> Result<(), GroupError> {
        match tokio::time::timeout(self.limits.commit_timeout, shard.settled()).await {
            Ok(settled) => settled,
            Err(_) => Err(GroupError::WriteFailed(WriteFailure::TimedOut)),
        }
    }

    /// A partition of the coordinator's topic is led here: it is loaded, then served.
    pub(crate) fn take(&self, partition: i32, leader_epoch: i32, log: Arc<dyn ShardLog>) {
        let shard = Arc::new(HostedShard::new(
            self.node_id,
            partition,
            leader_epoch,
            log,
            self.limits.compression,
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
            "[GroupCoordinator id={}] Scheduling loading of metadata from {TOPIC}-{partition} with \
             epoch {leader_epoch}",
            self.node_id,
        );
        load::start(shard, self.limits.clone());
    }

    /// A partition of the coordinator's topic is not led here any more.
    pub(crate) fn give_up(&self, partition: i32) {
        let gone = self.shards.write().remove(&partition);
        if let Some(shard) = gone {
            let (id, epoch) = (self.node_id, shard.leader_epoch());
            tracing::info!(
                target: "org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime",
                "[GroupCoordinator id={id}] Started unloading metadata for {TOPIC}-{partition} \
                 with epoch OptionalInt[{epoch}].",
            );
            shard.close();
            tracing::info!(
                target: "org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime",
                "[GroupCoordinator id={id}] Finished unloading metadata for {TOPIC}-{partition} \
                 with epoch OptionalInt[{epoch}].",
            );
        }
    }

    /// The first image: every partition of the topic that this broker leads is taken.
    pub(crate) fn begin(&self, partitions: &Partitions, image: &MetadataImage) {
        let Some(topic) = image.topics().by_name(TOPIC) else { return };
        for (partition, _) in topic.partitions() {
            self.follow(partitions, image, topic.id, partition);
        }
    }

    /// What changed: shards come and go, and deleted topics take their offsets along. Called when
    /// the partitions are what `image` says; `before` is the image before it.
    pub(crate) fn apply(
        &self,
        partitions: &Partitions,
        before: &MetadataImage,
        image: &MetadataImage,
        changes: &Changes,
    ) {
        let deleted = changes.deleted_topics.values().filter_map(|name| {
            let topic = before.topics().by_name(name)?;
            Some(topic.partitions().map(|(partition, _)| (topic.name.clone(), partition)))
        });
        let deleted: Vec<(StrBytes, i32)> = deleted.flatten().collect();
        if deleted.iter().any(|(topic, _)| topic.as_str() == TOPIC) {
            for shard in self.shards() {
                self.give_up(shard.partition());
            }
        }
        if !deleted.is_empty() {
            for shard in self.shards() {
                // A shard that is being loaded will forget them when they expire.
                let _ = shard.act(|shard, _, out| shard.partitions_deleted(&deleted, out));
            }
        }
        let Some(topic) = image.topics().by_name(TOPIC) else { return };
        if let Some(change) = changes.topics.get(&topic.id) {
            for partition in &change.partitions {
                self.follow(partitions, image, topic.id, *partition);
            }
        }
    }

    fn follow(&self, partitions: &Partitions, image: &MetadataImage, topic: Uuid, partition: i32) {
        let Some(state) = image.topics().partition(topic, partition) else { return };
        let hosted = partitions.partition(TOPIC, partition);
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
        let Some(topic) = image.topics().by_name(TOPIC) else { return Vec::new() };
        let led = topic.partitions().filter(|(_, state)| state.leader == self.node_id);
        let mut unserved = Vec::new();
        for (partition, _) in led {
            // One that does not lead is told of by itself.
            let hosted = partitions.partition(TOPIC, partition);
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
