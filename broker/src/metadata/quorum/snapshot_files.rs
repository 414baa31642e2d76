//! The snapshots in the directory of the metadata log.
//!
//! A snapshot is written as `.checkpoint.part`, synced, made read-only and renamed, so that what
//! bears its final name is whole. What else is found at start is a leftover and removed. Answers to
//! `FileRawSnapshotWriter` and `KafkaMetadataLog.recoverSnapshots`.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use raft::quorum::{SnapshotEntry, SnapshotId};

use super::FileError;

/// Complete snapshots, oldest first.
#[derive(Debug)]
pub(super) struct SnapshotFiles {
    directory: PathBuf,
    entries: Vec<SnapshotEntry>,
}

impl SnapshotFiles {
    pub(super) fn find(directory: &Path) -> Result<Self, FileError> {
        let fail = |error| failed("list", directory, error);
        let mut entries = Vec::new();
        let listing = match std::fs::read_dir(directory) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { directory: directory.to_owned(), entries });
            }
            Err(error) => return Err(fail(error)),
        };
        for file in listing {
            let file = file.map_err(fail)?;
            let name = file.file_name().to_string_lossy().into_owned();
            if let Some(id) = SnapshotId::from_file_name(&name) {
                entries.push(entry(id, &file.metadata().map_err(fail)?));
            } else if name.ends_with(".checkpoint.part") || name.ends_with(".checkpoint.deleted") {
                remove(&file.path())?;
            }
        }
        entries.sort_by_key(|entry| entry.id);
        Ok(Self { directory: directory.to_owned(), entries })
    }

    pub(super) fn entries(&self) -> Vec<SnapshotEntry> {
        self.entries.clone()
    }

    pub(super) fn newest(&self) -> Option<SnapshotId> {
        self.entries.last().map(|entry| entry.id)
    }

    pub(super) fn directory(&self) -> PathBuf {
        self.directory.clone()
    }

    pub(super) fn path(&self, id: SnapshotId) -> PathBuf {
        self.directory.join(id.file_name())
    }

    /// A snapshot got its final name.
    pub(super) fn add(&mut self, added: SnapshotEntry) {
        self.entries.retain(|entry| entry.id != added.id);
        self.entries.push(added);
        self.entries.sort_by_key(|entry| entry.id);
    }

    pub(super) fn delete_before(&mut self, id: SnapshotId) -> Result<(), FileError> {
        let older = self.entries.partition_point(|entry| entry.id < id);
        for entry in self.entries.drain(..older).collect::<Vec<_>>() {
            remove(&self.directory.join(entry.id.file_name()))?;
        }
        Ok(())
    }
}

/// Writes a whole snapshot; may take as long as the disk does.
pub(super) fn write(
    directory: &Path,
    id: SnapshotId,
    timestamp_ms: i64,
    content: &[Bytes],
) -> Result<SnapshotEntry, FileError> {
    let path = directory.join(id.file_name());
    let part = directory.join(format!("{}.part", id.file_name()));
    let write = || -> io::Result<u64> {
        let mut file = File::create(&part)?;
        for piece in content {
            file.write_all(piece)?;
        }
        file.set_permissions(Permissions::from_mode(0o400))?;
        file.sync_all()?;
        std::fs::rename(&part, &path)?;
        File::open(directory)?.sync_all()?;
        Ok(content.iter().map(|piece| piece.len() as u64).sum())
    };
    let size_bytes = write().map_err(|error| failed("write", &path, error))?;
    Ok(SnapshotEntry { id, size_bytes, timestamp_ms: Some(timestamp_ms) })
}

/// Up to `max_bytes` of a snapshot from `position` on.
pub(super) fn read_piece(path: &Path, position: u64, max_bytes: usize) -> Result<Bytes, FileError> {
    let read = || -> io::Result<Bytes> {
        let file = File::open(path)?;
        let left = file.metadata()?.len().saturating_sub(position);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(max_bytes);
        let mut piece = vec![0; length];
        file.read_exact_at(&mut piece, position)?;
        Ok(piece.into())
    };
    read().map_err(|error| failed("read", path, error))
}

pub(super) fn failed(operation: &'static str, path: &Path, source: io::Error) -> FileError {
    FileError { operation, path: path.to_owned(), source }
}

fn entry(id: SnapshotId, metadata: &std::fs::Metadata) -> SnapshotEntry {
    // The file's age stands in for its newest record's, which is inside.
    let modified = metadata.modified().ok();
    let since = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let timestamp_ms = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    SnapshotEntry { id, size_bytes: metadata.len(), timestamp_ms }
}

fn remove(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}
