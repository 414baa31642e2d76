//! The state of partitions that a group has come to read is made by the share coordinator, and only
//! then are they shared out.
//!
//! A partition is `initializing` from the heartbeat on that asks for it, and asked for again when
//! nothing was heard of it for some time; `initialized` when its state stands. Answers to
//! `subscribedTopicsChangeMap`, `initializeShareGroupState` and `uninitializeShareGroupState`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::Outputs;
use super::super::answer::CompletionAnswer;
use super::super::log_event::LogEvent;
use super::super::modern::Assignment;
use super::super::shard::{Group, GroupShard};
use super::event::ShareGroupEvent;
use super::group::ShareGroup;
use super::records;
use super::state_partitions::{
    StatePartitions, TopicPartitions, Topics, combined, name_of, without,
};
use crate::runtime::{Now, Reply};

/// Where nothing says where to begin.
pub(super) const NO_OFFSET: i64 = -1;

/// The state of these partitions is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateToInitialize {
    pub group: StrBytes,
    /// The group's.
    pub state_epoch: i32,
    /// Where to begin; -1: what the group's own setting says decides.
    pub start_offsets: BTreeMap<Uuid, BTreeMap<i32, i64>>,
}

impl GroupShard {
    /// Partitions of these topics that have no state yet, and no request for it under way.
    pub(super) fn initialize_state(
        &self,
        group: &ShareGroup,
        state_epoch: i32,
        topics: &BTreeSet<StrBytes>,
        now: Now,
        written: &mut Vec<GroupRecord>,
        out: &mut Outputs,
    ) -> Option<StateToInitialize> {
        let wanted = self.without_state(group, topics, now);
        if wanted.is_empty() {
            return None;
        }
        written.extend(self.initializing(group, &wanted, out));
        let start_offsets = wanted.iter().map(|(id, topic)| {
            (*id, topic.partitions.iter().map(|partition| (*partition, NO_OFFSET)).collect())
        });
        Some(StateToInitialize {
            group: group.id.clone(),
            state_epoch,
            start_offsets: start_offsets.collect(),
        })
    }

    fn without_state(&self, group: &ShareGroup, topics: &BTreeSet<StrBytes>, now: Now) -> Topics {
        let retry_ms = i64::from(self.settings.share.initialize_retry_interval_ms);
        let is_asked_for =
            |topic: &TopicPartitions| now.wall_ms.saturating_sub(topic.since_ms) < retry_ms;
        let state = group.state_partitions.as_deref();
        let known = |id: &Uuid| {
            let initializing = state.and_then(|state| state.initializing.get(id));
            let initialized = state.and_then(|state| state.initialized.get(id));
            let both = initializing.filter(|topic| is_asked_for(topic)).into_iter();
            let both = both.chain(initialized).flat_map(|topic| topic.partitions.iter().copied());
            both.collect::<BTreeSet<i32>>()
        };
        let topics = topics.iter().filter_map(|name| {
            let topic = self.metadata.image.topic_by_name(name)?;
            let known = known(&topic.id);
            if !known.is_empty() && known.len() >= usize::try_from(topic.partitions).unwrap_or(0) {
                return None;
            }
            let partitions = (0..topic.partitions).filter(|number| !known.contains(number));
            let partitions = partitions.collect();
            let wanted = TopicPartitions { name: topic.name, partitions, since_ms: now.wall_ms };
            Some((topic.id, wanted))
        });
        topics.collect()
    }

    /// The record that says so; none if there is nothing to say.
    pub(super) fn initializing(
        &self,
        group: &ShareGroup,
        topics: &Topics,
        out: &mut Outputs,
    ) -> Option<GroupRecord> {
        if topics.is_empty() {
            return None;
        }
        let mut state = group.state_partitions.as_deref().cloned().unwrap_or_default();
        state.initializing = combined(&state.initializing, topics);
        let StatePartitions { initializing, deleting, .. } = &mut state;
        for id in initializing.keys().filter(|id| deleting.remove(*id)) {
            out.log(LogEvent::Share(ShareGroupEvent::InitializedWhileDeleted {
                group: group.id.clone(),
                topic: name_of(*id, &*self.metadata.image),
            }));
        }
        Some(records::state_partitions(&group.id, &state, &*self.metadata.image))
    }

    /// The state of these partitions stands: they can be shared out.
    pub fn share_state_initialized(
        &mut self,
        id: &StrBytes,
        partitions: &Assignment,
        reply: Reply<CompletionAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        let Some(Group::Share(group)) = self.groups.latest(id) else {
            return out.reply(reply, Ok(()));
        };
        if partitions.is_empty() {
            return out.reply(reply, Ok(()));
        }
        let mut state = group.state_partitions.as_deref().cloned().unwrap_or_default();
        let topics = partitions.iter().map(|(topic, partitions)| {
            let name = name_of(*topic, &*self.metadata.image);
            let partitions = partitions.clone();
            (*topic, TopicPartitions { name, partitions, since_ms: now.wall_ms })
        });
        state.initialized = combined(&state.initialized, &topics.collect());
        state.initializing = without(&state.initializing, partitions);
        let written = vec![records::state_partitions(id, &state, &*self.metadata.image)];
        out.write_and_reply(self, written, reply, Ok(()));
    }

    /// The state of these partitions could not be made: the next heartbeat asks again.
    pub fn share_state_not_initialized(
        &mut self,
        id: &StrBytes,
        partitions: &Assignment,
        why: String,
        reply: Reply<CompletionAnswer>,
        out: &mut Outputs,
    ) {
        out.log(LogEvent::Share(ShareGroupEvent::NotInitialized { group: id.clone(), why }));
        let state = match self.groups.latest(id) {
            Some(Group::Share(group)) => group.state_partitions.as_ref().map(Arc::clone),
            _ => None,
        };
        let Some(state) = state.filter(|state| !state.initializing.is_empty()) else {
            return out.reply(reply, Ok(()));
        };
        if partitions.is_empty() {
            return out.reply(reply, Ok(()));
        }
        let mut state = StatePartitions::clone(&state);
        state.initializing = without(&state.initializing, partitions);
        let written = vec![records::state_partitions(id, &state, &*self.metadata.image)];
        out.write_and_reply(self, written, reply, Ok(()));
    }
}
