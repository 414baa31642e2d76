//! What time does: transactions that are open for too long are aborted, and ids that nobody uses
//! are forgotten. Answers to `TransactionCoordinator.abortTimedOutTransactions` and
//! `TransactionStateManager.removeExpiredTransactionalIds`.

use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{ProducerIdAndEpoch, TransactionError};
use super::markers::Command;
use super::metadata::TransactionMetadata;
use super::shard::TransactionShard;
use super::state::TransactionState;
use crate::planted::{Bug, is_planted};
use crate::runtime::Now;

impl TransactionShard {
    /// Aborts every transaction whose time is up, and takes its producer's epoch away.
    pub(super) fn abort_timed_out(&mut self, now: Now, out: &mut Outputs) {
        let due = self.resting(|known| is_timed_out(known, now));
        for (transactional_id, known) in due {
            self.abort(&transactional_id, &known, None, now, out);
        }
    }

    /// Aborts a transaction of this producer whose time is up, which asked for this new id.
    pub fn abort_with(
        &mut self,
        transactional_id: &StrBytes,
        producer: ProducerIdAndEpoch,
        new_producer_id: i64,
        now: Now,
        out: &mut Outputs,
    ) {
        let Ok(Some(known)) = self.settled(transactional_id) else { return };
        if known.producer() == producer && is_timed_out(known, now) {
            let known = known.clone();
            self.abort(transactional_id, &known, Some(new_producer_id), now, out);
        }
    }

    fn abort(
        &mut self,
        transactional_id: &StrBytes,
        known: &TransactionMetadata,
        new_producer_id: Option<i64>,
        now: Now,
        out: &mut Outputs,
    ) {
        match self.taken_over(known, new_producer_id, now) {
            Ok(next) => self.write_outcome(transactional_id, next, true, out),
            Err(TransactionError::ProducerIdNeeded) => out.command(Command::AbortWithNewId {
                transactional_id: transactional_id.clone(),
                producer: known.producer(),
            }),
            // No other refusal is there; the next look tries again.
            Err(_) => {}
        }
    }

    /// Forgets the ids that nobody has used for transactional.id.expiration.ms.
    pub(super) fn forget_expired(&mut self, now: Now, out: &mut Outputs) {
        let used_until = now.wall_ms.saturating_sub(self.settings.id_expiration_ms);
        let expired = self.resting(|known| {
            known.state.is_at_rest() && known.last_update_timestamp_ms <= used_until
        });
        for (transactional_id, _) in expired {
            // One write each: a batch takes as many of them as it can.
            let tombstone = self.record(&transactional_id, None);
            out.write(self, vec![tombstone], None);
        }
    }

    /// The ids of this kind whose state no write is about to change.
    fn resting(
        &self,
        is_meant: impl Fn(&TransactionMetadata) -> bool,
    ) -> Vec<(StrBytes, TransactionMetadata)> {
        let resting = self.transactions.all().filter(|(_, versions)| !versions.is_under_way());
        let meant = resting.filter_map(|(transactional_id, versions)| {
            let known = versions.committed().filter(|known| is_meant(known))?;
            Some((transactional_id.clone(), known.clone()))
        });
        meant.collect()
    }
}

/// A transaction in two phases, which Kafka gives the largest timeout, is never aborted by time.
fn is_timed_out(known: &TransactionMetadata, now: Now) -> bool {
    let ends_ms = known.start_timestamp_ms.saturating_add(i64::from(known.timeout_ms));
    known.state == TransactionState::Ongoing
        && !is_planted(Bug::NoTransactionTimesOut)
        && known.timeout_ms != i32::MAX
        && ends_ms < now.wall_ms
}
