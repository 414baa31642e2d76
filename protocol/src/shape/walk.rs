//! The walk over the bytes of a request, whole or its beginning.
//!
//! Kept true: it reads nothing twice, allocates nothing but patches, and its depth is that of the
//! table. `spent` never exceeds the budget: a count is charged before its elements are looked at,
//! as the decoder would reserve before it reads them.

use std::ops::Range;

use super::mend::{Patch, lossy_string};
use super::table::{Element, Field, Kind, Shape};
use super::{Malformed, Refusal};
use crate::api::{self, Api};
use crate::wire::StrBytes;

/// The longest string that Kafka takes, also in the flexible form.
const MAX_STRING: usize = i16::MAX as usize;

/// What the map of unknown tagged fields takes: its first node, and each entry from then on in
/// nodes that may be filled by half.
const FIRST_UNKNOWN_TAG: usize = 512;
const UNKNOWN_TAG: usize = 96;

/// Bookkeeping of the allocator for an allocation of its own.
const ALLOCATION: usize = 16;

/// Why a walk ends before the message does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    NeedMore,
    Refused(Refusal),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Refused(Refusal::Malformed(malformed))
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    /// What the frame announced; `bytes` may be its beginning only.
    total: usize,
    at: usize,
    version: i16,
    flexible: bool,
    spent: usize,
    budget: usize,
    patches: Vec<Patch>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8], total: usize, budget: usize) -> Self {
        Self {
            // What follows the frame in the same buffer is none of its bytes.
            bytes: bytes.get(..total).unwrap_or(bytes),
            total,
            at: 0,
            version: 0,
            flexible: false,
            spent: 0,
            budget,
            patches: Vec::new(),
        }
    }

    pub(super) fn into_patches(self) -> Vec<Patch> {
        self.patches
    }

    /// Passes the request header and tells what follows it.
    pub(super) fn header(&mut self) -> Result<(&'static Api, i16), Stop> {
        let key = i16::from_be_bytes(self.array()?);
        let version = i16::from_be_bytes(self.array()?);
        let api = api::by_key(key).ok_or(Refusal::UnknownKey(key))?;
        self.take(4)?;
        let client_id = i16::from_be_bytes(self.array()?);
        self.take(usize::try_from(client_id).unwrap_or(0))?;
        if api.request_header_version(version) >= 2 {
            self.flexible = true;
            self.tagged(&[])?;
            // Only the body is mended.
            self.patches.clear();
        }
        Ok((api, version))
    }

    pub(super) fn message(&mut self, shape: &'static Shape, version: i16) -> Result<(), Stop> {
        self.version = version;
        self.flexible = version >= shape.first_flexible;
        self.structure(shape.fields)
    }

    fn structure(&mut self, fields: &'static [Field]) -> Result<(), Stop> {
        // Neighbours of fixed size are passed in one step.
        let mut fixed = 0;
        for field in fields {
            if field.tag.is_some() || !field.exists_in(self.version) {
                continue;
            }
            if let Kind::Fixed(kind) = field.kind {
                fixed += kind.size();
                continue;
            }
            self.take(fixed)?;
            fixed = 0;
            self.field(field)?;
        }
        self.take(fixed)?;
        if self.flexible { self.tagged(fields) } else { Ok(()) }
    }

    fn field(&mut self, field: &'static Field) -> Result<(), Stop> {
        let nullable = field.nullable_in(self.version);
        match &field.kind {
            Kind::Fixed(fixed) => self.take(fixed.size()).map(drop),
            Kind::String => self.string(nullable),
            Kind::Bytes | Kind::Records => {
                let length = self.length(nullable)?;
                self.take(length.unwrap_or(0)).map(drop)
            }
            Kind::Struct(fields) if nullable => self.optional(fields),
            Kind::Struct(fields) => self.structure(fields),
            Kind::Array(element) => self.elements(element, nullable),
        }
    }

    fn elements(&mut self, element: &'static Element, nullable: bool) -> Result<(), Stop> {
        let Some(announced) = self.length(nullable)? else {
            return Ok(());
        };
        let left = self.total - self.at;
        if announced > left {
            return Err(Malformed::TooManyElements { announced, left }.into());
        }
        match element {
            Element::Fixed(fixed) => {
                self.charge_elements(announced, fixed.size())?;
                self.take(announced * fixed.size()).map(drop)
            }
            Element::String => {
                self.charge_elements(announced, size_of::<StrBytes>())?;
                (0..announced).try_for_each(|_| self.string(false))
            }
            Element::Struct { in_memory, fields } => {
                self.charge_elements(announced, *in_memory)?;
                (0..announced).try_for_each(|_| self.structure(fields))
            }
        }
    }

    fn optional(&mut self, fields: &'static [Field]) -> Result<(), Stop> {
        let start = self.at;
        let [present] = self.array()?;
        // Kafka takes any byte that isn't negative for "present".
        if present.cast_signed() < 0 {
            return Ok(());
        }
        if present != 1 {
            self.patch(start..self.at, vec![1])?;
        }
        self.structure(fields)
    }

    fn tagged(&mut self, fields: &'static [Field]) -> Result<(), Stop> {
        let start = self.at;
        let count = self.varint()?;
        if count == 0 {
            return Ok(());
        }
        if count < 0 {
            // Kafka counts upwards to it and finds none.
            return self.patch(start..self.at, vec![0]);
        }
        let mut unknown = 0;
        for _ in 0..count {
            let tag = self.varint()?.cast_unsigned();
            let size = self.varint()?;
            match fields.iter().find(|field| field.tag == Some(tag)) {
                // Neither Kafka nor the decoder compares what it reads with the announced size.
                Some(field) if field.exists_in(self.version) => self.field(field)?,
                Some(_) => {
                    return Err(Malformed::TagNotInVersion { tag, version: self.version }.into());
                }
                None => {
                    let size = usize::try_from(size).map_err(|_| Malformed::NegativeSize(size))?;
                    self.charge(if unknown == 0 { FIRST_UNKNOWN_TAG } else { UNKNOWN_TAG })?;
                    self.take(size)?;
                    unknown += 1;
                }
            }
        }
        Ok(())
    }

    fn string(&mut self, nullable: bool) -> Result<(), Stop> {
        let start = self.at;
        let length = if self.flexible {
            self.varint()?.wrapping_sub(1)
        } else {
            i32::from(i16::from_be_bytes(self.array()?))
        };
        let Some(length) = self.null_or_length(start, length, nullable)? else {
            return Ok(());
        };
        if length > MAX_STRING {
            return Err(Malformed::StringTooLong(length).into());
        }
        let text = self.take(length)?;
        if str::from_utf8(text).is_err() {
            let mended = lossy_string(text, self.flexible)?;
            return self.patch(start..self.at, mended);
        }
        Ok(())
    }

    /// The announced length of bytes or of an array; `None` is null.
    fn length(&mut self, nullable: bool) -> Result<Option<usize>, Stop> {
        let start = self.at;
        let length = if self.flexible {
            self.varint()?.wrapping_sub(1)
        } else {
            i32::from_be_bytes(self.array()?)
        };
        self.null_or_length(start, length, nullable)
    }

    fn null_or_length(
        &mut self,
        start: usize,
        length: i32,
        nullable: bool,
    ) -> Result<Option<usize>, Stop> {
        if let Ok(length) = usize::try_from(length) {
            return Ok(Some(length));
        }
        if !nullable {
            return Err(Malformed::UnexpectedNull.into());
        }
        if length != -1 {
            let width = self.at - start;
            let usual = if self.flexible { vec![0] } else { vec![0xff; width] };
            self.patch(start..self.at, usual)?;
        }
        Ok(None)
    }

    #[inline]
    fn varint(&mut self) -> Result<i32, Stop> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(i32::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<i32, Stop> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value.cast_signed());
            }
        }
        Err(Malformed::NumberTooLong.into())
    }

    #[inline]
    fn take(&mut self, wanted: usize) -> Result<&'a [u8], Stop> {
        let end = self.at.saturating_add(wanted);
        let Some(taken) = self.bytes.get(self.at..end) else {
            let left = self.total.saturating_sub(self.at);
            return Err(if wanted > left {
                Malformed::Truncated { wanted, left }.into()
            } else {
                Stop::NeedMore
            });
        };
        self.at = end;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn charge_elements(&mut self, count: usize, in_memory: usize) -> Result<(), Stop> {
        if count == 0 {
            return Ok(());
        }
        self.charge(count.saturating_mul(in_memory).saturating_add(ALLOCATION))
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Stop> {
        let needed = self.spent.saturating_add(bytes);
        if needed > self.budget {
            return Err(Refusal::OverBudget { needed, allowed: self.budget }.into());
        }
        self.spent = needed;
        Ok(())
    }

    /// Notes a replacement; the first one costs a copy of the body.
    fn patch(&mut self, at: Range<usize>, with: Vec<u8>) -> Result<(), Stop> {
        let copy = if self.patches.is_empty() { self.total } else { 0 };
        // The replacement exists twice for a while, its entry in a vector that grows by doubling.
        self.charge(copy + 2 * with.len() + 3 * size_of::<Patch>() + ALLOCATION)?;
        self.patches.push(Patch { at, with });
        Ok(())
    }
}
