//! Putting a segment that compaction wrote in the place of those it was made from. Kafka's
//! `LocalLog.replaceSegments`.
//!
//! ```text
//! .cleaned, synced ─ .swap, synced ─ old ones .deleted ─ .swap loses its suffix, synced
//! ```
//! A kill before the last `.cleaned` is renamed undoes all, one behind it is made good at the next
//! start (`open`): the old segments that the new one covers go, whatever of them is left.
//! Readers have the old list, whose segments keep their files open, or the new one.

use std::sync::Arc;

use super::{Log, LogToClean};
use crate::error::StorageError;
use crate::index::time::TimeEntry;
use crate::names;
use crate::segment::Segment;

/// A segment on the disk, under `.cleaned` names, that is to replace others.
#[derive(Debug)]
pub struct CleanedSegment {
    pub(crate) old: Vec<Arc<Segment>>,
    pub(crate) base_offset: i64,
    pub(crate) size: u64,
    pub(crate) largest: TimeEntry,
    /// Whether it has a transaction index.
    pub(crate) has_aborted: bool,
}

impl CleanedSegment {
    /// The suffixes of its files.
    pub(crate) fn suffixes(&self) -> impl Iterator<Item = &'static str> {
        let has_aborted = self.has_aborted;
        names::OF_SEGMENT.into_iter().filter(move |s| has_aborted || *s != names::TRANSACTION_INDEX)
    }
}

impl Log {
    /// Replaces segments by the one that was made from them. `false`, and nothing done, where the
    /// log was changed since in a way that does not go with it.
    pub fn replace_segments(
        &mut self,
        to_clean: &LogToClean,
        cleaned: &CleanedSegment,
        now_ms: i64,
    ) -> Result<bool, StorageError> {
        if self.check_health().is_err() || !self.takes(to_clean, cleaned) {
            return Ok(false);
        }
        let start = self.log_start_offset();
        let replaced = self.try_replace(cleaned, now_ms);
        self.guard_cut(replaced, start).map(|()| true)
    }

    fn takes(&self, to_clean: &LogToClean, cleaned: &CleanedSegment) -> bool {
        let segments = self.shared.segments.load();
        let first = segments.iter().position(|s| s.base_offset() == cleaned.base_offset);
        let held = first.and_then(|first| segments.get(first..first + cleaned.old.len()));
        self.config.cleanup.compact
            && self.shared.uncut() == Some(to_clean.cuts)
            && held.is_some_and(|held| {
                held.iter().zip(&cleaned.old).all(|(one, other)| Arc::ptr_eq(one, other))
            })
    }

    fn try_replace(&mut self, cleaned: &CleanedSegment, now_ms: i64) -> Result<(), StorageError> {
        let home = Arc::clone(&self.shared.home);
        if let Some(checkpointed) = &self.checkpointed {
            // The next start is not to take what compaction left out for lost.
            checkpointed.recovery_point.reach(self.recovery_point)?;
        }
        cleaned.old.iter().try_for_each(|segment| segment.detach())?;
        let renamed = |from: &str, to: &str| {
            cleaned.suffixes().try_for_each(|suffix| {
                let path = |end: &str| home.file(cleaned.base_offset, &format!("{suffix}{end}"));
                let renamed = home.disk.rename(&path(from), &path(to));
                renamed.map_err(|error| StorageError::io("rename", &path(from), error))
            })
        };
        let sync_names = || {
            let path = home.path();
            home.disk.sync_dir(&path).map_err(|error| StorageError::io("sync", &path, error))
        };
        renamed(names::CLEANED, names::SWAP)?;
        sync_names()?;
        for segment in &cleaned.old {
            self.doom_files(segment, now_ms)?;
            if segment.base_offset() != cleaned.base_offset {
                self.snapshots.remove(&home, segment.base_offset())?;
            }
        }
        renamed(names::SWAP, "")?;
        sync_names()?;
        let segment = Segment::new(&home, cleaned.base_offset, cleaned.size, cleaned.size);
        segment.set_max_timestamp(cleaned.largest);
        segment.know_synced();
        self.shared.edit_segments(|segments| {
            let first = segments.partition_point(|s| s.base_offset() < cleaned.base_offset);
            drop(segments.splice(first..first + cleaned.old.len(), [segment]));
        });
        Ok(())
    }
}
