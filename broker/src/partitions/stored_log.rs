//! storage's log as the replica wants it.

use bytes::Bytes;
use protocol::fetch::AbortedTransaction;
use replica::Origin;
use storage::{AppendError, AppendOrigin, Appended, Log, LogReader, ReadError, TransactionTerms};

/// One partition's log on disk.
#[derive(Debug)]
pub(crate) struct StoredLog {
    pub(crate) log: Log,
}

/// What the log reports of an append.
#[derive(Debug)]
pub(crate) struct StoredAppend(pub(crate) Appended);

impl replica::Appended for StoredAppend {
    fn end_offset(&self) -> i64 {
        self.0.last_offset + 1
    }
}

impl replica::Log for StoredLog {
    type Appended = StoredAppend;
    type Error = AppendError;
    type Transaction = TransactionTerms;

    fn append_as_leader(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        now_ms: i64,
        origin: Origin,
        transaction: TransactionTerms,
    ) -> Result<StoredAppend, AppendError> {
        let origin = match origin {
            Origin::Client => AppendOrigin::Client,
            Origin::Coordinator => AppendOrigin::Coordinator,
        };
        self.log
            .append_in_transaction(records, leader_epoch, now_ms, origin, transaction)
            .map(StoredAppend)
    }

    fn append_as_follower(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        now_ms: i64,
    ) -> Result<StoredAppend, AppendError> {
        self.log.append_as_follower(records, leader_epoch, now_ms).map(StoredAppend)
    }

    fn log_start_offset(&self) -> i64 {
        self.log.log_start_offset()
    }

    fn log_end_offset(&self) -> i64 {
        self.log.log_end_offset()
    }

    fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        self.log.last_stable_offset(high_watermark)
    }

    fn begin_leader_epoch(&mut self, leader_epoch: i32) -> Result<(), AppendError> {
        Ok(self.log.begin_leader_epoch(leader_epoch)?)
    }

    fn latest_epoch(&self) -> Option<i32> {
        self.log.latest_epoch()
    }

    fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        self.log.end_offset_for_epoch(epoch)
    }

    fn truncate_to(&mut self, offset: i64, now_ms: i64) -> Result<(), AppendError> {
        Ok(self.log.truncate_to(offset, now_ms).map(drop)?)
    }

    fn truncate_fully_and_start_at(&mut self, offset: i64, now_ms: i64) -> Result<(), AppendError> {
        Ok(self.log.truncate_fully_and_start_at(offset, offset, now_ms)?)
    }

    fn high_watermark_moved(&mut self, high_watermark: i64) {
        self.log.high_watermark_moved(high_watermark);
    }

    fn delete_records_before(&mut self, offset: i64) -> Result<(), AppendError> {
        self.log.delete_records_before(offset).map_err(|error| match error {
            ReadError::Storage(error) => AppendError::Storage(error),
            // The replica asks for committed offsets only; said with the values all the same.
            ReadError::OffsetOutOfRange { requested, log_end_offset, .. } => {
                AppendError::UnexpectedOffset { offered: requested, log_end_offset }
            }
        })
    }
}

impl StoredLog {
    pub(crate) fn new(log: Log) -> Self {
        Self { log }
    }

    pub(crate) fn reader(&self) -> LogReader {
        self.log.reader()
    }

    /// Epoch of the newest record, -1 for none.
    pub(crate) fn latest_epoch(&self) -> i32 {
        self.log.latest_epoch().unwrap_or(-1)
    }
}

/// A rolled back transaction as Fetch tells it.
pub(crate) fn told(aborted: storage::AbortedTransaction) -> AbortedTransaction {
    AbortedTransaction { producer_id: aborted.producer_id, first_offset: aborted.first_offset }
}
