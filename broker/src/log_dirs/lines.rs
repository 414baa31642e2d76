//! What is found in the log directories of a broker that starts, said as Kafka's `LogManager` says
//! it.

use std::path::{Path, PathBuf};

pub(super) fn loading(directories: impl Iterator<Item = PathBuf>) {
    let named: Vec<String> = directories.map(|path| path.display().to_string()).collect();
    tracing::info!(
        target: "kafka.log.LogManager",
        "Loading logs from log dirs ArrayBuffer({})", named.join(", "),
    );
}

/// So many logs are in this directory.
pub(super) fn found(directory: &Path, logs: usize, was_clean: bool) {
    let directory = directory.display();
    if logs == 0 {
        tracing::info!(
            target: "kafka.log.LogManager",
            "No logs found to be loaded in {directory}",
        );
    } else if was_clean {
        tracing::info!(
            target: "kafka.log.LogManager",
            "Skipping recovery of {logs} logs from {directory} since clean shutdown file was found",
        );
    } else {
        tracing::info!(
            target: "kafka.log.LogManager",
            "Recovering {logs} logs from {directory} since no clean shutdown file was found",
        );
    }
}
