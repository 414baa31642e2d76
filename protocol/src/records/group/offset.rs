//! A committed offset: which partition of which group, and what was committed.
//!
//! ```text
//! key    1 i16 | group string | topic string | partition i32
//! value  version i16 | offset i64 | leader epoch i32 (3+) | metadata string | commit time i64
//!        | expire time i64 (1 only) | tagged: 0 topic id uuid (4+, flexible)
//! ```
//!
//! Version 1 is written for a commit with a retention of its own, 4 otherwise, as
//! `GroupCoordinatorRecordHelpers` does.

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::super::fields::{FieldError, TaggedFields};
use super::super::schema::{Reader, Writer};
use super::{GroupRecordError, LEGACY_OFFSET_COMMIT, OFFSET_COMMIT};

const FIRST_FLEXIBLE: i16 = 4;
const NEWEST: i16 = 4;
const TOPIC_ID_TAG: u32 = 0;

/// Which partition's offset, in which group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OffsetCommitKey {
    pub group: StrBytes,
    pub topic: StrBytes,
    pub partition: i32,
}

impl OffsetCommitKey {
    pub(super) fn read(rest: &[u8]) -> Result<Self, FieldError> {
        let mut reader = Reader::new(rest, false);
        Ok(Self { group: reader.string()?, topic: reader.string()?, partition: reader.int32()? })
    }

    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut writer = Writer::new(OFFSET_COMMIT, false);
        writer.string(&self.group);
        writer.string(&self.topic);
        writer.int32(self.partition);
        writer.finish()
    }
}

/// What was committed.
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetCommitValue {
    pub offset: i64,
    /// -1 when the client did not say.
    pub leader_epoch: i32,
    pub metadata: StrBytes,
    pub commit_timestamp_ms: i64,
    /// -1 unless the commit brought a retention of its own.
    pub expire_timestamp_ms: i64,
    /// Nil when the client committed by name.
    pub topic_id: Uuid,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Default for OffsetCommitValue {
    fn default() -> Self {
        Self {
            offset: 0,
            leader_epoch: -1,
            metadata: StrBytes::default(),
            commit_timestamp_ms: 0,
            expire_timestamp_ms: -1,
            topic_id: Uuid::nil(),
            unknown_tagged_fields: TaggedFields::new(),
        }
    }
}

impl OffsetCommitValue {
    pub(super) fn read(record_type: i16, value: &[u8]) -> Result<Self, GroupRecordError> {
        let bad_value = |cause| GroupRecordError::Value { record_type, cause };
        let (version, rest) = Reader::version(value).map_err(bad_value)?;
        let newest = if record_type == LEGACY_OFFSET_COMMIT { 0 } else { NEWEST };
        if !(0..=newest).contains(&version) {
            return Err(GroupRecordError::ValueVersion { record_type, version });
        }
        Self::read_fields(rest, version).map_err(bad_value)
    }

    fn read_fields(rest: &[u8], version: i16) -> Result<Self, FieldError> {
        let mut reader = Reader::new(rest, version >= FIRST_FLEXIBLE);
        let mut value = Self { offset: reader.int64()?, ..Self::default() };
        if version >= 3 {
            value.leader_epoch = reader.int32()?;
        }
        value.metadata = reader.string()?;
        value.commit_timestamp_ms = reader.int64()?;
        if version == 1 {
            value.expire_timestamp_ms = reader.int64()?;
        }
        let mut tagged = reader.tagged()?;
        if let Some(id) = tagged.remove(&TOPIC_ID_TAG) {
            let left = id.len();
            value.topic_id =
                Uuid::from_slice(&id).map_err(|_| FieldError::Truncated { wanted: 16, left })?;
        }
        value.unknown_tagged_fields = tagged;
        Ok(value)
    }

    /// In the version that Kafka 4.1 writes for this content.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.write(if self.expire_timestamp_ms == -1 { NEWEST } else { 1 })
    }

    /// In a given version; what it has no place for is left out.
    #[must_use]
    pub fn write(&self, version: i16) -> Bytes {
        let mut writer = Writer::new(version, version >= FIRST_FLEXIBLE);
        writer.int64(self.offset);
        if version >= 3 {
            writer.int32(self.leader_epoch);
        }
        writer.string(&self.metadata);
        writer.int64(self.commit_timestamp_ms);
        if version == 1 {
            writer.int64(self.expire_timestamp_ms);
        }
        let mut tagged = self.unknown_tagged_fields.clone();
        if !self.topic_id.is_nil() {
            tagged.insert(TOPIC_ID_TAG, Bytes::copy_from_slice(self.topic_id.as_bytes()));
        }
        writer.tagged(&tagged);
        writer.finish()
    }
}
