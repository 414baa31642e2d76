//! Records inside an uncompressed payload, as slices of it. Answers to Kafka's `DefaultRecord`.
//!
//! ```text
//! length varint | attributes i8 | timestamp_delta varlong | offset_delta varint
//! | key_length varint, key | value_length varint, value | headers varint, (key, value)*
//! ```
//! A length of -1 is null. Fields must fill the announced length exactly.

use super::{BatchError, BatchHeader, RecordFault, TimestampType, varint};

/// One record. Key, value and headers point into the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub offset: i64,
    pub timestamp: i64,
    pub offset_delta: i32,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// Already checked: iterating cannot fail.
    pub headers: Headers<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    pub key: &'a [u8],
    pub value: Option<&'a [u8]>,
}

/// One record as it stands, its deltas not added to its batch's base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord<'a> {
    pub timestamp_delta: i64,
    pub offset_delta: i32,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// Already checked: iterating cannot fail.
    pub headers: Headers<'a>,
}

impl<'a> RawRecord<'a> {
    /// The record at the head of `bytes`, and the bytes it takes.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, usize), RecordFault> {
        let mut cursor = Cursor { bytes };
        let announced = cursor.varint()?;
        let length = usize::try_from(announced).map_err(|_| RecordFault::Length(announced))?;
        let body = cursor.take(length)?;
        let taken = bytes.len() - cursor.bytes.len();
        let mut cursor = Cursor { bytes: body };
        cursor.take(1)?;
        let timestamp_delta = cursor.varlong()?;
        let offset_delta = cursor.varint()?;
        let key = cursor.field()?;
        let value = cursor.field()?;
        let header_count = cursor.varint()?;
        // Each header takes two bytes at least.
        let count = usize::try_from(header_count)
            .ok()
            .filter(|&count| count <= cursor.bytes.len() / 2)
            .ok_or(RecordFault::HeaderCount(header_count))?;
        let headers = Headers { bytes: cursor.bytes, count };
        for _ in 0..count {
            cursor.field()?.ok_or(RecordFault::HeaderKey)?;
            cursor.field()?;
        }
        if !cursor.bytes.is_empty() {
            let read = length - cursor.bytes.len();
            return Err(RecordFault::LengthMismatch { announced: length, read });
        }
        Ok((Self { timestamp_delta, offset_delta, key, value, headers }, taken))
    }
}

/// The headers of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl Headers<'_> {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.count = self.count.checked_sub(1)?;
        let mut cursor = Cursor { bytes: self.bytes };
        let key = cursor.field().ok()??;
        let value = cursor.field().ok()?;
        self.bytes = cursor.bytes;
        Some(Header { key, value })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl ExactSizeIterator for Headers<'_> {}

/// Walks a payload: as many records as the header announces, and not a byte after them.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    bytes: &'a [u8],
    index: i32,
    count: i32,
    base_offset: i64,
    base_timestamp: i64,
    append_time: Option<i64>,
}

impl<'a> Records<'a> {
    /// `payload` is the uncompressed payload of the batch with this header.
    pub fn new(header: &BatchHeader, payload: &'a [u8]) -> Result<Self, BatchError> {
        let count = header.records_count();
        if count < 0 {
            return Err(BatchError::InvalidRecordCount(count));
        }
        let append_time = (header.timestamp_type() == TimestampType::LogAppendTime)
            .then(|| header.max_timestamp());
        Ok(Self {
            bytes: payload,
            index: 0,
            count,
            base_offset: header.base_offset(),
            base_timestamp: header.base_timestamp(),
            append_time,
        })
    }

    #[inline]
    fn parse_next(&mut self) -> Result<Record<'a>, RecordFault> {
        let (raw, taken) = RawRecord::parse(self.bytes)?;
        self.bytes = &self.bytes[taken..];
        Ok(Record {
            offset: self.base_offset.wrapping_add(i64::from(raw.offset_delta)),
            timestamp: self
                .append_time
                .unwrap_or_else(|| self.base_timestamp.wrapping_add(raw.timestamp_delta)),
            offset_delta: raw.offset_delta,
            key: raw.key,
            value: raw.value,
            headers: raw.headers,
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let index = self.index;
        if index >= self.count {
            let trailing = std::mem::take(&mut self.bytes).len();
            return (trailing > 0).then_some(Err(BatchError::InvalidRecord {
                index,
                reason: RecordFault::TrailingBytes(trailing),
            }));
        }
        self.index += 1;
        let parsed = self.parse_next();
        Some(parsed.map_err(|reason| {
            self.index = self.count;
            self.bytes = &[];
            BatchError::InvalidRecord { index, reason }
        }))
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], RecordFault> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(RecordFault::Truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    #[inline]
    fn varint(&mut self) -> Result<i32, RecordFault> {
        let (value, taken) = varint::read_i32(self.bytes)?;
        self.bytes = &self.bytes[taken..];
        Ok(value)
    }

    #[inline]
    fn varlong(&mut self) -> Result<i64, RecordFault> {
        let (value, taken) = varint::read_i64(self.bytes)?;
        self.bytes = &self.bytes[taken..];
        Ok(value)
    }

    /// A length and as many bytes; any negative length is null, as Kafka reads it.
    #[inline]
    fn field(&mut self) -> Result<Option<&'a [u8]>, RecordFault> {
        let length = self.varint()?;
        match usize::try_from(length) {
            Ok(length) => self.take(length).map(Some),
            Err(_) => Ok(None),
        }
    }
}
