//! The file `quorum-state`: written aside, synced, renamed, and the directory synced, so that after
//! a crash either the old or the new content is there whole. Answers to `FileQuorumStateStore`.
//!
//! Unlike Kafka, the first vote also syncs the log dir: the metadata log's directory is new then,
//! and a power loss may take it with the vote in it.

use std::io;
use std::path::{Path, PathBuf};

use raft::quorum::{ElectionState, HostError, VoteStore};
use storage::Disk;

use super::exhaustion::outwait;

const NAME: &str = "quorum-state";

#[derive(Debug)]
pub(super) struct VoteFile {
    directory: PathBuf,
    disk: Disk,
    /// The log dir knows the directory, whatever happens.
    is_named: bool,
}

impl VoteFile {
    pub(super) fn new(directory: &Path, disk: Disk) -> Self {
        Self { directory: directory.to_owned(), disk, is_named: false }
    }

    fn failed(&self, doing: &str, error: &dyn std::fmt::Display) -> HostError {
        HostError(format!("Cannot {doing} {}: {error}", self.directory.join(NAME).display()))
    }

    fn replace(&mut self, content: &str) -> io::Result<()> {
        let aside = self.directory.join(format!("{NAME}.tmp"));
        self.disk.replace_synced(&self.directory.join(NAME), &aside, content.as_bytes())?;
        if !self.is_named {
            self.disk.sync_dir(self.directory.parent().unwrap_or(&self.directory))?;
            self.is_named = true;
        }
        Ok(())
    }
}

impl VoteStore for VoteFile {
    fn read(&self) -> Result<Option<ElectionState>, HostError> {
        match std::fs::read_to_string(self.directory.join(NAME)) {
            Ok(text) => match ElectionState::from_json(&text) {
                Ok(state) => Ok(Some(state)),
                Err(error) => Err(self.failed("use", &error)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("read", &error)),
        }
    }

    fn write(&mut self, state: &ElectionState, kraft_version: i16) -> Result<(), HostError> {
        let content = state.to_json(kraft_version);
        let written = outwait(|| self.replace(&content));
        written.map_err(|error| self.failed("write", &error))
    }
}
