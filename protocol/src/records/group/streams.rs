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
use super::super::schema::Reader;
use super::GroupRecordError;
use super::declaration::{self, group_records};

group_records! {
    /// One record of a streams group. A value of `None` is a tombstone.
    StreamsGroupRecord {
        Group = 17 (group): StreamsGroupMetadataValue,
        Member = 19 (group, member): StreamsMemberMetadataValue,
        TargetAssignment = 20 (group): StreamsTargetAssignmentValue,
        TargetAssignmentMember = 21 (group, member): StreamsTargetMemberValue,
        CurrentAssignment = 22 (group, member): StreamsCurrentAssignmentValue,
        Topology = 23 (group): StreamsTopologyValue,
    }
}

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
