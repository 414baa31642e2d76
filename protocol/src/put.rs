//! Writes the primitives of an answer, classic or flexible. The twin of `cursor`.
//!
//! Kept true: a length that its field cannot tell is an error, never a wrong length.

use bytes::{BufMut, BytesMut};

/// A string or collection that its length field cannot tell.
pub(crate) const TOO_LONG: &str = "a string or collection is too long for its length field";

pub(crate) fn varint(out: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// The length of bytes or of a collection.
pub(crate) fn length(out: &mut BytesMut, flexible: bool, length: usize) -> Result<(), String> {
    let length = i32::try_from(length).map_err(|_| TOO_LONG)?;
    if flexible {
        varint(out, length.cast_unsigned() + 1);
    } else {
        out.put_i32(length);
    }
    Ok(())
}

pub(crate) fn null_length(out: &mut BytesMut, flexible: bool) {
    if flexible {
        out.put_u8(0);
    } else {
        out.put_i32(-1);
    }
}

pub(crate) fn string(out: &mut BytesMut, flexible: bool, text: &str) -> Result<(), String> {
    let length = i16::try_from(text.len()).map_err(|_| TOO_LONG)?;
    if flexible {
        varint(out, u32::from(length.cast_unsigned()) + 1);
    } else {
        out.put_i16(length);
    }
    out.put_slice(text.as_bytes());
    Ok(())
}

pub(crate) fn nullable_string(
    out: &mut BytesMut,
    flexible: bool,
    text: Option<&str>,
) -> Result<(), String> {
    match text {
        Some(text) => return string(out, flexible, text),
        None if flexible => out.put_u8(0),
        None => out.put_i16(-1),
    }
    Ok(())
}

/// The end of a struct that has no tagged fields to tell.
pub(crate) fn no_tagged_fields(out: &mut BytesMut, flexible: bool) {
    if flexible {
        out.put_u8(0);
    }
}
