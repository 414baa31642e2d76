//! What a partition needs of its log. The broker supplies the log on disk, tests a log in memory.

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

/// One partition's log as its replica sees it. Offsets are Kafka's: the log end is the offset the
/// next record will get.
pub trait Log {
    /// What an append reports: at least where the log ends now is read from the log itself.
    type Appended;
    /// Why an append was refused or failed; nothing was added then.
    type Error;

    /// Checks and appends `records` (one or more whole batches as they came), assigning offsets and
    /// `leader_epoch`.
    fn append_as_leader(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        now_ms: i64,
        origin: Origin,
    ) -> Result<Self::Appended, Self::Error>;

    /// First offset still in the log.
    fn log_start_offset(&self) -> i64;

    /// Offset of the next record.
    fn log_end_offset(&self) -> i64;

    /// Notes that `leader_epoch` begins at the present log end.
    fn begin_leader_epoch(&mut self, leader_epoch: i32) -> Result<(), Self::Error>;

    /// Tells the log how far records are committed; what it keeps of undecided transactions and
    /// what retention may delete depend on it.
    fn high_watermark_moved(&mut self, high_watermark: i64);

    /// Moves the log start up to `offset`; what lies below may be deleted.
    fn delete_records_before(&mut self, offset: i64) -> Result<(), Self::Error>;
}
