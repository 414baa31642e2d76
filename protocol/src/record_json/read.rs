//! Reads a message by its schema.
//!
//! Kept true: nothing is allocated for more elements than bytes are left; every error is what
//! Kafka's generated reader says, because `kafka-dump-log` prints it.

use bytes::Bytes;
use uuid::Uuid;

use super::json::Json;
use super::schema::{Field, Schema, Type};
use crate::Base64Uuid;

/// Why a record cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The bytes end inside a number. Java's `BufferUnderflowException` has no message.
    #[error("null")]
    Underflow,
    #[error("Error reading byte array of {wanted} byte(s): only {left} byte(s) available")]
    Short { wanted: usize, left: usize },
    #[error(
        "Tried to allocate a collection of size {announced}, but there are only {left} bytes \
         remaining."
    )]
    Collection { announced: usize, left: usize },
    #[error("non-nullable field {0} was serialized as null")]
    Null(String),
    #[error("Invalid UTF-8 in a string")]
    NotUtf8,
    #[error("Can't read version {version} of {name}")]
    Unversioned { name: String, version: i16 },
    #[error(
        "Could not deserialize metadata record with frame version 0. Note that upgrades from the \
         preview release of KRaft in 2.8 to newer versions are not supported."
    )]
    FrameOfPreview,
    #[error(
        "Could not deserialize metadata record due to unknown frame version {0}(only frame \
         version 1 is supported)"
    )]
    Frame(i16),
    #[error("Error while reading {0}")]
    NoFrame(&'static str),
    #[error("Value for {what} was too large.")]
    TooLarge { what: &'static str },
    #[error("org.apache.kafka.common.errors.UnsupportedVersionException: Unknown metadata id {0}")]
    UnknownMetadata(i16),
    #[error("Failed to deserialize record with type {0}")]
    Metadata(i16),
    #[error("Found {left} byte(s) of garbage after {key}")]
    Garbage { left: usize, key: i16 },
    #[error("Could not read version from {0}'s buffer.")]
    NoVersion(&'static str),
    #[error("Found an unknown record type {0}")]
    UnknownRecord(i16),
    #[error("Found an unknown record version {version} for {record_type} type")]
    UnknownVersion { record_type: i16, version: i16 },
    #[error("Could not read record with version {version} from {part}'s buffer due to: {error}.")]
    Part { version: i16, part: &'static str, error: Box<Self> },
}

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

/// How a message of one version is written.
#[derive(Clone, Copy)]
struct Encoding {
    version: i16,
    flexible: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// A number that a frame begins with.
    pub(super) fn short(&mut self, what: &'static str) -> Result<i16, JsonError> {
        let value = self.varint().map_err(|_| JsonError::NoFrame(what))?;
        i16::try_from(value).map_err(|_| JsonError::TooLarge { what })
    }

    pub(super) fn message(
        &mut self,
        schema: &'static Schema,
        version: i16,
    ) -> Result<Json, JsonError> {
        let encoding = Encoding { version, flexible: schema.flexible.contains(version) };
        self.fields(&schema.fields, encoding)
    }

    fn fields(&mut self, fields: &'static [Field], encoding: Encoding) -> Result<Json, JsonError> {
        let Encoding { version, flexible } = encoding;
        let is_there = |field: &&Field| field.versions.contains(version);
        let is_tagged = |field: &Field| field.tagged.contains(version);
        let mut found: Vec<Option<Json>> = Vec::with_capacity(fields.len());
        for field in fields {
            let stands = is_there(&field) && !is_tagged(field);
            found.push(if stands { Some(self.field(field, encoding)?) } else { None });
        }
        if flexible {
            for _ in 0..self.varint()? {
                let (tag, size) = (self.varint()?, self.varint()? as usize);
                let mut content = Reader::new(self.take(size)?);
                let known = |field: &Field| field.tag == Some(tag) && is_tagged(field);
                if let Some(at) = fields.iter().position(known) {
                    let value = content.field(&fields[at], encoding)?;
                    found[at] = Some(value).filter(|value| !is_default(&fields[at], value));
                }
            }
        }
        let named = fields.iter().zip(found);
        let shown = named.filter_map(|(field, value)| Some((field.name.as_str().into(), value?)));
        Ok(Json::Object(shown.collect()))
    }

    fn field(&mut self, field: &'static Field, encoding: Encoding) -> Result<Json, JsonError> {
        let null = || match field.nullable.contains(encoding.version) {
            true => Ok(Json::Null),
            false => Err(JsonError::Null(field.name.clone())),
        };
        if field.is_array {
            let Some(announced) = self.length(true, encoding)? else { return null() };
            let left = self.remaining();
            if announced > left {
                return Err(JsonError::Collection { announced, left });
            }
            let elements =
                (0..announced).map(|_| self.value(field, encoding)?.map_or_else(null, Ok));
            return elements.collect::<Result<_, _>>().map(Json::Array);
        }
        self.value(field, encoding)?.map_or_else(null, Ok)
    }

    /// One value of a field's type; `None` for null.
    fn value(
        &mut self,
        field: &'static Field,
        encoding: Encoding,
    ) -> Result<Option<Json>, JsonError> {
        let value = match field.of {
            Type::Bool => Json::Bool(self.array::<1>()? != [0]),
            Type::Int8 => Json::Int(i64::from(i8::from_be_bytes(self.array()?))),
            Type::Int16 => Json::Int(i64::from(i16::from_be_bytes(self.array()?))),
            Type::Uint16 => Json::Int(i64::from(u16::from_be_bytes(self.array()?))),
            Type::Int32 => Json::Int(i64::from(i32::from_be_bytes(self.array()?))),
            Type::Uint32 => Json::Int(i64::from(u32::from_be_bytes(self.array()?))),
            Type::Int64 => Json::Int(i64::from_be_bytes(self.array()?)),
            Type::Float64 => Json::Double(f64::from_be_bytes(self.array()?)),
            Type::Uuid => Json::Text(Base64Uuid(Uuid::from_bytes(self.array()?)).to_string()),
            Type::String => {
                let Some(length) = self.length(false, encoding)? else { return Ok(None) };
                let text = std::str::from_utf8(self.take(length)?);
                Json::Text(text.map_err(|_| JsonError::NotUtf8)?.to_owned())
            }
            Type::Bytes => {
                let Some(length) = self.length(true, encoding)? else { return Ok(None) };
                Json::Bytes(Bytes::copy_from_slice(self.take(length)?))
            }
            Type::Struct => {
                let may_be_null = !field.is_array && field.nullable.contains(encoding.version);
                if may_be_null && i8::from_be_bytes(self.array()?) < 0 {
                    return Ok(None);
                }
                self.fields(&field.fields, encoding)?
            }
        };
        Ok(Some(value))
    }

    /// A length; `None` for null. Strings of the older encoding have two bytes for it.
    fn length(&mut self, wide: bool, encoding: Encoding) -> Result<Option<usize>, JsonError> {
        if encoding.flexible {
            return Ok(self.varint()?.checked_sub(1).map(|length| length as usize));
        }
        let length = match wide {
            true => i32::from_be_bytes(self.array()?),
            false => i32::from(i16::from_be_bytes(self.array()?)),
        };
        Ok(usize::try_from(length).ok())
    }

    fn varint(&mut self) -> Result<u32, JsonError> {
        let mut value = 0_u32;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array::<1>()?;
            value |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(JsonError::Underflow)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], JsonError> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(JsonError::Underflow)?;
        self.bytes = rest;
        Ok(*taken)
    }

    fn take(&mut self, wanted: usize) -> Result<&'a [u8], JsonError> {
        let left = self.remaining();
        let taken = self.bytes.split_at_checked(wanted);
        let (taken, rest) = taken.ok_or(JsonError::Short { wanted, left })?;
        self.bytes = rest;
        Ok(taken)
    }
}

/// Whether a value is what its field has where nothing is said: Kafka leaves such a tag out.
fn is_default(field: &Field, value: &Json) -> bool {
    let default = field.default.as_str();
    match value {
        Json::Null => default == "null",
        Json::Bool(value) => *value == (default == "true"),
        Json::Int(value) => *value == default.parse().unwrap_or(0),
        Json::Double(value) => *value == default.parse().unwrap_or(0.0),
        Json::Text(text) if field.of == Type::Uuid => *text == Base64Uuid(Uuid::nil()).to_string(),
        Json::Text(text) => text == default,
        Json::Bytes(bytes) => bytes.is_empty() && default != "null",
        Json::Array(values) => values.is_empty() && default != "null",
        Json::Object(_) => false,
    }
}
