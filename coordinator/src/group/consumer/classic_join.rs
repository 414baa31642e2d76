//! JoinGroup to a consumer group: a member of the classic protocol comes into it, or comes again to
//! be reconciled.
//!
//! It is a heartbeat in another form: the subscription and what the member has are read out of its
//! protocols' metadata, its epoch is the generation it is told, and what it is to have it asks for
//! with SyncGroup. Nobody leads: the coordinator assigns. Answers to
//! `classicGroupJoinToConsumerGroup`.

use std::sync::Arc;

use protocol::base64_uuid::Base64Uuid;
use protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use protocol::records::group::{ClassicMemberMetadata, GroupRecord};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::Outputs;
use super::super::answer::{GroupError, JoinAnswer};
use super::super::classic::Protocols;
use super::super::join::{Joining, MEMBER_ID_REQUIRED_SINCE};
use super::super::log_event::LogEvent;
use super::super::settings::MigrationPolicy;
use super::super::shard::GroupShard;
use super::downgrade::Downgrade;
use super::embedded_protocol::{CONSUMER, NamedPartitions, Subscription};
use super::event::{ConsumerGroupEvent, MemberProtocol};
use super::group::ConsumerGroup;
use super::member::Member;
use super::reconciliation::Reconciliation;
use super::records;
use super::static_member::{Caller, Comer, find_or_join};
use super::target_assignment::{Assigning, Target};
use crate::runtime::Now;

/// What a join writes, and who the member is then.
struct Joined {
    written: Vec<GroupRecord>,
    member: Member,
    downgrade: Option<Downgrade>,
}

/// A member as it was, and as the join makes it.
struct Change<'a> {
    replaced: Option<&'a StrBytes>,
    updated: Member,
    has_subscription_changed: bool,
    group_epoch: i32,
    owned: Vec<TopicPartitions>,
}

impl GroupShard {
    pub(in super::super) fn join_consumer_group(
        &mut self,
        group: &ConsumerGroup,
        mut joining: Joining,
        draw: Uuid,
        now: Now,
        out: &mut Outputs,
    ) {
        let reply = joining.reply;
        let is_new = joining.member.is_empty();
        if is_new {
            joining.member = StrBytes::from_string(Base64Uuid(draw).to_string());
        }
        let joined = match self.join_as_classic(group, &joining, is_new, now, out) {
            Ok(joined) => joined,
            Err(error) => {
                let needs_id = error == GroupError::MemberIdRequired;
                let member = if needs_id { joining.member } else { StrBytes::default() };
                return out.reply(reply, JoinAnswer::refused(member, error));
            }
        };
        let Joined { written, member, downgrade } = joined;
        let (id, session_timeout_ms) = (&group.id, joining.session_timeout_ms);
        if downgrade.is_none() {
            self.end_classic_waits(id, &member.id);
            self.restart_classic_session(id, &member.id, session_timeout_ms, now);
            self.time_sync(id, &member.id, joining.rebalance_timeout_ms, now);
        }
        let answer = generation_of(&member);
        if !written.is_empty() {
            out.write_and_reply(self, written, reply, answer);
        } else if self.groups.is_under_way(id) {
            out.reply_when_settled(reply, answer);
        } else {
            out.reply(reply, answer);
        }
        if let Some(downgrade) = downgrade {
            self.become_classic(downgrade, now, out);
        }
    }

    fn join_as_classic(
        &mut self,
        group: &ConsumerGroup,
        joining: &Joining,
        is_new: bool,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Joined, GroupError> {
        self.refuse_classic(group, joining, out)?;
        let instance = joining.instance.as_ref();
        if is_new && instance.is_none() && joining.api_version >= MEMBER_ID_REQUIRED_SINCE {
            let (group, member) = (group.id.clone(), joining.member.clone());
            out.log(LogEvent::Consumer(ConsumerGroupEvent::MemberIdRequired { group, member }));
            return Err(GroupError::MemberIdRequired);
        }
        let subscription = subscription_of(&joining.protocols)?;
        let mut written = Vec::new();
        let comer = Comer {
            id: &joining.member,
            instance,
            joins: instance.is_none() || is_new,
            protocol: MemberProtocol::Classic,
        };
        let Caller { member, replaced } = find_or_join(group, &comer, &mut written, out)?;
        let existing = instance.and_then(|instance| group.static_member(instance)).cloned();
        let existing =
            existing.filter(|existing| self.may_downgrade_replacing(group, existing, out));
        let owned = by_topic_id(&subscription.owned, &*self.metadata.image);
        let updated = updated(&member, joining, subscription);
        let has_other_topics = updated.topics != member.topics;
        if updated != *member {
            written.push(records::member(&group.id, &updated));
        }
        // Whether expressions are to be matched is left to the members that subscribe by them.
        let regex = self.update_regular_expressions(group, &member, &updated, now, &mut written)?;
        let has_subscription_changed = has_other_topics || regex.is_changed;
        let replaced = replaced.as_ref();
        let group_epoch = self.group_epoch(
            group,
            &updated,
            replaced,
            has_subscription_changed,
            &mut written,
            now,
            out,
        );
        let change = Change { replaced, updated, has_subscription_changed, group_epoch, owned };
        match existing {
            Some(existing) => self.join_and_downgrade(group, &existing, change, written, now, out),
            None => self.join_and_stay(group, &change, written, now, out),
        }
    }

    /// The group stays one of consumers: the member is reconciled with the target.
    fn join_and_stay(
        &self,
        group: &ConsumerGroup,
        change: &Change<'_>,
        mut written: Vec<GroupRecord>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Joined, GroupError> {
        let assigning = Assigning {
            group,
            epoch: change.group_epoch,
            member: &change.updated,
            replaced: change.replaced,
        };
        let target = self.update_target(&assigning, &mut written, now, out)?;
        let member = self.reconciled(group, change, &target, &mut written)?;
        Ok(Joined { written, member, downgrade: None })
    }

    /// The member takes the instance of the last one of the consumer protocol. Where a rebalance
    /// follows anyway it is not reconciled.
    fn join_and_downgrade(
        &self,
        group: &ConsumerGroup,
        existing: &Member,
        change: Change<'_>,
        mut written: Vec<GroupRecord>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Joined, GroupError> {
        let rebalances = group.assignment_epoch < change.group_epoch;
        let member = if rebalances {
            change.updated.clone()
        } else {
            let assignment = group.target.get(&existing.id).cloned().unwrap_or_default();
            let target = Target { epoch: group.assignment_epoch, assignment };
            self.reconciled(group, &change, &target, &mut written)?
        };
        let downgrade = self.downgraded_replacing(group, existing, &member, rebalances, now, out);
        let Some(downgrade) = downgrade else {
            return self.join_and_stay(group, &change, written, now, out);
        };
        written.extend(group.tombstones_replacing(&existing.id, &member.id));
        written.push(downgrade.record());
        Ok(Joined { written, member, downgrade: Some(downgrade) })
    }

    fn reconciled(
        &self,
        group: &ConsumerGroup,
        change: &Change<'_>,
        target: &Target,
        written: &mut Vec<GroupRecord>,
    ) -> Result<Member, GroupError> {
        let member = &change.updated;
        if !change.has_subscription_changed && member.is_reconciled_to(target.epoch) {
            return Ok(member.clone());
        }
        let reconciled = Reconciliation {
            group,
            member,
            target_epoch: target.epoch,
            target: &target.assignment,
            subscribed: self.topic_ids(group, member),
            has_subscription_changed: change.has_subscription_changed,
            owned: Some(&change.owned),
        }
        .step()?;
        if reconciled != *member {
            written.push(records::current_assignment(&group.id, &reconciled));
        }
        Ok(reconciled)
    }

    fn refuse_classic(
        &self,
        group: &ConsumerGroup,
        joining: &Joining,
        out: &mut Outputs,
    ) -> Result<(), GroupError> {
        if self.settings.migration_policy == MigrationPolicy::Disabled {
            let group = group.id.clone();
            out.log(LogEvent::Consumer(ConsumerGroupEvent::JoinRefused { group }));
            return Err(GroupError::InconsistentProtocol);
        }
        self.refuse_when_full(group, &joining.member)?;
        if joining.protocol_type.as_str() != CONSUMER
            || !joining.protocols.names().any(|name| is_common(group, name))
        {
            return Err(GroupError::InconsistentProtocol);
        }
        Ok(())
    }
}

/// Whether all members of the classic protocol support it.
fn is_common(group: &ConsumerGroup, protocol: &StrBytes) -> bool {
    let classic = group.members.values().filter_map(|member| member.classic.as_ref());
    let mut each = classic.map(|classic| &classic.supported_protocols);
    each.all(|supported| supported.iter().any(|(name, _)| name == protocol))
}

/// All protocols of a consumer have the same subscription; the first one's is read.
fn subscription_of(protocols: &Protocols) -> Result<Subscription, GroupError> {
    let first = protocols.iter().next();
    first.and_then(|(_, metadata)| Subscription::read(metadata)).ok_or(GroupError::Unexpected(
        "Malformed embedded consumer protocol in subscription deserialization.",
    ))
}

fn by_topic_id(
    owned: &NamedPartitions,
    image: &dyn super::super::modern::ClusterMetadata,
) -> Vec<TopicPartitions> {
    let topics = owned.iter().filter_map(|(topic, partitions)| {
        let id = image.topic_by_name(topic)?.id;
        Some(TopicPartitions::default().with_topic_id(id).with_partitions(partitions.clone()))
    });
    topics.collect()
}

/// What the member says of itself.
fn updated(member: &Arc<Member>, joining: &Joining, subscription: Subscription) -> Member {
    let mut updated = Member::clone(member);
    if joining.instance.is_some() {
        updated.instance_id.clone_from(&joining.instance);
    }
    if subscription.rack.is_some() {
        updated.rack_id = subscription.rack;
    }
    if joining.rebalance_timeout_ms != -1 {
        updated.rebalance_timeout_ms = joining.rebalance_timeout_ms;
    }
    updated.topics = subscription.topics.into_iter().collect();
    updated.regex = Some(StrBytes::default());
    updated.client_id = joining.client_id.clone();
    updated.client_host = joining.client_host.clone();
    updated.classic = Some(ClassicMemberMetadata {
        session_timeout_ms: joining.session_timeout_ms,
        supported_protocols: joining.protocols.iter().cloned().collect(),
        ..ClassicMemberMetadata::default()
    });
    updated
}

fn generation_of(member: &Member) -> JoinAnswer {
    let protocols = member.classic.iter().flat_map(|classic| &classic.supported_protocols);
    JoinAnswer {
        error: None,
        generation: member.epoch,
        protocol_type: Some(StrBytes::from_static_str(CONSUMER)),
        protocol_name: protocols.map(|(name, _)| name.clone()).next(),
        leader: StrBytes::default(),
        skip_assignment: false,
        member_id: member.id.clone(),
        members: Vec::new(),
    }
}
