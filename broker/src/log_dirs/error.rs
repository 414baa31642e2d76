//! What ends a start before anything was touched, or because nothing is left to start with.

use protocol::Base64Uuid;
use std::path::PathBuf;

use storage::StorageError;

#[derive(Debug, thiserror::Error)]
pub enum LogDirError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(
        "No `meta.properties` found in {} (have you run `kafka-storage.sh` to format the \
         directory?)", .0.display()
    )]
    NotFormatted(PathBuf),
    #[error("Cannot use meta.properties in {}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("No readable meta.properties files found.")]
    NoneReadable,
    #[error(
        "Encountered I/O error in metadata log directory {}. Cannot continue.", .0.display()
    )]
    MetadataUnreadable(PathBuf),
    #[error(
        "Stored node id {found} doesn't match previous node id {expected} in {}: the directory \
         belongs to another node", path.display()
    )]
    OtherNode { path: PathBuf, found: i32, expected: i32 },
    #[error(
        "Invalid cluster.id in: {}/meta.properties. Expected {expected}, but read {found}",
        path.display()
    )]
    OtherCluster { path: PathBuf, found: String, expected: String },
    #[error("Invalid reserved directory ID {id} found in {}", path.display())]
    ReservedId { path: PathBuf, id: Base64Uuid },
    #[error(
        "Duplicate directory ID {id} found. It was the ID of {}, but also of {}",
        other.display(), path.display()
    )]
    SameId { path: PathBuf, id: Base64Uuid, other: PathBuf },
    #[error("log.dirs names no directory")]
    NoDirectory,
    #[error("Duplicate log directory found: {0}")]
    NamedTwice(String),
    #[error(
        "Found unexpected metadata location in data directory `{}` (the configured metadata \
         directory is {}).", found.display(), expected.display()
    )]
    MetadataElsewhere { found: PathBuf, expected: PathBuf },
    #[error(
        "Shutdown broker because none of the specified log dirs from {0} can be created or \
         validated"
    )]
    NoneUsable(String),
}
