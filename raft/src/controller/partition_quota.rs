//! Bounds how many partitions somebody makes and deletes (KIP-599). Answers to
//! `ControllerRequestContext.applyPartitionChangeQuota`.

use super::error::ApiError;

/// What whoever asks may still make and delete, from whoever counts it.
pub trait PartitionQuota {
    /// So many are about to be made or deleted, or are only thought of: a check counts as well.
    fn take(&mut self, partitions: usize) -> Result<(), ApiError>;
}

/// For nodes, and where nobody counts.
#[derive(Debug)]
pub struct Unbounded;

impl PartitionQuota for Unbounded {
    fn take(&mut self, _: usize) -> Result<(), ApiError> {
        Ok(())
    }
}
