//! How a share group's state goes before the group does, and with the topics that it is of.
//! Answers to `sharePartitionDeleteRequests` and `maybeCleanupShareGroupState`.

use std::collections::BTreeSet;

use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::super::modern::Assignment;
use super::super::settings::own;
use super::super::shard::{Group, GroupShard};
use super::event::ShareGroupEvent;
use super::records;
use super::state_partitions::{
    StatePartitions, StateToDelete, TopicPartitions, Topics, combined, partitions_of,
};
use crate::runtime::Reply;

/// Of groups about to be deleted, the state of those that have some, and which must stay. All else
/// is not about share groups.
pub type ShareStateToDelete =
    Result<Vec<(StrBytes, Result<StateToDelete, GroupError>)>, GroupError>;

impl GroupShard {
    /// DeleteGroups, before the groups go: from here on nothing of them is read.
    pub fn delete_share_state(
        &mut self,
        groups: &[StrBytes],
        reply: Reply<ShareStateToDelete>,
        out: &mut Outputs,
    ) {
        let (mut written, mut answers) = (Vec::new(), Vec::new());
        for id in groups {
            match self.empty_share_group(id) {
                Ok(group) => {
                    let Some(state) = group.state_partitions.as_deref() else { continue };
                    let (record, partitions) = self.give_up_state(&group.id, state);
                    written.push(record);
                    if !partitions.is_empty() {
                        let state = StateToDelete { group: group.id.clone(), partitions };
                        answers.push((own(id), Ok(state)));
                    }
                }
                Err(error @ GroupError::NonEmptyGroup) => answers.push((own(id), Err(error))),
                // Nothing to do: whether the group may go shows when it is to.
                Err(_) => {}
            }
        }
        if written.is_empty() {
            out.reply(reply, Ok(answers));
        } else {
            out.write_and_reply(self, written, reply, Ok(answers));
        }
    }

    /// All state is about to go, and what was about to go before is tried again.
    fn give_up_state(&self, id: &StrBytes, state: &StatePartitions) -> (GroupRecord, Assignment) {
        let image = &self.metadata.image;
        let tried_again = state.deleting.iter().filter_map(|topic| {
            let topic = image.topic_by_id(*topic)?;
            let partitions = (0..topic.partitions).collect();
            Some((topic.id, TopicPartitions { name: topic.name, partitions, since_ms: -1 }))
        });
        let tried_again: Topics = tried_again.collect();
        let going = combined(&combined(&state.initialized, &state.initializing), &tried_again);
        (records::deleting(id, &going), partitions_of(&going))
    }

    /// These topics are no more: nor is any state of them, which the share coordinator forgets by
    /// itself.
    pub fn share_topics_deleted(&mut self, topics: &BTreeSet<Uuid>, out: &mut Outputs) {
        let mut written = Vec::new();
        for (id, group) in self.groups.iter() {
            let Group::Share(group) = group else { continue };
            let Some(state) = group.state_partitions.as_deref() else { continue };
            if !topics.iter().any(|topic| state.names(topic)) {
                continue;
            }
            let mut state = state.clone();
            state.initializing.retain(|topic, _| !topics.contains(topic));
            state.initialized.retain(|topic, _| !topics.contains(topic));
            state.deleting.retain(|topic| !topics.contains(topic));
            written.push(records::state_partitions(id, &state, &*self.metadata.image));
        }
        if !written.is_empty() {
            let groups = written.len();
            out.log(LogEvent::Share(ShareGroupEvent::StateOfDeletedTopicsGone { groups }));
            out.write(self, written, None);
        }
    }
}

impl StatePartitions {
    fn names(&self, topic: &Uuid) -> bool {
        self.initializing.contains_key(topic)
            || self.initialized.contains_key(topic)
            || self.deleting.contains(topic)
    }
}
