//! The records of a streams group (KIP-1071): what it is, its topology, its members, the tasks that
//! they are to have and those that they have.
//!
//! ```text
//! key    17 group | 19 group, member | 20 group | 21 group, member | 22 group, member | 23 group
//!                                                             (strings, behind the type)
//! value  0 i16 | the fields of one of the structs below, flexible
//! ```
//! Answers to the schemas StreamsGroup*Key/Value of Kafka 4.3.

#[cfg(test)]
mod tests;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;

use super::super::fields::{Field, FieldError, Input, record};
use super::super::schema::{Reader, Writer};
use super::GroupRecordError;

const GROUP: i16 = 17;
const MEMBER: i16 = 19;
const TARGET_ASSIGNMENT: i16 = 20;
const TARGET_ASSIGNMENT_MEMBER: i16 = 21;
const CURRENT_ASSIGNMENT: i16 = 22;
const TOPOLOGY: i16 = 23;

/// The one version of every value.
const VERSION: i16 = 0;

record! {
    /// A name with what it stands for: a setting or a tag.
    StreamsKeyValue {
        key: StrBytes = StrBytes::default(), since 0;
        value: StrBytes = StrBytes::default(), since 0;
    }

    /// The group itself.
    StreamsGroupMetadataValue {
        epoch: i32 = 0, since 0;
        /// Of all topics of the topology.
        metadata_hash: i64 = 0, since 0;
        /// The topology's epoch, when all of its topics are there as they must be.
        validated_topology_epoch: i32 = -1, since 0, tag 0;
        /// What the last assignment was made by (4.3+).
        last_assignment_configs: Option<Vec<StreamsKeyValue>> = None, since 0, tag 1;
    }

    /// Where a member answers interactive queries.
    StreamsEndpoint {
        host: StrBytes = StrBytes::default(), since 0;
        port: u16 = 0, since 0;
    }

    /// Who a member is.
    StreamsMemberMetadataValue {
        instance_id: Option<StrBytes> = None, since 0;
        rack_id: Option<StrBytes> = None, since 0;
        client_id: StrBytes = StrBytes::default(), since 0;
        client_host: StrBytes = StrBytes::default(), since 0;
        rebalance_timeout_ms: i32 = -1, since 0;
        topology_epoch: i32 = 0, since 0;
        /// Of the instance that may have several members.
        process_id: StrBytes = StrBytes::default(), since 0;
        user_endpoint: Option<StreamsEndpoint> = None, since 0;
        client_tags: Vec<StreamsKeyValue> = Vec::new(), since 0;
    }

    /// Of which epoch of the group the target assignment is.
    StreamsTargetAssignmentValue {
        assignment_epoch: i32 = 0, since 0;
        /// When it was computed (4.3+); 0 when it is not known.
        assignment_timestamp_ms: i64 = 0, since 0, tag 0;
    }

    /// Tasks of one subtopology.
    StreamsTaskIds {
        subtopology_id: StrBytes = StrBytes::default(), since 0;
        partitions: Vec<i32> = Vec::new(), since 0;
        /// Since which epoch each has been the member's; of active tasks that it has.
        assignment_epochs: Option<Vec<i32>> = None, since 0, tag 0;
    }

    /// The tasks that a member is to have.
    StreamsTargetMemberValue {
        active_tasks: Vec<StreamsTaskIds> = Vec::new(), since 0;
        standby_tasks: Vec<StreamsTaskIds> = Vec::new(), since 0;
        warmup_tasks: Vec<StreamsTaskIds> = Vec::new(), since 0;
    }

    /// The tasks that a member has, and those that it is giving up.
    StreamsCurrentAssignmentValue {
        member_epoch: i32 = 0, since 0;
        previous_member_epoch: i32 = 0, since 0;
        /// 1 stable, 2 with tasks to revoke, 3 waiting for tasks of others.
        state: i8 = 0, since 0;
        active_tasks: Vec<StreamsTaskIds> = Vec::new(), since 0;
        standby_tasks: Vec<StreamsTaskIds> = Vec::new(), since 0;
        warmup_tasks: Vec<StreamsTaskIds> = Vec::new(), since 0;
        active_tasks_pending_revocation: Vec<StreamsTaskIds> = Vec::new(), since 0;
        standby_tasks_pending_revocation: Vec<StreamsTaskIds> = Vec::new(), since 0;
        warmup_tasks_pending_revocation: Vec<StreamsTaskIds> = Vec::new(), since 0;
    }

    /// A topic that the group needs and the broker makes.
    StreamsTopicInfo {
        name: StrBytes = StrBytes::default(), since 0;
        /// 0: as many as the topics that it belongs with.
        partitions: i32 = 0, since 0;
        /// 0: the cluster's default.
        replication_factor: i16 = 0, since 0;
        topic_configs: Vec<StreamsKeyValue> = Vec::new(), since 0;
    }

    /// Topics of a subtopology that must have equally many partitions, by where they stand in its
    /// lists.
    StreamsCopartitionGroup {
        source_topics: Vec<i16> = Vec::new(), since 0;
        source_topic_regex: Vec<i16> = Vec::new(), since 0;
        repartition_source_topics: Vec<i16> = Vec::new(), since 0;
    }

    /// A part of the topology that shares no state with the others.
    StreamsSubtopologyValue {
        subtopology_id: StrBytes = StrBytes::default(), since 0;
        source_topics: Vec<StrBytes> = Vec::new(), since 0;
        source_topic_regex: Vec<StrBytes> = Vec::new(), since 0;
        state_changelog_topics: Vec<StreamsTopicInfo> = Vec::new(), since 0;
        repartition_sink_topics: Vec<StrBytes> = Vec::new(), since 0;
        repartition_source_topics: Vec<StreamsTopicInfo> = Vec::new(), since 0;
        copartition_groups: Vec<StreamsCopartitionGroup> = Vec::new(), since 0;
    }

    /// What the application does, as far as the coordinator must know.
    StreamsTopologyValue {
        epoch: i32 = 0, since 0;
        subtopologies: Vec<StreamsSubtopologyValue> = Vec::new(), since 0;
    }
}

/// A byte in front says whether there is one.
impl Field for Option<StreamsEndpoint> {
    fn read(input: &mut Input<'_>, version: i16) -> Result<Self, FieldError> {
        if i8::read(input, version)? < 0 {
            return Ok(None);
        }
        StreamsEndpoint::read(input, version).map(Some)
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), FieldError> {
        let Some(endpoint) = self else {
            out.put_i8(-1);
            return Ok(());
        };
        out.put_i8(1);
        endpoint.write(out, version)
    }
}

/// One record of a streams group. A value of `None` is a tombstone.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamsGroupRecord {
    Group {
        group: StrBytes,
        value: Option<StreamsGroupMetadataValue>,
    },
    Member {
        group: StrBytes,
        member: StrBytes,
        value: Option<StreamsMemberMetadataValue>,
    },
    TargetAssignment {
        group: StrBytes,
        value: Option<StreamsTargetAssignmentValue>,
    },
    TargetAssignmentMember {
        group: StrBytes,
        member: StrBytes,
        value: Option<StreamsTargetMemberValue>,
    },
    CurrentAssignment {
        group: StrBytes,
        member: StrBytes,
        value: Option<StreamsCurrentAssignmentValue>,
    },
    Topology {
        group: StrBytes,
        value: Option<StreamsTopologyValue>,
    },
}

impl StreamsGroupRecord {
    pub(super) fn has_type(record_type: i16) -> bool {
        matches!(record_type, GROUP | MEMBER..=TOPOLOGY)
    }

    /// The group it is about.
    #[must_use]
    pub fn group(&self) -> &StrBytes {
        match self {
            Self::Group { group, .. }
            | Self::Member { group, .. }
            | Self::TargetAssignment { group, .. }
            | Self::TargetAssignmentMember { group, .. }
            | Self::CurrentAssignment { group, .. }
            | Self::Topology { group, .. } => group,
        }
    }

    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        match self {
            Self::Group { value, .. } => value.is_none(),
            Self::Member { value, .. } => value.is_none(),
            Self::TargetAssignment { value, .. } => value.is_none(),
            Self::TargetAssignmentMember { value, .. } => value.is_none(),
            Self::CurrentAssignment { value, .. } => value.is_none(),
            Self::Topology { value, .. } => value.is_none(),
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
            TOPOLOGY => Self::Topology { group, value: read_value(record_type, value)? },
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
            Self::Group { group, value } => (key(GROUP, group, None), written(value)),
            Self::Member { group, member, value } => {
                (key(MEMBER, group, Some(member)), written(value))
            }
            Self::TargetAssignment { group, value } => {
                (key(TARGET_ASSIGNMENT, group, None), written(value))
            }
            Self::TargetAssignmentMember { group, member, value } => {
                (key(TARGET_ASSIGNMENT_MEMBER, group, Some(member)), written(value))
            }
            Self::CurrentAssignment { group, member, value } => {
                (key(CURRENT_ASSIGNMENT, group, Some(member)), written(value))
            }
            Self::Topology { group, value } => (key(TOPOLOGY, group, None), written(value)),
        }
    }
}

fn key(record_type: i16, group: &StrBytes, member: Option<&StrBytes>) -> Bytes {
    let mut writer = Writer::new(record_type, false);
    writer.string(group);
    if let Some(member) = member {
        writer.string(member);
    }
    writer.finish()
}

fn read_value<T: Field>(
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
fn written<T: Field>(value: &Option<T>) -> Option<Bytes> {
    let mut out = BytesMut::new();
    out.put_i16(VERSION);
    value.as_ref()?.write(&mut out, VERSION).ok()?;
    Some(out.freeze())
}
