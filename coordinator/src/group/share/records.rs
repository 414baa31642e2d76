//! The records that a share group writes. Answers to `GroupCoordinatorRecordHelpers`.

use protocol::records::group::{
    AssignedPartitions, GroupRecord, ShareGroupCurrentMemberAssignmentValue,
    ShareGroupMemberMetadataValue, ShareGroupMetadataValue, ShareGroupRecord,
    TargetAssignmentMemberValue, TargetAssignmentMetadataValue,
};
use protocol::wire::StrBytes;

use super::super::modern::{Assignment, ClusterMetadata};
use super::group::ShareGroup;
use super::member::Member;
use super::state_partitions::{self, StatePartitions, Topics};

pub(super) fn member(group: &StrBytes, member: &Member) -> GroupRecord {
    let value = ShareGroupMemberMetadataValue {
        rack_id: member.rack_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        subscribed_topic_names: member.topics.iter().cloned().collect(),
        ..ShareGroupMemberMetadataValue::default()
    };
    let (group, member) = (group.clone(), member.id.clone());
    GroupRecord::Share(ShareGroupRecord::Member { group, member, value: Some(value) })
}

pub(super) fn group_epoch(group: &StrBytes, epoch: i32, metadata_hash: i64) -> GroupRecord {
    let value =
        ShareGroupMetadataValue { epoch, metadata_hash, ..ShareGroupMetadataValue::default() };
    GroupRecord::Share(ShareGroupRecord::Group { group: group.clone(), value: Some(value) })
}

pub(super) fn target(group: &StrBytes, member: &StrBytes, assignment: &Assignment) -> GroupRecord {
    let value =
        TargetAssignmentMemberValue { topic_partitions: written(assignment), ..Default::default() };
    let (group, member) = (group.clone(), member.clone());
    let value = Some(value);
    GroupRecord::Share(ShareGroupRecord::TargetAssignmentMember { group, member, value })
}

pub(super) fn target_epoch(group: &StrBytes, epoch: i32, timestamp_ms: i64) -> GroupRecord {
    let value = TargetAssignmentMetadataValue {
        assignment_epoch: epoch,
        assignment_timestamp_ms: timestamp_ms,
        ..TargetAssignmentMetadataValue::default()
    };
    let value = Some(value);
    GroupRecord::Share(ShareGroupRecord::TargetAssignment { group: group.clone(), value })
}

pub(super) fn current_assignment(group: &StrBytes, member: &Member) -> GroupRecord {
    let value = ShareGroupCurrentMemberAssignmentValue {
        member_epoch: member.epoch,
        previous_member_epoch: member.previous_epoch,
        state: member.state,
        assigned_partitions: written(&member.assigned),
        ..ShareGroupCurrentMemberAssignmentValue::default()
    };
    let (group, member) = (group.clone(), member.id.clone());
    GroupRecord::Share(ShareGroupRecord::CurrentAssignment { group, member, value: Some(value) })
}

pub(super) fn state_partitions(
    group: &StrBytes,
    state: &StatePartitions,
    image: &dyn ClusterMetadata,
) -> GroupRecord {
    let value = Some(state.value(image));
    GroupRecord::Share(ShareGroupRecord::StatePartitions { group: group.clone(), value })
}

pub(super) fn deleting(group: &StrBytes, going: &Topics) -> GroupRecord {
    let value = Some(state_partitions::deleting(going));
    GroupRecord::Share(ShareGroupRecord::StatePartitions { group: group.clone(), value })
}

fn written(assignment: &Assignment) -> Vec<AssignedPartitions> {
    let topics = assignment.iter().map(|(topic_id, partitions)| AssignedPartitions {
        topic_id: *topic_id,
        partitions: partitions.iter().copied().collect(),
        ..AssignedPartitions::default()
    });
    topics.collect()
}

fn no_current_assignment(group: &StrBytes, member: &StrBytes) -> GroupRecord {
    let (group, member) = (group.clone(), member.clone());
    GroupRecord::Share(ShareGroupRecord::CurrentAssignment { group, member, value: None })
}

fn no_target(group: &StrBytes, member: &StrBytes) -> GroupRecord {
    let (group, member) = (group.clone(), member.clone());
    GroupRecord::Share(ShareGroupRecord::TargetAssignmentMember { group, member, value: None })
}

fn no_member(group: &StrBytes, member: &StrBytes) -> GroupRecord {
    let (group, member) = (group.clone(), member.clone());
    GroupRecord::Share(ShareGroupRecord::Member { group, member, value: None })
}

/// In the order that stock Kafka's replay insists on: a member's assignments before the member.
pub(super) fn member_tombstones(group: &StrBytes, member: &StrBytes) -> [GroupRecord; 3] {
    [no_current_assignment(group, member), no_target(group, member), no_member(group, member)]
}

impl ShareGroup {
    /// What takes the group out of the log.
    pub(in super::super) fn tombstones(&self) -> Vec<GroupRecord> {
        let id = &self.id;
        let group = || id.clone();
        let of_members = |tombstone: fn(&StrBytes, &StrBytes) -> GroupRecord| {
            self.members.keys().map(move |member| tombstone(id, member))
        };
        let mut records: Vec<GroupRecord> = of_members(no_current_assignment).collect();
        records.extend(of_members(no_target));
        let target = ShareGroupRecord::TargetAssignment { group: group(), value: None };
        records.push(GroupRecord::Share(target));
        records.extend(of_members(no_member));
        let state = ShareGroupRecord::StatePartitions { group: group(), value: None };
        records.push(GroupRecord::Share(state));
        records.push(GroupRecord::Share(ShareGroupRecord::Group { group: group(), value: None }));
        records
    }
}
