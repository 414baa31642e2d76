//! Members go: by themselves, or because nothing was heard of them in time. Answers to
//! `consumerGroupLeave` and `consumerGroupFenceMembers`.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::messages::ConsumerGroupHeartbeatRequest;
use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::super::settings::own;
use super::super::shard::{Group, GroupShard};
use super::event::ConsumerGroupEvent;
use super::group::ConsumerGroup;
use super::member::{LEFT_FOR_NOW, Member};
use super::records;
use super::static_member::known_instance;
use super::subscriptions::Subscriptions;

impl GroupShard {
    /// A heartbeat with the epoch of a member that leaves, for good or for now.
    pub(super) fn leave_by_heartbeat(
        &mut self,
        id: &StrBytes,
        request: &ConsumerGroupHeartbeatRequest,
        out: &mut Outputs,
    ) -> Result<Vec<GroupRecord>, GroupError> {
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
            return Ok(vec![records::current_assignment(id, &left_for_now(member))]);
        }
        Ok(self.fence(&group, &[&member_id], out))
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
        out: &mut Outputs,
    ) -> Vec<GroupRecord> {
        let id = &group.id;
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
        }
        written
    }
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
