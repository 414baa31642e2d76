//! All that can happen to a quorum node, and all that it asks of its host.

use protocol::records::metadata::MetadataRecord;

use super::batches::Entry;
use crate::feature::MetadataVersion;

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The host is ready to carry out outputs.
    Started,
    /// The active controller wants these in the log.
    RecordsProposed { records: Vec<MetadataRecord>, level: MetadataVersion, atomic: bool },
    /// Everything below `end_offset` is on the disk.
    LogSynced { end_offset: i64 },
    /// The node is about to stop.
    ShutdownRequested,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// This node leads from now on; the controller's first record goes to `next_offset`.
    BecomeActive { epoch: i32, next_offset: i64 },
    /// This node leads no more; what was not committed is void.
    BecomeInactive { epoch: i32 },
    /// Make the log durable and report it; it may be gathered with later ones.
    SyncLog,
    /// Apply these: they are committed.
    Commit { entries: Vec<Entry>, high_watermark: i64 },
}
