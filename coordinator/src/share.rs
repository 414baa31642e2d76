//! The share coordinator's shard: what share groups remember of each partition that they read
//! (KIP-932), for the leaders of those partitions and for the group coordinator.

mod key;
mod state_batch;

pub use key::{SharePartitionKey, ShareTopicPartition};
pub use state_batch::StateBatch;

#[cfg(test)]
mod tests;
