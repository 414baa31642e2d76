//! The host of coordinators: one shard for each partition of a coordinator's topic led here.
//!
//! ```text
//! publisher ── a partition is ours / is not ──▶ Shards ──▶ HostedShard: loading ▶ active ▶ closed
//! handlers  ── ask(…) ──▶ HostedShard ── lock ──▶ coordinator::runtime::Runtime
//!                            │ writes in order         ▲ written
//!                            └─▶ write: one append  for all that waits ─┘ ▶ replies
//! ```
//! The lock is never held across an append, a read or an await, so a disk that stalls delays
//! writes and nothing else. Nothing in here knows which coordinator it hosts: that is [`Kind`].
//! Answers to `CoordinatorRuntime`, `CoordinatorLoaderImpl` and `CoordinatorPartitionWriter`.

mod batch;
mod clock;
mod cluster_metadata;
pub(crate) mod end_offsets;
pub(crate) mod groups;
mod hosted;
mod kind;
mod load;
mod log;
#[allow(dead_code, reason = "who asks comes with share groups and their partitions")]
pub(crate) mod persister;
mod shards;
pub(crate) mod share;
pub(crate) mod share_group_state;
#[cfg(test)]
mod tests;
pub(crate) mod transactions;

pub(crate) use self::hosted::{HostedShard, Parked};
pub(crate) use self::kind::Kind;
pub(crate) use self::shards::{ShardSettings, Shards, Unserved};
