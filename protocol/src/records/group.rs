//! Records of `__consumer_offsets`: committed offsets, classic, consumer, share and streams groups.
//!
//! Kept true here: what is read and written again has the same bytes (in the same version), and a
//! type of a later Kafka is named.
//!
//! ```text
//! key    type i16 | group string | …            (never flexible; the type is the schema's apiKey)
//! value  version i16 | fields                   or null: a tombstone
//! type   0, 1 offset commit | 2 classic group | 3-8, 16 consumer group | 10-15 share group
//!        17, 19-23 streams group
//! ```
//!
//! Answers to `CoordinatorRecordSerde` and the schemas OffsetCommitKey/Value,
//! GroupMetadataKey/Value and LegacyOffsetCommitKey/Value of Kafka 4.1 (KIP-915 for the versions).

mod classic;
mod consumer;
mod declaration;
mod offset;
mod share;
mod streams;
#[cfg(test)]
pub(super) mod tests;

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;

pub use classic::{GroupMetadataValue, MemberMetadata};
pub use consumer::{
    AssignedPartitions, ClassicMemberMetadata, ConsumerGroupMemberMetadataValue,
    ConsumerGroupMetadataValue, ConsumerGroupPartitionMetadataValue, ConsumerGroupRecord,
    CurrentMemberAssignmentValue, RegularExpressionValue, TargetAssignmentMemberValue,
    TargetAssignmentMetadataValue,
};
pub use offset::{OffsetCommitKey, OffsetCommitValue};
pub use share::{
    ShareGroupCurrentMemberAssignmentValue, ShareGroupMemberMetadataValue, ShareGroupMetadataValue,
    ShareGroupRecord, ShareGroupStatePartitionMetadataValue, StatePartitionsOfTopic, StateTopic,
};
pub use streams::{
    StreamsCopartitionGroup, StreamsCurrentAssignmentValue, StreamsEndpoint,
    StreamsGroupMetadataValue, StreamsGroupRecord, StreamsKeyValue, StreamsMemberMetadataValue,
    StreamsSubtopologyValue, StreamsTargetAssignmentValue, StreamsTargetMemberValue,
    StreamsTaskIds, StreamsTopicInfo, StreamsTopologyValue,
};

use super::fields::FieldError;
use super::schema::{Reader, Writer};

const LEGACY_OFFSET_COMMIT: i16 = 0;
const OFFSET_COMMIT: i16 = 1;
const GROUP_METADATA: i16 = 2;

/// Why a record of `__consumer_offsets` could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupRecordError {
    #[error("a record has no key")]
    NoKey,
    #[error("a key of type {record_type} cannot be read: {cause}")]
    Key { record_type: i16, cause: FieldError },
    #[error("a value of type {record_type} cannot be read: {cause}")]
    Value { record_type: i16, cause: FieldError },
    #[error("a value of type {record_type} has the unknown version {version}")]
    ValueVersion { record_type: i16, version: i16 },
}

/// One record of `__consumer_offsets`. A value of `None` is a tombstone.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupRecord {
    OffsetCommit {
        key: OffsetCommitKey,
        value: Option<OffsetCommitValue>,
    },
    GroupMetadata {
        group: StrBytes,
        value: Option<GroupMetadataValue>,
    },
    Consumer(ConsumerGroupRecord),
    Share(ShareGroupRecord),
    Streams(StreamsGroupRecord),
    /// A type from a later Kafka, skipped by Kafka with a warning.
    Unknown {
        record_type: i16,
    },
}

impl GroupRecord {
    /// Reads a record as it stands in a batch.
    pub fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, GroupRecordError> {
        let key = key.ok_or(GroupRecordError::NoKey)?;
        let (record_type, rest) = Reader::version(key)
            .map_err(|cause| GroupRecordError::Key { record_type: -1, cause })?;
        let bad_key = |cause| GroupRecordError::Key { record_type, cause };
        match record_type {
            LEGACY_OFFSET_COMMIT | OFFSET_COMMIT => Ok(Self::OffsetCommit {
                key: OffsetCommitKey::read(rest).map_err(bad_key)?,
                value: value
                    .map(|value| OffsetCommitValue::read(record_type, value))
                    .transpose()?,
            }),
            GROUP_METADATA => Ok(Self::GroupMetadata {
                group: Reader::new(rest, false).string().map_err(bad_key)?,
                value: value
                    .map(|value| GroupMetadataValue::read(record_type, value))
                    .transpose()?,
            }),
            _ => Self::read_of_modern_group(record_type, rest, value),
        }
    }

    fn read_of_modern_group(
        record_type: i16,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<Self, GroupRecordError> {
        if let Some(record) = ConsumerGroupRecord::read(record_type, key, value)? {
            return Ok(Self::Consumer(record));
        }
        if let Some(record) = ShareGroupRecord::read(record_type, key, value)? {
            return Ok(Self::Share(record));
        }
        let record = StreamsGroupRecord::read(record_type, key, value)?;
        Ok(record.map_or(Self::Unknown { record_type }, Self::Streams))
    }

    /// The key and value to append, or `None` for a record that only a later Kafka can write.
    #[must_use]
    pub fn to_bytes(&self) -> Option<(Bytes, Option<Bytes>)> {
        Some(match self {
            Self::OffsetCommit { key, value } => {
                (key.to_bytes(), value.as_ref().map(OffsetCommitValue::to_bytes))
            }
            Self::GroupMetadata { group, value } => {
                let mut key = Writer::new(GROUP_METADATA, false);
                key.string(group);
                (key.finish(), value.as_ref().map(GroupMetadataValue::to_bytes))
            }
            Self::Consumer(record) => record.to_bytes(),
            Self::Share(record) => record.to_bytes(),
            Self::Streams(record) => record.to_bytes(),
            Self::Unknown { .. } => return None,
        })
    }
}
