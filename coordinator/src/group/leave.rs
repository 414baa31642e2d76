//! LeaveGroup: members go by themselves, or an administrator removes static ones by instance id.
//!
//! Each member of the batch has an answer of its own. Answers to
//! `GroupMetadataManager.classicGroupLeaveToClassicGroup`.

use std::sync::Arc;

use protocol::messages::leave_group_request::MemberIdentity;
use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{GroupError, LeaveAnswer, LeftMember};
use super::classic::GroupState;
use super::log_event::LogEvent;
use super::settings::own;
use super::shard::{Group, GroupShard};
use crate::runtime::{Now, Reply};

impl GroupShard {
    /// LeaveGroup. Below version 3 a request names one member, which the caller puts into
    /// `members`.
    pub fn leave(
        &mut self,
        group: &StrBytes,
        members: &[MemberIdentity],
        reply: Reply<LeaveAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        if group.is_empty() {
            let error = Some(GroupError::InvalidGroupId);
            return out.reply(reply, leave_answer(error, Vec::new()));
        }
        let id = own(group);
        if let Some(Group::Consumer(group)) = self.groups.latest(&id) {
            let group = Arc::clone(group);
            return self.leave_consumer_group_by_request(&group, members, reply, now, out);
        }
        let known = matches!(self.groups.latest(&id), Some(Group::Classic(_)));
        let left: Vec<LeftMember> = members
            .iter()
            .map(|member| LeftMember {
                member_id: own(&member.member_id),
                group_instance_id: member.group_instance_id.as_ref().map(own),
                error: if known {
                    self.remove_leaving(&id, member, out).err()
                } else {
                    Some(GroupError::UnknownMember)
                },
            })
            .collect();
        let gone: Vec<&str> = left
            .iter()
            .filter(|member| member.error.is_none())
            .map(|member| member.member_id.as_str())
            .collect();
        let reason = format!("explicit `LeaveGroup` request for ({}) members.", gone.join(", "));
        let first_write = out.writes();
        if !gone.is_empty() {
            match self.classic(&id).map(|group| group.state) {
                Some(GroupState::Stable | GroupState::CompletingRebalance) => {
                    self.rebalance_or_complete_join(&id, reason, now, out);
                }
                Some(GroupState::PreparingRebalance) => {
                    self.complete_join_if_all_joined(&id, now, out);
                }
                _ => {}
            }
        }
        let answer = leave_answer(None, left);
        out.reply_when_written(first_write, reply, answer);
    }

    fn remove_leaving(
        &mut self,
        id: &StrBytes,
        leaving: &MemberIdentity,
        out: &mut Outputs,
    ) -> Result<(), GroupError> {
        let reason = leaving.reason.as_deref().unwrap_or("not provided").to_owned();
        let Some(group) = self.classic_mut(id) else {
            return Err(GroupError::UnknownMember);
        };
        let instance = leaving.group_instance_id.as_ref();
        let mut pending = false;
        let member = if leaving.member_id.is_empty() {
            let member = instance.and_then(|instance| group.static_members.get(instance));
            member.cloned().ok_or(GroupError::UnknownMember)?
        } else {
            let member = own(&leaving.member_id);
            pending = group.pending_join.contains(&member);
            if !pending {
                group.validate_member(&member, instance, "leave-group", out)?;
            }
            member
        };
        out.log(LogEvent::MemberLeft {
            group: id.clone(),
            member: member.clone(),
            reason,
            pending,
        });
        self.end_session(id, &member);
        self.refuse_join_of(id, &member, out);
        let removed = self.classic_mut(id).and_then(|group| group.remove(&member));
        if let Some(sync) = removed.and_then(|removed| removed.awaiting_sync) {
            out.reply(sync, super::SyncAnswer::refused(GroupError::UnknownMember));
        }
        Ok(())
    }
}

fn leave_answer(error: Option<GroupError>, members: Vec<LeftMember>) -> LeaveAnswer {
    LeaveAnswer { error, members }
}
