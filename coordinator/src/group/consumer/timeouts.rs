//! Members that nothing is heard of, and members that do not give up their partitions, are fenced.
//!
//! The time for the latter begins when a member is asked to give something up, and is the member's
//! own. A member of the classic protocol has it to join again when it was told to, and to ask for
//! its assignment when it has. Answers to the timers of consumer groups in `GroupMetadataManager`.

use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::log_event::LogEvent;
use super::super::modern::GroupConfig;
use super::super::shard::{Group, GroupShard};
use super::super::timers::{Expiry, TimerKey};
use super::event::ConsumerGroupEvent;
use super::leave::Departure;
use super::member::{Member, MemberState};
use crate::runtime::Now;

impl GroupShard {
    fn consumer_session_timeout_ms(&self, group: &str) -> u64 {
        let of = &self.settings;
        let (bounds, of_broker) = (of.consumer_session_bounds_ms, of.consumer_session_timeout_ms);
        let config = GroupConfig::ConsumerSessionTimeoutMs;
        positive(self.group_config(group, config, bounds, of_broker))
    }

    pub(super) fn consumer_heartbeat_interval_ms(&self, group: &str) -> i32 {
        let of = &self.settings;
        let (bounds, of_broker) =
            (of.consumer_heartbeat_bounds_ms, of.consumer_heartbeat_interval_ms);
        self.group_config(group, GroupConfig::ConsumerHeartbeatIntervalMs, bounds, of_broker)
    }

    pub(super) fn consumer_assignment_interval_ms(&self, group: &str) -> i32 {
        let of = &self.settings;
        let (bounds, of_broker) =
            (of.consumer_assignment_bounds_ms, of.consumer_assignment_interval_ms);
        self.group_config(group, GroupConfig::ConsumerAssignmentIntervalMs, bounds, of_broker)
    }

    pub(super) fn restart_consumer_session(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        now: Now,
    ) {
        let timeout_ms = self.consumer_session_timeout_ms(group);
        self.restart_session(group, member, timeout_ms, now);
    }

    /// A member has come to another point of its assignment.
    pub(super) fn time_rebalance(&mut self, group: &StrBytes, member: &Member, now: Now) {
        let key = TimerKey::Rebalance { group: group.clone(), member: member.id.clone() };
        if member.state == MemberState::UnrevokedPartitions {
            let deadline_ms = now.monotonic_ms + positive(member.rebalance_timeout_ms);
            let expiry =
                Expiry::Rebalance { epoch: member.epoch, timeout_ms: member.rebalance_timeout_ms };
            self.timers.set(key, deadline_ms, expiry);
        } else {
            self.timers.cancel(&key);
        }
    }

    /// It has been told to join again: from then on its time runs, however often it is told.
    pub(super) fn time_rejoin(&mut self, group: &StrBytes, member: &Member, now: Now) {
        let key = TimerKey::MemberJoin { group: group.clone(), member: member.id.clone() };
        if !self.timers.is_set(&key) {
            let deadline_ms = now.monotonic_ms + positive(member.rebalance_timeout_ms);
            self.timers.set(key, deadline_ms, Expiry::ClassicMember);
        }
    }

    /// It has joined: it is to ask for its assignment in this time.
    pub(super) fn time_sync(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        timeout_ms: i32,
        now: Now,
    ) {
        let key = TimerKey::MemberSync { group: group.clone(), member: member.clone() };
        let deadline_ms = now.monotonic_ms + positive(timeout_ms);
        self.timers.set(key, deadline_ms, Expiry::ClassicMember);
    }

    pub(super) fn end_sync(&mut self, group: &StrBytes, member: &StrBytes) {
        let (group, member) = (group.clone(), member.clone());
        self.timers.cancel(&TimerKey::MemberSync { group, member });
    }

    /// It is not waited for any more, neither to join nor to sync.
    pub(super) fn end_classic_waits(&mut self, group: &StrBytes, member: &StrBytes) {
        let key = TimerKey::MemberJoin { group: group.clone(), member: member.clone() };
        self.timers.cancel(&key);
        self.end_sync(group, member);
    }

    pub(super) fn restart_classic_session(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        timeout_ms: i32,
        now: Now,
    ) {
        self.restart_session(group, member, positive(timeout_ms), now);
    }

    /// A member of the classic protocol has not joined again in its time.
    pub(in super::super) fn rejoin_expired(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        now: Now,
        out: &mut Outputs,
    ) {
        let why = "the classic member failed to join within the rebalance timeout".to_owned();
        self.fence_late(group, member, None, why, now, out);
    }

    /// It has joined and not asked for its assignment in its time.
    pub(in super::super) fn member_sync_expired(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        now: Now,
        out: &mut Outputs,
    ) {
        let why = "the member failed to sync within timeout".to_owned();
        self.fence_late(group, member, None, why, now, out);
    }

    pub(in super::super) fn end_rebalance(&mut self, group: &StrBytes, member: &StrBytes) {
        self.timers.cancel(&TimerKey::Rebalance { group: group.clone(), member: member.clone() });
    }

    /// Nothing was heard of a member for its session.
    pub(in super::super) fn consumer_session_expired(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        now: Now,
        out: &mut Outputs,
    ) {
        let why = "the member session expired".to_owned();
        self.fence_late(group, member, None, why, now, out);
    }

    /// A member has not given up its partitions in time, unless it has left that epoch.
    pub(in super::super) fn rebalance_expired(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        epoch: i32,
        timeout_ms: i32,
        now: Now,
        out: &mut Outputs,
    ) {
        let why = format!("it failed to transition from epoch {epoch} within {timeout_ms}ms");
        self.fence_late(group, member, Some(epoch), why, now, out);
    }

    fn fence_late(
        &mut self,
        id: &StrBytes,
        member_id: &StrBytes,
        epoch: Option<i32>,
        why: String,
        now: Now,
        out: &mut Outputs,
    ) {
        let Ok(group) = self.consumer_group(id) else { return };
        let Ok(member) = group.member(member_id) else { return };
        if epoch.is_some_and(|epoch| epoch != member.epoch) {
            return;
        }
        out.log(LogEvent::Consumer(ConsumerGroupEvent::Fenced {
            group: id.clone(),
            member: member_id.clone(),
            why,
        }));
        let Departure { written, downgrade } = self.fence(&group, &[member_id], now, out);
        drop(group);
        out.write(self, written, None);
        if let Some(downgrade) = downgrade {
            self.become_classic(downgrade, now, out);
        }
    }

    /// The sessions of a group's members begin: it has been loaded, or a write that had ended some
    /// was taken back.
    pub(in super::super) fn begin_consumer_sessions(&mut self, id: &StrBytes, now: Now) {
        let Some(Group::Consumer(group)) = self.groups.latest(id) else { return };
        let group = group.clone();
        for member in group.members.values() {
            let session = TimerKey::Session { group: id.clone(), member: member.id.clone() };
            if self.timers.is_set(&session) {
                continue;
            }
            self.restart_consumer_session(id, &member.id, now);
            self.time_rebalance(id, member, now);
        }
    }
}

fn positive(ms: i32) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}
