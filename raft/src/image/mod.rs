//! The metadata of the cluster at one offset of its log: immutable for who holds it, cheap to copy.
//!
//! Kept true: the image is the replay of every committed record up to its provenance and nothing
//! else; `to_records` gives records whose replay is an equal image, so a snapshot loses nothing,
//! also of what no part of this node acts on.
//!
//! ```text
//! records ─ MetadataDelta::replay ─ (image, what changed) ─ publishers
//! image   ─ to_records            ─ snapshot
//! ```
//!
//! Answers to `MetadataImage` and `MetadataDelta`.

mod changes;
mod cluster;
mod configs;
mod delta;
mod difference;
mod features;
mod loader;
mod partition;
mod security;
mod shards;
#[cfg(test)]
pub(crate) mod tests;
mod topics;

use std::sync::Arc;

use protocol::records::metadata::{MetadataRecord, ProducerIdsRecord};
use uuid::Uuid;

pub use self::changes::{Changes, TopicChange};
pub use self::cluster::{Broker, ClusterImage, RegisteredController};
pub use self::configs::{ConfigResource, ConfigValues, ConfigsImage, ResourceType};
pub use self::delta::MetadataDelta;
pub use self::features::FeaturesImage;
pub use self::loader::{LoadError, MetadataLoader};
pub use self::partition::{
    DIRECTORY_LOST, DIRECTORY_MIGRATING, DIRECTORY_UNASSIGNED, LeaderRecovery, Partition,
};
pub use self::security::{
    AclsImage, ClientQuotasImage, DelegationTokensImage, QuotaEntities, ScramImage,
};
pub use self::topics::{Topic, TopicsImage};
use crate::feature::MetadataVersion;

/// Why a record cannot be applied to an image. Any of these means that the log is not one that a
/// controller wrote, and the node must stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    #[error("feature {name} cannot have level {level} here")]
    FeatureLevel { name: String, level: i16 },
    #[error("broker {0} is not registered")]
    UnknownBroker(i32),
    #[error("broker {id} has epoch {registered}, a record names {epoch}")]
    BrokerEpoch { id: i32, epoch: i64, registered: i64 },
    #[error("{field} of a broker's change is {value}")]
    BrokerChange { field: &'static str, value: i8 },
    #[error("topic {0} exists already")]
    DuplicateTopic(String),
    #[error("there is no topic with id {0}")]
    UnknownTopic(Uuid),
    #[error("there is no topic {0}")]
    UnknownTopicName(String),
    #[error("topic {topic_id} has no partition {partition}")]
    UnknownPartition { topic_id: Uuid, partition: i32 },
    #[error("a partition has {replicas} replica(s) and {directories} directories")]
    DirectoryCount { directories: usize, replicas: usize },
    #[error("leader recovery state {0} is unknown")]
    LeaderRecovery(i8),
    #[error("configuration resource type {0} is unknown")]
    ConfigResourceType(i8),
    #[error("there is no ACL with id {0}")]
    UnknownAcl(Uuid),
    #[error("user {user} has no credential of mechanism {mechanism}")]
    UnknownScram { mechanism: i8, user: String },
    #[error("the next producer id falls from {current} to {next}")]
    ProducerIds { current: i64, next: i64 },
    #[error("a {0} cannot stand here")]
    Misplaced(&'static str),
}

/// Up to where an image reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provenance {
    /// Of the last record that is in the image; -1 for none.
    pub last_contained_offset: i64,
    pub last_contained_epoch: i32,
    /// When that record was appended.
    pub last_contained_timestamp: i64,
}

impl Default for Provenance {
    fn default() -> Self {
        Self { last_contained_offset: -1, last_contained_epoch: -1, last_contained_timestamp: -1 }
    }
}

/// The producer ids that are still free.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProducerIdsImage {
    last: Option<ProducerIdsRecord>,
}

impl ProducerIdsImage {
    /// The first id of the next block.
    pub fn next_producer_id(&self) -> i64 {
        self.last.as_ref().map_or(0, |record| record.next_producer_id)
    }

    fn replay(&mut self, record: &ProducerIdsRecord) -> Result<(), ReplayError> {
        let (current, next) = (self.next_producer_id(), record.next_producer_id);
        if self.last.is_some() && next <= current {
            return Err(ReplayError::ProducerIds { current, next });
        }
        self.last = Some(record.clone());
        Ok(())
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetadataImage {
    pub(crate) provenance: Provenance,
    pub(crate) features: Arc<FeaturesImage>,
    pub(crate) cluster: Arc<ClusterImage>,
    pub(crate) topics: Arc<TopicsImage>,
    pub(crate) configs: Arc<ConfigsImage>,
    pub(crate) client_quotas: Arc<ClientQuotasImage>,
    pub(crate) producer_ids: Arc<ProducerIdsImage>,
    pub(crate) acls: Arc<AclsImage>,
    pub(crate) scram: Arc<ScramImage>,
    pub(crate) delegation_tokens: Arc<DelegationTokensImage>,
}

impl MetadataImage {
    pub fn provenance(&self) -> Provenance {
        self.provenance
    }

    pub fn features(&self) -> &FeaturesImage {
        &self.features
    }

    pub fn cluster(&self) -> &ClusterImage {
        &self.cluster
    }

    pub fn topics(&self) -> &TopicsImage {
        &self.topics
    }

    pub fn configs(&self) -> &ConfigsImage {
        &self.configs
    }

    pub fn client_quotas(&self) -> &ClientQuotasImage {
        &self.client_quotas
    }

    pub fn producer_ids(&self) -> &ProducerIdsImage {
        &self.producer_ids
    }

    pub fn acls(&self) -> &AclsImage {
        &self.acls
    }

    pub fn scram(&self) -> &ScramImage {
        &self.scram
    }

    pub fn delegation_tokens(&self) -> &DelegationTokensImage {
        &self.delegation_tokens
    }

    /// The level at which records are written; the oldest while nothing is replayed yet.
    pub fn metadata_version(&self) -> MetadataVersion {
        self.features.metadata_version().unwrap_or(MetadataVersion::MINIMUM)
    }

    /// Whether no record that says anything was replayed yet.
    pub fn is_empty(&self) -> bool {
        self.features.metadata_version().is_none()
    }

    /// The records of a snapshot, in the order in which Kafka writes them.
    pub fn to_records(&self) -> Vec<MetadataRecord> {
        let level = self.metadata_version();
        let mut out = Vec::new();
        self.features.write(&mut out);
        self.cluster.write(level, &mut out);
        self.topics.write(level, &mut out);
        self.configs.write(&mut out);
        self.client_quotas.write(&mut out);
        out.extend(self.producer_ids.last.iter().cloned().map(MetadataRecord::from));
        self.acls.write(&mut out);
        self.scram.write(&mut out);
        self.delegation_tokens.write(&mut out);
        out
    }
}
