//! The partitions that this broker hosts, found by name, and what becomes of them when their disk
//! fails. Kafka: `ReplicaManager`, `LogDirFailureChannel`.

use std::sync::Arc;

use protocol::ErrorCode;
use replica::NotAppended;
use storage::{AppendError, Corruption, ReadError, StorageError};
use uuid::Uuid;

use super::replication_quota::ReplicationQuotas;
use crate::log_dirs::LogDirs;
use crate::metadata::metadata_cache::MetadataCache;
use crate::partitions::{AppendRefused, HostedPartition, Partitions, ReplicaContext};

/// What is hosted here, on which disks, and what all of it shares.
#[derive(Debug)]
pub(crate) struct ReplicaManager {
    pub(crate) partitions: Partitions,
    pub(crate) log_dirs: Arc<LogDirs>,
    pub(crate) quotas: ReplicationQuotas,
    pub(crate) context: Arc<ReplicaContext>,
    pub(crate) metadata: Arc<MetadataCache>,
}

impl ReplicaManager {
    /// The partition as hosted here, or why there is none.
    pub(crate) fn partition(
        &self,
        topic: &str,
        partition: i32,
    ) -> Result<Arc<HostedPartition>, ErrorCode> {
        if let Some(hosted) = self.partitions.partition(topic, partition) {
            return Ok(hosted);
        }
        if self.partitions.topic(topic).is_some_and(|topic| topic.is_offline(partition)) {
            return Err(ErrorCode::KafkaStorageError);
        }
        match self.metadata.has_partition(topic, partition) {
            true => Err(ErrorCode::NotLeaderOrFollower),
            false => Err(ErrorCode::UnknownTopicOrPartition),
        }
    }

    pub(crate) fn topic_name(&self, id: Uuid) -> Option<Arc<str>> {
        if let Some(topic) = self.partitions.topic_by_id(id) {
            return Some(Arc::clone(&topic.name));
        }
        self.metadata.image().topics().by_id(id).map(|topic| Arc::from(topic.name.as_str()))
    }

    /// A refused append may mean that the log directory failed.
    pub(crate) fn note_append_failure(&self, refused: &AppendRefused) {
        if let NotAppended::Log(AppendError::Storage(error)) = refused {
            self.note_storage_failure(error);
        }
    }

    /// A failed read may mean that the log directory failed.
    pub(crate) fn note_read_failure(&self, error: &ReadError) {
        if let ReadError::Storage(error) = error {
            self.note_storage_failure(error);
        }
    }

    /// A log directory failed, unless we only ran out of descriptors: its partitions are offline
    /// from now on, and the process ends when nothing can go on without it.
    pub(crate) fn note_storage_failure(&self, error: &StorageError) {
        if let StorageError::Corrupt(found) = error {
            self.note_damage(found);
        }
        self.log_dirs.note_failure(error);
    }

    /// A partition's log has bytes that cannot be read.
    fn note_damage(&self, found: &Corruption) {
        let name = found.log_name();
        let Some((topic, partition)) = name.rsplit_once('-') else { return };
        let partition = partition.parse().ok();
        let hosted = partition.and_then(|partition| self.partitions.partition(topic, partition));
        if let Some(hosted) = hosted.filter(|_| found.fault.is_of_records()) {
            hosted.note_damage(found);
        }
    }
}
