//! The partitions this broker hosts: the table, and each one with its log, its readers and waiters.
//!
//! ```text
//! metadata image ── publisher ──> table (topic name / id -> HostedTopic -> HostedPartition)
//! handlers ── table ──> HostedPartition ── lock ──> replica::Partition over StoredLog (appends)
//! fetchers ──────────────┘              └─ PublishedOffsets, LogReader (reads)
//! ```

pub(crate) mod disk_gate;
mod hosted;
#[cfg(test)]
mod hosted_test;
mod key;
mod offsets;
mod partition_metrics;
mod published_offsets;
mod replica_context;
mod stored_log;
mod table;
mod topic_metrics;
mod wakers;
mod watch;

pub(crate) use hosted::{
    AppendRefused, Committing, DeleteRefused, FutureReplica, HostedPartition, MoveError, Moving,
    Replica, ReplicaSettings,
};
pub(crate) use key::PartitionKey;
pub(crate) use offsets::{FoundOffset, OffsetSought};
pub(crate) use replica_context::{Proposed, ReplicaContext};
pub(crate) use stored_log::StoredLog;
pub(crate) use table::Partitions;
pub(crate) use wakers::Wakers;
pub(crate) use watch::{Watch, Watcher};
