//! storage's log as the replica wants it.

use bytes::Bytes;
use protocol::fetch::AbortedTransaction;
use replica::Origin;
use storage::{AppendError, AppendOrigin, Appended, Log, LogReader, ReadError};

use super::hosted::FoundOffset;

/// One partition's log on disk.
#[derive(Debug)]
pub(crate) struct StoredLog {
    pub(crate) log: Log,
}

impl replica::Log for StoredLog {
    type Appended = Appended;
    type Error = AppendError;

    fn append_as_leader(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        now_ms: i64,
        origin: Origin,
    ) -> Result<Appended, AppendError> {
        let origin = match origin {
            Origin::Client => AppendOrigin::Client,
            Origin::Coordinator => AppendOrigin::Coordinator,
        };
        self.log.append_as_leader(records, leader_epoch, now_ms, origin)
    }

    fn log_start_offset(&self) -> i64 {
        self.log.log_start_offset()
    }

    fn log_end_offset(&self) -> i64 {
        self.log.log_end_offset()
    }

    fn begin_leader_epoch(&mut self, leader_epoch: i32) -> Result<(), AppendError> {
        Ok(self.log.begin_leader_epoch(leader_epoch)?)
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

/// Where a search ended, as ListOffsets tells it.
pub(crate) fn found(found: storage::TimestampOffset) -> FoundOffset {
    FoundOffset {
        timestamp: found.timestamp,
        offset: found.offset,
        leader_epoch: found.leader_epoch,
    }
}

/// A rolled back transaction as Fetch tells it.
pub(crate) fn told(aborted: storage::AbortedTransaction) -> AbortedTransaction {
    AbortedTransaction { producer_id: aborted.producer_id, first_offset: aborted.first_offset }
}
