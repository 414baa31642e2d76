//! The group coordinator on this broker: its limits, which shard a group belongs to, and what
//! deleted topics mean for it. The shards are hosted by [`crate::coordinators`].
//!
//! Answers to `GroupCoordinatorService`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use coordinator::group::{
    Answer, Assignor, ClusterMetadata, CompletionAnswer, DeletedPartition, GroupError,
    GroupSettings, GroupShard, Level, LogEvent, MigrationPolicy, NoMetadata, ShareGroupSettings,
    StreamsSettings,
};
use coordinator::partition_of;
use coordinator::runtime::{Producer, TransactionEnd, WriteFailure};
use parking_lot::RwLock;
use protocol::wire::StrBytes;
use raft::feature::{GROUP_VERSION, STREAMS_VERSION};
use raft::image::{Changes, MetadataImage};
use uuid::Uuid;

use super::cluster_metadata::ImageMetadata;
use crate::coordinators::{self, HostedShard, Kind, ShardSettings, Shards, Unserved};
use crate::partitions::Partitions;

/// The coordinator's topic.
pub(crate) const TOPIC: &str = "__consumer_offsets";

/// What the coordinator takes from the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) settings: GroupSettings,
    pub(crate) commit_timeout: Duration,
    pub(crate) shards: ShardSettings,
    pub(crate) topic_partitions: i32,
    /// group.coordinator.rebalance.protocols has the consumer protocol.
    pub(crate) has_consumer_protocol: bool,
    /// The same list has the streams protocol.
    pub(crate) has_streams_protocol: bool,
}

impl Limits {
    pub(crate) fn of(config: &BrokerConfig) -> Self {
        let size = |value: i32| usize::try_from(value).unwrap_or(0);
        let ms = |value: i64| u64::try_from(value).unwrap_or(0);
        let defaults = GroupSettings::default();
        let has_protocol = |protocol: &str| {
            config.group_coordinator_rebalance_protocols.iter().any(|name| name == protocol)
        };
        Self {
            settings: GroupSettings {
                min_session_timeout_ms: config.group_min_session_timeout_ms,
                max_session_timeout_ms: config.group_max_session_timeout_ms,
                max_size: size(config.group_max_size),
                initial_rebalance_delay_ms: ms(config.group_initial_rebalance_delay_ms.into()),
                offset_metadata_max_size: size(config.offset_metadata_max_bytes),
                offsets_retention_ms: i64::from(config.offsets_retention_minutes) * 60_000,
                retention_check_interval_ms: ms(config.offsets_retention_check_interval_ms),
                consumer_assignors: config
                    .group_consumer_assignors
                    .iter()
                    .filter_map(|name| assignor(name))
                    .collect(),
                consumer_max_size: size(config.group_consumer_max_size),
                migration_policy: MigrationPolicy::named(&config.group_consumer_migration_policy),
                consumer_session_timeout_ms: config.group_consumer_session_timeout_ms,
                consumer_heartbeat_interval_ms: config.group_consumer_heartbeat_interval_ms,
                consumer_session_bounds_ms: (
                    config.group_consumer_min_session_timeout_ms,
                    config.group_consumer_max_session_timeout_ms,
                ),
                consumer_heartbeat_bounds_ms: (
                    config.group_consumer_min_heartbeat_interval_ms,
                    config.group_consumer_max_heartbeat_interval_ms,
                ),
                consumer_assignment_interval_ms: config.group_consumer_assignment_interval_ms,
                consumer_assignment_bounds_ms: (
                    config.group_consumer_min_assignment_interval_ms,
                    config.group_consumer_max_assignment_interval_ms,
                ),
                consumer_regex_refresh_interval_ms: config
                    .group_consumer_regex_refresh_interval_ms
                    .into(),
                share: share_groups(config),
                streams: streams_settings(config),
                ..defaults
            },
            commit_timeout: Duration::from_millis(ms(config.offsets_commit_timeout_ms.into())),
            shards: ShardSettings::of(
                config.offsets_load_buffer_size,
                config.offsets_topic_compression_codec,
            ),
            topic_partitions: config.offsets_topic_num_partitions,
            has_consumer_protocol: has_protocol("consumer"),
            has_streams_protocol: has_protocol("streams"),
        }
    }
}

fn streams_settings(config: &BrokerConfig) -> StreamsSettings {
    StreamsSettings {
        max_size: usize::try_from(config.group_streams_max_size).unwrap_or(0),
        session_timeout_ms: config.group_streams_session_timeout_ms,
        heartbeat_interval_ms: config.group_streams_heartbeat_interval_ms,
        num_standby_replicas: config.group_streams_num_standby_replicas,
        initial_rebalance_delay_ms: config.group_streams_initial_rebalance_delay_ms,
        assignment_interval_ms: config.group_streams_assignment_interval_ms,
        session_bounds_ms: (
            config.group_streams_min_session_timeout_ms,
            config.group_streams_max_session_timeout_ms,
        ),
        heartbeat_bounds_ms: (
            config.group_streams_min_heartbeat_interval_ms,
            config.group_streams_max_heartbeat_interval_ms,
        ),
        assignment_bounds_ms: (
            config.group_streams_min_assignment_interval_ms,
            config.group_streams_max_assignment_interval_ms,
        ),
        max_standby_replicas: config.group_streams_max_standby_replicas,
    }
}

fn share_groups(config: &BrokerConfig) -> ShareGroupSettings {
    ShareGroupSettings {
        max_size: usize::try_from(config.group_share_max_size).unwrap_or(0),
        session_timeout_ms: config.group_share_session_timeout_ms,
        heartbeat_interval_ms: config.group_share_heartbeat_interval_ms,
        session_bounds_ms: (
            config.group_share_min_session_timeout_ms,
            config.group_share_max_session_timeout_ms,
        ),
        heartbeat_bounds_ms: (
            config.group_share_min_heartbeat_interval_ms,
            config.group_share_max_heartbeat_interval_ms,
        ),
        assignment_interval_ms: config.group_share_assignment_interval_ms,
        assignment_interval_bounds_ms: (
            config.group_share_min_assignment_interval_ms,
            config.group_share_max_assignment_interval_ms,
        ),
        initialize_retry_interval_ms: config.group_share_initialize_retry_interval_ms,
    }
}

/// By its name or by the name of Kafka's class.
fn assignor(name: &str) -> Option<Assignor> {
    let name = name.rsplit('.').next().unwrap_or_default();
    Assignor::named(&name.trim_end_matches("Assignor").to_lowercase())
}

/// A shard of groups.
pub(crate) type GroupsShard = HostedShard<GroupShard>;
/// An answer of a shard of groups that may come later.
pub(crate) type Parked<T> = coordinators::Parked<GroupShard, T>;

impl Kind for GroupShard {
    const TOPIC: &'static str = TOPIC;
    const NAME: &'static str = "GroupCoordinator";

    fn say(event: &LogEvent, node_id: i32, partition: i32) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "org.apache.kafka.coordinator.group.GroupMetadataManager",
                    "[GroupCoordinator id={node_id} topic={TOPIC} partition={partition}] {event}"
                )
            };
        }
        match event.level() {
            Level::Debug => line!(debug),
            Level::Info => line!(info),
            Level::Warn => line!(warn),
            Level::Error => line!(error),
        }
    }
}

/// The groups of this broker.
#[derive(Debug)]
pub(crate) struct Groups {
    limits: Limits,
    shards: Shards<GroupShard>,
    cluster: Arc<RwLock<Arc<dyn ClusterMetadata>>>,
}

impl Groups {
    pub(crate) fn new(node_id: i32, limits: Limits) -> Self {
        let settings = limits.settings.clone();
        let nothing: Arc<dyn ClusterMetadata> = Arc::new(NoMetadata);
        let cluster = Arc::new(RwLock::new(nothing));
        let known = Arc::clone(&cluster);
        let empty =
            move || GroupShard::new(settings.clone()).with_metadata(&Arc::clone(&known.read()));
        Self { shards: Shards::new(node_id, limits.shards, empty), limits, cluster }
    }

    pub(crate) fn settings(&self) -> &GroupSettings {
        &self.limits.settings
    }

    /// The metadata that shards were told of last.
    pub(crate) fn cluster_metadata(&self) -> Arc<dyn ClusterMetadata> {
        Arc::clone(&self.cluster.read())
    }

    /// Whether the configuration and the cluster's features let consumer groups be.
    pub(crate) fn serves_consumer_groups(&self, image: &MetadataImage) -> bool {
        self.limits.has_consumer_protocol && image.features().level(GROUP_VERSION) >= 1
    }

    /// The same for groups of Kafka Streams.
    pub(crate) fn serves_streams_groups(&self, image: &MetadataImage) -> bool {
        self.limits.has_streams_protocol && image.features().level(STREAMS_VERSION) >= 1
    }

    /// The partition of the coordinator's topic that a group belongs to.
    pub(crate) fn partition_of(&self, group: &str, image: &MetadataImage) -> i32 {
        let topic = image.topics().by_name(TOPIC);
        let partitions = topic.and_then(|topic| i32::try_from(topic.partitions().len()).ok());
        partition_of(group, partitions.unwrap_or(self.limits.topic_partitions))
    }

    /// The shard of this partition, if this broker has it.
    pub(crate) fn shard(&self, partition: i32) -> Result<Arc<GroupsShard>, GroupError> {
        Ok(self.shards.shard(partition)?)
    }

    #[cfg(test)]
    pub(crate) fn hosted(&self) -> &Shards<GroupShard> {
        &self.shards
    }

    /// Every shard of this broker.
    pub(crate) fn shards(&self) -> Vec<Arc<GroupsShard>> {
        self.shards.all()
    }

    /// Waits for an answer that depends on a write, as long as offsets.commit.timeout.ms allows.
    /// The write goes on all the same, and what it says will hold.
    pub(crate) async fn within_commit_timeout<T: TryFrom<Answer>>(
        &self,
        parked: Parked<T>,
    ) -> Result<T, GroupError> {
        match tokio::time::timeout(self.limits.commit_timeout, parked.answer()).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(GroupError::NotCoordinator),
            Err(_) => Err(GroupError::WriteFailed(WriteFailure::TimedOut)),
        }
    }

    /// A producer's transaction ends in this partition of the coordinator's topic: answered when
    /// the marker is written, and with it decided what the transaction held. Kafka:
    /// `GroupCoordinatorService.completeTransaction`.
    pub(crate) fn end_transaction(
        &self,
        partition: i32,
        producer: Producer,
        end: TransactionEnd,
    ) -> Result<Parked<CompletionAnswer>, GroupError> {
        Ok(self.shard(partition)?.end_transaction(producer, end, Ok(()))?)
    }

    /// Waits as long for what a shard has decided to be written.
    pub(crate) async fn settled(&self, shard: &Arc<GroupsShard>) -> Result<(), GroupError> {
        match tokio::time::timeout(self.limits.commit_timeout, shard.settled()).await {
            Ok(settled) => Ok(settled?),
            Err(_) => Err(GroupError::WriteFailed(WriteFailure::TimedOut)),
        }
    }

    /// The first image: every partition of the topic that this broker leads is taken.
    pub(crate) fn begin(&self, partitions: &Partitions, image: &MetadataImage) {
        *self.cluster.write() = Arc::new(ImageMetadata(image.clone()));
        self.shards.begin(partitions, image);
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
        let deleted = changes.deleted_topics.keys().filter_map(|topic_id| {
            let topic = before.topics().by_id(*topic_id)?;
            Some(topic.partitions().map(|(partition, _)| DeletedPartition {
                topic: topic.name.clone(),
                topic_id: *topic_id,
                partition,
            }))
        });
        let deleted: Vec<DeletedPartition> = deleted.flatten().collect();
        self.shards.give_up_deleted(before, changes);
        self.tell_metadata(image, changes);
        if !deleted.is_empty() {
            let topics: BTreeSet<Uuid> = changes.deleted_topics.keys().copied().collect();
            for shard in self.shards() {
                // A shard that is being loaded will forget them when they expire.
                let _ = shard.act(|shard, _, out| {
                    shard.partitions_deleted(&deleted, out);
                    shard.share_topics_deleted(&topics, out);
                });
            }
        }
        self.shards.follow_changed(partitions, image, changes);
    }

    /// Shards hear of topics that came, changed or went. One that is being loaded catches up with
    /// its first heartbeat.
    fn tell_metadata(&self, image: &MetadataImage, changes: &Changes) {
        let cluster: Arc<dyn ClusterMetadata> = Arc::new(ImageMetadata(image.clone()));
        *self.cluster.write() = Arc::clone(&cluster);
        let changed = changes.topics.keys().filter_map(|id| image.topics().by_id(*id));
        let mut changed: BTreeSet<StrBytes> = changed.map(|topic| topic.name.clone()).collect();
        changed.extend(changes.deleted_topics.values().cloned());
        let has_new_topics = changes.topics.values().any(|change| change.created);
        for shard in self.shards() {
            let _ = shard.act(|shard, _, _| {
                shard.metadata_changed(&cluster, &changed, has_new_topics);
            });
        }
    }

    /// Takes up again what is led here and is not served for a reason that may have passed; the
    /// partitions whose groups are not served, with the reasons.
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
