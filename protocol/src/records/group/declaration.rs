//! From which an enum of one kind of group's records comes, with its keys: `group_records!`.
//!
//! ```text
//! group_records! {
//!     /// One record of a thing.
//!     ThingRecord {
//!         Member = 5 (group, member): ThingMemberValue,   // key: type 5, then two strings
//!     }
//! }
//! key    type i16 | a string for each name        (never flexible)
//! value  0 i16 | the value's fields, flexible     or null: a tombstone
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;

use super::super::fields::{Field, Input};
use super::super::schema::{Reader, Writer};
use super::GroupRecordError;

/// The one version of every value.
const VERSION: i16 = 0;

macro_rules! group_records {
    ($(#[$about:meta])* $name:ident {
        $($variant:ident = $type:literal ($($part:ident),+): $value:ty,)*
    }) => {
        $(#[$about])*
        #[allow(clippy::large_enum_variant, reason = "a member's is the largest and the most common")]
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($variant { $($part: StrBytes,)+ value: Option<$value> },)*
        }

        impl $name {
            /// The group it is about.
            #[must_use]
            pub fn group(&self) -> &StrBytes {
                match self {
                    $(Self::$variant { group, .. })|* => group,
                }
            }

            #[must_use]
            pub fn is_tombstone(&self) -> bool {
                match self {
                    $(Self::$variant { value, .. } => value.is_none(),)*
                }
            }

            /// `key` is what follows the type; nothing, if the type is none of these.
            pub(super) fn read(
                record_type: i16,
                key: &[u8],
                value: Option<&[u8]>,
            ) -> Result<Option<Self>, GroupRecordError> {
                let bad_key = |cause| GroupRecordError::Key { record_type, cause };
                let mut key = Reader::new(key, false);
                Ok(match record_type {
                    $($type => Some(Self::$variant {
                        $($part: key.string().map_err(bad_key)?,)+
                        value: declaration::read_value(record_type, value)?,
                    }),)*
                    _ => None,
                })
            }

            pub(super) fn to_bytes(&self) -> (Bytes, Option<Bytes>) {
                match self {
                    $(Self::$variant { $($part,)+ value } => (
                        declaration::key($type, &[$($part),+]),
                        value.as_ref().and_then(declaration::value),
                    ),)*
                }
            }
        }
    };
}

pub(super) use group_records;

pub(super) fn key(record_type: i16, parts: &[&StrBytes]) -> Bytes {
    let mut writer = Writer::new(record_type, false);
    for part in parts {
        writer.string(part);
    }
    writer.finish()
}

pub(super) fn read_value<T: Field>(
    record_type: i16,
    value: Option<&[u8]>,
) -> Result<Option<T>, GroupRecordError> {
    let Some(value) = value else { return Ok(None) };
    let bad_value = |cause| GroupRecordError::Value { record_type, cause };
    let (version, rest) = Reader::version(value).map_err(bad_value)?;
    if version != VERSION {
        return Err(GroupRecordError::ValueVersion { record_type, version });
    }
    T::read(&mut Input::new(rest), version).map(Some).map_err(bad_value)
}

/// Nothing of a value can be missing in its only version.
pub(super) fn value<T: Field>(value: &T) -> Option<Bytes> {
    let mut out = BytesMut::with_capacity(64);
    out.put_i16(VERSION);
    value.write(&mut out, VERSION).ok()?;
    Some(out.freeze())
}
