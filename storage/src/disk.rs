//! Every system call on a log's files goes through here, so that a test can make any of them fail,
//! tear or stall. With no faults set the cost is one branch.
//!
//! Invariant: a call that reports success has happened as a whole; short writes are finished here.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::io::{Errno, pwritev};

/// The points at which a fault may strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskOp {
    Open,
    Create,
    Read,
    Write,
    Sync,
    Truncate,
    Rename,
    Remove,
    SyncDirectory,
}

/// What becomes of an operation.
#[derive(Debug)]
pub enum Verdict {
    Proceed,
    /// It fails and does nothing.
    Fail(io::Error),
    /// A write leaves its first `written` bytes on disk, then fails.
    Torn {
        written: usize,
        error: io::Error,
    },
}

/// Decides each operation's fate; may also block, for a disk that stalls.
pub trait Faults: std::fmt::Debug + Send + Sync {
    fn before(&self, operation: DiskOp, path: &Path) -> Verdict;
}

/// A handle on the file system, with or without faults.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    faults: Option<Arc<dyn Faults>>,
    /// A clock that only runs forward, for lines that say how long work took.
    clock: Option<fn() -> Duration>,
}

impl Disk {
    #[must_use]
    pub fn with_faults(faults: Arc<dyn Faults>) -> Self {
        Self { faults: Some(faults), clock: None }
    }

    /// The same with a clock; without one all work takes no time.
    #[must_use]
    pub fn timed_by(self, clock: fn() -> Duration) -> Self {
        Self { clock: Some(clock), ..self }
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.map_or(Duration::ZERO, |clock| clock())
    }

    #[inline]
    fn check(&self, operation: DiskOp, path: &Path) -> io::Result<()> {
        match &self.faults {
            None => Ok(()),
            Some(faults) => match faults.before(operation, path) {
                Verdict::Proceed => Ok(()),
                Verdict::Fail(error) | Verdict::Torn { error, .. } => Err(error),
            },
        }
    }

    fn wrap(&self, file: File, path: &Path) -> DiskFile {
        let faults = self.faults.clone().map(|faults| (faults, path.to_owned()));
        DiskFile { file, faults }
    }

    pub(crate) fn open(&self, path: &Path) -> io::Result<DiskFile> {
        self.check(DiskOp::Open, path)?;
        Ok(self.wrap(OpenOptions::new().read(true).write(true).open(path)?, path))
    }

    /// Opens for reading and writing; creates what is not there, keeps what is.
    pub(crate) fn open_or_create(&self, path: &Path) -> io::Result<DiskFile> {
        self.check(DiskOp::Create, path)?;
        let mut options = OpenOptions::new();
        Ok(self.wrap(options.read(true).write(true).create(true).truncate(false).open(path)?, path))
    }

    /// An empty file, whatever stood there before.
    pub(crate) fn create(&self, path: &Path) -> io::Result<DiskFile> {
        self.check(DiskOp::Create, path)?;
        let mut options = OpenOptions::new();
        Ok(self.wrap(options.read(true).write(true).create(true).truncate(true).open(path)?, path))
    }

    pub(crate) fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.check(DiskOp::Create, path)?;
        match std::fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::create_dir_all(path),
            other => other,
        }
    }

    pub(crate) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.check(DiskOp::Read, path)?;
        std::fs::read(path)
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(DiskOp::Rename, from)?;
        std::fs::rename(from, to)
    }

    /// Removes a file; one that is not there is as good as removed.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        self.check(DiskOp::Remove, path)?;
        match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    pub(crate) fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.check(DiskOp::Remove, path)?;
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Makes creations and renames in `path` survive a machine crash.
    pub fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.check(DiskOp::SyncDirectory, path)?;
        File::open(path)?.sync_all()
    }

    /// Makes everything written to the file system of `path` survive a machine crash.
    pub(crate) fn sync_file_system(&self, path: &Path) -> io::Result<()> {
        self.check(DiskOp::Sync, path)?;
        Ok(rustix::fs::syncfs(File::open(path)?)?)
    }

    /// Replaces a file by way of another beside it. Whatever stops the machine leaves the old or
    /// the new content whole; once this returns, the new.
    pub fn replace_synced(&self, path: &Path, aside: &Path, content: &[u8]) -> io::Result<()> {
        let file = self.create(aside)?;
        file.write_at(content, 0)?;
        self.put_synced(&file, path, aside)
    }

    /// The same for a file that nobody writes to again: its pieces one behind the other, for
    /// reading by the owner alone. How many bytes they are.
    pub fn freeze_synced(&self, path: &Path, aside: &Path, pieces: &[Bytes]) -> io::Result<u64> {
        let file = self.create(aside)?;
        let mut end = 0;
        for piece in pieces {
            file.write_at(piece, end)?;
            end += piece.len() as u64;
        }
        file.as_file().set_permissions(Permissions::from_mode(0o400))?;
        self.put_synced(&file, path, aside)?;
        Ok(end)
    }

    /// What was written aside takes its place, for good when this returns.
    fn put_synced(&self, file: &DiskFile, path: &Path, aside: &Path) -> io::Result<()> {
        file.sync()?;
        self.rename(aside, path)?;
        self.sync_dir(path.parent().unwrap_or(path))
    }

    /// Replaces the file's content through a temporary file and a rename.
    pub(crate) fn replace(&self, path: &Path, content: &[u8], sync: bool) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let file = self.create(&temporary)?;
        file.write_at(content, 0)?;
        if sync {
            file.sync()?;
        }
        self.rename(&temporary, path)
    }
}

/// An open file. Reads and writes name their position; there is no cursor.
#[derive(Debug)]
pub(crate) struct DiskFile {
    file: File,
    faults: Option<(Arc<dyn Faults>, PathBuf)>,
}

impl DiskFile {
    pub(crate) fn as_file(&self) -> &File {
        &self.file
    }

    #[inline]
    fn check(&self, operation: DiskOp) -> io::Result<()> {
        match &self.faults {
            None => Ok(()),
            Some((faults, path)) => match faults.before(operation, path) {
                Verdict::Proceed => Ok(()),
                Verdict::Fail(error) | Verdict::Torn { error, .. } => Err(error),
            },
        }
    }

    pub(crate) fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.write_pair_at(bytes, &[], position)
    }

    /// Writes `head` and then `tail` as if they were one run of bytes.
    pub(crate) fn write_pair_at(&self, head: &[u8], tail: &[u8], at: u64) -> io::Result<()> {
        if let Some((faults, path)) = &self.faults {
            match faults.before(DiskOp::Write, path) {
                Verdict::Proceed => {}
                Verdict::Fail(error) => return Err(error),
                Verdict::Torn { written, error } => {
                    let torn: Vec<u8> = head.iter().chain(tail).copied().take(written).collect();
                    self.file.write_all_at(&torn, at)?;
                    return Err(error);
                }
            }
        }
        if tail.is_empty() {
            return self.file.write_all_at(head, at);
        }
        let total = head.len() + tail.len();
        let mut written = 0;
        while written < total {
            let position = at + written as u64;
            let result = if written < head.len() {
                let slices = [IoSlice::new(&head[written..]), IoSlice::new(tail)];
                pwritev(self.file.as_fd(), &slices, position)
            } else {
                pwritev(self.file.as_fd(), &[IoSlice::new(&tail[written - head.len()..])], position)
            };
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Reads what is there, up to the buffer's length; less only at the end of the file.
    pub(crate) fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.check(DiskOp::Read)?;
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], position + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    pub(crate) fn set_len(&self, length: u64) -> io::Result<()> {
        self.check(DiskOp::Truncate)?;
        self.file.set_len(length)
    }

    /// Data, and of the metadata what is needed to read it back (the length).
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.check(DiskOp::Sync)?;
        self.file.sync_data()
    }
}
