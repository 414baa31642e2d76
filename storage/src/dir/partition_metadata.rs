//! `partition.metadata`: the id of the topic a directory belongs to (KIP-516). Answers to Kafka's
//! `PartitionMetadataFile`.
//!
//! ```text
//! version: 0
//! topic_id: MkU3OEVBNTcwNTJENDM2Qg
//! ```
//! Synced with the log's first flush: nothing is promised of the log before that either.

use std::io;
use std::path::Path;

use protocol::Base64Uuid;
use uuid::Uuid;

use crate::disk::Disk;
use crate::error::StorageError;
use crate::names;

/// The topic's id; `None` when the file is missing or not understood.
pub(super) fn read(disk: &Disk, directory: &Path) -> Result<Option<Uuid>, StorageError> {
    let path = directory.join(names::PARTITION_METADATA);
    match disk.read(&path) {
        Ok(content) => Ok(parse(&content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StorageError::io("read", &path, error)),
    }
}

/// Says whose log a directory holds, unless it says so already: for a log that is opened without
/// its [`crate::LogDir`].
pub fn write_topic_id(disk: &Disk, directory: &Path, topic_id: Uuid) -> Result<(), StorageError> {
    match read(disk, directory)? {
        Some(_) => Ok(()),
        None => write(disk, directory, topic_id),
    }
}

pub(super) fn write(disk: &Disk, directory: &Path, topic_id: Uuid) -> Result<(), StorageError> {
    let path = directory.join(names::PARTITION_METADATA);
    let content = format!("version: 0\ntopic_id: {}", Base64Uuid(topic_id));
    // In one go: a torn file is one without an id, and the owner writes it again.
    let written = disk.create(&path).and_then(|file| file.write_at(content.as_bytes(), 0));
    written.map_err(|error| StorageError::io("write", &path, error))
}

fn parse(content: &[u8]) -> Option<Uuid> {
    let text = std::str::from_utf8(content).ok()?;
    let mut lines = text.lines();
    if lines.next()?.trim() != "version: 0" {
        return None;
    }
    let id = lines.next()?.trim().strip_prefix("topic_id: ")?;
    Base64Uuid::parse(id).map(|id| id.0).filter(|id| !id.is_nil())
}
