//! What is asked of a share partition's state, and what the answers are.

use coordinator::share::{ShareTopicPartition, StateBatch};
use protocol::ErrorCode;
use tokio::task::JoinHandle;

/// Begins a partition's state, or puts it elsewhere under a new state epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InitializeState {
    pub(crate) partition: ShareTopicPartition,
    pub(crate) state_epoch: i32,
    /// -1: where the share partition will say.
    pub(crate) start_offset: i64,
}

/// Reads a partition's state, in the name of the leader of this epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadState {
    pub(crate) partition: ShareTopicPartition,
    /// -1: of no leader, and none is fenced.
    pub(crate) leader_epoch: i32,
}

/// Writes what has changed of a partition's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WriteState {
    pub(crate) partition: ShareTopicPartition,
    pub(crate) state_epoch: i32,
    pub(crate) leader_epoch: i32,
    /// -1: as it was.
    pub(crate) start_offset: i64,
    /// KIP-1226; -1: not known.
    pub(crate) delivery_complete_count: i32,
    pub(crate) batches: Vec<StateBatch>,
}

/// A partition's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersistedState {
    pub(crate) state_epoch: i32,
    /// -1: not known yet.
    pub(crate) start_offset: i64,
    pub(crate) batches: Vec<StateBatch>,
}

/// A partition's state without its batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersistedSummary {
    pub(crate) state_epoch: i32,
    pub(crate) leader_epoch: i32,
    /// -1: not known yet.
    pub(crate) start_offset: i64,
    /// KIP-1226; -1: not known.
    pub(crate) delivery_complete_count: i32,
}

/// Why a partition's state was not read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersisterError {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

/// An answer for each partition, in the order in which they were asked for.
pub(crate) type PerPartition<T> = Vec<(ShareTopicPartition, Result<T, PersisterError>)>;

/// An answer on its way.
pub(super) type Answering<T> = (ShareTopicPartition, JoinHandle<Result<T, PersisterError>>);

/// What was asked for at once.
pub(super) enum Asked<T> {
    OnItsWay(Vec<Answering<T>>),
    Answered(PerPartition<T>),
}

impl<T> From<Vec<Answering<T>>> for Asked<T> {
    fn from(answering: Vec<Answering<T>>) -> Self {
        Self::OnItsWay(answering)
    }
}

impl<T> From<PerPartition<T>> for Asked<T> {
    fn from(answers: PerPartition<T>) -> Self {
        Self::Answered(answers)
    }
}
