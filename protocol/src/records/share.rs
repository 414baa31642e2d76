//! Records of `__share_group_state`: what the share coordinator remembers of each partition that a
//! share group reads.
//!
//! ```text
//! key       type i16 | group string | topic id uuid | partition i32       (never flexible)
//! snapshot  type 0; 0 i16 | snapshot epoch i32 | state epoch i32 | leader epoch i32
//!           | start offset i64 | created i64 | written i64 | batches
//!           | tagged: 0 delivery complete count i32
//! update    type 1; 0 i16 | snapshot epoch i32 | leader epoch i32 | start offset i64 | batches
//!           | tagged: 0 delivery complete count i32
//! batch     first offset i64 | last offset i64 | delivery state i8 | delivery count i16 | tagged
//! ```
//! A snapshot is the whole state, an update what has changed of it since; a tombstone is a
//! snapshot's. Answers to `ShareCoordinatorRecordSerde` and the schemas ShareSnapshotKey/Value and
//! ShareUpdateKey/Value of Kafka 4.3 (KIP-932, KIP-1226).

#[cfg(test)]
mod tests;

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::fields::{FieldError, TaggedFields, read_tag};
use super::schema::{Reader, Writer};

const SNAPSHOT: i16 = 0;
const UPDATE: i16 = 1;
/// The only version of each value.
const VERSION: i16 = 0;
/// KIP-1226.
const DELIVERY_COMPLETE_COUNT_TAG: u32 = 0;
const NO_DELIVERY_COMPLETE_COUNT: i32 = -1;

/// Why a record of `__share_group_state` could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareRecordError {
    #[error("a record has no key")]
    NoKey,
    #[error("a key of type {record_type} cannot be read: {cause}")]
    Key { record_type: i16, cause: FieldError },
    #[error("a value of type {record_type} cannot be read: {cause}")]
    Value { record_type: i16, cause: FieldError },
    #[error("a value of type {record_type} has the unknown version {version}")]
    ValueVersion { record_type: i16, version: i16 },
}

/// Whose state it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareRecordKey {
    pub group_id: StrBytes,
    pub topic_id: Uuid,
    pub partition: i32,
}

/// One record of `__share_group_state`. A value of `None` is a tombstone.
#[derive(Debug, Clone, PartialEq)]
pub enum ShareRecord {
    Snapshot {
        key: ShareRecordKey,
        value: Option<ShareSnapshotValue>,
    },
    Update {
        key: ShareRecordKey,
        value: Option<ShareUpdateValue>,
    },
    /// A key type from a later Kafka.
    Unknown {
        record_type: i16,
    },
}

impl ShareRecord {
    pub fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, ShareRecordError> {
        let key = key.ok_or(ShareRecordError::NoKey)?;
        let (record_type, rest) = Reader::version(key)
            .map_err(|cause| ShareRecordError::Key { record_type: -1, cause })?;
        if ![SNAPSHOT, UPDATE].contains(&record_type) {
            return Ok(Self::Unknown { record_type });
        }
        let key = ShareRecordKey::read(rest)
            .map_err(|cause| ShareRecordError::Key { record_type, cause })?;
        let bad_value = |cause| ShareRecordError::Value { record_type, cause };
        let rest = match value {
            Some(value) => {
                let (version, rest) = Reader::version(value).map_err(bad_value)?;
                if version != VERSION {
                    return Err(ShareRecordError::ValueVersion { record_type, version });
                }
                Some(rest)
            }
            None => None,
        };
        Ok(match record_type {
            SNAPSHOT => {
                let value = rest.map(ShareSnapshotValue::read).transpose().map_err(bad_value)?;
                Self::Snapshot { key, value }
            }
            _ => {
                let value = rest.map(ShareUpdateValue::read).transpose().map_err(bad_value)?;
                Self::Update { key, value }
            }
        })
    }

    /// The key and the value as they stand in a batch; none for what is not written.
    #[must_use]
    pub fn write(&self) -> Option<(Bytes, Option<Bytes>)> {
        match self {
            Self::Snapshot { key, value } => {
                Some((key.write(SNAPSHOT), value.as_ref().map(ShareSnapshotValue::write)))
            }
            Self::Update { key, value } => {
                Some((key.write(UPDATE), value.as_ref().map(ShareUpdateValue::write)))
            }
            Self::Unknown { .. } => None,
        }
    }
}

impl ShareRecordKey {
    fn read(rest: &[u8]) -> Result<Self, FieldError> {
        let mut reader = Reader::new(rest, false);
        Ok(Self {
            group_id: reader.string()?,
            topic_id: reader.uuid()?,
            partition: reader.int32()?,
        })
    }

    fn write(&self, record_type: i16) -> Bytes {
        let mut writer = Writer::new(record_type, false);
        writer.string(&self.group_id);
        writer.uuid(self.topic_id);
        writer.int32(self.partition);
        writer.finish()
    }
}

/// Offsets that were delivered alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShareStateBatch {
    pub first_offset: i64,
    pub last_offset: i64,
    /// 0 available, 2 acknowledged, 4 archived.
    pub delivery_state: i8,
    pub delivery_count: i16,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl ShareStateBatch {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            first_offset: reader.int64()?,
            last_offset: reader.int64()?,
            delivery_state: reader.int8()?,
            delivery_count: reader.int16()?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn write(writer: &mut Writer, batch: &Self) {
        writer.int64(batch.first_offset);
        writer.int64(batch.last_offset);
        writer.int8(batch.delivery_state);
        writer.int16(batch.delivery_count);
        writer.tagged(&batch.unknown_tagged_fields);
    }
}

/// The whole state of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareSnapshotValue {
    pub snapshot_epoch: i32,
    pub state_epoch: i32,
    pub leader_epoch: i32,
    /// -1: not known yet.
    pub start_offset: i64,
    /// -1: not known.
    pub delivery_complete_count: i32,
    pub create_timestamp_ms: i64,
    pub write_timestamp_ms: i64,
    pub batches: Vec<ShareStateBatch>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl ShareSnapshotValue {
    fn read(rest: &[u8]) -> Result<Self, FieldError> {
        let mut reader = Reader::new(rest, true);
        let mut value = Self {
            snapshot_epoch: reader.int32()?,
            state_epoch: reader.int32()?,
            leader_epoch: reader.int32()?,
            start_offset: reader.int64()?,
            delivery_complete_count: NO_DELIVERY_COMPLETE_COUNT,
            create_timestamp_ms: reader.int64()?,
            write_timestamp_ms: reader.int64()?,
            batches: reader.elements(ShareStateBatch::read)?,
            unknown_tagged_fields: reader.tagged()?,
        };
        value.delivery_complete_count = take_count(&mut value.unknown_tagged_fields)?;
        Ok(value)
    }

    fn write(&self) -> Bytes {
        let mut writer = Writer::new(VERSION, true);
        writer.int32(self.snapshot_epoch);
        writer.int32(self.state_epoch);
        writer.int32(self.leader_epoch);
        writer.int64(self.start_offset);
        writer.int64(self.create_timestamp_ms);
        writer.int64(self.write_timestamp_ms);
        writer.array(Some(&self.batches), ShareStateBatch::write);
        writer.tagged(&with_count(&self.unknown_tagged_fields, self.delivery_complete_count));
        writer.finish()
    }
}

/// What has changed of a partition's state since its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareUpdateValue {
    /// Of the snapshot.
    pub snapshot_epoch: i32,
    pub leader_epoch: i32,
    /// -1: as it was.
    pub start_offset: i64,
    /// -1: not known.
    pub delivery_complete_count: i32,
    pub batches: Vec<ShareStateBatch>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl ShareUpdateValue {
    fn read(rest: &[u8]) -> Result<Self, FieldError> {
        let mut reader = Reader::new(rest, true);
        let mut value = Self {
            snapshot_epoch: reader.int32()?,
            leader_epoch: reader.int32()?,
            start_offset: reader.int64()?,
            delivery_complete_count: NO_DELIVERY_COMPLETE_COUNT,
            batches: reader.elements(ShareStateBatch::read)?,
            unknown_tagged_fields: reader.tagged()?,
        };
        value.delivery_complete_count = take_count(&mut value.unknown_tagged_fields)?;
        Ok(value)
    }

    fn write(&self) -> Bytes {
        let mut writer = Writer::new(VERSION, true);
        writer.int32(self.snapshot_epoch);
        writer.int32(self.leader_epoch);
        writer.int64(self.start_offset);
        writer.array(Some(&self.batches), ShareStateBatch::write);
        writer.tagged(&with_count(&self.unknown_tagged_fields, self.delivery_complete_count));
        writer.finish()
    }
}

fn take_count(tagged: &mut TaggedFields) -> Result<i32, FieldError> {
    match tagged.remove(&DELIVERY_COMPLETE_COUNT_TAG) {
        Some(content) => read_tag(DELIVERY_COMPLETE_COUNT_TAG, &content, VERSION),
        None => Ok(NO_DELIVERY_COMPLETE_COUNT),
    }
}

fn with_count(tagged: &TaggedFields, count: i32) -> TaggedFields {
    let mut tagged = tagged.clone();
    if count != NO_DELIVERY_COMPLETE_COUNT {
        let content = Bytes::copy_from_slice(&count.to_be_bytes());
        tagged.insert(DELIVERY_COMPLETE_COUNT_TAG, content);
    }
    tagged
}
