//! A member on its way to its target assignment: first it gives up what is not its any more, then
//! it gets what nobody has.
//!
//! ```text
//!            something to give up          given up, all there is to have
//!  Stable ─────────────────────▶ Unrevoked ─────────────────────────────▶ Stable, target epoch
//!    └─ something is not free yet ─▶ Unreleased ── it is ──────────────────▲
//! ```
//! Only with everything given up does a member come to the target's epoch. Answers to
//! `CurrentAssignmentBuilder`.

use std::collections::BTreeSet;

use protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use uuid::Uuid;

use super::super::answer::GroupError;
use super::super::modern::Assignment;
use super::group::ConsumerGroup;
use super::member::{Member, MemberState, Owned};

/// What there is to reconcile with.
pub(super) struct Reconciliation<'a> {
    pub(super) group: &'a ConsumerGroup,
    pub(super) member: &'a Member,
    pub(super) target_epoch: i32,
    pub(super) target: &'a Assignment,
    pub(super) subscribed: BTreeSet<Uuid>,
    pub(super) has_subscription_changed: bool,
    /// What the member says it has; none: nothing changed since it said so.
    pub(super) owned: Option<&'a [TopicPartitions]>,
}

impl Reconciliation<'_> {
    /// The member as it is to be, which may be as it was.
    pub(super) fn step(&self) -> Result<Member, GroupError> {
        let member = self.member;
        match member.state {
            MemberState::Stable if member.epoch != self.target_epoch => {
                Ok(self.next_assignment(member.epoch))
            }
            MemberState::Stable if self.has_subscription_changed => Ok(self.without_unsubscribed()),
            MemberState::Stable => Ok(member.clone()),
            MemberState::UnrevokedPartitions if self.still_owns(&member.pending_revocation) => {
                if self.has_subscription_changed {
                    Ok(self.without_unsubscribed())
                } else {
                    Ok(member.clone())
                }
            }
            MemberState::UnrevokedPartitions | MemberState::UnreleasedPartitions => {
                Ok(self.next_assignment(member.epoch))
            }
            MemberState::Unknown if self.owned.is_none_or(|owned| !owned.is_empty()) => {
                let why = "The consumer group member is in a unknown state. The member must \
                           abandon all its partitions and rejoin.";
                Err(GroupError::FencedMemberEpoch(why.to_owned()))
            }
            MemberState::Unknown => Ok(self.next_assignment(self.target_epoch)),
        }
    }

    /// Whether the member has, or may have, any of these.
    fn still_owns(&self, revoked: &Owned) -> bool {
        let Some(owned) = self.owned else { return true };
        owned.iter().any(|topic| {
            revoked.get(&topic.topic_id).is_some_and(|revoked| {
                topic.partitions.iter().any(|partition| revoked.contains_key(partition))
            })
        })
    }

    fn moved(&self, state: MemberState, epoch: i32) -> Member {
        let mut member = self.member.clone();
        member.state = state;
        member.previous_epoch = member.epoch;
        member.epoch = epoch;
        member
    }

    /// Topics that the member does not subscribe to any more are taken at once, whatever the
    /// target.
    fn without_unsubscribed(&self) -> Member {
        let member = self.member;
        let (kept, gone): (Owned, Owned) = member
            .assigned
            .iter()
            .map(|(topic, partitions)| (*topic, partitions.clone()))
            .partition(|(topic, _)| self.subscribed.contains(topic));
        if gone.is_empty() {
            return member.clone();
        }
        let mut pending = member.pending_revocation.clone();
        for (topic, partitions) in gone {
            pending.entry(topic).or_default().extend(partitions);
        }
        if self.still_owns(&pending) {
            let mut moved = self.moved(MemberState::UnrevokedPartitions, member.epoch);
            (moved.assigned, moved.pending_revocation) = (kept, pending);
            return moved;
        }
        let mut moved = self.moved(member.state, member.epoch);
        moved.assigned = kept;
        moved
    }

    fn next_assignment(&self, member_epoch: i32) -> Member {
        let member = self.member;
        let mut assigned = Owned::new();
        let mut revoked = Owned::new();
        let mut added = Assignment::new();
        let mut waits = false;
        let topics: BTreeSet<&Uuid> = self.target.keys().chain(member.assigned.keys()).collect();
        for topic in topics {
            let target = self.target.get(topic).filter(|_| self.subscribed.contains(topic));
            let is_target = |partition: &i32| target.is_some_and(|of| of.contains(partition));
            for (partition, epoch) in member.assigned.get(topic).into_iter().flatten() {
                let into = if is_target(partition) { &mut assigned } else { &mut revoked };
                into.entry(*topic).or_default().insert(*partition, *epoch);
            }
            let has = assigned.get(topic);
            let missing = target.into_iter().flatten().copied();
            let missing: BTreeSet<i32> = missing
                .filter(|partition| has.is_none_or(|has| !has.contains_key(partition)))
                .collect();
            let (held, free) = self.split_held(*topic, missing);
            waits |= held;
            if !free.is_empty() {
                added.insert(*topic, free);
            }
        }
        if !revoked.is_empty() && self.still_owns(&revoked) {
            let mut moved = self.moved(MemberState::UnrevokedPartitions, member_epoch);
            (moved.assigned, moved.pending_revocation) = (assigned, revoked);
            return moved;
        }
        for (topic, partitions) in added {
            let epochs = partitions.into_iter().map(|partition| (partition, self.target_epoch));
            assigned.entry(topic).or_default().extend(epochs);
        }
        let state = if waits { MemberState::UnreleasedPartitions } else { MemberState::Stable };
        let mut moved = self.moved(state, self.target_epoch);
        (moved.assigned, moved.pending_revocation) = (assigned, Owned::new());
        moved
    }

    /// Whether any of these is held by somebody, and those that are free. What the member itself is
    /// giving up is free for it; what it keeps is not among them.
    fn split_held(&self, topic: Uuid, mut wanted: BTreeSet<i32>) -> (bool, BTreeSet<i32>) {
        let before = wanted.len();
        let gives_up = self.member.pending_revocation.get(&topic);
        let known = self.group.members.get(&self.member.id);
        wanted.retain(|partition| {
            let is_own = gives_up.is_some_and(|own| own.contains_key(partition))
                && known.is_some_and(|known| known.epoch_of(topic, *partition).is_some());
            self.group.holders_of(topic, *partition) == usize::from(is_own)
        });
        (wanted.len() < before, wanted)
    }
}
