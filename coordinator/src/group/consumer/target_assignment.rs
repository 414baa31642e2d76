//! The target assignment: what the assignor wants members to have, of one epoch of the group.
//! Answers to `TargetAssignmentBuilder` and `maybeUpdateTargetAssignment`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::super::modern::assignor::{Assignor, GroupSpec, MemberSpec};
use super::super::modern::{Assignment, hash_map_order, may_assign};
use super::super::shard::GroupShard;
use super::event::ConsumerGroupEvent;
use super::group::ConsumerGroup;
use super::member::Member;
use super::records;
use super::subscriptions::Subscriptions;
use crate::java_hash;
use crate::runtime::Now;

/// What a member is to be reconciled to.
pub(super) struct Target {
    pub(super) epoch: i32,
    pub(super) assignment: Arc<Assignment>,
}

/// A member that sends a heartbeat, and the group's epoch as it will be.
pub(super) struct Assigning<'a> {
    pub(super) group: &'a ConsumerGroup,
    pub(super) epoch: i32,
    pub(super) member: &'a Member,
    /// Whom it replaces.
    pub(super) replaced: Option<&'a StrBytes>,
}

impl GroupShard {
    /// The target as it stands, or a new one where it is behind the group and may be computed now.
    pub(super) fn update_target(
        &self,
        assigning: &Assigning<'_>,
        written: &mut Vec<GroupRecord>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Target, GroupError> {
        let Assigning { group, epoch, member, replaced } = *assigning;
        if group.assignment_epoch >= epoch || !self.may_assign(group, now) {
            let of = match &member.instance_id {
                Some(instance) => group.static_members.get(instance),
                None => Some(&member.id),
            };
            let assignment = of.and_then(|id| group.target.get(id)).cloned().unwrap_or_default();
            return Ok(Target { epoch: group.assignment_epoch, assignment });
        }
        let assignor = preferred_assignor(group, replaced, Some(member))
            .unwrap_or_else(|| self.settings.default_assignor());
        let spec = self.group_spec(assigning);
        let mut assignments = assignor.assign(&spec).map_err(|cause| {
            let why =
                format!("Failed to compute a new target assignment for epoch {epoch}: {cause}");
            out.log(LogEvent::Consumer(ConsumerGroupEvent::NotAssigned {
                group: group.id.clone(),
                why: why.clone(),
            }));
            GroupError::NotAssigned(why)
        })?;
        out.log(LogEvent::Consumer(ConsumerGroupEvent::Assigned {
            group: group.id.clone(),
            epoch,
            assignor: assignor.name(),
        }));
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
        Ok(Target { epoch, assignment: of_member })
    }

    /// Whether enough time has passed since the last target (KIP-1263).
    fn may_assign(&self, group: &ConsumerGroup, now: Now) -> bool {
        let interval_ms = self.consumer_assignment_interval_ms(&group.id);
        may_assign(group.assignment_timestamp_ms, interval_ms, now)
    }

    fn group_spec(&self, assigning: &Assigning<'_>) -> GroupSpec {
        let Assigning { group, member, replaced, .. } = *assigning;
        let target_of = |id: &StrBytes| {
            group.target.get(id).map(|target| Assignment::clone(target)).unwrap_or_default()
        };
        let others = group.members.values().map(|other| &**other);
        let others = others.filter(|other| other.id != member.id && Some(&other.id) != replaced);
        let mut members: BTreeMap<StrBytes, MemberSpec> = BTreeMap::new();
        for each in others.chain([member]) {
            let spec = MemberSpec {
                instance_id: each.instance_id.clone(),
                topics: self.topic_ids(group, each),
                assigned: target_of(replaced.filter(|_| each.id == member.id).unwrap_or(&each.id)),
            };
            members.insert(each.id.clone(), spec);
        }
        let topics: BTreeSet<Uuid> =
            members.values().flat_map(|member| member.topics.iter().copied()).collect();
        let partitions = topics
            .into_iter()
            .filter_map(|topic| Some((topic, self.metadata.image.topic_by_id(topic)?.partitions)));
        let mut assigned = Assignment::new();
        for (topic, partitions) in group.target.values().flat_map(|target| target.iter()) {
            assigned.entry(*topic).or_default().extend(partitions);
        }
        let without: Vec<&StrBytes> = replaced.into_iter().collect();
        GroupSpec {
            is_homogeneous: Subscriptions::of(group, &without, Some(member)).is_homogeneous(),
            partitions: partitions.collect(),
            assigned,
            members: hash_map_order(members.into_iter().collect(), |(id, _)| java_hash(id)),
        }
    }

    /// The topics that a member subscribes to, of those that there are.
    pub(super) fn topic_ids(&self, group: &ConsumerGroup, member: &Member) -> BTreeSet<Uuid> {
        let resolved = member.regular_expression().and_then(|regex| group.resolved.get(regex));
        let matched = resolved.into_iter().flat_map(|resolved| &resolved.topics);
        let image = &self.metadata.image;
        let names = member.topics.iter().chain(matched);
        names.filter_map(|name| Some(image.topic_by_name(name)?.id)).collect()
    }
}

/// What most members want, of those who say so; none if nobody does.
pub(super) fn preferred_assignor(
    group: &ConsumerGroup,
    replaced: Option<&StrBytes>,
    member: Option<&Member>,
) -> Option<Assignor> {
    let mut counts: BTreeMap<&StrBytes, usize> = BTreeMap::new();
    let others = group.members.values().map(|other| &**other).filter(|other| {
        member.is_none_or(|member| member.id != other.id) && Some(&other.id) != replaced
    });
    for name in others.chain(member).filter_map(|member| member.assignor.as_ref()) {
        *counts.entry(name).or_default() += 1;
    }
    // Of those that are wanted equally often, the first one in the order of Kafka's map.
    let counts = hash_map_order(counts.into_iter().collect(), |(name, _)| java_hash(name));
    let best = counts.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best });
    Assignor::named(best?.0)
}
