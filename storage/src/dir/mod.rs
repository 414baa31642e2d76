//! A log dir: the lock on it, what its checkpoints say, and which partitions live in it. Answers to
//! Kafka's `LogManager`, file side only.
//!
//! ```text
//! .lock  .kafka_cleanshutdown  meta.properties
//! recovery-point-offset-checkpoint  log-start-offset-checkpoint  replication-offset-checkpoint
//! cleaner-offset-checkpoint
//! <topic>-<partition>/  <topic>-<partition>.<id>-delete/  …-stray/  …-future/
//! ```
//! Invariant: while a [`LogDir`] lives, no other process has this directory open.

mod clean_shutdown;
mod entry;
mod meta_properties;
mod offset_checkpoint;
mod partition_metadata;

#[cfg(test)]
mod tests;

use std::borrow::{Borrow, Cow};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

pub use entry::{DirKind, PartitionDir};
pub use meta_properties::{MetaProperties, MetaPropertiesError};
pub use offset_checkpoint::Checkpointed;
use offset_checkpoint::{Bounds, CheckpointedOffset, OffsetCheckpoint};
pub use partition_metadata::write_topic_id;

use crate::checkpoint::{self, OffsetEntry};
use crate::config::LogConfig;
use crate::disk::Disk;
use crate::error::StorageError;
use crate::log::{Log, OpenOptions};
use crate::open_files::OpenFiles;

const LOCK: &str = ".lock";
const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
const LOG_STARTS: &str = "log-start-offset-checkpoint";
const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
const CLEANED: &str = "cleaner-offset-checkpoint";
/// The controller quorum's log, which its own host opens.
const METADATA_TOPIC: &str = "__cluster_metadata";

type Offsets = HashMap<(String, i32), i64>;

/// How logs of this directory are to be opened.
#[derive(Debug, Clone)]
pub struct LogDirOptions {
    /// `producer.id.expiration.ms`.
    pub producer_expiration_ms: i64,
    pub disk: Disk,
    pub open_files: Arc<OpenFiles>,
}

/// A log that was renamed out of the way; its directory is to be removed.
#[derive(Debug)]
pub struct RetiredLog {
    path: PathBuf,
    disk: Disk,
}

#[derive(Debug)]
pub struct LogDir {
    path: PathBuf,
    options: LogDirOptions,
    clean: Option<Option<i64>>,
    recovery_points: Offsets,
    recovery_point_file: Arc<OffsetCheckpoint>,
    log_starts: Offsets,
    high_watermarks: Offsets,
    high_watermark_file: Arc<OffsetCheckpoint>,
    cleaned_file: Arc<OffsetCheckpoint>,
    /// Logs that were opened: what the last run's checkpoints say of them is over.
    opened: Mutex<HashSet<(String, i32)>>,
    _lock: File,
}

impl LogDir {
    /// Locks the directory, creating it if need be, and reads what it says about its last stop. The
    /// clean-shutdown marker is removed: should this start fail half way, the next one validates.
    pub fn open(path: &Path, options: LogDirOptions) -> Result<Self, StorageError> {
        let disk = &options.disk;
        disk.create_dir(path).map_err(|error| StorageError::io("create", path, error))?;
        let lock = lock(path)?;
        let clean = clean_shutdown::take(disk, path)?;
        let (recovery_points, log_starts) =
            (read_or_reset(disk, path, RECOVERY_POINTS)?, read_or_reset(disk, path, LOG_STARTS)?);
        let high_watermarks = read_or_reset(disk, path, HIGH_WATERMARKS)?;
        let mut cleaned = read_or_reset(disk, path, CLEANED)?;
        // Another topic of a name that is gone has nothing to do with it.
        cleaned.retain(|(topic, partition), _| path.join(format!("{topic}-{partition}")).exists());
        let file = |name: &str, bounds, offsets| {
            let file =
                OffsetCheckpoint::new(path.join(name), disk.clone(), bounds, listed(offsets));
            Arc::new(file)
        };
        Ok(Self {
            recovery_point_file: file(RECOVERY_POINTS, Bounds::UntilRaised, &recovery_points),
            high_watermark_file: file(HIGH_WATERMARKS, Bounds::OneWrite, &high_watermarks),
            cleaned_file: file(CLEANED, Bounds::UntilRaised, &cleaned),
            path: path.to_owned(),
            options,
            clean,
            recovery_points,
            log_starts,
            high_watermarks,
            opened: Mutex::default(),
            _lock: lock,
        })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[must_use]
    pub fn had_clean_shutdown(&self) -> bool {
        self.clean.is_some()
    }

    /// The broker epoch under which the directory was shut down cleanly (KIP-966).
    #[must_use]
    pub fn previous_broker_epoch(&self) -> Option<i64> {
        self.clean.flatten()
    }

    /// The high watermark that was checkpointed last; 0 if none was.
    #[must_use]
    pub fn high_watermark(&self, topic: &str, partition: i32) -> i64 {
        offset_of(&self.high_watermarks, topic, partition)
    }

    /// The directories of partitions, but for the metadata log's.
    ///
    /// Unlike Kafka, which refuses to start over a directory whose name is not a partition's
    /// (`lost+found`), such a one is named in a warning and left alone (docs/decisions/0023).
    pub fn partitions(&self) -> Result<Vec<PartitionDir>, StorageError> {
        let fail = |error| StorageError::io("list", &self.path, error);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            if !entry.file_type().map_err(fail)?.is_dir() {
                continue;
            }
            let path = entry.path();
            match entry::parse(&entry.file_name().to_string_lossy()) {
                Some((topic, _, _)) if topic == METADATA_TOPIC => {}
                Some((topic, partition, kind)) => {
                    let topic_id = partition_metadata::read(&self.options.disk, &path)?;
                    found.push(PartitionDir { path, topic, partition, kind, topic_id });
                }
                None => tracing::warn!(directory = %path.display(), "not a partition's directory"),
            }
        }
        found.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        Ok(found)
    }

    /// Opens a partition's log, or begins it; `topic_id` is written down if it is not yet. A log of
    /// another topic of that name is not opened.
    ///
    /// `jitter_draw` is any random number.
    pub fn open_log(
        &self,
        topic: &str,
        partition: i32,
        topic_id: Option<Uuid>,
        config: LogConfig,
        now_ms: i64,
        jitter_draw: u64,
    ) -> Result<Log, StorageError> {
        let path = self.path.join(format!("{topic}-{partition}"));
        let known = path.exists();
        let written =
            if known { partition_metadata::read(&self.options.disk, &path)? } else { None };
        if let (Some(found), Some(expected)) = (written, topic_id)
            && found != expected
        {
            return Err(StorageError::OtherTopic { path, found, expected });
        }
        let place = |file| CheckpointedOffset::new(file, topic, partition);
        let options = OpenOptions {
            // A directory that was not there at the last stop has nothing to validate.
            clean_shutdown: self.had_clean_shutdown(),
            recovery_point: if known { self.recovery_point(topic, partition) } else { 0 },
            log_start_offset: if known { self.log_start(topic, partition) } else { 0 },
            now_ms,
            producer_expiration_ms: self.options.producer_expiration_ms,
            jitter_draw,
            disk: self.options.disk.clone(),
            open_files: Arc::clone(&self.options.open_files),
            checkpointed: Some(Checkpointed {
                recovery_point: place(&self.recovery_point_file),
                high_watermark: place(&self.high_watermark_file),
                cleaned: place(&self.cleaned_file),
            }),
        };
        let log = Log::open(&path, config, options)?;
        if let (Some(topic_id), None) = (topic_id, written) {
            partition_metadata::write(&self.options.disk, &path, topic_id)?;
        }
        self.opened.lock().insert((topic.to_owned(), partition));
        Ok(log)
    }

    /// Opens a future log: a copy of a partition's log that is being built here while the log
    /// itself is in another directory; `found` is what an earlier run left of it. All of it is
    /// looked at.
    pub fn open_future_log(
        &self,
        name: (&str, i32),
        topic_id: Uuid,
        config: LogConfig,
        now_ms: i64,
        (found, unique): (Option<&Path>, Uuid),
    ) -> Result<Log, StorageError> {
        let (topic, partition) = name;
        let begun = || {
            let name = format!("{topic}-{partition}");
            self.path.join(entry::aside_name(&name, DirKind::Future, unique))
        };
        let path = found.map_or_else(begun, Path::to_path_buf);
        let place = |file| CheckpointedOffset::new(file, topic, partition);
        let options = OpenOptions {
            clean_shutdown: false,
            recovery_point: 0,
            log_start_offset: 0,
            now_ms,
            producer_expiration_ms: self.options.producer_expiration_ms,
            jitter_draw: unique.as_u64_pair().0,
            disk: self.options.disk.clone(),
            open_files: Arc::clone(&self.options.open_files),
            checkpointed: Some(Checkpointed {
                recovery_point: place(&self.recovery_point_file),
                high_watermark: place(&self.high_watermark_file),
                cleaned: place(&self.cleaned_file),
            }),
        };
        let log = Log::open(&path, config, options)?;
        partition_metadata::write(&self.options.disk, &path, topic_id)?;
        Ok(log)
    }

    /// A future log is the one of its partition from now on.
    pub fn promote(
        &self,
        log: &mut Log,
        name: (&str, i32),
        now_ms: i64,
    ) -> Result<(), StorageError> {
        log.promote(&self.path.join(format!("{}-{}", name.0, name.1)), now_ms)?;
        self.opened.lock().insert((name.0.to_owned(), name.1));
        Ok(())
    }

    fn recovery_point(&self, topic: &str, partition: i32) -> i64 {
        offset_of(&self.recovery_points, topic, partition)
    }

    fn log_start(&self, topic: &str, partition: i32) -> i64 {
        offset_of(&self.log_starts, topic, partition)
    }

    /// Everything written to the file system of this directory, synced at once: what closing many
    /// logs costs, instead of some files' syncs for each.
    pub fn sync(&self) -> Result<(), StorageError> {
        let synced = self.options.disk.sync_file_system(&self.path);
        synced.map_err(|error| StorageError::io("sync", &self.path, error))
    }

    // --- checkpoints -----------------------------------------------------------------------

    /// Replaces the recovery points of all logs that are open.
    pub fn write_recovery_points(&self, entries: &[OffsetEntry]) -> Result<(), StorageError> {
        self.recovery_point_file.write(&self.with_waiting(entries, &self.recovery_points))
    }

    /// Replaces the log start offsets of all logs that are open. Kafka leaves out those that equal
    /// the first segment's base.
    pub fn write_log_starts(&self, entries: &[OffsetEntry]) -> Result<(), StorageError> {
        self.write(LOG_STARTS, entries, &self.log_starts)
    }

    /// Replaces the high watermarks of all logs that are open.
    pub fn write_high_watermarks(&self, entries: &[OffsetEntry]) -> Result<(), StorageError> {
        self.high_watermark_file.write(&self.with_waiting(entries, &self.high_watermarks))
    }

    fn write(
        &self,
        name: &str,
        entries: &[OffsetEntry],
        before: &Offsets,
    ) -> Result<(), StorageError> {
        let path = self.path.join(name);
        let text = checkpoint::encode_offsets(&self.with_waiting(entries, before));
        let written = self.options.disk.replace(&path, text.as_bytes(), true);
        written.map_err(|error| StorageError::io("write", &path, error))
    }

    /// A log that could not be opened yet keeps what the last run said of it.
    fn with_waiting<'e>(
        &self,
        entries: &'e [OffsetEntry],
        before: &Offsets,
    ) -> Cow<'e, [OffsetEntry]> {
        let mut all = Cow::Borrowed(entries);
        if !before.is_empty() {
            let opened = self.opened.lock();
            let waits = |key: &(String, i32)| {
                !opened.contains(key) && self.path.join(format!("{}-{}", key.0, key.1)).exists()
            };
            let waiting = listed(before.iter().filter(|(key, _)| waits(key)));
            if !waiting.is_empty() {
                all.to_mut().extend(waiting);
            }
        }
        all
    }

    /// Says that every log was closed: the next start validates nothing. The last call before the
    /// directory is let go of. After an unclean stop it is not said while there is a log that this
    /// run never got to open and so to validate.
    pub fn mark_clean_shutdown(&self, broker_epoch: i64) -> Result<(), StorageError> {
        if !self.had_clean_shutdown()
            && let Some(name) = self.unopened()?
        {
            tracing::warn!(
                "{name} in {} was never opened since the unclean stop before, so this stop is none \
                 that the next start may rely on",
                self.path.display(),
            );
            return Ok(());
        }
        clean_shutdown::write(&self.options.disk, &self.path, broker_epoch)
    }

    /// A partition's directory whose log was not opened.
    fn unopened(&self) -> Result<Option<String>, StorageError> {
        let fail = |error| StorageError::io("list", &self.path, error);
        let opened = self.opened.lock();
        for entry in std::fs::read_dir(&self.path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_dir = entry.file_type().map_err(fail)?.is_dir();
            let Some((topic, partition, DirKind::Live)) = entry::parse(&name).filter(|_| is_dir)
            else {
                continue;
            };
            if topic != METADATA_TOPIC && !opened.contains(&(topic, partition)) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    // --- deletion --------------------------------------------------------------------------

    /// Renames a log's directory for deletion; `unique` is a random id. The log takes no more
    /// appends; readers that hold it may finish.
    pub fn retire(&self, log: impl Borrow<Log>, unique: Uuid) -> Result<RetiredLog, StorageError> {
        self.put_aside(log.borrow(), DirKind::Deleted, unique)
    }

    /// The same for a future log of this partition.
    pub fn retire_future(
        &self,
        log: &Log,
        name: (&str, i32),
        unique: Uuid,
    ) -> Result<RetiredLog, StorageError> {
        let name = format!("{}-{}", name.0, name.1);
        let to = self.path.join(entry::aside_name(&name, DirKind::Deleted, unique));
        log.rename(&to)?;
        Ok(self.retired(to))
    }

    /// Renames a log that belongs to nothing the cluster knows, for its owner to look at.
    pub fn set_stray(
        &self,
        log: impl Borrow<Log>,
        unique: Uuid,
    ) -> Result<RetiredLog, StorageError> {
        self.put_aside(log.borrow(), DirKind::Stray, unique)
    }

    fn put_aside(
        &self,
        log: &Log,
        kind: DirKind,
        unique: Uuid,
    ) -> Result<RetiredLog, StorageError> {
        let from = log.directory();
        let name = from.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let to = self.path.join(entry::aside_name(&name, kind, unique));
        log.rename(&to)?;
        if let Some((topic, partition, _)) = entry::parse(&name) {
            self.cleaned_file.forget(&topic, partition)?;
        }
        Ok(self.retired(to))
    }

    /// A directory that an earlier run retired and did not get to remove.
    #[must_use]
    pub fn retired(&self, path: PathBuf) -> RetiredLog {
        RetiredLog { path, disk: self.options.disk.clone() }
    }

    /// Renames the directory of a partition that nobody opened.
    pub fn set_dir_stray(
        &self,
        dir: &PartitionDir,
        unique: Uuid,
    ) -> Result<RetiredLog, StorageError> {
        let name = format!("{}-{}", dir.topic, dir.partition);
        let to = self.path.join(entry::aside_name(&name, DirKind::Stray, unique));
        let renamed = self.options.disk.rename(&dir.path, &to);
        renamed.map_err(|error| StorageError::io("rename", &dir.path, error))?;
        self.cleaned_file.forget(&dir.topic, dir.partition)?;
        Ok(self.retired(to))
    }
}

impl RetiredLog {
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the directory and all in it; may take as long as the disk does.
    pub fn remove(&self) -> Result<(), StorageError> {
        let removed = self.disk.remove_dir_all(&self.path);
        removed.map_err(|error| StorageError::io("remove", &self.path, error))
    }
}

fn lock(directory: &Path) -> Result<File, StorageError> {
    let path = directory.join(LOCK);
    let fail = |error| StorageError::io("lock", &path, error);
    let mut options = std::fs::OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(fail)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Err(StorageError::Locked { path }),
        Err(errno) => return Err(fail(errno.into())),
    }
    // A JVM's lock is of the other kind (`fcntl`), which `flock` does not see.
    match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::ACCESS) => {
            Err(StorageError::Locked { path })
        }
        Err(errno) => Err(fail(errno.into())),
    }
}

/// A checkpoint that cannot be understood counts as absent, as in Kafka: everything is validated,
/// or the first segment's base is where the log starts.
fn read_or_reset(disk: &Disk, directory: &Path, name: &str) -> Result<Offsets, StorageError> {
    let path = directory.join(name);
    let content = match disk.read(&path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Offsets::new()),
        Err(error) => return Err(StorageError::io("read", &path, error)),
    };
    match checkpoint::decode_offsets(&content) {
        Ok(entries) => Ok(entries
            .into_iter()
            .map(|entry| ((entry.topic, entry.partition), entry.offset))
            .collect()),
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "checkpoint counts as absent");
            Ok(Offsets::new())
        }
    }
}

fn listed<'o>(offsets: impl IntoIterator<Item = (&'o (String, i32), &'o i64)>) -> Vec<OffsetEntry> {
    let entry = |((topic, partition), offset): (&(String, i32), &i64)| OffsetEntry {
        topic: topic.clone(),
        partition: *partition,
        offset: *offset,
    };
    offsets.into_iter().map(entry).collect()
}

fn offset_of(offsets: &Offsets, topic: &str, partition: i32) -> i64 {
    offsets.get(&(topic.to_owned(), partition)).copied().unwrap_or(0).max(0)
}
