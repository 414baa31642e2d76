//! One partition as the broker hosts it: the replica behind its lock, and what readers need
//! without.
//!
//! Appends take the lock, through the disk gate, since a write may block. Everything a consumer's
//! fetch needs is published (`published_offsets`) or shared (`LogReader`), so that no reader ever
//! waits for a writer. Every step of the replica goes through [`HostedPartition::step`]: what
//! changed is published under the lock, who waited for it is answered and woken after it.

mod appends;
mod following;
mod future;
mod leading;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::fetch::AbortedTransaction;
use replica::{
    Answer, Effects, FetchIsolation, Partition, Recovery, Registration, Role, Settings, Standing,
    StepContext, Token,
};
use storage::{AppendError, LogConfig, LogReader, StorageError};
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

pub(crate) use self::appends::{AppendRefused, Committing, DeleteRefused};
pub(crate) use self::future::{FutureReplica, MoveError, Moving, ShownFuture};
use super::published_offsets::{Leadership, Moved, Offsets, PublishedOffsets};
use super::replica_context::{Proposed, ReplicaContext};
use super::stored_log::{self, StoredLog};
use super::topic_metrics::TopicMetrics;
use super::wakers::{Wakers, Watchers};
use crate::clock::wall_ms;
use crate::partitions::Watcher;

/// One hosted partition.
#[derive(Debug)]
pub(crate) struct HostedPartition {
    topic: Arc<str>,
    topic_id: Uuid,
    partition: i32,
    /// The log directory that it is in.
    directory_id: Mutex<Uuid>,
    /// Its copy in another directory, while it moves there. Locked before `replica`.
    future: Mutex<Option<FutureReplica>>,
    /// What is told of that copy.
    shown_future: ArcSwapOption<ShownFuture>,
    replica: Mutex<Partition<StoredLog>>,
    published: PublishedOffsets,
    reader: ArcSwap<LogReader>,
    waiting_consumers: Wakers,
    waiting_followers: Wakers,
    watchers: Watchers,
    waiting_produces: Mutex<HashMap<Token, oneshot::Sender<Answer>>>,
    waiting_deletions: Mutex<HashMap<Token, oneshot::Sender<Option<i64>>>>,
    next_token: AtomicU64,
    /// Why the replica is on this broker no more; unset while it is.
    gone: OnceLock<ErrorCode>,
    /// Where readers met bytes that are no batch.
    damage: OnceLock<Damage>,
    /// Whether the topic's settings name this replica among those that are held back.
    throttled_as_leader: AtomicBool,
    throttled_as_follower: AtomicBool,
    /// min.insync.replicas of its topic.
    min_in_sync: AtomicUsize,
    /// Why it is fetched no more, as long as it is not.
    halted_for: Mutex<Option<String>>,
    /// Held by whoever syncs the log.
    flushing: tokio::sync::Mutex<()>,
    topic_metrics: Arc<TopicMetrics>,
    context: Arc<ReplicaContext>,
}

/// Which replica it is, and in which log directory.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    pub(crate) topic: Arc<str>,
    pub(crate) topic_id: Uuid,
    pub(crate) partition: i32,
    pub(crate) directory_id: Uuid,
}

/// Bytes of a replica's log that cannot be read.
#[derive(Debug)]
pub(crate) struct Damage {
    /// The leadership in which a reader met them.
    pub(crate) leader_epoch: i32,
    /// Where they are, and what is wrong with them.
    pub(crate) found: String,
}

/// What a topic's settings say of one replica.
#[derive(Debug, Clone)]
pub(crate) struct ReplicaSettings {
    pub(crate) log: LogConfig,
    pub(crate) min_in_sync: usize,
    pub(crate) throttled_as_leader: bool,
    pub(crate) throttled_as_follower: bool,
}

impl HostedPartition {
    pub(crate) fn new(
        which: Replica,
        log: StoredLog,
        high_watermark: i64,
        settings: ReplicaSettings,
        context: Arc<ReplicaContext>,
    ) -> Self {
        let Replica { topic, topic_id, partition, directory_id } = which;
        let reader = log.reader();
        let mut replica = Partition::new(log, high_watermark, of_replica(&settings, &context));
        let high_watermark = replica.high_watermark();
        replica.log_mut().log.high_watermark_moved(high_watermark);
        let topic_metrics = context.metrics().of_topic(&topic);
        let hosted = Self {
            topic,
            topic_id,
            partition,
            directory_id: Mutex::new(directory_id),
            future: Mutex::default(),
            shown_future: ArcSwapOption::empty(),
            published: PublishedOffsets::new(),
            reader: ArcSwap::from_pointee(reader),
            waiting_consumers: Wakers::default(),
            waiting_followers: Wakers::default(),
            watchers: Watchers::default(),
            waiting_produces: Mutex::default(),
            waiting_deletions: Mutex::default(),
            next_token: AtomicU64::new(0),
            gone: OnceLock::new(),
            damage: OnceLock::new(),
            throttled_as_leader: AtomicBool::new(settings.throttled_as_leader),
            throttled_as_follower: AtomicBool::new(settings.throttled_as_follower),
            min_in_sync: AtomicUsize::new(settings.min_in_sync),
            halted_for: Mutex::default(),
            flushing: tokio::sync::Mutex::default(),
            topic_metrics,
            context,
            replica: Mutex::new(replica),
        };
        hosted.publish(&hosted.replica.lock());
        hosted
    }

    pub(crate) fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    /// What is counted of its topic here.
    pub(crate) fn topic_metrics(&self) -> &TopicMetrics {
        &self.topic_metrics
    }

    pub(crate) fn topic_id(&self) -> Uuid {
        self.topic_id
    }

    pub(crate) fn partition(&self) -> i32 {
        self.partition
    }

    pub(crate) fn directory_id(&self) -> Uuid {
        *self.directory_id.lock()
    }

    /// The offsets as last published.
    pub(crate) fn published(&self) -> &PublishedOffsets {
        &self.published
    }

    /// The log, for reads that need no lock; another one once the replica has moved.
    pub(crate) fn reader(&self) -> Arc<LogReader> {
        self.reader.load_full()
    }

    /// First offset that such a reader may not see.
    pub(crate) fn upper_bound(&self, isolation: FetchIsolation) -> i64 {
        self.published.upper_bound(isolation)
    }

    /// How many replicas must be in sync for acks=all.
    pub(crate) fn min_in_sync(&self) -> usize {
        self.min_in_sync.load(Ordering::Relaxed)
    }

    pub(crate) fn is_throttled_as_leader(&self) -> bool {
        self.throttled_as_leader.load(Ordering::Relaxed)
    }

    pub(crate) fn is_throttled_as_follower(&self) -> bool {
        self.throttled_as_follower.load(Ordering::Relaxed)
    }

    /// Whether the replica is still on this broker; the error says why it is not.
    pub(crate) fn check_present(&self) -> Result<(), ErrorCode> {
        self.gone.get().map_or(Ok(()), |why| Err(*why))
    }

    /// What somebody hears whose request waited for this replica to lead on: why it is gone, or
    /// that it does not lead.
    pub(crate) fn why_not_leader(&self) -> ErrorCode {
        self.check_present().err().unwrap_or(ErrorCode::NotLeaderOrFollower)
    }

    /// Whether a request that knows the leadership under `current_leader_epoch` (-1: under none)
    /// may be served here. Kafka: `Partition.checkCurrentLeaderEpoch` and
    /// `localLogWithEpochOrThrow`.
    pub(crate) fn check_leadership(
        &self,
        current_leader_epoch: i32,
        leader_only: bool,
    ) -> Result<(), ErrorCode> {
        self.check_present()?;
        let (leads, epoch) = (self.published.leads(), self.published.leader_epoch());
        replica::check_leadership(leads, epoch, current_leader_epoch, leader_only)
            .map_err(|refused| refused.code())
    }

    /// What the replica is, given from whom it is fetched; `None` while somebody is at work on it.
    pub(crate) fn standing(&self, fetched_from: Option<i32>) -> Option<Standing> {
        Some(
            self.replica
                .try_lock()?
                .standing(fetched_from, self.damage().map(|found| found.leader_epoch)),
        )
    }

    /// A reader met bytes that are no batch: the replica is fetched no more, and gives way to those
    /// that are whole.
    pub(crate) fn note_damage(&self, found: &impl ToString) {
        let found =
            Damage { leader_epoch: self.published.leader_epoch(), found: found.to_string() };
        if self.damage.set(found).is_ok() {
            self.context.note_failure();
        }
    }

    /// The first damage that readers met.
    pub(crate) fn damage(&self) -> Option<&Damage> {
        self.damage.get()
    }

    /// Something of it is not as it should be: the broker is compared with the metadata soon.
    pub(crate) fn note_failure(&self) {
        self.context.note_failure();
    }

    /// The controller's word on who leads, who replicates and who is in sync. Touches the log, so
    /// call it where that may be.
    pub(crate) fn apply(&self, registration: &Registration) -> Result<(), AppendError> {
        self.step(|replica, at| match replica.apply(registration, at) {
            Ok(effects) => (Ok(()), effects),
            Err(error) => (Err(error), Effects::default()),
        })
    }

    /// The replica goes away from this broker: it takes nothing more, and nobody waits here. `why`
    /// is what those hear who find it nevertheless; the first reason stays.
    pub(crate) fn give_up(&self, why: ErrorCode) {
        let _ = self.gone.set(why);
        self.step(|replica, _| {
            let nobody = Registration {
                leader: -1,
                leader_epoch: replica.leader_epoch(),
                partition_epoch: replica.partition_epoch(),
                replicas: Vec::new(),
                adding: Vec::new(),
                removing: Vec::new(),
                isr: Vec::new(),
                recovery: Recovery::Recovered,
            };
            ((), replica.follow(&nobody))
        });
        self.wake(Moved { end: true, committed: true });
    }

    /// The topic's settings changed.
    pub(crate) fn configure(&self, settings: ReplicaSettings) {
        self.throttled_as_leader.store(settings.throttled_as_leader, Ordering::Relaxed);
        self.throttled_as_follower.store(settings.throttled_as_follower, Ordering::Relaxed);
        self.min_in_sync.store(settings.min_in_sync, Ordering::Relaxed);
        let mut replica = self.replica.lock();
        replica.configure(of_replica(&settings, &self.context));
        replica.log_mut().log.set_config(settings.log);
    }

    /// Transactions that were rolled back and have records in `[from, upper)`.
    pub(crate) fn aborted_between(
        &self,
        from: i64,
        upper: i64,
    ) -> Result<Vec<AbortedTransaction>, StorageError> {
        let aborted = self.reader().aborted_transactions(from, upper)?;
        Ok(aborted.into_iter().map(stored_log::told).collect())
    }

    /// The largest epoch at or below `epoch` and where it ends; `None` where that is not known.
    pub(crate) fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        self.with_replica(|replica| replica.log().log.end_offset_for_epoch(epoch))
    }

    /// Runs something on the replica that may touch files, then publishes what it changed.
    pub(crate) fn with_replica<R>(&self, act: impl FnOnce(&mut Partition<StoredLog>) -> R) -> R {
        self.context.gate().run(|| self.with_replica_here(act))
    }

    /// Like [`Self::with_replica`], on a thread that may block.
    pub(crate) fn with_replica_here<R>(
        &self,
        act: impl FnOnce(&mut Partition<StoredLog>) -> R,
    ) -> R {
        self.step(|replica, _| (act(replica), Effects::default()))
    }

    /// Like [`Self::with_replica`], but only if nobody holds the lock: for upkeep that can wait.
    pub(crate) fn try_with_replica<R>(
        &self,
        act: impl FnOnce(&mut Partition<StoredLog>) -> R,
    ) -> Option<R> {
        let mut replica = self.replica.try_lock()?;
        let result = act(&mut replica);
        let moved = self.publish(&replica);
        drop(replica);
        self.wake(moved);
        Some(result)
    }

    /// Wakes `sleeper` when there may be more of what is committed.
    pub(crate) fn wake_consumer(&self, sleeper: Weak<Notify>) {
        self.waiting_consumers.register(sleeper);
    }

    /// Wakes `sleeper` when there may be more at the log's end.
    pub(crate) fn wake_follower(&self, sleeper: Weak<Notify>) {
        self.waiting_followers.register(sleeper);
    }

    /// Tells `watcher` of every change from now on.
    pub(crate) fn watch(&self, watcher: Arc<Watcher>) {
        self.watchers.add(watcher);
    }

    /// One step of the replica and everything that follows from it.
    fn step<R>(
        &self,
        act: impl FnOnce(&mut Partition<StoredLog>, &StepContext<'_>) -> (R, Effects),
    ) -> R {
        let (result, effects, moved) = {
            let mut replica = self.replica.lock();
            let (result, effects) = self.context.at(wall_ms(), |at| act(&mut replica, at));
            (result, effects, self.publish(&replica))
        };
        self.carry_out(effects);
        self.wake(moved);
        result
    }

    fn carry_out(&self, effects: Effects) {
        self.answer(effects.answered);
        if !effects.deleted.is_empty() {
            let mut waiting = self.waiting_deletions.lock();
            for (token, low_watermark) in effects.deleted {
                if let Some(sender) = waiting.remove(&token) {
                    // The client may be gone; the records are gone all the same.
                    let _ = sender.send(low_watermark);
                }
            }
        }
        if let Some(proposal) = effects.propose {
            let (topic_id, partition) = (self.topic_id, self.partition);
            self.context.propose(Proposed { topic_id, partition, proposal });
        }
        if let Some(outcome) = effects.isr {
            tracing::debug!(
                target: "kafka.cluster.Partition",
                "[Partition {}-{}] The change of the in-sync set: {outcome:?}",
                self.topic, self.partition,
            );
        }
    }

    fn answer(&self, answered: Vec<(Token, Answer)>) {
        if answered.is_empty() {
            return;
        }
        let mut waiting = self.waiting_produces.lock();
        for (token, answer) in answered {
            if let Some(sender) = waiting.remove(&token) {
                // The client may be gone; the records are there all the same.
                let _ = sender.send(answer);
            }
        }
    }

    fn wake(&self, moved: Moved) {
        if moved.end || moved.committed {
            self.watchers.tell(moved.end);
        }
        if moved.end {
            self.waiting_followers.wake();
        }
        if moved.committed {
            self.waiting_consumers.wake();
        }
    }

    fn publish(&self, replica: &Partition<StoredLog>) -> Moved {
        let log = replica.log();
        let start_offset = match replica.role() {
            Role::Leader(leader) => leader.epoch_start(),
            Role::Follower(_) => -1,
        };
        let leadership =
            Leadership { leads: replica.leads(), epoch: replica.leader_epoch(), start_offset };
        let offsets = Offsets {
            log_start: log.log.log_start_offset(),
            last_stable: log.log.last_stable_offset(replica.high_watermark()),
            high_watermark: replica.high_watermark(),
            log_end: log.log.log_end_offset(),
            latest_log_epoch: log.latest_epoch(),
        };
        self.published.publish(leadership, offsets)
    }

    fn token(&self) -> Token {
        self.next_token.fetch_add(1, Ordering::Relaxed)
    }
}

fn of_replica(settings: &ReplicaSettings, context: &ReplicaContext) -> Settings {
    Settings {
        broker_id: context.node_id(),
        lag_time_max_ms: context.lag_time_max_ms(),
        min_in_sync: settings.min_in_sync,
    }
}
