//! `recovery-point-offset-checkpoint`, up to where each log was on the disk when it was written,
//! and `replication-offset-checkpoint`, each log's high watermark then. A start trusts what lies
//! below the one and shows what lies below the other, so neither file must say more than the log
//! has: both are lowered before a log is cut below what they say. Answers to
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
            let directory = file.path.parent().unwrap_or(&file.path);
            let synced = file.disk.sync_dir(directory);
            synced.map_err(|error| StorageError::io("sync", directory, error))?;
            state.written = entries;
        }
        Ok(())
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
