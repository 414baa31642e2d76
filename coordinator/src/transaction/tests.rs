//! The shard's rules as tables and short stories.

mod adding;
mod ending;
pub(super) mod harness;
mod initializing;
mod loading;
mod time;
