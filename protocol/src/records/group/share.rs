//! The records of a share group (KIP-932): what it is, its members, what they are to have and what
//! they have, and for which partitions the share coordinator holds its state.
//!
//! ```text
//! key    10 group, member | 11 group | 12 group | 13 group, member | 14 group, member | 15 group
//! value  0 i16 | the fields of one of the structs below, flexible
//! ```

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::super::fields::{FieldError, TaggedFields};
use super::super::schema::{Reader, Writer};
use super::GroupRecordError;
use super::consumer::{
    AssignedPartitions, TargetAssignmentMemberValue, TargetAssignmentMetadataValue, Value, key,
    read_value, write_value,
};

const MEMBER: i16 = 10;
const GROUP: i16 = 11;
const TARGET_ASSIGNMENT: i16 = 12;
const TARGET_ASSIGNMENT_MEMBER: i16 = 13;
const CURRENT_ASSIGNMENT: i16 = 14;
const STATE_PARTITIONS: i16 = 15;

/// One record of a share group. A value of `None` is a tombstone.
#[derive(Debug, Clone, PartialEq)]
pub enum ShareGroupRecord {
    Member {
        group: StrBytes,
        member: StrBytes,
        value: Option<ShareGroupMemberMetadataValue>,
    },
    Group {
        group: StrBytes,
        value: Option<ShareGroupMetadataValue>,
    },
    TargetAssignment {
        group: StrBytes,
        value: Option<TargetAssignmentMetadataValue>,
    },
    TargetAssignmentMember {
        group: StrBytes,
        member: StrBytes,
        value: Option<TargetAssignmentMemberValue>,
    },
    CurrentAssignment {
        group: StrBytes,
        member: StrBytes,
        value: Option<ShareGroupCurrentMemberAssignmentValue>,
    },
    StatePartitions {
        group: StrBytes,
        value: Option<ShareGroupStatePartitionMetadataValue>,
    },
}

impl ShareGroupRecord {
    pub(super) fn has_type(record_type: i16) -> bool {
        matches!(record_type, MEMBER..=STATE_PARTITIONS)
    }

    /// The group it is about.
    #[must_use]
    pub fn group(&self) -> &StrBytes {
        match self {
            Self::Member { group, .. }
            | Self::Group { group, .. }
            | Self::TargetAssignment { group, .. }
            | Self::TargetAssignmentMember { group, .. }
            | Self::CurrentAssignment { group, .. }
            | Self::StatePartitions { group, .. } => group,
        }
    }

    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        match self {
            Self::Member { value, .. } => value.is_none(),
            Self::Group { value, .. } => value.is_none(),
            Self::TargetAssignment { value, .. } => value.is_none(),
            Self::TargetAssignmentMember { value, .. } => value.is_none(),
            Self::CurrentAssignment { value, .. } => value.is_none(),
            Self::StatePartitions { value, .. } => value.is_none(),
        }
    }

    pub(super) fn read(
        record_type: i16,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<Self, GroupRecordError> {
        let bad_key = |cause| GroupRecordError::Key { record_type, cause };
        let mut key = Reader::new(key, false);
        let group = key.string().map_err(bad_key)?;
        Ok(match record_type {
            GROUP => Self::Group { group, value: read_value(record_type, value)? },
            TARGET_ASSIGNMENT => {
                Self::TargetAssignment { group, value: read_value(record_type, value)? }
            }
            STATE_PARTITIONS => {
                Self::StatePartitions { group, value: read_value(record_type, value)? }
            }
            _ => {
                let member = key.string().map_err(bad_key)?;
                Self::read_of_member(record_type, group, member, value)?
            }
        })
    }

    fn read_of_member(
        record_type: i16,
        group: StrBytes,
        member: StrBytes,
        value: Option<&[u8]>,
    ) -> Result<Self, GroupRecordError> {
        Ok(match record_type {
            MEMBER => Self::Member { group, member, value: read_value(record_type, value)? },
            TARGET_ASSIGNMENT_MEMBER => Self::TargetAssignmentMember {
                group,
                member,
                value: read_value(record_type, value)?,
            },
            _ => Self::CurrentAssignment { group, member, value: read_value(record_type, value)? },
        })
    }

    pub(super) fn to_bytes(&self) -> (Bytes, Option<Bytes>) {
        match self {
            Self::Member { group, member, value } => {
                (key(MEMBER, group, Some(member)), write_value(value.as_ref()))
            }
            Self::Group { group, value } => (key(GROUP, group, None), write_value(value.as_ref())),
            Self::TargetAssignment { group, value } => {
                (key(TARGET_ASSIGNMENT, group, None), write_value(value.as_ref()))
            }
            Self::TargetAssignmentMember { group, member, value } => {
                (key(TARGET_ASSIGNMENT_MEMBER, group, Some(member)), write_value(value.as_ref()))
            }
            Self::CurrentAssignment { group, member, value } => {
                (key(CURRENT_ASSIGNMENT, group, Some(member)), write_value(value.as_ref()))
            }
            Self::StatePartitions { group, value } => {
                (key(STATE_PARTITIONS, group, None), write_value(value.as_ref()))
            }
        }
    }
}

/// Who a member is and what it wants to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShareGroupMemberMetadataValue {
    pub rack_id: Option<StrBytes>,
    pub client_id: StrBytes,
    pub client_host: StrBytes,
    pub subscribed_topic_names: Vec<StrBytes>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Value for ShareGroupMemberMetadataValue {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            rack_id: reader.nullable_string()?,
            client_id: reader.string()?,
            client_host: reader.string()?,
            subscribed_topic_names: reader.elements(Reader::string)?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.nullable_string(self.rack_id.as_deref());
        writer.string(&self.client_id);
        writer.string(&self.client_host);
        writer.array(Some(&self.subscribed_topic_names), |writer, name| writer.string(name));
        writer.tagged(&self.unknown_tagged_fields);
    }
}

/// The group itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShareGroupMetadataValue {
    pub epoch: i32,
    /// Of all topics that are read.
    pub metadata_hash: i64,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Value for ShareGroupMetadataValue {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            epoch: reader.int32()?,
            metadata_hash: reader.int64()?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.int32(self.epoch);
        writer.int64(self.metadata_hash);
        writer.tagged(&self.unknown_tagged_fields);
    }
}

/// What a member has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShareGroupCurrentMemberAssignmentValue {
    pub member_epoch: i32,
    pub previous_member_epoch: i32,
    /// Always 0, stable: nothing is given up before others may have it.
    pub state: i8,
    pub assigned_partitions: Vec<AssignedPartitions>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Value for ShareGroupCurrentMemberAssignmentValue {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            member_epoch: reader.int32()?,
            previous_member_epoch: reader.int32()?,
            state: reader.int8()?,
            assigned_partitions: reader.elements(AssignedPartitions::read_plain)?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.int32(self.member_epoch);
        writer.int32(self.previous_member_epoch);
        writer.int8(self.state);
        writer.array(Some(&self.assigned_partitions), AssignedPartitions::write);
        writer.tagged(&self.unknown_tagged_fields);
    }
}

/// For which partitions the share coordinator holds the group's state, is about to, or is about to
/// no longer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShareGroupStatePartitionMetadataValue {
    pub initializing_topics: Vec<StatePartitionsOfTopic>,
    pub initialized_topics: Vec<StatePartitionsOfTopic>,
    pub deleting_topics: Vec<StateTopic>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatePartitionsOfTopic {
    pub topic_id: Uuid,
    pub topic_name: StrBytes,
    pub partitions: Vec<i32>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateTopic {
    pub topic_id: Uuid,
    pub topic_name: StrBytes,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Value for ShareGroupStatePartitionMetadataValue {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        let partitions = |reader: &mut Reader<'_>| {
            Ok(StatePartitionsOfTopic {
                topic_id: reader.uuid()?,
                topic_name: reader.string()?,
                partitions: reader.elements(Reader::int32)?,
                unknown_tagged_fields: reader.tagged()?,
            })
        };
        Ok(Self {
            initializing_topics: reader.elements(partitions)?,
            initialized_topics: reader.elements(partitions)?,
            deleting_topics: reader.elements(|reader| {
                Ok(StateTopic {
                    topic_id: reader.uuid()?,
                    topic_name: reader.string()?,
                    unknown_tagged_fields: reader.tagged()?,
                })
            })?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        for topics in [&self.initializing_topics, &self.initialized_topics] {
            writer.array(Some(topics), |writer, topic| {
                writer.uuid(topic.topic_id);
                writer.string(&topic.topic_name);
                writer.array(Some(&topic.partitions), |writer, partition| {
                    writer.int32(*partition);
                });
                writer.tagged(&topic.unknown_tagged_fields);
            });
        }
        writer.array(Some(&self.deleting_topics), |writer, topic| {
            writer.uuid(topic.topic_id);
            writer.string(&topic.topic_name);
            writer.tagged(&topic.unknown_tagged_fields);
        });
        writer.tagged(&self.unknown_tagged_fields);
    }
}
