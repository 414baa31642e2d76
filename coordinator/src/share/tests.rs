//! The share coordinator's shard, call by call.

mod combining;
mod deleting;
mod fencing;
pub(super) mod harness;
mod loading;
mod pruning;
mod writing;
