//! The records that a streams group writes. Answers to `StreamsCoordinatorRecordHelpers`.

use std::collections::BTreeMap;

use protocol::records::group::{
    GroupRecord, StreamsGroupMetadataValue, StreamsGroupRecord, StreamsTargetAssignmentValue,
    StreamsTargetMemberValue, StreamsTopologyValue,
};
use protocol::wire::StrBytes;

use super::group::StreamsGroup;
use super::member::{Member, key_values};
use super::tasks::{TaskAssignment, written};

pub(super) fn member(group: &StrBytes, member: &Member) -> GroupRecord {
    GroupRecord::Streams(StreamsGroupRecord::Member {
        group: group.clone(),
        member: member.id.clone(),
        value: Some(member.metadata()),
    })
}

pub(super) fn topology(group: &StrBytes, value: StreamsTopologyValue) -> GroupRecord {
    let group = group.clone();
    GroupRecord::Streams(StreamsGroupRecord::Topology { group, value: Some(value) })
}

pub(super) fn group_epoch(
    group: &StrBytes,
    epoch: i32,
    metadata_hash: i64,
    validated_topology_epoch: i32,
    assignment_configs: &BTreeMap<StrBytes, StrBytes>,
) -> GroupRecord {
    let value = StreamsGroupMetadataValue {
        epoch,
        metadata_hash,
        validated_topology_epoch,
        last_assignment_configs: Some(key_values(assignment_configs)),
        ..StreamsGroupMetadataValue::default()
    };
    GroupRecord::Streams(StreamsGroupRecord::Group { group: group.clone(), value: Some(value) })
}

pub(super) fn target(group: &StrBytes, member: &StrBytes, target: &TaskAssignment) -> GroupRecord {
    let value = StreamsTargetMemberValue {
        active_tasks: written(&target.active),
        standby_tasks: written(&target.standby),
        warmup_tasks: written(&target.warmup),
        ..StreamsTargetMemberValue::default()
    };
    GroupRecord::Streams(StreamsGroupRecord::TargetAssignmentMember {
        group: group.clone(),
        member: member.clone(),
        value: Some(value),
    })
}

pub(super) fn target_epoch(group: &StrBytes, epoch: i32, timestamp_ms: i64) -> GroupRecord {
    let value = StreamsTargetAssignmentValue {
        assignment_epoch: epoch,
        assignment_timestamp_ms: timestamp_ms,
        ..StreamsTargetAssignmentValue::default()
    };
    let group = group.clone();
    GroupRecord::Streams(StreamsGroupRecord::TargetAssignment { group, value: Some(value) })
}

pub(super) fn current_assignment(group: &StrBytes, member: &Member) -> GroupRecord {
    GroupRecord::Streams(StreamsGroupRecord::CurrentAssignment {
        group: group.clone(),
        member: member.id.clone(),
        value: Some(member.current_assignment()),
    })
}

fn no_current_assignment(group: &StrBytes, member: &StrBytes) -> GroupRecord {
    let (group, member) = (group.clone(), member.clone());
    GroupRecord::Streams(StreamsGroupRecord::CurrentAssignment { group, member, value: None })
}

fn no_target(group: &StrBytes, member: &StrBytes) -> GroupRecord {
    let (group, member) = (group.clone(), member.clone());
    GroupRecord::Streams(StreamsGroupRecord::TargetAssignmentMember { group, member, value: None })
}

fn no_member(group: &StrBytes, member: &StrBytes) -> GroupRecord {
    let (group, member) = (group.clone(), member.clone());
    GroupRecord::Streams(StreamsGroupRecord::Member { group, member, value: None })
}

/// In the order that stock Kafka's replay insists on: a member's assignments before the member.
pub(super) fn member_tombstones(group: &StrBytes, member: &StrBytes) -> [GroupRecord; 3] {
    [no_current_assignment(group, member), no_target(group, member), no_member(group, member)]
}

impl StreamsGroup {
    /// What takes the group out of the log.
    pub(in super::super) fn tombstones(&self) -> Vec<GroupRecord> {
        let id = &self.id;
        let of_members = |tombstone: fn(&StrBytes, &StrBytes) -> GroupRecord| {
            self.members.keys().map(move |member| tombstone(id, member))
        };
        let mut records: Vec<GroupRecord> = of_members(no_current_assignment).collect();
        records.extend(of_members(no_target));
        let group = id.clone();
        let target = StreamsGroupRecord::TargetAssignment { group, value: None };
        records.push(GroupRecord::Streams(target));
        records.extend(of_members(no_member));
        let group = StreamsGroupRecord::Group { group: id.clone(), value: None };
        let topology = StreamsGroupRecord::Topology { group: id.clone(), value: None };
        records.extend([group, topology].map(GroupRecord::Streams));
        records
    }
}
