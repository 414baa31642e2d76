//! Puts a request into the form that the general decoder takes, where Kafka's parser takes more:
//! strings with invalid UTF-8 get replacement characters, unusual ways to say "null", "none" and
//! "present" the usual one.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};

use super::Malformed;

/// Bytes of the body to be replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) at: Range<usize>,
    pub(super) with: Vec<u8>,
}

/// The replacement of a string, its length included.
pub(super) fn lossy_string(text: &[u8], flexible: bool) -> Result<Vec<u8>, Malformed> {
    let mended = String::from_utf8_lossy(text);
    let length = i16::try_from(mended.len()).map_err(|_| Malformed::StringTooLong(mended.len()))?;
    let mut out = BytesMut::with_capacity(mended.len() + 3);
    if flexible {
        crate::put::varint(&mut out, u32::from(length.cast_unsigned()) + 1);
    } else {
        out.put_i16(length);
    }
    out.put_slice(mended.as_bytes());
    Ok(out.into())
}

/// The body with its patches applied, which are in order and do not overlap.
pub(super) fn mended(body: &[u8], patches: &[Patch]) -> Bytes {
    let added: usize = patches.iter().map(|patch| patch.with.len()).sum();
    let mut out = BytesMut::with_capacity(body.len() + added);
    let mut copied = 0;
    for patch in patches {
        out.put_slice(&body[copied..patch.at.start]);
        out.put_slice(&patch.with);
        copied = patch.at.end;
    }
    out.put_slice(&body[copied..]);
    out.freeze()
}
