//! A consumer whose coordinator assigns (KIP-848): from what it reads to what it shall read.
//!
//! Kept true: partitions are given up, and their positions committed, before new ones are taken and
//! the coordinator hears of either.

use std::sync::Arc;

use super::group::{self, ByTopicId, Group, Told};
use super::partitions::Place;
use super::tasks::Event;
use super::{Consumer, ConsumerError, Phase, Polled, TopicPartition};
use crate::metadata::ClusterView;

impl Consumer {
    pub(super) fn join_consumer_group(&mut self, group: Arc<Group>, topics: Vec<String>) {
        self.joined_topics = topics.clone();
        group.state(|statement| {
            statement.topics = topics;
            statement.owned.clear();
        });
        let sender = self.sender.clone();
        let tell = move |told| {
            let _ = sender.send(Event::Told(told));
        };
        let task = tokio::spawn(group::consumer_group(group, tell));
        self.phase = Phase::Member(task.abort_handle());
    }

    pub(super) fn say_topics(&mut self, topics: Vec<String>) {
        if topics != self.joined_topics
            && let Some(group) = &self.group
        {
            self.joined_topics.clone_from(&topics);
            group.state(|statement| statement.topics = topics);
        }
    }

    pub(super) fn take_told(&mut self, told: Told) -> Result<Option<Polled>, ConsumerError> {
        match told {
            Told::Target(target) => {
                self.target = Some(target);
                Ok(self.reconcile())
            }
            Told::Fenced => Ok(self.give_up_all()),
            Told::TooSlow => {
                self.phase = Phase::Outside;
                Ok(self.give_up_all())
            }
            Told::Failed(error) => {
                self.phase = Phase::Outside;
                Err(error)
            }
        }
    }

    /// Others read them already: nothing is committed.
    fn give_up_all(&mut self) -> Option<Polled> {
        self.target = None;
        let revoked = self.partitions.all().to_vec();
        self.partitions.assign(Vec::new(), Place::Committed);
        (!revoked.is_empty()).then_some(Polled::Revoked(revoked))
    }

    /// One step towards the target: gives up what is not part of it, or takes the rest.
    pub(super) fn reconcile(&mut self) -> Option<Polled> {
        if self.is_giving_up {
            return None;
        }
        let view = self.cluster.view();
        let target = self.target.as_ref()?;
        let Some(wanted) = named(target, &view) else {
            // The names of new topics come with newer metadata.
            self.cluster.request_update();
            return None;
        };
        let (kept, revoked): (Vec<_>, Vec<_>) =
            self.partitions.all().iter().cloned().partition(|one| wanted.contains(one));
        if !revoked.is_empty() {
            self.give_up(kept, &revoked);
            return Some(Polled::Revoked(revoked));
        }
        let added: Vec<TopicPartition> =
            wanted.iter().filter(|one| !kept.contains(one)).cloned().collect();
        self.partitions.reassign(wanted, Place::Committed);
        self.is_locating = false;
        self.done.joins += 1;
        let target = self.target.take()?;
        if let Some(group) = &self.group {
            group.state(|statement| statement.owned = target);
        }
        Some(Polled::Assigned(added))
    }

    fn give_up(&mut self, kept: Vec<TopicPartition>, revoked: &[TopicPartition]) {
        let mut positions = self.partitions.positions();
        positions.retain(|(partition, _)| revoked.contains(partition));
        self.partitions.reassign(kept, Place::Committed);
        self.is_locating = false;
        self.is_giving_up = true;
        let group = self.group.clone().filter(|_| self.settings.is_auto_committing);
        let sender = self.sender.clone();
        tokio::spawn(async move {
            if let Some(group) = group.filter(|_| !positions.is_empty()) {
                let _ = group::commit(group, positions).await;
            }
            let _ = sender.send(Event::GivenUp);
        });
    }
}

/// The partitions by their topics' names; nothing where one is not known yet.
fn named(target: &ByTopicId, view: &ClusterView) -> Option<Vec<TopicPartition>> {
    let mut found = Vec::new();
    for (id, partitions) in target {
        let name: Arc<str> = view.topic_by_id(*id)?.name.as_str().into();
        found.extend(partitions.iter().map(|index| TopicPartition::new(Arc::clone(&name), *index)));
    }
    Some(found)
}
