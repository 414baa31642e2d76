//! Reads the primitives of a request as Kafka's generated classes do, over a complete body.
//!
//! Kept true: nothing is read past the end, and nothing is allocated. Two habits of Kafka are kept
//! as well: any negative length means null, and numbers of variable length are read as signed.
//!
//! ```text
//! classic:  int16 / int32 length (-1 null), content          counts: int32
//! flexible: varint length + 1 (0 null), content              counts: varint + 1
//! ```

use uuid::Uuid;

use crate::shape::Malformed;

/// The longest string that either side takes, also in the flexible form.
const MAX_STRING: usize = i16::MAX as usize;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    flexible: bool,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize, flexible: bool) -> Self {
        Self { bytes, at, flexible }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    #[inline]
    pub(crate) fn take(&mut self, wanted: usize) -> Result<&'a [u8], Malformed> {
        let left = self.left();
        let end = self.at.saturating_add(wanted);
        let taken = self.bytes.get(self.at..end).ok_or(Malformed::Truncated { wanted, left })?;
        self.at = end;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    #[inline]
    pub(crate) fn int16(&mut self) -> Result<i16, Malformed> {
        self.array().map(i16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn int32(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid, Malformed> {
        self.array().map(Uuid::from_bytes)
    }

    #[inline]
    fn varint(&mut self) -> Result<i32, Malformed> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(i32::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<i32, Malformed> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value.cast_signed());
            }
        }
        Err(Malformed::NumberTooLong)
    }

    /// The announced length of bytes or of a collection; `None` is null.
    #[inline]
    fn length(&mut self) -> Result<Option<usize>, Malformed> {
        let length = if self.flexible { self.varint()?.wrapping_sub(1) } else { self.int32()? };
        Ok(usize::try_from(length).ok())
    }

    pub(crate) fn nullable_string(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let length =
            if self.flexible { self.length()? } else { usize::try_from(self.int16()?).ok() };
        match length {
            None => Ok(None),
            Some(length) if length > MAX_STRING => Err(Malformed::StringTooLong(length)),
            Some(length) => self.take(length).map(Some),
        }
    }

    pub(crate) fn string(&mut self) -> Result<&'a [u8], Malformed> {
        self.nullable_string()?.ok_or(Malformed::UnexpectedNull)
    }

    #[inline]
    pub(crate) fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        self.length()?.map(|length| self.take(length)).transpose()
    }

    /// The number of elements of a collection that may not be null.
    pub(crate) fn count(&mut self) -> Result<usize, Malformed> {
        let announced = self.length()?.ok_or(Malformed::UnexpectedNull)?;
        let left = self.left();
        // Every element takes a byte at least.
        if announced > left {
            return Err(Malformed::TooManyElements { announced, left });
        }
        Ok(announced)
    }

    /// Passes the tagged fields at the end of a struct whose schema has none.
    #[inline]
    pub(crate) fn skip_tagged_fields(&mut self) -> Result<(), Malformed> {
        if !self.flexible {
            return Ok(());
        }
        // The usual struct has none.
        if self.bytes.get(self.at) == Some(&0) {
            self.at += 1;
            return Ok(());
        }
        // Kafka counts with a signed number: a negative count is none.
        for _ in 0..self.varint()?.max(0) {
            self.varint()?;
            let size = self.varint()?;
            self.take(usize::try_from(size).map_err(|_| Malformed::NegativeSize(size))?)?;
        }
        Ok(())
    }
}
