//! ShareGroupHeartbeat: a member joins, says what it reads, and is told what to have.
//!
//! One heartbeat is one write: who the member is, the epoch of the group if that changes, the new
//! target if it is behind, what the member has from here on, and which partitions wait for their
//! state. Answers to `GroupMetadataManager.shareGroupHeartbeat`.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::messages::ShareGroupHeartbeatRequest;
use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::super::modern::{Assignment, ClusterMetadata, GroupConfig};
use super::super::settings::{Caller, own};
use super::super::shard::{Group, GroupShard};
use super::event::ShareGroupEvent;
use super::group::ShareGroup;
use super::member::{LEFT, Member};
use super::records;
use super::state_initialization::StateToInitialize;
use super::target_assignment::{Assigning, Target};
use crate::runtime::{Now, Reply};

/// The answer to a heartbeat, or why it was refused.
pub type ShareHeartbeatAnswer = Result<ShareGroupHeartbeat, GroupError>;

/// What a member is told, and what is to be done then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareGroupHeartbeat {
    pub member_id: StrBytes,
    pub member_epoch: i32,
    /// 0 for a member that leaves.
    pub heartbeat_interval_ms: i32,
    /// None: it is what the member has been told before.
    pub assignment: Option<Assignment>,
    /// For whoever gives the answer: partitions that have no state yet.
    pub initialize: Option<StateToInitialize>,
}

/// What one heartbeat writes and answers.
type Beat = (Vec<GroupRecord>, ShareGroupHeartbeat);

/// What the group is with a heartbeat.
pub(super) struct Bumped {
    pub(super) epoch: i32,
    pub(super) topics: BTreeSet<StrBytes>,
    pub(super) is_homogeneous: bool,
    bumps: bool,
}

impl GroupShard {
    /// ShareGroupHeartbeat; `image` is the newest metadata.
    pub fn share_group_heartbeat(
        &mut self,
        client: Caller<'_>,
        request: &ShareGroupHeartbeatRequest,
        image: &Arc<dyn ClusterMetadata>,
        reply: Reply<ShareHeartbeatAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        self.catch_up(image);
        let id = own(&request.group_id);
        let beaten = match request.member_epoch {
            LEFT => self.leave_share_group(&id, &own(&request.member_id), out),
            _ => self.beat_in_share_group(&id, client, request, now, out),
        };
        match beaten {
            Err(error) => out.reply(reply, Err(error)),
            Ok((written, answer)) => self.write_or_settle(&id, written, reply, Ok(answer), out),
        }
    }

    /// Answers when these records are written; without any, when what is under way for the group
    /// is: what is told must stand in the log, so that another coordinator knows of it.
    pub(super) fn write_or_settle<T: Into<super::super::Answer>>(
        &mut self,
        id: &StrBytes,
        written: Vec<GroupRecord>,
        reply: Reply<T>,
        answer: T,
        out: &mut Outputs,
    ) {
        if !written.is_empty() {
            out.write_and_reply(self, written, reply, answer);
        } else if self.groups.is_under_way(id) {
            out.reply_when_settled(reply, answer);
        } else {
            out.reply(reply, answer);
        }
    }

    fn beat_in_share_group(
        &mut self,
        id: &StrBytes,
        client: Caller<'_>,
        request: &ShareGroupHeartbeatRequest,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Beat, GroupError> {
        let mut written = Vec::new();
        let (group, member) = self.share_member(id, request, out)?;
        let updated = member.updated(request, client);
        let is_new_subscription = updated.topics != member.topics;
        if updated != *member {
            written.push(records::member(id, &updated));
        }
        if is_new_subscription {
            out.log(LogEvent::Share(ShareGroupEvent::Subscribed {
                group: id.clone(),
                member: updated.id.clone(),
                topics: updated.topics.iter().cloned().collect(),
            }));
        }
        let bumped =
            self.bump_share_group(&group, &updated, is_new_subscription, &mut written, now, out);
        let assigning = Assigning { group: &group, bumped: &bumped, member: &updated };
        let target = self.update_share_target(&assigning, &mut written, now, out);
        let updated = self.reconcile_share_member(id, updated, &target, bumped.bumps, &mut written);
        let timeout_ms = self.share_session_timeout_ms(id);
        self.restart_session(id, &updated.id, timeout_ms, now);
        let is_told = request.member_epoch == 0
            || request.subscribed_topic_names.is_some()
            || member.assigned != updated.assigned;
        let initialize =
            self.initialize_state(&group, bumped.epoch, &bumped.topics, now, &mut written, out);
        let answer = ShareGroupHeartbeat {
            member_id: updated.id.clone(),
            member_epoch: updated.epoch,
            heartbeat_interval_ms: self.share_heartbeat_interval_ms(id),
            assignment: is_told.then_some(updated.assigned),
            initialize,
        };
        Ok((written, answer))
    }

    /// The group with the member that sends the heartbeat in it; who joins makes both.
    fn share_member(
        &self,
        id: &StrBytes,
        request: &ShareGroupHeartbeatRequest,
        out: &mut Outputs,
    ) -> Result<(Arc<ShareGroup>, Arc<Member>), GroupError> {
        let joins = request.member_epoch == 0;
        let mut group = match self.groups.latest(id) {
            Some(Group::Share(group)) => Arc::clone(group),
            Some(_) => return Err(GroupError::NotAShareGroup(id.clone())),
            None if joins => Arc::new(ShareGroup::new(id.clone())),
            None => return Err(GroupError::NoSuchShareGroup(id.clone())),
        };
        let member_id = own(&request.member_id);
        let max = self.settings.share.max_size;
        if group.members.len() >= max && !group.members.contains_key(&member_id) {
            return Err(GroupError::ShareGroupFull { max });
        }
        if joins && !group.members.contains_key(&member_id) {
            let member = Arc::new(Member::new(member_id.clone()));
            Arc::make_mut(&mut group).members.insert(member_id.clone(), member);
        }
        let member = Arc::clone(group.member(&member_id)?);
        refuse_epoch(&member, request.member_epoch)?;
        if joins {
            let group = id.clone();
            out.log(LogEvent::Share(ShareGroupEvent::Joins { group, member: member_id }));
        }
        Ok((group, member))
    }

    /// The next epoch where subscriptions or topics have changed, or state has come to be that
    /// nobody reads yet.
    fn bump_share_group(
        &mut self,
        group: &ShareGroup,
        member: &Member,
        is_new_subscription: bool,
        written: &mut Vec<GroupRecord>,
        now: Now,
        out: &mut Outputs,
    ) -> Bumped {
        let mut epoch = group.epoch;
        let mut bumps = is_new_subscription
            || (group.assignment_epoch >= epoch && group.has_unassigned_state());
        if !bumps && !self.metadata.is_expired_at(&group.id, epoch, now) {
            let topics = group.topics(None, None);
            return Bumped { epoch, topics, is_homogeneous: group.is_homogeneous(None), bumps };
        }
        let topics = group.topics(None, Some(member));
        let metadata_hash = self.metadata.hash_of_topics(&topics);
        let id = || group.id.clone();
        if metadata_hash != group.metadata_hash {
            out.log(LogEvent::Share(ShareGroupEvent::MetadataHash { group: id(), metadata_hash }));
            bumps = true;
        }
        if bumps {
            epoch += 1;
            written.push(records::group_epoch(&group.id, epoch, metadata_hash));
            let event = ShareGroupEvent::Bumped { group: id(), epoch, metadata_hash };
            out.log(LogEvent::Share(event));
        }
        self.metadata.refreshed(&group.id, epoch, now);
        Bumped { epoch, topics, is_homogeneous: group.is_homogeneous(Some(member)), bumps }
    }

    /// The member as it is to be from here on. What it no longer subscribes to it does not get.
    fn reconcile_share_member(
        &self,
        id: &StrBytes,
        member: Member,
        target: &Target,
        has_changed: bool,
        written: &mut Vec<GroupRecord>,
    ) -> Member {
        if !has_changed && member.epoch == target.epoch {
            return member;
        }
        let image = &self.metadata.image;
        let is_read = |topic| {
            image.topic_by_id(topic).is_some_and(|topic| member.topics.contains(&topic.name))
        };
        let mut assigned = Assignment::clone(&target.assignment);
        assigned.retain(|topic, _| is_read(*topic));
        let reconciled = member.reconciled(target.epoch, assigned);
        if reconciled != member {
            written.push(records::current_assignment(id, &reconciled));
        }
        reconciled
    }

    pub(super) fn share_session_timeout_ms(&self, group: &str) -> u64 {
        let of = &self.settings.share;
        let config = GroupConfig::ShareSessionTimeoutMs;
        let timeout_ms =
            self.group_config(group, config, of.session_bounds_ms, of.session_timeout_ms);
        u64::try_from(timeout_ms).unwrap_or(0)
    }

    fn share_heartbeat_interval_ms(&self, group: &str) -> i32 {
        let of = &self.settings.share;
        let config = GroupConfig::ShareHeartbeatIntervalMs;
        self.group_config(group, config, of.heartbeat_bounds_ms, of.heartbeat_interval_ms)
    }
}

impl ShareGroup {
    /// Whether state is held for partitions of topics that are read which nobody is to have.
    fn has_unassigned_state(&self) -> bool {
        let Some(state) = self.state_partitions.as_ref().filter(|_| !self.is_empty()) else {
            return false;
        };
        let topics = self.topics(None, None);
        let mut assigned = Assignment::new();
        for (topic, partitions) in self.target.values().flat_map(|target| target.iter()) {
            assigned.entry(*topic).or_default().extend(partitions);
        }
        state.initialized.iter().any(|(id, topic)| {
            topics.contains(&topic.name) && assigned.get(id) != Some(&topic.partitions)
        })
    }
}

fn refuse_epoch(member: &Member, received: i32) -> Result<(), GroupError> {
    let known = member.epoch;
    let why = if received == 0 || received == known || received == member.previous_epoch {
        return Ok(());
    } else if received > known {
        format!(
            "The share group member has a greater member epoch ({received}) than the one known by \
             the group coordinator ({known}). The member must abandon all its partitions and \
             rejoin."
        )
    } else {
        format!(
            "The share group member has a smaller member epoch ({received}) than the one known by \
             the group coordinator ({known}), and it does not match the previous member epoch \
             ({}). The member must abandon all its partitions and rejoin.",
            member.previous_epoch
        )
    };
    Err(GroupError::FencedMemberEpoch(why))
}
