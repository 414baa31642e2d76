//! The records of a consumer group (KIP-848): what it is, its members, what they are to have and
//! what they have.
//!
//! ```text
//! key    3 group | 4 group | 5 group, member | 6 group | 7 group, member | 8 group, member
//!        16 group, regular expression                        (strings, behind the type)
//! value  0 i16 | the fields of one of the structs below, flexible
//! ```
//! Answers to the schemas ConsumerGroup*Key/Value of Kafka 4.3.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::super::fields::{Field, FieldError, Input, TaggedFields, record};
use super::super::fields::{read_tagged, write_tagged};
use super::super::schema::Reader;
use super::GroupRecordError;
use super::declaration::{self, group_records};

group_records! {
    /// One record of a consumer group. A value of `None` is a tombstone.
    ConsumerGroupRecord {
        Group = 3 (group): ConsumerGroupMetadataValue,
        PartitionMetadata = 4 (group): ConsumerGroupPartitionMetadataValue,
        Member = 5 (group, member): ConsumerGroupMemberMetadataValue,
        TargetAssignment = 6 (group): TargetAssignmentMetadataValue,
        TargetAssignmentMember = 7 (group, member): TargetAssignmentMemberValue,
        CurrentAssignment = 8 (group, member): CurrentMemberAssignmentValue,
        RegularExpression = 16 (group, regular_expression): RegularExpressionValue,
    }
}

record! {
    /// The group itself.
    ConsumerGroupMetadataValue {
        epoch: i32 = 0, since 0;
        /// Of all topics that are read (4.1+); 0 when it is not known.
        metadata_hash: i64 = 0, since 0, tag 0;
    }

    /// Who a member is and what it wants to read.
    ConsumerGroupMemberMetadataValue {
        instance_id: Option<StrBytes> = None, since 0;
        rack_id: Option<StrBytes> = None, since 0;
        client_id: StrBytes = StrBytes::default(), since 0;
        client_host: StrBytes = StrBytes::default(), since 0;
        subscribed_topic_names: Vec<StrBytes> = Vec::new(), since 0;
        subscribed_topic_regex: Option<StrBytes> = None, since 0;
        rebalance_timeout_ms: i32 = -1, since 0;
        server_assignor: Option<StrBytes> = None, since 0;
        /// Of a member that uses the classic protocol. Where the field is not there at all it is
        /// Kafka's default, which is an empty struct and not none.
        classic_member_metadata: Option<ClassicMemberMetadata> =
            Some(ClassicMemberMetadata::default()), since 0, tag 0;
    }

    /// What a member of the classic protocol brought along.
    ClassicMemberMetadata {
        session_timeout_ms: i32 = 0, since 0;
        /// Each by its name, with the member's metadata.
        supported_protocols: Vec<(StrBytes, Bytes)> = Vec::new(), since 0;
    }

    /// Of which epoch of the group the target assignment is.
    TargetAssignmentMetadataValue {
        assignment_epoch: i32 = 0, since 0;
        /// When it was computed (4.3+); 0 when it is not known.
        assignment_timestamp_ms: i64 = 0, since 0, tag 0;
    }

    /// Partitions of one topic.
    AssignedPartitions {
        topic_id: Uuid = Uuid::nil(), since 0;
        partitions: Vec<i32> = Vec::new(), since 0;
        /// Since which epoch each of them has been the member's; of what a consumer group's member
        /// has, where that is known (4.3+).
        assignment_epochs: Option<Vec<i32>> = None, since 0, tag 0;
    }

    /// What a member is to have.
    TargetAssignmentMemberValue {
        topic_partitions: Vec<AssignedPartitions> = Vec::new(), since 0;
    }

    /// What a member has.
    CurrentMemberAssignmentValue {
        member_epoch: i32 = 0, since 0;
        previous_member_epoch: i32 = 0, since 0;
        /// 0 stable, 1 with partitions to revoke, 2 waiting for partitions of others.
        state: i8 = 0, since 0;
        assigned_partitions: Vec<AssignedPartitions> = Vec::new(), since 0;
        partitions_pending_revocation: Vec<AssignedPartitions> = Vec::new(), since 0;
    }

    /// Which topics a regular expression matches.
    RegularExpressionValue {
        topics: Vec<StrBytes> = Vec::new(), since 0;
        /// Of the metadata it was matched against.
        version: i64 = 0, since 0;
        timestamp_ms: i64 = 0, since 0;
    }
}

/// The partitions of the topics that are read, of Kafka before 4.1, which goes by a hash since
/// then: all that matters of such a record is whether it is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsumerGroupPartitionMetadataValue {
    pub content: Bytes,
}

impl Field for ConsumerGroupPartitionMetadataValue {
    fn read(input: &mut Input<'_>, _: i16) -> Result<Self, FieldError> {
        let content = input.take(input.remaining())?;
        Ok(Self { content: Bytes::copy_from_slice(content) })
    }

    fn write(&self, out: &mut BytesMut, _: i16) -> Result<(), FieldError> {
        out.put_slice(&self.content);
        Ok(())
    }
}

/// A byte in front says whether there is one, as in every tagged struct that may be null.
impl Field for Option<ClassicMemberMetadata> {
    fn read(input: &mut Input<'_>, version: i16) -> Result<Self, FieldError> {
        match i8::read(input, version)? {
            ..1 => Ok(None),
            _ => ClassicMemberMetadata::read(input, version).map(Some),
        }
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), FieldError> {
        out.put_i8(i8::from(self.is_some()));
        self.iter().try_for_each(|classic| classic.write(out, version))
    }
}

/// A protocol's name and the member's metadata for it: a struct, of which no later fields are kept.
impl Field for (StrBytes, Bytes) {
    fn read(input: &mut Input<'_>, version: i16) -> Result<Self, FieldError> {
        let protocol = (Field::read(input, version)?, Field::read(input, version)?);
        read_tagged(input).map(|_| protocol)
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), FieldError> {
        self.0.write(out, version)?;
        self.1.write(out, version)?;
        write_tagged(&TaggedFields::new(), out);
        Ok(())
    }
}
