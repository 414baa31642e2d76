//! Uniform, where all members subscribe to the same topics: everybody keeps what it has up to its
//! quota, what is left over goes to who is below. Answers to `UniformHomogeneousAssignmentBuilder`.

use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::java_order::hash_set_order;
use super::{AssignorError, GroupAssignment, GroupSpec};

pub(super) fn assign(group: &GroupSpec) -> Result<GroupAssignment, AssignorError> {
    let topics: Vec<Uuid> = group
        .members
        .first()
        .map(|(_, member)| member.topics.iter().copied().collect())
        .unwrap_or_default();
    if topics.is_empty() {
        return Ok(GroupAssignment::new());
    }
    let mut unassigned: Vec<(Uuid, i32)> = Vec::new();
    let mut total = 0;
    for topic in hash_set_order(topics.clone(), uuid_hash) {
        let partitions = group.partitions(topic)?;
        let free = (0..partitions).filter(|partition| !group.is_assigned(topic, *partition));
        unassigned.extend(free.map(|partition| (topic, partition)));
        total += partitions as usize;
    }
    let mut assignment = GroupAssignment::new();
    let unfilled = revoke(group, &topics, total, &mut assignment, &mut unassigned);
    let mut unassigned = unassigned.into_iter();
    for (member, quota) in unfilled {
        let assigned = assignment.entry(member).or_default();
        for (topic, partition) in unassigned.by_ref().take(quota) {
            assigned.entry(topic).or_default().insert(partition);
        }
    }
    if unassigned.next().is_some() { Err(AssignorError::LeftUnassigned) } else { Ok(assignment) }
}

/// Takes from everybody what it does not subscribe to or what is above its quota. Returns who has
/// room, and for how many.
fn revoke(
    group: &GroupSpec,
    topics: &[Uuid],
    total: usize,
    assignment: &mut GroupAssignment,
    unassigned: &mut Vec<(Uuid, i32)>,
) -> Vec<(StrBytes, usize)> {
    let count = group.members.len();
    let least = total / count;
    // Members that get one more than the least.
    let mut extra = total % count;
    let mut unfilled = Vec::new();
    for (index, (id, member)) in group.members.iter().enumerate() {
        let mut has_extra = extra > 0;
        let mut quota = least + usize::from(has_extra);
        let assigned = assignment.entry(id.clone()).or_default();
        for (topic, partitions) in &member.assigned {
            if !topics.contains(topic) {
                continue;
            }
            let kept = quota.min(partitions.len());
            quota -= kept;
            if kept > 0 {
                assigned.insert(*topic, partitions.iter().copied().take(kept).collect());
            }
            unassigned.extend(partitions.iter().skip(kept).map(|partition| (*topic, *partition)));
        }
        // The one more is left to somebody else, unless those who come have all to take it.
        if quota > 0 && has_extra && count - index > extra {
            quota -= 1;
            has_extra = false;
        }
        if quota > 0 {
            unfilled.push((id.clone(), quota));
        }
        extra -= usize::from(has_extra);
    }
    unfilled
}

/// `Uuid.hashCode`.
fn uuid_hash(id: &Uuid) -> i32 {
    let (high, low) = id.as_u64_pair();
    let mixed = high ^ low;
    (mixed >> 32) as i32 ^ mixed as i32
}
