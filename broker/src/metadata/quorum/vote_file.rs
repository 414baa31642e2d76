//! The file `quorum-state`: written aside, synced, renamed, and the directory synced, so that after
//! a crash either the old or the new content is there whole. Answers to `FileQuorumStateStore`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use raft::quorum::{ElectionState, HostError, VoteStore};

use super::exhaustion::outwait;

const NAME: &str = "quorum-state";

#[derive(Debug)]
pub(super) struct VoteFile {
    directory: PathBuf,
}

impl VoteFile {
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    fn failed(&self, doing: &str, error: &dyn std::fmt::Display) -> HostError {
        HostError(format!("Cannot {doing} {}: {error}", self.directory.join(NAME).display()))
    }

    fn replace(&self, content: &str) -> io::Result<()> {
        let aside = self.directory.join(format!("{NAME}.tmp"));
        let mut file = File::create(&aside)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&aside, self.directory.join(NAME))?;
        File::open(&self.directory)?.sync_all()
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
