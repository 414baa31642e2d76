//! Members go: by themselves, by an administrator's word, or because nothing was heard of them in
//! time. Where only members of the classic protocol are left, the group is a classic one again.
//! Answers to `consumerGroupLeave`, `consumerGroupFenceMembers` and
//! `classicGroupLeaveToConsumerGroup`.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::messages::ConsumerGroupHeartbeatRequest;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::{GroupError, LeaveAnswer, LeftMember};
use super::super::log_event::LogEvent;
use super::super::settings::own;
use super::super::shard::{Group, GroupShard};
use super::downgrade::Downgrade;
use super::event::ConsumerGroupEvent;
use super::group::ConsumerGroup;
use super::member::{LEFT_FOR_NOW, Member};
use super::records;
use super::static_member::known_instance;
use super::subscriptions::Subscriptions;
use crate::runtime::{Now, Reply};

/// What the departure of members writes, and what the group is then.
pub(super) struct Departure {
    pub(super) written: Vec<GroupRecord>,
    /// None: it is a consumer group still.
    pub(super) downgrade: Option<Downgrade>,
}

impl GroupShard {
    /// A heartbeat with the epoch of a member that leaves, for good or for now.
    pub(super) fn leave_by_heartbeat(
        &mut self,
        id: &StrBytes,
        request: &ConsumerGroupHeartbeatRequest,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Departure, GroupError> {
        let group = self.consumer_group(id)?;
        let member_id = own(&request.member_id);
        let instance = request.instance_id.as_ref().map(own);
        let member = match &instance {
            None => group.member(&member_id)?,
            Some(instance) => known_instance(group.static_member(instance), &member_id, instance)?,
        };
        let for_now = instance.is_some() && request.member_epoch == LEFT_FOR_NOW;
        out.log(LogEvent::Consumer(ConsumerGroupEvent::Left {
            group: id.clone(),
            member: member_id.clone(),
            instance,
            for_now,
        }));
        if for_now {
            let written = vec![records::current_assignment(id, &left_for_now(member))];
            return Ok(Departure { written, downgrade: None });
        }
        Ok(self.fence(&group, &[&member_id], now, out))
    }

    /// LeaveGroup to a consumer group: members of the classic protocol go, or an administrator
    /// removes members of any.
    pub(in super::super) fn leave_consumer_group_by_request(
        &mut self,
        group: &ConsumerGroup,
        members: &[MemberIdentity],
        reply: Reply<LeaveAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        let mut leaving: BTreeSet<StrBytes> = BTreeSet::new();
        let left = members.iter().map(|identity| {
            let found = find_leaving(group, identity, out);
            LeftMember {
                member_id: own(&identity.member_id),
                group_instance_id: identity.group_instance_id.as_ref().map(own),
                error: found.map(|member| leaving.insert(member)).err(),
            }
        });
        let answer = LeaveAnswer { error: None, members: left.collect() };
        if leaving.is_empty() {
            return out.reply(reply, answer);
        }
        let leaving: Vec<&StrBytes> = leaving.iter().collect();
        let Departure { written, downgrade } = self.fence(group, &leaving, now, out);
        out.write_and_reply(self, written, reply, answer);
        if let Some(downgrade) = downgrade {
            self.become_classic(downgrade, now, out);
        }
    }

    /// The group, if it is one of this kind.
    pub(super) fn consumer_group(&self, id: &StrBytes) -> Result<Arc<ConsumerGroup>, GroupError> {
        match self.group(id)? {
            Group::Consumer(group) => Ok(Arc::clone(group)),
            _ => Err(GroupError::NotAConsumerGroup(id.clone())),
        }
    }

    /// What takes members out of their group, and lets the others share what they had.
    pub(super) fn fence(
        &mut self,
        group: &ConsumerGroup,
        members: &[&StrBytes],
        now: Now,
        out: &mut Outputs,
    ) -> Departure {
        let id = &group.id;
        if let Some(downgrade) = self.downgraded_without(group, members, now, out) {
            let mut written = group.tombstones();
            written.push(downgrade.record());
            return Departure { written, downgrade: Some(downgrade) };
        }
        let mut written: Vec<GroupRecord> = Vec::new();
        for member in members {
            written.extend(records::member_tombstones(id, member));
        }
        let subscribed = |regex: &StrBytes| group.regular_expressions.get(regex).copied();
        let gone = members.iter().filter_map(|member| group.members.get(*member));
        let regexes: Vec<&StrBytes> = gone.filter_map(|gone| gone.regular_expression()).collect();
        for regex in regexes.iter().copied().collect::<BTreeSet<_>>() {
            let leaving = regexes.iter().filter(|other| **other == regex).count();
            if subscribed(regex) == Some(leaving) {
                written.push(records::regular_expression(id, regex, None));
            }
        }
        let hash = self.metadata.hash_of(&Subscriptions::of(group, members, None));
        let epoch = self.bump(id, group.epoch, hash, out);
        written.push(records::group_epoch(id, epoch, hash));
        for member in members {
            self.end_session(id, member);
            self.end_rebalance(id, member);
            self.end_classic_waits(id, member);
        }
        Departure { written, downgrade: None }
    }
}

/// Who is meant: a member by its id, or a static one by its instance, with its id or without.
fn find_leaving(
    group: &ConsumerGroup,
    identity: &MemberIdentity,
    out: &mut Outputs,
) -> Result<StrBytes, GroupError> {
    let member = match &identity.group_instance_id {
        None => group.member(&identity.member_id)?,
        Some(instance) if identity.member_id.is_empty() => {
            let unknown = || GroupError::UnknownInstance(instance.clone());
            group.static_member(instance).ok_or_else(unknown)?
        }
        Some(instance) => {
            known_instance(group.static_member(instance), &identity.member_id, instance)?
        }
    };
    out.log(LogEvent::Consumer(ConsumerGroupEvent::LeftByRequest {
        group: group.id.clone(),
        member: own(&identity.member_id),
        instance: identity.group_instance_id.as_ref().map(own),
        reason: identity.reason.as_deref().unwrap_or("not provided").to_owned(),
    }));
    Ok(member.id.clone())
}

/// It keeps its partitions for whoever comes with its instance id; since when they are its is
/// forgotten.
fn left_for_now(member: &Member) -> Member {
    let mut member = member.clone();
    member.epoch = LEFT_FOR_NOW;
    member.pending_revocation.clear();
    for epoch in member.assigned.values_mut().flat_map(|partitions| partitions.values_mut()) {
        *epoch = 0;
    }
    member
}
