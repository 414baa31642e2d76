//! The share partitions of this broker by group and partition, and the sessions of their members.
//! Kafka: `SharePartitionManager`, `SharePartitionCache`, `ShareGroupListenerImpl`.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::wire::StrBytes;
use raft::feature::SHARE_VERSION;
use raft::image::MetadataImage;
use replica::share::{
    AcknowledgeError, AcknowledgementBatch, SharePartitionId, ShareSessionKey, ShareSessions,
    ShareSessionsLimits,
};
use storage::StorageError;

use super::group_settings::GroupSettings;
use super::hosted_share_partition::{HostedSharePartition, Key, Persisted};
use super::loading::load;
use super::persisting::persist;
use super::state_persister::StatePersister;
use crate::clock::monotonic_ms;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::replication::replica_manager::ReplicaManager;
use crate::requests::api_error::{ApiError, worded};

/// What share groups have here.
#[derive(Debug)]
pub(crate) struct SharePartitions {
    config: Arc<DynamicBrokerConfig>,
    metadata: Arc<MetadataCache>,
    replicas: Arc<ReplicaManager>,
    persister: Arc<dyn StatePersister>,
    sessions: Mutex<ShareSessions>,
    hosted: Mutex<HashMap<Key, Arc<HostedSharePartition>>>,
}

/// What a member said of one partition's records, until it counts.
#[derive(Debug)]
pub(crate) enum Acknowledging {
    Ended(Result<(), ApiError>),
    Waits(Persisted),
}

impl Acknowledging {
    pub(crate) async fn outcome(self) -> Result<(), ApiError> {
        match self {
            Self::Ended(outcome) => outcome,
            // Who was to answer is gone with the share partition.
            Self::Waits(persisted) => {
                persisted.await.unwrap_or_else(|_| Err(ErrorCode::NotLeaderOrFollower.into()))
            }
        }
    }
}

impl SharePartitions {
    pub(crate) fn new(
        config: Arc<DynamicBrokerConfig>,
        metadata: Arc<MetadataCache>,
        replicas: Arc<ReplicaManager>,
        persister: Arc<dyn StatePersister>,
    ) -> Arc<Self> {
        let most = config.current().group_share_max_share_sessions;
        let most = usize::try_from(most).unwrap_or(0);
        let sessions = Mutex::new(ShareSessions::new(ShareSessionsLimits { sessions: most }));
        Arc::new(Self { config, metadata, replicas, persister, sessions, hosted: Mutex::default() })
    }

    /// Whether the cluster's features let share groups be.
    pub(crate) fn serves_share_groups(image: &MetadataImage) -> bool {
        image.features().level(SHARE_VERSION) >= 1
    }

    pub(crate) fn settings(&self, group: &str) -> GroupSettings {
        GroupSettings::of(&self.config.current(), &self.metadata.image(), group)
    }

    pub(crate) fn sessions(&self) -> &Mutex<ShareSessions> {
        &self.sessions
    }

    pub(super) fn persister(&self) -> &dyn StatePersister {
        &*self.persister
    }

    pub(super) fn replicas(&self) -> &Arc<ReplicaManager> {
        &self.replicas
    }

    pub(super) fn note_storage_failure(&self, error: &StorageError) {
        self.replicas.note_storage_failure(error);
    }

    /// The share partition of a group; one that is new begins to read its state. To be called on
    /// the runtime.
    pub(super) fn get_or_load(
        self: &Arc<Self>,
        group: &StrBytes,
        id: SharePartitionId,
        topic: &Arc<str>,
    ) -> Result<Arc<HostedSharePartition>, ApiError> {
        let key = Key { group: group.clone(), id };
        if let Some(known) = self.hosted.lock().get(&key) {
            return Ok(Arc::clone(known));
        }
        let partition = self.replicas.partition(topic, id.partition).map_err(|code| {
            let which = format!("{topic}-{}", id.partition);
            let words = match code {
                ErrorCode::KafkaStorageError => {
                    format!("Partition {which} is in an offline log directory")
                }
                _ => format!("Error while fetching partition state for {which}"),
            };
            ApiError::new(code, words)
        })?;
        if partition.topic_id() != id.topic_id {
            return Err(worded(ErrorCode::UnknownTopicId));
        }
        if !partition.published().leads() {
            return Err(ErrorCode::NotLeaderOrFollower.into());
        }
        let leader_epoch = partition.published().leader_epoch();
        let topic = Arc::clone(topic);
        let fresh = HostedSharePartition::new(key.clone(), topic, partition, leader_epoch);
        let fresh = Arc::new(fresh);
        let mut hosted = self.hosted.lock();
        let entry = hosted.entry(key).or_insert_with(|| Arc::clone(&fresh));
        if !Arc::ptr_eq(entry, &fresh) {
            return Ok(Arc::clone(entry));
        }
        drop(hosted);
        tokio::spawn(load(Arc::clone(self), Arc::clone(&fresh)));
        Ok(fresh)
    }

    /// Takes what a member says of a partition's records. To be called on the runtime.
    pub(crate) fn acknowledge(
        self: &Arc<Self>,
        group: &StrBytes,
        member: &str,
        id: SharePartitionId,
        batches: &[AcknowledgementBatch],
    ) -> Acknowledging {
        let unknown = || Acknowledging::Ended(Err(worded(ErrorCode::UnknownTopicOrPartition)));
        let Some(hosted) = self.find(group, id) else { return unknown() };
        let limits = self.settings(group).limits;
        let now_ms = monotonic_ms();
        let begun =
            hosted.begin(|partition| partition.acknowledge(member, batches, &limits, now_ms));
        persist(self, &hosted);
        match begun {
            None => unknown(),
            Some(Ok(Some(persisted))) => Acknowledging::Waits(persisted),
            Some(Ok(None)) => Acknowledging::Ended(Ok(())),
            Some(Err(refused)) => Acknowledging::Ended(Err(of_acknowledgement(refused))),
        }
    }

    /// A member's session ends, and what it has acquired is available again. `false` if it has no
    /// session.
    pub(crate) fn end_session(self: &Arc<Self>, key: &ShareSessionKey) -> bool {
        let Some(partitions) = self.sessions.lock().end(key) else { return false };
        let group = StrBytes::from_string(key.group.to_string());
        let limits = self.settings(&group).limits;
        for id in partitions {
            let Some(hosted) = self.find(&group, id) else { continue };
            let release = |partition: &mut replica::share::SharePartition| {
                partition.release(&key.member, &limits)
            };
            if hosted.with(release).is_some() {
                persist(self, &hosted);
                hosted.waiting_fetches().wake();
            }
        }
        true
    }

    /// A connection is gone, and with it the session that was opened over it.
    pub(crate) fn connection_closed(self: &Arc<Self>, connection_id: u64) {
        let gone = self.sessions.lock().disconnected(connection_id);
        if let Some(key) = gone {
            self.end_session(&key);
        }
        let emptied = self.sessions.lock().emptied(connection_id);
        if let Some(group) = emptied {
            self.drop_where(|hosted| *hosted.key.group == *group);
        }
    }

    /// The metadata changed: what this broker does not lead any more is dropped.
    pub(crate) fn apply(&self, image: &MetadataImage) {
        let node_id = self.config.node_id();
        let is_served = Self::serves_share_groups(image);
        if !is_served {
            self.sessions.lock().clear();
        }
        self.drop_where(|hosted| {
            let id = hosted.key.id;
            let found = image.topics().partition(id.topic_id, id.partition);
            !is_served || found.is_none_or(|found| found.leader != node_id)
        });
    }

    /// The persister says that it is not the one that counts.
    pub(super) fn drop_fenced(&self, hosted: &Arc<HostedSharePartition>) {
        tracing::info!(
            target: "kafka.server.share.SharePartitionManager",
            "The share partition {}-{}-{} is fenced",
            hosted.key.group, hosted.topic, hosted.key.id.partition,
        );
        self.drop_failed(hosted);
    }

    /// It is asked for no more; the next fetch begins with another.
    pub(super) fn drop_failed(&self, gone: &Arc<HostedSharePartition>) {
        self.drop_where(|hosted| std::ptr::eq(hosted, &**gone));
    }

    fn drop_where(&self, is_gone: impl Fn(&HostedSharePartition) -> bool) {
        let mut gone = Vec::new();
        self.hosted.lock().retain(|_, hosted| {
            let goes = is_gone(hosted);
            if goes {
                gone.push(Arc::clone(hosted));
            }
            !goes
        });
        gone.iter().for_each(|hosted| hosted.fence());
    }

    fn find(&self, group: &StrBytes, id: SharePartitionId) -> Option<Arc<HostedSharePartition>> {
        self.hosted.lock().get(&Key { group: group.clone(), id }).cloned()
    }

    /// How many share partitions are here.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.hosted.lock().len()
    }
}

fn of_acknowledgement(refused: AcknowledgeError) -> ApiError {
    let code = match refused.is_invalid_request() {
        true => ErrorCode::InvalidRequest,
        false => ErrorCode::InvalidRecordState,
    };
    ApiError::new(code, refused.to_string())
}
