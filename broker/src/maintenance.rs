//! What a broker does on its own from time to time: sync, checkpoints, retention, compaction,
//! forgetting.
//!
//! ```text
//! schedule (which task when) ─▶ scheduler (threads) ─▶ task: walks the partitions
//!                     io_budget ─▶ background_io ◀─ asked before much is read or written
//! log_cleaner: threads of its own ────────────────▲
//! ```
//! A partition whose lock is taken is left for the next round, so upkeep never holds up an append.
//! Kafka: the scheduled tasks of `LogManager` and `ReplicaManager`, by their names there.

mod background_io;
mod io_budget;
mod log_cleaner;
mod metrics_report;
mod schedule;
mod scheduler;

use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use storage::StorageError;

use crate::client_metrics::ClientMetrics;
use crate::clock::wall_ms;
use crate::log_dirs::LogDirs;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::net::registry::Registry;
use crate::partitions::{HostedPartition, StoredLog};
use crate::replication::replica_manager::ReplicaManager;

use self::background_io::{BackgroundIo, Stopping};
use self::log_cleaner::LogCleaner;
use self::schedule::Outcome;
use self::scheduler::{STOP_GRACE, ScheduledTask, Scheduler};

/// How often it is looked for connections that are idle or too many.
const CONNECTIONS_CHECK: Duration = Duration::from_secs(1);
/// How often it is looked for clients that push no more.
const CLIENTS_CHECK: Duration = Duration::from_secs(10);
/// How often it is looked for keys and certificates whose files changed.
const STORES_CHECK: Duration = Duration::from_secs(10);
/// How often it is checked whether a log is due for a sync by flush.ms, at most.
const FLUSH_CHECK_MAX: Duration = Duration::from_secs(1);

/// The tasks of a node.
#[derive(Debug)]
pub(crate) struct Maintenance {
    scheduler: Scheduler,
    cleaner: Option<log_cleaner::Running>,
    io: Arc<BackgroundIo>,
}

/// What tasks work on.
#[derive(Debug, Clone)]
struct Upkeep {
    config: Arc<DynamicBrokerConfig>,
    replicas: Arc<ReplicaManager>,
    io: Arc<BackgroundIo>,
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        self.io.stop();
    }
}

impl Maintenance {
    pub(crate) fn start(
        config: &Arc<DynamicBrokerConfig>,
        replicas: &Arc<ReplicaManager>,
        registry: &Arc<Registry>,
        metrics: &Arc<metrics::Registry>,
        client_metrics: Option<&Arc<ClientMetrics>>,
    ) -> Self {
        let io = Arc::new(BackgroundIo::new(Arc::clone(config)));
        let upkeep = Upkeep {
            config: Arc::clone(config),
            replicas: Arc::clone(replicas),
            io: Arc::clone(&io),
        };
        let mut tasks = tasks(&config.current(), &upkeep);
        let registry = Arc::clone(registry);
        tasks.push(ScheduledTask {
            name: "connections",
            delay: CONNECTIONS_CHECK,
            period: CONNECTIONS_CHECK,
            work: Arc::new(move || {
                registry.end_superfluous();
                Outcome::Done
            }),
        });
        tasks.extend((!config.tls().is_empty()).then(|| {
            let config = Arc::clone(config);
            ScheduledTask {
                name: "tls-stores",
                delay: STORES_CHECK,
                period: STORES_CHECK,
                work: Arc::new(move || {
                    config.tls().reread_changed(&config.current());
                    Outcome::Done
                }),
            }
        }));
        tasks.push(metrics_report::task(Arc::clone(metrics), client_metrics.cloned()));
        tasks.extend(client_metrics.cloned().map(|client_metrics| ScheduledTask {
            name: "client-metrics-reaper",
            delay: CLIENTS_CHECK,
            period: CLIENTS_CHECK,
            work: Arc::new(move || {
                client_metrics.expire();
                Outcome::Done
            }),
        }));
        let config = Arc::clone(config);
        let cleaner = config.current().log_cleaner_enable.then(|| {
            let (config, replicas, io) =
                (Arc::clone(&config), Arc::clone(replicas), Arc::clone(&io));
            LogCleaner::start(config, replicas, io)
        });
        let scheduler = Scheduler::start(tasks, move || config.background_threads());
        Self { scheduler, cleaner, io }
    }

    /// Nothing runs any more when this returns, but for what hangs on its disk.
    pub(crate) async fn stop(mut self) {
        self.io.stop();
        if let Some(cleaner) = self.cleaner.take() {
            cleaner.stop(STOP_GRACE).await;
        }
        self.scheduler.stop().await;
    }
}

fn tasks(config: &BrokerConfig, upkeep: &Upkeep) -> Vec<ScheduledTask> {
    let every = |name, delay: Duration, period: Duration, work: Work| {
        let upkeep = upkeep.clone();
        ScheduledTask { name, delay, period, work: Arc::new(move || work(&upkeep)) }
    };
    let delay = millis(config.log_initial_task_delay_ms);
    let flush_check = millis(config.log_flush_scheduler_interval_ms).min(FLUSH_CHECK_MAX);
    let recovery_points = config.log_flush_offset_checkpoint_interval_ms;
    let log_starts = config.log_flush_start_offset_checkpoint_interval_ms;
    let high_watermarks = millis(config.replica_high_watermark_checkpoint_interval_ms);
    let expiry = millis(i64::from(config.producer_id_expiration_check_interval_ms));
    // Whoever lags is noticed after one and a half of replica.lag.time.max.ms at most.
    let lag_check = millis(config.replica_lag_time_max_ms / 2);
    vec![
        every(
            "kafka-log-retention",
            delay,
            millis(config.log_retention_check_interval_ms),
            retention,
        ),
        every("kafka-log-flusher", delay, flush_check, flush),
        every(
            "kafka-recovery-point-checkpoint",
            delay,
            millis(i64::from(recovery_points)),
            |upkeep| upkeep.checkpoint(LogDirs::checkpoint_recovery_points),
        ),
        every(
            "kafka-log-start-offset-checkpoint",
            delay,
            millis(i64::from(log_starts)),
            |upkeep| upkeep.checkpoint(LogDirs::checkpoint_log_starts),
        ),
        every("highwatermark-checkpoint", Duration::ZERO, high_watermarks, |upkeep| {
            upkeep.checkpoint(LogDirs::checkpoint_high_watermarks)
        }),
        every("PeriodicProducerExpirationCheck", expiry, expiry, expire_producers),
        every("kafka-delete-logs", delay, FLUSH_CHECK_MAX, remove_deleted),
        every("isr-expiration", Duration::ZERO, lag_check, lag),
    ]
}

type Work = fn(&Upkeep) -> Outcome;

type Checkpoint = fn(&LogDirs, &[Arc<HostedPartition>]) -> Result<(), StorageError>;

impl Upkeep {
    fn checkpoint(&self, write: Checkpoint) -> Outcome {
        self.noted(write(&self.replicas.log_dirs, &self.replicas.partitions.all()))
    }

    /// What failed costs its directory, or is tried with the next run.
    fn noted(&self, done: Result<(), StorageError>) -> Outcome {
        match done {
            Ok(()) => Outcome::Done,
            Err(error) => {
                self.replicas.note_storage_failure(&error);
                Outcome::Failed
            }
        }
    }

    /// Goes through all partitions: one that fails keeps nothing from the others.
    fn each(&self, work: impl Fn(&HostedPartition) -> Result<(), StorageError>) -> Outcome {
        let mut outcome = Outcome::Done;
        for partition in self.replicas.partitions.all() {
            if self.noted(work(&partition)) == Outcome::Failed {
                outcome = Outcome::Failed;
            }
        }
        outcome
    }

    /// Applies `work` to every log whose lock is free.
    fn each_log(&self, work: impl Fn(&mut StoredLog, i64) -> Result<(), StorageError>) -> Outcome {
        let now_ms = wall_ms();
        self.each(|partition| {
            let worked = partition.try_with_replica(|replica| work(replica.log_mut(), now_ms));
            worked.unwrap_or(Ok(()))
        })
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1))
}

fn retention(upkeep: &Upkeep) -> Outcome {
    let now_ms = wall_ms();
    upkeep.each(|partition| {
        // An index that reads found unfit is built anew from all of its segment, under the lock.
        let to_read = partition.reader().unfit_index_bytes();
        if to_read > 0 && upkeep.io.acquire(to_read) == Err(Stopping) {
            return Ok(());
        }
        let worked =
            partition.try_with_replica(|replica| replica.log_mut().log.delete_old_segments(now_ms));
        worked.unwrap_or(Ok(0)).map(drop)
    })
}

fn flush(upkeep: &Upkeep) -> Outcome {
    let now_ms = wall_ms();
    upkeep.each(|partition| {
        let begun =
            partition.try_with_replica(|replica| replica.log_mut().log.begin_due_flush(now_ms));
        let Some(ticket) = begun.unwrap_or(Ok(None))? else { return Ok(()) };
        let flushed = partition.run_flush(ticket);
        partition.with_replica_here(|replica| replica.log_mut().log.end_flush(flushed))
    })
}

fn lag(upkeep: &Upkeep) -> Outcome {
    upkeep.replicas.partitions.all().iter().for_each(|partition| partition.tick());
    Outcome::Done
}

fn expire_producers(upkeep: &Upkeep) -> Outcome {
    let expiration_ms = i64::from(upkeep.config.current().producer_id_expiration_ms);
    upkeep.each_log(|stored, now_ms| {
        stored.log.expire_producers(expiration_ms, now_ms);
        Ok(())
    })
}

fn remove_deleted(upkeep: &Upkeep) -> Outcome {
    let directories = upkeep.noted(upkeep.replicas.log_dirs.remove_deleted(wall_ms()));
    match upkeep.each_log(|stored, now_ms| stored.log.remove_doomed(now_ms)) {
        Outcome::Done => directories,
        Outcome::Failed => Outcome::Failed,
    }
}
