//! The log directories of a node that starts: found, verified, locked.
//!
//! A directory that cannot be used is offline and the others go on, unless it holds the metadata
//! log, or none is left. Kafka: `KafkaRaftServer.initializeLogDirs`,
//! `LogManager.createAndValidateLogDirs`, `LogManager.lockLogDirs`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::BrokerConfig;
use protocol::Base64Uuid;
use storage::{Disk, LogDirOptions, MetaProperties, OpenFiles, StorageError};
use uuid::Uuid;

use super::directory::Directory;
use super::error::LogDirError;
use super::identity::{self, Inspected, Verified};
use super::paths::shown;
use crate::clock::monotonic;

/// Segments kept open at once on a machine whose limits are not known, and the most on any.
const OPEN_FILES_MAX: u64 = 20_000;
const METADATA_PARTITION: &str = "__cluster_metadata-0";

/// Every directory that the configuration names.
#[derive(Debug)]
pub(super) struct Layout {
    /// Those of log.dirs, and the metadata log's if it is none of them.
    pub(super) paths: Vec<PathBuf>,
    /// How many of them are for partitions.
    pub(super) hosting: usize,
    /// Which one the metadata log is in.
    pub(super) metadata: usize,
}

/// What became of them.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) cluster_id: String,
    /// `None` is offline.
    pub(super) directories: Vec<Option<Arc<Directory>>>,
}

pub(super) fn layout(config: &BrokerConfig) -> Result<Layout, LogDirError> {
    let metadata = PathBuf::from(&config.metadata_log_dir);
    if !config.process_roles.broker {
        // A controller alone has no other logs.
        return Ok(Layout { paths: vec![metadata], hosting: 0, metadata: 0 });
    }
    let mut paths: Vec<PathBuf> = config.log_dirs.iter().map(PathBuf::from).collect();
    if paths.is_empty() {
        return Err(LogDirError::NoDirectory);
    }
    let canonical = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let mut distinct: Vec<PathBuf> = paths.iter().map(canonical).collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < paths.len() {
        return Err(LogDirError::NamedTwice(config.log_dirs.join(", ")));
    }
    let hosting = paths.len();
    let at = paths.iter().position(|path| *path == metadata).unwrap_or(hosting);
    if at == hosting {
        paths.push(metadata);
    }
    Ok(Layout { paths, hosting, metadata: at })
}

pub(super) fn open(
    layout: &Layout,
    config: &BrokerConfig,
    options: &LogDirOptions,
    now_ms: i64,
) -> Result<Opened, LogDirError> {
    let inspect =
        |path: &PathBuf| Inspected { path: path.clone(), read: MetaProperties::read(path) };
    let inspected = layout.paths.iter().map(inspect).collect();
    let Verified { cluster_id, each } =
        identity::verify(inspected, layout.metadata, config.node_id)?;
    metadata_is_in_its_place(layout)?;
    let mut directories = Vec::new();
    for (at, (path, read)) in layout.paths.iter().zip(each).enumerate() {
        let vital = layout.paths.len() == 1 || at == layout.metadata;
        let opened = match read {
            Ok(meta) => open_one(path, meta, options.clone(), now_ms),
            Err(reason) => Err(StorageError::Malformed { path: path.clone(), reason }),
        };
        match opened {
            Ok(directory) => directories.push(Some(Arc::new(directory))),
            Err(error) if vital || matches!(error, StorageError::Locked { .. }) => {
                return Err(error.into());
            }
            Err(error) => {
                tracing::error!(
                    target: "org.apache.kafka.storage.internals.log.LogDirFailureChannel",
                    "Failed to create or validate data directory {}: {error}",
                    shown(path).display(),
                );
                directories.push(None);
            }
        }
    }
    if layout.hosting > 0 && directories.iter().take(layout.hosting).all(Option::is_none) {
        return Err(LogDirError::NoneUsable(config.log_dirs.join(", ")));
    }
    Ok(Opened { cluster_id, directories })
}

/// The metadata log moves with nobody's configuration: left where it was, it would begin anew.
fn metadata_is_in_its_place(layout: &Layout) -> Result<(), LogDirError> {
    let others = layout.paths.iter().enumerate().filter(|(at, _)| *at != layout.metadata);
    let found = others.map(|(_, path)| path.join(METADATA_PARTITION)).find(|path| path.exists());
    match found {
        None => Ok(()),
        Some(found) => {
            let expected = layout.paths.get(layout.metadata).cloned().unwrap_or_default();
            Err(LogDirError::MetadataElsewhere { found, expected })
        }
    }
}

/// A directory of before 3.7 has no id of its own; it gets one, as in Kafka.
fn open_one(
    path: &Path,
    mut meta: MetaProperties,
    options: LogDirOptions,
    now_ms: i64,
) -> Result<Directory, StorageError> {
    let id = match meta.directory_id {
        Some(id) => id,
        None => {
            let id = Base64Uuid::random(Uuid::new_v4);
            meta.directory_id = Some(id);
            meta.write(path, now_ms).map_err(|source| StorageError::Io {
                operation: "write",
                path: path.join(MetaProperties::FILE_NAME),
                source,
            })?;
            id
        }
    };
    Directory::open(path, id.0, options)
}

pub(super) fn options(config: &BrokerConfig, disk: Disk) -> LogDirOptions {
    LogDirOptions {
        producer_expiration_ms: i64::from(config.producer_id_expiration_ms),
        disk: disk.timed_by(monotonic),
        open_files: Arc::new(OpenFiles::new(open_files_max())),
    }
}

/// Half of the descriptors and half of the memory maps that the process may have.
fn open_files_max() -> usize {
    use rustix::process::{Resource, getrlimit};
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(OPEN_FILES_MAX);
    let maps = std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok())
        .unwrap_or(OPEN_FILES_MAX);
    let limit = (descriptors / 2).min(maps / 2).min(OPEN_FILES_MAX);
    usize::try_from(limit).unwrap_or(1000)
}
