//! A classic group of consumers becomes a consumer group when the first member of the consumer
//! protocol joins it; its members stay, with what they have.
//!
//! ```text
//! tombstone of the classic group | members (5) | epoch (3) | targets (7) | target epoch (6)
//! | current assignments (8) | … what the one who joins writes
//! ```
//! The group's epoch and every member's is the classic generation, so that who was told a
//! generation goes on with it. Who has a join or a sync parked is sent to join again: the next
//! assignment is the coordinator's. Answers to `validateOnlineUpgrade`, `convertToConsumerGroup`
//! and `ConsumerGroup.fromClassicGroup`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::records::group::{ClassicMemberMetadata, GroupRecord};
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::{GroupError, JoinAnswer, SyncAnswer};
use super::super::classic::{self, ClassicGroup, GroupState};
use super::super::log_event::LogEvent;
use super::super::modern::{Assignment, ClusterMetadata};
use super::super::settings::GroupSettings;
use super::super::shard::{Group, GroupShard};
use super::super::timers::{Expiry, TimerKey};
use super::embedded_protocol::{Given, Subscription, by_id};
use super::event::ConsumerGroupEvent;
use super::group::ConsumerGroup;
use super::member::Member;
use super::obstacle::UpgradeObstacle;
use super::records;
use super::subscriptions::Subscriptions;
use crate::runtime::Now;

impl GroupShard {
    /// The consumer group that a classic one with members becomes, and the records of that.
    pub(super) fn upgraded(
        &mut self,
        id: &StrBytes,
        written: &mut Vec<GroupRecord>,
        out: &mut Outputs,
    ) -> Result<ConsumerGroup, GroupError> {
        let Some(Group::Classic(classic)) = self.groups.latest(id) else {
            return Err(GroupError::NotAConsumerGroup(id.clone()));
        };
        let image = &*self.metadata.image;
        let upgraded = refuse(&self.settings, classic).and_then(|()| from_classic(classic, image));
        let mut group = upgraded.map_err(|obstacle| {
            let group = id.clone();
            out.log(LogEvent::Consumer(ConsumerGroupEvent::NotUpgraded { group, obstacle }));
            GroupError::CannotUpgrade { group: id.clone(), obstacle }
        })?;
        group.metadata_hash = self.metadata.hash_of(&Subscriptions::of(&group, &[], None));
        written.extend(self.group_tombstones(id));
        written.extend(creation(&group));
        let group_id = id.clone();
        out.log(LogEvent::Consumer(ConsumerGroupEvent::Upgraded { group: group_id }));
        Ok(group)
    }

    /// What no record says of a classic group ends with it: its phases, and what is parked. Its
    /// members' sessions begin anew.
    pub(super) fn end_classic_phases(&mut self, id: &StrBytes, now: Now, out: &mut Outputs) {
        let Some(group) = self.classic(id) else { return };
        let members: Vec<StrBytes> = group.members.keys().cloned().collect();
        self.timers.cancel(&TimerKey::Join { group: id.clone() });
        self.timers.cancel(&TimerKey::Sync { group: id.clone() });
        for member in members {
            let Some(group) = self.classic_mut(id) else { return };
            if let Some(join) = group.take_join(&member) {
                let error = GroupError::RebalanceInProgress;
                out.reply(join, JoinAnswer::refused(member.clone(), error));
            }
            if let Some(sync) = group.take_sync(&member) {
                out.reply(sync, SyncAnswer::refused(GroupError::RebalanceInProgress));
            }
            self.heard_of(id, &member, now);
        }
    }

    /// A classic group is back, because a write that had made another of it was not written: its
    /// members have their time again, and the phase that it is in has its end.
    pub(in super::super) fn resume_classic(&mut self, id: &StrBytes, now: Now) {
        let Some(group) = self.classic(id) else { return };
        let (state, generation) = (group.state, group.generation);
        let deadline_ms = now.monotonic_ms.saturating_add(group.rebalance_timeout_ms());
        let members: Vec<StrBytes> = group.members.keys().cloned().collect();
        for member in members {
            let session = TimerKey::Session { group: id.clone(), member: member.clone() };
            if !self.timers.is_set(&session) {
                self.heard_of(id, &member, now);
            }
        }
        let (key, expiry) = match state {
            GroupState::PreparingRebalance => {
                (TimerKey::Join { group: id.clone() }, Expiry::CompleteJoin)
            }
            GroupState::CompletingRebalance => {
                (TimerKey::Sync { group: id.clone() }, Expiry::PendingSync { generation })
            }
            GroupState::Empty | GroupState::Stable | GroupState::Dead => return,
        };
        if !self.timers.is_set(&key) {
            self.timers.set(key, deadline_ms, expiry);
        }
    }
}

fn refuse(settings: &GroupSettings, classic: &ClassicGroup) -> Result<(), UpgradeObstacle> {
    if !settings.migration_policy.allows_upgrade() {
        Err(UpgradeObstacle::Disabled)
    } else if !classic.uses_consumer_protocol() {
        Err(UpgradeObstacle::OtherProtocolType)
    } else if classic.members.len() > settings.consumer_max_size {
        Err(UpgradeObstacle::TooLarge)
    } else {
        Ok(())
    }
}

/// Unlike Kafka: a group whose first generation is still coming together is taken, too, by the
/// protocol that it would choose; Kafka fails the request (docs/decisions/0475).
fn from_classic(
    classic: &ClassicGroup,
    image: &dyn ClusterMetadata,
) -> Result<ConsumerGroup, UpgradeObstacle> {
    let mut group = ConsumerGroup::new(classic.id.clone());
    (group.epoch, group.assignment_epoch) = (classic.generation, classic.generation);
    let protocol = classic.protocol_name.clone().or_else(|| classic.select_protocol());
    let protocol = protocol.unwrap_or_default();
    let mut claims = Vec::new();
    for each in classic.members.values() {
        let subscription =
            Subscription::read(&each.metadata(&protocol)).ok_or(UpgradeObstacle::Malformed)?;
        // Who has joined and never synced has no assignment.
        let mut given = Assignment::new();
        if !each.assignment.is_empty() {
            let read = Given::read(&each.assignment).ok_or(UpgradeObstacle::Malformed)?;
            if read.has_user_data {
                return Err(UpgradeObstacle::CustomAssignor);
            }
            given = by_id(&read.partitions, image);
        }
        group.target.insert(each.id.clone(), Arc::new(given));
        claims.push((each.id.clone(), by_id(&subscription.owned, image)));
        group.put(member_of(each, subscription));
    }
    for (member, claimed) in claims {
        let unclaimed = without_others(claimed, &group.target);
        let target = group.target.entry(member).or_default();
        for (topic, partitions) in unclaimed {
            Arc::make_mut(target).entry(topic).or_default().extend(partitions);
        }
    }
    let members: Vec<Member> = group.members.values().map(|member| Member::clone(member)).collect();
    for mut member in members {
        (member.epoch, member.previous_epoch) = (classic.generation, classic.generation);
        let target = group.target.get(&member.id).cloned().unwrap_or_default();
        member.assigned = target
            .iter()
            .map(|(topic, partitions)| (*topic, since(classic.generation, partitions)))
            .collect();
        group.put(member);
    }
    Ok(group)
}

/// What a member says that it has is its, if it is nobody's by the last assignment. Unlike Kafka: a
/// cooperative member goes on with what it had before until it has heard of a new assignment, which
/// may be forgotten, or on its way to it, when the group is upgraded (docs/decisions/0475).
fn without_others(
    mut claimed: Assignment,
    others: &BTreeMap<StrBytes, Arc<Assignment>>,
) -> Assignment {
    for given in others.values().flat_map(|given| given.iter()) {
        if let Some(partitions) = claimed.get_mut(given.0) {
            partitions.retain(|partition| !given.1.contains(partition));
        }
    }
    claimed.retain(|_, partitions| !partitions.is_empty());
    claimed
}

fn since(epoch: i32, partitions: &BTreeSet<i32>) -> BTreeMap<i32, i32> {
    partitions.iter().map(|partition| (*partition, epoch)).collect()
}

fn member_of(each: &classic::Member, subscription: Subscription) -> Member {
    let mut member = Member::new(each.id.clone());
    member.instance_id = each.instance_id.clone();
    member.rack_id = subscription.rack;
    member.rebalance_timeout_ms = each.rebalance_timeout_ms;
    member.client_id = each.client_id.clone();
    member.client_host = each.client_host.clone();
    member.topics = subscription.topics.into_iter().collect();
    member.classic = Some(ClassicMemberMetadata {
        session_timeout_ms: each.session_timeout_ms,
        supported_protocols: each.protocols.iter().cloned().collect(),
        ..ClassicMemberMetadata::default()
    });
    member
}

/// The records that make a group what it is.
fn creation(group: &ConsumerGroup) -> Vec<GroupRecord> {
    let id = &group.id;
    let members = || group.members.values();
    let mut written: Vec<GroupRecord> =
        members().map(|member| records::member(id, member)).collect();
    written.push(records::group_epoch(id, group.epoch, group.metadata_hash));
    written.extend(group.target.iter().map(|(member, of)| records::target(id, member, of)));
    let (epoch, timestamp_ms) = (group.assignment_epoch, group.assignment_timestamp_ms);
    written.push(records::target_epoch(id, epoch, timestamp_ms));
    written.extend(members().map(|member| records::current_assignment(id, member)));
    written
}
