//! The records that a consumer group writes. Answers to `GroupCoordinatorRecordHelpers`.

use protocol::records::group::{
    AssignedPartitions, ConsumerGroupMetadataValue, ConsumerGroupRecord, GroupRecord,
    RegularExpressionValue, TargetAssignmentMemberValue, TargetAssignmentMetadataValue,
};
use protocol::wire::StrBytes;

use super::super::modern::Assignment;
use super::group::ConsumerGroup;
use super::member::Member;

pub(super) fn group_epoch(group: &StrBytes, epoch: i32, metadata_hash: i64) -> GroupRecord {
    let value = ConsumerGroupMetadataValue { epoch, metadata_hash, ..Default::default() };
    GroupRecord::Consumer(ConsumerGroupRecord::Group { group: group.clone(), value: Some(value) })
}

pub(super) fn no_partition_metadata(group: &StrBytes) -> GroupRecord {
    let group = group.clone();
    GroupRecord::Consumer(ConsumerGroupRecord::PartitionMetadata { group, value: None })
}

pub(super) fn member(group: &StrBytes, member: &Member) -> GroupRecord {
    GroupRecord::Consumer(ConsumerGroupRecord::Member {
        group: group.clone(),
        member: member.id.clone(),
        value: Some(member.metadata()),
    })
}

pub(super) fn current_assignment(group: &StrBytes, member: &Member) -> GroupRecord {
    GroupRecord::Consumer(ConsumerGroupRecord::CurrentAssignment {
        group: group.clone(),
        member: member.id.clone(),
        value: Some(member.current_assignment()),
    })
}

pub(super) fn target_epoch(group: &StrBytes, epoch: i32, timestamp_ms: i64) -> GroupRecord {
    let value = TargetAssignmentMetadataValue {
        assignment_epoch: epoch,
        assignment_timestamp_ms: timestamp_ms,
        ..Default::default()
    };
    let group = group.clone();
    GroupRecord::Consumer(ConsumerGroupRecord::TargetAssignment { group, value: Some(value) })
}

pub(super) fn target(group: &StrBytes, member: &StrBytes, target: &Assignment) -> GroupRecord {
    let topics = target.iter().map(|(topic, partitions)| AssignedPartitions {
        topic_id: *topic,
        partitions: partitions.iter().copied().collect(),
        ..Default::default()
    });
    let value =
        TargetAssignmentMemberValue { topic_partitions: topics.collect(), ..Default::default() };
    GroupRecord::Consumer(ConsumerGroupRecord::TargetAssignmentMember {
        group: group.clone(),
        member: member.clone(),
        value: Some(value),
    })
}

/// None: it is not resolved any more.
pub(super) fn regular_expression(
    group: &StrBytes,
    regex: &StrBytes,
    value: Option<RegularExpressionValue>,
) -> GroupRecord {
    GroupRecord::Consumer(ConsumerGroupRecord::RegularExpression {
        group: group.clone(),
        regular_expression: regex.clone(),
        value,
    })
}

fn no_current_assignment(group: &StrBytes, member: &StrBytes) -> GroupRecord {
    let (group, member) = (group.clone(), member.clone());
    GroupRecord::Consumer(ConsumerGroupRecord::CurrentAssignment { group, member, value: None })
}

fn no_target(group: &StrBytes, member: &StrBytes) -> GroupRecord {
    let (group, member) = (group.clone(), member.clone());
    GroupRecord::Consumer(ConsumerGroupRecord::TargetAssignmentMember {
        group,
        member,
        value: None,
    })
}

fn no_member(group: &StrBytes, member: &StrBytes) -> GroupRecord {
    let (group, member) = (group.clone(), member.clone());
    GroupRecord::Consumer(ConsumerGroupRecord::Member { group, member, value: None })
}

/// In the order that stock Kafka's replay insists on: a member's assignments before the member.
pub(super) fn member_tombstones(group: &StrBytes, member: &StrBytes) -> [GroupRecord; 3] {
    [no_current_assignment(group, member), no_target(group, member), no_member(group, member)]
}

impl ConsumerGroup {
    /// What takes the group out of the log.
    pub(in super::super) fn tombstones(&self) -> Vec<GroupRecord> {
        self.tombstones_of(self.members.keys())
    }

    /// The same when one member has just been replaced by another.
    pub(super) fn tombstones_replacing(&self, old: &StrBytes, new: &StrBytes) -> Vec<GroupRecord> {
        self.tombstones_of(self.members.keys().map(|id| if id == old { new } else { id }))
    }

    fn tombstones_of<'a>(
        &self,
        members: impl Iterator<Item = &'a StrBytes> + Clone,
    ) -> Vec<GroupRecord> {
        let id = &self.id;
        let group = id.clone();
        let of_members = |tombstone: fn(&StrBytes, &StrBytes) -> GroupRecord| {
            members.clone().map(move |member| tombstone(id, member))
        };
        let mut records: Vec<GroupRecord> = of_members(no_current_assignment).collect();
        records.extend(of_members(no_target));
        let target = ConsumerGroupRecord::TargetAssignment { group: group.clone(), value: None };
        records.push(GroupRecord::Consumer(target));
        records.extend(of_members(no_member));
        records.extend(self.resolved.keys().map(|regex| regular_expression(id, regex, None)));
        records.push(no_partition_metadata(id));
        records.push(GroupRecord::Consumer(ConsumerGroupRecord::Group { group, value: None }));
        records
    }
}
