//! The transaction coordinator's shard and what it takes and gives: who writes under which
//! transactional id, what belongs to its transaction, and how that ends.
//!
//! ```text
//! Empty ─ add ─▶ Ongoing ─ end ─▶ PrepareCommit ─ markers written ─▶ CompleteCommit ─ add ─▶ …
//!                   └─ end, timeout, another producer ─▶ PrepareAbort ─▶ CompleteAbort
//! ```
//! Invariants:
//! - The outcome stands in the log before it is told to anybody, and is never another one after.
//! - Markers go out for an outcome that stands in the log, and for each partition until it has one.
//! - Nothing is done for a transactional id while a change of its state is under way, and that is
//!   so from the outcome to the last marker.
//! - An end that was meant for one transaction never ends the next: under transaction.version 2
//!   each has an epoch of its own (KIP-890).
//!
//! Answers to Kafka's `TransactionCoordinator`, `TransactionStateManager` and
//! `TransactionMetadata`. The host sends the markers, hands out producer ids, and knows epochs of
//! the coordinator.

mod add_partitions;
mod answer;
mod end_transaction;
mod expiry;
mod init_producer_id;
mod listing;
mod log_event;
mod markers;
mod metadata;
mod record;
mod shard;
#[cfg(test)]
mod simulation;
mod state;
#[cfg(test)]
mod tests;

pub use add_partitions::AddPartitions;
pub use answer::{
    AddPartitionsAnswer, Answer, ProducerAnswer, ProducerIdAndEpoch, TransactionError,
};
pub use end_transaction::EndTransaction;
pub use init_producer_id::InitProducerId;
pub use listing::{DescribedTransaction, ListedTransaction, TransactionFilter};
pub use log_event::{Level, LogEvent};
pub use markers::{Command, Markers};
pub use metadata::{TopicPartition, TransactionMetadata, TransactionVersion};
pub use record::{Record, RecordError};
pub use shard::{AfterWrite, TransactionSettings, TransactionShard};
pub use state::TransactionState;

/// What one call of a shard of transactions gives out.
pub type Outputs = crate::runtime::Outputs<TransactionShard>;
