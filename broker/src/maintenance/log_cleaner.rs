//! Compacts logs: picks the filthiest, has `storage` clean it, puts aside what cannot be.
//! Kafka's `LogCleaner` and `LogCleanerManager`.
//!
//! ```text
//! drive ─▶ run, on a thread that may block: grab ─▶ storage::clean ─▶ cleaner-offset-checkpoint
//! ```
//! A log is cleaned by one run at a time. Its lock is held while it is looked at and while segments
//! are replaced, never while records are read or written. A log in which something cannot be read
//! is uncleanable until the node starts again: it is said then, and again now and then.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use storage::{
    CleanableOffsets, Cleaned, CleanedSegment, CleanerConfig, CleanerHost, CleaningError,
    LogToClean, StorageError,
};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

use super::background_io::{BackgroundIo, Stopping};
use crate::clock::{monotonic, wall_ms};
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::partitions::HostedPartition;
use crate::replication::replica_manager::ReplicaManager;

/// How often it is said of a log that it is uncleanable.
const UNCLEANABLE_LINES: Duration = Duration::from_secs(600);
/// How soon other settings are noticed.
const SETTINGS_CHECK: Duration = Duration::from_secs(1);

type Key = (Uuid, i32);

#[derive(Debug)]
pub(super) struct LogCleaner {
    config: Arc<DynamicBrokerConfig>,
    replicas: Arc<ReplicaManager>,
    io: Arc<BackgroundIo>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_progress: HashSet<Key>,
    uncleanable: HashMap<Key, Uncleanable>,
}

/// Why a log is put aside, and when that was last said.
#[derive(Debug)]
struct Uncleanable {
    reason: String,
    said: Duration,
}

/// The cleaner of a node that runs.
#[derive(Debug)]
pub(super) struct Running {
    /// How long is waited for what is under way, once the node stops.
    stopping: watch::Sender<Option<Duration>>,
    driver: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Running {
    /// Begins nothing more, and waits so long at most for what is under way.
    pub(super) async fn stop(mut self, grace: Duration) {
        // A driver that is gone has nothing under way.
        let _ = self.stopping.send(Some(grace));
        let _ = (&mut self.driver).await;
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Cleaned,
    /// There was nothing to do, or it could not be done.
    Nothing,
}

impl LogCleaner {
    pub(super) fn start(
        config: Arc<DynamicBrokerConfig>,
        replicas: Arc<ReplicaManager>,
        io: Arc<BackgroundIo>,
    ) -> Running {
        tracing::info!(
            target: "org.apache.kafka.storage.internals.log.LogCleaner",
            "Starting the log cleaner",
        );
        let cleaner = Arc::new(Self { config, replicas, io, state: Mutex::default() });
        let (stopping, stopped) = watch::channel(None);
        Running { stopping, driver: tokio::spawn(cleaner.drive(stopped)) }
    }

    /// Keeps log.cleaner.threads runs going, and waits log.cleaner.backoff.ms after one that found
    /// nothing to do.
    async fn drive(self: Arc<Self>, mut stopping: watch::Receiver<Option<Duration>>) {
        let mut runs = JoinSet::new();
        let mut next_run = monotonic();
        let grace = loop {
            let now = monotonic();
            while runs.len() < self.threads() && now >= next_run {
                let (cleaner, thread) = (Arc::clone(&self), runs.len());
                runs.spawn_blocking(move || cleaner.clean_filthiest_log(thread));
            }
            let pause =
                next_run.saturating_sub(now).clamp(Duration::from_millis(1), SETTINGS_CHECK);
            let pause = if runs.len() < self.threads() { pause } else { SETTINGS_CHECK };
            tokio::select! {
                Some(ended) = runs.join_next() => {
                    next_run = match ended {
                        Ok(Run::Cleaned) => monotonic(),
                        Ok(Run::Nothing) | Err(_) => monotonic() + self.backoff(),
                    };
                }
                () = tokio::time::sleep(pause) => {
                    // A backoff that was made shorter holds at once.
                    next_run = next_run.min(monotonic() + self.backoff());
                }
                grace = stopping.wait_for(Option::is_some) => break grace.ok().and_then(|g| *g),
            }
        };
        let all = async { while runs.join_next().await.is_some() {} };
        // One that hangs on its disk is not waited for.
        let _ = tokio::time::timeout(grace.unwrap_or_default(), all).await;
    }

    fn threads(&self) -> usize {
        usize::try_from(self.config.current().log_cleaner_threads).unwrap_or(0)
    }

    fn backoff(&self) -> Duration {
        let ms = self.config.current().log_cleaner_backoff_ms;
        Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1))
    }

    /// What one thread may take of the settings for all.
    fn cleaner_config(&self) -> CleanerConfig {
        let config = self.config.current();
        let threads = self.threads().max(1);
        let dedupe = usize::try_from(config.log_cleaner_dedupe_buffer_size).unwrap_or(0) / threads;
        let io = usize::try_from(config.log_cleaner_io_buffer_size).unwrap_or(0) / threads / 2;
        CleanerConfig {
            dedupe_buffer_bytes: dedupe,
            dedupe_buffer_load_factor: config.log_cleaner_io_buffer_load_factor,
            io_buffer_bytes: io,
        }
    }

    fn clean_filthiest_log(&self, thread: usize) -> Run {
        self.maintain_uncleanable();
        let Some((partition, offsets)) = self.grab_filthiest_compacted_log() else {
            return Run::Nothing;
        };
        let cleaned = catch_unwind(AssertUnwindSafe(|| self.clean(&partition, offsets, thread)));
        self.state.lock().in_progress.remove(&key(&partition));
        match cleaned {
            Ok(Ok(run)) => run,
            Ok(Err(CleaningError::Aborted)) => Run::Nothing,
            Ok(Err(error)) => {
                self.note_failure(&partition, error);
                Run::Nothing
            }
            Err(panic) => {
                self.put_aside(&partition, format!("panicked: {}", panic_text(panic.as_ref())));
                Run::Nothing
            }
        }
    }

    /// The log of which the most is dirty, among those that are to be cleaned.
    fn grab_filthiest_compacted_log(&self) -> Option<(Arc<HostedPartition>, CleanableOffsets)> {
        let now_ms = wall_ms();
        let mut filthiest: Option<(Arc<HostedPartition>, CleanableOffsets)> = None;
        for partition in self.replicas.partitions.all() {
            let key = key(&partition);
            let state = self.state.lock();
            if state.in_progress.contains(&key) || state.uncleanable.contains_key(&key) {
                continue;
            }
            drop(state);
            let found = partition.with_replica_here(|replica| {
                let log = &replica.log().log;
                let is_wanted = log.config().cleanup.compact && !log.is_failed();
                is_wanted.then(|| log.cleanable_offsets(now_ms)).transpose()
            });
            let offsets = match found {
                Ok(offsets) => offsets,
                Err(error) => {
                    self.note_failure(&partition, error.into());
                    continue;
                }
            };
            let best = filthiest.as_ref().and_then(|(_, best)| best.ratio());
            if let Some(offsets) = offsets.filter(CleanableOffsets::is_due)
                && offsets.ratio() > best
            {
                filthiest = Some((partition, offsets));
            }
        }
        let (partition, _) = filthiest.as_ref()?;
        // Another thread may have been quicker.
        self.state.lock().in_progress.insert(key(partition)).then_some(filthiest).flatten()
    }

    fn clean(
        &self,
        partition: &HostedPartition,
        offsets: CleanableOffsets,
        thread: usize,
    ) -> Result<Run, CleaningError> {
        let begun =
            partition.with_replica_here(|replica| replica.log().log.begin_cleaning(offsets));
        let to_clean = begun?;
        let (began, mut indexed) = (monotonic(), monotonic());
        let mut host = Host { partition, io: &self.io, to_clean: &to_clean };
        let cleaned =
            storage::clean(&to_clean, &self.cleaner_config(), wall_ms(), &mut host, &mut || {
                indexed = monotonic()
            })?;
        let noted = partition.with_replica_here(|replica| {
            replica.log_mut().log.end_cleaning(&to_clean, cleaned.end_offset)
        })?;
        say_cleaned(thread, &to_clean, &cleaned, began, indexed);
        Ok(if noted { Run::Cleaned } else { Run::Nothing })
    }

    /// What a failure costs: nothing where the replica is gone, another attempt where what was
    /// lacking may come back, the log directory where the disk failed, else the log is put aside.
    fn note_failure(&self, partition: &HostedPartition, error: CleaningError) {
        if partition.check_present().is_err() {
            return;
        }
        match error {
            CleaningError::Storage(error) if may_pass(&error) => tracing::warn!(
                target: "org.apache.kafka.storage.internals.log.LogCleaner",
                "Cleaning of log {} is tried again: {error}", name(partition),
            ),
            CleaningError::Storage(
                error @ (StorageError::Io { .. } | StorageError::PreviousIo { .. }),
            ) => {
                tracing::error!(
                    target: "org.apache.kafka.storage.internals.log.LogCleaner",
                    "Failed to clean up log for {} due to IOException: {error}", name(partition),
                );
                self.replicas.note_storage_failure(&error);
            }
            error => self.put_aside(partition, error.to_string()),
        }
    }

    fn put_aside(&self, partition: &HostedPartition, reason: String) {
        let name = name(partition);
        tracing::warn!(
            target: "org.apache.kafka.storage.internals.log.LogCleaner",
            "Unexpected exception thrown when cleaning log {name}. Marking its partition ({name}) \
             as uncleanable: {reason}",
        );
        let uncleanable = Uncleanable { reason, said: monotonic() };
        self.state.lock().uncleanable.insert(key(partition), uncleanable);
    }

    /// Forgets logs that are gone, and says which are uncleanable still.
    fn maintain_uncleanable(&self) {
        let mut state = self.state.lock();
        if state.uncleanable.is_empty() {
            return;
        }
        let hosted: HashMap<Key, Arc<HostedPartition>> =
            self.replicas.partitions.all().into_iter().map(|p| (key(&p), p)).collect();
        state.uncleanable.retain(|key, _| hosted.contains_key(key));
        let now = monotonic();
        for (key, uncleanable) in &mut state.uncleanable {
            if now.saturating_sub(uncleanable.said) >= UNCLEANABLE_LINES {
                uncleanable.said = now;
                tracing::warn!(
                    target: "org.apache.kafka.storage.internals.log.LogCleaner",
                    "Partition {} is uncleanable still and only grows: {}",
                    hosted.get(key).map_or_else(String::new, |p| name(p)), uncleanable.reason,
                );
            }
        }
    }
}

/// One run's hands: the budget of background work, and the log's lock.
struct Host<'h> {
    partition: &'h HostedPartition,
    io: &'h BackgroundIo,
    to_clean: &'h LogToClean,
}

impl CleanerHost for Host<'_> {
    fn acquire(&mut self, bytes: u64) -> Result<(), CleaningError> {
        self.partition.check_present().map_err(|_| CleaningError::Aborted)?;
        self.io.acquire(bytes).map_err(|Stopping| CleaningError::Aborted)
    }

    fn replace_segments(&mut self, cleaned: &CleanedSegment) -> Result<(), CleaningError> {
        let replaced = self.partition.with_replica_here(|replica| {
            if self.partition.check_present().is_err() {
                return Ok(false);
            }
            replica.log_mut().log.replace_segments(self.to_clean, cleaned, wall_ms())
        })?;
        if replaced { Ok(()) } else { Err(CleaningError::Aborted) }
    }
}

fn key(partition: &HostedPartition) -> Key {
    (partition.topic_id(), partition.partition())
}

fn name(partition: &HostedPartition) -> String {
    format!("{}-{}", partition.topic(), partition.partition())
}

/// Whether a failure may pass by itself. Unlike Kafka, a full disk costs no log directory: what a
/// cleaning writes is beside the logs (docs/decisions/0448).
fn may_pass(error: &StorageError) -> bool {
    let is_full = |error: &std::io::Error| {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(error.kind(), StorageFull | QuotaExceeded)
    };
    error.is_exhaustion() || matches!(error, StorageError::Io { source, .. } if is_full(source))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given")
}

#[allow(clippy::cast_precision_loss, reason = "for a line")]
fn say_cleaned(
    thread: usize,
    to_clean: &LogToClean,
    cleaned: &Cleaned,
    began: Duration,
    indexed: Duration,
) {
    let (stats, now) = (&cleaned.stats, monotonic());
    let mb = |bytes: u64| bytes as f64 / 1_048_576.0;
    let seconds = now.saturating_sub(began).as_secs_f64();
    let reduction = 100.0 * (1.0 - stats.bytes_written as f64 / (stats.bytes_read as f64).max(1.0));
    tracing::info!(
        target: "org.apache.kafka.storage.internals.log.LogCleaner$CleanerThread",
        "Log cleaner thread {thread} cleaned log {} (dirty section = [{}, {}]): {:.1} MB of log \
         processed in {seconds:.1} seconds ({:.1} MB/sec), indexed {:.1} MB in {:.1} seconds, \
         buffer utilization {:.1}%, start size {:.1} MB ({} messages), end size {:.1} MB \
         ({} messages), {reduction:.1}% size reduction",
        to_clean.name(), to_clean.offsets().first_dirty_offset, cleaned.end_offset,
        mb(stats.bytes_read), mb(stats.bytes_read) / seconds.max(0.001), mb(stats.map_bytes_read),
        indexed.saturating_sub(began).as_secs_f64(), 100.0 * stats.buffer_utilization,
        mb(stats.bytes_read), stats.messages_read, mb(stats.bytes_written), stats.messages_written,
    );
    if stats.invalid_messages_read > 0 {
        tracing::warn!(
            target: "org.apache.kafka.storage.internals.log.LogCleaner$CleanerThread",
            "Found {} invalid messages during compaction of {}.",
            stats.invalid_messages_read, to_clean.name(),
        );
    }
}
