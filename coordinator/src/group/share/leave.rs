//! Members go: by themselves, or because nothing was heard of them in time. Answers to
//! `shareGroupLeave` and `shareGroupFenceMember`.

use std::sync::Arc;

use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::super::shard::{Group, GroupShard};
use super::super::timers::TimerKey;
use super::event::ShareGroupEvent;
use super::group::ShareGroup;
use super::heartbeat::ShareGroupHeartbeat;
use super::member::LEFT;
use super::records;
use crate::runtime::Now;

impl GroupShard {
    pub(super) fn leave_share_group(
        &mut self,
        id: &StrBytes,
        member: &StrBytes,
        out: &mut Outputs,
    ) -> Result<(Vec<GroupRecord>, ShareGroupHeartbeat), GroupError> {
        let group = self.share_group(id)?;
        group.member(member)?;
        out.log(LogEvent::Share(ShareGroupEvent::Left {
            group: id.clone(),
            member: member.clone(),
        }));
        let written = self.fence_share_member(&group, member, out);
        let answer = ShareGroupHeartbeat {
            member_id: member.clone(),
            member_epoch: LEFT,
            heartbeat_interval_ms: 0,
            assignment: None,
            initialize: None,
        };
        Ok((written, answer))
    }

    /// The group, if it is one of this kind.
    pub(super) fn share_group(&self, id: &StrBytes) -> Result<Arc<ShareGroup>, GroupError> {
        match self.group(id)? {
            Group::Share(group) => Ok(Arc::clone(group)),
            _ => Err(GroupError::NotAShareGroup(id.clone())),
        }
    }

    /// What takes a member out of its group, and lets the others share what it had.
    fn fence_share_member(
        &mut self,
        group: &ShareGroup,
        member: &StrBytes,
        out: &mut Outputs,
    ) -> Vec<GroupRecord> {
        let id = &group.id;
        let metadata_hash = self.metadata.hash_of_topics(&group.topics(Some(member), None));
        if metadata_hash != group.metadata_hash {
            let group = id.clone();
            out.log(LogEvent::Share(ShareGroupEvent::MetadataHash { group, metadata_hash }));
        }
        let mut written: Vec<GroupRecord> = records::member_tombstones(id, member).into();
        written.push(records::group_epoch(id, group.epoch + 1, metadata_hash));
        self.end_session(id, member);
        written
    }

    /// Nothing was heard of a member for its session.
    pub(in super::super) fn share_session_expired(
        &mut self,
        id: &StrBytes,
        member: &StrBytes,
        out: &mut Outputs,
    ) {
        let Ok(group) = self.share_group(id) else { return };
        if group.member(member).is_err() {
            return;
        }
        out.log(LogEvent::Share(ShareGroupEvent::Fenced {
            group: id.clone(),
            member: member.clone(),
        }));
        let written = self.fence_share_member(&group, member, out);
        drop(group);
        out.write(self, written, None);
    }

    /// The sessions of a group's members begin: it has been loaded, or a write that had ended some
    /// was taken back.
    pub(in super::super) fn begin_share_sessions(&mut self, id: &StrBytes, now: Now) {
        let Some(Group::Share(group)) = self.groups.latest(id) else { return };
        let group = Arc::clone(group);
        for member in group.members.keys() {
            let session = TimerKey::Session { group: id.clone(), member: member.clone() };
            if !self.timers.is_set(&session) {
                let timeout_ms = self.share_session_timeout_ms(id);
                self.restart_session(id, member, timeout_ms, now);
            }
        }
    }
}
