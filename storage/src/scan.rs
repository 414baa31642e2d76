//! Walks the batches of a `.log` by positioned reads, in bounded memory, never through the map.
//!
//! [`span_at`] and [`Spans`] look at headers only. [`Scan`] also computes each batch's CRC
//! as the bytes go by, whatever its length, and keeps the payload of control batches.

use std::io;

use protocol::batch::{BatchHeader, CRC_START, HEADER_LEN, LOG_OVERHEAD};

use crate::corruption::CorruptionFault;
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
const HEADER_BYTES: u64 = HEADER_LEN as u64;
const WINDOW_BYTES: usize = 4096;

/// What stopped a walk over batches.
#[derive(Debug)]
pub(crate) enum WalkError {
    Io(io::Error),
    Corrupt { position: u64, fault: CorruptionFault },
}

impl From<io::Error> for WalkError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Which offsets a segment's batches may have: ascending ones, within 31 bits of its base, because
/// indexes count from there.
#[derive(Debug)]
pub(crate) struct Order {
    lowest: i64,
    highest: i64,
}

impl Order {
    pub(crate) fn from(base: i64) -> Self {
        Self { lowest: base, highest: base.saturating_add(i64::from(i32::MAX)) }
    }

    /// Those of a segment behind which the next, or nothing, begins at `end`.
    pub(crate) fn within(base: i64, end: i64) -> Self {
        let order = Self::from(base);
        Self { highest: order.highest.min(end.saturating_sub(1)), ..order }
    }

    pub(crate) fn admit(&mut self, first: i64, last: i64) -> Result<(), CorruptionFault> {
        if first < self.lowest || last < first || last > self.highest {
            return Err(CorruptionFault::Offsets { first, last, lowest: self.lowest });
        }
        self.lowest = last.saturating_add(1);
        Ok(())
    }
}

/// The batch whose header begins `bytes`, which were read at `position` of a segment that ends at
/// `end`. Its offsets are not looked at.
pub(crate) fn span(bytes: &[u8], position: u64, end: u64) -> Result<BatchSpan, CorruptionFault> {
    let left = end.saturating_sub(position);
    let Some(header) = bytes.first_chunk::<SPAN_BYTES>() else {
        return Err(match left {
            0..HEADER_BYTES => CorruptionFault::Overrun { size: HEADER_BYTES, left },
            _ => CorruptionFault::Short { missing: left - bytes.len() as u64 },
        });
    };
    let length = i32::from_be_bytes([header[8], header[9], header[10], header[11]]);
    let size = u64::try_from(length).map_or(0, |length| length + LOG_OVERHEAD as u64);
    if size < HEADER_BYTES {
        return Err(CorruptionFault::Length(length));
    }
    if header[16] != 2 {
        return Err(CorruptionFault::Magic(header[16] as i8));
    }
    if size > left {
        return Err(CorruptionFault::Overrun { size, left });
    }
    let base_offset = header.first_chunk().map_or(0, |raw| i64::from_be_bytes(*raw));
    let delta = header.last_chunk().map_or(0, |raw| i32::from_be_bytes(*raw));
    let last_offset = base_offset.wrapping_add(i64::from(delta));
    Ok(BatchSpan { position, size, base_offset, last_offset })
}

/// The batch that begins at `position`, if one does and it ends by `end`.
pub(crate) fn span_at(file: &DiskFile, position: u64, end: u64) -> io::Result<Option<BatchSpan>> {
    let mut header = [0; SPAN_BYTES];
    let read = file.read_at(&mut header, position)?;
    Ok(span(&header[..read], position, end).ok())
}

/// Walks batches by their headers, many of which one read shows when they are small.
pub(crate) struct Spans<'f> {
    file: &'f DiskFile,
    position: u64,
    end: u64,
    order: Order,
    window: [u8; WINDOW_BYTES],
    /// File position of the window, and how much of it is filled.
    start: u64,
    filled: usize,
}

impl<'f> Spans<'f> {
    /// The batches in `[from, end)` of the segment that begins at offset `base`.
    pub(crate) fn new(file: &'f DiskFile, base: i64, from: u64, end: u64) -> Self {
        Self {
            file,
            position: from,
            end,
            order: Order::from(base),
            window: [0; WINDOW_BYTES],
            start: from,
            filled: 0,
        }
    }

    /// The next batch; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<BatchSpan>, WalkError> {
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
        let corrupt = |fault| WalkError::Corrupt { position, fault };
        let found = span(bytes, position, self.end).map_err(corrupt)?;
        self.order.admit(found.base_offset, found.last_offset).map_err(corrupt)?;
        self.position += found.size;
        Ok(Some(found))
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
    Broken(CorruptionFault),
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
        let size = match span(&raw[..available], position, self.end) {
            Ok(span) => span.size,
            Err(fault) => return Ok(Next::Broken(fault)),
        };
        let header = BatchHeader::from_bytes(raw);
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

    /// The next batch, for those to whom anything else is an error.
    pub(crate) fn next_batch(&mut self, order: &mut Order) -> Result<Option<Scanned>, WalkError> {
        let position = self.position;
        let fault = match self.next()? {
            Next::End => return Ok(None),
            Next::Batch(batch) => {
                let header = &batch.header;
                match order.admit(header.base_offset(), header.last_offset()) {
                    Ok(()) => return Ok(Some(batch)),
                    Err(fault) => fault,
                }
            }
            Next::Broken(fault) => fault,
            Next::OldFormat { magic } => CorruptionFault::Magic(magic),
        };
        Err(WalkError::Corrupt { position, fault })
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
    order: &mut Order,
    from: u64,
    end: u64,
    wanted: impl Fn(&BatchHeader) -> bool,
) -> Result<Option<BatchSpan>, WalkError> {
    let mut scan = Scan::new(file, from, end, false);
    while let Some(batch) = scan.next_batch(order)? {
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
