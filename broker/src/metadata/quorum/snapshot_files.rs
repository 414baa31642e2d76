//! The snapshots in the directory of the metadata log.
//!
//! A snapshot is written as `.checkpoint.part`, synced, made read-only and renamed, so that what
//! bears its final name is whole. What else is found at start is a leftover and removed. Answers to
//! `FileRawSnapshotWriter` and `KafkaMetadataLog.recoverSnapshots`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use raft::quorum::{SnapshotEntry, SnapshotId};
use storage::Disk;

use super::error::FileError;

/// Complete snapshots, oldest first.
#[derive(Debug)]
pub(super) struct SnapshotFiles {
    directory: PathBuf,
    disk: Disk,
    entries: Vec<SnapshotEntry>,
}

impl SnapshotFiles {
    pub(super) fn find(directory: &Path, disk: &Disk) -> Result<Self, FileError> {
        let fail = |error| failed("list", directory, error);
        let mut entries = Vec::new();
        let listing = match std::fs::read_dir(directory) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (directory, disk) = (directory.to_owned(), disk.clone());
                return Ok(Self { directory, disk, entries });
            }
            Err(error) => return Err(fail(error)),
        };
        for file in listing {
            let file = file.map_err(fail)?;
            let name = file.file_name().to_string_lossy().into_owned();
            if let Some(id) = SnapshotId::from_file_name(&name) {
                entries.push(entry(id, &file.metadata().map_err(fail)?));
            } else if name.ends_with(".checkpoint.part") || name.ends_with(".checkpoint.deleted") {
                remove(disk, &file.path())?;
            }
        }
        entries.sort_by_key(|entry| entry.id);
        Ok(Self { directory: directory.to_owned(), disk: disk.clone(), entries })
    }

    pub(super) fn entries(&self) -> Vec<SnapshotEntry> {
        self.entries.clone()
    }

    pub(super) fn newest(&self) -> Option<SnapshotId> {
        self.entries.last().map(|entry| entry.id)
    }

    /// Where the next one goes.
    pub(super) fn place(&self) -> Place {
        Place { directory: self.directory.clone(), disk: self.disk.clone() }
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
            remove(&self.disk, &self.directory.join(entry.id.file_name()))?;
        }
        Ok(())
    }
}

/// Where snapshots are written.
#[derive(Debug)]
pub(super) struct Place {
    directory: PathBuf,
    disk: Disk,
}

impl Place {
    /// Writes a whole snapshot; may take as long as the disk does.
    pub(super) fn write(
        &self,
        id: SnapshotId,
        timestamp_ms: i64,
        content: &[Bytes],
    ) -> Result<SnapshotEntry, FileError> {
        let path = self.directory.join(id.file_name());
        let part = self.directory.join(format!("{}.part", id.file_name()));
        let written = self.disk.freeze_synced(&path, &part, content);
        let size_bytes = written.map_err(|error| failed("write", &path, error))?;
        Ok(SnapshotEntry { id, size_bytes, timestamp_ms: Some(timestamp_ms) })
    }
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

fn remove(disk: &Disk, path: &Path) -> Result<(), FileError> {
    disk.remove(path).map_err(|error| failed("remove", path, error))
}
