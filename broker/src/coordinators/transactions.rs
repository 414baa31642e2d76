//! The transaction coordinator on this broker: its limits, which shard a transactional id belongs
//! to, and the producer ids that shards ask for. The shards are hosted by
//! [`crate::coordinators`], their markers sent by `marker_channel`.
//!
//! Answers to `TransactionCoordinator`.

mod marker_answer;
mod marker_channel;

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use coordinator::partition_of;
use coordinator::runtime::{Now, Reply, Unavailable, WriteFailure};
use coordinator::transaction::{
    AddPartitions, Answer, Command, DescribedTransaction, EndTransaction, InitProducerId, Level,
    ListedTransaction, LogEvent, Outputs, ProducerIdAndEpoch, TopicPartition, TransactionError,
    TransactionFilter, TransactionSettings, TransactionShard, TransactionVersion,
};
use protocol::ErrorCode;
use protocol::batch::Compression;
use protocol::wire::StrBytes;
use raft::feature::TRANSACTION_VERSION;
use raft::image::{Changes, MetadataImage};

use self::marker_channel::MarkerChannel;
use super::{HostedShard, Kind, Parked, ShardSettings, Shards, Unserved};
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::producer_ids::ProducerIds;
use crate::partitions::Partitions;
use crate::requests::error_map::transactions::code;

/// The coordinator's topic.
pub(crate) const TOPIC: &str = "__transaction_state";

/// A shard of transactional ids.
pub(crate) type TransactionsShard = HostedShard<TransactionShard>;

/// What was asked of a shard, and waits for its answer.
pub(crate) type Pending<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Kind for TransactionShard {
    const TOPIC: &'static str = TOPIC;
    const NAME: &'static str = "TransactionCoordinator";

    fn say(event: &LogEvent, node_id: i32, partition: i32) {
        let place = format_args!("{TOPIC}-{partition}");
        match (event.is_of_coordinator(), event.level()) {
            (true, Level::Info) => tracing::info!(
                target: "kafka.coordinator.transaction.TransactionCoordinator",
                "[TransactionCoordinator id={node_id}] {event} on partition {place}"
            ),
            (true, Level::Warn) => tracing::warn!(
                target: "kafka.coordinator.transaction.TransactionCoordinator",
                "[TransactionCoordinator id={node_id}] {event}"
            ),
            (false, Level::Info) => tracing::info!(
                target: "kafka.coordinator.transaction.TransactionStateManager",
                "[Transaction State Manager {node_id}]: {event} ({place})"
            ),
            (false, Level::Warn) => tracing::warn!(
                target: "kafka.coordinator.transaction.TransactionStateManager",
                "[Transaction State Manager {node_id}]: {event} ({place})"
            ),
        }
    }
}

/// What the coordinator takes from the configuration.
fn settings(config: &BrokerConfig) -> TransactionSettings {
    let ms = |ms: i32| u64::try_from(ms).unwrap_or(0);
    TransactionSettings {
        abort_interval_ms: ms(config.transaction_abort_timed_out_transaction_cleanup_interval_ms),
        expiration_interval_ms: ms(
            config.transaction_remove_expired_transaction_cleanup_interval_ms
        ),
        id_expiration_ms: config.transactional_id_expiration_ms.into(),
        ..TransactionSettings::default()
    }
}

/// The transactional ids of this broker.
#[derive(Debug)]
pub(crate) struct Transactions {
    config: Arc<DynamicBrokerConfig>,
    metadata: Arc<MetadataCache>,
    producer_ids: Arc<ProducerIds>,
    shards: Shards<TransactionShard>,
    channel: Arc<MarkerChannel>,
}

impl Transactions {
    pub(crate) fn new(
        config: Arc<DynamicBrokerConfig>,
        metadata: Arc<MetadataCache>,
        producer_ids: Arc<ProducerIds>,
    ) -> Self {
        let current = config.current();
        let shard_settings = ShardSettings {
            load_buffer_bytes: usize::try_from(current.transaction_state_log_load_buffer_size)
                .unwrap_or(0),
            compression: Compression::None,
        };
        let (settings, cache) = (settings(&current), Arc::clone(&metadata));
        let empty = move || TransactionShard::new(settings.clone(), transaction_version(&cache));
        let channel = MarkerChannel::new(Arc::clone(&config), Arc::clone(&metadata));
        let (sending, ids) = (Arc::clone(&channel), Arc::clone(&producer_ids));
        let shards =
            Shards::new(current.node_id, shard_settings, empty).commanded(move |shard, command| {
                match command {
                    Command::SendMarkers(markers) => sending.send(shard, markers),
                    Command::AbortWithNewId { transactional_id, producer } => {
                        let (shard, ids) = (Arc::clone(shard), Arc::clone(&ids));
                        tokio::spawn(abort_with_new_id(shard, ids, transactional_id, producer));
                    }
                }
            });
        Self { config, metadata, producer_ids, shards, channel }
    }

    /// The partition of the coordinator's topic that a transactional id belongs to.
    pub(crate) fn partition_of(&self, transactional_id: &str, image: &MetadataImage) -> i32 {
        let topic = image.topics().by_name(TOPIC);
        let partitions = topic.and_then(|topic| i32::try_from(topic.partitions().len()).ok());
        let created = || self.config.current().transaction_state_log_num_partitions;
        partition_of(transactional_id, partitions.unwrap_or_else(created))
    }

    fn shard(&self, transactional_id: &str) -> Result<Arc<TransactionsShard>, TransactionError> {
        Ok(self.shards.shard(self.partition_of(transactional_id, &self.metadata.image()))?)
    }

    /// Asks the shard of a transactional id now; the future waits for the write that the answer
    /// depends on, no longer than request.timeout.ms. What is written later holds all the same.
    fn ask<T: TryFrom<Answer> + Send + 'static>(
        &self,
        transactional_id: &str,
        step: impl FnOnce(&mut TransactionShard, Reply<T>, Now, &mut Outputs),
    ) -> Pending<T, TransactionError> {
        let version = transaction_version(&self.metadata);
        let asked = self.shard(transactional_id).and_then(|shard| {
            let parked: Parked<TransactionShard, T> = shard.ask(|shard, reply, now, out| {
                shard.set_transaction_version(version);
                step(shard, reply, now, out);
            })?;
            Ok(parked)
        });
        let ms = u64::try_from(self.config.current().request_timeout_ms).unwrap_or(0);
        Box::pin(async move {
            match tokio::time::timeout(Duration::from_millis(ms), asked?.answer()).await {
                Ok(answer) => answer.ok_or(TransactionError::NotCoordinator),
                Err(_) => Err(TransactionError::WriteFailed(WriteFailure::TimedOut)),
            }
        })
    }

    /// The same for what may need a producer id that nobody had.
    async fn ask_with_id(
        &self,
        transactional_id: &str,
        step: impl Fn(
            &mut TransactionShard,
            Option<i64>,
            Reply<Result<ProducerIdAndEpoch, TransactionError>>,
            Now,
            &mut Outputs,
        ),
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        let mut new_producer_id = None;
        loop {
            let asked = self.ask(transactional_id, |shard, reply, now, out| {
                step(shard, new_producer_id, reply, now, out);
            });
            match asked.await.and_then(|answer| answer) {
                Err(TransactionError::ProducerIdNeeded) if new_producer_id.is_none() => {
                    let generated = self.producer_ids.generate().await;
                    new_producer_id = Some(generated.map_err(|error| error.code)?);
                }
                answer => return answer.map_err(code),
            }
        }
    }

    pub(crate) async fn init_producer_id(
        &self,
        asked: InitProducerId,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        if asked.transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let max_timeout_ms = self.config.current().transaction_max_timeout_ms;
        if !(1..=max_timeout_ms).contains(&asked.timeout_ms) {
            return Err(ErrorCode::InvalidTransactionTimeout);
        }
        let id = asked.transactional_id.clone();
        self.ask_with_id(&id, |shard, new_producer_id, reply, now, out| {
            let asked = InitProducerId { new_producer_id, ..asked.clone() };
            shard.init_producer_id(&asked, reply, now, out);
        })
        .await
    }

    /// Asks now; the future waits for the answer.
    pub(crate) fn add_partitions(&self, asked: &AddPartitions) -> Pending<(), ErrorCode> {
        let is_empty = asked.transactional_id.is_empty();
        let added = (!is_empty).then(|| {
            self.ask(&asked.transactional_id, |shard, reply, now, out| {
                shard.add_partitions(asked, reply, now, out);
            })
        });
        Box::pin(async move {
            let Some(added) = added else { return Err(ErrorCode::InvalidRequest) };
            added.await.and_then(|answer| answer).map_err(code)
        })
    }

    /// Of each of these partitions whether it takes part in the producer's transaction.
    pub(crate) fn verify_partitions(
        &self,
        transactional_id: &StrBytes,
        producer: ProducerIdAndEpoch,
        partitions: &BTreeSet<TopicPartition>,
    ) -> Result<Vec<(TopicPartition, bool)>, ErrorCode> {
        if transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let asked = self.shard(transactional_id).and_then(|shard| {
            Ok(shard.act(|shard, _, _| {
                shard.verify_partitions(transactional_id, producer, partitions)
            })?)
        });
        asked.and_then(|verified| verified).map_err(code)
    }

    pub(crate) async fn end_transaction(
        &self,
        asked: EndTransaction,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        if asked.transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let id = asked.transactional_id.clone();
        self.ask_with_id(&id, |shard, new_producer_id, reply, now, out| {
            let asked = EndTransaction { new_producer_id, ..asked.clone() };
            shard.end(&asked, reply, now, out);
        })
        .await
    }

    pub(crate) fn describe(
        &self,
        transactional_id: &StrBytes,
    ) -> Result<DescribedTransaction, ErrorCode> {
        if transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let asked = self
            .shard(transactional_id)
            .and_then(|shard| Ok(shard.act(|shard, _, _| shard.describe(transactional_id))?));
        asked.and_then(|described| described).map_err(code)
    }

    /// Every transactional id of this broker that the filter takes; none while some are loaded.
    pub(crate) fn list(
        &self,
        filter: &TransactionFilter,
    ) -> Result<Vec<ListedTransaction>, ErrorCode> {
        let mut listed = Vec::new();
        for shard in self.shards.all() {
            match shard.act(|shard, now, _| shard.list(filter, now)) {
                Ok(more) => listed.extend(more),
                Err(Unavailable::LoadInProgress) => {
                    return Err(ErrorCode::CoordinatorLoadInProgress);
                }
                Err(Unavailable::NotCoordinator) => {}
            }
        }
        Ok(listed)
    }

    /// The first image: every partition of the topic that this broker leads is taken.
    pub(crate) fn begin(&self, partitions: &Partitions, image: &MetadataImage) {
        self.shards.begin(partitions, image);
    }

    /// What changed; called when the partitions are what `image` says.
    pub(crate) fn apply(
        &self,
        partitions: &Partitions,
        before: &MetadataImage,
        image: &MetadataImage,
        changes: &Changes,
    ) {
        self.shards.apply(partitions, before, image, changes);
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
        self.channel.shut_down();
    }
}

/// The feature level of the cluster.
fn transaction_version(metadata: &MetadataCache) -> TransactionVersion {
    TransactionVersion::of_level(metadata.image().features().level(TRANSACTION_VERSION))
}

async fn abort_with_new_id(
    shard: Arc<TransactionsShard>,
    ids: Arc<ProducerIds>,
    transactional_id: StrBytes,
    producer: ProducerIdAndEpoch,
) {
    // Without an id the next look at timeouts asks again.
    let Ok(new_producer_id) = ids.generate().await else { return };
    // A shard that is closed leaves the abort to the next coordinator.
    let _ = shard.act(|shard, now, out| {
        shard.abort_with(&transactional_id, producer, new_producer_id, now, out);
    });
}
