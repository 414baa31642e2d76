//! Moves of replicas between the log directories of this broker, one step after the other.
//!
//! ```text
//! AlterReplicaLogDirs ─▶ begin ─┐   copy (throttled) ─▶ level ─▶ the controller is told
//! a start, unfinished copies ───┴─▶ … ─▶ the metadata names the directory ─▶ promoted
//! ```
//! A thread of its own does it all, a step of each move in turn: moves are rare, long and in no
//! hurry. A move ends without a word when its partition leaves this broker or one of its
//! directories fails. Kafka: `ReplicaManager.alterReplicaLogDirs`, `ReplicaAlterLogDirsThread`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use protocol::ErrorCode;
use storage::StorageError;
use uuid::Uuid;

use super::replica_manager::ReplicaManager;
use crate::log_dirs::NoDestination;
use crate::metadata::quorum::QuorumHandle;
use crate::partitions::{HostedPartition, MoveError, Moving};

/// How long it is waited for the controller, the throttle, or the last records.
const PAUSE: Duration = Duration::from_millis(20);
/// File names end at 255 bytes; `.`, an id and `-future` come behind a partition's name.
const NAME_BYTES_MAX: usize = 255 - 40;

/// The moves of a broker.
#[derive(Debug)]
pub(crate) struct LogDirMoves {
    replicas: Arc<ReplicaManager>,
    quorum: Arc<QuorumHandle>,
    moving: Mutex<Vec<Arc<HostedPartition>>>,
    begun: Condvar,
    stopping: AtomicBool,
    /// Held while requests are carried out: none begins two moves of one replica.
    altering: Mutex<()>,
    worker: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl LogDirMoves {
    pub(crate) fn new(replicas: &Arc<ReplicaManager>, quorum: &Arc<QuorumHandle>) -> Arc<Self> {
        Arc::new(Self {
            replicas: Arc::clone(replicas),
            quorum: Arc::clone(quorum),
            moving: Mutex::default(),
            begun: Condvar::new(),
            stopping: AtomicBool::new(false),
            altering: Mutex::default(),
            worker: Mutex::default(),
        })
    }

    /// No copy is touched any more when this returns; may take as long as a step does.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.begun.notify_all();
        let worker = self.worker.lock().take();
        if let Some(worker) = worker {
            // A panic was said where it happened.
            let _ = worker.join();
        }
    }

    /// A replica is to be in this directory. Opens files.
    pub(crate) fn alter(
        self: &Arc<Self>,
        path: &str,
        topic: &str,
        partition: i32,
    ) -> Result<(), ErrorCode> {
        let _one_at_a_time = self.altering.lock();
        let done = self.try_alter(path, topic, partition);
        if let Err(code) = done {
            tracing::warn!(
                target: "kafka.server.ReplicaManager",
                "[ReplicaManager broker={}] Unable to alter log dirs for {topic}-{partition}: \
                 {code:?}",
                self.replicas.context.node_id(),
            );
        }
        done
    }

    fn try_alter(
        self: &Arc<Self>,
        path: &str,
        topic: &str,
        partition: i32,
    ) -> Result<(), ErrorCode> {
        if format!("{topic}-{partition}").len() > NAME_BYTES_MAX {
            return Err(ErrorCode::InvalidTopicException);
        }
        let log_dirs = &self.replicas.log_dirs;
        let (at, directory) = log_dirs.destination(path).map_err(|none| match none {
            NoDestination::NotFound => ErrorCode::LogDirNotFound,
            NoDestination::Offline => ErrorCode::KafkaStorageError,
            NoDestination::Cordoned => ErrorCode::InvalidReplicaAssignment,
        })?;
        let hosted = match self.replicas.partition(topic, partition) {
            Ok(hosted) => hosted,
            Err(ErrorCode::KafkaStorageError) => return Err(ErrorCode::KafkaStorageError),
            Err(code) => {
                log_dirs.prefer(topic, partition, at);
                let is_known = code == ErrorCode::NotLeaderOrFollower;
                return Err(if is_known { ErrorCode::ReplicaNotAvailable } else { code });
            }
        };
        if hosted.future_directory().is_some_and(|future| future != directory) {
            self.cancel(&hosted).map_err(|_| ErrorCode::KafkaStorageError)?;
        }
        if hosted.directory_id() == directory || hosted.future_directory().is_some() {
            return Ok(());
        }
        if !log_dirs.are_all_online() {
            return Err(ErrorCode::KafkaStorageError);
        }
        match self.begin(&hosted, directory, None) {
            Ok(true) => Ok(()),
            Ok(false) => Err(ErrorCode::KafkaStorageError),
            Err(error) => {
                self.replicas.note_storage_failure(&error);
                Err(ErrorCode::KafkaStorageError)
            }
        }
    }

    /// Goes on with the copies that the last run did not finish.
    pub(crate) fn resume(self: &Arc<Self>) {
        let log_dirs = &self.replicas.log_dirs;
        for (directory, found) in log_dirs.unfinished_copies() {
            let hosted = self.replicas.partitions.partition(&found.topic, found.partition);
            let is_of = |hosted: &Arc<HostedPartition>| found.topic_id == Some(hosted.topic_id());
            let Some(hosted) = hosted.filter(is_of) else {
                // The log itself may be in a directory that is offline.
                if log_dirs.are_all_online() {
                    log_dirs.doom(directory, found);
                }
                continue;
            };
            if hosted.directory_id() == directory || hosted.future_directory().is_some() {
                log_dirs.doom(directory, found);
                continue;
            }
            if let Err(error) = self.begin(&hosted, directory, Some(&found.path)) {
                tracing::warn!(
                    target: "kafka.server.ReplicaManager",
                    "The move of {}-{} is given up, since its copy in {} cannot be used: {error}",
                    found.topic, found.partition, found.path.display(),
                );
                log_dirs.doom(directory, found);
            }
        }
    }

    fn begin(
        self: &Arc<Self>,
        hosted: &Arc<HostedPartition>,
        directory: Uuid,
        found: Option<&Path>,
    ) -> Result<bool, StorageError> {
        let config = hosted.with_replica_here(|replica| replica.log().log.config().clone());
        let opened = self.replicas.log_dirs.open_future(hosted, directory, config, found)?;
        let Some(future) = opened else { return Ok(false) };
        hosted.begin_move(future);
        let mut moving = self.moving.lock();
        moving.push(Arc::clone(hosted));
        self.begun.notify_all();
        drop(moving);
        let mut worker = self.worker.lock();
        if worker.is_none() && !self.stopping.load(Ordering::SeqCst) {
            let moves = Arc::clone(self);
            let named = std::thread::Builder::new().name("alter-log-dirs".to_owned());
            *worker = named.spawn(move || moves.run()).ok();
        }
        Ok(true)
    }

    /// The replica stays where it is.
    fn cancel(&self, hosted: &Arc<HostedPartition>) -> Result<(), StorageError> {
        self.moving.lock().retain(|moving| !Arc::ptr_eq(moving, hosted));
        let Some(future) = hosted.end_move() else { return Ok(()) };
        if future.is_told {
            self.replicas.log_dirs.report(hosted);
        }
        self.replicas.log_dirs.drop_future(hosted, future)
    }

    fn run(self: Arc<Self>) {
        while !self.stopping.load(Ordering::SeqCst) {
            let moving = {
                let mut moving = self.moving.lock();
                if moving.is_empty() {
                    self.begun.wait(&mut moving);
                }
                moving.clone()
            };
            let mut has_copied = false;
            for hosted in moving {
                if self.stopping.load(Ordering::SeqCst) {
                    return;
                }
                has_copied |= self.step(&hosted);
            }
            if !has_copied {
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// One step of a move; whether there is more to copy at once.
    fn step(&self, hosted: &Arc<HostedPartition>) -> bool {
        let log_dirs = &self.replicas.log_dirs;
        let Some(to) = hosted.future_directory() else {
            self.forget(hosted);
            return false;
        };
        let from = hosted.directory_id();
        let is_here = hosted.check_present().is_ok();
        if !is_here || !log_dirs.is_online(to) || !log_dirs.is_online(from) {
            if let Err(error) = self.cancel(hosted) {
                self.replicas.note_storage_failure(&error);
            }
            return false;
        }
        if self.replicas.quotas.alter_log_dirs.is_exceeded() {
            return false;
        }
        let assigned = self.is_assigned(hosted, to);
        let promote = |copy: &mut storage::Log| log_dirs.promote(hosted, to, copy);
        match hosted.step_move(assigned, promote) {
            Ok(Some(Moving::Copied(bytes))) => {
                self.replicas.quotas.alter_log_dirs.record(bytes);
                true
            }
            Ok(Some(Moving::Level)) => {
                if hosted.tell_move() {
                    log_dirs.report_at(hosted, to);
                }
                false
            }
            Ok(Some(Moving::Soon) | None) => false,
            Ok(Some(Moving::Promoted(former))) => {
                self.promoted(hosted, from, *former);
                false
            }
            Err(error) => {
                self.failed(hosted, &error);
                false
            }
        }
    }

    /// Whether the metadata has the replica in this directory.
    fn is_assigned(&self, hosted: &HostedPartition, directory: Uuid) -> bool {
        let image = self.quorum.image();
        if !image.metadata_version().has_directories() {
            return true;
        }
        let topic = image.topics().by_id(hosted.topic_id());
        let state = topic.and_then(|topic| topic.partition(hosted.partition()));
        let node_id = self.replicas.context.node_id();
        state.is_some_and(|state| state.directory(node_id) == Some(directory))
    }

    fn promoted(&self, hosted: &Arc<HostedPartition>, from: Uuid, former: storage::Log) {
        let log_dirs = &self.replicas.log_dirs;
        self.forget(hosted);
        if let Err(error) = log_dirs.moved(hosted, from, former) {
            self.replicas.note_storage_failure(&error);
        }
        // What was told of the former directory may still be on its way.
        log_dirs.report(hosted);
        let partitions = self.replicas.partitions.all();
        let written = log_dirs
            .checkpoint_log_starts(&partitions)
            .and_then(|()| log_dirs.checkpoint_high_watermarks(&partitions));
        if let Err(error) = written {
            self.replicas.note_storage_failure(&error);
        }
        tracing::info!(
            target: "kafka.log.LogManager",
            "The current replica is successfully replaced with the future replica for {}-{}",
            hosted.topic(), hosted.partition(),
        );
    }

    fn failed(&self, hosted: &Arc<HostedPartition>, error: &MoveError) {
        tracing::error!(
            target: "kafka.server.ReplicaManager",
            "The move of {}-{} to another log directory is given up: {error}",
            hosted.topic(), hosted.partition(),
        );
        match error {
            MoveError::Read(error) => self.replicas.note_read_failure(error),
            MoveError::Storage(error) | MoveError::Append(storage::AppendError::Storage(error)) => {
                self.replicas.note_storage_failure(error);
            }
            MoveError::Append(_) => {}
        }
        if let Err(error) = self.cancel(hosted) {
            self.replicas.note_storage_failure(&error);
        }
    }

    fn forget(&self, hosted: &Arc<HostedPartition>) {
        self.moving.lock().retain(|moving| !Arc::ptr_eq(moving, hosted));
    }
}
