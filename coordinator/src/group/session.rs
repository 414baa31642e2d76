//! Heartbeats, and what happens without them.
//!
//! A member that is not heard of for its session timeout is removed and the others rebalance; a
//! parked join or sync stands for a heartbeat. Answers to
//! `GroupMetadataManager.classicGroupHeartbeat` and `expireClassicGroupMemberHeartbeat`.

use std::sync::Arc;

use protocol::messages::HeartbeatRequest;
use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{GroupError, JoinAnswer};
use super::classic::GroupState;
use super::log_event::LogEvent;
use super::shard::{Group, GroupShard};
use crate::runtime::Now;

impl GroupShard {
    /// Heartbeat, answered at once. Unlike Kafka: it does not wait for writes that other requests
    /// have under way, so that a disk that stalls costs nobody its membership.
    pub fn heartbeat(
        &mut self,
        request: &HeartbeatRequest,
        now: Now,
        out: &mut Outputs,
    ) -> Result<(), GroupError> {
        if request.group_id.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        let id = &request.group_id.0;
        let group = match self.groups.latest(id) {
            Some(Group::Classic(group)) => group,
            Some(Group::Consumer(group)) => {
                let group = Arc::clone(group);
                return self.heartbeat_in_consumer_group(&group, request, now);
            }
            _ => return Err(GroupError::UnknownMember),
        };
        let instance = request.group_instance_id.as_ref();
        group.validate_member(&request.member_id, instance, "heartbeat", out)?;
        if request.generation_id != group.generation {
            return Err(GroupError::IllegalGeneration {
                asked: request.generation_id,
                current: group.generation,
            });
        }
        let (id, member) = (group.id.clone(), group.members.get_key_value(&request.member_id));
        let Some(member) = member.map(|(member, _)| member.clone()) else {
            return Err(GroupError::UnknownMember);
        };
        let state = group.state;
        match state {
            GroupState::Empty | GroupState::Dead => Err(GroupError::UnknownMember),
            GroupState::PreparingRebalance => {
                self.heard_of(&id, &member, now);
                Err(GroupError::RebalanceInProgress)
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                self.heard_of(&id, &member, now);
                Ok(())
            }
        }
    }

    /// Nothing was heard of a member, or of a pending one, for its time.
    pub(super) fn session_expired(
        &mut self,
        id: &StrBytes,
        member: &StrBytes,
        now: Now,
        out: &mut Outputs,
    ) {
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        if group.pending_join.contains(member) {
            out.log(LogEvent::PendingMemberExpired { group: id.clone(), member: member.clone() });
            group.remove(member);
            self.complete_join_after_departure(id, now, out);
            return;
        }
        let Some(expired) = group.members.get(member) else {
            return;
        };
        if expired.has_satisfied_heartbeat() {
            return;
        }
        out.log(LogEvent::MemberFailed { group: id.clone(), member: member.clone() });
        self.refuse_join_of(id, member, out);
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        group.remove(member);
        match group.state {
            GroupState::Stable | GroupState::CompletingRebalance => {
                let reason = format!("removing member {member} on heartbeat expiration.");
                self.rebalance_or_complete_join(id, reason, now, out);
            }
            _ => self.complete_join_after_departure(id, now, out),
        }
    }

    /// A member that is about to be removed may have its join parked: it is told to begin anew.
    pub(super) fn refuse_join_of(&mut self, id: &StrBytes, member: &StrBytes, out: &mut Outputs) {
        let parked = self.classic_mut(id).and_then(|group| group.take_join(member));
        if let Some(join) = parked {
            let error = GroupError::UnknownMember;
            out.reply(join, JoinAnswer::refused(StrBytes::default(), error));
        }
    }

    /// The rest may all have joined already; also in a group's first join phase, as in Kafka.
    fn complete_join_after_departure(&mut self, id: &StrBytes, now: Now, out: &mut Outputs) {
        let ready = self.classic(id).is_some_and(|group| {
            group.is_in(GroupState::PreparingRebalance) && group.has_all_joined()
        });
        if ready {
            self.complete_join(id, now, out);
        }
    }
}
