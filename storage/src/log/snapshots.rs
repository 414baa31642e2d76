//! Which producer snapshots exist and what they are for: a log loads the newest that is not past
//! its end and replays the rest. Answers to the file side of Kafka's `ProducerStateManager`.

use std::collections::BTreeSet;

use super::Log;
use crate::error::StorageError;
use crate::names;
use crate::producer::ProducerEntry;
use crate::producer::snapshot;
use crate::segment::Home;

#[derive(Debug, Default)]
pub(super) struct Snapshots {
    offsets: BTreeSet<i64>,
    /// Written since the log was last flushed.
    pub unsynced: Vec<i64>,
}

impl Snapshots {
    pub(super) fn new(offsets: BTreeSet<i64>) -> Self {
        Self { offsets, unsynced: Vec::new() }
    }

    pub(super) fn newest(&self) -> Option<i64> {
        self.offsets.last().copied()
    }

    /// A flush that was to sync some failed.
    pub(super) fn sync_all_again(&mut self) {
        self.unsynced = self.offsets.iter().copied().collect();
    }

    pub(super) fn remove(&mut self, home: &Home, offset: i64) -> Result<(), StorageError> {
        self.offsets.remove(&offset);
        self.unsynced.retain(|unsynced| *unsynced != offset);
        let path = home.file(offset, names::SNAPSHOT);
        home.disk.remove(&path).map_err(|error| StorageError::io("remove", &path, error))
    }

    pub(super) fn remove_where(
        &mut self,
        home: &Home,
        goes: impl Fn(i64) -> bool,
    ) -> Result<(), StorageError> {
        let going: Vec<i64> = self.offsets.iter().copied().filter(|&at| goes(at)).collect();
        going.into_iter().try_for_each(|offset| self.remove(home, offset))
    }

    /// Keeps those that belong to a segment, and the newest.
    pub(super) fn remove_stray(&mut self, home: &Home, bases: &[i64]) -> Result<(), StorageError> {
        let newest = self.newest();
        self.remove_where(home, |at| Some(at) != newest && bases.binary_search(&at).is_err())
    }

    /// The newest snapshot that can be read; those that cannot are removed on the way.
    pub(super) fn load_newest(
        &mut self,
        home: &Home,
    ) -> Result<Option<(i64, Vec<ProducerEntry>)>, StorageError> {
        while let Some(offset) = self.newest() {
            let path = home.file(offset, names::SNAPSHOT);
            let content = match home.disk.read(&path) {
                Ok(content) => content,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    self.offsets.remove(&offset);
                    continue;
                }
                Err(error) => return Err(StorageError::io("read", &path, error)),
            };
            match snapshot::decode(&content) {
                Ok(entries) => return Ok(Some((offset, entries))),
                Err(reason) => {
                    tracing::warn!(snapshot = %path.display(), reason, "producer snapshot dropped");
                    self.remove(home, offset)?;
                }
            }
        }
        Ok(None)
    }
}

impl Log {
    /// Writes the producers' state as of the offset up to which it is known, unless there is such a
    /// snapshot already.
    pub(super) fn take_snapshot(&mut self, sync: bool) -> Result<(), StorageError> {
        let offset = self.producers.end_offset();
        if offset <= 0 || self.snapshots.newest().is_some_and(|newest| newest >= offset) {
            return Ok(());
        }
        let home = &self.shared.home;
        let path = home.file(offset, names::SNAPSHOT);
        let write = || {
            let file = home.disk.create(&path)?;
            file.write_at(&self.producers.snapshot(), 0)?;
            if sync { file.sync() } else { Ok(()) }
        };
        write().map_err(|error| StorageError::io("write", &path, error))?;
        self.directory_unsynced = true;
        self.snapshots.offsets.insert(offset);
        if !sync {
            self.snapshots.unsynced.push(offset);
        }
        Ok(())
    }
}
