//! The log directories before anything is written: may they be, and whose are they.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use config::BrokerConfig;
use config::dialect::{Bound, ClusterId};
use protocol::Base64Uuid;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use storage::{MetaProperties, MetaPropertiesError};

use super::failure::Failure;
use super::log::LOG;

/// Every log directory of the node, that of the metadata first.
/// Whether the log directories of a node can be written; if not, what to change.
pub(crate) fn check_node(config: &BrokerConfig) -> Result<(), String> {
    check_all(&of_node(config)).map_err(|failure| failure.to_string())
}

pub(super) fn of_node(config: &BrokerConfig) -> Vec<PathBuf> {
    let mut directories = vec![PathBuf::from(&config.metadata_log_dir)];
    let others = config.log_dirs.iter().map(PathBuf::from);
    directories.extend(others.filter(|other| *other != Path::new(&config.metadata_log_dir)));
    directories
}

/// Whether the log directories can be written. One of several that was in use and fails now is left
/// to the node, which goes on without it as Kafka does; that of the metadata is never.
pub(super) fn check_all(directories: &[PathBuf]) -> Result<(), Failure> {
    for (at, directory) in directories.iter().enumerate() {
        let was_in_use = || MetaProperties::read(directory) != Err(MetaPropertiesError::Missing);
        match check_writable(directory) {
            Err(_) if at > 0 && was_in_use() => {}
            checked => checked?,
        }
    }
    Ok(())
}

/// Whether a directory, or the nearest one above it that exists, can be written.
pub(super) fn check_writable(directory: &Path) -> Result<(), Failure> {
    let found = directory.ancestors().find(|path| path.exists()).unwrap_or_else(|| Path::new("."));
    let found = if found.as_os_str().is_empty() { Path::new(".") } else { found };
    let errno = match access(found, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => return Ok(()),
        Err(errno) => errno,
    };
    let directory = directory.to_path_buf();
    if errno == Errno::ROFS {
        return Err(Failure::ReadOnly { directory });
    }
    match std::fs::metadata(found) {
        Ok(seen) if errno == Errno::ACCESS && seen.is_dir() => Err(Failure::NotOwned {
            directory,
            found: found.to_path_buf(),
            owner: seen.uid(),
            mode: seen.mode() & 0o7777,
            user: rustix::process::geteuid().as_raw(),
        }),
        Ok(seen) if !seen.is_dir() => Err(Failure::Unusable {
            directory,
            cause: io::Error::from(io::ErrorKind::NotADirectory),
        }),
        _ => Err(Failure::Unusable { directory, cause: errno.into() }),
    }
}

/// The cluster to format for, with what is formatted already: an id that names the same cluster in
/// another spelling is the one of the volume.
pub(super) fn settle(
    wanted: &ClusterId,
    node_id: i32,
    directories: &[PathBuf],
) -> Result<String, Failure> {
    let mut found = None;
    for directory in directories {
        match MetaProperties::read(directory) {
            Ok(meta) => {
                if let Some(other) = meta.node_id.filter(|id| *id != node_id) {
                    let directory = directory.clone();
                    return Err(Failure::OtherNode {
                        configured: node_id,
                        found: other,
                        directory,
                    });
                }
                found = found.or_else(|| Some((meta.cluster_id?, directory.clone())));
            }
            Err(MetaPropertiesError::Missing) => {}
            Err(error @ MetaPropertiesError::Broken(_)) => {
                let directory = directory.clone();
                return Err(Failure::Unusable { directory, cause: io::Error::other(error) });
            }
        }
    }
    let Some((found, directory)) = found else {
        return Ok(match wanted {
            ClusterId::Given { id, .. } => id.clone(),
            ClusterId::Default(id) => (*id).to_owned(),
            ClusterId::Drawn => cli::random_uuid().to_string(),
        });
    };
    if let ClusterId::Given { variable, id, bound } = wanted
        && !is_same(id, &found)
    {
        match bound {
            Bound::Strictly => {
                let given = id.clone();
                return Err(Failure::OtherCluster { variable, given, found, directory });
            }
            Bound::Loosely => tracing::warn!(
                target: LOG,
                "{variable}={id} is passed over: {} is of cluster {found}, and this image goes on \
                 with what is there",
                directory.display(),
            ),
        }
    }
    Ok(found)
}

/// Kafka before 3.7 wrote the UUID that it read: its last character may differ from what was given:
/// MkU3OEVBNTcwNTJENDM2Qk became MkU3OEVBNTcwNTJENDM2Qg.
fn is_same(one: &str, other: &str) -> bool {
    let same_uuid = || Some(Base64Uuid::parse(one)? == Base64Uuid::parse(other)?);
    one == other || same_uuid() == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_uuid_are_one_cluster() {
        assert!(is_same("MkU3OEVBNTcwNTJENDM2Qk", "MkU3OEVBNTcwNTJENDM2Qg"));
        assert!(is_same("any text", "any text"));
        assert!(!is_same("MkU3OEVBNTcwNTJENDM2Qk", "5L6g3nShT-eMCtK--X86sw"));
        assert!(!is_same("any text", "other text"));
    }
}
