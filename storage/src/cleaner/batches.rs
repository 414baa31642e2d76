//! The batches of a segment one by one, each whole in memory and intact. Kafka's cleaner reads the
//! same way, into a buffer that grows where a batch is larger.
//!
//! Unlike Kafka: a batch's CRC is checked, so that damage is never given a CRC that fits it
//! (docs/decisions/0447).

use std::sync::Arc;

use protocol::batch::{BatchHeader, CRC_START, HEADER_LEN};

use super::{CleanerHost, CleaningError};
use crate::corruption::CorruptionFault;
use crate::disk::DiskFile;
use crate::error::StorageError;
use crate::names;
use crate::scan::{self, Order};
use crate::segment::Segment;

pub(super) struct Batches<'s> {
    segment: &'s Segment,
    log: Arc<DiskFile>,
    order: Order,
    /// Where the next batch begins.
    position: u64,
    end: u64,
    io_buffer_bytes: usize,
    buffer: Vec<u8>,
    /// File position of the buffer's first byte.
    start: u64,
}

/// A batch and where it is.
pub(super) struct Batch<'b> {
    pub(super) position: u64,
    pub(super) header: BatchHeader,
    /// Header and payload.
    pub(super) bytes: &'b [u8],
}

impl Batch<'_> {
    pub(super) fn payload(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or(&[])
    }

    /// A damaged record as an error.
    pub(super) fn fault(&self, segment: &Segment, fault: &impl ToString) -> StorageError {
        let fault = CorruptionFault::Records(fault.to_string());
        fault.at(segment.path(names::LOG), self.position)
    }
}

impl<'s> Batches<'s> {
    pub(super) fn new(
        segment: &'s Segment,
        from: u64,
        io_buffer_bytes: usize,
    ) -> Result<Self, StorageError> {
        Ok(Self {
            segment,
            log: segment.log()?,
            order: Order::from(segment.base_offset()),
            position: from,
            end: segment.size(),
            io_buffer_bytes: io_buffer_bytes.max(HEADER_LEN),
            buffer: Vec::new(),
            start: from,
        })
    }

    /// The next batch; `None` at the segment's end. Anything else is an error.
    pub(super) fn next(
        &mut self,
        host: &mut dyn CleanerHost,
    ) -> Result<Option<Batch<'_>>, CleaningError> {
        let position = self.position;
        if position >= self.end {
            return Ok(None);
        }
        let at = |fault: CorruptionFault| fault.at(self.segment.path(names::LOG), position);
        self.hold(HEADER_LEN, host)?;
        let span = scan::span(self.held(), position, self.end);
        let span = span.map_err(|fault| self.at_position(fault))?;
        self.order.admit(span.base_offset, span.last_offset).map_err(at)?;
        let size = span.size as usize;
        self.hold(size, host)?;
        let begin = (position - self.start) as usize;
        let bytes = self.buffer.get(begin..begin + size);
        let missing = size.saturating_sub(self.buffer.len().saturating_sub(begin)) as u64;
        let at = |fault: CorruptionFault| fault.at(self.segment.path(names::LOG), position);
        let bytes = bytes.ok_or_else(|| at(CorruptionFault::Short { missing }))?;
        let mut header = [0; HEADER_LEN];
        header.copy_from_slice(&bytes[..HEADER_LEN]);
        let header = BatchHeader::from_bytes(header);
        let (stored, computed) = (header.stored_crc(), crc32c::crc32c(&bytes[CRC_START..]));
        if stored != computed {
            return Err(at(CorruptionFault::Crc { stored, computed }).into());
        }
        self.position += size as u64;
        Ok(Some(Batch { position, header, bytes }))
    }

    fn at_position(&self, fault: CorruptionFault) -> StorageError {
        fault.at(self.segment.path(names::LOG), self.position)
    }

    /// What the buffer holds from the next batch on.
    fn held(&self) -> &[u8] {
        self.buffer.get((self.position - self.start) as usize..).unwrap_or(&[])
    }

    /// Has the buffer hold so many bytes from the next batch on, unless the file ends before.
    fn hold(&mut self, wanted: usize, host: &mut dyn CleanerHost) -> Result<(), CleaningError> {
        if self.held().len() >= wanted {
            return Ok(());
        }
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let length = wanted.max(self.io_buffer_bytes).min(left);
        host.acquire(length as u64)?;
        self.buffer.resize(length, 0);
        // A batch that was large does not keep its memory.
        self.buffer.shrink_to(length.max(self.io_buffer_bytes));
        let read = self.log.read_at(&mut self.buffer, self.position);
        let read = read.map_err(|error| self.segment.io_error("read", error))?;
        self.buffer.truncate(read);
        self.start = self.position;
        Ok(())
    }
}
