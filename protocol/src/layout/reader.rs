//! Reads the primitives of a message, classic or flexible, sharing the buffer's memory.
//!
//! The habits of `cursor` are kept: a negative length means null. Unlike it, this reads from any
//! buffer of the vocabulary and gives texts and bytes that need no copy.

use bytes::Bytes;

use crate::shape::{DECODED_BUDGET, Malformed};
use crate::wire::StrBytes;
use crate::wire::buf::ByteBuf;

pub struct Reader<'a, B> {
    buffer: &'a mut B,
    version: i16,
    flexible: bool,
}

impl<'a, B: ByteBuf> Reader<'a, B> {
    pub fn new(buffer: &'a mut B, version: i16, flexible: bool) -> Self {
        Self { buffer, version, flexible }
    }

    pub fn version(&self) -> i16 {
        self.version
    }

    pub fn is_flexible(&self) -> bool {
        self.flexible
    }

    fn take(&mut self, wanted: usize) -> Result<Bytes, Malformed> {
        let left = self.buffer.remaining();
        self.buffer.try_get_bytes(wanted).map_err(|_| Malformed::Truncated { wanted, left })
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let left = self.buffer.remaining();
        if left < N {
            return Err(Malformed::Truncated { wanted: N, left });
        }
        let mut array = [0; N];
        self.buffer.copy_to_slice(&mut array);
        Ok(array)
    }

    fn varint(&mut self) -> Result<u32, Malformed> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed::NumberTooLong)
    }

    /// The announced length of bytes or of an array; nothing is null.
    fn length(&mut self) -> Result<Option<usize>, Malformed> {
        let length = match self.flexible {
            true => self.varint()?.cast_signed().wrapping_sub(1),
            false => i32::from_be_bytes(self.array()?),
        };
        Ok(usize::try_from(length).ok())
    }

    pub fn nullable_string(&mut self) -> Result<Option<StrBytes>, Malformed> {
        let length = match self.flexible {
            true => self.length()?,
            false => usize::try_from(i16::from_be_bytes(self.array()?)).ok(),
        };
        let Some(length) = length else { return Ok(None) };
        if length > i16::MAX as usize {
            return Err(Malformed::StringTooLong(length));
        }
        let bytes = self.take(length)?;
        // Requests were mended by their walk; answers are as their writer made them.
        let text = StrBytes::from_utf8(bytes.clone()).unwrap_or_else(|_| {
            StrBytes::from_string(String::from_utf8_lossy(&bytes).into_owned())
        });
        Ok(Some(text))
    }

    pub fn nullable_bytes(&mut self) -> Result<Option<Bytes>, Malformed> {
        self.length()?.map(|length| self.take(length)).transpose()
    }

    pub fn nullable_list<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<Vec<T>>, Malformed> {
        let Some(announced) = self.length()? else { return Ok(None) };
        let left = self.buffer.remaining();
        // Every element takes a byte at least.
        if announced > left {
            return Err(Malformed::TooManyElements { announced, left });
        }
        // Requests were walked, so that theirs fits; an answer may announce what never comes.
        let reserved = announced.min(DECODED_BUDGET / size_of::<T>().max(1));
        let mut list = Vec::with_capacity(reserved);
        for _ in 0..announced {
            list.push(element(self)?);
        }
        Ok(Some(list))
    }

    /// The end of a struct: whoever knows a tag reads its field and says so.
    pub fn tagged_fields(
        &mut self,
        mut known: impl FnMut(&mut Self, u32) -> Result<bool, Malformed>,
    ) -> Result<(), Malformed> {
        if !self.flexible {
            return Ok(());
        }
        // Kafka counts with a signed number: a negative count is none.
        for _ in 0..self.varint()?.cast_signed().max(0) {
            let tag = self.varint()?;
            let size = self.varint()?.cast_signed();
            let size = usize::try_from(size).map_err(|_| Malformed::NegativeSize(size))?;
            if !known(self, tag)? {
                self.take(size)?;
            }
        }
        Ok(())
    }
}
