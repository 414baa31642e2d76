//! Replicas on their way from one of the directories to another, as far as files go: where to, the
//! copy begun, promoted or dropped, and what a run that was killed left of it.
//!
//! Kept true: a copy has the partition's name only when it is whole, on the disk, and the metadata
//! has the partition in its directory; only then the former log is renamed. So of two logs with the
//! name the one that the metadata names is whole (docs/decisions/0462).
//! Kafka: `LogManager.replaceCurrentWithFutureLog`, `LogManager.isLogDirOnline`.

use std::path::Path;
use std::sync::Arc;

use storage::{Log, LogConfig, PartitionDir, StorageError};
use uuid::Uuid;

use super::LogDirs;
use super::directory::Directory;
use super::paths::shown;
use crate::clock::wall_ms;
use crate::partitions::{FutureReplica, HostedPartition, StoredLog};

/// Why nothing moves to a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoDestination {
    /// It is none of ours.
    NotFound,
    Offline,
    /// It gets nothing new (KIP-1066).
    Cordoned,
}

impl LogDirs {
    /// The directory of this absolute path, by its number.
    pub(crate) fn destination(&self, path: &str) -> Result<(usize, Uuid), NoDestination> {
        let hosts = self.paths.iter().take(self.hosting);
        let at = hosts.map(|path| shown(path)).position(|host| host == Path::new(path));
        let at = at.ok_or(NoDestination::NotFound)?;
        let directory = self.directory(at).ok_or(NoDestination::Offline)?;
        match self.placement.lock().is_cordoned(at) {
            true => Err(NoDestination::Cordoned),
            false => Ok((at, directory.id())),
        }
    }

    pub(crate) fn are_all_online(&self) -> bool {
        self.each_host().count() == self.hosting
    }

    /// A partition that is not here yet is to begin in this directory.
    pub(crate) fn prefer(&self, topic: &str, partition: i32, at: usize) {
        self.placement.lock().prefer(topic, partition, at);
    }

    /// Begins a copy of the partition's log, or goes on with the one that was found.
    pub(crate) fn open_future(
        &self,
        partition: &HostedPartition,
        directory_id: Uuid,
        config: LogConfig,
        found: Option<&Path>,
    ) -> Result<Option<FutureReplica>, StorageError> {
        let Some(directory) = self.by_id(directory_id) else { return Ok(None) };
        let log = directory.open_future_log(partition, config, found, wall_ms())?;
        Ok(Some(FutureReplica { log: StoredLog::new(log), directory_id, is_told: false }))
    }

    /// The copy gets the partition's name.
    pub(crate) fn promote(
        &self,
        partition: &HostedPartition,
        directory_id: Uuid,
        copy: &mut Log,
    ) -> Result<(), StorageError> {
        let Some(directory) = self.by_id(directory_id) else {
            return Err(StorageError::PreviousIo { path: copy.directory() });
        };
        directory.promote(partition, copy, wall_ms())
    }

    /// The partition has moved; its former log goes.
    pub(crate) fn moved(
        &self,
        partition: &HostedPartition,
        from: Uuid,
        former: Log,
    ) -> Result<(), StorageError> {
        let to = partition.directory_id();
        if let Some((at, _)) = self.each_host().find(|(_, directory)| directory.id() == to) {
            self.placement.lock().moved(partition.topic(), partition.partition(), at);
        }
        self.retire(partition, from, former, false)
    }

    /// A copy that is none any more goes, unless its directory is offline.
    pub(crate) fn drop_future(
        &self,
        partition: &HostedPartition,
        copy: FutureReplica,
    ) -> Result<(), StorageError> {
        self.retire(partition, copy.directory_id, copy.log.log, true)
    }

    fn retire(
        &self,
        partition: &HostedPartition,
        directory: Uuid,
        log: Log,
        is_copy: bool,
    ) -> Result<(), StorageError> {
        let Some(directory) = self.by_id(directory) else { return Ok(()) };
        let retired = directory.retire(partition, log, wall_ms(), is_copy);
        retired.or_else(|error| self.outlive(error))
    }

    /// Copies that the last run did not finish, with the directories that they are in.
    pub(crate) fn unfinished_copies(&self) -> Vec<(Uuid, PartitionDir)> {
        let of = |directory: Arc<Directory>| {
            let id = directory.id();
            directory.take_futures().into_iter().map(move |found| (id, found))
        };
        self.each_host().flat_map(|(_, directory)| of(directory)).collect()
    }

    /// A copy that the last run left is of no use.
    pub(crate) fn doom(&self, directory: Uuid, copy: PartitionDir) {
        if let Some(directory) = self.by_id(directory) {
            directory.doom(copy.path, wall_ms());
        }
    }

    /// A partition has two logs: the one that is where the metadata says stays, the other is put
    /// aside; `false` where neither is.
    pub(super) fn settle_duplicate(
        &self,
        said: Uuid,
        (before, first): (usize, Option<&PartitionDir>),
        (at, found): (usize, &PartitionDir),
    ) -> Result<bool, StorageError> {
        let (first_host, host) = (self.directory(before), self.directory(at));
        let is_said = |host: &Option<Arc<Directory>>| host.as_ref().is_some_and(|h| h.id() == said);
        match (first_host, host, first) {
            (Some(loser), host, Some(first)) if is_said(&host) => {
                loser.put_duplicate_aside(first)?;
                self.placement.lock().moved(&found.topic, found.partition, at);
                Ok(true)
            }
            (first_host, Some(loser), _) if is_said(&first_host) => {
                loser.put_duplicate_aside(found)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    pub(super) fn found_twice(&self, before: usize, found: PartitionDir) -> StorageError {
        let name = format!("{}-{}", found.topic, found.partition);
        let other = self.path_shown(before).join(&name);
        let reason = format!(
            "Duplicate log directories for {name} are found in both {} and {}. It is recommended \
             to delete the partition in the log directory that is known to have failed recently.",
            found.path.display(),
            other.display(),
        );
        StorageError::Malformed { path: found.path, reason }
    }
}
