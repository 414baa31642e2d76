//! The 61 bytes before the records: read in place by [`BatchView`], copied out as [`BatchHeader`]
//! where a log wants to patch offset, epoch or timestamps and write the rest as it came.

use super::{
    BatchError, CRC_START, HEADER_LEN, LOG_OVERHEAD, NO_PRODUCER_ID, NO_SEQUENCE, Records,
};

const COMPRESSION_MASK: i16 = 0x07;
const TIMESTAMP_TYPE_MASK: i16 = 0x08;
const TRANSACTIONAL_MASK: i16 = 0x10;
const CONTROL_MASK: i16 = 0x20;
const DELETE_HORIZON_MASK: i16 = 0x40;

/// Codecs by their id in the attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Compression {
    pub fn from_id(id: u8) -> Result<Self, BatchError> {
        Ok(match id {
            0 => Self::None,
            1 => Self::Gzip,
            2 => Self::Snappy,
            3 => Self::Lz4,
            4 => Self::Zstd,
            other => return Err(BatchError::UnknownCompression(other)),
        })
    }

    #[must_use]
    pub fn id(self) -> u8 {
        self as u8
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimestampType {
    CreateTime,
    LogAppendTime,
}

macro_rules! field {
    ($(#[$doc:meta])* $name:ident, $ty:ty, $at:literal) => {
        $(#[$doc])*
        #[must_use]
        #[inline]
        pub fn $name(&self) -> $ty {
            let mut raw = [0; size_of::<$ty>()];
            raw.copy_from_slice(&self.header()[$at..$at + size_of::<$ty>()]);
            <$ty>::from_be_bytes(raw)
        }
    };
}

macro_rules! fields {
    () => {
        field!(base_offset, i64, 0);
        field!(
            /// Bytes after the first twelve.
            batch_length, i32, 8);
        field!(partition_leader_epoch, i32, 12);
        field!(magic, i8, 16);
        field!(stored_crc, u32, 17);
        field!(attributes, i16, 21);
        field!(last_offset_delta, i32, 23);
        field!(base_timestamp, i64, 27);
        field!(max_timestamp, i64, 35);
        field!(producer_id, i64, 43);
        field!(producer_epoch, i16, 51);
        field!(base_sequence, i32, 53);
        field!(records_count, i32, 57);

        /// Wraps where a hostile header would overflow; validation refuses such a batch.
        #[must_use]
        #[inline]
        pub fn last_offset(&self) -> i64 {
            self.base_offset().wrapping_add(i64::from(self.last_offset_delta()))
        }

        #[must_use]
        #[inline]
        pub fn next_offset(&self) -> i64 {
            self.last_offset().wrapping_add(1)
        }

        /// The sequence of the last record; sequences wrap from `i32::MAX` to 0.
        #[must_use]
        pub fn last_sequence(&self) -> i32 {
            if self.base_sequence() == NO_SEQUENCE {
                return NO_SEQUENCE;
            }
            let last = i64::from(self.base_sequence()) + i64::from(self.last_offset_delta());
            if last > i64::from(i32::MAX) {
                (last - i64::from(i32::MAX) - 1) as i32
            } else {
                last as i32
            }
        }

        #[inline]
        pub fn compression(&self) -> Result<Compression, BatchError> {
            Compression::from_id((self.attributes() & COMPRESSION_MASK) as u8)
        }

        #[must_use]
        pub fn timestamp_type(&self) -> TimestampType {
            if self.attributes() & TIMESTAMP_TYPE_MASK == 0 {
                TimestampType::CreateTime
            } else {
                TimestampType::LogAppendTime
            }
        }

        #[must_use]
        pub fn is_transactional(&self) -> bool {
            self.attributes() & TRANSACTIONAL_MASK != 0
        }

        #[must_use]
        pub fn is_control(&self) -> bool {
            self.attributes() & CONTROL_MASK != 0
        }

        /// Whether `base_timestamp` is a delete horizon that compaction set.
        #[must_use]
        pub fn has_delete_horizon(&self) -> bool {
            self.attributes() & DELETE_HORIZON_MASK != 0
        }

        #[must_use]
        pub fn has_producer_id(&self) -> bool {
            self.producer_id() > NO_PRODUCER_ID
        }
    };
}

/// One whole batch over borrowed bytes. Holding a view means: the length fits, the magic is 2.
/// The CRC is not checked until asked.
#[derive(Debug, Clone, Copy)]
pub struct BatchView<'a> {
    bytes: &'a [u8],
}

impl<'a> BatchView<'a> {
    /// The batch at the head of `bytes`; what follows it is left alone.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BatchError> {
        let incomplete = |need| BatchError::Incomplete { have: bytes.len(), need };
        let Some(length) = bytes.get(8..12).and_then(|raw| raw.try_into().ok()) else {
            return Err(incomplete(LOG_OVERHEAD));
        };
        let length = i32::from_be_bytes(length);
        // Any magic but 2 keeps its own header length, so the magic is looked at first.
        if let Some(&magic) = bytes.get(16)
            && magic != 2
        {
            return Err(BatchError::UnsupportedMagic(magic as i8));
        }
        let whole = usize::try_from(length).ok().map(|length| length + LOG_OVERHEAD);
        let Some(whole) = whole.filter(|&whole| whole >= HEADER_LEN) else {
            return Err(BatchError::LengthTooSmall(length));
        };
        match bytes.get(..whole) {
            Some(bytes) => Ok(Self { bytes }),
            None => Err(incomplete(whole)),
        }
    }

    fields!();

    fn header(&self) -> &[u8] {
        self.bytes
    }

    /// Bytes of the whole batch.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a batch has at least a header")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What follows the header: records, compressed or not.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[HEADER_LEN..]
    }

    pub fn verify_crc(&self) -> Result<(), BatchError> {
        let stored = self.stored_crc();
        let computed = crc32c::crc32c(&self.bytes[CRC_START..]);
        if stored == computed { Ok(()) } else { Err(BatchError::CrcMismatch { stored, computed }) }
    }

    /// The records of an uncompressed batch; a compressed one is an error, its payload has to be
    /// decompressed first and walked with [`Records::new`].
    pub fn records(&self) -> Result<Records<'a>, BatchError> {
        match self.compression()? {
            Compression::None => Records::new(&self.header_copy(), self.payload()),
            _ => Err(BatchError::Compressed),
        }
    }

    /// A copy of the header that may be patched.
    #[must_use]
    pub fn header_copy(&self) -> BatchHeader {
        let mut bytes = [0; HEADER_LEN];
        bytes.copy_from_slice(&self.bytes[..HEADER_LEN]);
        BatchHeader { bytes }
    }
}

/// An owned header, patched in place before it is written in front of untouched records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    bytes: [u8; HEADER_LEN],
}

impl BatchHeader {
    #[must_use]
    pub fn from_bytes(bytes: [u8; HEADER_LEN]) -> Self {
        Self { bytes }
    }

    fields!();

    fn header(&self) -> &[u8] {
        &self.bytes
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; HEADER_LEN] {
        &self.bytes
    }

    /// Base offset and leader epoch stand before the CRC's range: patching them costs nothing.
    pub fn set_base_offset(&mut self, offset: i64) {
        self.put(0, offset.to_be_bytes());
    }

    /// Makes `offset` that of the batch's last record.
    pub fn set_last_offset(&mut self, offset: i64) {
        self.set_base_offset(offset - i64::from(self.last_offset_delta()));
    }

    pub fn set_partition_leader_epoch(&mut self, epoch: i32) {
        self.put(12, epoch.to_be_bytes());
    }

    /// Sets timestamp type and maximum, and the CRC that follows from them over `payload`.
    pub fn set_max_timestamp(&mut self, kind: TimestampType, timestamp: i64, payload: &[u8]) {
        let mut attributes = self.attributes() & !TIMESTAMP_TYPE_MASK;
        if kind == TimestampType::LogAppendTime {
            attributes |= TIMESTAMP_TYPE_MASK;
        }
        if attributes == self.attributes() && timestamp == self.max_timestamp() {
            return;
        }
        self.put(21, attributes.to_be_bytes());
        self.put(35, timestamp.to_be_bytes());
        self.seal(payload);
    }

    /// Writes the CRC over this header and `payload`.
    pub fn seal(&mut self, payload: &[u8]) {
        let crc = crc32c::crc32c(&self.bytes[CRC_START..]);
        let crc = crc32c::crc32c_append(crc, payload);
        self.put(17, crc.to_be_bytes());
    }

    fn put<const N: usize>(&mut self, at: usize, value: [u8; N]) {
        self.bytes[at..at + N].copy_from_slice(&value);
    }
}
