//! JoinGroup. Answers to `GroupMetadataManager.classicGroupJoin` and
//! `GroupCoordinatorService.joinGroup`.
//!
//! A dynamic member without an id gets one and must come back with it (from version 4 on), so that
//! a client that retries does not become several members; a static member takes its instance's
//! place at once. A join is parked until the join phase is over.

use std::sync::Arc;

use bytes::Bytes;
use protocol::messages::JoinGroupRequest;
use protocol::records::group::{GroupMetadataValue, GroupRecord};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::Outputs;
use super::answer::{GroupError, JoinAnswer};
use super::classic::{GroupState, Member, Protocols};
use super::log_event::LogEvent;
use super::rebalance::current_generation;
use super::settings::{Caller, GroupSettings, own};
use super::shard::{Group, GroupShard};
use super::streams::StreamsGroupEvent;
use crate::runtime::{Now, Reply};

/// From this version on a member must know its id before it is let in.
pub(super) const MEMBER_ID_REQUIRED_SINCE: i16 = 4;

/// A JoinGroup in own copies.
pub(super) struct Joining {
    pub(super) group: StrBytes,
    pub(super) member: StrBytes,
    pub(super) instance: Option<StrBytes>,
    pub(super) protocol_type: StrBytes,
    pub(super) protocols: Protocols,
    pub(super) session_timeout_ms: i32,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) reason: String,
    pub(super) client_id: StrBytes,
    pub(super) client_host: StrBytes,
    pub(super) api_version: i16,
    pub(super) reply: Reply<JoinAnswer>,
}

impl Joining {
    fn new(caller: Caller<'_>, request: &JoinGroupRequest, reply: Reply<JoinAnswer>) -> Self {
        let reason = request.reason.as_deref().filter(|reason| !reason.is_empty());
        Self {
            group: own(&request.group_id),
            member: own(&request.member_id),
            instance: request.group_instance_id.as_ref().map(own),
            protocol_type: own(&request.protocol_type),
            protocols: Protocols::from_request(&request.protocols),
            session_timeout_ms: request.session_timeout_ms,
            rebalance_timeout_ms: if caller.api_version == 0 {
                request.session_timeout_ms
            } else {
                request.rebalance_timeout_ms
            },
            reason: reason.unwrap_or("not provided").to_owned(),
            client_id: StrBytes::from_string(caller.client_id.to_owned()),
            client_host: StrBytes::from_string(caller.client_host.to_owned()),
            api_version: caller.api_version,
            reply,
        }
    }

    /// `why`, with what the client says.
    pub(super) fn because(&self, why: &str) -> String {
        format!("{why}; client reason: {}", self.reason)
    }
}

/// What is wrong with a JoinGroup whatever the shard's state.
#[must_use]
pub fn refuse_join(settings: &GroupSettings, request: &JoinGroupRequest) -> Option<JoinAnswer> {
    let asked_ms = request.session_timeout_ms;
    let (min_ms, max_ms) = (settings.min_session_timeout_ms, settings.max_session_timeout_ms);
    let error = if request.group_id.is_empty() {
        GroupError::InvalidGroupId
    } else if asked_ms < min_ms || asked_ms > max_ms {
        GroupError::InvalidSessionTimeout { asked_ms, min_ms, max_ms }
    } else {
        return None;
    };
    Some(JoinAnswer::refused(request.member_id.clone(), error))
}

impl GroupShard {
    /// JoinGroup. `draw` is what a new member's id is made of.
    pub fn join(
        &mut self,
        caller: Caller<'_>,
        request: &JoinGroupRequest,
        reply: Reply<JoinAnswer>,
        draw: Uuid,
        now: Now,
        out: &mut Outputs,
    ) {
        let joining = Joining::new(caller, request, reply);
        if let Some(refusal) = refuse_join(&self.settings, request) {
            return out.reply(reply, refusal);
        }
        match self.groups.latest(&joining.group) {
            Some(Group::Consumer(group)) if group.is_empty() => {
                let event = LogEvent::ConvertedToClassic { group: joining.group.clone() };
                self.convert_to_classic(&joining.group, event, out);
            }
            Some(Group::Streams(group)) if group.is_empty() => {
                let group = joining.group.clone();
                let event = StreamsGroupEvent::ConvertedToClassic { group };
                self.convert_to_classic(&joining.group, LogEvent::Streams(event), out);
            }
            Some(Group::Consumer(group)) => {
                let group = Arc::clone(group);
                return self.join_consumer_group(&group, joining, draw, now, out);
            }
            Some(Group::Share(_) | Group::Streams(_)) => {
                let error = GroupError::InconsistentProtocol;
                return out.reply(reply, JoinAnswer::refused(StrBytes::default(), error));
            }
            Some(Group::Classic(_)) | None => {}
        }
        let is_unknown = joining.member.is_empty();
        if self.groups.latest(&joining.group).is_none() {
            if !is_unknown {
                let refusal = JoinAnswer::refused(joining.member, GroupError::UnknownMember);
                return out.reply(reply, refusal);
            }
            self.write_new_group(joining.group.clone(), now, out);
        }
        let group = joining.group.clone();
        if !self.has_room_for(&joining) {
            let max = self.settings.max_size;
            if let Some(group) = self.classic_mut(&group) {
                group.remove(&joining.member);
            }
            let error = GroupError::MaxSizeReached { max };
            out.reply(reply, JoinAnswer::refused(StrBytes::default(), error));
        } else if is_unknown {
            self.join_new(joining, draw, now, out);
        } else {
            self.join_existing(joining, now, out);
        }
    }

    /// An empty consumer group goes, so that a classic one can come.
    fn convert_to_classic(&mut self, id: &StrBytes, event: LogEvent, out: &mut Outputs) {
        let records = self.group_tombstones(id);
        out.log(event);
        out.write(self, records, None);
    }

    /// A group is in the log from its first member's first request on.
    fn write_new_group(&mut self, group: StrBytes, now: Now, out: &mut Outputs) {
        let value = GroupMetadataValue {
            current_state_timestamp_ms: now.wall_ms,
            ..GroupMetadataValue::default()
        };
        out.write(self, vec![GroupRecord::GroupMetadata { group, value: Some(value) }], None);
    }

    fn has_room_for(&self, joining: &Joining) -> bool {
        let Some(group) = self.classic(&joining.group) else {
            return true;
        };
        let max = self.settings.max_size;
        let member = group.members.get(&joining.member);
        match group.state {
            GroupState::Empty | GroupState::Dead => true,
            // Those who wait count, because a limit that was lowered is below the size already: the
            // last ones to rejoin are refused.
            GroupState::PreparingRebalance => {
                member.is_some_and(|member| member.awaiting_join.is_some())
                    || group.awaiting_join < max
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                member.is_some() || group.members.len() < max
            }
        }
    }

    fn join_new(&mut self, mut joining: Joining, draw: Uuid, now: Now, out: &mut Outputs) {
        let Some(group) = self.classic_mut(&joining.group) else {
            return;
        };
        if !group.supports(&joining.protocol_type, &joining.protocols) {
            let error = GroupError::InconsistentProtocol;
            return out.reply(joining.reply, JoinAnswer::refused(StrBytes::default(), error));
        }
        let prefix = joining.instance.as_ref().unwrap_or(&joining.client_id);
        let member = StrBytes::from_string(format!("{prefix}-{}", draw.hyphenated()));
        joining.member = member.clone();
        let (id, state) = (joining.group.clone(), group.state);
        if let Some(instance) = joining.instance.clone() {
            let Some(old) = group.static_members.get(&instance).cloned() else {
                out.log(LogEvent::StaticMemberAdded { group: id, state, member, instance });
                return self.add_member(joining, now, out);
            };
            out.log(LogEvent::StaticMemberReplaced {
                group: id,
                state,
                old: old.clone(),
                instance,
            });
            return self.take_over(joining, old, now, out);
        }
        if joining.api_version < MEMBER_ID_REQUIRED_SINCE {
            out.log(LogEvent::DynamicMemberAdded { group: id, state, member });
            return self.add_member(joining, now, out);
        }
        out.log(LogEvent::MemberIdRequired { group: id.clone(), state, member: member.clone() });
        group.pending_join.insert(member.clone());
        let timeout_ms = u64::try_from(joining.session_timeout_ms).unwrap_or(0);
        self.restart_session(&id, &member, timeout_ms, now);
        out.reply(joining.reply, JoinAnswer::refused(member, GroupError::MemberIdRequired));
    }

    fn join_existing(&mut self, joining: Joining, now: Now, out: &mut Outputs) {
        let Some(group) = self.classic_mut(&joining.group) else {
            return;
        };
        let member = joining.member.clone();
        let refuse = |error| JoinAnswer::refused(member.clone(), error);
        if !group.supports(&joining.protocol_type, &joining.protocols) {
            return out.reply(joining.reply, refuse(GroupError::InconsistentProtocol));
        }
        if group.pending_join.contains(&member) {
            if joining.instance.is_some() {
                let error = GroupError::Unexpected("a pending member has no instance id");
                let refusal = JoinAnswer::refused(StrBytes::default(), error);
                return out.reply(joining.reply, refusal);
            }
            let (group, state) = (joining.group.clone(), group.state);
            out.log(LogEvent::PendingMemberJoins { group, state, member });
            return self.add_member(joining, now, out);
        }
        let instance = joining.instance.as_ref();
        if let Err(error) = group.validate_member(&member, instance, "join-group", out) {
            return out.reply(joining.reply, refuse(error));
        }
        let is_same =
            group.members.get(&member).map(|member| &member.protocols) == Some(&joining.protocols);
        let state = group.state;
        let why = match state {
            GroupState::PreparingRebalance => {
                format!("Member {member} is joining group during {state}")
            }
            // It may have missed the answer: the same again.
            GroupState::CompletingRebalance if is_same => {
                return out.reply(joining.reply, current_generation(group, &member));
            }
            // The leader may have seen something that changes the assignment.
            GroupState::Stable if group.is_leader(&member) => {
                format!("Leader {member} re-joining group during {state}")
            }
            GroupState::Stable if is_same => {
                return out.reply(joining.reply, current_generation(group, &member));
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                format!("Updating metadata for member {member} during {state}")
            }
            GroupState::Empty | GroupState::Dead => {
                out.reply(joining.reply, refuse(GroupError::UnknownMember));
                let group = joining.group;
                return out.log(LogEvent::UnexpectedRejoin { group, state, member });
            }
        };
        let reason = joining.because(&why);
        self.update_member(joining, reason, now, out);
    }

    fn update_member(&mut self, joining: Joining, reason: String, now: Now, out: &mut Outputs) {
        let Some(group) = self.classic_mut(&joining.group) else {
            return;
        };
        let displaced = group.update(
            &joining.member,
            joining.protocols,
            joining.rebalance_timeout_ms,
            joining.session_timeout_ms,
            Some(joining.reply),
        );
        if let Some(displaced) = displaced {
            refuse_displaced(displaced, &joining.member, out);
        }
        self.rebalance_or_complete_join(&joining.group, reason, now, out);
    }

    pub(super) fn add_member(&mut self, joining: Joining, now: Now, out: &mut Outputs) {
        let instance = joining.instance.as_deref().unwrap_or("null").to_owned();
        let reason = joining.because(&format!(
            "Adding new member {} with group instance id {instance}",
            joining.member
        ));
        let member = Member {
            id: joining.member.clone(),
            instance_id: joining.instance,
            client_id: joining.client_id,
            client_host: joining.client_host,
            rebalance_timeout_ms: joining.rebalance_timeout_ms,
            session_timeout_ms: joining.session_timeout_ms,
            protocols: joining.protocols,
            assignment: Bytes::new(),
            awaiting_join: None,
            awaiting_sync: None,
            is_new: true,
        };
        let Some(group) = self.classic_mut(&joining.group) else {
            return;
        };
        if group.is_in(GroupState::PreparingRebalance) && group.previous_state == GroupState::Empty
        {
            group.new_member_added = true;
        }
        group.add(member, &joining.protocol_type, Some(joining.reply));
        // A new member cannot send heartbeats while its join is parked, nor is a disconnect seen;
        // its place is held this long, so that clients which give up and retry don't pile up.
        let timeout_ms = self.settings.new_member_join_timeout_ms;
        self.restart_session(&joining.group, &joining.member, timeout_ms, now);
        self.rebalance_or_complete_join(&joining.group, reason, now, out);
    }
}

/// Answers a parked join whose member has joined again.
pub(super) fn refuse_displaced(displaced: Reply<JoinAnswer>, member: &StrBytes, out: &mut Outputs) {
    out.reply(displaced, JoinAnswer::refused(member.clone(), GroupError::RebalanceInProgress));
}
