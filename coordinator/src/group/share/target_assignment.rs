//! The target assignment: what the assignor wants members to have, of one epoch of the group.
//! Answers to `TargetAssignmentBuilder` and `maybeUpdateTargetAssignment`.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::Outputs;
use super::super::log_event::LogEvent;
use super::super::modern::{Assignment, GroupConfig, hash_map_order, hash_set_order, may_assign};
use super::super::shard::GroupShard;
use super::assignor::{self, ShareGroupSpec, ShareMemberSpec};
use super::event::ShareGroupEvent;
use super::group::ShareGroup;
use super::heartbeat::Bumped;
use super::member::Member;
use super::records;
use crate::java_hash;
use crate::runtime::Now;

/// What a member is to be reconciled to.
pub(super) struct Target {
    pub(super) epoch: i32,
    pub(super) assignment: Arc<Assignment>,
}

/// A member that sends a heartbeat, and the group with it.
pub(super) struct Assigning<'a> {
    pub(super) group: &'a ShareGroup,
    pub(super) bumped: &'a Bumped,
    pub(super) member: &'a Member,
}

impl GroupShard {
    /// The target as it stands, or a new one where it is behind the group and may be computed now.
    pub(super) fn update_share_target(
        &self,
        assigning: &Assigning<'_>,
        written: &mut Vec<GroupRecord>,
        now: Now,
        out: &mut Outputs,
    ) -> Target {
        let Assigning { group, bumped: &Bumped { epoch, .. }, member } = *assigning;
        if group.assignment_epoch >= epoch || !self.may_assign_share(group, now) {
            let assignment = group.target.get(&member.id).cloned().unwrap_or_default();
            return Target { epoch: group.assignment_epoch, assignment };
        }
        let spec = self.share_group_spec(assigning);
        let mut assignments = assignor::assign(&spec);
        out.log(LogEvent::Share(ShareGroupEvent::Assigned { group: group.id.clone(), epoch }));
        let mut of_member = Arc::default();
        for (id, _) in &spec.members {
            let assignment = assignments.remove(id).unwrap_or_default();
            if group.target.get(id).is_none_or(|before| **before != assignment) {
                written.push(records::target(&group.id, id, &assignment));
            }
            if *id == member.id {
                of_member = Arc::new(assignment);
            }
        }
        written.push(records::target_epoch(&group.id, epoch, now.wall_ms));
        Target { epoch, assignment: of_member }
    }

    /// Whether enough time has passed since the last target (KIP-1263).
    fn may_assign_share(&self, group: &ShareGroup, now: Now) -> bool {
        let of = &self.settings.share;
        let (bounds, of_broker) = (of.assignment_interval_bounds_ms, of.assignment_interval_ms);
        let config = GroupConfig::ShareAssignmentIntervalMs;
        let interval_ms = self.group_config(&group.id, config, bounds, of_broker);
        may_assign(group.assignment_timestamp_ms, interval_ms, now)
    }

    fn share_group_spec(&self, assigning: &Assigning<'_>) -> ShareGroupSpec {
        let Assigning { group, bumped, member } = *assigning;
        let others = group.members.values().map(|other| &**other);
        let members = others.filter(|other| other.id != member.id).chain([member]);
        let members: BTreeMap<StrBytes, ShareMemberSpec> = members
            .map(|each| {
                let assigned = group.target.get(&each.id);
                let assigned = assigned.map(|target| Assignment::clone(target)).unwrap_or_default();
                (each.id.clone(), ShareMemberSpec { topics: self.topics_of(each), assigned })
            })
            .collect();
        ShareGroupSpec {
            assignable: self.assignable(group),
            is_homogeneous: bumped.is_homogeneous,
            members: hash_map_order(members.into_iter().collect(), |(id, _)| java_hash(id)),
        }
    }

    /// The topics that a member names, of those that there are.
    fn topics_of(&self, member: &Member) -> Vec<Uuid> {
        let names = hash_set_order(member.topics.iter().collect(), |name| java_hash(name));
        let topics = names.into_iter().filter_map(|name| self.metadata.image.topic_by_name(name));
        topics.map(|topic| topic.id).collect()
    }

    fn assignable(&self, group: &ShareGroup) -> Assignment {
        let Some(state) = &group.state_partitions else { return Assignment::new() };
        let topics = state.initialized.iter().filter_map(|(id, topic)| {
            let there = 0..self.metadata.image.topic_by_id(*id)?.partitions;
            let partitions = topic.partitions.iter().copied();
            Some((*id, partitions.filter(|partition| there.contains(partition)).collect()))
        });
        topics.collect()
    }
}
