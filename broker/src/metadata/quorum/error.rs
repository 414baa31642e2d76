//! Why the quorum does not start, does not answer, or ends the process.

use std::path::PathBuf;

use raft::node::NodeError;
use storage::StorageError;

/// A file of the metadata log that cannot be handled.
#[derive(Debug, thiserror::Error)]
#[error("Cannot {operation} {}: {source}", path.display())]
pub struct FileError {
    pub(super) operation: &'static str,
    pub(super) path: PathBuf,
    pub(super) source: std::io::Error,
}

/// Why the quorum does not start.
#[derive(Debug, thiserror::Error)]
pub enum QuorumStartError {
    #[error("{0}")]
    Storage(#[from] StorageError),
    #[error("{0}")]
    File(#[from] FileError),
    #[error("{0}")]
    Node(#[from] NodeError),
    #[error("{path} cannot be used: {reason}")]
    Bootstrap { path: String, reason: String },
    #[error("the quorum's thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the quorum has ended before the broker started")]
    Ended,
}

/// The metadata cannot be trusted any more: says why and ends the process.
pub(super) fn fatal(error: &dyn std::fmt::Display) -> ! {
    tracing::error!(
        target: "kafka.server.SharedServer",
        "Encountered fatal fault in the metadata quorum: {error}"
    );
    std::process::exit(1)
}
