//! The target assignment: the tasks that members are to have, of one epoch of the group. A new
//! group waits for more members first, and two targets stand some time apart. Answers to
//! `TargetAssignmentBuilder`, `maybeUpdateStreamsTargetAssignment` and
//! `computeDelayedTargetAssignment`.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::super::modern::{hash_map_order, may_assign};
use super::super::shard::{Group, GroupShard};
use super::super::timers::{Expiry, TimerKey};
use super::assignor::{GroupSpec, MemberSpec, Subtopology, assign};
use super::configured_topology::ConfiguredTopology;
use super::event::StreamsGroupEvent;
use super::group::StreamsGroup;
use super::member::Member;
use super::records;
use super::status::StreamsStatus;
use super::tasks::TaskAssignment;
use crate::java_hash;
use crate::runtime::Now;

/// How many standbys a task has, among what an assignment is made by.
const STANDBY_REPLICAS: &str = "num.standby.replicas";

/// What a member is to be reconciled to.
pub(super) struct Target {
    pub(super) epoch: i32,
    pub(super) assignment: Arc<TaskAssignment>,
}

/// A group whose target may be behind, its epoch as it will be, and who sends a heartbeat.
pub(super) struct Assigning<'a> {
    pub(super) group: &'a StreamsGroup,
    pub(super) epoch: i32,
    pub(super) member: Option<&'a Member>,
    pub(super) configured: &'a ConfiguredTopology,
    pub(super) configs: &'a BTreeMap<StrBytes, StrBytes>,
}

impl GroupShard {
    /// What an assignment of the group is made by now.
    pub(super) fn streams_assignment_configs(&self, group: &str) -> BTreeMap<StrBytes, StrBytes> {
        let replicas = self.streams_standby_replicas(group).to_string();
        let key = StrBytes::from_static_str(STANDBY_REPLICAS);
        BTreeMap::from([(key, StrBytes::from_string(replicas))])
    }

    /// An empty group waits for members before it shares anything out.
    pub(super) fn delay_streams_assignment(&mut self, group: &StreamsGroup, now: Now) {
        let delay_ms = self.streams_initial_rebalance_delay_ms(&group.id);
        let key = TimerKey::StreamsAssignment { group: group.id.clone() };
        if let Ok(delay_ms @ 1..) = u64::try_from(delay_ms)
            && group.is_empty()
            && !self.timers.is_set(&key)
        {
            self.timers.set(key, now.monotonic_ms + delay_ms, Expiry::StreamsAssignment);
        }
    }

    /// The target as it stands, or a new one where it is behind the group and may be computed now.
    pub(super) fn update_streams_target(
        &self,
        assigning: &Assigning<'_>,
        statuses: &mut Vec<StreamsStatus>,
        written: &mut Vec<GroupRecord>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Target, GroupError> {
        let Assigning { group, epoch, member, configured, configs } = *assigning;
        let delay = TimerKey::StreamsAssignment { group: group.id.clone() };
        if self.timers.is_set(&delay) {
            statuses.push(StreamsStatus::InitialRebalanceDelayed);
            return Ok(Target { epoch: group.assignment_epoch, assignment: Arc::default() });
        }
        let is_behind = group.assignment_epoch < epoch;
        if is_behind && !self.may_assign_streams(group, now) {
            statuses.push(StreamsStatus::AssignmentDelayed);
        } else if is_behind {
            let spec = group_spec(group, member, configured, configs);
            let mut assignments = match configured.ready() {
                None => BTreeMap::new(),
                Some(_) => assign(&spec).map_err(|cause| not_assigned(group, epoch, cause, out))?,
            };
            let event = StreamsGroupEvent::Assigned { group: group.id.clone(), epoch };
            out.log(LogEvent::Streams(event));
            let mut of_member = Arc::default();
            for MemberSpec { id, .. } in &spec.members {
                let assignment = assignments.remove(id).unwrap_or_default();
                if group.target.get(id).is_none_or(|before| **before != assignment) {
                    written.push(records::target(&group.id, id, &assignment));
                }
                if member.is_some_and(|member| member.id == *id) {
                    of_member = Arc::new(assignment);
                }
            }
            written.push(records::target_epoch(&group.id, epoch, now.wall_ms));
            return Ok(Target { epoch, assignment: of_member });
        }
        let target = member.and_then(|member| group.target.get(&member.id));
        let assignment = target.cloned().unwrap_or_default();
        Ok(Target { epoch: group.assignment_epoch, assignment })
    }

    /// Whether enough time has passed since the last target (KIP-1263).
    fn may_assign_streams(&self, group: &StreamsGroup, now: Now) -> bool {
        let interval_ms = self.streams_assignment_interval_ms(&group.id);
        may_assign(group.assignment_timestamp_ms, interval_ms, now)
    }

    /// A new group has waited long enough for members.
    pub(in super::super) fn streams_assignment_due(
        &mut self,
        id: &StrBytes,
        now: Now,
        out: &mut Outputs,
    ) {
        let Some(Group::Streams(group)) = self.groups.latest(id) else { return };
        let group = Arc::clone(group);
        let configured = self.streams.get(id).and_then(|unwritten| unwritten.configured.clone());
        // With only one heartbeat so far: the next one shares out.
        let Some(configured) = configured else { return };
        if group.is_empty() || group.epoch <= group.assignment_epoch {
            return;
        }
        let assigning = Assigning {
            group: &group,
            epoch: group.epoch,
            member: None,
            configured: &configured,
            configs: &group.assignment_configs,
        };
        let mut written = Vec::new();
        if self.update_streams_target(&assigning, &mut Vec::new(), &mut written, now, out).is_ok()
            && !written.is_empty()
        {
            out.write(self, written, None);
        }
    }
}

fn not_assigned(
    group: &StreamsGroup,
    epoch: i32,
    cause: impl std::fmt::Display,
    out: &mut Outputs,
) -> GroupError {
    let why = format!("Failed to compute a new target assignment for epoch {epoch}: {cause}");
    let group = group.id.clone();
    out.log(LogEvent::Streams(StreamsGroupEvent::NotAssigned { group, why: why.clone() }));
    GroupError::NotAssigned(why)
}

fn group_spec(
    group: &StreamsGroup,
    member: Option<&Member>,
    configured: &ConfiguredTopology,
    configs: &BTreeMap<StrBytes, StrBytes>,
) -> GroupSpec {
    let others = group.members.values().map(|other| &**other);
    let others = others.filter(|other| member.is_none_or(|member| member.id != other.id));
    let members: BTreeMap<&StrBytes, &Member> =
        others.chain(member).map(|member| (&member.id, member)).collect();
    let members = members.into_values().map(|member| MemberSpec {
        id: member.id.clone(),
        process: member.process_id.clone(),
        target: group
            .target
            .get(&member.id)
            .map(|of| TaskAssignment::clone(of))
            .unwrap_or_default(),
    });
    let parts = configured.ready().into_iter().flatten().map(|(id, part)| Subtopology {
        id: id.clone(),
        tasks: part.tasks,
        is_stateful: part.is_stateful(),
    });
    let replicas =
        configs.get(STANDBY_REPLICAS.as_bytes()).and_then(|replicas| replicas.parse().ok());
    GroupSpec {
        members: hash_map_order(members.collect(), |member| java_hash(&member.id)),
        subtopologies: parts.collect(),
        standby_replicas: replicas.unwrap_or(0),
    }
}
