//! InitProducerId with a transactional id: whose it is from here on.
//!
//! Whoever asks takes the id over: the epoch rises, and what the one before it left open is aborted
//! first, while the new one asks again. Answers to
//! `TransactionCoordinator.handleInitProducerId` and `prepareInitProducerIdTransit`.

use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{ProducerAnswer, ProducerIdAndEpoch, TransactionError};
use super::metadata::{NO_PRODUCER_EPOCH, TransactionMetadata, is_epoch_exhausted};
use super::shard::{AfterWrite, TransactionShard};
use super::state::TransactionState;
use crate::planted::{Bug, is_planted};
use crate::runtime::{Now, Reply};

/// What a producer asks for.
#[derive(Debug, Clone)]
pub struct InitProducerId {
    pub transactional_id: StrBytes,
    pub timeout_ms: i32,
    /// What the producer has, where it goes on after an error (KIP-360).
    pub expected: Option<ProducerIdAndEpoch>,
    /// An id that nobody had, if the answer without it was that one is needed.
    pub new_producer_id: Option<i64>,
}

/// What becomes of a transactional id.
enum Step {
    Begin(TransactionMetadata),
    /// Its transaction is aborted first.
    Abort(TransactionMetadata),
}

impl TransactionShard {
    pub fn init_producer_id(
        &mut self,
        asked: &InitProducerId,
        reply: Reply<ProducerAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        let id = &asked.transactional_id;
        match self.init_step(asked, now) {
            Err(error) => out.reply(reply, Err(error)),
            Ok(Step::Begin(next)) => {
                let producer = next.producer();
                let after = AfterWrite::Initialized { transactional_id: id.clone(), producer };
                let record = self.record(id, Some(next));
                let at = out.writes();
                out.write(self, vec![record], Some(after));
                out.reply_when_written(at, reply, Ok(producer));
            }
            Ok(Step::Abort(next)) => {
                let refusal = Err(TransactionError::ConcurrentTransactions);
                let at = out.writes();
                self.write_outcome(id, next, false, out);
                out.reply_when_written(at, reply, refusal);
            }
        }
    }

    fn init_step(&self, asked: &InitProducerId, now: Now) -> Result<Step, TransactionError> {
        let InitProducerId { transactional_id, timeout_ms, expected, new_producer_id } = asked;
        let needed = new_producer_id.ok_or(TransactionError::ProducerIdNeeded);
        let Some(known) = self.settled(transactional_id)? else {
            let new = TransactionMetadata::new(needed?, *timeout_ms, now.wall_ms);
            let expected = expected.map(|expected| expected.producer_epoch);
            return Ok(Step::Begin(new.with_next_epoch(*timeout_ms, expected, now.wall_ms)?));
        };
        if expected.is_some_and(|expected| !is_of(known, expected)) {
            return Err(TransactionError::ProducerFenced);
        }
        match known.state {
            TransactionState::Empty
            | TransactionState::CompleteCommit
            | TransactionState::CompleteAbort => {
                let expected = expected.map(|expected| expected.producer_epoch);
                let rotates = known.is_epoch_exhausted()
                    && expected.is_none_or(|expected| expected == known.producer_epoch);
                let next = match rotates {
                    true => known.with_new_producer_id(
                        needed?,
                        *timeout_ms,
                        expected.is_some(),
                        now.wall_ms,
                    ),
                    false => known.with_next_epoch(*timeout_ms, expected, now.wall_ms)?,
                };
                Ok(Step::Begin(next))
            }
            TransactionState::Ongoing if is_planted(Bug::InitLeavesTransactionOpen) => {
                Ok(Step::Begin(known.with_next_epoch(*timeout_ms, None, now.wall_ms)?))
            }
            TransactionState::Ongoing => {
                Ok(Step::Abort(self.taken_over(known, *new_producer_id, now)?))
            }
            TransactionState::PrepareCommit | TransactionState::PrepareAbort => {
                Err(TransactionError::ConcurrentTransactions)
            }
            TransactionState::Dead | TransactionState::PrepareEpochFence => {
                Err(TransactionError::Unexpected("no transactional id has this state"))
            }
        }
    }
}

/// Whether a producer that says it has this may go on.
fn is_of(known: &TransactionMetadata, expected: ProducerIdAndEpoch) -> bool {
    known.producer_epoch == NO_PRODUCER_EPOCH
        || expected.producer_id == known.producer_id
        || (expected.producer_id == known.previous_producer_id
            && is_epoch_exhausted(expected.producer_epoch))
}
