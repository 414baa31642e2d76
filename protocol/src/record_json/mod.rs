//! Records of Kafka's own topics as JSON, as Kafka's tools print them.
//!
//! One reader goes by a table of every record's fields, which is made from the schemas of Kafka
//! 4.3.1 (`schemas-4.3.1.txt`; the test `record_schemas` compares it with them and writes it anew).
//! What a codec in [`crate::records`] is to the broker, this is to people who look into a log: it
//! knows all records, and makes no values of them.
//!
//! Answers to the generated `JsonConverter`s, `MetadataRecordSerde` and `CoordinatorRecordSerde`.

mod json;
mod read;
mod schema;
#[cfg(test)]
mod tests;

use self::read::Reader;
use self::schema::{Schema, Topic, schemas};
use crate::constant_name;
pub use json::Json;
pub use read::JsonError;

/// Whose records they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinator {
    /// `__consumer_offsets`
    Group,
    /// `__transaction_state`
    Transaction,
    /// `__share_group_state`
    Share,
}

/// A record of a coordinator's topic.
#[derive(Debug, Clone, PartialEq)]
pub struct CoordinatorRecord {
    /// The number of its kind, with which its key begins.
    pub record_type: i16,
    pub key: Json,
    /// Its version and what it holds; `None` for a tombstone.
    pub value: Option<(i16, Json)>,
}

/// Messages that stand in logs by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    LeaderChange,
    SnapshotHeader,
    SnapshotFooter,
    KRaftVersion,
    Voters,
    ConsumerSubscription,
    ConsumerAssignment,
}

impl Message {
    fn name(self) -> &'static str {
        match self {
            Self::LeaderChange => "LeaderChangeMessage",
            Self::SnapshotHeader => "SnapshotHeaderRecord",
            Self::SnapshotFooter => "SnapshotFooterRecord",
            Self::KRaftVersion => "KRaftVersionRecord",
            Self::Voters => "VotersRecord",
            Self::ConsumerSubscription => "ConsumerProtocolSubscription",
            Self::ConsumerAssignment => "ConsumerProtocolAssignment",
        }
    }

    /// Reads one of this version.
    pub fn read(self, version: i16, bytes: &[u8]) -> Result<Json, JsonError> {
        let schema = schemas().iter().find(|schema| schema.name == self.name());
        let schema = schema.ok_or(JsonError::Underflow)?;
        Reader::new(bytes).message(schema, schema.readable(version)?)
    }

    /// Reads one with its version in front (int16), as members of a group send them.
    pub fn read_prefixed(self, bytes: &[u8]) -> Result<Json, JsonError> {
        let (version, rest) = prefixed(bytes).ok_or(JsonError::Underflow)?;
        self.read(version, rest)
    }
}

/// The int16 in front.
fn prefixed(bytes: &[u8]) -> Option<(i16, &[u8])> {
    let (version, rest) = bytes.split_first_chunk::<2>()?;
    Some((i16::from_be_bytes(*version), rest))
}

fn schema(topic: Topic, key: i16) -> Option<&'static Schema> {
    schemas().iter().find(|schema| schema.topic == topic && schema.key == key)
}

/// The only frame that records of the metadata have.
const FRAME_VERSION: i16 = 1;

/// The value of a record of `__cluster_metadata`: its type's constant, its version, what it holds.
pub fn metadata(value: &[u8]) -> Result<(String, i16, Json), JsonError> {
    let mut reader = Reader::new(value);
    let frame = reader.short("frame version")?;
    match frame {
        0 => return Err(JsonError::FrameOfPreview),
        FRAME_VERSION => {}
        other => return Err(JsonError::Frame(other)),
    }
    let key = reader.short("type")?;
    let version = reader.short("version")?;
    let schema = schema(Topic::Metadata, key).ok_or(JsonError::UnknownMetadata(key))?;
    let read = schema.readable(version).and_then(|version| reader.message(schema, version));
    let json = read.map_err(|_| JsonError::Metadata(key))?;
    match reader.remaining() {
        0 => Ok((constant_name(&schema.name), version, json)),
        left => Err(JsonError::Garbage { left, key }),
    }
}

/// A record of a coordinator's topic.
pub fn coordinator(
    coordinator: Coordinator,
    key: &[u8],
    value: Option<&[u8]>,
) -> Result<CoordinatorRecord, JsonError> {
    let (keys, values) = match coordinator {
        Coordinator::Group => (Topic::GroupKey, Topic::GroupValue),
        Coordinator::Transaction => (Topic::TransactionKey, Topic::TransactionValue),
        Coordinator::Share => (Topic::ShareKey, Topic::ShareValue),
    };
    let unversioned = |part| JsonError::NoVersion(part);
    let (record_type, rest) = prefixed(key).ok_or_else(|| unversioned("key"))?;
    let unknown = JsonError::UnknownRecord(record_type);
    let of_key = schema(keys, record_type).ok_or_else(|| unknown.clone())?;
    let unread = |version, part| {
        move |error: JsonError| JsonError::Part { version, part, error: Box::new(error) }
    };
    let read = Reader::new(rest).message(of_key, 0);
    let key = read.map_err(unread(record_type, "key"))?;
    let Some(value) = value else {
        return Ok(CoordinatorRecord { record_type, key, value: None });
    };
    let of_value = schema(values, record_type).ok_or(unknown)?;
    let (version, rest) = prefixed(value).ok_or_else(|| unversioned("value"))?;
    if !of_value.versions.contains(version) {
        return Err(JsonError::UnknownVersion { record_type, version });
    }
    let read = Reader::new(rest).message(of_value, version);
    let value = read.map_err(unread(version, "value"))?;
    Ok(CoordinatorRecord { record_type, key, value: Some((version, value)) })
}
