//! Each topic's partitions in ranges, one for each of its members: members that subscribe to topics
//! of the same size get the same partitions of all. Static members come first, by their instance
//! ids, so that they keep theirs over a restart. Answers to `RangeAssignor`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use protocol::wire::StrBytes;
use uuid::Uuid;

use super::{AssignorError, GroupAssignment, GroupSpec, MemberSpec};

/// What is left of a topic.
struct Rest {
    partitions: i32,
    members: i32,
    /// Members that still get one partition more.
    extra: i32,
    next: i32,
}

impl Rest {
    fn of(partitions: i32, members: i32) -> Self {
        Self { partitions, members, extra: partitions % members, next: 0 }
    }

    fn take(&mut self) -> std::ops::Range<i32> {
        let mut quota = self.partitions / self.members;
        if self.extra > 0 {
            quota += 1;
            self.extra -= 1;
        }
        let start = self.next;
        self.next = (start + quota).min(self.partitions);
        start..self.next
    }
}

pub(super) fn assign(group: &GroupSpec) -> Result<GroupAssignment, AssignorError> {
    let mut members: Vec<&(StrBytes, MemberSpec)> = group.members.iter().collect();
    members.sort_by(|left, right| by_instance_then_id(left, right));
    let mut subscribers: BTreeMap<Uuid, i32> = BTreeMap::new();
    for (_, member) in &members {
        for topic in &member.topics {
            *subscribers.entry(*topic).or_default() += 1;
        }
    }
    let mut rests = BTreeMap::new();
    for (topic, members) in subscribers {
        rests.insert(topic, Rest::of(group.partitions(topic)?, members));
    }
    let mut assignment = GroupAssignment::new();
    for (id, member) in members {
        let assigned = assignment.entry(id.clone()).or_default();
        for topic in &member.topics {
            let range = rests.get_mut(topic).map(Rest::take).unwrap_or_default();
            if !range.is_empty() {
                assigned.insert(*topic, range.collect());
            }
        }
    }
    Ok(assignment)
}

fn by_instance_then_id(
    (left_id, left): &(StrBytes, MemberSpec),
    (right_id, right): &(StrBytes, MemberSpec),
) -> Ordering {
    match (&left.instance_id, &right.instance_id) {
        (Some(left), Some(right)) => left.cmp(right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left_id.cmp(right_id),
    }
}
