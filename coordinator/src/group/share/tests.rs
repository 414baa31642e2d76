//! Share groups: who is told what, what is written, and what becomes of the state of partitions.

pub(super) mod bench;
mod heartbeats;
mod offsets;
mod state;
