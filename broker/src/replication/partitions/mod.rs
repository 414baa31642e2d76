//! The partitions this broker hosts: the table, and each one with its log, its readers and waiters.
//!
//! ```text
//! metadata image ── publisher ──> table (topic name / id -> HostedTopic -> HostedPartition)
//! handlers ── table ──> HostedPartition ── lock ──> replica::Partition over StoredLog (appends)
//! fetchers ──────────────┘              └─ marks, LogReader (reads; never wait for an append)
//! ```

mod hosted;
#[cfg(test)]
mod hosted_test;
mod marks;
mod offsets;
mod stored_log;
mod surroundings;
mod table;
mod wakers;

pub(crate) use hosted::{
    AppendRefused, Committing, DeleteRefused, HostedPartition, Replica, ReplicaSettings,
};
pub(crate) use marks::Isolation;
pub(crate) use offsets::{FoundOffset, OffsetSought};
pub(crate) use stored_log::StoredLog;
pub(crate) use surroundings::{Proposed, Surroundings};
pub(crate) use table::Partitions;
