//! What a coordinator brings: its records, what they make, what it does with time.

use std::fmt::Debug;

use super::outputs::{Outputs, WriteId, WriteRecord};

/// The time, twice: the wall's goes into records, the monotonic one drives timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    pub wall_ms: i64,
    pub monotonic_ms: u64,
}

/// Where a record stands that is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordPosition {
    /// In the log, at this offset; `producer_id` is the transaction's, if it is part of one.
    InLog { offset: i64, producer_id: Option<i64> },
    /// Decided and not written yet: the `index`th record of this write; `producer_id` as above.
    UnderWay { write: WriteId, index: u32, producer_id: Option<i64> },
}

/// Why a shard does not take a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("the shard is being loaded")]
    LoadInProgress,
    #[error("the shard is not here")]
    NotCoordinator,
}

/// Why records could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteFailure {
    #[error("the partition is not known")]
    UnknownPartition,
    #[error("too few replicas are in sync")]
    NotEnoughReplicas,
    #[error("the replicas did not follow in time")]
    TimedOut,
    #[error("another broker leads the partition")]
    NotLeader,
    #[error("the log directory failed")]
    Storage,
    #[error("they are larger than a batch may be")]
    TooLarge,
    #[error("the log refused them")]
    Refused,
    #[error("the producer's epoch is over")]
    InvalidProducerEpoch,
    #[error("they are part of no transaction that is under way")]
    InvalidTransactionState,
    #[error("another transaction coordinator has taken over")]
    CoordinatorFenced,
    #[error("what they were decided upon could not be written")]
    Reverted,
}

impl WriteFailure {
    /// Whether the records may stand in the log all the same, or come to stand there: the broker
    /// stopped leading, or its disk failed, after it had appended them.
    #[must_use]
    pub fn leaves_doubt(self) -> bool {
        matches!(self, Self::TimedOut | Self::NotLeader | Self::Storage)
    }

    /// What a failure is for the writes that were decided upon the one that failed: its own fault
    /// is not theirs.
    pub(super) fn of_what_came_after(self) -> Self {
        match self {
            Self::TooLarge
            | Self::Refused
            | Self::InvalidProducerEpoch
            | Self::InvalidTransactionState
            | Self::CoordinatorFenced => Self::Reverted,
            other => other,
        }
    }
}

/// The state of one partition of a coordinator's topic. Answers to `CoordinatorShard`.
pub trait Shard: Debug + Sized {
    /// A record of the topic.
    type Record;
    type RecordError: std::error::Error + Send + Sync + 'static;
    /// An answer to any request that may have to wait.
    type Answer: Debug;
    /// A line to log.
    type LogEvent: Debug;
    /// What follows once a write has its fate, for state that no record makes (Kafka's
    /// `appendFuture` with `replayRecords` false).
    type AfterWrite: Debug;
    /// What the host does elsewhere for the shard, and tells it of; nothing for most.
    type Command: Debug;

    fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self::Record, Self::RecordError>;

    /// `None`: a record that is not written.
    fn encode(record: &Self::Record) -> Option<WriteRecord>;

    /// Makes the state what this record says. With [`RecordPosition::UnderWay`] it can be taken
    /// back.
    fn replay(
        &mut self,
        record: Self::Record,
        standing: RecordPosition,
        now: Now,
        log_events: &mut Vec<Self::LogEvent>,
    );

    /// A marker: the end of a producer's transaction.
    fn end_transaction(
        &mut self,
        producer_id: i64,
        is_commit: bool,
        log_events: &mut Vec<Self::LogEvent>,
    );

    /// What this write made stands in the log; its first record at `base_offset`.
    fn commit(&mut self, write: WriteId, base_offset: i64);

    /// Takes back what this write and all later ones made.
    fn revert(&mut self, from: WriteId, failure: WriteFailure, out: &mut Outputs<Self>);

    /// A write has its fate, and this waited for it.
    fn after_write(
        &mut self,
        after: Self::AfterWrite,
        fate: Result<(), WriteFailure>,
        now: Now,
        out: &mut Outputs<Self>,
    );

    /// The refusal in place of an answer whose write failed.
    fn refused(answer: Self::Answer, failure: WriteFailure) -> Self::Answer;

    /// All records are in: the shard begins to serve.
    fn loaded(&mut self, now: Now, out: &mut Outputs<Self>);

    fn next_deadline_ms(&self) -> Option<u64>;

    /// Does what the deadlines that have passed ask for.
    fn tick(&mut self, now: Now, out: &mut Outputs<Self>);

    /// Answers everything that is parked: the shard goes away.
    fn unload(&mut self, out: &mut Outputs<Self>);
}
