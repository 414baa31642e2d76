//! The metadata controller: a request becomes records and a response, both decided on the state as
//! of the last record appended, committed or not.
//!
//! Kept true: a method that answers a request changes no metadata, it only proposes records; the
//! state moves in [`Controller::append`] alone. Only heartbeats and sessions are soft state, of the
//! active controller. Losing the lead drops what was not committed.
//!
//! ```text
//! request ─ method ─ ControllerResult { records, response } ─ append (replay, log) ─ commit
//! ```
//!
//! Answers to `QuorumController` and its control managers.

mod acls;
mod brokers;
mod change;
mod configs;
mod delegation_tokens;
mod election;
mod error;
mod features;
mod heartbeats;
mod partition_quota;
mod partitions;
mod periodic;
mod placement;
mod producer_ids;
mod quotas;
mod reassign;
mod registration;
mod scram;
mod start;
#[cfg(test)]
mod tests;
mod topics;

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::records::metadata::MetadataRecord;

pub use self::acls::{refused_creations, refused_deletions};
pub use self::configs::{ConfigRules, EffectiveConfig};
pub use self::delegation_tokens::{
    DelegationTokenSettings, answer_of, principal_parts, token_owner,
};
pub use self::error::ApiError;
use self::heartbeats::Heartbeats;
pub use self::partition_quota::{PartitionQuota, Unbounded};
use self::periodic::Schedule;
pub use self::placement::propose;
pub use self::quotas::refused_quotas;
pub use self::scram::{MakeScramKeys, ScramKeys};
pub use self::start::{bootstrap_records, feature_records};
use crate::draws::Draws;
use crate::feature::Feature;
use crate::image::{ConfigResource, MetadataDelta, MetadataImage, ReplayError};
use crate::quorum::KRaftLevel;

/// Kafka's bound on what one user's request may write.
pub const MAX_RECORDS_PER_REQUEST: usize = 10_000;

/// What the node's configuration tells its controller.
#[derive(Debug, Clone)]
pub struct ControllerSettings {
    pub node_id: i32,
    pub cluster_id: String,
    /// `num.partitions`
    pub default_partitions: i32,
    /// `default.replication.factor`
    pub default_replication_factor: i16,
    /// `min.insync.replicas` of this node's file
    pub min_insync_replicas: i32,
    /// `unclean.leader.election.enable` of this node's file
    pub unclean_leader_election: bool,
    /// `broker.session.timeout.ms`
    pub session_timeout_ms: i64,
    /// `leader.imbalance.check.interval.seconds`; `None`: `auto.leader.rebalance.enable` is false
    pub leader_balance_interval_ms: Option<i64>,
    /// `unclean.leader.election.interval.ms`
    pub unclean_election_interval_ms: i64,
    pub delegation_tokens: DelegationTokenSettings,
    /// `delete.topic.enable`
    pub topic_deletion: bool,
    /// `unstable.feature.versions.enable`: whether a level may be finalized that no release has.
    pub unstable_features: bool,
    /// The nodes that may be controllers: all must support what is finalized. A node fills this in
    /// from the quorum's voters.
    pub quorum_node_ids: Vec<i32>,
}

/// What the host hands in with every call.
#[derive(Debug, Clone, Copy)]
pub struct ControllerNow {
    /// Of a clock that only goes forward: sessions are measured by it.
    pub monotonic_ms: i64,
    /// Of the wall clock: what records and answers carry.
    pub wall_ms: i64,
    /// Fresh random bits.
    pub seed: u128,
}

impl ControllerNow {
    pub fn draws(&self) -> Draws {
        Draws::new(self.seed)
    }
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ControllerResult<R> {
    pub records: Vec<MetadataRecord>,
    pub response: R,
    /// All records must stand in one batch.
    pub atomic: bool,
    /// What kraft.version is raised to, before the records.
    pub kraft_version: Option<i16>,
}

impl<R> ControllerResult<R> {
    pub fn of(records: Vec<MetadataRecord>, response: R) -> Self {
        Self { records, response, atomic: false, kraft_version: None }
    }

    pub fn atomic(records: Vec<MetadataRecord>, response: R) -> Self {
        Self { atomic: true, ..Self::of(records, response) }
    }

    /// An answer that changes nothing.
    pub fn unchanged(response: R) -> Self {
        Self::of(Vec::new(), response)
    }
}

pub struct Controller {
    settings: ControllerSettings,
    rules: Arc<dyn ConfigRules + Send + Sync>,
    /// As of the last record appended.
    image: MetadataImage,
    next_offset: i64,
    kraft_level: KRaftLevel,
    /// Up to which offset a broker must have read to know of its own registration.
    registration_offsets: BTreeMap<i32, i64>,
    /// Present while this controller is active.
    heartbeats: Option<Heartbeats>,
    /// Present while this controller is active.
    schedule: Option<Schedule>,
    transaction: Option<OpenTransaction>,
    /// The broker, with its epoch, that was fenced last because its session ended.
    expired: Option<(i32, i64)>,
}

#[derive(Debug)]
struct OpenTransaction {
    offset: i64,
    before: MetadataImage,
}

impl Controller {
    /// An inactive controller whose state is `image`, the last committed one.
    pub fn new(
        settings: ControllerSettings,
        rules: Arc<dyn ConfigRules + Send + Sync>,
        image: MetadataImage,
    ) -> Self {
        let next_offset = image.provenance().last_contained_offset + 1;
        let mut controller = Self {
            settings,
            rules,
            image: MetadataImage::default(),
            next_offset: 0,
            kraft_level: KRaftLevel::default(),
            registration_offsets: BTreeMap::new(),
            heartbeats: None,
            schedule: None,
            transaction: None,
            expired: None,
        };
        controller.reset(image, next_offset);
        controller
    }

    /// Starts over from a committed image, dropping everything that was not committed.
    pub fn reset(&mut self, image: MetadataImage, next_offset: i64) {
        // Where a registration stands inside a snapshot is not known; its end is safe.
        let known = image.provenance().last_contained_offset;
        self.registration_offsets =
            image.cluster().brokers().map(|broker| (broker.broker_id, known)).collect();
        self.image = image;
        self.next_offset = next_offset;
        self.heartbeats = None;
        self.schedule = None;
        self.transaction = None;
    }

    /// This node leads the quorum from now on: every session starts anew.
    pub fn activate(&mut self, next_offset: i64, now: &ControllerNow) {
        self.next_offset = next_offset;
        let mut heartbeats = Heartbeats::new(self.settings.session_timeout_ms);
        for broker in self.image.cluster().brokers() {
            heartbeats.register(broker.broker_id, broker.fenced);
            if !broker.fenced {
                heartbeats.contact(broker.broker_id, broker.broker_epoch, now.monotonic_ms);
            }
        }
        self.heartbeats = Some(heartbeats);
        self.schedule = Some(Schedule::new(&self.settings, now.monotonic_ms));
    }

    /// Who the quorum's voters are, as of now.
    pub fn set_quorum_node_ids(&mut self, ids: impl Iterator<Item = i32>) {
        self.settings.quorum_node_ids = ids.collect();
    }

    /// Which version the quorum has, and whether it may have the next.
    pub fn set_kraft_level(&mut self, level: KRaftLevel) {
        self.kraft_level = level;
    }

    pub fn is_active(&self) -> bool {
        self.heartbeats.is_some()
    }

    /// The metadata as of the last record appended.
    pub fn image(&self) -> &MetadataImage {
        &self.image
    }

    pub fn settings(&self) -> &ControllerSettings {
        &self.settings
    }

    /// Where the next record goes; a broker that registers now has this as its epoch.
    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// The log ends inside a transaction that began at `offset`; its records were not replayed.
    pub fn resume_transaction(&mut self, offset: i64) {
        self.transaction = Some(OpenTransaction { offset, before: self.image.clone() });
    }

    /// The quorum itself wrote a record: the metadata stays, the offset moves.
    pub fn skip_to(&mut self, next_offset: i64) {
        self.next_offset = next_offset;
    }

    /// Where the open metadata transaction began.
    pub fn open_transaction(&self) -> Option<i64> {
        self.transaction.as_ref().map(|transaction| transaction.offset)
    }

    /// Applies records that stand at `self.next_offset()` and after: those this controller
    /// proposed, on their way to the log, or those of another leader.
    pub fn append(&mut self, records: &[MetadataRecord]) -> Result<(), ReplayError> {
        let mut delta = MetadataDelta::new(&self.image);
        for record in records {
            let offset = self.next_offset;
            match record {
                MetadataRecord::BeginTransaction(_) => {
                    let before = delta.after().clone();
                    self.transaction = Some(OpenTransaction { offset, before });
                }
                MetadataRecord::EndTransaction(_) => self.transaction = None,
                MetadataRecord::AbortTransaction(_) => {
                    if let Some(OpenTransaction { before, .. }) = self.transaction.take() {
                        delta = MetadataDelta::new(&before);
                    }
                }
                record => {
                    self.refuse_unstable(record)?;
                    delta.replay(record)?;
                    self.note(record, offset, &delta);
                }
            }
            self.next_offset += 1;
        }
        self.image = delta.after().clone();
        Ok(())
    }

    /// What besides the image follows from a record.
    fn note(&mut self, record: &MetadataRecord, offset: i64, delta: &MetadataDelta) {
        match record {
            MetadataRecord::RegisterBroker(broker) => {
                self.registration_offsets.insert(broker.broker_id, offset);
                if let Some(heartbeats) = &mut self.heartbeats {
                    heartbeats.register(broker.broker_id, broker.fenced);
                }
            }
            MetadataRecord::UnregisterBroker(broker) => {
                self.registration_offsets.remove(&broker.broker_id);
                if let Some(heartbeats) = &mut self.heartbeats {
                    heartbeats.remove(broker.broker_id);
                }
            }
            MetadataRecord::BrokerRegistrationChange(change) => {
                let id = change.broker_id;
                let broker = delta.after().cluster().broker(id);
                if let (Some(heartbeats), Some(broker)) = (&mut self.heartbeats, broker) {
                    heartbeats.change(id, broker.fenced);
                }
            }
            _ => {}
        }
    }

    /// As in Kafka a controller that does not support a level does not go on with it, nor does a
    /// standby.
    fn refuse_unstable(&self, record: &MetadataRecord) -> Result<(), ReplayError> {
        let MetadataRecord::FeatureLevel(record) = record else { return Ok(()) };
        let (name, level) = (record.name.as_str(), record.feature_level);
        let feature = Feature::find(name);
        let most = feature.map(|feature| feature.supported_max(self.settings.unstable_features));
        match most.is_some_and(|most| level > most) {
            true => Err(ReplayError::FeatureLevel { name: name.to_owned(), level }),
            false => Ok(()),
        }
    }

    /// The value in force for a key that topics inherit from brokers.
    fn topic_value(&self, topic: &str, key: &str) -> Option<&str> {
        let configs = self.image.configs();
        [
            ConfigResource::topic(topic),
            ConfigResource::broker(self.settings.node_id),
            ConfigResource::all_brokers(),
        ]
        .iter()
        .find_map(|resource| configs.value(resource, key))
        .map(|value| value.as_str())
    }

    fn unclean_election_enabled(&self, topic: &str) -> bool {
        self.topic_value(topic, "unclean.leader.election.enable")
            .map_or(self.settings.unclean_leader_election, |value| {
                value.eq_ignore_ascii_case("true")
            })
    }
}
