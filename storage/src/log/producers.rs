//! What the log tells about its producers and transactions, and the watermark they wait for.

use super::Log;
use crate::error::{AppendError, StorageError};
use crate::index::transaction::AbortedTransaction;
use crate::producer::VerificationGuard;

/// One active producer, as DescribeProducers lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerSummary {
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub last_sequence: i32,
    pub last_timestamp: i64,
    pub coordinator_epoch: i32,
    /// -1 when no transaction is open.
    pub transaction_start_offset: i64,
}

impl Log {
    #[must_use]
    pub fn producers(&self) -> Vec<ProducerSummary> {
        let summary = |entry: &crate::producer::ProducerEntry| ProducerSummary {
            producer_id: entry.producer_id,
            producer_epoch: entry.producer_epoch,
            last_sequence: entry.last_sequence(),
            last_timestamp: entry.last_timestamp,
            coordinator_epoch: entry.coordinator_epoch,
            transaction_start_offset: entry.transaction_first_offset.unwrap_or(-1),
        };
        self.producers.iter().map(summary).collect()
    }

    /// Forgets producers that wrote nothing for `producer.id.expiration.ms`, as it is now.
    pub fn expire_producers(&mut self, expiration_ms: i64, now_ms: i64) {
        self.producers.set_expiration_ms(expiration_ms);
        if !self.producers.is_empty() {
            self.producers.expire(now_ms);
        }
    }

    /// Notes how far records are committed: what is below may be deleted, and transactions that
    /// ended below hold nothing back.
    pub fn high_watermark_moved(&mut self, high_watermark: i64) {
        self.high_watermark = high_watermark;
        self.shared.unstable.decided_below(high_watermark);
    }

    /// First offset that a transaction leaves undecided below `high_watermark`.
    #[must_use]
    pub fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        self.shared.unstable.last_stable_offset(high_watermark).max(self.log_start_offset())
    }

    #[must_use]
    pub fn has_ongoing_transaction(&self, producer_id: i64, producer_epoch: i16) -> bool {
        self.producers.has_ongoing(producer_id, producer_epoch)
    }

    /// Begins the verification of a transaction's first records; hand the guard to
    /// [`Self::append_in_transaction`] once the coordinator confirmed. Without need of verification
    /// the guard is [`VerificationGuard::NONE`].
    pub fn begin_verification(
        &mut self,
        producer_id: i64,
        sequence: i32,
        epoch: i16,
        supports_epoch_bump: bool,
        now_ms: i64,
    ) -> Result<VerificationGuard, AppendError> {
        let producers = &mut self.producers;
        producers.begin_verification(producer_id, sequence, epoch, supports_epoch_bump, now_ms)
    }

    /// See [`super::LogReader::aborted_transactions`].
    pub fn aborted_transactions(
        &self,
        from: i64,
        upper: i64,
    ) -> Result<Vec<AbortedTransaction>, StorageError> {
        self.reader().aborted_transactions(from, upper)
    }
}
