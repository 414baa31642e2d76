//! A static member that comes back without its member id takes its instance's place (KIP-345).
//!
//! In a stable group whose protocol stays the same nobody else notices: the group is written with
//! the new id and the join is answered without a rebalance; from version 9 on a leader is told to
//! skip the assignment (KIP-814). Whoever held the instance id is fenced at once. Answers to
//! `GroupMetadataManager.updateStaticMemberThenRebalanceOrCompleteJoin`.

use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{GroupError, JoinAnswer, SyncAnswer};
use super::classic::GroupState;
use super::join::Joining;
use super::log_event::LogEvent;
use super::pending_write::{AfterWrite, PendingWrite};
use super::rebalance::{current_generation, group_record};
use super::shard::GroupShard;
use super::takeover::Takeover;
use crate::runtime::{Now, Reply, WriteFailure};

const SKIP_ASSIGNMENT_SINCE: i16 = 9;

impl GroupShard {
    pub(super) fn take_over(
        &mut self,
        joining: Joining,
        old: StrBytes,
        now: Now,
        out: &mut Outputs,
    ) {
        let Some(group) = self.classic_mut(&joining.group) else {
            return;
        };
        let (Some(instance), Some(member)) = (joining.instance.clone(), group.members.get(&old))
        else {
            return;
        };
        let takeover = Takeover {
            group: joining.group.clone(),
            instance: instance.clone(),
            old: old.clone(),
            new: joining.member.clone(),
            old_protocols: member.protocols.clone(),
            old_rebalance_timeout_ms: member.rebalance_timeout_ms,
            old_session_timeout_ms: member.session_timeout_ms,
            leader_before: group.leader.clone().unwrap_or_default(),
            api_version: joining.api_version,
            reply: joining.reply,
        };
        if let Some((join, sync)) = group.replace_static(&instance, &old, &joining.member) {
            fence(join, sync, &old, &joining.member, out);
        }
        group.update(
            &joining.member,
            joining.protocols.clone(),
            joining.rebalance_timeout_ms,
            joining.session_timeout_ms,
            Some(joining.reply),
        );
        let state = group.state;
        self.end_session(&joining.group, &old);
        self.restart_session(
            &joining.group,
            &joining.member,
            u64::try_from(takeover.old_session_timeout_ms).unwrap_or(0),
            now,
        );
        match state {
            GroupState::Stable => self.take_over_in_stable(&joining, takeover, now, out),
            GroupState::CompletingRebalance => {
                // The leader may be assigning to the old id at this moment.
                let reason = joining.because(&format!(
                    "Updating metadata for static member {} with instance id {instance}",
                    joining.member
                ));
                self.prepare_rebalance(&joining.group, reason, now, out);
            }
            _ => self.complete_join_if_all_joined(&joining.group, now, out),
        }
    }

    fn take_over_in_stable(
        &mut self,
        joining: &Joining,
        takeover: Takeover,
        now: Now,
        out: &mut Outputs,
    ) {
        let Some(group) = self.classic(&joining.group) else {
            return;
        };
        if group.select_protocol() != group.protocol_name {
            let reason = joining.because(&format!(
                "Group's selectedProtocol will change because static member {} with instance id \
                 {} joined with change of protocol",
                takeover.new, takeover.instance
            ));
            return self.rebalance_or_complete_join(&joining.group, reason, now, out);
        }
        out.log(LogEvent::StaticMemberWithoutRebalance);
        let record = group_record(group, |member| {
            group.members.get(member).map(|member| member.assignment.clone()).unwrap_or_default()
        });
        let pending = PendingWrite::StaticMember(Box::new(takeover));
        out.write(self, vec![record], Some(AfterWrite(pending)));
    }

    /// The new id is in the log: the join is answered, unless a rebalance has answered it.
    pub(super) fn takeover_written(&mut self, takeover: &Takeover, out: &mut Outputs) {
        let Some(group) = self.classic_mut(&takeover.group) else {
            return;
        };
        let parked = group.members.get(&takeover.new).and_then(|member| member.awaiting_join);
        if parked != Some(takeover.reply) || !group.is_in(GroupState::Stable) {
            return;
        }
        group.take_join(&takeover.new);
        let mut answer = current_generation(group, &takeover.new);
        if takeover.api_version >= SKIP_ASSIGNMENT_SINCE {
            answer.skip_assignment = group.is_leader(&takeover.new);
        } else {
            // Told that it leads, an old client would assign anew; so it hears of its former self.
            answer.leader = takeover.leader_before.clone();
            answer.members = Vec::new();
        }
        out.reply(takeover.reply, answer);
    }

    /// The new id is not in the log: the old one is back.
    pub(super) fn takeover_failed(
        &mut self,
        takeover: Takeover,
        failure: WriteFailure,
        now: Now,
        out: &mut Outputs,
    ) {
        out.log(LogEvent::WriteFailed { group: takeover.group.clone(), failure });
        let Some(group) = self.classic_mut(&takeover.group) else {
            return;
        };
        if group.static_members.get(&takeover.instance) != Some(&takeover.new) {
            return;
        }
        let mut answer = current_generation(group, &takeover.new);
        let parked = group.update(
            &takeover.new,
            takeover.old_protocols,
            takeover.old_rebalance_timeout_ms,
            takeover.old_session_timeout_ms,
            None,
        );
        group.replace_static(&takeover.instance, &takeover.new, &takeover.old);
        self.end_session(&takeover.group, &takeover.new);
        self.heard_of(&takeover.group, &takeover.old, now);
        if let Some(parked) = parked {
            answer.error = Some(GroupError::WriteFailed(failure));
            answer.member_id = StrBytes::default();
            answer.leader = takeover.leader_before;
            answer.members = Vec::new();
            out.reply(parked, answer);
        }
    }
}

/// Tells whoever waits under the old id that it is not that member any more.
fn fence(
    join: Option<Reply<JoinAnswer>>,
    sync: Option<Reply<SyncAnswer>>,
    old: &StrBytes,
    new: &StrBytes,
    out: &mut Outputs,
) {
    let error = GroupError::FencedInstance { by: new.clone() };
    if let Some(join) = join {
        out.reply(join, JoinAnswer::refused(old.clone(), error.clone()));
    }
    if let Some(sync) = sync {
        out.reply(sync, SyncAnswer::refused(error));
    }
}
