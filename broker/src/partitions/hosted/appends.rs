//! What is written to a partition that this broker leads, and taken away from it.

use std::sync::Arc;

use bytes::Bytes;
use replica::{Acks, Answer, Effects, NotAppended, NotDeleted, Origin, Token};
use storage::{
    AppendError, Appended, FlushTicket, Flushed, StorageError, TransactionTerms, VerificationGuard,
};
use tokio::sync::oneshot;

use super::HostedPartition;
use crate::blocking::blocking;
use crate::clock::{monotonic, wall_ms};

/// Why an append was not taken; `error_map` has the codes.
pub(crate) type AppendRefused = NotAppended<AppendError>;
/// Why records were not deleted.
pub(crate) type DeleteRefused = NotDeleted<AppendError>;

/// An append that was taken: answered now, or when the in-sync replicas have it.
#[derive(Debug)]
pub(crate) struct Appending {
    pub(crate) appended: Appended,
    pub(crate) committed: Option<Committing>,
}

/// The wait for the in-sync replicas.
#[derive(Debug)]
pub(crate) struct Committing {
    token: Token,
    pub(crate) answer: oneshot::Receiver<Answer>,
}

/// The wait for the live replicas to delete, too.
#[derive(Debug)]
pub(crate) struct Deleting {
    /// Where the log begins for all live replicas.
    pub(crate) low_watermark: i64,
    token: Token,
    pub(crate) followed: Option<oneshot::Receiver<Option<i64>>>,
}

impl HostedPartition {
    /// Appends records of no transaction.
    #[cfg(test)]
    pub(crate) fn append(
        &self,
        records: &Bytes,
        acks: Acks,
        now_ms: i64,
        origin: Origin,
    ) -> Result<Appending, AppendRefused> {
        self.append_in_transaction(records, acks, now_ms, origin, TransactionTerms::default())
    }

    /// Appends records that came from outside or from one of our coordinators; `transaction` is
    /// what the first records of one come with, and its end.
    pub(crate) fn append_in_transaction(
        &self,
        records: &Bytes,
        acks: Acks,
        now_ms: i64,
        origin: Origin,
        transaction: TransactionTerms,
    ) -> Result<Appending, AppendRefused> {
        let (token, metrics) = (self.token(), self.context.metrics());
        metrics.append_requested(&self.topic_metrics);
        let (outcome, effects, answer, moved) = self.context.gate().run(|| {
            let mut replica = self.replica.lock();
            let (outcome, effects) = self
                .context
                .at(now_ms, |at| replica.append(records, acks, (origin, transaction), token, at))?;
            // Under the lock, so that nobody answers the token before it is known.
            let answer = (!outcome.committed).then(|| {
                let (sender, receiver) = oneshot::channel();
                self.waiting_produces.lock().insert(token, sender);
                receiver
            });
            let moved = self.publish(&replica);
            Ok::<_, AppendRefused>((outcome, effects, answer, moved))
        })?;
        self.carry_out(effects);
        self.wake(moved);
        let appended = &outcome.appended.0;
        let topic = &self.topic_metrics;
        metrics.appended(topic, records.len(), appended.base_offset, appended.last_offset);
        let committed = answer.map(|answer| Committing { token, answer });
        Ok(Appending { appended: outcome.appended.0, committed })
    }

    /// Before the first records of a transaction are appended here, the transaction coordinator is
    /// asked: the proof that they then come with. [`VerificationGuard::NONE`] for a transaction
    /// that is under way here already. Kafka: `Partition.maybeStartTransactionVerification`.
    pub(crate) fn begin_verification(
        &self,
        (producer_id, epoch): (i64, i16),
        sequence: i32,
        supports_epoch_bump: bool,
    ) -> Result<VerificationGuard, AppendRefused> {
        self.context.gate().run(|| {
            let mut replica = self.replica.lock();
            if !replica.leads() {
                return Err(NotAppended::NotLeader);
            }
            let log = &mut replica.log_mut().log;
            log.begin_verification(producer_id, sequence, epoch, supports_epoch_bump, wall_ms())
                .map_err(NotAppended::Log)
        })
    }

    /// Whoever waited for this has given up; the records stay.
    pub(crate) fn forget(&self, waited_for: &Committing) {
        self.waiting_produces.lock().remove(&waited_for.token);
        self.replica.lock().forget(waited_for.token);
    }

    /// What a coordinator appends: resolves when the high watermark has passed it.
    pub(crate) async fn append_internal(
        self: &Arc<Self>,
        records: &Bytes,
        now_ms: i64,
        transaction: TransactionTerms,
    ) -> Result<Appended, AppendRefused> {
        let origin = Origin::Coordinator;
        let appending =
            self.append_in_transaction(records, Acks::All, now_ms, origin, transaction)?;
        if appending.appended.must_flush {
            self.flush_up_to(appending.appended.last_offset + 1, now_ms)
                .await
                .map_err(|error| NotAppended::Log(error.into()))?;
        }
        match appending.committed {
            None => Ok(appending.appended),
            Some(committed) => match committed.answer.await {
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
        blocking("a flush", move || {
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
                    let flushed = partition.run_flush(ticket);
                    partition.replica.lock().log_mut().log.end_flush(flushed)
                }
            }
        })
        .await
    }

    /// Syncs what a ticket of this log names; as long as the disk takes.
    pub(crate) fn run_flush(&self, ticket: FlushTicket) -> Flushed {
        let begun = monotonic();
        let flushed = ticket.run();
        self.context.metrics().flushed(monotonic().saturating_sub(begun));
        flushed
    }

    /// DeleteRecords; `offset` -1 means everything that is committed. Files may go, so it runs
    /// where that may take its time.
    pub(crate) fn delete_records_before(&self, offset: i64) -> Result<Deleting, DeleteRefused> {
        let token = self.token();
        let (sender, receiver) = oneshot::channel();
        // Before the step, so that nobody answers the token before it is known.
        self.waiting_deletions.lock().insert(token, sender);
        let deleted = self.step(|replica, at| match replica.delete_records(offset, token, at) {
            Ok((deletion, effects)) => (Ok(deletion), effects),
            Err(refused) => (Err(refused), Effects::default()),
        });
        if !deleted.as_ref().is_ok_and(|deletion| !deletion.done) {
            self.waiting_deletions.lock().remove(&token);
        }
        let deletion = deleted?;
        let followed = (!deletion.done).then_some(receiver);
        Ok(Deleting { low_watermark: deletion.low_watermark, token, followed })
    }

    /// Whoever waited for the other replicas has given up.
    pub(crate) fn forget_deletion(&self, waited_for: &Deleting) {
        self.waiting_deletions.lock().remove(&waited_for.token);
        self.replica.lock().forget(waited_for.token);
    }
}
