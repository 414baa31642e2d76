//! The lock of a log directory, so that no snapshot is shown while a node may write beside it.
//!
//! A directory without a `.lock` belongs to no node and is not locked. Answers to
//! `MetadataShell.takeDirectoryLockIfExists`; both kinds of locks are tried, as a JVM takes one and
//! a node of Gregor holds both.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock, flock};
use rustix::io::Errno;

#[derive(Debug, thiserror::Error)]
pub(super) enum LockError {
    #[error(
        "Unable to lock {}. Please ensure that no broker or controller process is using this \
         directory before proceeding.",
        .0.display()
    )]
    Held(PathBuf),
    #[error("{}: {}", .0.display(), .1)]
    Io(PathBuf, #[source] io::Error),
}

/// The log directory that a file of a partition is in; where a path names no parent, itself.
pub(super) fn directory_of(snapshot: &Path) -> &Path {
    let parent = |path: &'_ Path| -> Option<PathBuf> {
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).map(Path::to_owned)
    };
    match parent(snapshot) {
        None => snapshot,
        Some(folder) if parent(&folder).is_none() => snapshot.parent().unwrap_or(snapshot),
        Some(_) => snapshot.parent().and_then(Path::parent).unwrap_or(snapshot),
    }
}

/// Locks the directory until what is returned goes.
pub(super) fn take_if_there(directory: &Path) -> Result<Option<File>, LockError> {
    let path = directory.join(".lock");
    if !path.exists() {
        return Ok(None);
    }
    let fail = |error| LockError::Io(path.clone(), error);
    let file = OpenOptions::new().read(true).write(true).open(&path).map_err(fail)?;
    let exclusive = FlockOperation::NonBlockingLockExclusive;
    match flock(&file, exclusive).and_then(|()| fcntl_lock(&file, exclusive)) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK | Errno::ACCESS) => {
            let absolute = std::path::absolute(directory);
            Err(LockError::Held(absolute.unwrap_or_else(|_| directory.to_owned())))
        }
        Err(errno) => Err(fail(errno.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_two_above_the_file() {
        let table = [("/d/p/f", "/d"), ("d/p/f", "d"), ("p/f", "p"), ("f", "f"), ("/f", "/")];
        for (file, directory) in table {
            assert_eq!(directory_of(Path::new(file)), Path::new(directory), "{file}");
        }
    }

    #[test]
    fn a_directory_is_locked_once_and_only_where_it_has_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        assert!(take_if_there(folder.path()).unwrap().is_none());
        std::fs::write(folder.path().join(".lock"), "").unwrap();
        let held = take_if_there(folder.path()).unwrap();
        assert!(held.is_some());
        let refused = take_if_there(folder.path()).unwrap_err();
        assert!(refused.to_string().starts_with("Unable to lock /"), "{refused}");
    }
}
