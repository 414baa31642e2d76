//! The share partitions of this broker by group and partition, and the sessions of their members.
//! Kafka: `SharePartitionManager`, `SharePartitionCache`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::wire::StrBytes;
use raft::image::MetadataImage;
use replica::share::{SharePartitionId, ShareSessions, ShareSessionsLimits};
use storage::StorageError;

use super::group_settings::GroupSettings;
use super::hosted_share_partition::{HostedSharePartition, Key};
use super::state_persister::StatePersister;
use crate::coordinators::share::serves_share_groups;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::partitions::HostedPartition;
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

    /// The share partition of a group, and whether it is new.
    pub(super) fn find_or_add(
        &self,
        group: &StrBytes,
        id: SharePartitionId,
        topic: &Arc<str>,
    ) -> Result<(Arc<HostedSharePartition>, bool), ApiError> {
        let key = Key { group: group.clone(), id };
        if let Some(known) = self.hosted.lock().get(&key) {
            return Ok((Arc::clone(known), false));
        }
        let partition = self.led(id, topic)?;
        let leader_epoch = partition.published().leader_epoch();
        let topic = Arc::clone(topic);
        let fresh = HostedSharePartition::new(key.clone(), topic, partition, leader_epoch);
        match self.hosted.lock().entry(key) {
            // Another fetch was quicker.
            Entry::Occupied(known) => Ok((Arc::clone(known.get()), false)),
            Entry::Vacant(place) => Ok((Arc::clone(place.insert(Arc::new(fresh))), true)),
        }
    }

    /// The partition, if it is led here.
    fn led(
        &self,
        id: SharePartitionId,
        topic: &Arc<str>,
    ) -> Result<Arc<HostedPartition>, ApiError> {
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
        match partition.published().leads() {
            true => Ok(partition),
            false => Err(ErrorCode::NotLeaderOrFollower.into()),
        }
    }

    /// The metadata changed: what this broker does not lead any more is dropped.
    pub(crate) fn apply(&self, image: &MetadataImage) {
        let node_id = self.config.node_id();
        let is_served = serves_share_groups(image);
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

    pub(super) fn drop_where(&self, is_gone: impl Fn(&HostedSharePartition) -> bool) {
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

    pub(super) fn find(
        &self,
        group: &StrBytes,
        id: SharePartitionId,
    ) -> Option<Arc<HostedSharePartition>> {
        self.hosted.lock().get(&Key { group: group.clone(), id }).cloned()
    }

    /// How many share partitions are here.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.hosted.lock().len()
    }
}
