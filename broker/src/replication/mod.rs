//! Partitions on this broker: opened, led, followed, read, and what the controller is told of them.
//! Kafka: `ReplicaManager` and what it holds.

pub(crate) mod alter_partition;
pub(crate) mod disk_gate;
pub(crate) mod fetch_session;
pub(crate) mod fetchers;
pub(crate) mod fetching;
pub(crate) mod partitions;
pub(crate) mod publisher;
pub(crate) mod replication_quota;
mod state_changes;
mod watches;
