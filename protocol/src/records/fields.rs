//! How a field of a record stands on the wire: Kafka's flexible encoding, and the `record!` macro
//! that turns a schema table into a struct with `read` and `write`.
//!
//! Kept true here: reading never allocates more than the bytes that are there, because an array or
//! string whose announced size exceeds what follows is refused first; tagged fields that the table
//! does not know are kept and written back in tag order; a field that a version cannot carry makes
//! `write` fail unless it has its default.
//!
//! ```text
//! string, bytes, array   unsigned varint (length + 1, 0 = null), then the content
//! struct                 its fields, then varint count of tagged fields: (tag, size, bytes)*
//! ```
//!
//! Answers to Kafka's generated message classes (KIP-482, flexible versions).

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

/// Tagged fields that our schema does not name, by tag.
pub type TaggedFields = BTreeMap<u32, Bytes>;

/// Why the body of a record could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The bytes end inside a field.
    #[error("{wanted} byte(s) wanted, {left} left")]
    Truncated { wanted: usize, left: usize },
    /// An array announces more elements than bytes follow.
    #[error("an array announces {announced} element(s), {left} byte(s) are left")]
    ArrayTooLong { announced: usize, left: usize },
    /// A varint runs on past 32 bits.
    #[error("a varint is longer than five bytes")]
    VarintTooLong,
    /// Text that is not UTF-8.
    #[error("a string is not UTF-8")]
    NotUtf8,
    /// Null where the schema allows none.
    #[error("a field that is not nullable was null")]
    UnexpectedNull,
    /// A tagged field whose content is shorter than its announced size.
    #[error("tagged field {tag} left {left} byte(s) unread")]
    TagNotConsumed { tag: u32, left: usize },
    /// A value that the version to be written has no place for.
    #[error("version {version} cannot carry a value for {field}")]
    NotInVersion { field: &'static str, version: i16 },
}

/// A cursor over the bytes of one record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn remaining(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn take(&mut self, wanted: usize) -> Result<&'a [u8], FieldError> {
        let left = self.0.len();
        let Some((head, tail)) = self.0.split_at_checked(wanted) else {
            return Err(FieldError::Truncated { wanted, left });
        };
        self.0 = tail;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], FieldError> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    pub(crate) fn unsigned_varint(&mut self) -> Result<u32, FieldError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array::<1>()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(FieldError::VarintTooLong)
    }

    /// The announced length of a string, bytes or array; `None` is null.
    fn compact_length(&mut self) -> Result<Option<usize>, FieldError> {
        Ok(self.unsigned_varint()?.checked_sub(1).map(|length| length as usize))
    }
}

pub(crate) fn put_unsigned_varint(out: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

fn put_compact_length(out: &mut BytesMut, length: usize) {
    put_unsigned_varint(out, length as u32 + 1);
}

/// Reads the tagged fields at the end of a struct into a map.
pub(crate) fn read_tagged(input: &mut Input<'_>) -> Result<TaggedFields, FieldError> {
    let count = input.unsigned_varint()?;
    let mut fields = TaggedFields::new();
    for _ in 0..count {
        let tag = input.unsigned_varint()?;
        let size = input.unsigned_varint()? as usize;
        fields.insert(tag, Bytes::copy_from_slice(input.take(size)?));
    }
    Ok(fields)
}

pub(crate) fn write_tagged(fields: &TaggedFields, out: &mut BytesMut) {
    put_unsigned_varint(out, fields.len() as u32);
    for (tag, content) in fields {
        put_unsigned_varint(out, *tag);
        put_unsigned_varint(out, content.len() as u32);
        out.put_slice(content);
    }
}

/// Reads the whole content of one tagged field as a `T`.
pub(crate) fn read_tag<T: Field>(tag: u32, content: &[u8], version: i16) -> Result<T, FieldError> {
    let mut input = Input::new(content);
    let value = T::read(&mut input, version)?;
    match input.remaining() {
        0 => Ok(value),
        left => Err(FieldError::TagNotConsumed { tag, left }),
    }
}

/// Pins both sides to one type, which `!=` alone leaves open for an empty vector.
pub(crate) fn differs<T: PartialEq>(value: &T, default: &T) -> bool {
    value != default
}

/// A type that can stand in a record.
pub(crate) trait Field: Sized {
    fn read(input: &mut Input<'_>, version: i16) -> Result<Self, FieldError>;
    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), FieldError>;
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn read(input: &mut Input<'_>, _: i16) -> Result<Self, FieldError> {
                Ok(Self::from_be_bytes(input.array()?))
            }
            fn write(&self, out: &mut BytesMut, _: i16) -> Result<(), FieldError> {
                out.put_slice(&self.to_be_bytes());
                Ok(())
            }
        }
    )*};
}

number!(i8, i16, i32, i64, u16, f64);

impl Field for bool {
    fn read(input: &mut Input<'_>, _: i16) -> Result<Self, FieldError> {
        Ok(input.array::<1>()? != [0])
    }
    fn write(&self, out: &mut BytesMut, _: i16) -> Result<(), FieldError> {
        out.put_u8(u8::from(*self));
        Ok(())
    }
}

impl Field for Uuid {
    fn read(input: &mut Input<'_>, _: i16) -> Result<Self, FieldError> {
        Ok(Self::from_bytes(input.array()?))
    }
    fn write(&self, out: &mut BytesMut, _: i16) -> Result<(), FieldError> {
        out.put_slice(self.as_bytes());
        Ok(())
    }
}

impl Field for Option<StrBytes> {
    fn read(input: &mut Input<'_>, _: i16) -> Result<Self, FieldError> {
        let Some(length) = input.compact_length()? else {
            return Ok(None);
        };
        let text = std::str::from_utf8(input.take(length)?).map_err(|_| FieldError::NotUtf8)?;
        // An own copy: a name that outlives its batch must not keep the batch's buffer alive.
        Ok(Some(StrBytes::from_string(text.to_owned())))
    }
    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), FieldError> {
        match self {
            Some(text) => text.write(out, version),
            None => {
                out.put_u8(0);
                Ok(())
            }
        }
    }
}

impl Field for StrBytes {
    fn read(input: &mut Input<'_>, version: i16) -> Result<Self, FieldError> {
        Option::<Self>::read(input, version)?.ok_or(FieldError::UnexpectedNull)
    }
    fn write(&self, out: &mut BytesMut, _: i16) -> Result<(), FieldError> {
        put_compact_length(out, self.len());
        out.put_slice(self.as_bytes());
        Ok(())
    }
}

impl Field for Bytes {
    fn read(input: &mut Input<'_>, _: i16) -> Result<Self, FieldError> {
        let length = input.compact_length()?.ok_or(FieldError::UnexpectedNull)?;
        Ok(Self::copy_from_slice(input.take(length)?))
    }
    fn write(&self, out: &mut BytesMut, _: i16) -> Result<(), FieldError> {
        put_compact_length(out, self.len());
        out.put_slice(self);
        Ok(())
    }
}

impl<T: Field> Field for Option<Vec<T>> {
    fn read(input: &mut Input<'_>, version: i16) -> Result<Self, FieldError> {
        let Some(announced) = input.compact_length()? else {
            return Ok(None);
        };
        let left = input.remaining();
        // Every element takes a byte at least.
        if announced > left {
            return Err(FieldError::ArrayTooLong { announced, left });
        }
        // Elements are read one by one: room for all announced ones could be far more than the
        // bytes that back them.
        let mut elements = Vec::new();
        for _ in 0..announced {
            elements.push(T::read(input, version)?);
        }
        Ok(Some(elements))
    }
    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), FieldError> {
        match self {
            Some(elements) => elements.write(out, version),
            None => {
                out.put_u8(0);
                Ok(())
            }
        }
    }
}

impl<T: Field> Field for Vec<T> {
    fn read(input: &mut Input<'_>, version: i16) -> Result<Self, FieldError> {
        Option::<Self>::read(input, version)?.ok_or(FieldError::UnexpectedNull)
    }
    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), FieldError> {
        put_compact_length(out, self.len());
        self.iter().try_for_each(|element| element.write(out, version))
    }
}

/// Declares a struct from its schema: `field: type = default, since version [, tag number];`.
macro_rules! record {
    (@plain_read $input:ident $version:ident $type:ty, $default:expr, $since:literal) => {
        if $version >= $since {
            <$type as $crate::records::fields::Field>::read($input, $version)?
        } else {
            $default
        }
    };
    (@plain_read $input:ident $version:ident $type:ty, $default:expr, $since:literal, $tag:literal)
        => { $default };
    (@tag_read $tags:ident $version:ident $to:expr, $type:ty, $since:literal) => {};
    (@tag_read $tags:ident $version:ident $to:expr, $type:ty, $since:literal, $tag:literal) => {
        if $version >= $since
            && let Some(content) = $tags.remove(&$tag)
        {
            $to = $crate::records::fields::read_tag::<$type>($tag, &content, $version)?;
        }
    };
    (@plain_write $out:ident $version:ident $from:expr, $since:literal) => {
        if $version >= $since {
            $crate::records::fields::Field::write(&$from, $out, $version)?;
        }
    };
    (@plain_write $out:ident $version:ident $from:expr, $since:literal, $tag:literal) => {};
    (@tag_write $tags:ident $version:ident $from:expr, $default:expr, $since:literal) => {};
    (@tag_write $tags:ident $version:ident $from:expr, $default:expr, $since:literal, $tag:literal)
        => {
        if $version >= $since && $crate::records::fields::differs(&$from, &$default) {
            let mut content = bytes::BytesMut::new();
            $crate::records::fields::Field::write(&$from, &mut content, $version)?;
            $tags.insert($tag, content.freeze());
        }
    };
    ($($(#[$struct_doc:meta])* $name:ident {
        $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, since $since:literal
            $(, tag $tag:literal)?;)*
    })*) => {$(
        $(#[$struct_doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
            /// Tagged fields of a later schema.
            pub unknown_tagged_fields: $crate::records::fields::TaggedFields,
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* unknown_tagged_fields: Default::default() }
            }
        }

        impl $crate::records::fields::Field for $name {
            #[allow(unused_mut, unused_variables)]
            fn read(
                input: &mut $crate::records::fields::Input<'_>,
                version: i16,
            ) -> Result<Self, $crate::records::fields::FieldError> {
                let mut record = Self {
                    $($field: record!(@plain_read input version
                        $type, $default, $since $(, $tag)?),)*
                    unknown_tagged_fields: Default::default(),
                };
                let mut tags = $crate::records::fields::read_tagged(input)?;
                $(record!(@tag_read tags version record.$field, $type, $since $(, $tag)?);)*
                record.unknown_tagged_fields = tags;
                Ok(record)
            }

            #[allow(unused_mut, unused_variables)]
            fn write(
                &self,
                out: &mut bytes::BytesMut,
                version: i16,
            ) -> Result<(), $crate::records::fields::FieldError> {
                $(if version < $since
                    && $crate::records::fields::differs(&self.$field, &$default)
                {
                    return Err($crate::records::fields::FieldError::NotInVersion {
                        field: stringify!($field),
                        version,
                    });
                })*
                $(record!(@plain_write out version self.$field, $since $(, $tag)?);)*
                let mut tags = self.unknown_tagged_fields.clone();
                $(record!(@tag_write tags version self.$field, $default, $since $(, $tag)?);)*
                $crate::records::fields::write_tagged(&tags, out);
                Ok(())
            }
        }
    )*};
}

pub(crate) use record;
