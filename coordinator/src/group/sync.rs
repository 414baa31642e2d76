//! SyncGroup: the leader brings the assignment, everybody takes theirs.
//!
//! Syncs are parked until the leader's assignment is written; a write that fails sends everybody
//! back into a rebalance. Answers to `GroupMetadataManager.classicGroupSyncToClassicGroup`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use protocol::messages::SyncGroupRequest;
use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{GroupError, SyncAnswer};
use super::classic::{ClassicGroup, GroupState};
use super::log_event::LogEvent;
use super::pending_write::{AfterWrite, Assignment, PendingWrite};
use super::rebalance::group_record;
use super::settings::own;
use super::shard::{Group, GroupShard};
use super::timers::TimerKey;
use crate::runtime::{Now, Reply, WriteFailure};

impl GroupShard {
    /// SyncGroup.
    pub fn sync(
        &mut self,
        request: &SyncGroupRequest,
        reply: Reply<SyncAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        if request.group_id.is_empty() {
            return out.reply(reply, SyncAnswer::refused(GroupError::InvalidGroupId));
        }
        let id = own(&request.group_id);
        let member = own(&request.member_id);
        let group = match self.groups.latest_mut(&id) {
            Some(Group::Classic(group)) if !group.is_in(GroupState::Empty) => group,
            Some(Group::Consumer(group)) => {
                let group = Arc::clone(group);
                return self.sync_in_consumer_group(&group, request, reply, now, out);
            }
            _ => return out.reply(reply, SyncAnswer::refused(GroupError::UnknownMember)),
        };
        if let Err(error) = validate(group, request, &member, out) {
            return out.reply(reply, SyncAnswer::refused(error));
        }
        match group.state {
            GroupState::CompletingRebalance => {
                let displaced = group
                    .members
                    .get_mut(&member)
                    .and_then(|member| member.awaiting_sync.replace(reply));
                if let Some(displaced) = displaced {
                    let error = GroupError::RebalanceInProgress;
                    out.reply(displaced, SyncAnswer::refused(error));
                }
                let is_leader = group.is_leader(&member);
                self.has_synced(&id, &member);
                if is_leader {
                    self.take_assignment(&id, member, request, out);
                }
            }
            GroupState::Stable => {
                let answer = assignment_answer(group, &member);
                self.has_synced(&id, &member);
                out.reply(reply, answer);
            }
            GroupState::PreparingRebalance | GroupState::Empty | GroupState::Dead => {
                out.reply(reply, SyncAnswer::refused(GroupError::RebalanceInProgress));
            }
        }
    }

    fn has_synced(&mut self, id: &StrBytes, member: &StrBytes) {
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        group.pending_sync.remove(member);
        if group.pending_sync.is_empty() {
            self.timers.cancel(&TimerKey::Sync { group: id.clone() });
        }
    }

    /// The leader's assignment is written before anybody acts on it. Members it forgot get nothing.
    fn take_assignment(
        &mut self,
        id: &StrBytes,
        leader: StrBytes,
        request: &SyncGroupRequest,
        out: &mut Outputs,
    ) {
        let Some(group) = self.classic(id) else {
            return;
        };
        let generation = group.generation;
        out.log(LogEvent::AssignmentReceived {
            group: id.clone(),
            leader,
            generation,
            members: group.members.len(),
            static_members: group.static_members.len(),
        });
        let mut assignment: BTreeMap<StrBytes, Bytes> = BTreeMap::new();
        for given in &request.assignments {
            if let Some(member) = group.members.get(&given.member_id) {
                assignment.insert(member.id.clone(), Bytes::copy_from_slice(&given.assignment));
            }
        }
        let forgotten: Vec<StrBytes> =
            group.members.keys().filter(|id| !assignment.contains_key(*id)).cloned().collect();
        if !forgotten.is_empty() {
            out.log(LogEvent::EmptyAssignments {
                group: id.clone(),
                members: forgotten,
                generation,
            });
        }
        let record =
            group_record(group, |member| assignment.get(member).cloned().unwrap_or_default());
        let pending =
            PendingWrite::Assignment(Assignment { group: id.clone(), generation, assignment });
        out.write(self, vec![record], Some(AfterWrite(pending)));
    }

    /// The assignment is in the log: the group is stable, unless it has moved on.
    pub(super) fn assignment_written(&mut self, written: &Assignment, now: Now, out: &mut Outputs) {
        let Assignment { group: id, generation, assignment } = written;
        let Some(group) = self.waiting_for_assignment(id, *generation) else {
            return;
        };
        for member in group.members.values_mut() {
            member.assignment = assignment.get(&member.id).cloned().unwrap_or_default();
        }
        group.transition_to(GroupState::Stable, now.wall_ms);
        let members: Vec<StrBytes> = group.members.keys().cloned().collect();
        for member in members {
            let Some(group) = self.classic_mut(id) else {
                return;
            };
            if let Some(sync) = group.take_sync(&member) {
                out.reply(sync, assignment_answer(group, &member));
                // Its session may have run out unnoticed while it waited.
                self.heard_of(id, &member, now);
            }
        }
    }

    pub(super) fn assignment_failed(
        &mut self,
        id: &StrBytes,
        generation: i32,
        failure: WriteFailure,
        now: Now,
        out: &mut Outputs,
    ) {
        out.log(LogEvent::WriteFailed { group: id.clone(), failure });
        if self.waiting_for_assignment(id, generation).is_none() {
            return;
        }
        self.reset_assignment(id, &GroupError::WriteFailed(failure), now, out);
        let reason = format!("Error {failure} when storing group assignment during SyncGroup");
        self.rebalance_or_complete_join(id, reason, now, out);
    }

    fn waiting_for_assignment(
        &mut self,
        id: &StrBytes,
        generation: i32,
    ) -> Option<&mut ClassicGroup> {
        self.classic_mut(id).filter(|group| {
            group.is_in(GroupState::CompletingRebalance) && group.generation == generation
        })
    }

    /// Nobody has an assignment any more; parked syncs hear why.
    pub(super) fn reset_assignment(
        &mut self,
        id: &StrBytes,
        error: &GroupError,
        now: Now,
        out: &mut Outputs,
    ) {
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        let members: Vec<StrBytes> = group.members.keys().cloned().collect();
        for member in members {
            let Some(group) = self.classic_mut(id) else {
                return;
            };
            if let Some(member) = group.members.get_mut(&member) {
                member.assignment = Bytes::new();
            }
            if let Some(sync) = group.take_sync(&member) {
                out.reply(sync, SyncAnswer::refused(error.clone()));
                self.heard_of(id, &member, now);
            }
        }
    }
}

fn assignment_answer(group: &ClassicGroup, member: &StrBytes) -> SyncAnswer {
    SyncAnswer {
        error: None,
        protocol_type: group.protocol_type.clone(),
        protocol_name: group.protocol_name.clone(),
        assignment: group
            .members
            .get(member)
            .map(|member| member.assignment.clone())
            .unwrap_or_default(),
    }
}

fn validate(
    group: &ClassicGroup,
    request: &SyncGroupRequest,
    member: &StrBytes,
    out: &mut Outputs,
) -> Result<(), GroupError> {
    let instance = request.group_instance_id.as_ref();
    group.validate_member(member, instance, "sync-group", out)?;
    if request.generation_id != group.generation {
        return Err(GroupError::IllegalGeneration {
            asked: request.generation_id,
            current: group.generation,
        });
    }
    let differs = |asked: &Option<StrBytes>, current: &Option<StrBytes>| {
        asked.as_ref().zip(current.as_ref()).is_some_and(|(asked, current)| asked != current)
    };
    if differs(&request.protocol_type, &group.protocol_type)
        || differs(&request.protocol_name, &group.protocol_name)
    {
        return Err(GroupError::InconsistentProtocol);
    }
    Ok(())
}
