//! A log read batch by batch, front to back, through one buffer.
//!
//! Kept true: no more than a batch is held. A batch that the file does not hold as a whole ends it,
//! as in Kafka (`FileLogInputStream`); a size that none can have is an error.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use protocol::batch::{BatchView, LOG_OVERHEAD};

/// Up to the byte that says the format.
const HEADER_TO_MAGIC: u64 = 17;
/// The smallest record of the oldest format.
const RECORD_OVERHEAD_V0: i32 = 14;
const WINDOW_BYTES: u64 = 4 << 20;

/// What is no batch.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DamagedBatch {
    #[error(
        "Found record size {size} smaller than minimum record overhead ({RECORD_OVERHEAD_V0}) in \
         file {}.", file.display()
    )]
    TooSmall { size: i32, file: PathBuf },
    #[error(
        "The batch at position {position} of {} has the format {magic}, which is older than what \
         this tool reads.", file.display()
    )]
    OldFormat { magic: i8, position: u64, file: PathBuf },
    #[error("The batch at position {position} of {} cannot be read: {reason}", file.display())]
    Unreadable { reason: String, position: u64, file: PathBuf },
    #[error("{}", file.display())]
    Io {
        file: PathBuf,
        #[source]
        error: io::Error,
    },
}

pub(crate) struct BatchFile {
    path: PathBuf,
    file: File,
    length: u64,
    end: u64,
    position: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl BatchFile {
    /// Of the first `limit` bytes of a file.
    pub(crate) fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len().min(limit);
        let path = path.to_owned();
        Ok(Self {
            path,
            file,
            length,
            end: length,
            position: 0,
            window: Vec::new(),
            window_start: 0,
        })
    }

    /// How many bytes are read.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Goes on at a position.
    pub(crate) fn seek(&mut self, position: u64) {
        self.position = position;
    }

    /// Goes on at a position, and reads no further than this many bytes.
    pub(crate) fn slice(&mut self, position: u64, length: u64) {
        self.position = position;
        self.end = self.length.min(position.saturating_add(length));
    }

    /// The next batch and its position.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, BatchView<'_>)>, DamagedBatch> {
        let position = self.position;
        if position + HEADER_TO_MAGIC > self.end {
            return Ok(None);
        }
        let head = self.bytes(position, HEADER_TO_MAGIC)?;
        let size =
            head.get(8..12).and_then(|size| size.try_into().ok()).map_or(0, i32::from_be_bytes);
        let magic = head.get(16).map_or(0, |magic| i8::from_be_bytes([*magic]));
        let file = self.path.clone();
        if size < RECORD_OVERHEAD_V0 {
            return Err(DamagedBatch::TooSmall { size, file });
        }
        let whole = LOG_OVERHEAD as u64 + u64::from(size.unsigned_abs());
        if position + whole > self.end {
            return Ok(None);
        }
        if magic < 2 {
            return Err(DamagedBatch::OldFormat { magic, position, file });
        }
        self.position = position + whole;
        let bytes = self.bytes(position, whole)?;
        let batch = BatchView::parse(bytes).map_err(|error| DamagedBatch::Unreadable {
            reason: error.to_string(),
            position,
            file,
        })?;
        Ok(Some((position, batch)))
    }

    /// Bytes of the file, which has them.
    fn bytes(&mut self, position: u64, length: u64) -> Result<&[u8], DamagedBatch> {
        let held = self.window_start..self.window_start + self.window.len() as u64;
        if position < held.start || position + length > held.end {
            let wanted = WINDOW_BYTES.max(length).min(self.end - position);
            self.window.resize(usize::try_from(wanted).unwrap_or(0), 0);
            self.window_start = position;
            let read = self.file.read_exact_at(&mut self.window, position);
            read.map_err(|error| DamagedBatch::Io { file: self.path.clone(), error })?;
        }
        let from = usize::try_from(position - self.window_start).unwrap_or(usize::MAX);
        let to = from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(self.window.get(from..to).unwrap_or_default())
    }
}
