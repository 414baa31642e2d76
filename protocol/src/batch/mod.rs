//! Record batches, version 2 (KIP-98), as views over bytes. Answers to Kafka's
//! `DefaultRecordBatch`.
//!
//! Nothing here copies records or decompresses them: a [`BatchView`] reads header fields in place,
//! [`batches`] walks a run of batches, [`Records`] walks the records of an uncompressed payload,
//! [`BatchBuilder`] writes the uncompressed batches of Kafka's own topics.
//!
//! ```text
//!  0 base_offset i64 | 8 batch_length i32 | 12 partition_leader_epoch i32 | 16 magic i8
//! 17 crc u32 | 21 attributes i16 | 23 last_offset_delta i32 | 27 base_timestamp i64
//! 35 max_timestamp i64 | 43 producer_id i64 | 51 producer_epoch i16 | 53 base_sequence i32
//! 57 records_count i32 | 61 …
//! ```
//! `batch_length` counts from byte 12; the CRC32C covers from byte 21. Attributes: bits 0-2 codec,
//! 3 timestamp type, 4 transactional, 5 control, 6 delete horizon set.

mod builder;
mod header;
mod records;
#[cfg(test)]
mod tests;
pub mod varint;

pub use builder::{BatchBuilder, ControlType};
pub use header::{BatchHeader, BatchView, Compression, TimestampType};
pub use records::{Header, Headers, RawRecord, Record, Records};

/// Length of a batch's header, records excluded.
pub const HEADER_LEN: usize = 61;
/// Base offset and length: what precedes the bytes that `batch_length` counts.
pub const LOG_OVERHEAD: usize = 12;
/// Where the bytes covered by the CRC begin.
pub const CRC_START: usize = 21;
pub const NO_PRODUCER_ID: i64 = -1;
pub const NO_PRODUCER_EPOCH: i16 = -1;
pub const NO_SEQUENCE: i32 = -1;
pub const NO_TIMESTAMP: i64 = -1;
pub const NO_PARTITION_LEADER_EPOCH: i32 = -1;

/// Why bytes are not a batch, or not the records a batch claims to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("{have} bytes are less than the {need} that the batch announces")]
    Incomplete { have: usize, need: usize },
    #[error("batch length {0} is below that of a header")]
    LengthTooSmall(i32),
    #[error("magic {0} is not 2")]
    UnsupportedMagic(i8),
    #[error("stored crc {stored:#010x} differs from the computed {computed:#010x}")]
    CrcMismatch { stored: u32, computed: u32 },
    #[error("compression codec {0} is unknown")]
    UnknownCompression(u8),
    #[error("records are compressed")]
    Compressed,
    #[error("batch announces {0} records")]
    InvalidRecordCount(i32),
    #[error("record {index}: {reason}")]
    InvalidRecord { index: i32, reason: RecordFault },
}

/// What is wrong inside one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    #[error("a varint is longer than its type allows")]
    VarintTooLong,
    #[error("it ends before its fields do")]
    Truncated,
    #[error("its length is {0}")]
    Length(i32),
    #[error("its fields fill {read} of {announced} bytes")]
    LengthMismatch { announced: usize, read: usize },
    #[error("it announces {0} headers")]
    HeaderCount(i32),
    #[error("a header has no key")]
    HeaderKey,
    #[error("{0} bytes follow the last record")]
    TrailingBytes(usize),
}

/// The batches in `bytes`, in order. See [`Batches`].
#[must_use]
pub fn batches(bytes: &[u8]) -> Batches<'_> {
    Batches { bytes, position: 0, failed: false }
}

/// Yields each complete batch; an incomplete one at the end (a fetch cut short) ends the walk, and
/// a length or magic that cannot be is an error, after which nothing more comes.
#[derive(Debug, Clone)]
pub struct Batches<'a> {
    bytes: &'a [u8],
    position: usize,
    failed: bool,
}

impl Batches<'_> {
    /// Bytes of the complete batches yielded so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<BatchView<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match BatchView::parse(self.bytes.get(self.position..)?) {
            Ok(batch) => {
                self.position += batch.len();
                Some(Ok(batch))
            }
            Err(BatchError::Incomplete { .. }) => None,
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}
