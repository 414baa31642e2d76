//! The records of a share group (KIP-932): what it is, its members, what they are to have and what
//! they have, and for which partitions the share coordinator holds its state.
//!
//! ```text
//! key    10 group, member | 11 group | 12 group | 13 group, member | 14 group, member | 15 group
//! value  0 i16 | the fields of one of the structs below, flexible
//! ```
//! Answers to the schemas ShareGroup*Key/Value of Kafka 4.3.

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::super::fields::record;
use super::super::schema::Reader;
use super::GroupRecordError;
use super::consumer::{
    AssignedPartitions, TargetAssignmentMemberValue, TargetAssignmentMetadataValue,
};
use super::declaration::{self, group_records};

group_records! {
    /// One record of a share group. A value of `None` is a tombstone.
    ShareGroupRecord {
        Member = 10 (group, member): ShareGroupMemberMetadataValue,
        Group = 11 (group): ShareGroupMetadataValue,
        TargetAssignment = 12 (group): TargetAssignmentMetadataValue,
        TargetAssignmentMember = 13 (group, member): TargetAssignmentMemberValue,
        CurrentAssignment = 14 (group, member): ShareGroupCurrentMemberAssignmentValue,
        StatePartitions = 15 (group): ShareGroupStatePartitionMetadataValue,
    }
}

record! {
    /// Who a member is and what it wants to read.
    ShareGroupMemberMetadataValue {
        rack_id: Option<StrBytes> = None, since 0;
        client_id: StrBytes = StrBytes::default(), since 0;
        client_host: StrBytes = StrBytes::default(), since 0;
        subscribed_topic_names: Vec<StrBytes> = Vec::new(), since 0;
    }

    /// The group itself.
    ShareGroupMetadataValue {
        epoch: i32 = 0, since 0;
        /// Of all topics that are read.
        metadata_hash: i64 = 0, since 0;
    }

    /// What a member has.
    ShareGroupCurrentMemberAssignmentValue {
        member_epoch: i32 = 0, since 0;
        previous_member_epoch: i32 = 0, since 0;
        /// Always 0, stable: nothing is given up before others may have it.
        state: i8 = 0, since 0;
        assigned_partitions: Vec<AssignedPartitions> = Vec::new(), since 0;
    }

    /// For which partitions the share coordinator holds the group's state, is about to, or is about
    /// to no longer.
    ShareGroupStatePartitionMetadataValue {
        initializing_topics: Vec<StatePartitionsOfTopic> = Vec::new(), since 0;
        initialized_topics: Vec<StatePartitionsOfTopic> = Vec::new(), since 0;
        deleting_topics: Vec<StateTopic> = Vec::new(), since 0;
    }

    /// Partitions of one topic.
    StatePartitionsOfTopic {
        topic_id: Uuid = Uuid::nil(), since 0;
        topic_name: StrBytes = StrBytes::default(), since 0;
        partitions: Vec<i32> = Vec::new(), since 0;
    }

    /// One topic as a whole.
    StateTopic {
        topic_id: Uuid = Uuid::nil(), since 0;
        topic_name: StrBytes = StrBytes::default(), since 0;
    }
}
