//! Reads varints and runs of bytes from a decompressor, skips what nobody wants to see, and stops
//! at a limit.

use std::cell::Cell;
use std::io::{self, Read};

use protocol::batch::{RecordFault, varint};

use super::Decompressor;

/// Room for two of the blocks that lz4 writers cut a stream into: a block that fits is decompressed
/// right into it.
const BUFFER_BYTES: usize = 128 * 1024;
const VARINT_BYTES_MAX: usize = 10;

#[derive(Debug)]
pub enum SourceError {
    /// The codec could not go on.
    Codec(io::Error),
    /// What came out is not a record.
    Record(RecordFault),
    /// More came out than may.
    Limit(u64),
}

impl From<RecordFault> for SourceError {
    fn from(fault: RecordFault) -> Self {
        Self::Record(fault)
    }
}

thread_local! {
    /// The buffer of the last source of this thread: fresh pages for each batch would cost as much
    /// as decompressing into them.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Drop for ByteSource<'_> {
    fn drop(&mut self) {
        self.buffer.truncate(BUFFER_BYTES);
        self.buffer.shrink_to(BUFFER_BYTES);
        SPARE.set(std::mem::take(&mut self.buffer));
    }
}

pub struct ByteSource<'p> {
    decompressor: Decompressor<'p>,
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    ended: bool,
    /// Bytes that left the decompressor.
    produced: u64,
    limit: u64,
}

impl<'p> ByteSource<'p> {
    pub fn new(decompressor: Decompressor<'p>, limit: u64) -> Self {
        let mut buffer = SPARE.take();
        buffer.resize(BUFFER_BYTES, 0);
        Self { decompressor, buffer, start: 0, filled: 0, ended: false, produced: 0, limit }
    }

    /// Bytes handed out or skipped so far.
    pub fn position(&self) -> u64 {
        self.produced - (self.filled - self.start) as u64
    }

    /// What lies ready to be read, in one piece.
    pub fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.filled]
    }

    /// Passes over `count` of the bytes that are available.
    pub fn consume(&mut self, count: usize) {
        self.start = self.filled.min(self.start + count);
    }

    /// Makes `wanted` bytes available unless the stream ends before.
    fn fill(&mut self, wanted: usize) -> Result<(), SourceError> {
        if self.filled - self.start >= wanted || self.ended {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        while self.filled < wanted && !self.ended {
            match self.decompressor.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.filled += count;
                    self.produced += count as u64;
                    if self.produced > self.limit {
                        return Err(SourceError::Limit(self.limit));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(SourceError::Codec(error)),
            }
        }
        Ok(())
    }

    pub fn is_at_end(&mut self) -> Result<bool, SourceError> {
        self.fill(1)?;
        Ok(self.available().is_empty())
    }

    pub fn byte(&mut self) -> Result<u8, SourceError> {
        self.fill(1)?;
        let byte = *self.available().first().ok_or(RecordFault::Truncated)?;
        self.start += 1;
        Ok(byte)
    }

    pub fn varint(&mut self) -> Result<i32, SourceError> {
        self.fill(VARINT_BYTES_MAX)?;
        let (value, taken) = varint::read_i32(self.available())?;
        self.start += taken;
        Ok(value)
    }

    pub fn varlong(&mut self) -> Result<i64, SourceError> {
        self.fill(VARINT_BYTES_MAX)?;
        let (value, taken) = varint::read_i64(self.available())?;
        self.start += taken;
        Ok(value)
    }

    /// Passes the next `count` bytes to `sink`, piece by piece.
    pub fn pass<E: From<SourceError>>(
        &mut self,
        mut count: u64,
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while count > 0 {
            self.fill(1)?;
            let available = self.available();
            if available.is_empty() {
                return Err(SourceError::from(RecordFault::Truncated).into());
            }
            let taken = available.len().min(usize::try_from(count).unwrap_or(usize::MAX));
            sink(&available[..taken])?;
            self.start += taken;
            count -= taken as u64;
        }
        Ok(())
    }

    pub fn skip(&mut self, count: u64) -> Result<(), SourceError> {
        self.pass(count, |_| Ok(()))
    }
}
