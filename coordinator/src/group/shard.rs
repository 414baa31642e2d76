//! One partition of `__consumer_offsets`: its groups, their offsets and its timers.
//!
//! Kept true here: which groups there are, and their offsets, follow from records alone; a group is
//! there as soon as its record is decided, an offset is read as committed when it is written. Who
//! is about to be in a classic group is no record's matter: it changes as requests and timers say,
//! and what it waits for is in `then`. Answers to `GroupCoordinatorShard`.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::GroupError;
use super::classic::ClassicGroup;
use super::consumer::{ConsumerGroup, Downgrades, MetadataState};
use super::offsets::Offsets;
use super::settings::GroupSettings;
use super::share::ShareGroup;
use super::streams::{StreamsGroup, Unwritten};
use super::timers::{Expiry, TimerKey};
use crate::runtime::{Now, Timers, VersionedMap};

/// A group of any kind.
#[derive(Debug, Clone)]
pub(super) enum Group {
    Classic(Box<ClassicGroup>),
    Consumer(Arc<ConsumerGroup>),
    Share(Arc<ShareGroup>),
    Streams(Arc<StreamsGroup>),
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Classic(group) => group.is_in(super::GroupState::Empty),
            Self::Consumer(group) => group.is_empty(),
            Self::Share(group) => group.is_empty(),
            Self::Streams(group) => group.is_empty(),
        }
    }
}

/// The state of one shard.
#[derive(Debug)]
pub struct GroupShard {
    pub(super) settings: GroupSettings,
    pub(super) groups: VersionedMap<StrBytes, Group>,
    pub(super) offsets: Offsets,
    pub(super) timers: Timers<TimerKey, Expiry>,
    pub(super) metadata: MetadataState,
    pub(super) downgrades: Downgrades,
    /// What no record says of streams groups.
    pub(super) streams: BTreeMap<StrBytes, Unwritten>,
}

impl GroupShard {
    /// An empty shard, ready for replay.
    #[must_use]
    pub fn new(settings: GroupSettings) -> Self {
        Self {
            settings,
            groups: VersionedMap::default(),
            offsets: Offsets::default(),
            timers: Timers::default(),
            metadata: MetadataState::default(),
            downgrades: Downgrades::default(),
            streams: BTreeMap::new(),
        }
    }

    /// Does what the deadlines that have passed ask for.
    pub(super) fn expire(&mut self, now: Now, out: &mut Outputs) {
        while let Some((key, expiry)) = self.timers.take_due(now.monotonic_ms) {
            match (key, expiry) {
                (TimerKey::Session { group, member }, _) => match self.groups.latest(&group) {
                    Some(Group::Consumer(_)) => {
                        self.consumer_session_expired(&group, &member, now, out);
                    }
                    Some(Group::Share(_)) => self.share_session_expired(&group, &member, out),
                    Some(Group::Streams(_)) => self.streams_session_expired(&group, &member, out),
                    _ => self.session_expired(&group, &member, now, out),
                },
                (
                    TimerKey::Rebalance { group, member },
                    Expiry::Rebalance { epoch, timeout_ms },
                ) => match self.groups.latest(&group) {
                    Some(Group::Streams(_)) => {
                        self.streams_rebalance_expired(&group, &member, epoch, timeout_ms, out);
                    }
                    _ => self.rebalance_expired(&group, &member, epoch, timeout_ms, now, out),
                },
                (TimerKey::Rebalance { .. }, _) => {}
                (TimerKey::MemberJoin { group, member }, _) => {
                    self.rejoin_expired(&group, &member, now, out);
                }
                (TimerKey::MemberSync { group, member }, _) => {
                    self.member_sync_expired(&group, &member, now, out);
                }
                (TimerKey::Join { group }, Expiry::InitialJoin { delay_ms, remaining_ms }) => {
                    self.initial_join_expired(&group, delay_ms, remaining_ms, now, out);
                }
                (TimerKey::Join { group }, _) => self.complete_join(&group, now, out),
                (TimerKey::Sync { group }, Expiry::PendingSync { generation }) => {
                    self.pending_sync_expired(&group, generation, now, out);
                }
                (TimerKey::Sync { .. }, _) => {}
                (TimerKey::StreamsAssignment { group }, _) => {
                    self.streams_assignment_due(&group, now, out);
                }
                (TimerKey::Cleanup, _) => self.clean_up(now, out),
            }
        }
    }

    /// The classic group of this id, if there is one.
    pub(super) fn classic(&self, group: &StrBytes) -> Option<&ClassicGroup> {
        match self.groups.latest(group) {
            Some(Group::Classic(group)) => Some(group),
            _ => None,
        }
    }

    pub(super) fn classic_mut(&mut self, group: &StrBytes) -> Option<&mut ClassicGroup> {
        match self.groups.latest_mut(group) {
            Some(Group::Classic(group)) => Some(group),
            _ => None,
        }
    }

    pub(super) fn group(&self, group: &StrBytes) -> Result<&Group, GroupError> {
        self.groups.latest(group).ok_or_else(|| GroupError::GroupNotFound(group.clone()))
    }

    /// (Re)starts the time in which a member must be heard of.
    pub(super) fn restart_session(
        &mut self,
        group: &StrBytes,
        member: &StrBytes,
        timeout_ms: u64,
        now: Now,
    ) {
        let key = TimerKey::Session { group: group.clone(), member: member.clone() };
        self.timers.set(key, now.monotonic_ms.saturating_add(timeout_ms), Expiry::Session);
    }

    /// The same for a member that is in the group, with its own timeout.
    pub(super) fn heard_of(&mut self, group: &StrBytes, member: &StrBytes, now: Now) {
        let member = self
            .classic(group)
            .and_then(|group| group.members.get(member))
            // The group's own copy of the id: a request's would keep its frame.
            .map(|member| (member.id.clone(), member.session_timeout_ms()));
        if let Some((member, timeout_ms)) = member {
            self.restart_session(group, &member, timeout_ms, now);
        }
    }

    pub(super) fn end_session(&mut self, group: &StrBytes, member: &StrBytes) {
        self.timers.cancel(&TimerKey::Session { group: group.clone(), member: member.clone() });
    }
}
