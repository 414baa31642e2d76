//! Fields of the records whose schemas began before flexible versions: the coordinators' topics.
//!
//! One [`Reader`] and one [`Writer`] speak both encodings, chosen by the version at hand, so that a
//! schema is written down once. Reading refuses an announced length that exceeds what follows.
//!
//! ```text
//!            below the first flexible version        from it on
//! string     length i16 (-1 = null), UTF-8           varint length + 1 (0 = null), UTF-8
//! bytes      length i32, content                     varint length + 1, content
//! array      count i32 (-1 = null), elements         varint count + 1, elements
//! struct     its fields                              its fields, then tagged fields
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::fields::write_tagged;
use super::fields::{FieldError, Input, TaggedFields, put_unsigned_varint, read_tagged};

/// Reads fields of one record in one encoding.
pub(crate) struct Reader<'a> {
    input: Input<'a>,
    flexible: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], flexible: bool) -> Self {
        Self { input: Input::new(bytes), flexible }
    }

    /// The int16 that stands first in every key and value, and the rest.
    pub(crate) fn version(bytes: &'a [u8]) -> Result<(i16, &'a [u8]), FieldError> {
        let wanted = 2;
        match bytes.split_first_chunk::<2>() {
            Some((version, rest)) => Ok((i16::from_be_bytes(*version), rest)),
            None => Err(FieldError::Truncated { wanted, left: bytes.len() }),
        }
    }

    pub(crate) fn int8(&mut self) -> Result<i8, FieldError> {
        Ok(i8::from_be_bytes(self.input.array()?))
    }

    pub(crate) fn int16(&mut self) -> Result<i16, FieldError> {
        Ok(i16::from_be_bytes(self.input.array()?))
    }

    pub(crate) fn int32(&mut self) -> Result<i32, FieldError> {
        Ok(i32::from_be_bytes(self.input.array()?))
    }

    pub(crate) fn int64(&mut self) -> Result<i64, FieldError> {
        Ok(i64::from_be_bytes(self.input.array()?))
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid, FieldError> {
        Ok(Uuid::from_bytes(self.input.array()?))
    }

    fn length(&mut self, wide: bool) -> Result<Option<usize>, FieldError> {
        if self.flexible {
            let length = self.input.unsigned_varint()?;
            return Ok(length.checked_sub(1).map(|length| length as usize));
        }
        let length = if wide { self.int32()? } else { i32::from(self.int16()?) };
        Ok(usize::try_from(length).ok())
    }

    pub(crate) fn nullable_string(&mut self) -> Result<Option<StrBytes>, FieldError> {
        let Some(length) = self.length(false)? else {
            return Ok(None);
        };
        let text =
            std::str::from_utf8(self.input.take(length)?).map_err(|_| FieldError::NotUtf8)?;
        Ok(Some(StrBytes::from_string(text.to_owned())))
    }

    pub(crate) fn string(&mut self) -> Result<StrBytes, FieldError> {
        self.nullable_string()?.ok_or(FieldError::UnexpectedNull)
    }

    pub(crate) fn bytes(&mut self) -> Result<Bytes, FieldError> {
        let length = self.length(true)?.ok_or(FieldError::UnexpectedNull)?;
        Ok(Bytes::copy_from_slice(self.input.take(length)?))
    }

    /// An array that may not be null.
    pub(crate) fn elements<T>(
        &mut self,
        element: impl FnMut(&mut Self) -> Result<T, FieldError>,
    ) -> Result<Vec<T>, FieldError> {
        self.array(element)?.ok_or(FieldError::UnexpectedNull)
    }

    /// An array that may be null; every element takes a byte at least.
    pub(crate) fn array<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, FieldError>,
    ) -> Result<Option<Vec<T>>, FieldError> {
        let Some(announced) = self.length(true)? else {
            return Ok(None);
        };
        let left = self.input.remaining();
        if announced > left {
            return Err(FieldError::ArrayTooLong { announced, left });
        }
        (0..announced).map(|_| element(self)).collect::<Result<_, _>>().map(Some)
    }

    /// The tagged fields at the end of a struct; none in the older encoding.
    pub(crate) fn tagged(&mut self) -> Result<TaggedFields, FieldError> {
        if self.flexible { read_tagged(&mut self.input) } else { Ok(TaggedFields::new()) }
    }
}

/// Writes fields of one record in one encoding.
pub(crate) struct Writer {
    out: BytesMut,
    flexible: bool,
}

impl Writer {
    /// A record's key or value that begins with this version.
    pub(crate) fn new(version: i16, flexible: bool) -> Self {
        let mut out = BytesMut::with_capacity(64);
        out.put_i16(version);
        Self { out, flexible }
    }

    pub(crate) fn uuid(&mut self, value: Uuid) {
        self.out.put_slice(value.as_bytes());
    }

    pub(crate) fn int8(&mut self, value: i8) {
        self.out.put_i8(value);
    }

    pub(crate) fn int16(&mut self, value: i16) {
        self.out.put_i16(value);
    }

    pub(crate) fn int32(&mut self, value: i32) {
        self.out.put_i32(value);
    }

    pub(crate) fn int64(&mut self, value: i64) {
        self.out.put_i64(value);
    }

    fn length(&mut self, length: Option<usize>, wide: bool) {
        match (self.flexible, wide) {
            (true, _) => {
                let announced = length.map_or(0, |length| length as u32 + 1);
                put_unsigned_varint(&mut self.out, announced);
            }
            (false, true) => self.out.put_i32(length.map_or(-1, |length| length as i32)),
            (false, false) => self.out.put_i16(length.map_or(-1, |length| length as i16)),
        }
    }

    pub(crate) fn nullable_string(&mut self, text: Option<&str>) {
        self.length(text.map(str::len), false);
        self.out.put_slice(text.unwrap_or_default().as_bytes());
    }

    pub(crate) fn string(&mut self, text: &str) {
        self.nullable_string(Some(text));
    }

    pub(crate) fn bytes(&mut self, content: &[u8]) {
        self.length(Some(content.len()), true);
        self.out.put_slice(content);
    }

    pub(crate) fn array<T>(
        &mut self,
        elements: Option<&[T]>,
        mut element: impl FnMut(&mut Self, &T),
    ) {
        self.length(elements.map(<[T]>::len), true);
        elements.unwrap_or_default().iter().for_each(|each| element(self, each));
    }

    pub(crate) fn tagged(&mut self, fields: &TaggedFields) {
        if self.flexible {
            write_tagged(fields, &mut self.out);
        }
    }

    pub(crate) fn finish(self) -> Bytes {
        self.out.freeze()
    }
}
