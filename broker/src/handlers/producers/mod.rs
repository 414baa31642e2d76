//! Ids of producers, and who writes to a partition.

pub(crate) mod allocate_producer_ids;
pub(crate) mod describe_producers;
pub(crate) mod init_producer_id;
