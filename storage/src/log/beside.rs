//! Keeping what recovery has to cut although it had been synced: it may be the last copy of records
//! that were acknowledged.
//!
//! ```text
//! 00000000000000000042.log.corrupt      bytes from offset 42 on, the damaged batch first
//! 00000000000000000090.log.corrupt      the segment behind, as it was
//! ```
//! Unlike Kafka, which deletes both (docs/decisions/0302). Nobody reads or removes these files;
//! they go with their partition.

use std::path::PathBuf;
use std::sync::Arc;

use super::Log;
use super::truncate::copy_bytes;
use crate::error::StorageError;
use crate::names;
use crate::segment::Segment;

impl Log {
    /// Keeps what the first of `segments` holds from `position` on, where `offset` belongs, and the
    /// logs of those behind it, which are to be dropped.
    pub(super) fn keep_beside(
        &self,
        segments: &[Arc<Segment>],
        position: u64,
        offset: i64,
    ) -> Result<(), StorageError> {
        let [damaged, behind @ ..] = segments else { return Ok(()) };
        let disk = &self.shared.home.disk;
        let kept = self.free_name(offset);
        let source = damaged.log()?;
        let copy = || {
            let target = disk.create(&kept)?;
            copy_bytes(&source, &target, position..damaged.size())?;
            target.sync()
        };
        copy().map_err(|error| StorageError::io("write", &kept, error))?;
        tracing::error!(
            target: "org.apache.kafka.storage.internals.log.LogLoader",
            "[LogLoader {}] {} is corrupt at byte {position}: the {} bytes from offset {offset} \
             on, which had been synced, and {} segments behind are cut. They are kept as {} and \
             beside it.",
            self.place(), damaged.path(names::LOG).display(), damaged.size() - position,
            behind.len(), kept.display(),
        );
        self.move_beside(behind)
    }

    /// Keeps the logs of segments that are to be dropped because they do not follow on what is
    /// before them.
    pub(super) fn keep_parted(
        &self,
        segments: &[Arc<Segment>],
        offset: i64,
    ) -> Result<(), StorageError> {
        let Some(first) = segments.first() else { return Ok(()) };
        tracing::error!(
            target: "org.apache.kafka.storage.internals.log.LogLoader",
            "[LogLoader {}] A segment ends at offset {offset} and the next begins at {}: the disk \
             has lost what was not synced. {} segments from there on are cut and kept beside \
             as {}.",
            self.place(), first.base_offset(), segments.len(), names::CORRUPT,
        );
        self.move_beside(segments)
    }

    fn move_beside(&self, segments: &[Arc<Segment>]) -> Result<(), StorageError> {
        let disk = &self.shared.home.disk;
        for segment in segments {
            // It stays open for those who drop it.
            let log = segment.log()?;
            let (path, kept) = (segment.path(names::LOG), self.free_name(segment.base_offset()));
            let moved = disk.rename(&path, &kept);
            moved.map_err(|error| StorageError::io("rename", &path, error))?;
            drop(log);
        }
        Ok(())
    }

    /// A name that no earlier damage at this offset has.
    fn free_name(&self, offset: i64) -> PathBuf {
        let name = |number: u32| match number {
            0 => format!("{}{}", names::LOG, names::CORRUPT),
            number => format!("{}.{number}{}", names::LOG, names::CORRUPT),
        };
        let paths = (0..).map(|number| self.shared.home.file(offset, &name(number)));
        paths.into_iter().find(|path| !path.exists()).unwrap_or_default()
    }
}
