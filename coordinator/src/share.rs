//! The share coordinator's shard: what share groups remember of each partition that they read
//! (KIP-932), for the leaders of those partitions and for the group coordinator.
//!
//! ```text
//! initialize ─▶ snapshot ─ write ─▶ update ─ write ─▶ update … ─ the limit ─▶ snapshot ─▶ …
//!     state epoch+1, from here on        │ read by a newer leader: its epoch
//!     delete, topic deleted ─▶ tombstone
//! ```
//! Invariants:
//! - A state that was acknowledged stands in the log; what is read is never older.
//! - The state epoch of a partition never goes back, nor does the leader epoch that it was read
//!   under: who comes with an older one is fenced.
//! - Below the offset that pruning is told nothing is needed: each partition's newest snapshot lies
//!   at it or above.
//!
//! Answers to `ShareCoordinatorShard` and what it stands on. The host knows the topics, times out
//! writes and deletes records.

mod answer;
mod cold_snapshots;
mod deletion;
mod initialize;
mod key;
mod log_event;
mod read;
mod redundant_offset;
mod shard;
#[cfg(test)]
mod simulation;
mod state;
mod state_batch;
#[cfg(test)]
mod tests;
mod write;

pub use answer::{Answer, DoneAnswer, ReadAnswer, ShareError, SummaryAnswer};
pub use initialize::InitializeState;
pub use key::{SharePartitionKey, ShareTopicPartition};
pub use log_event::{Level, LogEvent};
pub use read::{ReadState, StateRead, StateSummary};
pub use shard::{Command, ShareSettings, ShareShard};
pub use state::ShareState;
pub use state_batch::StateBatch;
pub use write::WriteState;

/// What one call of a shard of share state gives out.
pub type Outputs = crate::runtime::Outputs<ShareShard>;
