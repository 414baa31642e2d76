//! `.kafka_cleanshutdown`: that every log was closed, and under which broker epoch (KIP-966).
//! Answers to Kafka's `CleanShutdownFileHandler`.
//!
//! ```text
//! {"version":0,"brokerEpoch":17}
//! ```
//! Its presence alone means a clean stop; older brokers leave it empty.

use std::io;
use std::path::Path;

use crate::disk::Disk;
use crate::error::StorageError;

const NAME: &str = ".kafka_cleanshutdown";

/// Removes the marker; `Some` if there was one, with the epoch if it held one.
pub(super) fn take(disk: &Disk, directory: &Path) -> Result<Option<Option<i64>>, StorageError> {
    let path = directory.join(NAME);
    let content = match disk.read(&path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StorageError::io("read", &path, error)),
    };
    // On the disk before anything is written: a marker that a power loss brings back would vouch
    // for logs that were torn since, and for a broker that has what it lost (KIP-966). Kafka does
    // not wait for it.
    let removed = disk.remove(&path).and_then(|()| disk.sync_dir(directory));
    removed.map_err(|error| StorageError::io("remove", &path, error))?;
    Ok(Some(broker_epoch(&content)))
}

pub(super) fn write(disk: &Disk, directory: &Path, epoch: i64) -> Result<(), StorageError> {
    let path = directory.join(NAME);
    let content = format!("{{\"version\":0,\"brokerEpoch\":{epoch}}}");
    let write = || {
        let file = disk.create(&path)?;
        file.write_at(content.as_bytes(), 0)?;
        file.sync()?;
        disk.sync_dir(directory)
    };
    write().map_err(|error| StorageError::io("write", &path, error))
}

/// The number behind `"brokerEpoch":`. The file is ours or Kafka's; anything else has no epoch.
pub(super) fn broker_epoch(content: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(content).ok()?.trim();
    let fields = text.strip_prefix('{')?.strip_suffix('}')?;
    fields.split(',').find_map(|field| {
        let (name, value) = field.split_once(':')?;
        (name.trim() == "\"brokerEpoch\"").then(|| value.trim().parse().ok())?
    })
}
