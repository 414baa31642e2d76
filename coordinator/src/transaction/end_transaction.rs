//! EndTxn: commit or abort, by the producer; and the abort of what another one takes over.
//!
//! Until transaction.version 2 an end leaves the epoch as it is, and a repeated end looks like one
//! of the next transaction. From there on each end bumps the epoch, so that the epoch of the
//! request says which transaction it means:
//!
//! ```text
//!                  abort, one behind  abort, current  commit, one behind  commit, current
//! Empty            fenced             empty abort     fenced              invalid state
//! CompleteAbort    done already       empty abort     invalid state       invalid state
//! CompleteCommit   invalid state      empty abort     done already        invalid state
//! ```
//! Answers to `TransactionCoordinator.endTransaction` and `endTransactionWithTV1`.

use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{ProducerAnswer, ProducerIdAndEpoch, TransactionError};
use super::log_event::LogEvent;
use super::metadata::{NO_PRODUCER_ID, TransactionMetadata, TransactionVersion};
use super::shard::{AfterWrite, TransactionShard};
use super::state::TransactionState;
use crate::planted::{Bug, is_planted};
use crate::runtime::{Now, Reply};

/// The epoch of a producer that had used up its id's.
const OVERFLOWING_EPOCH: i16 = i16::MAX - 1;

/// What a producer asks for.
#[derive(Debug, Clone)]
pub struct EndTransaction {
    pub transactional_id: StrBytes,
    pub producer: ProducerIdAndEpoch,
    pub is_commit: bool,
    /// How the client ends its transactions.
    pub client: TransactionVersion,
    /// An id that nobody had, if the answer without it was that one is needed.
    pub new_producer_id: Option<i64>,
}

/// What becomes of a transaction.
enum Step {
    Outcome(TransactionMetadata),
    /// A repetition; who may write by now.
    Done(ProducerIdAndEpoch),
}

impl TransactionShard {
    pub fn end(
        &mut self,
        asked: &EndTransaction,
        reply: Reply<ProducerAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        let step = match asked.client.bumps_epochs() {
            true => self.end_step(asked, now),
            false => self.end_step_of_old(asked, now),
        };
        match step {
            Err(error) => {
                if let (TransactionError::InvalidTransactionState, Some(known)) =
                    (error, self.standing(&asked.transactional_id))
                {
                    out.log(LogEvent::InvalidState {
                        transactional_id: asked.transactional_id.clone(),
                        state: known.state,
                        is_commit: asked.is_commit,
                    });
                }
                out.reply(reply, Err(error));
            }
            Ok(Step::Done(producer)) => out.reply(reply, Ok(producer)),
            Ok(Step::Outcome(next)) => {
                let told = match asked.client.bumps_epochs() {
                    true => next.completed(now.wall_ms).producer(),
                    false => ProducerIdAndEpoch::NONE,
                };
                let at = out.writes();
                self.write_outcome(&asked.transactional_id, next, false, out);
                out.reply_when_written(at, reply, Ok(told));
            }
        }
    }

    /// The outcome, after which markers go out.
    pub(super) fn write_outcome(
        &mut self,
        transactional_id: &StrBytes,
        next: TransactionMetadata,
        is_timeout: bool,
        out: &mut Outputs,
    ) {
        let record = self.record(transactional_id, Some(next));
        let after = AfterWrite::Prepared { transactional_id: transactional_id.clone(), is_timeout };
        out.write(self, vec![record], Some(after));
    }

    /// The abort of a transaction whose producer loses its epoch: another one takes over, or its
    /// time is up.
    ///
    /// Unlike Kafka a fence that could not be written leaves the epoch as it was under every
    /// transaction.version (docs/decisions/0430).
    pub(super) fn taken_over(
        &self,
        known: &TransactionMetadata,
        new_producer_id: Option<i64>,
        now: Now,
    ) -> Result<TransactionMetadata, TransactionError> {
        let version = self.transaction_version;
        if !version.bumps_epochs() {
            let fenced = known.fenced();
            return Ok(fenced.prepared(false, TransactionVersion::V0, NO_PRODUCER_ID, now.wall_ms));
        }
        let next_id = next_producer_id(known, new_producer_id)?;
        Ok(known.prepared(false, version, next_id, now.wall_ms))
    }

    fn end_step_of_old(&self, asked: &EndTransaction, now: Now) -> Result<Step, TransactionError> {
        let known = self.standing(&asked.transactional_id);
        let known = match (known, self.settled(&asked.transactional_id)) {
            (Some(known), _) => known,
            // A new id whose first record is under way.
            (None, Err(under_way)) => return Err(under_way),
            (None, Ok(_)) => return Err(TransactionError::InvalidProducerIdMapping),
        };
        if known.producer_id != asked.producer.producer_id {
            return Err(TransactionError::InvalidProducerIdMapping);
        }
        if known.producer_epoch != asked.producer.producer_epoch {
            return Err(TransactionError::ProducerFenced);
        }
        self.settled(&asked.transactional_id)?;
        match (known.state, asked.is_commit) {
            (TransactionState::Ongoing, is_commit) => {
                let version = TransactionVersion::V0;
                let next = known.prepared(is_commit, version, NO_PRODUCER_ID, now.wall_ms);
                Ok(Step::Outcome(next))
            }
            (TransactionState::CompleteCommit, true) | (TransactionState::CompleteAbort, false) => {
                Ok(Step::Done(ProducerIdAndEpoch::NONE))
            }
            (TransactionState::Dead | TransactionState::PrepareEpochFence, _) => {
                Err(TransactionError::Unexpected("no transactional id has this state"))
            }
            _ => Err(TransactionError::InvalidTransactionState),
        }
    }

    fn end_step(&self, asked: &EndTransaction, now: Now) -> Result<Step, TransactionError> {
        // Who has been given the id that takes over from another cannot be told from a stranger
        // until the completion stands.
        let standing = self.standing(&asked.transactional_id);
        if let Some(known) = standing.filter(|known| known.state.is_prepared())
            && is_planted(Bug::EndOfPreparedIsDone)
        {
            return Ok(Step::Done(known.producer()));
        }
        let known = self.settled(&asked.transactional_id)?;
        let known = known.ok_or(TransactionError::InvalidProducerIdMapping)?;
        let ProducerIdAndEpoch { producer_id, producer_epoch } = asked.producer;
        let is_overflow = known.previous_producer_id == producer_id
            && producer_epoch == OVERFLOWING_EPOCH
            && known.producer_epoch == 0;
        let is_one_behind = producer_epoch.checked_add(1) == Some(known.producer_epoch);
        if known.producer_id != producer_id && !is_overflow {
            return Err(TransactionError::InvalidProducerIdMapping);
        }
        let is_current = known.producer_epoch == producer_epoch;
        let is_completed = matches!(
            known.state,
            TransactionState::CompleteCommit | TransactionState::CompleteAbort
        );
        let is_repetition = is_one_behind || is_overflow;
        let is_valid =
            is_current || is_repetition && (is_completed || is_planted(Bug::EndIgnoresEpoch));
        if !is_valid {
            return Err(TransactionError::ProducerFenced);
        }
        let outcome = |is_commit| {
            let next_id = next_producer_id(known, asked.new_producer_id)?;
            Ok(Step::Outcome(known.prepared(is_commit, asked.client, next_id, now.wall_ms)))
        };
        match (known.state, asked.is_commit) {
            (TransactionState::Ongoing, is_commit) => outcome(is_commit),
            (TransactionState::CompleteCommit, true) | (TransactionState::CompleteAbort, false)
                if is_repetition =>
            {
                Ok(Step::Done(known.producer()))
            }
            (TransactionState::Empty | TransactionState::CompleteAbort, false) => outcome(false),
            (TransactionState::CompleteCommit, false) if !is_repetition => outcome(false),
            (TransactionState::Dead | TransactionState::PrepareEpochFence, _) => {
                Err(TransactionError::Unexpected("no transactional id has this state"))
            }
            _ => Err(TransactionError::InvalidTransactionState),
        }
    }
}

/// The id that takes over from one whose epochs are used up.
fn next_producer_id(
    known: &TransactionMetadata,
    new_producer_id: Option<i64>,
) -> Result<i64, TransactionError> {
    match known.is_epoch_exhausted() {
        true => new_producer_id.ok_or(TransactionError::ProducerIdNeeded),
        false => Ok(NO_PRODUCER_ID),
    }
}
