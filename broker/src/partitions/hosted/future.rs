//! A replica's copy in another log directory, until it takes the replica's place.
//!
//! What the copy lacks `replica::next_step` says. Records are copied without the partition's lock,
//! by whoever holds the copy's own; the promotion, and the last records before it, under both.
//! Kafka: `Partition.futureLog`, `Partition.maybeReplaceCurrentWithFutureReplica`.

use std::sync::Arc;

use bytes::Bytes;
use replica::{Log as _, MoveStep, Partition, next_step};
use storage::{AppendError, Log, LogReader, ReadError, StorageError};
use uuid::Uuid;

use super::{HostedPartition, StoredLog};
use crate::clock::wall_ms;

/// What is copied at one time.
const CHUNK_BYTES: usize = 1 << 20;
/// Copied under the partition's lock at most; more is copied without it first.
const LAST_CHUNKS: usize = 4;

/// The copy.
#[derive(Debug)]
pub(crate) struct FutureReplica {
    pub(crate) log: StoredLog,
    pub(crate) directory_id: Uuid,
    /// The controller was told of the directory.
    pub(crate) is_told: bool,
}

/// What is told of it, without its lock.
#[derive(Debug)]
pub(crate) struct ShownFuture {
    pub(crate) directory_id: Uuid,
    pub(crate) reader: LogReader,
}

/// How far a move has come.
#[derive(Debug)]
pub(crate) enum Moving {
    /// So many bytes were copied, and there is more to do.
    Copied(usize),
    /// It is level, and the controller does not know its directory yet.
    Level,
    /// The last records are still to come, or a flush is under way.
    Soon,
    /// It has taken the place of the log that comes back.
    Promoted(Box<Log>),
}

/// Why a move ends without a promotion.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MoveError {
    /// The current log cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// The copy cannot be written.
    #[error("{0}")]
    Append(#[from] AppendError),
    #[error("{0}")]
    Storage(#[from] StorageError),
}

impl HostedPartition {
    /// The directory that the replica moves to.
    pub(crate) fn future_directory(&self) -> Option<Uuid> {
        self.shown_future.load().as_ref().map(|shown| shown.directory_id)
    }

    pub(crate) fn shown_future(&self) -> Option<Arc<ShownFuture>> {
        self.shown_future.load_full()
    }

    /// The replica is to move to where this copy is.
    pub(crate) fn begin_move(&self, future: FutureReplica) {
        let (directory_id, reader) = (future.directory_id, future.log.reader());
        *self.future.lock() = Some(future);
        self.shown_future.store(Some(Arc::new(ShownFuture { directory_id, reader })));
    }

    /// The replica stays where it is; its copy.
    pub(crate) fn end_move(&self) -> Option<FutureReplica> {
        let mut future = self.future.lock();
        self.shown_future.store(None);
        future.take()
    }

    /// The controller is told of the copy's directory; whether it was not before.
    pub(crate) fn tell_move(&self) -> bool {
        self.future
            .lock()
            .as_mut()
            .is_some_and(|future| !std::mem::replace(&mut future.is_told, true))
    }

    /// Does the next step of the move; `None` where there is none. Touches files.
    pub(crate) fn step_move(
        &self,
        is_assigned: bool,
        promote: impl FnOnce(&mut Log) -> Result<(), StorageError>,
    ) -> Result<Option<Moving>, MoveError> {
        let mut held = self.future.lock();
        let Some(future) = held.as_mut() else { return Ok(None) };
        let step = {
            let replica = self.replica.lock();
            next_step(replica.log(), &future.log, is_assigned)
        };
        let is_promoted = match step {
            MoveStep::Promote => self.try_promote(future, promote)?,
            MoveStep::Assign => return Ok(Some(Moving::Level)),
            other => {
                let copied = take(&self.reader(), &mut future.log, other)?;
                return Ok(Some(Moving::Copied(copied)));
            }
        };
        if !is_promoted {
            return Ok(Some(Moving::Soon));
        }
        self.shown_future.store(None);
        Ok(held.take().map(|replaced| Moving::Promoted(Box::new(replaced.log.log))))
    }

    /// Whether the copy has taken the replica's place; it holds the former log then.
    fn try_promote(
        &self,
        future: &mut FutureReplica,
        promote: impl FnOnce(&mut Log) -> Result<(), StorageError>,
    ) -> Result<bool, MoveError> {
        // Most of what the disk has to take it takes before anybody waits for it.
        future.log.log.flush(wall_ms())?;
        self.with_replica_here(|replica| {
            // What has left is renamed where it is; the end of a flush is told to the log it is of.
            if self.check_present().is_err() || replica.log().log.is_being_flushed() {
                return Ok(false);
            }
            for _ in 0..LAST_CHUNKS {
                match next_step(replica.log(), &future.log, true) {
                    MoveStep::Promote => {
                        level_edges(replica, &mut future.log)?;
                        promote(&mut future.log.log)?;
                        self.swap(replica, future);
                        return Ok(true);
                    }
                    step => take(&replica.log().reader(), &mut future.log, step)?,
                };
            }
            Ok(false)
        })
    }

    /// The copy is the replica's log, and the other way round.
    fn swap(&self, replica: &mut Partition<StoredLog>, future: &mut FutureReplica) {
        let high_watermark = replica.high_watermark();
        let stored = replica.log_mut();
        let config = stored.log.config().clone();
        std::mem::swap(stored, &mut future.log);
        stored.log.set_config(config);
        stored.log.high_watermark_moved(high_watermark);
        self.reader.store(Arc::new(stored.reader()));
        *self.directory_id.lock() = future.directory_id;
    }
}

/// Where the log begins, and epochs that have no records yet.
fn level_edges(replica: &Partition<StoredLog>, future: &mut StoredLog) -> Result<(), AppendError> {
    let start = replica.log().log_start_offset();
    future.high_watermark_moved(replica.high_watermark());
    if future.log_start_offset() < start {
        future.delete_records_before(start)?;
    }
    let newest = replica::Log::latest_epoch(replica.log());
    if let Some(epoch) = newest.filter(|_| newest > replica::Log::latest_epoch(future)) {
        future.begin_leader_epoch(epoch)?;
    }
    Ok(())
}

/// Does a step that is no promotion; how many bytes were copied.
fn take(current: &LogReader, future: &mut StoredLog, step: MoveStep) -> Result<usize, MoveError> {
    let now_ms = wall_ms();
    match step {
        MoveStep::StartAt(offset) => future.truncate_fully_and_start_at(offset, now_ms)?,
        MoveStep::TruncateTo(offset) => future.truncate_to(offset, now_ms)?,
        MoveStep::Copy(from) => return copy(current, future, from, now_ms),
        MoveStep::Assign | MoveStep::Promote => {}
    }
    Ok(0)
}

fn copy(
    current: &LogReader,
    future: &mut StoredLog,
    from: i64,
    now_ms: i64,
) -> Result<usize, MoveError> {
    let plan = match current.plan(from, CHUNK_BYTES, i64::MAX, true) {
        // The log was cut, or its start raised, since the step was decided.
        Err(ReadError::OffsetOutOfRange { .. }) => return Ok(0),
        plan => plan?,
    };
    let Some(plan) = plan else { return Ok(0) };
    let records = Bytes::from(plan.copy()?);
    let Some(first) = records.first_chunk() else { return Ok(0) };
    // The first batch may begin below where the current log does.
    let base_offset = i64::from_be_bytes(*first);
    if base_offset < from && future.log_start_offset() == future.log_end_offset() {
        future.truncate_fully_and_start_at(base_offset, now_ms)?;
    }
    future.append_as_follower(&records, i32::MAX, now_ms)?;
    Ok(records.len())
}
