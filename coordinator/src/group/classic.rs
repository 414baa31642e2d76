//! A classic group: its state, generation, members and what they have in common.
//!
//! ```text
//! Empty ──join──▶ PreparingRebalance ──all joined──▶ CompletingRebalance ──assignment──▶ Stable
//!   ▲                  │  ▲  ▲                             │                               │
//!   └── all left ──────┘  │  └── a member came or went ────┘                               │
//!                         └── a member came, went or changed ──────────────────────────────┘
//! ```
//! Dead is what DescribeGroups calls a group that is not there.
//!
//! Kept true: every member supports the group's protocol type and one common protocol at least; the
//! leader is a member; `awaiting_join` counts the members whose join is parked; pending members are
//! not members yet. Answers to `ClassicGroup`.

mod member;
mod protocols;

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::StrBytes;

pub(super) use member::{Member, Protocols};

use super::Outputs;
use super::answer::{GroupError, JoinAnswer, JoinedMember, SyncAnswer};
use super::log_event::LogEvent;
pub use super::state::GroupState;
use crate::runtime::Reply;

/// The protocol type of consumers.
const CONSUMER: &str = "consumer";

/// What a member has parked: its join, its sync.
pub(super) type ParkedBy = (Option<Reply<JoinAnswer>>, Option<Reply<SyncAnswer>>);

#[derive(Debug, Clone)]
pub(super) struct ClassicGroup {
    pub(super) id: StrBytes,
    pub(super) state: GroupState,
    pub(super) previous_state: GroupState,
    /// When it came into its state; a group loaded from old records does not know.
    pub(super) state_since_ms: Option<i64>,
    /// None for a simple group, which only holds offsets.
    pub(super) protocol_type: Option<StrBytes>,
    pub(super) protocol_name: Option<StrBytes>,
    pub(super) generation: i32,
    pub(super) leader: Option<StrBytes>,
    pub(super) members: BTreeMap<StrBytes, Member>,
    /// Member ids by instance id.
    pub(super) static_members: BTreeMap<StrBytes, StrBytes>,
    /// Ids that were handed out and have not joined yet.
    pub(super) pending_join: BTreeSet<StrBytes>,
    /// Members that have not sent their SyncGroup in this generation.
    pub(super) pending_sync: BTreeSet<StrBytes>,
    pub(super) awaiting_join: usize,
    /// How many members support a protocol, by its name.
    supported: BTreeMap<StrBytes, usize>,
    /// None when they are not known: another protocol type, or unreadable metadata.
    pub(super) subscribed_topics: Option<BTreeSet<StrBytes>>,
    /// A member came while the first rebalance was waiting for more.
    pub(super) new_member_added: bool,
}

impl ClassicGroup {
    pub(super) fn new(id: StrBytes, wall_ms: i64) -> Self {
        Self {
            id,
            state: GroupState::Empty,
            previous_state: GroupState::Dead,
            state_since_ms: Some(wall_ms),
            protocol_type: None,
            protocol_name: None,
            generation: 0,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_join: BTreeSet::new(),
            pending_sync: BTreeSet::new(),
            awaiting_join: 0,
            supported: BTreeMap::new(),
            subscribed_topics: None,
            new_member_added: false,
        }
    }

    pub(super) fn is_in(&self, state: GroupState) -> bool {
        self.state == state
    }

    pub(super) fn is_leader(&self, member: &StrBytes) -> bool {
        self.leader.as_ref() == Some(member)
    }

    pub(super) fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    pub(super) fn transition_to(&mut self, state: GroupState, wall_ms: i64) {
        assert!(state.may_follow(self.state), "{} after {} in {}", state, self.state, self.id);
        self.previous_state = self.state;
        self.state = state;
        self.state_since_ms = Some(wall_ms);
    }

    pub(super) fn can_rebalance(&self) -> bool {
        GroupState::PreparingRebalance.may_follow(self.state)
    }

    /// Adds a member whose join is parked under `join`, if it is.
    pub(super) fn add(
        &mut self,
        mut member: Member,
        protocol_type: &StrBytes,
        join: Option<Reply<JoinAnswer>>,
    ) {
        if let Some(instance) = &member.instance_id {
            self.static_members.insert(instance.clone(), member.id.clone());
        }
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.clone());
        }
        if self.leader.is_none() {
            self.leader = Some(member.id.clone());
        }
        self.count_protocols(&member.protocols);
        member.awaiting_join = join;
        self.awaiting_join += usize::from(join.is_some());
        self.pending_join.remove(&member.id);
        self.members.insert(member.id.clone(), member);
    }

    /// Removes a member, or a pending one. What it had parked is the caller's to answer.
    pub(super) fn remove(&mut self, member: &StrBytes) -> Option<Member> {
        let removed = self.members.remove(member);
        if let Some(removed) = &removed {
            self.discount_protocols(&removed.protocols);
            self.awaiting_join -= usize::from(removed.awaiting_join.is_some());
            if let Some(instance) = &removed.instance_id {
                self.static_members.remove(instance);
            }
        }
        if self.is_leader(member) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending_join.remove(member);
        self.pending_sync.remove(member);
        removed
    }

    /// Takes a member's parked join, so that it can be answered.
    pub(super) fn take_join(&mut self, member: &StrBytes) -> Option<Reply<JoinAnswer>> {
        let join = self.members.get_mut(member)?.awaiting_join.take()?;
        self.awaiting_join -= 1;
        Some(join)
    }

    pub(super) fn take_sync(&mut self, member: &StrBytes) -> Option<Reply<SyncAnswer>> {
        self.members.get_mut(member)?.awaiting_sync.take()
    }

    /// Gives a member new protocols, timeouts and a join to answer. Returns the join that the new
    /// one displaces: a retry on another connection, say.
    pub(super) fn update(
        &mut self,
        member: &StrBytes,
        protocols: Protocols,
        rebalance_timeout_ms: i32,
        session_timeout_ms: i32,
        join: Option<Reply<JoinAnswer>>,
    ) -> Option<Reply<JoinAnswer>> {
        let updated = self.members.get_mut(member)?;
        let old = std::mem::replace(&mut updated.protocols, protocols.clone());
        updated.rebalance_timeout_ms = rebalance_timeout_ms;
        updated.session_timeout_ms = session_timeout_ms;
        let displaced = std::mem::replace(&mut updated.awaiting_join, join);
        self.discount_protocols(&old);
        self.count_protocols(&protocols);
        self.awaiting_join += usize::from(join.is_some());
        self.awaiting_join -= usize::from(displaced.is_some());
        displaced
    }

    /// Gives a static member another id. What the old one had parked comes back: its join, its
    /// sync.
    pub(super) fn replace_static(
        &mut self,
        instance: &StrBytes,
        old: &StrBytes,
        new: &StrBytes,
    ) -> Option<ParkedBy> {
        let mut member = self.members.remove(old)?;
        let parked = (member.awaiting_join.take(), member.awaiting_sync.take());
        self.awaiting_join -= usize::from(parked.0.is_some());
        member.id = new.clone();
        member.is_new = false;
        self.members.insert(new.clone(), member);
        if self.is_leader(old) {
            self.leader = Some(new.clone());
        }
        self.static_members.insert(instance.clone(), new.clone());
        if self.pending_sync.remove(old) {
            self.pending_sync.insert(new.clone());
        }
        Some(parked)
    }

    /// Refuses an id that is not a member's, or an instance id that is another member's now.
    pub(super) fn validate_member(
        &self,
        member: &StrBytes,
        instance: Option<&StrBytes>,
        operation: &'static str,
        out: &mut Outputs,
    ) -> Result<(), GroupError> {
        if let Some(instance) = instance {
            let Some(current) = self.static_members.get(instance) else {
                return Err(GroupError::UnknownMember);
            };
            if current != member {
                out.log(LogEvent::MemberFenced {
                    member: member.clone(),
                    instance: instance.clone(),
                    by: current.clone(),
                    operation,
                });
                return Err(GroupError::FencedInstance { by: current.clone() });
            }
        }
        if self.members.contains_key(member) { Ok(()) } else { Err(GroupError::UnknownMember) }
    }

    pub(super) fn has_all_joined(&self) -> bool {
        self.members.len() == self.awaiting_join && self.pending_join.is_empty()
    }

    /// The longest of its members' rebalance timeouts.
    pub(super) fn rebalance_timeout_ms(&self) -> u64 {
        let longest = self.members.values().map(|member| member.rebalance_timeout_ms).max();
        u64::try_from(longest.unwrap_or(0)).unwrap_or(0)
    }

    /// Whether a leader stands for the next generation: the old one if it rejoined, else one that
    /// did.
    pub(super) fn elect_joined_leader(&mut self, out: &mut Outputs) -> bool {
        let Some(leader) = self.leader.as_ref().and_then(|leader| self.members.get(leader)) else {
            return false;
        };
        if leader.awaiting_join.is_some() {
            return true;
        }
        let (old, old_instance) = (leader.id.clone(), leader.instance_id.clone());
        let joined = self.members.values().find(|member| member.awaiting_join.is_some());
        let Some(new) = joined.map(|member| member.id.clone()) else {
            out.log(LogEvent::LeaderDidNotJoin { old, old_instance });
            return false;
        };
        out.log(LogEvent::LeaderReplaced { old, old_instance, new: new.clone() });
        self.leader = Some(new);
        true
    }

    /// Starts the next generation: with members their protocol is chosen, without it is empty.
    /// False when no protocol is common to all, which the checks at joining rule out.
    pub(super) fn start_next_generation(&mut self, wall_ms: i64, out: &mut Outputs) -> bool {
        let selected = if self.members.is_empty() {
            None
        } else {
            let Some(selected) = self.select_protocol() else {
                return false;
            };
            Some(selected)
        };
        self.generation += 1;
        let next = match selected {
            Some(_) => GroupState::CompletingRebalance,
            None => GroupState::Empty,
        };
        self.protocol_name = selected;
        self.subscribed_topics = self.compute_subscribed_topics(out.log_events());
        self.transition_to(next, wall_ms);
        self.pending_sync.clear();
        true
    }

    /// The members as the leader needs them to assign.
    pub(super) fn joined_members(&self) -> Vec<JoinedMember> {
        let protocol = self.protocol_name.clone().unwrap_or_default();
        self.members
            .values()
            .map(|member| JoinedMember {
                member_id: member.id.clone(),
                group_instance_id: member.instance_id.clone(),
                metadata: member.metadata(&protocol),
            })
            .collect()
    }

    /// Whether a member subscribes to the topic. Not knowing counts as yes for consumers only.
    pub(super) fn is_subscribed_to(&self, topic: &StrBytes) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol(),
        }
    }
}
