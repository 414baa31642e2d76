//! The share coordinator's shard, call by call.

mod combining;
