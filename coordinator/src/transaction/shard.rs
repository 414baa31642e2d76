//! One partition of `__transaction_state`: its transactional ids and its timers.
//!
//! Kept true here: what an id's state is follows from records alone; a step is decided on what
//! stands in the log, and never while another one is under way ([`TransactionShard::settled`]).
//! A coordinator that loads an outcome sends its markers again. Answers to
//! `TransactionStateManager`.

use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{Answer, ProducerIdAndEpoch, TransactionError};
use super::log_event::LogEvent;
use super::metadata::{TransactionMetadata, TransactionVersion};
use super::record::{Record, RecordError};
use crate::planted::{Bug, is_planted};
use crate::runtime::{
    Now, RecordPosition, Shard, Timers, VersionedMap, WriteFailure, WriteId, WriteRecord,
};

/// Limits and delays of the coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionSettings {
    /// transaction.abort.timed.out.transaction.cleanup.interval.ms
    pub abort_interval_ms: u64,
    /// transaction.remove.expired.transaction.cleanup.interval.ms
    pub expiration_interval_ms: u64,
    /// transactional.id.expiration.ms
    pub id_expiration_ms: i64,
    /// How long a completion that could not be written waits for its next attempt.
    pub completion_retry_ms: u64,
}

impl Default for TransactionSettings {
    fn default() -> Self {
        Self {
            abort_interval_ms: 10_000,
            expiration_interval_ms: 3_600_000,
            id_expiration_ms: 604_800_000,
            completion_retry_ms: 100,
        }
    }
}

/// What a deadline is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum TimerKey {
    /// Transactions that have been open for too long.
    TimedOut,
    /// Ids that nobody has used for too long.
    Expired,
    /// The completion of this id's transaction, which could not be written.
    Completion(StrBytes),
}

/// What waits for a write.
#[derive(Debug)]
pub enum AfterWrite {
    Initialized {
        transactional_id: StrBytes,
        producer: ProducerIdAndEpoch,
    },
    /// The outcome stands: markers may go out.
    Prepared {
        transactional_id: StrBytes,
        is_timeout: bool,
    },
    Completed {
        transactional_id: StrBytes,
    },
}

/// The state of one shard.
#[derive(Debug)]
pub struct TransactionShard {
    pub(super) settings: TransactionSettings,
    /// The feature level of the cluster.
    pub(super) transaction_version: TransactionVersion,
    pub(super) transactions: VersionedMap<StrBytes, TransactionMetadata>,
    pub(super) timers: Timers<TimerKey, ()>,
}

impl TransactionShard {
    /// An empty shard, ready for replay.
    #[must_use]
    pub fn new(settings: TransactionSettings, transaction_version: TransactionVersion) -> Self {
        Self {
            settings,
            transaction_version,
            transactions: VersionedMap::default(),
            timers: Timers::default(),
        }
    }

    /// The cluster's feature level, as the broker knows it by now.
    pub fn set_transaction_version(&mut self, transaction_version: TransactionVersion) {
        self.transaction_version = transaction_version;
    }

    /// An id's state as it stands in the log.
    pub(super) fn standing(&self, transactional_id: &StrBytes) -> Option<&TransactionMetadata> {
        self.transactions.versions(transactional_id)?.committed()
    }

    /// The same where a step may be decided: nothing changes it, and no marker is on its way.
    pub(super) fn settled(
        &self,
        transactional_id: &StrBytes,
    ) -> Result<Option<&TransactionMetadata>, TransactionError> {
        let Some(versions) = self.transactions.versions(transactional_id) else { return Ok(None) };
        let is_prepared = versions.committed().is_some_and(|known| known.state.is_prepared());
        match versions.is_under_way() || is_prepared {
            true => Err(TransactionError::ConcurrentTransactions),
            false => Ok(versions.committed()),
        }
    }

    /// The record that makes an id's state this.
    pub(super) fn record(
        &self,
        transactional_id: &StrBytes,
        metadata: Option<TransactionMetadata>,
    ) -> Record {
        Record::Transaction {
            transactional_id: transactional_id.clone(),
            metadata,
            value_version: self.transaction_version.value_version(),
        }
    }

    fn set_timer(&mut self, key: TimerKey, after_ms: u64, now: Now) {
        self.timers.set(key, now.monotonic_ms.saturating_add(after_ms), ());
    }

    pub(super) fn retry_completion(&mut self, transactional_id: StrBytes, now: Now) {
        let after_ms = self.settings.completion_retry_ms;
        self.set_timer(TimerKey::Completion(transactional_id), after_ms, now);
    }
}

impl Shard for TransactionShard {
    type Record = Record;
    type RecordError = RecordError;
    type Answer = Answer;
    type LogEvent = LogEvent;
    type AfterWrite = AfterWrite;
    type Command = super::Command;

    fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Record, RecordError> {
        Record::read(key, value)
    }

    fn encode(record: &Record) -> Option<WriteRecord> {
        record.encode()
    }

    fn replay(
        &mut self,
        record: Record,
        standing: RecordPosition,
        _: Now,
        log_events: &mut Vec<LogEvent>,
    ) {
        match record {
            Record::Transaction { transactional_id, metadata, .. } => {
                self.transactions.set(standing, transactional_id, metadata);
            }
            Record::UnknownKey { version } => log_events.push(LogEvent::UnknownKey { version }),
            Record::UnknownValue { version } => {
                log_events.push(LogEvent::UnknownValue { version });
            }
        }
    }

    /// The coordinator's own log has no transactions.
    fn end_transaction(&mut self, _: i64, _: bool, _: &mut Vec<LogEvent>) {}

    fn commit(&mut self, write: WriteId, _: i64) {
        self.transactions.commit(write);
    }

    fn revert(&mut self, from: WriteId, failure: WriteFailure, out: &mut Outputs) {
        for transactional_id in self.transactions.revert(from).into_keys() {
            out.log(LogEvent::WriteFailed { transactional_id, failure });
        }
    }

    fn after_write(
        &mut self,
        after: AfterWrite,
        fate: Result<(), WriteFailure>,
        now: Now,
        out: &mut Outputs,
    ) {
        match (after, fate) {
            (AfterWrite::Initialized { transactional_id, producer }, Ok(())) => {
                out.log(LogEvent::Initialized { transactional_id, producer });
            }
            (AfterWrite::Prepared { transactional_id, is_timeout }, Ok(())) => {
                if is_timeout {
                    let transactional_id = transactional_id.clone();
                    out.log(LogEvent::RolledBack { transactional_id });
                }
                self.send_markers(&transactional_id, now, out);
            }
            // Nothing was promised.
            (AfterWrite::Initialized { .. } | AfterWrite::Prepared { .. }, Err(_)) => {}
            (AfterWrite::Completed { transactional_id }, Ok(())) => {
                self.timers.cancel(&TimerKey::Completion(transactional_id));
            }
            (AfterWrite::Completed { transactional_id }, Err(_)) => {
                self.retry_completion(transactional_id, now);
            }
        }
    }

    fn refused(answer: Answer, failure: WriteFailure) -> Answer {
        answer.failed(match failure {
            WriteFailure::NotLeader => TransactionError::NotCoordinator,
            other => TransactionError::WriteFailed(other),
        })
    }

    fn loaded(&mut self, now: Now, out: &mut Outputs) {
        self.set_timer(TimerKey::TimedOut, self.settings.abort_interval_ms, now);
        self.set_timer(TimerKey::Expired, self.settings.expiration_interval_ms, now);
        let prepared = self.transactions.iter().filter(|(_, known)| known.state.is_prepared());
        let prepared: Vec<StrBytes> = prepared.map(|(id, _)| id.clone()).collect();
        for transactional_id in prepared {
            if is_planted(Bug::LoadForgetsOutcomes) {
                continue;
            }
            out.log(LogEvent::SendingAfterLoad { transactional_id: transactional_id.clone() });
            self.send_markers(&transactional_id, now, out);
        }
    }

    fn next_deadline_ms(&self) -> Option<u64> {
        self.timers.next_deadline_ms()
    }

    fn tick(&mut self, now: Now, out: &mut Outputs) {
        while let Some((key, ())) = self.timers.take_due(now.monotonic_ms) {
            match key {
                TimerKey::TimedOut => {
                    self.abort_timed_out(now, out);
                    self.set_timer(TimerKey::TimedOut, self.settings.abort_interval_ms, now);
                }
                TimerKey::Expired => {
                    self.forget_expired(now, out);
                    self.set_timer(TimerKey::Expired, self.settings.expiration_interval_ms, now);
                }
                TimerKey::Completion(transactional_id) => {
                    self.complete(&transactional_id, now, out);
                }
            }
        }
    }

    /// Nothing is parked but behind writes.
    fn unload(&mut self, _: &mut Outputs) {}
}
