//! Makes the broker what the metadata image says: partitions opened, led, followed, reconfigured,
//! deleted.
//!
//! Changes are applied in the order of the metadata log, one after the other, and acknowledged when
//! everything they ask for is done; that is when a request that caused them is answered. The image
//! that handlers see is stored last. Files are opened on blocking threads, several at a time.
//! Kafka: `BrokerMetadataPublisher`, `ReplicaManager.applyDelta`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use config::{BrokerConfig, Properties};
use protocol::ErrorCode;
use protocol::wire::StrBytes;
use raft::image::{
    Changes, ConfigResource, DIRECTORY_UNASSIGNED, LeaderRecovery, MetadataImage, Partition,
    ResourceType, Topic,
};
use replica::{Recovery, Registration};
use storage::{AppendError, StorageError};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::broker::Broker;
use crate::disk_gate::processors;
use crate::log_dirs::{self, LogDirs, Opening, Wanted};
use crate::net::limits::Limits;
use crate::openness::{self, Doors, TooOpen};
use crate::partitions::HostedPartition;
use crate::state_changes::{self, Before, Fetching};
use crate::topic_settings::TopicSettings;
use client::Address;

/// A partition of ours that changed.
struct Change {
    topic: Arc<Topic>,
    partition: i32,
    state: Arc<Partition>,
}

/// Applies the changes of the metadata log to this broker.
#[derive(Debug)]
pub(crate) struct Publisher {
    broker: Arc<Broker>,
    openness: openness::Watch,
}

impl Publisher {
    pub(crate) fn new(broker: Arc<Broker>) -> Self {
        Self { broker, openness: openness::Watch::default() }
    }

    /// Whether clients may be served with what this image says.
    pub(crate) fn admit(&self, image: &MetadataImage) -> Result<(), TooOpen> {
        self.apply_broker_settings(image);
        openness::judge(&self.broker.config(), image)
    }

    /// Clients are served from here on, through these.
    pub(crate) fn serves_clients(&self, doors: Doors) {
        self.openness.opened(doors);
    }

    /// The first image: everything in it is new to this broker. Directories that no partition of
    /// the image owns are put aside.
    pub(crate) async fn begin(&self, image: Arc<MetadataImage>) -> Result<(), StorageError> {
        self.broker.parts.surroundings.set_brokers(&image);
        self.apply_broker_settings(&image);
        self.openness.look(&self.broker.config(), &image);
        let all = image.topics().iter().flat_map(|topic| {
            topic.partitions().map(|(partition, state)| Change {
                topic: Arc::clone(topic),
                partition,
                state: Arc::clone(state),
            })
        });
        let ours: Vec<Change> = all.filter(|change| self.is_ours(change)).collect();
        let log_dirs = Arc::clone(&self.broker.parts.log_dirs);
        let owned: Vec<(String, i32, Uuid)> =
            ours.iter().map(|c| (c.topic.name.to_string(), c.partition, c.topic.id)).collect();
        let (began, logs) = (Instant::now(), ours.len());
        let now_ms = self.broker.now_ms();
        blocking(move || log_dirs.put_strays_aside(&owned, now_ms)).await?;
        self.host_first(&image, ours).await?;
        tracing::info!(
            target: "kafka.log.LogManager",
            "Loaded {logs} logs in {}ms", began.elapsed().as_millis(),
        );
        self.broker.groups().begin(self.broker.partitions(), &image);
        self.broker.set_image(image);
        Ok(())
    }

    /// What an image asks for could not be done on disk.
    pub(crate) fn note_storage_failure(&self, error: &StorageError) {
        self.broker.note_storage_failure(error);
    }

    /// What changed since the last image.
    pub(crate) async fn apply(
        &self,
        image: Arc<MetadataImage>,
        changes: &Changes,
    ) -> Result<(), StorageError> {
        if !changes.brokers.is_empty() {
            self.broker.parts.surroundings.set_brokers(&image);
        }
        self.delete(&changes.deleted_topics).await?;
        if changes.configs.iter().any(is_of_brokers) {
            self.apply_broker_settings(&image);
            self.reconfigure(&image, None).await;
        }
        if !changes.acls.is_empty() || changes.configs.iter().any(is_of_brokers) {
            self.openness.look(&self.broker.config(), &image);
        }
        for resource in changes.configs.iter().filter(|c| c.resource_type == ResourceType::Topic) {
            state_changes::configured(self.broker.node_id(), resource, &image);
            self.reconfigure(&image, Some(&resource.name)).await;
        }
        let changed = changes.topics.iter().flat_map(|(id, change)| {
            let topic = image.topics().by_id(*id);
            change.partitions.iter().filter_map(move |partition| {
                let state = Arc::clone(topic?.partition(*partition)?);
                Some(Change { topic: Arc::clone(topic?), partition: *partition, state })
            })
        });
        let (ours, others): (Vec<Change>, Vec<Change>) =
            changed.partition(|change| self.is_ours(change));
        self.remove(others).await?;
        let ours = Arc::new(ours);
        let node_id = self.broker.node_id();
        let led = ours.iter().filter(|change| change.state.leader == node_id).count();
        state_changes::transitioning(node_id, led, ours.len() - led);
        self.host(&image, &ours).await?;
        self.look_for_leaders(&image, &changes.brokers);
        let groups = self.broker.groups();
        groups.apply(self.broker.partitions(), &self.broker.image(), &image, changes);
        self.broker.set_image(image);
        Ok(())
    }

    /// Opens what the first image says, each log directory with threads of its own: recovery reads
    /// whole segments, and num.recovery.threads.per.data.dir says what that may cost.
    async fn host_first(
        &self,
        image: &Arc<MetadataImage>,
        ours: Vec<Change>,
    ) -> Result<(), StorageError> {
        let allowed = self.broker.config().num_recovery_threads_per_data_dir;
        let allowed = usize::try_from(allowed).unwrap_or(1).max(1);
        let mut by_home: BTreeMap<Option<(usize, bool)>, Vec<Change>> = BTreeMap::new();
        for change in ours {
            let home = self.broker.parts.log_dirs.home(&change.topic.name, change.partition);
            by_home.entry(home).or_default().push(change);
        }
        let mut opening = Vec::new();
        for (home, changes) in by_home {
            let needs_recovery = home.is_some_and(|(_, was_clean)| !was_clean);
            let threads = if needs_recovery { allowed } else { processors() };
            let changes = Arc::new(changes);
            opening.push((self.begin_hosting(image, &changes, threads), changes));
        }
        for (shares, changes) in opening {
            self.end_hosting(image, &changes, shares).await?;
        }
        Ok(())
    }

    fn is_ours(&self, change: &Change) -> bool {
        change.state.replicas.contains(&self.broker.node_id())
    }

    /// Opens what is not open and tells every partition who leads it.
    async fn host(
        &self,
        image: &Arc<MetadataImage>,
        changes: &Arc<Vec<Change>>,
    ) -> Result<(), StorageError> {
        let shares = self.begin_hosting(image, changes, processors());
        self.end_hosting(image, changes, shares).await
    }

    fn begin_hosting(
        &self,
        image: &Arc<MetadataImage>,
        changes: &Arc<Vec<Change>>,
        threads: usize,
    ) -> Vec<JoinHandle<Result<(), StorageError>>> {
        let share = changes.len().div_ceil(threads).max(1);
        let shares = (0..changes.len()).step_by(share).map(|from| {
            let (broker, image) = (Arc::clone(&self.broker), Arc::clone(image));
            let changes = Arc::clone(changes);
            tokio::task::spawn_blocking(move || {
                let until = (from + share).min(changes.len());
                host_all(&broker, &image, changes.get(from..until).unwrap_or_default())
            })
        });
        shares.collect()
    }

    async fn end_hosting(
        &self,
        image: &MetadataImage,
        changes: &[Change],
        shares: Vec<JoinHandle<Result<(), StorageError>>>,
    ) -> Result<(), StorageError> {
        for share in shares {
            // A share that panicked has said so; the partitions in it stay away.
            share.await.unwrap_or(Ok(()))?;
        }
        self.fetch(image, changes);
        Ok(())
    }

    /// Whoever leads elsewhere is fetched from.
    fn fetch(&self, image: &MetadataImage, changes: &[Change]) {
        let fetchers = &self.broker.parts.fetchers;
        let node_id = self.broker.node_id();
        let before = self.broker.image();
        let mut said = Fetching::default();
        for change in changes {
            let hosted = self.broker.partitions().topic_by_id(change.topic.id);
            let Some(hosted) = hosted.and_then(|topic| topic.partition(change.partition)) else {
                continue;
            };
            let leader = change.state.leader;
            let address = (leader != node_id).then(|| self.address(image, leader)).flatten();
            let known = Before::of(&before, &change.topic, change.partition);
            if known.is_other_than(&change.state) {
                said.removed(&hosted);
                if let Some(address) = &address {
                    said.added(leader, address, &hosted);
                }
            }
            match address {
                Some(address) => fetchers.follow(&self.broker, leader, &address, &hosted),
                None => fetchers.forget(&hosted),
            }
        }
        said.say(node_id);
    }

    /// Brokers that came back, or listen elsewhere now, are asked again at once.
    fn look_for_leaders(&self, image: &MetadataImage, changed: &BTreeSet<i32>) {
        for id in changed.iter().filter(|id| image.cluster().is_active(**id)) {
            if let Some(address) = self.address(image, *id) {
                self.broker.parts.fetchers.retry(&self.broker, *id, &address);
            }
        }
    }

    /// Where other brokers reach this one.
    fn address(&self, image: &MetadataImage, id: i32) -> Option<Address> {
        let listener = &self.broker.config().inter_broker_listener_name;
        let endpoints = &image.cluster().broker(id)?.end_points;
        let endpoint = endpoints.iter().find(|endpoint| endpoint.name.as_str() == listener)?;
        Some(Address { host: endpoint.host.to_string(), port: endpoint.port })
    }

    /// Partitions that a reassignment took from this broker.
    async fn remove(&self, others: Vec<Change>) -> Result<(), StorageError> {
        for change in others {
            let partitions = self.broker.partitions();
            let Some(gone) = partitions.remove(change.topic.id, change.partition) else { continue };
            self.broker.parts.fetchers.forget(&gone);
            let broker = Arc::clone(&self.broker);
            blocking(move || {
                gone.give_up(ErrorCode::NotLeaderOrFollower);
                broker.parts.log_dirs.delete(&gone, broker.now_ms())
            })
            .await?;
        }
        Ok(())
    }

    async fn delete(&self, deleted: &BTreeMap<Uuid, StrBytes>) -> Result<(), StorageError> {
        for id in deleted.keys() {
            let Some(topic) = self.broker.partitions().remove_topic(*id) else { continue };
            let broker = Arc::clone(&self.broker);
            state_changes::deleting(broker.node_id(), topic.partitions().len());
            blocking(move || {
                for partition in topic.partitions() {
                    broker.parts.fetchers.forget(&partition);
                    partition.give_up(ErrorCode::UnknownTopicOrPartition);
                    broker.parts.log_dirs.delete(&partition, broker.now_ms())?;
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Settings of a topic, or with `None` the defaults of all, changed.
    async fn reconfigure(&self, image: &Arc<MetadataImage>, topic: Option<&str>) {
        let hosted: Vec<Arc<HostedPartition>> = match topic {
            Some(name) => {
                self.broker.partitions().topic(name).map_or_else(Vec::new, |t| t.partitions())
            }
            None => self.broker.partitions().all(),
        };
        let (broker, image) = (Arc::clone(&self.broker), Arc::clone(image));
        let configured = blocking(move || {
            let config = broker.config();
            let mut of_topic: BTreeMap<Arc<str>, TopicSettings> = BTreeMap::new();
            for partition in hosted {
                let settings = of_topic
                    .entry(Arc::clone(partition.topic()))
                    .or_insert_with(|| TopicSettings::of(partition.topic(), &image, &config));
                partition.configure(settings.of_replica(partition.partition(), broker.node_id()));
            }
            Ok(())
        });
        if let Err(error) = configured.await {
            tracing::error!(target: "kafka.server.ReplicaManager", "Cannot reconfigure: {error}");
        }
    }

    /// The node's own dynamic settings, over the cluster's, over the file's.
    fn apply_broker_settings(&self, image: &MetadataImage) {
        let settings = |resource: &ConfigResource| -> Properties {
            let of = image.configs().of(resource);
            of.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        };
        let defaults = settings(&ConfigResource::all_brokers());
        let own = settings(&ConfigResource::broker(self.broker.node_id()));
        match self.broker.config().with_dynamic(&defaults, &own) {
            Ok(config) => {
                match Limits::of(&config) {
                    Ok(limits) => self.broker.parts.registry.set_limits(limits),
                    Err(error) => tracing::error!(
                        target: "kafka.network.ConnectionQuotas",
                        "The former limits of connections stay: {error}",
                    ),
                }
                self.apply_replication_settings(&config);
                let fetchers = self.broker.config().num_replica_fetchers;
                let resized = fetchers != config.num_replica_fetchers;
                self.broker.set_config(config);
                if resized {
                    self.broker.parts.fetchers.resize(&self.broker);
                }
            }
            Err(error) => {
                tracing::error!(
                    target: "kafka.server.DynamicBrokerConfig",
                    "The dynamic settings do not fit together and are left out: {error}",
                );
            }
        }
    }

    fn apply_replication_settings(&self, config: &BrokerConfig) {
        let quotas = &self.broker.parts.quotas;
        quotas.leader.set_bound(config.throttle("leader.replication.throttled.rate"));
        quotas.follower.set_bound(config.throttle("follower.replication.throttled.rate"));
    }
}

fn is_of_brokers(resource: &ConfigResource) -> bool {
    resource.resource_type == ResourceType::Broker
}

fn host_all(
    broker: &Arc<Broker>,
    image: &MetadataImage,
    changes: &[Change],
) -> Result<(), StorageError> {
    let config = broker.config();
    let mut settings: Option<(Uuid, TopicSettings)> = None;
    for change in changes {
        let settings = match &settings {
            Some((id, settings)) if *id == change.topic.id => settings,
            _ => {
                let of = TopicSettings::of(&change.topic.name, image, &config);
                &settings.insert((change.topic.id, of)).1
            }
        };
        match host_one(broker, settings, image, change) {
            // The others can still be served; this one is tried again at the next start.
            Err(error) if error.is_exhaustion() => {
                tracing::error!(
                    target: "kafka.server.ReplicaManager",
                    "Cannot open {}-{}: {error}", change.topic.name, change.partition,
                );
            }
            hosted => hosted?,
        }
    }
    Ok(())
}

fn host_one(
    broker: &Arc<Broker>,
    settings: &TopicSettings,
    image: &MetadataImage,
    change: &Change,
) -> Result<(), StorageError> {
    let log_dirs = &broker.parts.log_dirs;
    let existing = broker.partitions().topic_by_id(change.topic.id);
    if existing.as_ref().is_some_and(|topic| topic.is_offline(change.partition)) {
        say_offline(change);
        return Ok(());
    }
    let assigned = change.state.directory(broker.node_id()).unwrap_or(DIRECTORY_UNASSIGNED);
    let hosted = match existing.and_then(|topic| topic.partition(change.partition)) {
        Some(hosted) => {
            outlive(log_dirs, lead_or_follow(&hosted, &change.state))?;
            hosted
        }
        None => {
            let settings = settings.of_replica(change.partition, broker.node_id());
            let wanted = Wanted {
                topic: change.topic.name.as_str(),
                topic_id: change.topic.id,
                partition: change.partition,
                assigned,
            };
            let around = &broker.parts.surroundings;
            let hosted =
                match log_dirs.open_partition(&wanted, &settings, around, broker.now_ms())? {
                    Opening::Online(hosted) => hosted,
                    Opening::Begun(hosted, directory) => {
                        state_changes::created(&change.topic, change.partition, &directory, image);
                        hosted
                    }
                    Opening::Skipped => {
                        say_skipped(change, assigned);
                        return Ok(());
                    }
                    Opening::Offline => {
                        let name = Arc::from(change.topic.name.as_str());
                        let (id, partition) = (change.topic.id, change.partition);
                        broker.partitions().set_offline(&name, id, partition);
                        return Ok(());
                    }
                };
            outlive(log_dirs, lead_or_follow(&hosted, &change.state))?;
            broker.partitions().insert(Arc::clone(&hosted));
            hosted
        }
    };
    let before = Before::of(&broker.image(), &change.topic, change.partition);
    state_changes::began(broker.node_id(), &hosted, &change.state, before);
    if !log_dirs.is_online(hosted.directory_id()) {
        // It failed meanwhile, perhaps before the partition was in the table.
        log_dirs::take_offline(broker, &hosted);
    } else if image.metadata_version().has_directories() && assigned != hosted.directory_id() {
        log_dirs.report(&hosted);
    }
    Ok(())
}

fn outlive(log_dirs: &LogDirs, done: Result<(), StorageError>) -> Result<(), StorageError> {
    done.or_else(|error| log_dirs.outlive(error))
}

fn say_skipped(change: &Change, assigned: Uuid) {
    tracing::warn!(
        target: "kafka.cluster.Partition",
        "[Partition {}-{}] Skipping creation of log because there are potentially offline log \
         directories and log may already exist there. directoryId={}",
        change.topic.name, change.partition, cli::Uuid(assigned),
    );
}

fn say_offline(change: &Change) {
    tracing::warn!(
        target: "state.change.logger",
        "Unable to bring up new local replica {}-{} with topic id {} because it resides in an \
         offline log directory.",
        change.topic.name, change.partition, cli::Uuid(change.topic.id),
    );
}

fn lead_or_follow(hosted: &HostedPartition, state: &Partition) -> Result<(), StorageError> {
    let registration = Registration {
        leader: state.leader,
        leader_epoch: state.leader_epoch,
        partition_epoch: state.partition_epoch,
        replicas: state.replicas.clone(),
        adding: state.adding_replicas.clone(),
        removing: state.removing_replicas.clone(),
        isr: state.isr.clone(),
        recovery: match state.leader_recovery {
            LeaderRecovery::Recovered => Recovery::Recovered,
            LeaderRecovery::Recovering => Recovery::Recovering,
        },
    };
    match hosted.apply(&registration) {
        Ok(()) => Ok(()),
        Err(AppendError::Storage(error)) => Err(error),
        // Nothing is appended here, so the log has no other reason to refuse.
        Err(other) => {
            tracing::error!(target: "state.change.logger", "Cannot lead: {other}");
            Ok(())
        }
    }
}

/// Runs file work on a blocking thread.
async fn blocking<R: Default + Send + 'static>(
    work: impl FnOnce() -> Result<R, StorageError> + Send + 'static,
) -> Result<R, StorageError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Ok(R::default()))
}
