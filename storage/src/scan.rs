//! Walks the batches of a `.log` by positioned reads, in bounded memory, never through the map.
//!
//! [`span_at`] and [`Spans`] look at headers only. [`Scan`] also computes each batch's CRC
//! as the bytes go by, whatever its length, and keeps the payload of control batches.

use std::io;

use protocol::batch::{BatchHeader, CRC_START, HEADER_LEN, LOG_OVERHEAD};

use crate::disk::DiskFile;

/// What a header says about where a batch lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchSpan {
    pub position: u64,
    pub size: u64,
    pub base_offset: i64,
    pub last_offset: i64,
}

/// Bytes of a header up to and including the last offset delta.
const SPAN_BYTES: usize = 27;
const WINDOW_BYTES: usize = 4096;

fn span(bytes: &[u8], position: u64) -> Option<BatchSpan> {
    let header: &[u8; SPAN_BYTES] = bytes.get(..SPAN_BYTES)?.try_into().ok()?;
    if header[16] != 2 {
        return None;
    }
    let base_offset = i64::from_be_bytes(header[..8].try_into().ok()?);
    let length = i32::from_be_bytes(header[8..12].try_into().ok()?);
    let delta = i32::from_be_bytes(header[23..27].try_into().ok()?);
    let size = u64::try_from(length).ok()? + LOG_OVERHEAD as u64;
    if size < HEADER_LEN as u64 {
        return None;
    }
    let last_offset = base_offset.checked_add(i64::from(delta))?;
    Some(BatchSpan { position, size, base_offset, last_offset })
}

/// The batch that begins at `position`, if one does and it ends by `end`.
pub(crate) fn span_at(file: &DiskFile, position: u64, end: u64) -> io::Result<Option<BatchSpan>> {
    let mut header = [0; SPAN_BYTES];
    let read = file.read_at(&mut header, position)?;
    Ok(span(&header[..read], position).filter(|span| span.position + span.size <= end))
}

/// Walks batches by their headers, many of which one read shows when they are small.
pub(crate) struct Spans<'f> {
    file: &'f DiskFile,
    position: u64,
    end: u64,
    window: [u8; WINDOW_BYTES],
    /// File position of the window, and how much of it is filled.
    start: u64,
    filled: usize,
}

impl<'f> Spans<'f> {
    pub(crate) fn new(file: &'f DiskFile, from: u64, end: u64) -> Self {
        Self { file, position: from, end, window: [0; WINDOW_BYTES], start: from, filled: 0 }
    }

    /// The next batch; `None` at the end, or where there is no whole batch.
    pub(crate) fn next(&mut self) -> io::Result<Option<BatchSpan>> {
        let position = self.position;
        if position >= self.end {
            return Ok(None);
        }
        if position + SPAN_BYTES as u64 > self.start + self.filled as u64 {
            self.start = position;
            self.filled = self.file.read_at(&mut self.window, position)?;
        }
        let begin = (position - self.start) as usize;
        let bytes = self.window.get(begin..self.filled).unwrap_or(&[]);
        let found = span(bytes, position).filter(|span| position + span.size <= self.end);
        if let Some(found) = &found {
            self.position += found.size;
        }
        Ok(found)
    }
}

/// A batch that went by. Nothing of it was checked but that its length fits the file.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub position: u64,
    pub header: BatchHeader,
    pub crc_matches: bool,
    /// Of a control batch that is small enough to be one; else empty.
    pub control: Vec<u8>,
}

impl Scanned {
    pub(crate) fn size(&self) -> u64 {
        self.header.batch_length() as u64 + LOG_OVERHEAD as u64
    }
}

/// What comes next in a file.
#[derive(Debug)]
pub(crate) enum Next {
    Batch(Scanned),
    /// The range's end, exactly.
    End,
    /// Bytes that are no whole batch of version 2.
    Broken,
    /// A whole, intact message of version 0 or 1, which this broker does not read.
    OldFormat {
        magic: i8,
    },
}

const BUFFER_BYTES: usize = 256 * 1024;
const CONTROL_BYTES_MAX: u64 = 64 * 1024;

pub(crate) struct Scan<'f> {
    file: &'f DiskFile,
    position: u64,
    end: u64,
    check_crc: bool,
    buffer: Vec<u8>,
    /// File position of the buffer's first byte.
    start: u64,
}

impl<'f> Scan<'f> {
    /// Batches in `[from, end)`. Without `check_crc` payloads are skipped, not read.
    pub(crate) fn new(file: &'f DiskFile, from: u64, end: u64, check_crc: bool) -> Self {
        Self { file, position: from, end, check_crc, buffer: Vec::new(), start: from }
    }

    /// Where the next batch would begin.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn next(&mut self) -> io::Result<Next> {
        if self.position == self.end {
            return Ok(Next::End);
        }
        let position = self.position;
        let mut raw = [0; HEADER_LEN];
        let available = self.copy(position, &mut raw)?;
        if available > 16 && (raw[16] == 0 || raw[16] == 1) && self.is_old_message(&raw)? {
            return Ok(Next::OldFormat { magic: raw[16] as i8 });
        }
        let header = BatchHeader::from_bytes(raw);
        let fits = available == HEADER_LEN
            && header.magic() == 2
            && header.batch_length() >= (HEADER_LEN - LOG_OVERHEAD) as i32
            && position + header.batch_length() as u64 + LOG_OVERHEAD as u64 <= self.end;
        if !fits {
            return Ok(Next::Broken);
        }
        let size = header.batch_length() as u64 + LOG_OVERHEAD as u64;
        let crc_matches = !self.check_crc
            || self.crc(position + CRC_START as u64, position + size)? == header.stored_crc();
        let mut control = Vec::new();
        if header.is_control() && size <= CONTROL_BYTES_MAX {
            control.resize(size as usize - HEADER_LEN, 0);
            self.copy(position + HEADER_LEN as u64, &mut control)?;
        }
        self.position += size;
        Ok(Next::Batch(Scanned { position, header, crc_matches, control }))
    }

    /// Bytes at `position`, through the buffer; short only at the end.
    fn copy(&mut self, position: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut copied = 0;
        while copied < out.len() {
            let chunk = self.chunk(position + copied as u64)?;
            if chunk.is_empty() {
                break;
            }
            let count = chunk.len().min(out.len() - copied);
            out[copied..copied + count].copy_from_slice(&chunk[..count]);
            copied += count;
        }
        Ok(copied)
    }

    fn crc(&mut self, from: u64, to: u64) -> io::Result<u32> {
        let (mut crc, mut position) = (0, from);
        while position < to {
            let chunk = self.chunk(position)?;
            if chunk.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let count = chunk.len().min((to - position) as usize);
            crc = crc32c::crc32c_append(crc, &chunk[..count]);
            position += count as u64;
        }
        Ok(crc)
    }

    /// What the buffer holds from `position` on, filled when it holds nothing of it.
    fn chunk(&mut self, position: u64) -> io::Result<&[u8]> {
        let held = self.start..self.start + self.buffer.len() as u64;
        if !held.contains(&position) {
            let wanted = if self.check_crc { BUFFER_BYTES } else { WINDOW_BYTES };
            let wanted = wanted.min((self.end - position.min(self.end)) as usize);
            self.buffer.resize(wanted, 0);
            let read = self.file.read_at(&mut self.buffer, position)?;
            self.buffer.truncate(read);
            self.start = position;
        }
        Ok(&self.buffer[(position - self.start) as usize..])
    }

    /// Versions 0 and 1: `offset | size | crc32 | magic | …`, the CRC over what follows it.
    fn is_old_message(&mut self, raw: &[u8; HEADER_LEN]) -> io::Result<bool> {
        const OLD_CRC_START: u64 = 16;
        let size = u32::from_be_bytes([raw[8], raw[9], raw[10], raw[11]]);
        let stored = u32::from_be_bytes([raw[12], raw[13], raw[14], raw[15]]);
        let end = self.position + LOG_OVERHEAD as u64 + u64::from(size);
        if size < 14 || end > self.end {
            return Ok(false);
        }
        let (mut crc, mut position) = (flate2::Crc::new(), self.position + OLD_CRC_START);
        while position < end {
            let chunk = self.chunk(position)?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let count = chunk.len().min((end - position) as usize);
            crc.update(&chunk[..count]);
            position += count as u64;
        }
        Ok(crc.sum() == stored)
    }
}

/// From the batch at `from` on, the first whose header `wanted` accepts.
pub(crate) fn first_with(
    file: &DiskFile,
    from: u64,
    end: u64,
    wanted: impl Fn(&BatchHeader) -> bool,
) -> io::Result<Option<BatchSpan>> {
    let mut scan = Scan::new(file, from, end, false);
    while let Next::Batch(batch) = scan.next()? {
        if wanted(&batch.header) {
            return Ok(Some(BatchSpan {
                position: batch.position,
                size: batch.size(),
                base_offset: batch.header.base_offset(),
                last_offset: batch.header.last_offset(),
            }));
        }
    }
    Ok(None)
}
