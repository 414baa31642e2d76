//! Ids of producers, who writes to a partition, and where transactions end.

pub(crate) mod allocate_producer_ids;
pub(crate) mod describe_producers;
pub(crate) mod init_producer_id;
pub(crate) mod write_txn_markers;
