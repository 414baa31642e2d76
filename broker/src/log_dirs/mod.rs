//! The log directories of this node: which logs are in them, how they are opened, checkpointed,
//! deleted and closed, and what it means when one fails.
//!
//! ```text
//! whoever meets an error ─▶ LogDirs: offline, at once ─▶ log_dir_failures: its partitions, …
//! publisher ─▶ LogDirs: where a log is ─▶ assignments_reporter: AssignReplicasToDirs
//! ```
//! Kept true: a directory that failed is offline until the node starts again. The node ends when no
//! directory is left, or the one of the metadata log fails: what was acknowledged is in the
//! kernel's hands, and nothing is acknowledged that is not.
//! Kafka: `LogManager`, `LogDirFailureChannel`.

mod corruption;
mod directory;
mod error;
mod failure;
mod identity;
mod lines;
mod moving;
mod opening;
mod paths;
mod placement;
mod telling;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use config::BrokerConfig;
use parking_lot::Mutex;
use raft::image::DIRECTORY_LOST;
use storage::{Disk, LogDirOptions, OpenFiles, PartitionDir, StorageError};
use tokio::sync::mpsc;
use uuid::Uuid;

use self::corruption::Corruptions;
use self::directory::{Directory, Owned};
pub(crate) use self::error::LogDirError;
use self::failure::{Cost, Directories};
pub(crate) use self::moving::NoDestination;
use self::paths::shown;
use self::placement::{Place, Placement};
pub(crate) use self::telling::FailedDirectories;
use crate::clock::{monotonic, wall_ms};
use crate::partitions::{HostedPartition, Replica, ReplicaContext, ReplicaSettings, StoredLog};

/// What tells two draws apart: the golden ratio's bits, so that they spread.
const DRAW_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// How often it is said that descriptors run out: every read and append may meet it.
const EXHAUSTION_LINES_MS: u64 = 10_000;

/// A directory that has just gone offline.
#[derive(Debug)]
pub(crate) struct FailedLogDir {
    pub(crate) at: usize,
    pub(crate) id: Uuid,
}

/// A replica and the directory that it is in.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) topic_id: Uuid,
    pub(crate) partition: i32,
    pub(crate) directory: Uuid,
}

/// What comes out of the directories for the tasks that tell of it.
#[derive(Debug)]
pub(crate) struct LogDirEvents {
    pub(crate) failed: mpsc::UnboundedReceiver<FailedLogDir>,
    pub(crate) located: mpsc::UnboundedReceiver<Located>,
}

/// A partition of the metadata that is to be opened here.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) topic: &'a str,
    pub(crate) topic_id: Uuid,
    pub(crate) partition: i32,
    /// The directory that the metadata has it in.
    pub(crate) assigned: Uuid,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Opening {
    /// Its log was there before.
    Online(Arc<HostedPartition>),
    /// Its log began in this directory.
    Begun(Arc<HostedPartition>, PathBuf),
    /// Its log may be in a directory that is offline, so none begins.
    Skipped,
    /// The directory of its log is offline now.
    Offline,
}

/// A partition that the metadata has on this broker.
#[derive(Debug)]
pub(crate) struct OwnedPartition {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) topic_id: Uuid,
    /// Where the metadata has it.
    pub(crate) directory: Uuid,
}

#[derive(Debug)]
pub(crate) struct LogDirs {
    cluster_id: String,
    /// Those of log.dirs, and the metadata log's if it is none of them.
    paths: Vec<PathBuf>,
    /// As `paths`; `None` is offline.
    online: Vec<ArcSwapOption<Directory>>,
    /// How many of them are for partitions: the first ones.
    hosting: usize,
    metadata: usize,
    metadata_id: Uuid,
    /// The ids of those that were online when the node started.
    registered: Vec<Uuid>,
    previous_broker_epoch: i64,
    options: LogDirOptions,
    /// Held while a directory goes offline, so that only one can be the last.
    placement: Mutex<Placement>,
    corruptions: Mutex<Corruptions>,
    /// Held by whoever writes checkpoints: each file has one name under which it is written anew.
    checkpointing: Mutex<()>,
    draws: AtomicU64,
    /// When it was last said that descriptors ran out, of the wall clock.
    exhaustion_said_ms: AtomicI64,
    failed: mpsc::UnboundedSender<FailedLogDir>,
    located: mpsc::UnboundedSender<Located>,
    events: Mutex<Option<LogDirEvents>>,
}

impl LogDirs {
    /// Locks the directories and reads what the last run left.
    pub(crate) fn open(
        config: &BrokerConfig,
        disk: Disk,
        now_ms: i64,
    ) -> Result<Self, LogDirError> {
        let layout = opening::layout(config)?;
        let options = opening::options(config, disk);
        let opened = opening::open(&layout, config, &options, now_ms)?;
        let hosts: Vec<Option<Arc<Directory>>> =
            opened.directories.iter().take(layout.hosting).cloned().collect();
        let metadata = opened.directories.get(layout.metadata).cloned().flatten();
        let ids = hosts.iter().map(|host| host.as_ref().map(|directory| directory.id()));
        let placement = Placement::new(ids);
        // Bound: each directory fails once.
        let (failed, failures) = mpsc::unbounded_channel();
        // Bound: the partitions of one change of the metadata and of one look at what is hosted;
        // they are taken in as they come, one place for each replica.
        let (located, locating) = mpsc::unbounded_channel();
        Ok(Self {
            cluster_id: opened.cluster_id,
            paths: layout.paths,
            online: opened.directories.into_iter().map(ArcSwapOption::from).collect(),
            hosting: layout.hosting,
            metadata: layout.metadata,
            metadata_id: metadata.map_or(Uuid::nil(), |directory| directory.id()),
            registered: registered(&hosts),
            previous_broker_epoch: previous_broker_epoch(&hosts),
            options,
            placement: Mutex::new(placement),
            corruptions: Mutex::default(),
            checkpointing: Mutex::default(),
            draws: AtomicU64::new(getrandom::u64().unwrap_or(0)),
            exhaustion_said_ms: AtomicI64::new(0),
            failed,
            located,
            events: Mutex::new(Some(LogDirEvents { failed: failures, located: locating })),
        })
    }

    /// The ends at which failures and places come out; only the first who asks gets them.
    pub(crate) fn take_events(&self) -> Option<LogDirEvents> {
        self.events.lock().take()
    }

    pub(crate) fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The directory of the metadata log, and its id.
    pub(crate) fn metadata(&self) -> (PathBuf, Uuid) {
        let path = self.paths.get(self.metadata);
        (path.map_or_else(PathBuf::new, Clone::clone), self.metadata_id)
    }

    /// Whether the last run closed the metadata log cleanly.
    pub(crate) fn metadata_was_clean(&self) -> bool {
        self.directory(self.metadata).is_some_and(|directory| directory.was_clean())
    }

    /// Ids of the directories, as brokers register them.
    pub(crate) fn registered(&self) -> &[Uuid] {
        &self.registered
    }

    /// The broker epoch of the last run if that ended cleanly everywhere, -1 otherwise.
    pub(crate) fn previous_broker_epoch(&self) -> i64 {
        self.previous_broker_epoch
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.options.disk
    }

    pub(crate) fn open_files(&self) -> &Arc<OpenFiles> {
        &self.options.open_files
    }

    /// The directories for partitions in the order of log.dirs, by absolute path; those that are
    /// offline without an id.
    pub(crate) fn hosts(&self) -> Vec<(PathBuf, Option<Uuid>)> {
        let id = |at| self.directory(at).map(|directory| directory.id());
        self.paths.iter().enumerate().take(self.hosting).map(|(at, p)| (shown(p), id(at))).collect()
    }

    /// New logs do not begin in these directories of log.dirs from now on (KIP-1066); gives the ids
    /// of those that are online.
    pub(crate) fn cordon(&self, cordoned: &[String]) -> Vec<Uuid> {
        let is_named = |at: usize| {
            let path = self.paths.get(at).map(|path| shown(path));
            path.is_some_and(|path| cordoned.iter().any(|named| shown(Path::new(named)) == path))
        };
        self.placement.lock().cordon(is_named);
        let named = self.each_host().filter(|(at, _)| is_named(*at));
        named.map(|(_, directory)| directory.id()).collect()
    }

    pub(crate) fn is_online(&self, id: Uuid) -> bool {
        self.by_id(id).is_some()
    }

    /// Where a log is that the last run left, and whether that run ended cleanly there.
    pub(crate) fn home(&self, topic: &str, partition: i32) -> Option<(usize, bool)> {
        let home = self.placement.lock().home(topic, partition)?;
        Some((home, self.directory(home).is_some_and(|directory| directory.was_clean())))
    }

    /// Opens or begins the log of a partition and makes a hosted partition of it.
    pub(crate) fn open_partition(
        &self,
        wanted: &Wanted<'_>,
        settings: &ReplicaSettings,
        context: &Arc<ReplicaContext>,
        now_ms: i64,
    ) -> Result<Opening, StorageError> {
        let Wanted { topic, topic_id, partition, assigned } = *wanted;
        loop {
            let place = self.placement.lock().place(topic, partition, assigned);
            let (Place::Known(at) | Place::New(at)) = place else {
                return Ok(Opening::Skipped);
            };
            // It may have gone offline since: then it is no place any more.
            let Some(directory) = self.directory(at) else { continue };
            let config = settings.log.clone();
            let opened =
                directory.open_log(topic, partition, topic_id, config, now_ms, self.draw());
            match opened {
                Ok(log) => {
                    let hosted = Arc::new(HostedPartition::new(
                        Replica {
                            topic: Arc::from(topic),
                            topic_id,
                            partition,
                            directory_id: directory.id(),
                        },
                        StoredLog::new(log),
                        directory.high_watermark(topic, partition),
                        settings.clone(),
                        Arc::clone(context),
                    ));
                    return Ok(match place {
                        Place::New(_) => Opening::Begun(hosted, self.path_shown(at)),
                        _ => Opening::Online(hosted),
                    });
                }
                Err(error @ StorageError::Corrupt(_)) => {
                    self.outlive(error)?;
                    return Ok(Opening::Offline);
                }
                Err(error) => {
                    // A directory that was begun is the log's home: it would be found twice if the
                    // next attempt began another one elsewhere.
                    let is_begun = directory.holds(topic, partition);
                    if error.is_exhaustion() && matches!(place, Place::New(_)) && !is_begun {
                        self.placement.lock().gone(topic, partition);
                    }
                    self.outlive(error)?;
                    if matches!(place, Place::Known(_)) {
                        return Ok(Opening::Offline);
                    }
                }
            }
        }
    }

    /// Tells the controller, soon, where this replica is.
    pub(crate) fn report(&self, partition: &HostedPartition) {
        self.tell(partition, partition.directory_id());
    }

    /// Tells the controller, soon, that this replica is to be in this directory.
    pub(crate) fn report_at(&self, partition: &HostedPartition, directory: Uuid) {
        self.tell(partition, directory);
    }

    /// Tells the controller, soon, that this replica's log is lost: it leads no more, and is not in
    /// sync (KIP-858).
    pub(crate) fn report_lost(&self, partition: &HostedPartition) {
        self.tell(partition, DIRECTORY_LOST);
    }

    fn tell(&self, partition: &HostedPartition, directory: Uuid) {
        let (topic_id, partition) = (partition.topic_id(), partition.partition());
        // Nobody tells the controller any more when the broker stops.
        let _ = self.located.send(Located { topic_id, partition, directory });
    }

    /// Finds what the last run left. Renames the directories that belong to no partition of the
    /// image, and goes on with the deletions that the last run did not finish.
    pub(crate) fn put_strays_aside(
        &self,
        owned: &[OwnedPartition],
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let of = |owned: &'_ OwnedPartition| (owned.topic_id, owned.directory);
        let owned: Owned<'_> =
            owned.iter().map(|each| ((each.topic.as_str(), each.partition), of(each))).collect();
        let mut first_found: HashMap<(String, i32), PartitionDir> = HashMap::new();
        lines::loading(self.each_host().map(|(at, _)| self.path_shown(at)));
        for (at, directory) in self.each_host() {
            let kept = match directory.put_strays_aside(&owned, now_ms) {
                Ok(kept) => kept,
                Err(error) => {
                    self.outlive(error)?;
                    continue;
                }
            };
            lines::found(&self.path_shown(at), kept.len(), directory.was_clean());
            for found in kept {
                let key = (found.topic.clone(), found.partition);
                let said = owned.get(&(found.topic.as_str(), found.partition));
                let said = said.map_or(Uuid::nil(), |(_, directory)| *directory);
                let before = self.placement.lock().found(&found.topic, found.partition, at);
                if let Some(before) = before {
                    let first = first_found.get(&key);
                    if !self.settle_duplicate(said, (before, first), (at, &found))? {
                        return Err(self.found_twice(before, found));
                    }
                }
                first_found.insert(key, found);
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
        let Some(directory) = self.by_id(partition.directory_id()) else { return Ok(()) };
        match directory.delete(partition, now_ms) {
            Ok(()) => {
                self.placement.lock().gone(partition.topic(), partition.partition());
                Ok(())
            }
            Err(error) => self.outlive(error),
        }
    }

    /// Renames a damaged partition's directory, which stays for its owner to look at.
    pub(crate) fn put_damaged_aside(
        &self,
        partition: &HostedPartition,
    ) -> Result<(), StorageError> {
        let Some(directory) = self.by_id(partition.directory_id()) else { return Ok(()) };
        match directory.put_damaged_aside(partition) {
            Ok(()) => {
                self.placement.lock().gone(partition.topic(), partition.partition());
                Ok(())
            }
            Err(error) => self.outlive(error),
        }
    }

    /// Removes the directories whose delay is over.
    pub(crate) fn remove_deleted(&self, now_ms: i64) -> Result<(), StorageError> {
        self.each_host().try_for_each(|(_, directory)| {
            directory.remove_deleted(now_ms).or_else(|error| self.outlive(error))
        })
    }

    pub(crate) fn checkpoint_recovery_points(
        &self,
        partitions: &[Arc<HostedPartition>],
    ) -> Result<(), StorageError> {
        self.each_with(partitions, false, Directory::checkpoint_recovery_points)
    }

    pub(crate) fn checkpoint_log_starts(
        &self,
        partitions: &[Arc<HostedPartition>],
    ) -> Result<(), StorageError> {
        self.each_with(partitions, true, Directory::checkpoint_log_starts)
    }

    pub(crate) fn checkpoint_high_watermarks(
        &self,
        partitions: &[Arc<HostedPartition>],
    ) -> Result<(), StorageError> {
        self.each_with(partitions, true, Directory::checkpoint_high_watermarks)
    }

    /// Closes every log and writes the checkpoints; [`Self::mark_clean`] comes after the quorum's.
    pub(crate) fn close(
        &self,
        partitions: &[Arc<HostedPartition>],
        now_ms: i64,
    ) -> Result<(), StorageError> {
        self.each_with(partitions, false, |directory, inside| directory.close(inside, now_ms))
    }

    /// Says that everything was closed under this broker epoch, where it was.
    pub(crate) fn mark_clean(&self, broker_epoch: i64) -> Result<(), StorageError> {
        let online = self.online.iter().filter_map(ArcSwapOption::load_full);
        online
            .map(|directory| directory.mark_clean(broker_epoch))
            .try_for_each(|marked| marked.or_else(|error| self.outlive(error)))
    }

    /// Takes the directory offline in which something failed. An error comes back when nothing can
    /// go on without it, or when no directory failed.
    pub(crate) fn outlive(&self, error: StorageError) -> Result<(), StorageError> {
        if error.is_exhaustion() {
            return Err(error);
        }
        match self.take_offline(&error) {
            Cost::Directory(_) | Cost::Nothing => Ok(()),
            Cost::Last | Cost::Metadata(_) | Cost::Unknown => Err(error),
        }
    }

    /// As [`Self::outlive`], but the process ends when nothing can go on. Running out of
    /// descriptors is no failure of the disk.
    pub(crate) fn note_failure(&self, error: &StorageError) {
        if error.is_exhaustion() {
            let (now_ms, said_ms) = (wall_ms(), self.exhaustion_said_ms.load(Ordering::Relaxed));
            if now_ms.abs_diff(said_ms) >= EXHAUSTION_LINES_MS {
                self.exhaustion_said_ms.store(now_ms, Ordering::Relaxed);
                tracing::error!(
                    target: "kafka.log.LogManager",
                    "Out of descriptors or memory; what needed them is tried again: {error}",
                );
            }
            return;
        }
        let line = match self.take_offline(error) {
            Cost::Directory(_) | Cost::Nothing => return,
            Cost::Last if self.paths.len() > 1 => {
                let all: Vec<String> =
                    self.paths.iter().map(|path| path.display().to_string()).collect();
                format!("Shutdown broker because all log dirs in {} have failed", all.join(", "))
            }
            Cost::Metadata(at) => format!(
                "Shutdown broker because the metadata log dir {} has failed",
                self.path_shown(at).display(),
            ),
            Cost::Last | Cost::Unknown => {
                "Shutdown broker because the log directory has failed".to_owned()
            }
        };
        tracing::error!(target: "kafka.log.LogManager", "{line}: {error}");
        std::process::exit(1);
    }

    fn take_offline(&self, error: &StorageError) -> Cost {
        if let StorageError::Corrupt(found) = error {
            let met = self.corruptions.lock().met(found, monotonic());
            met.into_iter().for_each(|met_since| corruption::say(found, met_since));
        }
        let mut placement = self.placement.lock();
        let online: Vec<bool> = self.online.iter().map(|slot| slot.load().is_some()).collect();
        let directories =
            Directories { paths: &self.paths, online: &online, metadata: self.metadata };
        let cost = directories.cost(error);
        let Cost::Directory(at) = cost else { return cost };
        let fallen = self.online.get(at).and_then(|slot| slot.swap(None));
        placement.fell(at);
        tracing::error!(
            target: "org.apache.kafka.storage.internals.log.LogDirFailureChannel",
            "Error in log directory {}: {error}", self.path_shown(at).display(),
        );
        if let Some(directory) = fallen {
            // Nobody handles it any more when the node stops.
            let _ = self.failed.send(FailedLogDir { at, id: directory.id() });
        }
        cost
    }

    pub(crate) fn path_shown(&self, at: usize) -> PathBuf {
        self.paths.get(at).map_or_else(PathBuf::new, |path| shown(path))
    }

    fn directory(&self, at: usize) -> Option<Arc<Directory>> {
        self.online.get(at)?.load_full()
    }

    fn by_id(&self, id: Uuid) -> Option<Arc<Directory>> {
        self.each_host().map(|(_, directory)| directory).find(|directory| directory.id() == id)
    }

    /// Those for partitions that are online.
    fn each_host(&self) -> impl Iterator<Item = (usize, Arc<Directory>)> {
        (0..self.hosting).filter_map(|at| Some((at, self.directory(at)?)))
    }

    /// Does something with each directory and the partitions in it; with those, too, that are on
    /// their way to it, whose offsets must be there before they are.
    fn each_with(
        &self,
        partitions: &[Arc<HostedPartition>],
        with_moving: bool,
        act: impl Fn(&Directory, &[Arc<HostedPartition>]) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let _one_at_a_time = self.checkpointing.lock();
        self.each_host().try_for_each(|(_, directory)| {
            let is_inside = |partition: &&Arc<HostedPartition>| {
                let id = directory.id();
                partition.directory_id() == id
                    || with_moving && partition.future_directory() == Some(id)
            };
            let inside: Vec<_> = partitions.iter().filter(is_inside).cloned().collect();
            act(&directory, &inside).or_else(|error| self.outlive(error))
        })
    }

    /// A number that differs from log to log, for jitter.
    fn draw(&self) -> u64 {
        self.draws.fetch_add(DRAW_STEP, Ordering::Relaxed)
    }
}

/// In the order that Kafka sorts ids in.
fn registered(hosts: &[Option<Arc<Directory>>]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = hosts.iter().flatten().map(|directory| directory.id()).collect();
    ids.sort_unstable_by_key(|id| {
        let (most, least) = id.as_u64_pair();
        (most.cast_signed(), least.cast_signed())
    });
    ids
}

/// Known only if every directory was closed, and under the same epoch.
fn previous_broker_epoch(hosts: &[Option<Arc<Directory>>]) -> i64 {
    let epoch = |host: &Option<Arc<Directory>>| host.as_ref()?.previous_broker_epoch();
    let epochs: Option<Vec<i64>> = hosts.iter().map(epoch).collect();
    match epochs.as_deref() {
        Some([first, others @ ..]) if others.iter().all(|other| other == first) => *first,
        _ => -1,
    }
}
