//! What a log knows of its producers' transactions, kept by `storage`'s own rules: who may write,
//! what is open, which transactions were aborted. A log on disk adds its files to that.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::batch::BatchHeader;
use storage::{
    AppendError, AppendOrigin, CompletedTransaction, Marker, ProducerChange, ProducerState,
    TransactionTerms, Unstable, VerificationGuard,
};

use super::log::LogError;

/// Longer than any run.
const NEVER_MS: i64 = i64::MAX;

/// What a record is in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transactional {
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    /// Of the batch's first record.
    pub(crate) sequence: i32,
    /// For the end of a transaction.
    pub(crate) marker: Option<Marker>,
}

#[derive(Debug)]
pub(crate) struct Transactions {
    unstable: Arc<Unstable>,
    producers: ProducerState,
    /// The transaction index.
    aborted: Vec<CompletedTransaction>,
}

impl Default for Transactions {
    fn default() -> Self {
        let unstable = Arc::new(Unstable::default());
        let producers = ProducerState::new(Arc::clone(&unstable), NEVER_MS);
        Self { unstable, producers, aborted: Vec::new() }
    }
}

fn code(refused: &AppendError) -> ErrorCode {
    match refused {
        AppendError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
        AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
        AppendError::InvalidTransactionState { .. } => ErrorCode::InvalidTxnState,
        AppendError::CoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
        other => panic!("no rule of transactions: {other:?}"),
    }
}

impl Transactions {
    /// The log is empty and goes on at this offset.
    pub(crate) fn reset(&mut self, offset: i64) {
        self.producers.reset(offset);
        self.aborted.clear();
    }

    pub(crate) fn repeats(&self, header: &BatchHeader, origin: AppendOrigin) -> Option<i64> {
        self.producers.repeats(header).filter(|_| origin == AppendOrigin::Client)
    }

    pub(crate) fn judge(
        &self,
        header: &BatchHeader,
        marker: Option<Marker>,
        origin: AppendOrigin,
        terms: TransactionTerms,
    ) -> Result<ProducerChange, LogError> {
        let judged = self
            .producers
            .check_transaction(header, terms.guard, true)
            .and_then(|()| self.producers.judge(header, marker, origin, terms.version));
        judged.map_err(|refused| LogError::Refused(code(&refused)))
    }

    pub(crate) fn take(&mut self, header: &BatchHeader, change: ProducerChange) {
        let completed = self.producers.take(header, Some(change));
        self.complete(completed);
    }

    pub(crate) fn replay(&mut self, header: &BatchHeader, marker: Option<Marker>) {
        let completed = self.producers.replay_with(header, marker);
        self.complete(completed.expect("nothing is judged again"));
    }

    fn complete(&mut self, completed: Option<CompletedTransaction>) {
        let Some(completed) = completed else { return };
        if completed.aborted {
            self.aborted.push(completed);
        }
        self.producers.complete(&completed);
    }

    pub(crate) fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        self.unstable.last_stable_offset(high_watermark)
    }

    pub(crate) fn high_watermark_moved(&self, high_watermark: i64) {
        self.unstable.decided_below(high_watermark);
    }

    /// What a reader of committed records is told of those below an offset.
    pub(crate) fn aborted_below(&self, upper: i64) -> impl Iterator<Item = &CompletedTransaction> {
        self.aborted.iter().filter(move |aborted| aborted.first_offset < upper)
    }

    /// The guard to hand back with a transaction's first records; none where it is under way.
    pub(crate) fn begin_verification(
        &mut self,
        (producer_id, producer_epoch): (i64, i16),
        sequence: i32,
        adds_partitions: bool,
        now_ms: i64,
    ) -> Result<VerificationGuard, ErrorCode> {
        self.producers
            .begin_verification(producer_id, sequence, producer_epoch, adds_partitions, now_ms)
            .map_err(|refused| code(&refused))
    }
}
