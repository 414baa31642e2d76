//! The partitions this broker hosts: the table, and each one with its log, its readers and waiters.
//!
//! ```text
//! metadata image ── publisher ──> table (topic name / id -> HostedTopic -> HostedPartition)
//! handlers ── table ──> HostedPartition ── lock ──> replica::Partition over StoredLog (appends)
//!                                       └─ marks, LogReader (reads; never wait for an append)
//! ```

mod hosted;
mod marks;
mod stored_log;
mod table;
mod wakers;

pub(crate) use hosted::{AppendRefused, DeleteRefused, FoundOffset, HostedPartition, OffsetSought};
pub(crate) use marks::Isolation;
pub(crate) use stored_log::StoredLog;
pub(crate) use table::Partitions;
