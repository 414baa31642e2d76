//! A share group as its records make it. Answers to `ShareGroup` and `ModernGroup`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::records::group::ShareGroupRecord;
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::super::modern::Assignment;
use super::event::ShareGroupEvent;
use super::member::Member;
use super::state_partitions::StatePartitions;

/// The epochs of a group that nothing is known of.
const FIRST_EPOCH: i32 = 1;

/// Copies share their members and assignments.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct ShareGroup {
    pub(super) id: StrBytes,
    pub(super) epoch: i32,
    pub(super) metadata_hash: i64,
    pub(super) members: BTreeMap<StrBytes, Arc<Member>>,
    pub(super) assignment_epoch: i32,
    /// When the target assignment was computed; 0 when that is not known.
    pub(super) assignment_timestamp_ms: i64,
    /// What members are to have.
    pub(super) target: BTreeMap<StrBytes, Arc<Assignment>>,
    /// None: no record says so.
    pub(super) state_partitions: Option<Arc<StatePartitions>>,
}

impl ShareGroup {
    pub(in super::super) fn new(id: StrBytes) -> Self {
        Self {
            id,
            epoch: FIRST_EPOCH,
            metadata_hash: 0,
            members: BTreeMap::new(),
            assignment_epoch: FIRST_EPOCH,
            assignment_timestamp_ms: 0,
            target: BTreeMap::new(),
            state_partitions: None,
        }
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(in super::super) fn state(&self) -> &'static str {
        if self.members.is_empty() { "Empty" } else { "Stable" }
    }

    pub(in super::super) fn unloaded(&self) -> ShareGroupEvent {
        ShareGroupEvent::Unloaded { group: self.id.clone(), epoch: self.epoch }
    }

    pub(in super::super) fn member_ids(&self) -> impl Iterator<Item = &StrBytes> {
        self.members.keys()
    }

    pub(super) fn member(&self, id: &StrBytes) -> Result<&Arc<Member>, GroupError> {
        self.members
            .get(id)
            .ok_or_else(|| GroupError::NotAMember { member: id.clone(), group: self.id.clone() })
    }

    /// Whether a member reads this topic.
    pub(in super::super) fn is_subscribed_to(&self, topic: &StrBytes) -> bool {
        self.members.values().any(|member| member.topics.contains(topic))
    }

    /// All topics that members name, without one of them, with one as it is now.
    pub(super) fn topics(
        &self,
        without: Option<&StrBytes>,
        with: Option<&Member>,
    ) -> BTreeSet<StrBytes> {
        let others = self.others(without, with);
        others.chain(with).flat_map(|member| member.topics.iter().cloned()).collect()
    }

    fn others<'a>(
        &'a self,
        without: Option<&'a StrBytes>,
        with: Option<&'a Member>,
    ) -> impl Iterator<Item = &'a Member> {
        self.members.values().map(|member| &**member).filter(move |member| {
            Some(&member.id) != without && with.is_none_or(|with| with.id != member.id)
        })
    }

    /// Whether all members name the same topics, with one as it is now.
    pub(super) fn is_homogeneous(&self, with: Option<&Member>) -> bool {
        let mut members = self.others(None, with).chain(with);
        let Some(first) = members.next() else { return true };
        members.all(|member| member.topics == first.topics)
    }

    /// Takes in a record; true when the group is gone.
    pub(in super::super) fn apply(&mut self, record: ShareGroupRecord, now_ms: i64) -> bool {
        match record {
            ShareGroupRecord::Group { value: None, .. } => return true,
            ShareGroupRecord::Group { value: Some(value), .. } => {
                (self.epoch, self.metadata_hash) = (value.epoch, value.metadata_hash);
            }
            ShareGroupRecord::Member { member, value: Some(value), .. } => {
                let mut updated = self.known_or_new(&member);
                updated.replay_metadata(value);
                self.members.insert(member, Arc::new(updated));
            }
            ShareGroupRecord::Member { member, value: None, .. } => {
                self.members.remove(&member);
            }
            ShareGroupRecord::TargetAssignment { value, .. } => {
                let (epoch, timestamp) = value.map_or((-1, 0), |value| {
                    (value.assignment_epoch, value.assignment_timestamp_ms)
                });
                (self.assignment_epoch, self.assignment_timestamp_ms) = (epoch, timestamp);
            }
            ShareGroupRecord::TargetAssignmentMember { member, value: Some(value), .. } => {
                let topics = value.topic_partitions.into_iter();
                let assignment =
                    topics.map(|topic| (topic.topic_id, topic.partitions.into_iter().collect()));
                self.target.insert(member, Arc::new(assignment.collect()));
            }
            ShareGroupRecord::TargetAssignmentMember { member, value: None, .. } => {
                self.target.remove(&member);
            }
            ShareGroupRecord::CurrentAssignment { member, value, .. } => {
                if value.is_some() || self.members.contains_key(&member) {
                    let mut updated = self.known_or_new(&member);
                    updated.replay_assignment(value);
                    self.members.insert(member, Arc::new(updated));
                }
            }
            ShareGroupRecord::StatePartitions { value, .. } => {
                self.state_partitions =
                    value.map(|value| Arc::new(StatePartitions::replayed(value, now_ms)));
            }
        }
        false
    }

    /// What must be the same after a reload.
    #[cfg(test)]
    pub(in super::super) fn durable_state(&self) -> String {
        let mut group = self.clone();
        if let Some(state) = group.state_partitions.as_mut().map(Arc::make_mut) {
            let topics = state.initializing.values_mut().chain(state.initialized.values_mut());
            topics.for_each(|topic| topic.since_ms = 0);
        }
        format!("{group:?}")
    }

    fn known_or_new(&self, id: &StrBytes) -> Member {
        match self.members.get(id) {
            Some(member) => Member::clone(member),
            None => Member::new(id.clone()),
        }
    }
}
