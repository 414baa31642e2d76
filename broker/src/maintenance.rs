//! What a broker does on its own from time to time: sync, checkpoints, retention, forgetting.
//!
//! Each is a task that sleeps for its interval and then walks the partitions on a blocking thread;
//! a partition whose lock is taken is left for the next round, so upkeep never holds up an append.
//! Kafka: the scheduled tasks of `LogManager` and `ReplicaManager`.

use std::sync::Arc;
use std::time::Duration;

use storage::StorageError;
use tokio::task::JoinHandle;

use crate::broker::Broker;
use crate::replication::alter_partition;
use crate::replication::partitions::{HostedPartition, StoredLog};

/// How often it is looked for connections that are idle or too many.
const CONNECTIONS_CHECK: Duration = Duration::from_secs(1);
/// How often it is checked whether a log is due for a sync by flush.ms, at most.
const FLUSH_CHECK_MAX: Duration = Duration::from_secs(1);

/// The tasks, which end when this is dropped.
#[derive(Debug)]
pub(crate) struct Maintenance {
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Maintenance {
    pub(crate) fn start(broker: &Arc<Broker>) -> Self {
        let config = broker.config();
        let delay = millis(config.log_initial_task_delay_ms);
        let flush_check = millis(config.log_flush_scheduler_interval_ms).min(FLUSH_CHECK_MAX);
        let tasks = vec![
            every(broker, delay, millis(config.log_retention_check_interval_ms), retention),
            every(broker, delay, flush_check, flush),
            every(
                broker,
                delay,
                millis(i64::from(config.log_flush_offset_checkpoint_interval_ms)),
                |broker| {
                    broker.parts.log_dirs.checkpoint_recovery_points(&broker.partitions().all())
                },
            ),
            every(
                broker,
                delay,
                millis(i64::from(config.log_flush_start_offset_checkpoint_interval_ms)),
                |broker| broker.parts.log_dirs.checkpoint_log_starts(&broker.partitions().all()),
            ),
            every(
                broker,
                Duration::ZERO,
                millis(config.replica_high_watermark_checkpoint_interval_ms),
                |broker| {
                    broker.parts.log_dirs.checkpoint_high_watermarks(&broker.partitions().all())
                },
            ),
            every(
                broker,
                delay,
                millis(i64::from(config.producer_id_expiration_check_interval_ms)),
                expire_producers,
            ),
            every(broker, delay, FLUSH_CHECK_MAX, remove_deleted),
            // Whoever lags is noticed after at most one and a half of the time.
            every(broker, Duration::ZERO, millis(config.replica_lag_time_max_ms / 2), lag),
            alter_partition::start(broker),
            tokio::spawn(watch_connections(Arc::clone(broker))),
        ];
        Self { tasks }
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1))
}

fn every(
    broker: &Arc<Broker>,
    delay: Duration,
    interval: Duration,
    work: fn(&Broker) -> Result<(), StorageError>,
) -> JoinHandle<()> {
    let broker = Arc::clone(broker);
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        loop {
            tokio::time::sleep(interval).await;
            let of_round = Arc::clone(&broker);
            let done = tokio::task::spawn_blocking(move || work(&of_round)).await;
            if let Ok(Err(error)) = done {
                broker.note_storage_failure(&error);
            }
        }
    })
}

async fn watch_connections(broker: Arc<Broker>) {
    loop {
        tokio::time::sleep(CONNECTIONS_CHECK).await;
        broker.parts.registry.end_superfluous();
    }
}

/// Applies `work` to every log whose lock is free.
fn each_log(
    broker: &Broker,
    work: impl Fn(&HostedPartition, &mut StoredLog, i64) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let now_ms = broker.now_ms();
    for partition in broker.partitions().all() {
        let worked =
            partition.try_with_replica(|replica| work(&partition, replica.log_mut(), now_ms));
        worked.unwrap_or(Ok(()))?;
    }
    Ok(())
}

fn retention(broker: &Broker) -> Result<(), StorageError> {
    each_log(broker, |_, stored, now_ms| stored.log.delete_old_segments(now_ms).map(drop))
}

fn flush(broker: &Broker) -> Result<(), StorageError> {
    let now_ms = broker.now_ms();
    for partition in broker.partitions().all() {
        let begun =
            partition.try_with_replica(|replica| replica.log_mut().log.begin_due_flush(now_ms));
        if let Some(ticket) = begun.unwrap_or(Ok(None))? {
            let flushed = ticket.run();
            partition.with_replica_here(|replica| replica.log_mut().log.end_flush(flushed))?;
        }
    }
    Ok(())
}

fn lag(broker: &Broker) -> Result<(), StorageError> {
    broker.partitions().all().iter().for_each(|partition| partition.tick());
    Ok(())
}

fn expire_producers(broker: &Broker) -> Result<(), StorageError> {
    each_log(broker, |_, stored, now_ms| {
        stored.log.expire_producers(now_ms);
        Ok(())
    })
}

fn remove_deleted(broker: &Broker) -> Result<(), StorageError> {
    broker.parts.log_dirs.remove_deleted(broker.now_ms())?;
    each_log(broker, |_, stored, now_ms| stored.log.remove_doomed(now_ms))
}
