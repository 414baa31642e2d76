//! Kafka's unsigned varint as its Java reader takes it: up to five bytes of seven bits, low bits
//! first, the bits beyond 32 dropped, the result read as a signed number.

use bytes::Bytes;

use super::HeaderError;

pub(super) fn take(frame: &mut Bytes) -> Result<i32, HeaderError> {
    let mut value = 0u32;
    for position in 0..5 {
        let byte = *frame.get(position).ok_or(HeaderError::TooShort)?;
        value |= u32::from(byte & 0x7f) << (7 * position);
        if byte < 0x80 {
            let _ = frame.split_to(position + 1);
            return Ok(value.cast_signed());
        }
    }
    Err(HeaderError::OverlongNumber)
}
