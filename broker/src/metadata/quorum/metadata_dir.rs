//! The directory of the metadata log: where it is, and what it says of the node's last run.

use std::path::PathBuf;
use std::sync::Arc;

use storage::{Disk, OpenFiles};
use uuid::Uuid;

use crate::log_dirs::LogDirs;

/// The directory of the one partition within its log dir.
pub(super) const PARTITION: &str = "__cluster_metadata-0";

/// Where the metadata log lives, and what its directory is called in the cluster.
#[derive(Debug, Clone)]
pub(crate) struct MetadataDir {
    /// The log dir, formatted.
    pub(crate) path: PathBuf,
    pub(crate) cluster_id: String,
    pub(crate) directory_id: Uuid,
    /// Ids of the directories of the partitions' logs.
    pub(crate) log_dirs: Vec<Uuid>,
    /// Whether the node stopped cleanly last time.
    pub(crate) clean_shutdown: bool,
    /// The broker's epoch before a clean stop; -1 after any other.
    pub(crate) previous_broker_epoch: i64,
    pub(crate) disk: Disk,
    pub(crate) open_files: Arc<OpenFiles>,
}

impl MetadataDir {
    pub(super) fn of(log_dirs: &LogDirs) -> Self {
        let (path, directory_id) = log_dirs.metadata();
        Self {
            path,
            cluster_id: log_dirs.cluster_id().to_owned(),
            directory_id,
            log_dirs: log_dirs.registered().to_vec(),
            clean_shutdown: log_dirs.metadata_was_clean(),
            previous_broker_epoch: log_dirs.previous_broker_epoch(),
            disk: log_dirs.disk().clone(),
            open_files: Arc::clone(log_dirs.open_files()),
        }
    }

    pub(super) fn partition_path(&self) -> PathBuf {
        self.path.join(PARTITION)
    }
}
