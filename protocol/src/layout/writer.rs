//! Writes the primitives of a message, classic or flexible. The twin of `reader`.
//!
//! Kept true: a length that its field cannot tell is an error, never a wrong length.

use crate::wire::buf::ByteBufMut;

/// A string or collection that its length field cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes or elements are too many for their length field")]
pub struct TooLong(pub usize);

/// Where bytes go.
pub trait Output {
    fn put(&mut self, bytes: &[u8]);
}

impl<B: ByteBufMut> Output for B {
    fn put(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }
}

/// Counts what would be written.
#[derive(Debug, Default)]
pub struct Size(pub usize);

impl Output for Size {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

pub struct Writer<'a, O> {
    out: &'a mut O,
    version: i16,
    flexible: bool,
}

impl<'a, O: Output> Writer<'a, O> {
    pub fn new(out: &'a mut O, version: i16, flexible: bool) -> Self {
        Self { out, version, flexible }
    }

    pub fn version(&self) -> i16 {
        self.version
    }

    pub fn put(&mut self, bytes: &[u8]) {
        self.out.put(bytes);
    }

    fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.put(&[value as u8 | 0x80]);
            value >>= 7;
        }
        self.put(&[value as u8]);
    }

    fn length(&mut self, length: usize) -> Result<(), TooLong> {
        let told = i32::try_from(length).map_err(|_| TooLong(length))?;
        match self.flexible {
            true => self.varint(told.cast_unsigned() + 1),
            false => self.put(&told.to_be_bytes()),
        }
        Ok(())
    }

    pub fn string(&mut self, text: &str) -> Result<(), TooLong> {
        let told = i16::try_from(text.len()).map_err(|_| TooLong(text.len()))?;
        match self.flexible {
            true => self.varint(u32::from(told.cast_unsigned()) + 1),
            false => self.put(&told.to_be_bytes()),
        }
        self.put(text.as_bytes());
        Ok(())
    }

    pub fn null_string(&mut self) {
        match self.flexible {
            true => self.put(&[0]),
            false => self.put(&(-1i16).to_be_bytes()),
        }
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.length(bytes.len())?;
        self.put(bytes);
        Ok(())
    }

    /// Null bytes or a null array.
    pub fn null_length(&mut self) {
        match self.flexible {
            true => self.put(&[0]),
            false => self.put(&(-1i32).to_be_bytes()),
        }
    }

    pub fn list<T>(
        &mut self,
        list: &[T],
        mut element: impl FnMut(&mut Self, &T) -> Result<(), TooLong>,
    ) -> Result<(), TooLong> {
        self.length(list.len())?;
        list.iter().try_for_each(|one| element(self, one))
    }

    /// How many tagged fields follow; a version without them has none to tell.
    pub fn tagged_count(&mut self, count: usize) {
        if self.flexible {
            // No schema has more than a handful.
            self.varint(count as u32);
        }
    }

    /// One of them, measured before it is written. Tags ascend.
    pub fn tagged_field(
        &mut self,
        tag: u32,
        write: impl Fn(&mut Writer<'_, Size>) -> Result<(), TooLong>,
        value: impl FnOnce(&mut Self) -> Result<(), TooLong>,
    ) -> Result<(), TooLong> {
        if !self.flexible {
            return Ok(());
        }
        let mut size = Size::default();
        write(&mut Writer::new(&mut size, self.version, true))?;
        self.varint(tag);
        self.varint(u32::try_from(size.0).map_err(|_| TooLong(size.0))?);
        value(self)
    }
}
