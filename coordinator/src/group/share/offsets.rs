//! AlterShareGroupOffsets and DeleteShareGroupOffsets: where an empty group begins to read is made
//! anew, or forgotten.
//!
//! Both go through the share coordinator, which holds the offsets; here stands for which partitions
//! it does. Answers to `alterShareGroupOffsets`, `initiateDeleteShareGroupOffsets` and
//! `completeDeleteShareGroupOffsets`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::Outputs;
use super::super::answer::{CompletionAnswer, GroupError};
use super::super::modern::{Assignment, ClusterMetadata, TopicMetadata};
use super::super::settings::own;
use super::super::shard::{Group, GroupShard};
use super::group::ShareGroup;
use super::records;
use super::state_initialization::StateToInitialize;
use super::state_partitions::{
    StatePartitions, StateToDelete, TopicPartitions, Topics, partitions_of,
};
use crate::runtime::{Now, Reply};

/// What is to be altered, or what was wrong with the request as a whole.
pub type AlterShareOffsetsAnswer = Result<AlteredShareOffsets, GroupError>;
/// What is to be deleted, or what was wrong with the request as a whole.
pub type DeleteShareOffsetsAnswer = Result<DeletingShareOffsets, GroupError>;

/// Offsets that are altered once the share coordinator has taken them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlteredShareOffsets {
    pub topics: Vec<AlteredTopic>,
    pub initialize: StateToInitialize,
}

/// One topic of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlteredTopic {
    pub name: StrBytes,
    /// None: there is no such topic.
    pub id: Option<Uuid>,
    /// Each with whether it is there.
    pub partitions: Vec<(i32, bool)>,
}

/// Offsets that are deleted once the share coordinator has forgotten them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletingShareOffsets {
    /// None: there is nothing to delete.
    pub state: Option<StateToDelete>,
    pub refused: Vec<(StrBytes, NoShareOffsets)>,
}

/// Why a topic has no offsets to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoShareOffsets {
    UnknownTopic,
    NotRead,
}

impl GroupShard {
    /// AlterShareGroupOffsets: a group that is not there comes to be. Partitions with their new
    /// offsets, by topic.
    pub fn alter_share_offsets(
        &mut self,
        id: &StrBytes,
        topics: &[(StrBytes, Vec<(i32, i64)>)],
        image: &Arc<dyn ClusterMetadata>,
        reply: Reply<AlterShareOffsetsAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        self.catch_up(image);
        let group = match self.groups.latest(id) {
            Some(Group::Share(group)) if !group.is_empty() => Err(GroupError::NonEmptyGroup),
            Some(Group::Share(group)) => Ok(Arc::clone(group)),
            Some(_) => Err(GroupError::NotAShareGroup(id.clone())),
            None => Ok(Arc::new(ShareGroup::new(own(id)))),
        };
        let group = match group {
            Ok(group) => group,
            Err(error) => return out.reply(reply, Err(error)),
        };
        let mut initializing = Topics::new();
        let mut start_offsets: BTreeMap<Uuid, BTreeMap<i32, i64>> = BTreeMap::new();
        let altered = topics.iter().map(|(name, partitions)| {
            let known = self.metadata.image.topic_by_name(name);
            let is_there = |partition| known.as_ref().is_some_and(|topic| has(topic, partition));
            let altered = partitions.iter().map(|(number, _)| (*number, is_there(*number)));
            let altered: Vec<(i32, bool)> = altered.collect();
            if let Some(topic) = &known {
                let offsets: BTreeMap<i32, i64> =
                    partitions.iter().copied().filter(|(number, _)| is_there(*number)).collect();
                let partitions = offsets.keys().copied().collect();
                let topic_name = topic.name.clone();
                let waiting =
                    TopicPartitions { name: topic_name, partitions, since_ms: now.wall_ms };
                initializing.insert(topic.id, waiting);
                if !offsets.is_empty() {
                    start_offsets.insert(topic.id, offsets);
                }
            }
            AlteredTopic { name: own(name), id: known.map(|topic| topic.id), partitions: altered }
        });
        let altered: Vec<AlteredTopic> = altered.collect();
        let written = self.initializing(&group, &initializing, out).into_iter().collect();
        let (group_id, state_epoch) = (group.id.clone(), group.epoch);
        let initialize = StateToInitialize { group: group_id, state_epoch, start_offsets };
        let answer = Ok(AlteredShareOffsets { topics: altered, initialize });
        self.write_or_settle(id, written, reply, answer, out);
    }

    /// DeleteShareGroupOffsets, first half: these topics are about to be forgotten.
    pub fn delete_share_offsets(
        &mut self,
        id: &StrBytes,
        topics: &[StrBytes],
        image: &Arc<dyn ClusterMetadata>,
        reply: Reply<DeleteShareOffsetsAnswer>,
        out: &mut Outputs,
    ) {
        self.catch_up(image);
        let group = match self.empty_share_group(id) {
            Ok(group) => group,
            Err(error) => return out.reply(reply, Err(error)),
        };
        let Some(state) = group.state_partitions.as_deref() else {
            let nothing = DeletingShareOffsets { state: None, refused: Vec::new() };
            return self.write_or_settle(id, Vec::new(), reply, Ok(nothing), out);
        };
        let mut state = StatePartitions::clone(state);
        let (mut partitions, mut refused) = (Assignment::new(), Vec::new());
        for name in topics {
            match self.metadata.image.topic_by_name(name) {
                None => refused.push((own(name), NoShareOffsets::UnknownTopic)),
                Some(topic) => match state.give_up(&topic) {
                    Some(gone) => _ = partitions.insert(topic.id, gone),
                    None => refused.push((own(name), NoShareOffsets::NotRead)),
                },
            }
        }
        let written = vec![records::state_partitions(id, &state, &*self.metadata.image)];
        let group = group.id.clone();
        let state = (!partitions.is_empty()).then_some(StateToDelete { group, partitions });
        let answer = Ok(DeletingShareOffsets { state, refused });
        out.write_and_reply(self, written, reply, answer);
    }

    /// DeleteShareGroupOffsets, second half: the share coordinator has forgotten these topics.
    pub fn share_offsets_deleted(
        &mut self,
        id: &StrBytes,
        topics: &BTreeSet<Uuid>,
        reply: Reply<CompletionAnswer>,
        out: &mut Outputs,
    ) {
        let state = match self.groups.latest(id) {
            Some(Group::Share(group)) => group.state_partitions.as_deref().cloned(),
            _ => None,
        };
        let Some(mut state) = state else {
            return out.reply(reply, Ok(()));
        };
        state.deleting.retain(|topic| !topics.contains(topic));
        let written = vec![records::state_partitions(id, &state, &*self.metadata.image)];
        out.write_and_reply(self, written, reply, Ok(()));
    }

    /// A group of this kind without members.
    pub(super) fn empty_share_group(&self, id: &StrBytes) -> Result<Arc<ShareGroup>, GroupError> {
        let group = self.share_group(id)?;
        if group.is_empty() { Ok(group) } else { Err(GroupError::NonEmptyGroup) }
    }
}

/// As Kafka looks: a number below zero counts as there.
fn has(topic: &TopicMetadata, partition: i32) -> bool {
    partition < topic.partitions
}

impl StatePartitions {
    /// A topic is about to be forgotten; which of its partitions, or none where none is read. One
    /// that was so before, and is still, is forgotten whole.
    fn give_up(&mut self, topic: &TopicMetadata) -> Option<BTreeSet<i32>> {
        if let Some(initialized) = self.initialized.remove(&topic.id) {
            self.deleting.insert(topic.id);
            return Some(initialized.partitions);
        }
        self.deleting.contains(&topic.id).then(|| (0..topic.partitions).collect())
    }
}

impl ShareGroup {
    pub(super) fn initialized(&self) -> Assignment {
        let state = self.state_partitions.as_ref();
        state.map(|state| partitions_of(&state.initialized)).unwrap_or_default()
    }
}
