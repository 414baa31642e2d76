//! Members that nothing is heard of, and members that do not give up their tasks, are fenced.
//!
//! The time for the latter begins when a member is asked to give something up, and is the member's
//! own. Answers to the timers of streams groups in `GroupMetadataManager`.

use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::log_event::LogEvent;
use super::super::shard::{Group, GroupShard};
use super::super::timers::{Expiry, TimerKey};
use super::event::StreamsGroupEvent;
use super::member::{Member, MemberState};
use crate::runtime::Now;

impl GroupShard {
    pub(super) fn restart_streams_session(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        now: Now,
    ) {
        let timeout_ms = positive(self.streams_session_timeout_ms(group));
        self.restart_session(group, member, timeout_ms, now);
    }

    /// A member has come to another point of its assignment.
    pub(super) fn time_streams_rebalance(&mut self, group: &StrBytes, member: &Member, now: Now) {
        let key = TimerKey::Rebalance { group: group.clone(), member: member.id.clone() };
        if member.state == MemberState::UnrevokedTasks {
            let timeout_ms = member.rebalance_timeout_ms;
            let deadline_ms = now.monotonic_ms + positive(timeout_ms);
            self.timers.set(
                key,
                deadline_ms,
                Expiry::Rebalance { epoch: member.epoch, timeout_ms },
            );
        } else {
            self.timers.cancel(&key);
        }
    }

    /// Nothing was heard of a member for its session.
    pub(in super::super) fn streams_session_expired(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        out: &mut Outputs,
    ) {
        let why = "the member session expired.".to_owned();
        self.fence_late_streams(group, member, None, why, out);
    }

    /// A member has not given up its tasks in time, unless it has left that epoch.
    pub(in super::super) fn streams_rebalance_expired(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        epoch: i32,
        timeout_ms: i32,
        out: &mut Outputs,
    ) {
        let why = format!("it failed to transition from epoch {epoch} within {timeout_ms}ms.");
        self.fence_late_streams(group, member, Some(epoch), why, out);
    }

    fn fence_late_streams(
        &mut self,
        id: &StrBytes,
        member_id: &StrBytes,
        epoch: Option<i32>,
        why: String,
        out: &mut Outputs,
    ) {
        let Ok(group) = self.streams_group(id) else { return };
        let Ok(member) = group.member(member_id) else { return };
        if epoch.is_some_and(|epoch| epoch != member.epoch) {
            return;
        }
        out.log(LogEvent::Streams(StreamsGroupEvent::Fenced {
            group: id.clone(),
            member: member_id.clone(),
            why,
        }));
        let written = self.fence_streams(&group, member_id);
        drop(group);
        out.write(self, written, None);
    }

    /// The sessions of a group's members begin: it has been loaded, or a write that had ended some
    /// was taken back.
    pub(in super::super) fn begin_streams_sessions(&mut self, id: &StrBytes, now: Now) {
        let Some(Group::Streams(group)) = self.groups.latest(id) else { return };
        let group = group.clone();
        for member in group.members.values() {
            let session = TimerKey::Session { group: id.clone(), member: member.id.clone() };
            if self.timers.is_set(&session) {
                continue;
            }
            self.restart_streams_session(id, &member.id, now);
            self.time_streams_rebalance(id, member, now);
        }
    }
}

fn positive(ms: i32) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}
