//! The log directory of this node: which logs are in it, how they are opened, checkpointed, deleted
//! and closed, and what its failure means.
//!
//! There is one for now, so its failure ends the process (Kafka does so when the last one fails):
//! what was acknowledged is in the kernel's hands, and nothing is acknowledged that is not.
//! Kafka: `LogManager`, `LogDirFailureChannel`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cli::{MetaProperties, MetaPropertiesError};
use config::BrokerConfig;
use parking_lot::Mutex;
use storage::{
    DirKind, Disk, LogDir, LogDirOptions, OffsetEntry, OpenFiles, RetiredLog, StorageError,
};
use uuid::Uuid;

use crate::partitions::{HostedPartition, ReplicaSettings, StoredLog, Surroundings};

/// Segments kept open at once on a machine whose limits are not known, and the most on any.
const OPEN_FILES_MAX: u64 = 20_000;
/// What tells two draws apart: the golden ratio's bits, so that they spread.
const DRAW_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// What ends a start before anything was touched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogDirError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(
        "No `meta.properties` found in {} (have you run `kafka-storage.sh` to format the \
         directory?)", .0.display()
    )]
    NotFormatted(PathBuf),
    #[error("Cannot use meta.properties in {}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error(
        "Stored node id {found} doesn't match previous node id {expected} in {}: the directory \
         belongs to another node", path.display()
    )]
    OtherNode { path: PathBuf, found: i32, expected: i32 },
    #[error("log.dirs names no directory")]
    NoDirectory,
    #[error(
        "log.dirs names {0} directories; this version keeps its logs in one: name a single one"
    )]
    SeveralDirectories(usize),
}

/// A directory to be removed when its delay is over.
#[derive(Debug)]
struct Doomed {
    log: RetiredLog,
    due_ms: i64,
}

/// The directory and what it remembers of its logs from the last run.
#[derive(Debug)]
pub(crate) struct HostedLogDir {
    dir: LogDir,
    cluster_id: String,
    directory_id: Uuid,
    disk: Disk,
    open_files: Arc<OpenFiles>,
    draws: AtomicU64,
    doomed: Mutex<Vec<Doomed>>,
    /// metadata.log.dir with its id, where that is another one.
    metadata: Option<(LogDir, Uuid)>,
}

impl HostedLogDir {
    /// Locks the directory and reads what the last run left.
    pub(crate) fn open(config: &BrokerConfig, now_ms: i64) -> Result<Self, LogDirError> {
        let of_metadata = PathBuf::from(&config.metadata_log_dir);
        let path = match &config.log_dirs[..] {
            // A controller alone has no other logs.
            _ if !config.process_roles.broker => of_metadata.clone(),
            [] => return Err(LogDirError::NoDirectory),
            [one] => PathBuf::from(one),
            several => return Err(LogDirError::SeveralDirectories(several.len())),
        };
        let (cluster_id, directory_id) = identity(config, &path, now_ms)?;
        let disk = Disk::default();
        let open_files = Arc::new(OpenFiles::new(open_files_max()));
        let options = LogDirOptions {
            producer_expiration_ms: i64::from(config.producer_id_expiration_ms),
            // Transactions are refused before they reach a log.
            verify_transactions: false,
            disk: disk.clone(),
            open_files: Arc::clone(&open_files),
        };
        let dir = LogDir::open(&path, options.clone())?;
        let metadata = if of_metadata == path {
            None
        } else {
            let (found, id) = identity(config, &of_metadata, now_ms)?;
            if found != cluster_id {
                let path = of_metadata;
                let reason = format!("it is of cluster {found}, {cluster_id} is in log.dirs");
                return Err(LogDirError::Unreadable { path, reason });
            }
            Some((LogDir::open(&of_metadata, options)?, id))
        };
        let draws = AtomicU64::new(getrandom::u64().unwrap_or(0));
        let doomed = Mutex::default();
        Ok(Self { dir, cluster_id, directory_id, disk, open_files, draws, doomed, metadata })
    }

    /// The directory of the metadata log.
    pub(crate) fn metadata_path(&self) -> &Path {
        self.metadata.as_ref().map_or_else(|| self.dir.path(), |(dir, _)| dir.path())
    }

    /// Id of the directory of the metadata log, as the quorum knows it.
    pub(crate) fn metadata_directory_id(&self) -> Uuid {
        self.metadata.as_ref().map_or(self.directory_id, |(_, id)| *id)
    }

    pub(crate) fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Id of the directory, as brokers register it.
    pub(crate) fn directory_id(&self) -> Uuid {
        self.directory_id
    }

    /// Whether the last run ended cleanly.
    pub(crate) fn was_clean(&self) -> bool {
        self.dir.had_clean_shutdown()
    }

    /// The broker epoch of the last run if that ended cleanly, -1 otherwise.
    pub(crate) fn previous_broker_epoch(&self) -> i64 {
        self.dir.previous_broker_epoch().unwrap_or(-1)
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    pub(crate) fn open_files(&self) -> &Arc<OpenFiles> {
        &self.open_files
    }

    /// Opens or begins the log of a partition and makes a hosted partition of it.
    pub(crate) fn open_partition(
        &self,
        topic: &str,
        topic_id: Uuid,
        partition: i32,
        settings: ReplicaSettings,
        surroundings: &Arc<Surroundings>,
        now_ms: i64,
    ) -> Result<HostedPartition, StorageError> {
        let config = settings.log.clone();
        let log =
            self.dir.open_log(topic, partition, Some(topic_id), config, now_ms, self.draw())?;
        Ok(HostedPartition::new(
            Arc::from(topic),
            topic_id,
            partition,
            StoredLog::new(log),
            self.dir.high_watermark(topic, partition),
            settings,
            Arc::clone(surroundings),
        ))
    }

    /// Renames the directories that belong to no partition of the image, and goes on with the
    /// deletions that the last run did not finish. Kafka: `LogManager.isStrayReplica`.
    pub(crate) fn put_strays_aside(
        &self,
        owned: &[(String, i32, Uuid)],
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let owned: HashMap<(&str, i32), Uuid> = owned
            .iter()
            .map(|(topic, partition, id)| ((topic.as_str(), *partition), *id))
            .collect();
        for found in self.dir.partitions()? {
            match found.kind {
                DirKind::Live => {
                    // A directory without an id was begun by a run that did not get further.
                    let id = found.topic_id.unwrap_or(Uuid::nil());
                    let owner = owned.get(&(found.topic.as_str(), found.partition));
                    let named = owner.is_some_and(|known| id.is_nil() || *known == id);
                    if !named {
                        let aside = self.dir.set_dir_stray(&found, self.unique())?;
                        tracing::warn!(
                            target: "kafka.log.LogManager",
                            "Found stray log dir {}: no partition of the cluster owns it. \
                             Renamed to {}",
                            found.path.display(), aside.path().display(),
                        );
                    }
                }
                DirKind::Deleted => {
                    let log = self.dir.retired(found.path);
                    self.doomed.lock().push(Doomed { log, due_ms: now_ms });
                }
                DirKind::Stray | DirKind::Future => {}
            }
        }
        Ok(())
    }

    /// Renames a partition's directory; it is removed when file.delete.delay.ms is over.
    pub(crate) fn delete(
        &self,
        partition: &HostedPartition,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let (log, delay_ms) = partition.with_replica_here(|replica| {
            let log = &replica.log().log;
            Ok::<_, StorageError>((
                self.dir.retire(log, self.unique())?,
                log.config().file_delete_delay_ms,
            ))
        })?;
        tracing::info!(
            target: "kafka.log.LogManager",
            "Log for partition {}-{} is renamed to {} and is scheduled for deletion",
            partition.topic(), partition.partition(), log.path().display(),
        );
        self.doomed.lock().push(Doomed { log, due_ms: now_ms.saturating_add(delay_ms) });
        Ok(())
    }

    /// Removes the directories whose delay is over.
    pub(crate) fn remove_deleted(&self, now_ms: i64) -> Result<(), StorageError> {
        let (due, later) =
            std::mem::take(&mut *self.doomed.lock()).into_iter().partition(|d| d.due_ms <= now_ms);
        self.doomed.lock().extend::<Vec<Doomed>>(later);
        let due: Vec<Doomed> = due;
        due.iter().try_for_each(|doomed| doomed.log.remove())
    }

    pub(crate) fn checkpoint_recovery_points(
        &self,
        partitions: &[Arc<HostedPartition>],
    ) -> Result<(), StorageError> {
        self.dir.write_recovery_points(&entries(partitions, |partition| {
            partition.with_replica_here(|replica| replica.log().log.recovery_point())
        }))
    }

    pub(crate) fn checkpoint_log_starts(
        &self,
        partitions: &[Arc<HostedPartition>],
    ) -> Result<(), StorageError> {
        let raised: Vec<Arc<HostedPartition>> = partitions
            .iter()
            .filter(|partition| {
                let start = partition.marks().log_start_offset();
                partition.with_replica_here(|replica| {
                    replica.log().log.segment_offsets().first().is_some_and(|base| *base < start)
                })
            })
            .cloned()
            .collect();
        self.dir.write_log_starts(&entries(&raised, |p| p.marks().log_start_offset()))
    }

    pub(crate) fn checkpoint_high_watermarks(
        &self,
        partitions: &[Arc<HostedPartition>],
    ) -> Result<(), StorageError> {
        self.dir.write_high_watermarks(&entries(partitions, |p| p.marks().high_watermark()))
    }

    /// Closes every log and writes the checkpoints; [`Self::mark_clean`] comes after the quorum's.
    pub(crate) fn close(
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
    pub(crate) fn mark_clean(&self, broker_epoch: i64) -> Result<(), StorageError> {
        self.dir.mark_clean_shutdown(broker_epoch)
    }

    /// A number that differs from log to log, for jitter.
    fn draw(&self) -> u64 {
        self.draws.fetch_add(DRAW_STEP, Ordering::Relaxed)
    }

    fn unique(&self) -> Uuid {
        cli::random_uuid().0
    }
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

/// The cluster and directory that meta.properties names. A directory of before 3.7 has no id of its
/// own; it gets one, as in Kafka.
fn identity(
    config: &BrokerConfig,
    path: &Path,
    now_ms: i64,
) -> Result<(String, Uuid), LogDirError> {
    let unreadable = |reason: String| LogDirError::Unreadable { path: path.to_owned(), reason };
    let mut meta = MetaProperties::read(path).map_err(|error| match error {
        MetaPropertiesError::Missing => LogDirError::NotFormatted(path.to_owned()),
        MetaPropertiesError::Broken(reason) => unreadable(reason),
    })?;
    if let Some(found) = meta.node_id
        && found != config.node_id
    {
        let (path, expected) = (path.to_owned(), config.node_id);
        return Err(LogDirError::OtherNode { path, found, expected });
    }
    let directory_id = match meta.directory_id {
        Some(id) => id,
        None => {
            let id = cli::random_uuid();
            meta.directory_id = Some(id);
            meta.write(path, now_ms).map_err(|error| unreadable(error.to_string()))?;
            id
        }
    };
    let cluster_id = meta.cluster_id.ok_or_else(|| unreadable("it names no cluster".to_owned()))?;
    Ok((cluster_id, directory_id.0))
}

/// Half of the descriptors and half of the memory maps that the process may have.
fn open_files_max() -> usize {
    use rustix::process::{Resource, getrlimit};
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(OPEN_FILES_MAX);
    let maps = std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok())
        .unwrap_or(OPEN_FILES_MAX);
    let limit = (descriptors / 2).min(maps / 2).min(OPEN_FILES_MAX);
    usize::try_from(limit).unwrap_or(1000)
}

/// The disk failed: the process ends, because its only log directory is offline. Running out of
/// descriptors is no failure of the disk.
pub(crate) fn failed(error: &StorageError) {
    if error.is_exhaustion() {
        tracing::error!(target: "kafka.log.LogManager", "Out of descriptors: {error}");
        return;
    }
    tracing::error!(
        target: "kafka.log.LogManager",
        "Shutdown broker because the log directory has failed: {error}",
    );
    std::process::exit(1);
}
