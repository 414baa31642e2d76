//! How the path of a log directory is shown.

use std::path::{Path, PathBuf};

/// As Kafka prints a directory.
pub(super) fn shown(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
