//! Coordinators: [`runtime`], which is the same for all of them, [`group`], which knows who is in
//! which group, who leads it, and what it has read, and [`transaction`], which knows who may write
//! under which transactional id, and how each transaction ends.
//!
//! One shard is one partition of a coordinator's topic, and its state is the replay of that
//! partition's records. A request is a pure function of the state: it gives answers at once, or
//! parks a reply token, and records to append. Timers do no more than that either. Nothing in here
//! knows tasks, clocks, random or disks: time, draws and reply tokens are handed in, effects are
//! handed out in [`runtime::Effects`].
//!
//! ```text
//! request, now, draw ──▶ Runtime<Shard> ──▶ Effects { replies, writes, commands }
//! timer fired, now   ──▶      ▲               │ writes, in order
//! append finished    ─────────┴───────────────┘ written(id, base offset or why not)
//! records at start   ──▶ replay, then loaded
//! ```
//!
//! Invariants:
//! - Writes leave in the order in which they were decided, and are reported back in that order.
//! - What a client can read as committed has been written; what failed to be written is undone.
//! - A reply token is answered once.
//! - The generation of a group never goes back, nor does the epoch of a producer id.

pub mod group;
mod partition;
pub mod planted;
pub mod runtime;
#[cfg(test)]
mod seeds;
pub mod share;
pub mod transaction;

pub use partition::{java_hash, partition_of};
