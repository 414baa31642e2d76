//! `recovery-point-offset-checkpoint`: up to where each log was on the disk when it was written. A
//! start trusts what lies below, so the file must never say more than the disk holds: it is lowered
//! before a log is cut below it. Answers to what `LogManager.truncateTo` writes when it has cut.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::checkpoint::{self, OffsetEntry};
use crate::disk::Disk;
use crate::error::StorageError;

/// The file, shared by all logs of a directory.
#[derive(Debug)]
pub(super) struct RecoveryPoints {
    path: PathBuf,
    disk: Disk,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What the file says.
    written: Vec<OffsetEntry>,
    /// Of logs that were cut below it: what may be written, whatever was gathered before the cut.
    ceilings: HashMap<(String, i32), i64>,
}

impl RecoveryPoints {
    pub(super) fn new(path: PathBuf, disk: Disk, written: Vec<OffsetEntry>) -> Self {
        Self { path, disk, state: Mutex::new(State { written, ceilings: HashMap::new() }) }
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
        Ok(())
    }

    fn replace(&self, entries: &[OffsetEntry]) -> Result<(), StorageError> {
        let text = checkpoint::encode_offsets(entries);
        let written = self.disk.replace(&self.path, text.as_bytes(), true);
        written.map_err(|error| StorageError::io("write", &self.path, error))
    }
}

/// One log's place in the file.
#[derive(Debug, Clone)]
pub struct CheckpointedPoint {
    points: Arc<RecoveryPoints>,
    key: (String, i32),
}

impl CheckpointedPoint {
    pub(super) fn new(points: &Arc<RecoveryPoints>, topic: &str, partition: i32) -> Self {
        Self { points: Arc::clone(points), key: (topic.to_owned(), partition) }
    }

    /// On the disk before the log is cut to `offset`.
    pub(crate) fn lower(&self, offset: i64) -> Result<(), StorageError> {
        let points = &*self.points;
        let mut state = points.state.lock();
        state.ceilings.insert(self.key.clone(), offset);
        let mut entries = state.written.clone();
        let mut changed = false;
        for entry in entries.iter_mut().filter(|e| (&e.topic, e.partition) == self.named()) {
            changed |= entry.offset > offset;
            entry.offset = entry.offset.min(offset);
        }
        if changed {
            points.replace(&entries)?;
            let directory = points.path.parent().unwrap_or(&points.path);
            let synced = points.disk.sync_dir(directory);
            synced.map_err(|error| StorageError::io("sync", directory, error))?;
            state.written = entries;
        }
        Ok(())
    }

    /// The log was flushed up to `offset` since it was cut.
    pub(crate) fn raise(&self, offset: i64) {
        if let Some(ceiling) = self.points.state.lock().ceilings.get_mut(&self.key) {
            *ceiling = offset;
        }
    }

    fn named(&self) -> (&String, i32) {
        (&self.key.0, self.key.1)
    }
}
