//! `recovery-point-offset-checkpoint`, up to where each log was on the disk when it was written,
//! `replication-offset-checkpoint`, each log's high watermark then, and
//! `cleaner-offset-checkpoint`, up to where each was compacted.
//!
//! A start trusts what lies below the first and shows what lies
//! below the second, so no file must say more than the log has: all are lowered before a log is cut
//! below what they say. Answers to
//! `OffsetCheckpointFile`, and to what `LogManager.truncateTo` writes when it has cut (of the
//! recovery points alone).

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::checkpoint::{self, OffsetEntry};
use crate::disk::Disk;
use crate::error::StorageError;

/// One file, shared by all logs of a directory.
#[derive(Debug)]
pub(super) struct OffsetCheckpoint {
    path: PathBuf,
    disk: Disk,
    bounds: Bounds,
    state: Mutex<State>,
}

/// How long a cut bounds what is written of a log: offsets may have been gathered before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bounds {
    /// Until the log says otherwise, with a flush.
    UntilRaised,
    /// For one write. The next one's offsets are gathered seconds later, from the log as it is.
    OneWrite,
}

#[derive(Debug, Default)]
struct State {
    /// What the file says.
    written: Vec<OffsetEntry>,
    /// Of logs that were cut below it: what may be written, whatever was gathered before the cut.
    ceilings: HashMap<(String, i32), i64>,
}

impl OffsetCheckpoint {
    pub(super) fn new(
        path: PathBuf,
        disk: Disk,
        bounds: Bounds,
        written: Vec<OffsetEntry>,
    ) -> Self {
        Self { path, disk, bounds, state: Mutex::new(State { written, ceilings: HashMap::new() }) }
    }

    pub(super) fn write(&self, entries: &[OffsetEntry]) -> Result<(), StorageError> {
        let mut state = self.state.lock();
        let mut entries = entries.to_vec();
        if !state.ceilings.is_empty() {
            for entry in &mut entries {
                let key = (entry.topic.clone(), entry.partition);
                let ceiling = state.ceilings.get(&key);
                entry.offset = ceiling.map_or(entry.offset, |most| entry.offset.min(*most));
            }
        }
        self.replace(&entries)?;
        state.written = entries;
        if self.bounds == Bounds::OneWrite {
            state.ceilings.clear();
        }
        Ok(())
    }

    /// The log is gone from the directory.
    pub(super) fn forget(&self, topic: &str, partition: i32) -> Result<(), StorageError> {
        let key = (topic.to_owned(), partition);
        let state = self.state.lock();
        let known = |entry: &OffsetEntry| (&entry.topic, entry.partition) == (&key.0, key.1);
        if !state.written.iter().any(known) {
            return Ok(());
        }
        drop(state);
        self.edit(&key, None)
    }

    /// Replaces what the file says of one log.
    fn edit(&self, key: &(String, i32), entry: Option<OffsetEntry>) -> Result<(), StorageError> {
        let mut state = self.state.lock();
        let mut entries = state.written.clone();
        entries.retain(|entry| (&entry.topic, entry.partition) != (&key.0, key.1));
        entries.extend(entry);
        self.replace(&entries)?;
        state.written = entries;
        state.ceilings.remove(key);
        Ok(())
    }

    /// A power loss leaves the file that was put in place last.
    fn sync_name(&self) -> Result<(), StorageError> {
        let directory = self.path.parent().unwrap_or(&self.path);
        let synced = self.disk.sync_dir(directory);
        synced.map_err(|error| StorageError::io("sync", directory, error))
    }

    fn replace(&self, entries: &[OffsetEntry]) -> Result<(), StorageError> {
        let text = checkpoint::encode_offsets(entries);
        let written = self.disk.replace(&self.path, text.as_bytes(), true);
        written.map_err(|error| StorageError::io("write", &self.path, error))
    }
}

/// One log's places in both files.
#[derive(Debug, Clone)]
pub struct Checkpointed {
    pub(crate) recovery_point: CheckpointedOffset,
    pub(crate) high_watermark: CheckpointedOffset,
    /// Up to where the log was compacted.
    pub(crate) cleaned: CheckpointedOffset,
}

/// One log's place in one file.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointedOffset {
    file: Arc<OffsetCheckpoint>,
    key: (String, i32),
}

impl CheckpointedOffset {
    pub(super) fn new(file: &Arc<OffsetCheckpoint>, topic: &str, partition: i32) -> Self {
        Self { file: Arc::clone(file), key: (topic.to_owned(), partition) }
    }

    /// On the disk before the log is cut to `offset`.
    pub(crate) fn lower(&self, offset: i64) -> Result<(), StorageError> {
        let file = &*self.file;
        let mut state = file.state.lock();
        state.ceilings.insert(self.key.clone(), offset);
        let is_above = |entry: &OffsetEntry| {
            (&entry.topic, entry.partition) == self.named() && entry.offset > offset
        };
        if state.written.iter().any(is_above) {
            let mut entries = state.written.clone();
            entries.iter_mut().filter(|entry| is_above(entry)).for_each(|e| e.offset = offset);
            file.replace(&entries)?;
            file.sync_name()?;
            state.written = entries;
        }
        Ok(())
    }

    /// What the file says.
    pub(crate) fn get(&self) -> Option<i64> {
        let state = self.file.state.lock();
        let is_own = |entry: &&OffsetEntry| (&entry.topic, entry.partition) == self.named();
        state.written.iter().find(is_own).map(|entry| entry.offset)
    }

    /// The file says `offset` of this log from now on, whatever it said.
    pub(crate) fn set(&self, offset: i64) -> Result<(), StorageError> {
        let (topic, partition) = self.key.clone();
        self.file.edit(&self.key, Some(OffsetEntry { topic, partition, offset }))
    }

    /// The file on the disk says `offset` at least.
    pub(crate) fn reach(&self, offset: i64) -> Result<(), StorageError> {
        if self.get().is_some_and(|said| said >= offset) {
            return Ok(());
        }
        self.set(offset)?;
        self.file.sync_name()
    }

    /// The log was flushed up to `offset` since it was cut.
    pub(crate) fn raise(&self, offset: i64) {
        if let Some(ceiling) = self.file.state.lock().ceilings.get_mut(&self.key) {
            *ceiling = offset;
        }
    }

    fn named(&self) -> (&String, i32) {
        (&self.key.0, self.key.1)
    }
}
