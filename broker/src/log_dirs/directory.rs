//! One log directory that is online: its lock and checkpoints, and the logs that it deletes.
//!
//! Which partitions are in it the caller says; a failure is the caller's to judge.
//! Kafka: `LogManager`, as far as it deals with one directory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::Base64Uuid;
use storage::{
    DirKind, Log, LogConfig, LogDir, LogDirOptions, OffsetEntry, PartitionDir, RetiredLog,
    StorageError,
};
use uuid::Uuid;

use crate::partitions::HostedPartition;

/// A directory to be removed when its delay is over.
#[derive(Debug)]
struct Doomed {
    log: RetiredLog,
    due_ms: i64,
    /// Whose readers may still be at work.
    _read: Option<Log>,
}

/// A partition as the metadata has it, by topic and number: its topic's id, and the
/// directory that it is said to be in.
pub(super) type Owned<'a> = HashMap<(&'a str, i32), (Uuid, Uuid)>;

#[derive(Debug)]
pub(super) struct Directory {
    dir: LogDir,
    id: Uuid,
    doomed: Mutex<Vec<Doomed>>,
    /// Copies that the last run did not finish.
    futures: Mutex<Vec<PartitionDir>>,
}

impl Directory {
    /// Locks the directory and reads what the last run left.
    pub(super) fn open(
        path: &Path,
        id: Uuid,
        options: LogDirOptions,
    ) -> Result<Self, StorageError> {
        let dir = LogDir::open(path, options)?;
        Ok(Self { dir, id, doomed: Mutex::default(), futures: Mutex::default() })
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// Whether the last run ended cleanly.
    pub(super) fn was_clean(&self) -> bool {
        self.dir.had_clean_shutdown()
    }

    pub(super) fn previous_broker_epoch(&self) -> Option<i64> {
        self.dir.previous_broker_epoch()
    }

    pub(super) fn high_watermark(&self, topic: &str, partition: i32) -> i64 {
        self.dir.high_watermark(topic, partition)
    }

    /// Whether there is a log of the partition, perhaps one that was only begun.
    pub(super) fn holds(&self, topic: &str, partition: i32) -> bool {
        self.dir.path().join(format!("{topic}-{partition}")).exists()
    }

    /// Opens or begins the log of a partition; `draw` is any number.
    pub(super) fn open_log(
        &self,
        topic: &str,
        partition: i32,
        topic_id: Uuid,
        config: LogConfig,
        now_ms: i64,
        draw: u64,
    ) -> Result<Log, StorageError> {
        self.dir.open_log(topic, partition, Some(topic_id), config, now_ms, draw)
    }

    /// The partitions that are here. Renames the directories that belong to none of the image, and
    /// goes on with the deletions that the last run did not finish. Kafka:
    /// `LogManager.isStrayReplica`.
    pub(super) fn put_strays_aside(
        &self,
        owned: &Owned<'_>,
        now_ms: i64,
    ) -> Result<Vec<PartitionDir>, StorageError> {
        let mut kept = Vec::new();
        for found in self.dir.partitions()? {
            match found.kind {
                DirKind::Live => {
                    // A directory without an id was begun by a run that did not get further.
                    let id = found.topic_id.unwrap_or(Uuid::nil());
                    let owner = owned.get(&(found.topic.as_str(), found.partition));
                    if owner.is_some_and(|(known, _)| id.is_nil() || *known == id) {
                        kept.push(found);
                        continue;
                    }
                    let aside = self.dir.set_dir_stray(&found, unique())?;
                    tracing::warn!(
                        target: "kafka.log.LogManager",
                        "Found stray log dir {}: no partition of the cluster owns it. \
                         Renamed to {}",
                        found.path.display(), aside.path().display(),
                    );
                }
                DirKind::Deleted => {
                    let log = self.dir.retired(found.path);
                    self.doomed.lock().push(Doomed { log, due_ms: now_ms, _read: None });
                }
                DirKind::Future => self.futures.lock().push(found),
                DirKind::Stray => {}
            }
        }
        Ok(kept)
    }

    /// Renames a partition's directory; it is removed when file.delete.delay.ms is over.
    pub(super) fn delete(
        &self,
        partition: &HostedPartition,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let (log, delay_ms) = partition.with_replica_here(|replica| {
            let log = &replica.log().log;
            let retired = self.dir.retire(log, unique())?;
            Ok::<_, StorageError>((retired, log.config().file_delete_delay_ms))
        })?;
        tracing::info!(
            target: "kafka.log.LogManager",
            "Log for partition {}-{} is renamed to {} and is scheduled for deletion",
            partition.topic(), partition.partition(), log.path().display(),
        );
        let due_ms = now_ms.saturating_add(delay_ms);
        self.doomed.lock().push(Doomed { log, due_ms, _read: None });
        Ok(())
    }

    /// Renames a damaged partition's directory to a stray one, as stock Kafka knows them and leaves
    /// them alone.
    pub(super) fn put_damaged_aside(
        &self,
        partition: &HostedPartition,
    ) -> Result<(), StorageError> {
        let aside = partition
            .with_replica_here(|replica| self.dir.set_stray(&replica.log().log, unique()))?;
        tracing::warn!(
            target: "kafka.log.LogManager",
            "The damaged log of partition {}-{} is kept as {} and begun anew from the leader",
            partition.topic(), partition.partition(), aside.path().display(),
        );
        Ok(())
    }

    /// Copies that the last run did not finish; only the first who asks gets them.
    pub(super) fn take_futures(&self) -> Vec<PartitionDir> {
        std::mem::take(&mut self.futures.lock())
    }

    /// Opens a copy of a partition's log, or begins one.
    pub(super) fn open_future_log(
        &self,
        partition: &HostedPartition,
        config: LogConfig,
        found: Option<&Path>,
        now_ms: i64,
    ) -> Result<Log, StorageError> {
        let name = (&**partition.topic(), partition.partition());
        self.dir.open_future_log(name, partition.topic_id(), config, now_ms, (found, unique()))
    }

    /// The copy gets the partition's name.
    pub(super) fn promote(
        &self,
        partition: &HostedPartition,
        copy: &mut Log,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        self.dir.promote(copy, (&**partition.topic(), partition.partition()), now_ms)
    }

    /// Renames a log that a copy has replaced, or a copy that is none any more; it is removed when
    /// the delay is over, or at once.
    pub(super) fn retire(
        &self,
        partition: &HostedPartition,
        log: Log,
        now_ms: i64,
        is_copy: bool,
    ) -> Result<(), StorageError> {
        let name = (&**partition.topic(), partition.partition());
        let retired = self.dir.retire_future(&log, name, unique())?;
        let delay_ms = if is_copy { 0 } else { log.config().file_delete_delay_ms };
        let due_ms = now_ms.saturating_add(delay_ms);
        self.doomed.lock().push(Doomed { log: retired, due_ms, _read: Some(log) });
        Ok(())
    }

    /// Renames what is one log too many of a partition, for its owner to look at.
    pub(super) fn put_duplicate_aside(&self, found: &PartitionDir) -> Result<(), StorageError> {
        let aside = self.dir.set_dir_stray(found, unique())?;
        tracing::warn!(
            target: "kafka.log.LogManager",
            "{} is another log of the same partition, which the metadata has in another log \
             directory. Renamed to {}",
            found.path.display(), aside.path().display(),
        );
        Ok(())
    }

    /// A directory that nobody needs is removed with the next deletions.
    pub(super) fn doom(&self, path: PathBuf, now_ms: i64) {
        let log = self.dir.retired(path);
        self.doomed.lock().push(Doomed { log, due_ms: now_ms, _read: None });
    }

    /// Removes the directories whose delay is over. One that cannot be removed is tried again by
    /// the next call, and holds up no other.
    pub(super) fn remove_deleted(&self, now_ms: i64) -> Result<(), StorageError> {
        let due: Vec<Doomed> =
            self.doomed.lock().extract_if(.., |doomed| doomed.due_ms <= now_ms).collect();
        let mut done = Ok(());
        for doomed in due {
            if let Err(error) = doomed.log.remove() {
                self.doomed.lock().push(doomed);
                done = done.and(Err(error));
                continue;
            }
            let path = doomed.log.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // `topic-0.id-delete`, the topic perhaps cut.
            let partition = name.rsplit_once('.').map_or(&*name, |(partition, _)| partition);
            tracing::info!(
                target: "kafka.log.LogManager",
                "Deleted log for partition {partition} in {}.", path.display(),
            );
        }
        done
    }

    pub(super) fn checkpoint_recovery_points(
        &self,
        partitions: &[Arc<HostedPartition>],
    ) -> Result<(), StorageError> {
        self.dir.write_recovery_points(&entries(partitions, |partition| {
            partition.with_replica_here(|replica| replica.log().log.recovery_point())
        }))
    }

    pub(super) fn checkpoint_log_starts(
        &self,
        partitions: &[Arc<HostedPartition>],
    ) -> Result<(), StorageError> {
        let raised: Vec<Arc<HostedPartition>> = partitions
            .iter()
            .filter(|partition| {
                let start = partition.published().log_start_offset();
                partition.with_replica_here(|replica| {
                    replica.log().log.segment_offsets().first().is_some_and(|base| *base < start)
                })
            })
            .cloned()
            .collect();
        self.dir.write_log_starts(&entries(&raised, |p| p.published().log_start_offset()))
    }

    pub(super) fn checkpoint_high_watermarks(
        &self,
        partitions: &[Arc<HostedPartition>],
    ) -> Result<(), StorageError> {
        self.dir.write_high_watermarks(&entries(partitions, |p| p.published().high_watermark()))
    }

    /// Closes every log and writes the checkpoints; [`Self::mark_clean`] comes after the quorum's.
    pub(super) fn close(
        &self,
        partitions: &[Arc<HostedPartition>],
        now_ms: i64,
    ) -> Result<(), StorageError> {
        for partition in partitions {
            partition.with_replica_here(|replica| replica.log_mut().log.finish())?;
        }
        self.dir.sync()?;
        for partition in partitions {
            partition.with_replica_here(|replica| replica.log_mut().log.synced(now_ms));
        }
        self.checkpoint_recovery_points(partitions)?;
        self.checkpoint_log_starts(partitions)?;
        self.checkpoint_high_watermarks(partitions)
    }

    /// Says that everything in the directory was closed under this broker epoch.
    pub(super) fn mark_clean(&self, broker_epoch: i64) -> Result<(), StorageError> {
        self.dir.mark_clean_shutdown(broker_epoch)
    }
}

fn unique() -> Uuid {
    Base64Uuid::random(Uuid::new_v4).0
}

fn entries(
    partitions: &[Arc<HostedPartition>],
    offset: impl Fn(&HostedPartition) -> i64,
) -> Vec<OffsetEntry> {
    let entry = |partition: &Arc<HostedPartition>| OffsetEntry {
        topic: partition.topic().to_string(),
        partition: partition.partition(),
        offset: offset(partition),
    };
    partitions.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use storage::{Disk, DiskOp, Faults, LogDirOptions, OpenFiles, Verdict};

    use super::*;

    const ENOMEM: i32 = 12;

    /// Has no memory to remove the first directory that it is asked to.
    #[derive(Debug, Default)]
    struct ShortOnce(AtomicBool);

    impl Faults for ShortOnce {
        fn before(&self, operation: DiskOp, _: &Path) -> Verdict {
            if operation == DiskOp::Remove && !self.0.swap(true, Ordering::Relaxed) {
                return Verdict::Fail(std::io::Error::from_raw_os_error(ENOMEM));
            }
            Verdict::Proceed
        }
    }

    #[test]
    fn a_directory_that_cannot_be_removed_is_tried_again_and_holds_up_no_other() {
        let home = tempfile::tempdir().unwrap();
        let faults = Arc::new(ShortOnce(AtomicBool::new(true)));
        let options = LogDirOptions {
            producer_expiration_ms: 1000,
            disk: Disk::with_faults(Arc::clone(&faults) as Arc<dyn Faults>),
            open_files: Arc::new(OpenFiles::new(10)),
        };
        let directory = Directory::open(home.path(), Uuid::from_u128(1000), options).unwrap();
        let paths: Vec<PathBuf> =
            [1, 2, 3].map(|number| home.path().join(format!("t-{number}.0-delete"))).into();
        for (path, due_ms) in paths.iter().zip([10, 10, 20]) {
            std::fs::create_dir(path).unwrap();
            let log = directory.dir.retired(path.clone());
            directory.doomed.lock().push(Doomed { log, due_ms, _read: None });
        }
        faults.0.store(false, Ordering::Relaxed);
        let there = || paths.iter().map(|path| path.exists()).collect::<Vec<_>>();
        assert!(directory.remove_deleted(10).is_err());
        assert_eq!(there(), [true, false, true]);
        directory.remove_deleted(10).unwrap();
        assert_eq!(there(), [false, false, true]);
        directory.remove_deleted(20).unwrap();
        assert_eq!(there(), [false, false, false]);
    }
}
