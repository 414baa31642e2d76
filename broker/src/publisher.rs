//! Makes the broker what the metadata image says: partitions opened, led, followed, reconfigured,
//! deleted.
//!
//! Changes are applied in the order of the metadata log, one after the other, and acknowledged when
//! everything they ask for is done; that is when a request that caused them is answered. Access is
//! decided by a new image first; the image that handlers see is stored last. Files are opened on
//! blocking threads, several at a time. What could not be done keeps nothing else from being done,
//! and is done by the reconciliation that runs between two changes (docs/decisions/0310). What a
//! change asks of this broker's replicas `raft::replica_steps` decides.
//! Kafka: `BrokerMetadataPublisher`, `ReplicaManager.applyDelta`.

mod address_quotas;
mod discrepancies;
mod hosting;
mod leaving;
pub(crate) mod openness;
mod reconciling;
mod state_changes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use config::{BrokerConfig, Properties};
use raft::image::{Changes, ConfigResource, DIRECTORY_UNASSIGNED, MetadataImage, ResourceType};
use raft::replica_steps::{first_steps, replica_steps};
use replica::Step;
use storage::StorageError;
use tokio::task::JoinHandle;
use uuid::Uuid;

use self::discrepancies::Subject;
use self::hosting::{Change, NotHosted, host_all, say_skipped};
use self::openness::{ClientListeners, TooOpen};
use self::reconciling::{Difference, Reasons, Reconciliation, explained, look};
use self::state_changes::{Before, Fetching};
use crate::blocking::blocking;
use crate::broker::Broker;
use crate::clock::wall_ms;
use crate::coordinators::{Unserved, groups, share, transactions};
use crate::log_dirs::OwnedPartition;
use crate::metadata::dynamic_config;
use crate::net::limits::Limits;
use crate::partitions::HostedPartition;
use crate::partitions::disk_gate::processors;
use crate::replication::topic_settings::TopicSettings;
use crate::replication::watches::Watches;
use client::Address;

/// Some partitions of a change, hosted on a thread of their own: those that could not be.
type Share = JoinHandle<Vec<(Change, NotHosted)>>;

/// Applies the changes of the metadata log to this broker.
#[derive(Debug)]
pub(crate) struct Publisher {
    broker: Arc<Broker>,
    openness: openness::Watch,
    reconciliation: Reconciliation,
    watches: Watches,
}

impl Publisher {
    pub(crate) fn new(broker: Arc<Broker>) -> Self {
        let openness = openness::Watch::default();
        let (reconciliation, watches) = (Reconciliation::new(), Watches::default());
        Self { broker, openness, reconciliation, watches }
    }

    /// Whether clients may be served with what this image says.
    pub(crate) fn admit(&self, image: &MetadataImage) -> Result<(), TooOpen> {
        self.apply_broker_settings(image);
        openness::judge(&self.broker.config.current())
    }

    /// Clients are served from here on, through these.
    pub(crate) fn serves_clients(&self, doors: ClientListeners) {
        self.openness.opened(doors);
    }

    /// The first image: everything in it is new to this broker. Directories that no partition of
    /// the image owns are put aside.
    pub(crate) async fn begin(&mut self, image: Arc<MetadataImage>) -> Result<(), StorageError> {
        self.broker.policies.authorizer.load(&image);
        self.broker.policies.quotas.publish(image.client_quotas());
        self.limit_addresses(&image).await;
        self.broker.replicas.context.set_brokers(&image);
        self.apply_broker_settings(&image);
        self.openness.look(&self.broker.config.current(), &image);
        let ours = first_steps(self.broker.config.node_id(), &image);
        let log_dirs = Arc::clone(&self.broker.replicas.log_dirs);
        let node_id = self.broker.config.node_id();
        let owned = |change: &Change| OwnedPartition {
            topic: change.topic.name.to_string(),
            partition: change.partition,
            topic_id: change.topic.id,
            directory: change.state.directory(node_id).unwrap_or(DIRECTORY_UNASSIGNED),
        };
        let owned: Vec<OwnedPartition> = ours.iter().map(owned).collect();
        let (began, logs) = (Instant::now(), ours.len());
        let now_ms = wall_ms();
        let aside = move || log_dirs.put_strays_aside(&owned, now_ms);
        blocking("looking for stray logs", aside).await?;
        self.host_first(&image, ours).await?;
        tracing::info!(
            target: "kafka.log.LogManager",
            "Loaded {logs} logs in {}ms", began.elapsed().as_millis(),
        );
        for resource in image.configs().resources().map(|(resource, _)| resource) {
            self.subscribe(&image, resource);
        }
        self.broker.moves.resume();
        self.broker.groups.begin(&self.broker.replicas.partitions, &image);
        self.broker.transactions.begin(&self.broker.replicas.partitions, &image);
        self.broker.share_states.begin(&self.broker.replicas.partitions, &image);
        self.watch(&image);
        self.broker.metadata.set_image(image);
        Ok(())
    }

    /// What changed since the last image. What cannot be done now is tried again by
    /// [`Self::reconcile`], and keeps nothing else from being done.
    pub(crate) async fn apply(&mut self, image: Arc<MetadataImage>, changes: &Changes) {
        // Before anything that takes its time: who may no longer do something may not from here on.
        self.broker.policies.authorizer.publish(&image, &changes.acls);
        if !changes.client_quotas.is_empty() {
            self.broker.policies.quotas.publish(image.client_quotas());
            self.limit_addresses(&image).await;
        }
        if !changes.brokers.is_empty() {
            self.broker.replicas.context.set_brokers(&image);
            let before = self.broker.metadata.image();
            self.broker.metadata.suspects().moving_on(before.cluster(), image.cluster());
        }
        let node_id = self.broker.config.node_id();
        let steps = replica_steps(node_id, &self.broker.metadata.image(), &image, changes);
        self.delete(&steps.deleted).await;
        if changes.configs.iter().any(is_of_brokers) {
            self.apply_broker_settings(&image);
            self.reconfigure(&image, None).await;
        }
        if !changes.acls.is_empty() || changes.configs.iter().any(is_of_brokers) {
            self.openness.look(&self.broker.config.current(), &image);
        }
        changes.configs.iter().for_each(|resource| self.subscribe(&image, resource));
        for resource in changes.configs.iter().filter(|c| c.resource_type == ResourceType::Topic) {
            state_changes::configured(self.broker.config.node_id(), resource, &image);
            self.reconfigure(&image, Some(&resource.name)).await;
        }
        self.remove(steps.removed).await;
        let ours = Arc::new(steps.hosted);
        let led = ours.iter().filter(|change| change.state.leader == node_id).count();
        state_changes::transitioning(node_id, led, ours.len() - led);
        for (change, why) in self.host(&image, &ours).await {
            say_not_hosted(&change, &why);
            self.note(&why);
        }
        if ours.iter().any(|change| self.is_damaged(change)) {
            self.reconciliation.failed();
        }
        self.look_for_leaders(&image, &steps.asked_again);
        if !changes.brokers.is_empty() {
            self.watch(&image);
        }
        let Broker { groups, transactions, share_states, replicas, metadata, .. } = &*self.broker;
        self.broker.share_partitions.apply(&image);
        groups.apply(&replicas.partitions, &metadata.image(), &image, changes);
        transactions.apply(&replicas.partitions, &metadata.image(), &image, changes);
        share_states.apply(&replicas.partitions, &metadata.image(), &image, changes);
        self.broker.metadata.set_image(image);
    }

    /// The first image could not be made true on disk.
    pub(crate) fn note_storage_failure(&self, error: &StorageError) {
        self.broker.replicas.note_storage_failure(error);
    }

    /// Resolves when the broker is to be compared with the metadata.
    pub(crate) async fn due(&mut self) {
        loop {
            let next = tokio::time::Instant::from_std(self.reconciliation.next());
            tokio::select! {
                () = tokio::time::sleep_until(next) => return,
                () = self.broker.replicas.context.something_failed() => {
                    self.reconciliation.failed();
                }
            }
        }
    }

    /// Compares what the metadata says of this broker with what it does, and does again what
    /// differs.
    pub(crate) async fn reconcile(&mut self) {
        let leaving = self.let_go().await;
        let image = self.broker.metadata.image();
        let (broker, of) = (Arc::clone(&self.broker), Arc::clone(&image));
        let looked = blocking("a look at the partitions", move || Ok(look(&broker, &of))).await;
        // A panic was said where it happened; the next look may come through.
        let look = looked.unwrap_or_default();
        let is_gone = |difference: &&Difference| difference.step == Step::Remove;
        let gone = look.differences.iter().filter(is_gone).map(|difference| &difference.subject);
        let gone: Vec<(Uuid, i32)> = gone.map(|gone| (gone.topic_id, gone.partition)).collect();
        self.remove(gone).await;
        let mut reasons = self.give_way(&look.differences).await;
        let again = |difference: &Difference| match difference.step {
            Step::Open | Step::Apply | Step::Fetch | Step::Unfollow | Step::Refill => {
                difference.change.clone()
            }
            Step::Nothing | Step::Remove | Step::Wait | Step::LeaveInSync | Step::Keep => None,
        };
        let again: Arc<Vec<Change>> = Arc::new(look.differences.iter().filter_map(again).collect());
        for (change, why) in self.host(&image, &again).await {
            reasons.insert((change.topic.id, change.partition), why.reason());
            self.note(&why);
        }
        for change in again.iter().filter(|change| change.state.leader >= 0) {
            let leader = change.state.leader;
            if leader != self.broker.config.node_id() && self.address(&image, leader).is_none() {
                let reason = format!("the metadata has no address of broker {leader}");
                reasons.entry((change.topic.id, change.partition)).or_insert(reason);
            }
        }
        let mut left = reasons.len() + leaving.len();
        let mut found = explained(&look.differences, &reasons);
        found.extend(leaving);
        let Broker { groups, transactions, share_states, replicas, .. } = &*self.broker;
        for (of, unserved) in [
            (groups::TOPIC, groups.reconcile(&replicas.partitions, &image)),
            (transactions::TOPIC, transactions.reconcile(&replicas.partitions, &image)),
            (share::TOPIC, share_states.reconcile(&replicas.partitions, &image)),
        ] {
            left += unserved.iter().filter(|unserved| unserved.is_tried_again).count();
            found.extend(unserved.into_iter().map(|Unserved { partition, reason, .. }| {
                let topic = format!("coordinator of {of}");
                (Subject { topic, partition, topic_id: Uuid::nil() }, reason)
            }));
        }
        self.reconciliation.say(self.broker.config.node_id(), found, &look.busy);
        self.reconciliation.looked(left);
    }

    /// What is damaged leaves the in-sync set, and when it has left begins anew.
    async fn give_way(&mut self, differences: &[Difference]) -> Reasons {
        let stepping = |step| differences.iter().filter(move |found| found.step == step);
        for leaving in stepping(Step::LeaveInSync).filter_map(|found| found.hosted.as_ref()) {
            self.broker.replicas.log_dirs.report_lost(leaving);
        }
        // It was told to be lost, and is needed all the same.
        for kept in
            stepping(Step::Keep).filter(|found| found.is_needed(self.broker.config.node_id()))
        {
            kept.hosted.iter().for_each(|kept| self.broker.replicas.log_dirs.report(kept));
        }
        let refilled = stepping(Step::Refill).map(|found| &found.subject);
        let refilled = refilled.map(|found| (found.topic_id, found.partition)).collect();
        self.begin_anew(refilled).await
    }

    /// Something could not be done: what only passes is tried again, what does not costs its log
    /// directory.
    fn note(&mut self, why: &NotHosted) {
        match why {
            passing if passing.passes() => self.reconciliation.failed(),
            NotHosted::Storage(error) => self.broker.replicas.note_storage_failure(error),
            NotHosted::Skipped { .. } => {}
        }
    }

    /// Opens what the first image says, each log directory with threads of its own: recovery reads
    /// whole segments, and num.recovery.threads.per.data.dir says what that may cost.
    async fn host_first(
        &mut self,
        image: &Arc<MetadataImage>,
        ours: Vec<Change>,
    ) -> Result<(), StorageError> {
        let allowed = self.broker.config.current().num_recovery_threads_per_data_dir;
        let allowed = usize::try_from(allowed).unwrap_or(1).max(1);
        let mut by_home: BTreeMap<Option<(usize, bool)>, Vec<Change>> = BTreeMap::new();
        for change in ours {
            let home = self.broker.replicas.log_dirs.home(&change.topic.name, change.partition);
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
            for (change, why) in self.end_hosting(image, &changes, shares).await {
                say_not_hosted(&change, &why);
                match why {
                    NotHosted::Storage(error) if !error.is_exhaustion() => return Err(error),
                    passing => self.note(&passing),
                }
            }
        }
        Ok(())
    }

    fn is_damaged(&self, change: &Change) -> bool {
        let topic = self.broker.replicas.partitions.topic_by_id(change.topic.id);
        let hosted = topic.and_then(|topic| topic.partition(change.partition));
        hosted.is_some_and(|hosted| hosted.damage().is_some())
    }

    /// Opens what is not open and tells every partition who leads it; what could not be done.
    async fn host(
        &self,
        image: &Arc<MetadataImage>,
        changes: &Arc<Vec<Change>>,
    ) -> Vec<(Change, NotHosted)> {
        let held_back =
            |change: &&Change| self.reconciliation.holds_back(change.topic.id, change.partition);
        let changes = if self.reconciliation.damaged.is_empty() {
            Arc::clone(changes)
        } else {
            Arc::new(changes.iter().filter(|change| !held_back(change)).cloned().collect())
        };
        let shares = self.begin_hosting(image, &changes, processors());
        self.end_hosting(image, &changes, shares).await
    }

    fn begin_hosting(
        &self,
        image: &Arc<MetadataImage>,
        changes: &Arc<Vec<Change>>,
        threads: usize,
    ) -> Vec<Share> {
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
        shares: Vec<Share>,
    ) -> Vec<(Change, NotHosted)> {
        let mut failed = Vec::new();
        for share in shares {
            // A share that panicked has said so; what is missing of it is tried again.
            failed.extend(share.await.unwrap_or_default());
        }
        self.fetch(image, changes);
        failed
    }

    /// Whoever leads elsewhere is fetched from.
    fn fetch(&self, image: &MetadataImage, changes: &[Change]) {
        let fetchers = &self.broker.fetchers;
        let node_id = self.broker.config.node_id();
        let before = self.broker.metadata.image();
        let mut said = Fetching::default();
        for change in changes {
            let hosted = self.broker.replicas.partitions.topic_by_id(change.topic.id);
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
                Some(address) => fetchers.follow(leader, &address, &hosted),
                None => fetchers.forget(&hosted),
            }
        }
        said.say(node_id);
    }

    /// Brokers that are up are watched, so that their end is known at once.
    fn watch(&mut self, image: &MetadataImage) {
        let mut watches = std::mem::take(&mut self.watches);
        watches.follow(&self.broker.config, &self.broker.metadata, image, |id| {
            self.address(image, id)
        });
        self.watches = watches;
    }

    /// Brokers that came back, or listen elsewhere now, are asked again at once.
    fn look_for_leaders(&self, image: &MetadataImage, there: &[i32]) {
        for id in there {
            if let Some(address) = self.address(image, *id) {
                self.broker.fetchers.retry(*id, &address);
            }
        }
    }

    /// Where other brokers reach this one.
    fn address(&self, image: &MetadataImage, id: i32) -> Option<Address> {
        let listener = &self.broker.config.current().inter_broker_listener_name;
        let endpoints = &image.cluster().broker(id)?.end_points;
        let endpoint = endpoints.iter().find(|endpoint| endpoint.name.as_str() == listener)?;
        Some(Address { host: endpoint.host.to_string(), port: endpoint.port })
    }

    /// Settings of a topic, or with `None` the defaults of all, changed.
    async fn reconfigure(&self, image: &Arc<MetadataImage>, topic: Option<&str>) {
        let hosted: Vec<Arc<HostedPartition>> = match topic {
            Some(name) => self
                .broker
                .replicas
                .partitions
                .topic(name)
                .map_or_else(Vec::new, |t| t.partitions()),
            None => self.broker.replicas.partitions.all(),
        };
        let (broker, image) = (Arc::clone(&self.broker), Arc::clone(image));
        let configured = blocking("configuring the logs", move || {
            let config = broker.config.current();
            let mut of_topic: BTreeMap<Arc<str>, TopicSettings> = BTreeMap::new();
            for partition in hosted {
                let settings = of_topic
                    .entry(Arc::clone(partition.topic()))
                    .or_insert_with(|| TopicSettings::of(partition.topic(), &image, &config));
                partition
                    .configure(settings.of_replica(partition.partition(), broker.config.node_id()));
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
        let own = settings(&ConfigResource::broker(self.broker.config.node_id()));
        match self.broker.config.current().with_dynamic(&defaults, &own) {
            Ok(config) => {
                match Limits::of(&config) {
                    Ok(limits) => self.broker.registry.set_limits(limits),
                    Err(error) => tracing::error!(
                        target: "kafka.network.ConnectionQuotas",
                        "The former limits of connections stay: {error}",
                    ),
                }
                self.apply_replication_settings(&config);
                self.cordon(&config);
                let fetchers = self.broker.config.current().num_replica_fetchers;
                let resized = fetchers != config.num_replica_fetchers;
                self.broker.config.tls().reconfigure(&config, false);
                self.broker.config.tls().reread_changed(&config);
                self.broker.config.set(config);
                if resized {
                    self.broker.fetchers.resize();
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

    /// How fast each address may connect; hosts are looked up anew.
    async fn limit_addresses(&self, image: &MetadataImage) {
        let rates = address_quotas::rates(image.client_quotas()).await;
        self.broker.registry.limit_addresses(&rates);
    }

    /// What is asked of clients' metrics is what the metadata says of it.
    fn subscribe(&self, image: &MetadataImage, resource: &ConfigResource) {
        if let Some(client_metrics) = &self.broker.client_metrics
            && resource.resource_type == ResourceType::ClientMetrics
        {
            let own = dynamic_config::properties(image.configs().of(resource));
            client_metrics.update_subscription(&resource.name, &own);
        }
    }

    /// Unlike Kafka: the file's list holds from the start on, not from the first dynamic change on
    /// (docs/decisions/0455).
    fn cordon(&self, config: &BrokerConfig) {
        let cordoned = self.broker.replicas.log_dirs.cordon(&config.cordoned_log_dirs);
        self.broker.quorum.directories_cordoned(cordoned);
    }

    fn apply_replication_settings(&self, config: &BrokerConfig) {
        let quotas = &self.broker.replicas.quotas;
        quotas.leader.set_bound(config.throttle("leader.replication.throttled.rate"));
        quotas.follower.set_bound(config.throttle("follower.replication.throttled.rate"));
        let moves = "replica.alter.log.dirs.io.max.bytes.per.second";
        quotas.alter_log_dirs.set_bound(config.throttle(moves));
    }
}

fn is_of_brokers(resource: &ConfigResource) -> bool {
    resource.resource_type == ResourceType::Broker
}

fn say_not_hosted(change: &Change, why: &NotHosted) {
    match why {
        NotHosted::Storage(error) => tracing::error!(
            target: "kafka.server.ReplicaManager",
            "Cannot open {}-{}: {error}", change.topic.name, change.partition,
        ),
        NotHosted::Skipped { assigned } => say_skipped(change, *assigned),
    }
}
