//! Replicas: in-sync sets, leaders, reassignments, directories.

pub(crate) mod alter_partition;
pub(crate) mod alter_partition_reassignments;
pub(crate) mod alter_replica_log_dirs;
pub(crate) mod assign_replicas_to_dirs;
pub(crate) mod describe_log_dirs;
pub(crate) mod elect_leaders;
pub(crate) mod list_partition_reassignments;
