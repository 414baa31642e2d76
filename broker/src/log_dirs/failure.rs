//! What the failure of a directory means for the node.
//!
//! Kafka: `ReplicaManager.handleLogDirFailure`, `LogManager.handleLogDirFailure`.

use std::path::{Path, PathBuf};

use storage::StorageError;

/// What a failure costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// This directory; the others go on.
    Directory(usize),
    /// Nothing more: the directory was offline already, or it is one log that is damaged.
    Nothing,
    /// The node: there is no directory left.
    Last,
    /// The node: the metadata log is in this directory.
    Metadata(usize),
    /// The node: it cannot be said which directory failed, or none did.
    Unknown,
}

/// The directories as far as failing goes: which are online, and which has the metadata log.
#[derive(Debug)]
pub(super) struct Directories<'a> {
    pub(super) paths: &'a [PathBuf],
    pub(super) online: &'a [bool],
    pub(super) metadata: usize,
}

impl Directories<'_> {
    pub(super) fn cost(&self, error: &StorageError) -> Cost {
        if matches!(error, StorageError::Corrupt(_)) {
            return Cost::Nothing;
        }
        let Some(failed) = self.named_by(error) else { return Cost::Unknown };
        if !self.online.get(failed).copied().unwrap_or(false) {
            Cost::Nothing
        } else if self.online.iter().filter(|online| **online).count() == 1 {
            Cost::Last
        } else if failed == self.metadata {
            Cost::Metadata(failed)
        } else {
            Cost::Directory(failed)
        }
    }

    /// The directory in which something failed; of nested ones the innermost.
    fn named_by(&self, error: &StorageError) -> Option<usize> {
        let path: &Path = match error {
            StorageError::Io { path, .. }
            | StorageError::PreviousIo { path }
            | StorageError::Malformed { path, .. } => path,
            // Nothing is wrong with the disk.
            StorageError::Corrupt(_)
            | StorageError::OldMessageFormat { .. }
            | StorageError::Locked { .. }
            | StorageError::Panicked { .. }
            | StorageError::OtherTopic { .. }
            | StorageError::Interrupted { .. } => return None,
        };
        let holding = self.paths.iter().enumerate().filter(|(_, dir)| path.starts_with(dir));
        holding.max_by_key(|(_, dir)| dir.components().count()).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(path: &str) -> StorageError {
        let source = std::io::Error::from_raw_os_error(5);
        StorageError::Io { operation: "write", path: PathBuf::from(path), source }
    }

    #[test]
    fn a_failure_costs_the_directory_it_is_in_unless_the_node_cannot_do_without() {
        let paths = ["/a", "/b", "/b/c", "relative/d"].map(PathBuf::from);
        let all = [true; 4];
        let cases: [(&str, &[bool], &str, Cost); 10] = [
            ("a file of one", &all, "/b/t-0/0.log", Cost::Directory(1)),
            ("one itself", &all, "/b", Cost::Directory(1)),
            ("one in another", &all, "/b/c/t-0/0.log", Cost::Directory(2)),
            ("a relative one", &all, "relative/d/t-0", Cost::Directory(3)),
            ("a name that only begins alike", &all, "/bc/t-0", Cost::Unknown),
            ("the metadata log's", &all, "/a/__cluster_metadata-0", Cost::Metadata(0)),
            ("again", &[true, false, true, true], "/b/t-1", Cost::Nothing),
            ("the last", &[false, true, false, false], "/b/t-1", Cost::Last),
            ("the last, the metadata's", &[true, false, false, false], "/a/t-1", Cost::Last),
            ("no directory of ours", &all, "/elsewhere/t-0", Cost::Unknown),
        ];
        for (case, online, path, cost) in cases {
            let directories = Directories { paths: &paths, online, metadata: 0 };
            assert_eq!(directories.cost(&failed(path)), cost, "{case}");
        }
    }

    #[test]
    fn one_damaged_log_costs_no_directory() {
        let paths = [PathBuf::from("/a")];
        let directories = Directories { paths: &paths, online: &[true], metadata: 0 };
        let path = PathBuf::from("/a/t-0/0.log");
        let fault = storage::CorruptionFault::Length(0);
        let corrupt = StorageError::Corrupt(storage::Corruption { path, position: 0, fault });
        assert_eq!(directories.cost(&corrupt), Cost::Nothing);
    }

    #[test]
    fn a_directory_that_another_process_uses_has_not_failed() {
        let paths = [PathBuf::from("/a"), PathBuf::from("/b")];
        let directories = Directories { paths: &paths, online: &[true, true], metadata: 0 };
        let locked = StorageError::Locked { path: PathBuf::from("/b/.lock") };
        assert_eq!(directories.cost(&locked), Cost::Unknown);
        let torn = StorageError::PreviousIo { path: PathBuf::from("/b/t-0") };
        assert_eq!(directories.cost(&torn), Cost::Directory(1));
    }
}
