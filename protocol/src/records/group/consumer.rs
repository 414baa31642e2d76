//! The records of a consumer group (KIP-848): what it is, its members, what they are to have and
//! what they have.
//!
//! ```text
//! key    3 group | 4 group | 5 group, member | 6 group | 7 group, member | 8 group, member
//!        16 group, regular expression                        (strings, behind the type)
//! value  0 i16 | the fields of one of the structs below, flexible
//! ```
//! Type 4, the partitions of the topics that are read, is of Kafka before 4.1, which goes by a hash
//! since then: all that matters of such a record is whether it is there.

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::super::fields::{FieldError, TaggedFields, read_tag};
use super::super::schema::{Reader, Writer};
use super::GroupRecordError;

const GROUP: i16 = 3;
const PARTITION_METADATA: i16 = 4;
const MEMBER: i16 = 5;
const TARGET_ASSIGNMENT: i16 = 6;
const TARGET_ASSIGNMENT_MEMBER: i16 = 7;
const CURRENT_ASSIGNMENT: i16 = 8;
const REGULAR_EXPRESSION: i16 = 16;

/// The one version of every value.
const VERSION: i16 = 0;

/// One record of a consumer group. A value of `None` is a tombstone.
#[derive(Debug, Clone, PartialEq)]
pub enum ConsumerGroupRecord {
    Group {
        group: StrBytes,
        value: Option<ConsumerGroupMetadataValue>,
    },
    PartitionMetadata {
        group: StrBytes,
        value: Option<Bytes>,
    },
    Member {
        group: StrBytes,
        member: StrBytes,
        value: Option<ConsumerGroupMemberMetadataValue>,
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
        value: Option<CurrentMemberAssignmentValue>,
    },
    RegularExpression {
        group: StrBytes,
        regular_expression: StrBytes,
        value: Option<RegularExpressionValue>,
    },
}

impl ConsumerGroupRecord {
    pub(super) fn has_type(record_type: i16) -> bool {
        matches!(record_type, GROUP..=CURRENT_ASSIGNMENT | REGULAR_EXPRESSION)
    }

    /// The group it is about.
    #[must_use]
    pub fn group(&self) -> &StrBytes {
        match self {
            Self::Group { group, .. }
            | Self::PartitionMetadata { group, .. }
            | Self::Member { group, .. }
            | Self::TargetAssignment { group, .. }
            | Self::TargetAssignmentMember { group, .. }
            | Self::CurrentAssignment { group, .. }
            | Self::RegularExpression { group, .. } => group,
        }
    }

    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        match self {
            Self::Group { value, .. } => value.is_none(),
            Self::PartitionMetadata { value, .. } => value.is_none(),
            Self::Member { value, .. } => value.is_none(),
            Self::TargetAssignment { value, .. } => value.is_none(),
            Self::TargetAssignmentMember { value, .. } => value.is_none(),
            Self::CurrentAssignment { value, .. } => value.is_none(),
            Self::RegularExpression { value, .. } => value.is_none(),
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
            PARTITION_METADATA => {
                Self::PartitionMetadata { group, value: value.map(Bytes::copy_from_slice) }
            }
            TARGET_ASSIGNMENT => {
                Self::TargetAssignment { group, value: read_value(record_type, value)? }
            }
            _ => {
                let name = key.string().map_err(bad_key)?;
                Self::read_named(record_type, group, name, value)?
            }
        })
    }

    fn read_named(
        record_type: i16,
        group: StrBytes,
        name: StrBytes,
        value: Option<&[u8]>,
    ) -> Result<Self, GroupRecordError> {
        Ok(match record_type {
            MEMBER => Self::Member { group, member: name, value: read_value(record_type, value)? },
            TARGET_ASSIGNMENT_MEMBER => Self::TargetAssignmentMember {
                group,
                member: name,
                value: read_value(record_type, value)?,
            },
            CURRENT_ASSIGNMENT => Self::CurrentAssignment {
                group,
                member: name,
                value: read_value(record_type, value)?,
            },
            _ => Self::RegularExpression {
                group,
                regular_expression: name,
                value: read_value(record_type, value)?,
            },
        })
    }

    pub(super) fn to_bytes(&self) -> (Bytes, Option<Bytes>) {
        match self {
            Self::Group { group, value } => (key(GROUP, group, None), write_value(value.as_ref())),
            Self::PartitionMetadata { group, value } => {
                (key(PARTITION_METADATA, group, None), value.clone())
            }
            Self::Member { group, member, value } => {
                (key(MEMBER, group, Some(member)), write_value(value.as_ref()))
            }
            Self::TargetAssignment { group, value } => {
                (key(TARGET_ASSIGNMENT, group, None), write_value(value.as_ref()))
            }
            Self::TargetAssignmentMember { group, member, value } => {
                (key(TARGET_ASSIGNMENT_MEMBER, group, Some(member)), write_value(value.as_ref()))
            }
            Self::CurrentAssignment { group, member, value } => {
                (key(CURRENT_ASSIGNMENT, group, Some(member)), write_value(value.as_ref()))
            }
            Self::RegularExpression { group, regular_expression, value } => {
                let key = key(REGULAR_EXPRESSION, group, Some(regular_expression));
                (key, write_value(value.as_ref()))
            }
        }
    }
}

pub(super) fn key(record_type: i16, group: &StrBytes, name: Option<&StrBytes>) -> Bytes {
    let mut writer = Writer::new(record_type, false);
    writer.string(group);
    if let Some(name) = name {
        writer.string(name);
    }
    writer.finish()
}

/// What all values have in common.
pub(super) trait Value: Sized {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError>;
    fn write(&self, writer: &mut Writer);
}

pub(super) fn read_value<T: Value>(
    record_type: i16,
    value: Option<&[u8]>,
) -> Result<Option<T>, GroupRecordError> {
    let Some(value) = value else { return Ok(None) };
    let bad_value = |cause| GroupRecordError::Value { record_type, cause };
    let (version, rest) = Reader::version(value).map_err(bad_value)?;
    if version != VERSION {
        return Err(GroupRecordError::ValueVersion { record_type, version });
    }
    T::read(&mut Reader::new(rest, true)).map(Some).map_err(bad_value)
}

pub(super) fn write_value<T: Value>(value: Option<&T>) -> Option<Bytes> {
    let mut writer = Writer::new(VERSION, true);
    value?.write(&mut writer);
    Some(writer.finish())
}

/// The group itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsumerGroupMetadataValue {
    pub epoch: i32,
    /// Of all topics that are read (4.1+); 0 when it is not known.
    pub metadata_hash: i64,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Value for ConsumerGroupMetadataValue {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        let epoch = reader.int32()?;
        let (metadata_hash, unknown_tagged_fields) = take_number(reader.tagged()?, 0)?;
        Ok(Self { epoch, metadata_hash, unknown_tagged_fields })
    }

    fn write(&self, writer: &mut Writer) {
        writer.int32(self.epoch);
        writer.tagged(&with_number(&self.unknown_tagged_fields, 0, self.metadata_hash));
    }
}

/// Who a member is and what it wants to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsumerGroupMemberMetadataValue {
    pub instance_id: Option<StrBytes>,
    pub rack_id: Option<StrBytes>,
    pub client_id: StrBytes,
    pub client_host: StrBytes,
    pub subscribed_topic_names: Vec<StrBytes>,
    pub subscribed_topic_regex: Option<StrBytes>,
    pub rebalance_timeout_ms: i32,
    pub server_assignor: Option<StrBytes>,
    /// Of a member that uses the classic protocol.
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

/// What a member of the classic protocol brought along.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassicMemberMetadata {
    pub session_timeout_ms: i32,
    /// Each by its name, with the member's metadata.
    pub supported_protocols: Vec<(StrBytes, Bytes)>,
}

impl Value for ConsumerGroupMemberMetadataValue {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        let mut value = Self {
            instance_id: reader.nullable_string()?,
            rack_id: reader.nullable_string()?,
            client_id: reader.string()?,
            client_host: reader.string()?,
            subscribed_topic_names: reader.elements(Reader::string)?,
            subscribed_topic_regex: reader.nullable_string()?,
            rebalance_timeout_ms: reader.int32()?,
            server_assignor: reader.nullable_string()?,
            ..Self::default()
        };
        let mut tagged = reader.tagged()?;
        value.classic_member_metadata = match tagged.remove(&0) {
            Some(content) => ClassicMemberMetadata::read(&content)?,
            None => Some(ClassicMemberMetadata::default()),
        };
        value.unknown_tagged_fields = tagged;
        Ok(value)
    }

    fn write(&self, writer: &mut Writer) {
        writer.nullable_string(self.instance_id.as_deref());
        writer.nullable_string(self.rack_id.as_deref());
        writer.string(&self.client_id);
        writer.string(&self.client_host);
        writer.array(Some(&self.subscribed_topic_names), |writer, name| writer.string(name));
        writer.nullable_string(self.subscribed_topic_regex.as_deref());
        writer.int32(self.rebalance_timeout_ms);
        writer.nullable_string(self.server_assignor.as_deref());
        let mut tagged = self.unknown_tagged_fields.clone();
        let classic = self.classic_member_metadata.as_ref();
        if classic != Some(&ClassicMemberMetadata::default()) {
            tagged.insert(0, ClassicMemberMetadata::write(classic));
        }
        writer.tagged(&tagged);
    }
}

impl ClassicMemberMetadata {
    /// The byte in front says whether there is one. A field that is not there at all is Kafka's
    /// default, which is an empty struct and not none.
    fn read(content: &[u8]) -> Result<Option<Self>, FieldError> {
        let mut reader = Reader::new(content, true);
        if reader.int8()? < 1 {
            return Ok(None);
        }
        let session_timeout_ms = reader.int32()?;
        let supported_protocols = reader.elements(|reader| {
            let protocol = (reader.string()?, reader.bytes()?);
            reader.tagged().map(|_| protocol)
        })?;
        reader.tagged()?;
        Ok(Some(Self { session_timeout_ms, supported_protocols }))
    }

    fn write(classic: Option<&Self>) -> Bytes {
        let mut writer = Writer::tag();
        let Some(classic) = classic else {
            writer.int8(0);
            return writer.finish();
        };
        writer.int8(1);
        writer.int32(classic.session_timeout_ms);
        writer.array(Some(&classic.supported_protocols), |writer, (name, metadata)| {
            writer.string(name);
            writer.bytes(metadata);
            writer.tagged(&TaggedFields::new());
        });
        writer.tagged(&TaggedFields::new());
        writer.finish()
    }
}

/// Of which epoch of the group the target assignment is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetAssignmentMetadataValue {
    pub assignment_epoch: i32,
    /// When it was computed (4.3+); 0 when it is not known.
    pub assignment_timestamp_ms: i64,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Value for TargetAssignmentMetadataValue {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        let assignment_epoch = reader.int32()?;
        let (assignment_timestamp_ms, unknown_tagged_fields) = take_number(reader.tagged()?, 0)?;
        Ok(Self { assignment_epoch, assignment_timestamp_ms, unknown_tagged_fields })
    }

    fn write(&self, writer: &mut Writer) {
        writer.int32(self.assignment_epoch);
        writer.tagged(&with_number(&self.unknown_tagged_fields, 0, self.assignment_timestamp_ms));
    }
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssignedPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
    /// Since which epoch each of them has been the member's, where that is known.
    pub assignment_epochs: Option<Vec<i32>>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl AssignedPartitions {
    pub(super) fn read_plain(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            topic_id: reader.uuid()?,
            partitions: reader.elements(Reader::int32)?,
            assignment_epochs: None,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn read_with_epochs(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        let mut value = Self::read_plain(reader)?;
        if let Some(content) = value.unknown_tagged_fields.remove(&0) {
            value.assignment_epochs = Reader::new(&content, true).array(Reader::int32)?;
        }
        Ok(value)
    }

    pub(super) fn write(writer: &mut Writer, value: &Self) {
        writer.uuid(value.topic_id);
        writer.array(Some(&value.partitions), |writer, partition| writer.int32(*partition));
        let mut tagged = value.unknown_tagged_fields.clone();
        tagged.extend(value.assignment_epochs.as_ref().map(|epochs| {
            let mut content = Writer::tag();
            content.array(Some(epochs), |writer, epoch| writer.int32(*epoch));
            (0, content.finish())
        }));
        writer.tagged(&tagged);
    }
}

/// What a member is to have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetAssignmentMemberValue {
    pub topic_partitions: Vec<AssignedPartitions>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Value for TargetAssignmentMemberValue {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            topic_partitions: reader.elements(AssignedPartitions::read_plain)?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(Some(&self.topic_partitions), AssignedPartitions::write);
        writer.tagged(&self.unknown_tagged_fields);
    }
}

/// What a member has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CurrentMemberAssignmentValue {
    pub member_epoch: i32,
    pub previous_member_epoch: i32,
    /// 0 stable, 1 with partitions to revoke, 2 waiting for partitions of others.
    pub state: i8,
    pub assigned_partitions: Vec<AssignedPartitions>,
    pub partitions_pending_revocation: Vec<AssignedPartitions>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Value for CurrentMemberAssignmentValue {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            member_epoch: reader.int32()?,
            previous_member_epoch: reader.int32()?,
            state: reader.int8()?,
            assigned_partitions: reader.elements(AssignedPartitions::read_with_epochs)?,
            partitions_pending_revocation: reader.elements(AssignedPartitions::read_with_epochs)?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.int32(self.member_epoch);
        writer.int32(self.previous_member_epoch);
        writer.int8(self.state);
        writer.array(Some(&self.assigned_partitions), AssignedPartitions::write);
        writer.array(Some(&self.partitions_pending_revocation), AssignedPartitions::write);
        writer.tagged(&self.unknown_tagged_fields);
    }
}

/// Which topics a regular expression matches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegularExpressionValue {
    pub topics: Vec<StrBytes>,
    /// Of the metadata it was matched against.
    pub version: i64,
    pub timestamp_ms: i64,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Value for RegularExpressionValue {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            topics: reader.elements(Reader::string)?,
            version: reader.int64()?,
            timestamp_ms: reader.int64()?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(Some(&self.topics), |writer, topic| writer.string(topic));
        writer.int64(self.version);
        writer.int64(self.timestamp_ms);
        writer.tagged(&self.unknown_tagged_fields);
    }
}

/// Takes a number out of the tagged fields; 0 where there is none.
fn take_number(mut tagged: TaggedFields, tag: u32) -> Result<(i64, TaggedFields), FieldError> {
    let number = match tagged.remove(&tag) {
        Some(content) => read_tag::<i64>(tag, &content, VERSION)?,
        None => 0,
    };
    Ok((number, tagged))
}

fn with_number(others: &TaggedFields, tag: u32, number: i64) -> TaggedFields {
    let mut tagged = others.clone();
    if number != 0 {
        let content = Bytes::copy_from_slice(&number.to_be_bytes());
        tagged.insert(tag, content);
    }
    tagged
}
