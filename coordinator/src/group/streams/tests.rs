//! Tables over streams groups: state and event in, answers and records out.

pub(super) mod bench;
mod heartbeats;
mod lifetimes;
mod topologies;
