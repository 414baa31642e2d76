//! The metadata as the shell shows it: the replay of the records of a file.
//!
//! Kept true: what a record of 4.3.1 says is kept, whatever the levels of features. `raft`'s image
//! refuses levels that it does not know, as a node must; a tool that shows a file of a newer
//! cluster must not, and so has maps of its own.
//!
//! Answers to `MetadataImage` and the deltas of org.apache.kafka.image.

use std::collections::BTreeMap;

use config::keys::Table;
use protocol::record_json::Json;

use super::fields::Fields;
use super::partition::Partition;

const METADATA_VERSION: &str = "metadata.version";
/// Ruled by the quorum's own control records.
const KRAFT_VERSION: &str = "kraft.version";

/// Settings of groups that came after those of `config`'s table.
const NEWER_GROUP_KEYS: &[&str] = &[
    "consumer.assignment.interval.ms",
    "share.assignment.interval.ms",
    "share.delivery.count.limit",
    "share.partition.max.record.locks",
    "share.renew.acknowledge.enable",
    "streams.assignment.interval.ms",
    "streams.initial.rebalance.delay.ms",
];

/// Type and name of what a quota belongs to, by type; `None` for the default of a type.
pub(super) type Entity = BTreeMap<String, Option<String>>;

/// Why a record cannot be applied.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReplayError {
    #[error("broker {0} is not registered")]
    UnknownBroker(i64),
    #[error("broker {id} has epoch {registered}, and the record names {epoch}")]
    BrokerEpoch { id: i64, registered: i64, epoch: i64 },
    #[error("there is no topic with id {0}")]
    UnknownTopic(String),
    #[error("there is no topic {0}")]
    UnknownTopicName(String),
    #[error("topic {topic} has no partition {partition}")]
    UnknownPartition { topic: String, partition: i64 },
    #[error("level {0} of metadata.version is unknown")]
    MetadataVersion(i64),
    #[error("a {0} is not known")]
    UnknownRecord(String),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) partitions: BTreeMap<i64, Partition>,
}

/// Up to where an image reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Provenance {
    pub(super) offset: i64,
    pub(super) epoch: i32,
    pub(super) time_ms: i64,
}

#[derive(Debug, Clone)]
pub(super) struct ShellImage {
    pub(super) provenance: Provenance,
    /// The registrations, with what changed since.
    pub(super) brokers: BTreeMap<i64, Json>,
    pub(super) controllers: BTreeMap<i64, Json>,
    /// By id.
    pub(super) topics: BTreeMap<String, Topic>,
    pub(super) topic_ids: BTreeMap<String, String>,
    /// By the type's number and the name.
    pub(super) configs: BTreeMap<(i64, String), BTreeMap<String, String>>,
    pub(super) quotas: BTreeMap<Entity, BTreeMap<String, f64>>,
    pub(super) next_producer_id: i64,
    pub(super) acls: BTreeMap<String, Json>,
    /// By the mechanism's number and the user.
    pub(super) scram: BTreeMap<(i64, String), Json>,
    pub(super) tokens: BTreeMap<String, Json>,
    pub(super) metadata_version: Option<i64>,
    pub(super) features: BTreeMap<String, i64>,
}

impl Default for ShellImage {
    fn default() -> Self {
        Self {
            provenance: Provenance { offset: -1, epoch: -1, time_ms: -1 },
            brokers: BTreeMap::new(),
            controllers: BTreeMap::new(),
            topics: BTreeMap::new(),
            topic_ids: BTreeMap::new(),
            configs: BTreeMap::new(),
            quotas: BTreeMap::new(),
            next_producer_id: -1,
            acls: BTreeMap::new(),
            scram: BTreeMap::new(),
            tokens: BTreeMap::new(),
            metadata_version: None,
            features: BTreeMap::new(),
        }
    }
}

impl ShellImage {
    /// Applies a record: its type's constant, and what it holds.
    pub(super) fn replay(&mut self, kind: &str, record: Json) -> Result<(), ReplayError> {
        match kind {
            "REGISTER_BROKER_RECORD"
            | "UNREGISTER_BROKER_RECORD"
            | "FENCE_BROKER_RECORD"
            | "UNFENCE_BROKER_RECORD"
            | "BROKER_REGISTRATION_CHANGE_RECORD"
            | "REGISTER_CONTROLLER_RECORD" => self.replay_node(kind, record),
            "TOPIC_RECORD"
            | "PARTITION_RECORD"
            | "PARTITION_CHANGE_RECORD"
            | "REMOVE_TOPIC_RECORD"
            | "CLEAR_ELR_RECORD" => self.replay_topic(kind, &record),
            "CONFIG_RECORD" => {
                self.replay_config(&record);
                Ok(())
            }
            "FEATURE_LEVEL_RECORD" => self.replay_feature(&record),
            "PRODUCER_IDS_RECORD" => {
                self.next_producer_id = record.int("nextProducerId");
                Ok(())
            }
            "CLIENT_QUOTA_RECORD" => {
                self.replay_quota(&record);
                Ok(())
            }
            // Neither says anything that is shown.
            "NO_OP_RECORD" | "ZK_MIGRATION_STATE_RECORD" => Ok(()),
            _ => self.replay_security(kind, record),
        }
    }

    fn replay_node(&mut self, kind: &str, record: Json) -> Result<(), ReplayError> {
        match kind {
            "REGISTER_BROKER_RECORD" => {
                self.brokers.insert(record.int("brokerId"), record);
            }
            "REGISTER_CONTROLLER_RECORD" => {
                self.controllers.insert(record.int("controllerId"), record);
            }
            "UNREGISTER_BROKER_RECORD" => {
                self.brokers.remove(&record.int("brokerId"));
            }
            "FENCE_BROKER_RECORD" | "UNFENCE_BROKER_RECORD" => {
                let broker = self.registered(record.int("id"), record.int("epoch"))?;
                broker.set("fenced", Json::Bool(kind == "FENCE_BROKER_RECORD"));
            }
            _ => {
                let (id, epoch) = (record.int("brokerId"), record.int("brokerEpoch"));
                let broker = self.registered(id, epoch)?;
                match record.int("fenced") {
                    -1 => broker.set("fenced", Json::Bool(false)),
                    1 => broker.set("fenced", Json::Bool(true)),
                    _ => {}
                }
                if record.int("inControlledShutdown") == 1 {
                    broker.set("inControlledShutdown", Json::Bool(true));
                }
                let directories = record.field("logDirs").filter(|dirs| !is_empty(dirs));
                if let Some(directories) = directories {
                    broker.set("logDirs", directories.clone());
                }
                let cordoned = record.field("cordonedLogDirs").filter(|dirs| **dirs != Json::Null);
                if let Some(cordoned) = cordoned {
                    broker.set("cordonedLogDirs", cordoned.clone());
                }
            }
        }
        Ok(())
    }

    fn registered(&mut self, id: i64, epoch: i64) -> Result<&mut Json, ReplayError> {
        let broker = self.brokers.get_mut(&id).ok_or(ReplayError::UnknownBroker(id))?;
        match broker.int("brokerEpoch") {
            registered if registered == epoch => Ok(broker),
            registered => Err(ReplayError::BrokerEpoch { id, registered, epoch }),
        }
    }

    fn replay_topic(&mut self, kind: &str, record: &Json) -> Result<(), ReplayError> {
        let (id, partition) = (record.text("topicId"), record.int("partitionId"));
        match kind {
            "TOPIC_RECORD" => {
                let name = record.text("name");
                self.topic_ids.insert(name.clone(), id.clone());
                self.topics.insert(id, Topic { name, ..Topic::default() });
            }
            "PARTITION_RECORD" => {
                self.topic(&id)?.partitions.insert(partition, Partition::new(record));
            }
            "PARTITION_CHANGE_RECORD" => {
                let known = self.topic(&id)?.partitions.get_mut(&partition);
                let unknown = ReplayError::UnknownPartition { topic: id, partition };
                known.ok_or(unknown)?.merge(record);
            }
            "REMOVE_TOPIC_RECORD" => {
                let removed = self.topics.remove(&id).ok_or(ReplayError::UnknownTopic(id))?;
                self.topic_ids.remove(&removed.name);
                self.configs.remove(&(TOPIC, removed.name));
            }
            _ => return self.clear_elr(&record.text("topicName")),
        }
        Ok(())
    }

    fn topic(&mut self, id: &str) -> Result<&mut Topic, ReplayError> {
        self.topics.get_mut(id).ok_or_else(|| ReplayError::UnknownTopic(id.to_owned()))
    }

    /// Of one topic, or of all where no name is given.
    fn clear_elr(&mut self, name: &str) -> Result<(), ReplayError> {
        if !name.is_empty() && !self.topic_ids.contains_key(name) {
            return Err(ReplayError::UnknownTopicName(name.to_owned()));
        }
        let topics = self.topics.values_mut();
        let cleared = topics.filter(|topic| name.is_empty() || topic.name == name);
        cleared.flat_map(|topic| topic.partitions.values_mut()).for_each(Partition::clear_elr);
        Ok(())
    }

    /// Settings that 4.3.1 does not know are passed over.
    fn replay_config(&mut self, record: &Json) {
        let (kind, name) = (record.int("resourceType"), record.text("name"));
        if !is_supported(kind, &name) {
            return;
        }
        let resource = (kind, record.text("resourceName"));
        let values = self.configs.entry(resource.clone()).or_default();
        match record.field("value") {
            Some(Json::Text(value)) => {
                values.insert(name, value.clone());
            }
            _ => {
                values.remove(&name);
            }
        }
        if values.is_empty() {
            self.configs.remove(&resource);
        }
    }

    fn replay_feature(&mut self, record: &Json) -> Result<(), ReplayError> {
        let (name, level) = (record.text("name"), record.int("featureLevel"));
        match name.as_str() {
            METADATA_VERSION => {
                super::texts::metadata_version(level).ok_or(ReplayError::MetadataVersion(level))?;
                self.metadata_version = Some(level);
            }
            KRAFT_VERSION => {}
            _ if level == 0 => {
                self.features.remove(&name);
            }
            _ => {
                self.features.insert(name, level);
            }
        }
        Ok(())
    }

    fn replay_quota(&mut self, record: &Json) {
        let parts = record.items("entity");
        let entity: Entity = parts
            .iter()
            .map(|part| (part.text("entityType"), part.nullable_text("entityName")))
            .collect();
        let values = self.quotas.entry(entity.clone()).or_default();
        if record.bool("remove") {
            values.remove(&record.text("key"));
        } else {
            values.insert(record.text("key"), record.double("value"));
        }
        if values.is_empty() {
            self.quotas.remove(&entity);
        }
    }

    fn replay_security(&mut self, kind: &str, record: Json) -> Result<(), ReplayError> {
        let credential = || (record.int("mechanism"), record.text("name"));
        match kind {
            "ACCESS_CONTROL_ENTRY_RECORD" => {
                self.acls.insert(record.text("id"), record);
            }
            "REMOVE_ACCESS_CONTROL_ENTRY_RECORD" => {
                self.acls.remove(&record.text("id"));
            }
            "USER_SCRAM_CREDENTIAL_RECORD" => {
                self.scram.insert(credential(), record);
            }
            "REMOVE_USER_SCRAM_CREDENTIAL_RECORD" => {
                self.scram.remove(&credential());
            }
            "DELEGATION_TOKEN_RECORD" => {
                self.tokens.insert(record.text("tokenId"), record);
            }
            "REMOVE_DELEGATION_TOKEN_RECORD" => {
                self.tokens.remove(&record.text("tokenId"));
            }
            other => return Err(ReplayError::UnknownRecord(other.to_owned())),
        }
        Ok(())
    }
}

const TOPIC: i64 = 2;

fn is_supported(kind: i64, name: &str) -> bool {
    match kind {
        TOPIC => Table::Topic.key(name).is_some(),
        4 => true,
        16 => Table::ClientMetrics.key(name).is_some(),
        32 => Table::Group.key(name).is_some() || NEWER_GROUP_KEYS.contains(&name),
        _ => false,
    }
}

fn is_empty(value: &Json) -> bool {
    matches!(value, Json::Null) || matches!(value, Json::Array(items) if items.is_empty())
}
