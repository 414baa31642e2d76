//! The join phase: when it opens, how long it waits, what it ends with.
//!
//! The first rebalance of a group waits group.initial.rebalance.delay.ms, and longer while members
//! come, up to their rebalance timeout. Later ones end when all members have rejoined, or with the
//! rebalance timeout, which drops the dynamic members that have not. Answers to
//! `GroupMetadataManager.prepareRebalance`, `completeClassicGroupJoin` and the timers around them.

use bytes::Bytes;
use protocol::records::group::{GroupMetadataValue, GroupRecord, MemberMetadata};
use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{GroupError, JoinAnswer};
use super::classic::{ClassicGroup, GroupState};
use super::log_event::{LogEvent, listed};
use super::pending_write::{AfterWrite, EmptyGroup, PendingWrite};
use super::shard::GroupShard;
use super::timers::{Expiry, TimerKey};
use crate::runtime::Now;

impl GroupShard {
    /// Opens the join phase if the group can, else ends it if it may.
    pub(super) fn rebalance_or_complete_join(
        &mut self,
        group: &StrBytes,
        reason: String,
        now: Now,
        out: &mut Outputs,
    ) {
        match self.classic(group).map(ClassicGroup::can_rebalance) {
            Some(true) => self.prepare_rebalance(group, reason, now, out),
            Some(false) => self.complete_join_if_all_joined(group, now, out),
            None => {}
        }
    }

    pub(super) fn prepare_rebalance(
        &mut self,
        id: &StrBytes,
        reason: String,
        now: Now,
        out: &mut Outputs,
    ) {
        if self.classic(id).is_some_and(|group| group.is_in(GroupState::CompletingRebalance)) {
            self.reset_assignment(id, &GroupError::RebalanceInProgress, now, out);
        }
        self.timers.cancel(&TimerKey::Sync { group: id.clone() });
        let delay_ms = self.settings.initial_rebalance_delay_ms;
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        group.pending_sync.clear();
        let is_initial = group.is_in(GroupState::Empty);
        let timeout_ms = group.rebalance_timeout_ms();
        group.transition_to(GroupState::PreparingRebalance, now.wall_ms);
        out.log(LogEvent::PreparingToRebalance {
            group: id.clone(),
            state: group.state,
            generation: group.generation,
            reason,
        });
        let all_joined = group.has_all_joined();
        let key = TimerKey::Join { group: id.clone() };
        if is_initial {
            let remaining_ms = timeout_ms.saturating_sub(delay_ms);
            let expiry = Expiry::InitialJoin { delay_ms, remaining_ms };
            self.timers.set(key, now.monotonic_ms + delay_ms, expiry);
        } else if all_joined {
            self.complete_join(id, now, out);
        } else {
            self.timers.set(key, now.monotonic_ms + timeout_ms, Expiry::CompleteJoin);
        }
    }

    /// Ends the join phase when everybody is there, unless it is a group's first.
    pub(super) fn complete_join_if_all_joined(
        &mut self,
        id: &StrBytes,
        now: Now,
        out: &mut Outputs,
    ) {
        let ready = self.classic(id).is_some_and(|group| {
            group.is_in(GroupState::PreparingRebalance)
                && group.previous_state != GroupState::Empty
                && group.has_all_joined()
        });
        if ready {
            self.complete_join(id, now, out);
        }
    }

    /// The first rebalance has waited: longer if members came and time is left, else it ends.
    pub(super) fn initial_join_expired(
        &mut self,
        id: &StrBytes,
        delay_ms: u64,
        remaining_ms: u64,
        now: Now,
        out: &mut Outputs,
    ) {
        let configured_ms = self.settings.initial_rebalance_delay_ms;
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        if !group.new_member_added || remaining_ms == 0 {
            return self.complete_join(id, now, out);
        }
        group.new_member_added = false;
        let next_ms = configured_ms.min(remaining_ms);
        let expiry = Expiry::InitialJoin {
            delay_ms: next_ms,
            remaining_ms: remaining_ms.saturating_sub(delay_ms),
        };
        self.timers.set(TimerKey::Join { group: id.clone() }, now.monotonic_ms + next_ms, expiry);
    }

    /// Ends the join phase: the next generation begins with who is there.
    pub(super) fn complete_join(&mut self, id: &StrBytes, now: Now, out: &mut Outputs) {
        self.timers.cancel(&TimerKey::Join { group: id.clone() });
        self.drop_absent_members(id, out);
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        if !group.is_in(GroupState::PreparingRebalance) {
            return;
        }
        if !group.elect_joined_leader(out) && !group.members.is_empty() {
            // Only static members are left, and none has rejoined: their sessions decide.
            out.log(LogEvent::NoMemberRejoined { group: id.clone() });
            let timeout_ms = group.rebalance_timeout_ms();
            let key = TimerKey::Join { group: id.clone() };
            self.timers.set(key, now.monotonic_ms + timeout_ms, Expiry::CompleteJoin);
            return;
        }
        if !group.start_next_generation(now.wall_ms, out) {
            return self.refuse_all_joins(id, out);
        }
        let generation = group.generation;
        if group.is_in(GroupState::Empty) {
            out.log(LogEvent::NowEmpty { group: id.clone(), generation });
            let record = group_record(group, |_| Bytes::new());
            let pending = PendingWrite::EmptyGroup(EmptyGroup { group: id.clone() });
            out.write(self, vec![record], Some(AfterWrite(pending)));
        } else {
            out.log(LogEvent::Stabilized {
                group: id.clone(),
                generation,
                members: group.members.len(),
            });
            self.answer_joins(id, now, out);
        }
    }

    fn drop_absent_members(&mut self, id: &StrBytes, out: &mut Outputs) {
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        let absent: Vec<StrBytes> = group
            .members
            .values()
            .filter(|member| member.awaiting_join.is_none() && member.instance_id.is_none())
            .map(|member| member.id.clone())
            .collect();
        if absent.is_empty() {
            return;
        }
        for member in &absent {
            group.remove(member);
        }
        for member in &absent {
            self.end_session(id, member);
        }
        out.log(LogEvent::MembersDidNotRejoin { group: id.clone(), members: absent });
    }

    fn answer_joins(&mut self, id: &StrBytes, now: Now, out: &mut Outputs) {
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        let members: Vec<StrBytes> = group.members.keys().cloned().collect();
        let timeout_ms = group.rebalance_timeout_ms();
        let generation = group.generation;
        for member in &members {
            if let Some(join) = group.take_join(member) {
                out.reply(join, current_generation(group, member));
            }
            if let Some(member) = group.members.get_mut(member) {
                member.is_new = false;
            }
            group.pending_sync.insert(member.clone());
        }
        for member in &members {
            self.heard_of(id, member, now);
        }
        self.timers.set(
            TimerKey::Sync { group: id.clone() },
            now.monotonic_ms + timeout_ms,
            Expiry::PendingSync { generation },
        );
    }

    fn refuse_all_joins(&mut self, id: &StrBytes, out: &mut Outputs) {
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        let members: Vec<StrBytes> = group.members.keys().cloned().collect();
        for member in members {
            if let Some(join) = group.take_join(&member) {
                out.reply(join, JoinAnswer::refused(member, GroupError::InconsistentProtocol));
            }
        }
    }

    /// Members that got their generation and never asked for their assignment are dropped.
    pub(super) fn pending_sync_expired(
        &mut self,
        id: &StrBytes,
        generation: i32,
        now: Now,
        out: &mut Outputs,
    ) {
        let Some(group) = self.classic_mut(id) else {
            return;
        };
        let may_expire =
            matches!(group.state, GroupState::CompletingRebalance | GroupState::Stable);
        if group.generation != generation || !may_expire || group.pending_sync.is_empty() {
            return;
        }
        let late: Vec<StrBytes> = std::mem::take(&mut group.pending_sync).into_iter().collect();
        for member in &late {
            group.remove(member);
        }
        for member in &late {
            self.end_session(id, member);
        }
        let reason = format!("Removing {} on pending sync request expiration", listed(&late));
        out.log(LogEvent::MembersDidNotSync { group: id.clone(), members: late });
        self.prepare_rebalance(id, reason, now, out);
    }
}

/// A member's answer to JoinGroup in the present generation; the leader's names all members.
pub(super) fn current_generation(group: &ClassicGroup, member: &StrBytes) -> JoinAnswer {
    JoinAnswer {
        error: None,
        generation: group.generation,
        protocol_type: group.protocol_type.clone(),
        protocol_name: group.protocol_name.clone(),
        leader: group.leader.clone().unwrap_or_default(),
        skip_assignment: false,
        member_id: member.clone(),
        members: if group.is_leader(member) { group.joined_members() } else { Vec::new() },
    }
}

/// The record of a group as it stands, with these assignments.
pub(super) fn group_record(
    group: &ClassicGroup,
    assignment: impl Fn(&StrBytes) -> Bytes,
) -> GroupRecord {
    let protocol = group.protocol_name.clone().unwrap_or_default();
    let members = group.members.values().map(|member| MemberMetadata {
        member_id: member.id.clone(),
        group_instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        session_timeout_ms: member.session_timeout_ms,
        subscription: member.metadata(&protocol),
        assignment: assignment(&member.id),
        ..MemberMetadata::default()
    });
    GroupRecord::GroupMetadata {
        group: group.id.clone(),
        value: Some(GroupMetadataValue {
            protocol_type: group.protocol_type.clone().unwrap_or_default(),
            generation: group.generation,
            protocol: group.protocol_name.clone(),
            leader: group.leader.clone(),
            current_state_timestamp_ms: group.state_since_ms.unwrap_or(-1),
            members: members.collect(),
            ..GroupMetadataValue::default()
        }),
    }
}
