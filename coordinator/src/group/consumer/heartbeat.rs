//! ConsumerGroupHeartbeat: a member joins, says what it reads and has, and is told what to have.
//!
//! One heartbeat is one write: who the member is, the epoch of the group if that changes, the new
//! target if it is behind, and what the member has from here on. Answers to
//! `GroupMetadataManager.consumerGroupHeartbeat`.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::base64_uuid::Base64Uuid;
use protocol::messages::ConsumerGroupHeartbeatRequest;
use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::super::modern::{Assignment, ClusterMetadata};
use super::super::settings::{Caller as Client, own};
use super::super::shard::{Group, GroupShard};
use super::downgrade::Downgrade;
use super::event::{ConsumerGroupEvent, MemberProtocol};
use super::group::ConsumerGroup;
use super::leave::Departure;
use super::member::{LEFT, LEFT_FOR_NOW, Member};
use super::reconciliation::Reconciliation;
use super::records;
use super::static_member::{Caller, Comer, check_epoch, find_or_join};
use super::subscriptions::Subscriptions;
use super::target_assignment::Assigning;
use crate::runtime::{Now, Reply};

/// The answer to a heartbeat, or why it was refused.
pub type HeartbeatAnswer = Result<ConsumerGroupHeartbeat, GroupError>;

/// What a member is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroupHeartbeat {
    pub member_id: StrBytes,
    pub member_epoch: i32,
    /// 0 for a member that leaves.
    pub heartbeat_interval_ms: i32,
    /// None: it is what the member has been told before.
    pub assignment: Option<Assignment>,
}

/// What one heartbeat writes and answers.
struct Beat {
    written: Vec<GroupRecord>,
    answer: ConsumerGroupHeartbeat,
    /// Regular expressions to be matched when it has been decided.
    refresh: BTreeSet<StrBytes>,
    /// The classic group that a member leaves behind.
    downgrade: Option<Downgrade>,
}

impl GroupShard {
    /// ConsumerGroupHeartbeat. `draw` is what the id of a member without one is made of, `image`
    /// the newest metadata, `may_describe` which topics the member may see.
    #[expect(clippy::too_many_arguments, reason = "what a core may not ask for is handed in")]
    pub fn consumer_group_heartbeat(
        &mut self,
        client: Client<'_>,
        request: &ConsumerGroupHeartbeatRequest,
        image: &Arc<dyn ClusterMetadata>,
        may_describe: &dyn Fn(&str) -> bool,
        reply: Reply<HeartbeatAnswer>,
        draw: Uuid,
        now: Now,
        out: &mut Outputs,
    ) {
        self.catch_up(image);
        let id = own(&request.group_id);
        let beaten = match request.member_epoch {
            LEFT | LEFT_FOR_NOW => self.leave_consumer_group(&id, request, now, out),
            _ => self.beat(&id, client, request, draw, now, out),
        };
        let Beat { written, answer, refresh, downgrade } = match beaten {
            Ok(beat) => beat,
            Err(error) => return out.reply(reply, Err(error)),
        };
        // Whoever comes into a classic group has made another of it.
        self.end_classic_phases(&id, now, out);
        if !written.is_empty() {
            out.write_and_reply(self, written, reply, Ok(answer));
        } else if self.groups.is_under_way(&id) {
            // What the member is told must stand in the log: another coordinator has to know.
            out.reply_when_settled(reply, Ok(answer));
        } else {
            out.reply(reply, Ok(answer));
        }
        if let Some(downgrade) = downgrade {
            self.become_classic(downgrade, now, out);
        }
        if !refresh.is_empty() {
            self.resolve_regular_expressions(&id, &refresh, may_describe, now, out);
        }
    }

    fn leave_consumer_group(
        &mut self,
        id: &StrBytes,
        request: &ConsumerGroupHeartbeatRequest,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Beat, GroupError> {
        let Departure { written, downgrade } = self.leave_by_heartbeat(id, request, now, out)?;
        let answer = ConsumerGroupHeartbeat {
            member_id: request.member_id.clone(),
            member_epoch: request.member_epoch,
            heartbeat_interval_ms: 0,
            assignment: None,
        };
        Ok(Beat { written, answer, refresh: BTreeSet::new(), downgrade })
    }

    fn beat(
        &mut self,
        id: &StrBytes,
        client: Client<'_>,
        request: &ConsumerGroupHeartbeatRequest,
        draw: Uuid,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Beat, GroupError> {
        let mut written = Vec::new();
        let group = self.group_to_join(id, request.member_epoch == 0, &mut written, out)?;
        self.refuse_when_full(&group, &request.member_id)?;
        let member_id = match own(&request.member_id) {
            none if none.is_empty() => StrBytes::from_string(Base64Uuid(draw).to_string()),
            given => given,
        };
        let instance = request.instance_id.as_ref().map(own);
        let comer = Comer {
            id: &member_id,
            instance: instance.as_ref(),
            joins: request.member_epoch == 0,
            protocol: MemberProtocol::Consumer,
        };
        let Caller { member, replaced } = find_or_join(&group, &comer, &mut written, out)?;
        check_epoch(&member, request)?;
        let mut updated = member.updated(request, client);
        let mut names_changed = false;
        if updated != *member {
            written.push(records::member(id, &updated));
            names_changed = updated.topics != member.topics;
        }
        let regex =
            self.update_regular_expressions(&group, &member, &updated, now, &mut written)?;
        let bumps = names_changed || regex.is_resolved;
        let epoch =
            self.group_epoch(&group, &updated, replaced.as_ref(), bumps, &mut written, now, out);
        let assigning =
            Assigning { group: &group, epoch, member: &updated, replaced: replaced.as_ref() };
        let target = self.update_target(&assigning, &mut written, now, out)?;
        let has_subscription_changed = names_changed || regex.is_changed;
        if has_subscription_changed || !updated.is_reconciled_to(target.epoch) {
            let reconciled = Reconciliation {
                group: &group,
                member: &updated,
                target_epoch: target.epoch,
                target: &target.assignment,
                subscribed: self.topic_ids(&group, &updated),
                has_subscription_changed,
                owned: request.topic_partitions.as_deref(),
            }
            .step()?;
            if reconciled != updated {
                written.push(records::current_assignment(id, &reconciled));
                self.time_rebalance(id, &reconciled, now);
            }
            updated = reconciled;
        }
        if member.classic.is_some() {
            self.end_classic_waits(id, &updated.id);
        }
        self.restart_consumer_session(id, &updated.id, now);
        let answer = self.answer(id, request, &member, &updated);
        Ok(Beat { written, answer, refresh: regex.refresh, downgrade: None })
    }

    fn answer(
        &self,
        id: &StrBytes,
        request: &ConsumerGroupHeartbeatRequest,
        before: &Member,
        member: &Member,
    ) -> ConsumerGroupHeartbeat {
        // Who says all of itself does not know what it has.
        let is_full = request.rebalance_timeout_ms != -1
            && (request.subscribed_topic_names.is_some()
                || request.subscribed_topic_regex.is_some())
            && request.topic_partitions.is_some();
        let is_told = request.member_epoch == 0 || is_full || before.assigned != member.assigned;
        let assigned = member.assigned.iter();
        let assignment =
            assigned.map(|(topic, partitions)| (*topic, partitions.keys().copied().collect()));
        ConsumerGroupHeartbeat {
            member_id: member.id.clone(),
            member_epoch: member.epoch,
            heartbeat_interval_ms: self.consumer_heartbeat_interval_ms(id),
            assignment: is_told.then(|| assignment.collect()),
        }
    }

    /// The group, which somebody who joins makes; a classic one gives way to it.
    fn group_to_join(
        &mut self,
        id: &StrBytes,
        joins: bool,
        written: &mut Vec<GroupRecord>,
        out: &mut Outputs,
    ) -> Result<Arc<ConsumerGroup>, GroupError> {
        let new = || Arc::new(ConsumerGroup::new(id.clone()));
        match self.groups.latest(id) {
            Some(Group::Consumer(group)) => Ok(Arc::clone(group)),
            None if joins => Ok(new()),
            None => Err(GroupError::NoSuchConsumerGroup(id.clone())),
            Some(group @ Group::Classic(_)) if joins && group.is_empty() => {
                written.extend(self.group_tombstones(id));
                out.log(LogEvent::Consumer(ConsumerGroupEvent::ConvertedFromClassic {
                    group: id.clone(),
                }));
                Ok(new())
            }
            Some(Group::Classic(_)) if joins => self.upgraded(id, written, out).map(Arc::new),
            Some(_) => Err(GroupError::NotAConsumerGroup(id.clone())),
        }
    }

    pub(super) fn refuse_when_full(
        &self,
        group: &ConsumerGroup,
        member: &StrBytes,
    ) -> Result<(), GroupError> {
        let max = self.settings.consumer_max_size;
        if group.members.len() >= max && !group.members.contains_key(member) {
            return Err(GroupError::ConsumerGroupFull { max });
        }
        Ok(())
    }

    /// The group's epoch with this heartbeat: the next one where subscriptions or topics changed.
    #[expect(clippy::too_many_arguments, reason = "one step of a heartbeat, with all it is about")]
    pub(super) fn group_epoch(
        &mut self,
        group: &ConsumerGroup,
        member: &Member,
        replaced: Option<&StrBytes>,
        bumps: bool,
        written: &mut Vec<GroupRecord>,
        now: Now,
        out: &mut Outputs,
    ) -> i32 {
        if !bumps && !self.metadata.is_expired(group, now) {
            return group.epoch;
        }
        let without: Vec<&StrBytes> = replaced.into_iter().collect();
        let hash = self.metadata.hash_of(&Subscriptions::of(group, &without, Some(member)));
        let mut epoch = group.epoch;
        if bumps || hash != group.metadata_hash {
            epoch = self.bump(&group.id, epoch, hash, out);
            written.push(records::group_epoch(&group.id, epoch, hash));
        }
        self.metadata.refreshed(&group.id, epoch, now);
        if group.has_partition_metadata {
            written.push(records::no_partition_metadata(&group.id));
        }
        epoch
    }

    /// The epoch after this one.
    pub(super) fn bump(
        &self,
        group: &StrBytes,
        epoch: i32,
        metadata_hash: i64,
        out: &mut Outputs,
    ) -> i32 {
        let epoch = epoch + 1;
        let group = group.clone();
        out.log(LogEvent::Consumer(ConsumerGroupEvent::Bumped { group, epoch, metadata_hash }));
        epoch
    }
}
