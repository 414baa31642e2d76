//! What this broker does with its partitions: found, followed, read, and told of to the controller.
//! Kafka: `ReplicaManager` and what it holds.

pub(crate) mod add_partitions_to_txn;
pub(crate) mod alter_partition;
mod assignments_reporter;
mod directory_assignments;
pub(crate) mod fetch_session;
pub(crate) mod fetchers;
pub(crate) mod fetching;
pub(crate) mod log_dir_failures;
pub(crate) mod log_dir_moves;
pub(crate) mod replica_gauges;
pub(crate) mod replica_manager;
pub(crate) mod replication_quota;
pub(crate) mod topic_settings;
pub(crate) mod transaction_verification;
pub(crate) mod watches;
