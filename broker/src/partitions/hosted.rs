//! One partition as the broker hosts it: the replica behind its lock, and what readers need
//! without.
//!
//! Appends take the lock, through the disk gate, since a write may block. Everything a fetch needs
//! is published (`marks`) or shared (`LogReader`), so that no reader ever waits for a writer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::fetch::AbortedTransaction;
use replica::{Acks, Answer, NotAppended, Origin, Partition, Role, Token};
use storage::{AppendError, Appended, LogConfig, LogReader, StorageError, TimestampOffset};
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use super::marks::{Isolation, Marks, Offsets};
use super::stored_log::{self, StoredLog};
use super::wakers::Wakers;
use crate::disk_gate::DiskGate;

/// Why an append was not taken; `error_map` has the codes.
pub(crate) type AppendRefused = NotAppended<AppendError>;
/// What a search of the log by time comes to.
type Sought = Result<Option<TimestampOffset>, StorageError>;

/// An append that was taken: answered now, or when the receiver is told.
#[derive(Debug)]
pub(crate) struct Appending {
    pub(crate) appended: Appended,
    pub(crate) committed: Option<oneshot::Receiver<Answer>>,
}

/// What ListOffsets looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OffsetSought {
    Latest,
    Earliest,
    MaxTimestamp,
    LatestTiered,
    Timestamp(i64),
}

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoundOffset {
    /// -1 where no record was looked at.
    pub(crate) timestamp: i64,
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
}

/// One hosted partition.
#[derive(Debug)]
pub(crate) struct HostedPartition {
    topic: Arc<str>,
    topic_id: Uuid,
    partition: i32,
    replica: Mutex<Partition<StoredLog>>,
    marks: Marks,
    reader: LogReader,
    waiting_fetches: Wakers,
    waiting_produces: Mutex<HashMap<Token, oneshot::Sender<Answer>>>,
    next_token: AtomicU64,
    min_in_sync: AtomicUsize,
    /// Held by whoever syncs the log.
    flushing: tokio::sync::Mutex<()>,
    gate: Arc<DiskGate>,
}

impl HostedPartition {
    pub(crate) fn new(
        topic: Arc<str>,
        topic_id: Uuid,
        partition: i32,
        log: StoredLog,
        high_watermark: i64,
        gate: Arc<DiskGate>,
    ) -> Self {
        let reader = log.reader();
        let replica = Partition::new(log, high_watermark);
        let hosted = Self {
            topic,
            topic_id,
            partition,
            marks: Marks::new(),
            reader,
            waiting_fetches: Wakers::default(),
            waiting_produces: Mutex::default(),
            next_token: AtomicU64::new(0),
            min_in_sync: AtomicUsize::new(1),
            flushing: tokio::sync::Mutex::default(),
            gate,
            replica: Mutex::new(replica),
        };
        hosted.publish(&hosted.replica.lock());
        hosted
    }

    pub(crate) fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    pub(crate) fn topic_id(&self) -> Uuid {
        self.topic_id
    }

    pub(crate) fn partition(&self) -> i32 {
        self.partition
    }

    /// The offsets as last published.
    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// The log, for reads that need no lock.
    pub(crate) fn reader(&self) -> &LogReader {
        &self.reader
    }

    /// First offset that such a reader may not see.
    pub(crate) fn upper_bound(&self, isolation: Isolation) -> i64 {
        self.marks.upper_bound(isolation)
    }

    /// Whether a request that knows the leadership under `current_leader_epoch` (-1: under none)
    /// may be served here. Kafka: `Partition.checkCurrentLeaderEpoch` and
    /// `localLogWithEpochOrThrow`.
    pub(crate) fn check_leadership(
        &self,
        current_leader_epoch: i32,
        leader_only: bool,
    ) -> Result<(), ErrorCode> {
        let known = self.marks.leader_epoch();
        if current_leader_epoch >= 0 && current_leader_epoch < known {
            return Err(ErrorCode::FencedLeaderEpoch);
        }
        if current_leader_epoch > known {
            return Err(ErrorCode::UnknownLeaderEpoch);
        }
        if leader_only && !self.marks.leads() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        Ok(())
    }

    /// The controller's word that this broker leads. Touches the log, so call it where that may be.
    pub(crate) fn lead(
        &self,
        broker_id: i32,
        leader_epoch: i32,
        replicas: &[i32],
        isr: &[i32],
    ) -> Result<(), AppendError> {
        let answered = {
            let mut replica = self.replica.lock();
            let answered = replica.lead(broker_id, leader_epoch, replicas, isr)?;
            self.marks.publish_leadership(true, leader_epoch);
            self.publish(&replica);
            answered
        };
        self.answer(answered);
        self.waiting_fetches.wake();
        Ok(())
    }

    /// The controller's word that somebody else leads, or nobody does (-1).
    pub(crate) fn follow(&self, leader: i32, leader_epoch: i32) {
        let answered = {
            let mut replica = self.replica.lock();
            let answered = replica.follow(leader, leader_epoch);
            self.marks.publish_leadership(false, leader_epoch);
            answered
        };
        self.answer(answered);
        self.waiting_fetches.wake();
    }

    /// Appends records that came from outside or from one of our coordinators.
    pub(crate) fn append(
        &self,
        records: &Bytes,
        acks: Acks,
        now_ms: i64,
        origin: Origin,
    ) -> Result<Appending, AppendRefused> {
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let (outcome, answered, receiver, changed) = self.gate.run(|| {
            let mut replica = self.replica.lock();
            let (outcome, answered) = replica.append(records, acks, now_ms, origin, token)?;
            // Under the lock, so that nobody answers the token before it is known.
            let receiver = (!outcome.committed).then(|| {
                let (sender, receiver) = oneshot::channel();
                self.waiting_produces.lock().insert(token, sender);
                receiver
            });
            let changed = self.publish(&replica);
            Ok::<_, AppendRefused>((outcome, answered, receiver, changed))
        })?;
        self.answer(answered);
        if changed {
            self.waiting_fetches.wake();
        }
        Ok(Appending { appended: outcome.appended, committed: receiver })
    }

    /// What a coordinator appends: resolves when the high watermark has passed it.
    pub(crate) async fn append_internal(
        self: &Arc<Self>,
        records: &Bytes,
        now_ms: i64,
    ) -> Result<Appended, AppendRefused> {
        let acks = Acks::All { min_in_sync: self.min_in_sync_replicas() };
        let appending = self.append(records, acks, now_ms, Origin::Coordinator)?;
        if appending.appended.must_flush {
            self.flush_up_to(appending.appended.last_offset + 1, now_ms)
                .await
                .map_err(|error| NotAppended::Log(error.into()))?;
        }
        match appending.committed {
            None => Ok(appending.appended),
            Some(committed) => match committed.await {
                Ok(Answer::Committed | Answer::TooFewInSync) => Ok(appending.appended),
                Ok(Answer::NoLongerLeader) | Err(_) => Err(NotAppended::NotLeader),
            },
        }
    }

    /// Syncs the log up to `end_offset`. Whoever comes while a sync is under way shares the next
    /// one.
    pub(crate) async fn flush_up_to(
        self: &Arc<Self>,
        end_offset: i64,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let _turn = self.flushing.lock().await;
        let partition = Arc::clone(self);
        let flushed = tokio::task::spawn_blocking(move || {
            let ticket = {
                let mut replica = partition.replica.lock();
                if replica.log().log.recovery_point() >= end_offset {
                    return Ok(());
                }
                replica.log_mut().log.begin_flush(now_ms)?
            };
            match ticket {
                None => Ok(()),
                Some(ticket) => {
                    let flushed = ticket.run();
                    partition.replica.lock().log_mut().log.end_flush(flushed)
                }
            }
        });
        flushed.await.unwrap_or(Ok(()))
    }

    /// min.insync.replicas of the topic.
    pub(crate) fn min_in_sync_replicas(&self) -> usize {
        self.min_in_sync.load(Ordering::Relaxed)
    }

    /// The topic's settings changed.
    pub(crate) fn configure(&self, log: LogConfig, min_in_sync_replicas: usize) {
        self.min_in_sync.store(min_in_sync_replicas, Ordering::Relaxed);
        self.replica.lock().log_mut().log.set_config(log);
    }

    /// Transactions that were rolled back and have records in `[from, upper)`.
    pub(crate) fn aborted_between(
        &self,
        from: i64,
        upper: i64,
    ) -> Result<Vec<AbortedTransaction>, StorageError> {
        let aborted = self.reader.aborted_transactions(from, upper)?;
        Ok(aborted.into_iter().map(stored_log::told).collect())
    }

    /// The largest epoch at or below `epoch` and where it ends; `None` where that is not known.
    pub(crate) fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        self.with_replica(|replica| replica.log().log.end_offset_for_epoch(epoch))
    }

    /// Runs something on the replica that may touch files, then publishes what it changed.
    pub(crate) fn with_replica<R>(&self, act: impl FnOnce(&mut Partition<StoredLog>) -> R) -> R {
        self.gate.run(|| self.with_replica_here(act))
    }

    /// Like [`Self::with_replica`], on a thread that may block.
    pub(crate) fn with_replica_here<R>(
        &self,
        act: impl FnOnce(&mut Partition<StoredLog>) -> R,
    ) -> R {
        let (result, changed) = {
            let mut replica = self.replica.lock();
            let result = act(&mut replica);
            (result, self.publish(&replica))
        };
        if changed {
            self.waiting_fetches.wake();
        }
        result
    }

    /// Like [`Self::with_replica`], but only if nobody holds the lock: for upkeep that can wait.
    pub(crate) fn try_with_replica<R>(
        &self,
        act: impl FnOnce(&mut Partition<StoredLog>) -> R,
    ) -> Option<R> {
        let mut replica = self.replica.try_lock()?;
        let result = act(&mut replica);
        let changed = self.publish(&replica);
        drop(replica);
        if changed {
            self.waiting_fetches.wake();
        }
        Some(result)
    }

    /// DeleteRecords. `Ok(None)`: the offset is not among the committed ones.
    pub(crate) fn delete_records_before(&self, offset: i64) -> Result<Option<i64>, DeleteRefused> {
        self.with_replica(|replica| {
            if !matches!(replica.role(), Role::Leader(_)) {
                return Err(DeleteRefused::NotLeader);
            }
            replica.delete_records_before(offset).map_err(DeleteRefused::Log)
        })
    }

    /// Wakes `sleeper` when there may be more to fetch.
    pub(crate) fn wake_on_change(&self, sleeper: Weak<Notify>) {
        self.waiting_fetches.register(sleeper);
    }

    /// Where in the log something is; looks into files, so it runs on a blocking thread.
    pub(crate) async fn find_offset(
        self: &Arc<Self>,
        sought: OffsetSought,
        isolation: Isolation,
    ) -> Result<Option<FoundOffset>, StorageError> {
        let epoch = self.marks.leader_epoch();
        match sought {
            OffsetSought::Latest => Ok(Some(FoundOffset {
                timestamp: -1,
                offset: self.upper_bound(isolation),
                leader_epoch: epoch,
            })),
            OffsetSought::LatestTiered => {
                Ok(Some(FoundOffset { timestamp: -1, offset: -1, leader_epoch: -1 }))
            }
            OffsetSought::Earliest => {
                let offset = self.marks.log_start_offset();
                let leader_epoch =
                    self.with_replica(|r| r.log().log.earliest_epoch().unwrap_or(-1));
                Ok(Some(FoundOffset { timestamp: -1, offset, leader_epoch }))
            }
            OffsetSought::MaxTimestamp => self.search(LogReader::max_timestamp).await,
            OffsetSought::Timestamp(timestamp) => {
                self.search(move |reader| reader.offset_for_timestamp(timestamp)).await
            }
        }
    }

    async fn search(
        &self,
        look: impl FnOnce(&LogReader) -> Sought + Send + 'static,
    ) -> Result<Option<FoundOffset>, StorageError> {
        let reader = self.reader.clone();
        let searched = tokio::task::spawn_blocking(move || look(&reader)).await;
        Ok(searched.unwrap_or(Ok(None))?.map(stored_log::found))
    }

    fn publish(&self, replica: &Partition<StoredLog>) -> bool {
        let log = replica.log();
        self.marks.publish(Offsets {
            log_start: log.log.log_start_offset(),
            last_stable: log.log.last_stable_offset(replica.high_watermark()),
            high_watermark: replica.high_watermark(),
            log_end: log.log.log_end_offset(),
            latest_log_epoch: log.latest_epoch(),
        })
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
}

/// Why records were not deleted.
#[derive(Debug)]
pub(crate) enum DeleteRefused {
    NotLeader,
    Log(AppendError),
}
