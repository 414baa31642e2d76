//! What a partition needs of its log. The broker supplies the log on disk, tests a log in memory.
//!
//! Kafka: the part of `UnifiedLog` that `kafka.cluster.Partition` and the fetcher threads use.

use bytes::Bytes;

/// Who wrote the records of an append; decides which checks they must pass.
/// Kafka: `org.apache.kafka.storage.internals.log.AppendOrigin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A producer: everything is checked.
    Client,
    /// One of our own coordinators: control batches are allowed.
    Coordinator,
}

/// What an append reports.
pub trait Appended {
    /// The offset after the last record. For a batch that was in the log already, where that one
    /// ends.
    fn end_offset(&self) -> i64;
}

/// One partition's log as its replica sees it. Offsets are Kafka's: the log end is the offset the
/// next record will get.
pub trait Log {
    /// What an append reports.
    type Appended: Appended;
    /// Why an append was refused or failed; nothing was added then.
    type Error;
    /// What comes with records of a transaction, or with its end; nothing for others.
    type Transaction;

    /// Checks and appends `records` (one or more whole batches as they came), assigning offsets and
    /// `leader_epoch`.
    fn append_as_leader(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        now_ms: i64,
        origin: Origin,
        transaction: Self::Transaction,
    ) -> Result<Self::Appended, Self::Error>;

    /// Appends whole batches as the leader has them. An incomplete one at the end is left out, and
    /// so is what begins with a batch of an epoch above `leader_epoch` (KAFKA-18723).
    fn append_as_follower(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        now_ms: i64,
    ) -> Result<Self::Appended, Self::Error>;

    /// First offset still in the log.
    fn log_start_offset(&self) -> i64;

    /// Offset of the next record.
    fn log_end_offset(&self) -> i64;

    /// First offset that a reader of committed transactions may not see, given how far records are
    /// committed at all.
    fn last_stable_offset(&self, high_watermark: i64) -> i64;

    /// Notes that `leader_epoch` begins at the present log end.
    fn begin_leader_epoch(&mut self, leader_epoch: i32) -> Result<(), Self::Error>;

    /// The newest epoch that the log knows of; `None` for none.
    fn latest_epoch(&self) -> Option<i32>;

    /// The largest known epoch at or below `epoch` and the offset where it ends; `None` where Kafka
    /// answers an undefined epoch and offset.
    fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)>;

    /// Drops every record at or above `offset`, and the epochs that began there.
    fn truncate_to(&mut self, offset: i64, now_ms: i64) -> Result<(), Self::Error>;

    /// Drops everything and goes on, empty, at `offset`.
    fn truncate_fully_and_start_at(&mut self, offset: i64, now_ms: i64) -> Result<(), Self::Error>;

    /// Tells the log how far records are committed; what it keeps of undecided transactions and
    /// what retention may delete depend on it.
    fn high_watermark_moved(&mut self, high_watermark: i64);

    /// Moves the log start up to `offset`; what lies below may be deleted.
    fn delete_records_before(&mut self, offset: i64) -> Result<(), Self::Error>;
}
