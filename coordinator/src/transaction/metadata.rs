//! What is known of one transactional id, and its steps from state to state.
//!
//! A step makes the whole next value; nothing is changed in place but the partitions that have
//! their marker. Answers to `TransactionMetadata` and `TxnTransitMetadata`.

use std::collections::BTreeSet;

use protocol::wire::StrBytes;

use super::answer::{ProducerIdAndEpoch, TransactionError};
use super::state::TransactionState;
use crate::planted::{Bug, is_planted};

pub(super) const NO_PRODUCER_ID: i64 = -1;
pub(super) const NO_PRODUCER_EPOCH: i16 = -1;
/// The last epoch that a producer is given; the one behind it fences that producer.
const LAST_EPOCH: i16 = i16::MAX - 1;

/// A partition that takes part in a transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicPartition {
    pub topic: StrBytes,
    pub partition: i32,
}

/// The feature level transaction.version, of the cluster or of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TransactionVersion {
    #[default]
    V0,
    /// Records have tagged fields.
    V1,
    /// Every transaction has an epoch of its own (KIP-890).
    V2,
}

impl TransactionVersion {
    #[must_use]
    pub fn of_level(level: i16) -> Self {
        match level {
            i16::MIN..=0 => Self::V0,
            1 => Self::V1,
            _ => Self::V2,
        }
    }

    #[must_use]
    pub fn level(self) -> i16 {
        self as i16
    }

    pub(super) fn bumps_epochs(self) -> bool {
        self >= Self::V2
    }

    /// The version of values in the log.
    pub(super) fn value_version(self) -> i16 {
        self.level().min(1)
    }
}

/// The state of one transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionMetadata {
    pub producer_id: i64,
    /// The producer id before the last step.
    pub previous_producer_id: i64,
    /// The id that the producer goes on with once its transaction is complete.
    pub next_producer_id: i64,
    pub producer_epoch: i16,
    /// The epoch before the last bump that the producer itself asked for; not in the log.
    pub last_producer_epoch: i16,
    pub timeout_ms: i32,
    pub state: TransactionState,
    /// What takes part; once the outcome is decided, what has no marker yet.
    pub partitions: BTreeSet<TopicPartition>,
    pub start_timestamp_ms: i64,
    pub last_update_timestamp_ms: i64,
    pub client_transaction_version: TransactionVersion,
}

pub(super) fn is_epoch_exhausted(epoch: i16) -> bool {
    epoch >= LAST_EPOCH
}

impl TransactionMetadata {
    /// An id that nobody had, before its first epoch.
    pub(super) fn new(producer_id: i64, timeout_ms: i32, now_ms: i64) -> Self {
        Self {
            producer_id,
            previous_producer_id: NO_PRODUCER_ID,
            next_producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            last_producer_epoch: NO_PRODUCER_EPOCH,
            timeout_ms,
            state: TransactionState::Empty,
            partitions: BTreeSet::new(),
            start_timestamp_ms: -1,
            last_update_timestamp_ms: now_ms,
            client_transaction_version: TransactionVersion::V0,
        }
    }

    #[must_use]
    pub fn producer(&self) -> ProducerIdAndEpoch {
        ProducerIdAndEpoch { producer_id: self.producer_id, producer_epoch: self.producer_epoch }
    }

    pub(super) fn is_epoch_exhausted(&self) -> bool {
        is_epoch_exhausted(self.producer_epoch)
    }

    fn next(&self, state: TransactionState) -> Self {
        Self { state, previous_producer_id: self.producer_id, ..self.clone() }
    }

    /// A producer begins: the next epoch of the same id. `expected` is the epoch that the producer
    /// says it has, if it says so (KIP-360).
    pub(super) fn with_next_epoch(
        &self,
        timeout_ms: i32,
        expected: Option<i16>,
        now_ms: i64,
    ) -> Result<Self, TransactionError> {
        if self.is_epoch_exhausted() {
            return Err(TransactionError::Unexpected("no epoch is left for the producer id"));
        }
        let is_first = self.producer_epoch == NO_PRODUCER_EPOCH;
        let bumped = match is_planted(Bug::InitKeepsEpoch) && !is_first {
            true => self.producer_epoch,
            false => self.producer_epoch + 1,
        };
        let (producer_epoch, last_producer_epoch) = match expected {
            None => (bumped, NO_PRODUCER_EPOCH),
            // It goes on after an error, and nobody else has begun.
            Some(expected)
                if self.producer_epoch == NO_PRODUCER_EPOCH || expected == self.producer_epoch =>
            {
                (bumped, self.producer_epoch)
            }
            // A repetition of what was answered already.
            Some(expected) if expected == self.last_producer_epoch => {
                (self.producer_epoch, self.last_producer_epoch)
            }
            Some(_) => return Err(TransactionError::ProducerFenced),
        };
        let begun = Self { producer_epoch, last_producer_epoch, ..self.clone() };
        Ok(begun.begun_anew(timeout_ms, now_ms))
    }

    /// A producer begins with a new id, because the epochs of the one it had are used up.
    pub(super) fn with_new_producer_id(
        &self,
        producer_id: i64,
        timeout_ms: i32,
        is_expected: bool,
        now_ms: i64,
    ) -> Self {
        let last_producer_epoch = if is_expected { self.producer_epoch } else { NO_PRODUCER_EPOCH };
        Self { producer_id, producer_epoch: 0, last_producer_epoch, ..self.next(self.state) }
            .with_rest(timeout_ms, now_ms)
    }

    fn begun_anew(self, timeout_ms: i32, now_ms: i64) -> Self {
        let begun = self.next(TransactionState::Empty);
        begun.with_rest(timeout_ms, now_ms)
    }

    fn with_rest(self, timeout_ms: i32, now_ms: i64) -> Self {
        Self {
            state: TransactionState::Empty,
            timeout_ms,
            partitions: BTreeSet::new(),
            start_timestamp_ms: -1,
            last_update_timestamp_ms: now_ms,
            ..self
        }
    }

    /// More partitions take part; the first begin the transaction.
    pub(super) fn with_partitions(
        &self,
        added: impl IntoIterator<Item = TopicPartition>,
        client: TransactionVersion,
        now_ms: i64,
    ) -> Self {
        let start_timestamp_ms =
            if self.state.is_at_rest() { now_ms } else { self.start_timestamp_ms };
        let mut partitions = self.partitions.clone();
        partitions.extend(added);
        Self {
            partitions,
            start_timestamp_ms,
            last_update_timestamp_ms: now_ms,
            client_transaction_version: client,
            ..self.next(TransactionState::Ongoing)
        }
    }

    /// The outcome is decided. Where every end bumps the epoch, `next_producer_id` is the id that
    /// takes over from one whose epochs are used up.
    pub(super) fn prepared(
        &self,
        is_commit: bool,
        client: TransactionVersion,
        next_producer_id: i64,
        now_ms: i64,
    ) -> Self {
        let state = match is_commit {
            true => TransactionState::PrepareCommit,
            false => TransactionState::PrepareAbort,
        };
        let (producer_epoch, last_producer_epoch) = match client.bumps_epochs() {
            // An epoch that cannot be is aborted without another one, so that the id recovers.
            true => (self.producer_epoch.saturating_add(1), self.producer_epoch),
            false => (self.producer_epoch, self.last_producer_epoch),
        };
        // An abort without partitions says nothing of when the transaction began.
        let start_timestamp_ms =
            if self.state.is_at_rest() { now_ms } else { self.start_timestamp_ms };
        Self {
            producer_epoch,
            last_producer_epoch,
            start_timestamp_ms,
            next_producer_id,
            last_update_timestamp_ms: now_ms,
            client_transaction_version: client,
            ..self.next(state)
        }
    }

    /// The epoch of whoever wrote is taken away, before its transaction is aborted as clients of
    /// old do.
    pub(super) fn fenced(&self) -> Self {
        Self {
            producer_epoch: self.producer_epoch.saturating_add(1),
            last_producer_epoch: NO_PRODUCER_EPOCH,
            ..self.clone()
        }
    }

    /// Every partition has its marker.
    pub(super) fn completed(&self, now_ms: i64) -> Self {
        let state = match self.state {
            TransactionState::PrepareCommit => TransactionState::CompleteCommit,
            _ => TransactionState::CompleteAbort,
        };
        let rotates = self.client_transaction_version.bumps_epochs()
            && self.next_producer_id != NO_PRODUCER_ID;
        let (producer_id, producer_epoch) = match rotates {
            true => (self.next_producer_id, 0),
            false => (self.producer_id, self.producer_epoch),
        };
        Self {
            producer_id,
            producer_epoch,
            next_producer_id: NO_PRODUCER_ID,
            partitions: BTreeSet::new(),
            last_update_timestamp_ms: now_ms,
            ..self.next(state)
        }
    }
}
