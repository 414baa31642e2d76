//! The share coordinator on this broker: its limits, which shard a share partition's state belongs
//! to, what deleted topics mean for it, and the pruning of its log. The shards are hosted by
//! [`crate::coordinators`].
//!
//! Answers to `ShareCoordinatorService`.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use coordinator::partition_of;
use coordinator::runtime::{Now, Reply, WriteFailure};
use coordinator::share::{
    Answer, Command, DoneAnswer, InitializeState, Level, LogEvent, Outputs, ReadAnswer, ReadState,
    ShareError, SharePartitionKey, ShareSettings, ShareShard, StateRead, StateSummary,
    SummaryAnswer, WriteState,
};
use raft::feature::SHARE_VERSION;
use raft::image::{Changes, MetadataImage};
use uuid::Uuid;

use super::{HostedShard, Kind, Parked, ShardSettings, Shards, Unserved};
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::partitions::Partitions;

/// The coordinator's topic.
pub(crate) const TOPIC: &str = "__share_group_state";

/// A shard of share state.
type SharesShard = HostedShard<ShareShard>;

/// What was asked of a shard, and waits for its answer.
pub(crate) type Pending<T> = Pin<Box<dyn Future<Output = Result<T, ShareError>> + Send>>;

impl Kind for ShareShard {
    const TOPIC: &'static str = TOPIC;
    const NAME: &'static str = "ShareCoordinator";

    fn say(event: &LogEvent, node_id: i32, partition: i32) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "org.apache.kafka.coordinator.share.ShareCoordinatorShard",
                    "[ShareCoordinator id={node_id} topic={TOPIC} partition={partition}] {event}"
                )
            };
        }
        match event.level() {
            Level::Info => line!(info),
            Level::Warn => line!(warn),
            Level::Error => line!(error),
        }
    }
}

/// What the coordinator takes from the configuration.
fn settings(config: &BrokerConfig) -> ShareSettings {
    let ms = |ms: i32| u64::try_from(ms).unwrap_or(0);
    ShareSettings {
        updates_per_snapshot: u32::try_from(
            config.share_coordinator_snapshot_update_records_per_snapshot,
        )
        .unwrap_or(0),
        prune_interval_ms: ms(config.share_coordinator_state_topic_prune_interval_ms),
        cold_interval_ms: ms(config.share_coordinator_cold_partition_snapshot_interval_ms),
    }
}

fn shard_settings(config: &BrokerConfig) -> ShardSettings {
    ShardSettings::of(
        config.share_coordinator_load_buffer_size,
        config.share_coordinator_state_topic_compression_codec,
    )
}

/// The share state of this broker.
#[derive(Debug)]
pub(crate) struct ShareStates {
    config: Arc<DynamicBrokerConfig>,
    metadata: Arc<MetadataCache>,
    shards: Shards<ShareShard>,
}

impl ShareStates {
    pub(crate) fn new(config: Arc<DynamicBrokerConfig>, metadata: Arc<MetadataCache>) -> Self {
        let current = config.current();
        let (settings, cache) = (settings(&current), Arc::clone(&metadata));
        let empty = move || ShareShard::new(settings.clone(), serves_share_groups(&cache.image()));
        let shards = Shards::new(current.node_id, shard_settings(&current), empty).commanded(
            |shard, Command::Prune { offset }| {
                tokio::spawn(prune(Arc::clone(shard), offset));
            },
        );
        Self { config, metadata, shards }
    }

    /// The partition of the coordinator's topic that a share partition's state belongs to.
    pub(crate) fn partition_of(&self, key: &SharePartitionKey, image: &MetadataImage) -> i32 {
        let topic = image.topics().by_name(TOPIC);
        let partitions = topic.and_then(|topic| i32::try_from(topic.partitions().len()).ok());
        let created = || self.config.current().share_coordinator_state_topic_num_partitions;
        partition_of(&key.coordinator_key(), partitions.unwrap_or_else(created))
    }

    pub(crate) fn initialize(&self, asked: &InitializeState) -> Pending<()> {
        self.ask(&asked.key, |shard, is_known, reply: Reply<DoneAnswer>, now, out| {
            shard.initialize(asked, is_known, reply, now, out);
        })
    }

    pub(crate) fn read(&self, asked: &ReadState) -> Pending<StateRead> {
        self.ask(&asked.key, |shard, is_known, reply: Reply<ReadAnswer>, now, out| {
            shard.read(asked, is_known, reply, now, out);
        })
    }

    pub(crate) fn write(&self, asked: &WriteState) -> Pending<()> {
        self.ask(&asked.key, |shard, is_known, reply: Reply<DoneAnswer>, now, out| {
            shard.write(asked, is_known, reply, now, out);
        })
    }

    pub(crate) fn delete(&self, key: &SharePartitionKey) -> Pending<()> {
        self.ask(key, |shard, is_known, reply: Reply<DoneAnswer>, _, out| {
            shard.delete(key, is_known, reply, out);
        })
    }

    pub(crate) fn summarize(&self, asked: &ReadState) -> Pending<StateSummary> {
        self.ask(&asked.key, |shard, is_known, reply: Reply<SummaryAnswer>, _, out| {
            shard.summarize(asked, is_known, reply, out);
        })
    }

    /// Asks the shard of a share partition now; the future waits for the write that the answer
    /// depends on, no longer than share.coordinator.write.timeout.ms. What is written later holds
    /// all the same.
    fn ask<T: Send + 'static>(
        &self,
        key: &SharePartitionKey,
        step: impl FnOnce(&mut ShareShard, bool, Reply<Result<T, ShareError>>, Now, &mut Outputs),
    ) -> Pending<T>
    where
        Result<T, ShareError>: TryFrom<Answer>,
    {
        let image = self.metadata.image();
        let topic = image.topics().by_id(key.topic_id);
        let is_known = topic.is_some_and(|topic| topic.partition(key.partition).is_some());
        let shard = self.shards.shard(self.partition_of(key, &image));
        let asked = shard.and_then(|shard| {
            shard.ask(|shard, reply, now, out| step(shard, is_known, reply, now, out))
        });
        let ms = u64::try_from(self.config.current().share_coordinator_write_timeout_ms);
        let timeout = Duration::from_millis(ms.unwrap_or(0));
        Box::pin(async move {
            let parked: Parked<ShareShard, Result<T, ShareError>> = asked?;
            match tokio::time::timeout(timeout, parked.answer()).await {
                Ok(answer) => answer.unwrap_or(Err(ShareError::NotCoordinator)),
                Err(_) => Err(ShareError::WriteFailed(WriteFailure::TimedOut)),
            }
        })
    }

    /// The first image: every partition of the topic that this broker leads is taken.
    pub(crate) fn begin(&self, partitions: &Partitions, image: &MetadataImage) {
        self.enable(image);
        self.shards.begin(partitions, image);
    }

    /// What changed: shards come and go, and deleted topics take their states along. Called when
    /// the partitions are what `image` says; `before` is the image before it.
    pub(crate) fn apply(
        &self,
        partitions: &Partitions,
        before: &MetadataImage,
        image: &MetadataImage,
        changes: &Changes,
    ) {
        self.shards.give_up_deleted(before, changes);
        if serves_share_groups(before) != serves_share_groups(image) {
            self.enable(image);
        }
        let deleted: BTreeSet<Uuid> = changes.deleted_topics.keys().copied().collect();
        if !deleted.is_empty() {
            for shard in self.shards.all() {
                // As in Kafka, one that is being loaded does not hear of it.
                let _ = shard.act(|shard, _, out| shard.topics_deleted(&deleted, out));
            }
        }
        self.shards.follow_changed(partitions, image, changes);
    }

    /// Tells shards whether the cluster has share groups; one that is being loaded was told when
    /// it began to be.
    fn enable(&self, image: &MetadataImage) {
        let is_enabled = serves_share_groups(image);
        for shard in self.shards.all() {
            let _ = shard.act(|shard, now, _| shard.set_enabled(is_enabled, now));
        }
    }

    /// Takes up again what is led here and is not served for a reason that may have passed.
    pub(crate) fn reconcile(
        &self,
        partitions: &Partitions,
        image: &MetadataImage,
    ) -> Vec<Unserved> {
        self.shards.reconcile(partitions, image)
    }

    /// Closes every shard; whoever waits is told that the coordinator is elsewhere.
    pub(crate) fn shut_down(&self) {
        self.shards.shut_down();
    }
}

/// Whether the cluster's features let share groups be.
pub(crate) fn serves_share_groups(image: &MetadataImage) -> bool {
    image.features().level(SHARE_VERSION) >= 1
}

/// Deletes what a shard does not need of its log.
async fn prune(shard: Arc<SharesShard>, offset: i64) {
    match shard.log().delete_records_before(offset).await {
        // A shard that is closed leaves it to the next coordinator.
        Ok(()) => drop(shard.act(|shard, _, _| shard.pruned(offset))),
        Err(why) => tracing::error!(
            target: "org.apache.kafka.coordinator.share.ShareCoordinatorService",
            "[ShareCoordinator id={}] Exception while deleting records in {TOPIC}-{} till offset \
             {offset}: {why}",
            shard.node_id(),
            shard.partition(),
        ),
    }
}
