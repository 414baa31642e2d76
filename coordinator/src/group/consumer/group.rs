//! A consumer group as its records make it. Answers to `ConsumerGroup` and `ModernGroup`.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::records::group::{ConsumerGroupRecord, RegularExpressionValue};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::answer::GroupError;
use super::super::modern::Assignment;
use super::event::ConsumerGroupEvent;
use super::member::Member;
use crate::runtime::SharedMap;

/// The epochs of a group that nothing is known of.
const FIRST_EPOCH: i32 = 1;

/// Copies share their members, assignments and expressions: each heartbeat that writes makes one.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct ConsumerGroup {
    pub(super) id: StrBytes,
    pub(super) epoch: i32,
    pub(super) metadata_hash: i64,
    pub(super) members: SharedMap<StrBytes, Arc<Member>>,
    /// How many members have a partition, or are to give it up.
    holders: SharedMap<(Uuid, i32), usize>,
    /// Member ids by instance id.
    pub(super) static_members: SharedMap<StrBytes, StrBytes>,
    pub(super) assignment_epoch: i32,
    /// When the target assignment was computed; 0 when that is not known.
    pub(super) assignment_timestamp_ms: i64,
    /// What members are to have.
    pub(super) target: SharedMap<StrBytes, Arc<Assignment>>,
    /// What regular expressions match.
    pub(super) resolved: BTreeMap<StrBytes, Arc<RegularExpressionValue>>,
    /// How many members subscribe to a regular expression.
    pub(super) regular_expressions: BTreeMap<StrBytes, usize>,
    /// Kafka before 4.1 has left a record that is to go.
    pub(super) has_partition_metadata: bool,
}

impl ConsumerGroup {
    pub(in super::super) fn new(id: StrBytes) -> Self {
        Self {
            id,
            epoch: FIRST_EPOCH,
            metadata_hash: 0,
            members: SharedMap::default(),
            holders: SharedMap::default(),
            static_members: SharedMap::default(),
            assignment_epoch: FIRST_EPOCH,
            assignment_timestamp_ms: 0,
            target: SharedMap::default(),
            resolved: BTreeMap::new(),
            regular_expressions: BTreeMap::new(),
            has_partition_metadata: false,
        }
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(in super::super) fn state(&self) -> &'static str {
        if self.members.is_empty() {
            "Empty"
        } else if self.epoch > self.assignment_epoch {
            "Assigning"
        } else if self.members.values().all(|member| member.is_reconciled_to(self.assignment_epoch))
        {
            "Stable"
        } else {
            "Reconciling"
        }
    }

    pub(in super::super) fn unloaded(&self) -> ConsumerGroupEvent {
        ConsumerGroupEvent::Unloaded { group: self.id.clone(), epoch: self.epoch }
    }

    pub(in super::super) fn member_ids(&self) -> impl Iterator<Item = &StrBytes> {
        self.members.keys()
    }

    pub(super) fn member(&self, id: &StrBytes) -> Result<&Arc<Member>, GroupError> {
        self.members
            .get(id)
            .ok_or_else(|| GroupError::NotAMember { member: id.clone(), group: self.id.clone() })
    }

    pub(super) fn static_member(&self, instance: &StrBytes) -> Option<&Arc<Member>> {
        self.members.get(self.static_members.get(instance)?)
    }

    /// Whether a member reads this topic, by its name or by an expression that matches it.
    pub(in super::super) fn is_subscribed_to(&self, topic: &StrBytes) -> bool {
        self.members.values().any(|member| member.topics.contains(topic))
            || self.resolved.values().any(|resolved| resolved.topics.contains(topic))
    }

    /// Takes in a record; true when the group is gone.
    pub(in super::super) fn apply(&mut self, record: ConsumerGroupRecord) -> bool {
        match record {
            ConsumerGroupRecord::Group { value: None, .. } => return true,
            ConsumerGroupRecord::Group { value: Some(value), .. } => {
                self.epoch = value.epoch;
                self.metadata_hash = value.metadata_hash;
            }
            ConsumerGroupRecord::PartitionMetadata { value, .. } => {
                self.has_partition_metadata = value.is_some();
            }
            ConsumerGroupRecord::Member { member, value: Some(value), .. } => {
                let mut updated = self.known_or_new(&member);
                updated.replay_metadata(value);
                self.put(updated);
            }
            ConsumerGroupRecord::Member { member, value: None, .. } => self.remove(&member),
            ConsumerGroupRecord::TargetAssignment { value, .. } => {
                let (epoch, timestamp) = value.map_or((-1, 0), |value| {
                    (value.assignment_epoch, value.assignment_timestamp_ms)
                });
                (self.assignment_epoch, self.assignment_timestamp_ms) = (epoch, timestamp);
            }
            ConsumerGroupRecord::TargetAssignmentMember { member, value: Some(value), .. } => {
                let topics = value.topic_partitions.into_iter();
                let assignment =
                    topics.map(|topic| (topic.topic_id, topic.partitions.into_iter().collect()));
                self.target.insert(member, Arc::new(assignment.collect()));
            }
            ConsumerGroupRecord::TargetAssignmentMember { member, value: None, .. } => {
                self.target.remove(&member);
            }
            ConsumerGroupRecord::CurrentAssignment { member, value, .. } => {
                if value.is_some() || self.members.contains_key(&member) {
                    let mut updated = self.known_or_new(&member);
                    updated.replay_assignment(value);
                    self.put(updated);
                }
            }
            ConsumerGroupRecord::RegularExpression { regular_expression, value, .. } => {
                match value {
                    Some(value) => self.resolved.insert(regular_expression, Arc::new(value)),
                    None => self.resolved.remove(&regular_expression),
                };
            }
        }
        false
    }

    fn known_or_new(&self, id: &StrBytes) -> Member {
        match self.members.get(id) {
            Some(member) => Member::clone(member),
            None => Member::new(id.clone()),
        }
    }

    pub(super) fn put(&mut self, member: Member) {
        if let Some(instance) = &member.instance_id {
            self.static_members.insert(instance.clone(), member.id.clone());
        }
        if let Some(regex) = member.regular_expression() {
            *self.regular_expressions.entry(regex.clone()).or_default() += 1;
        }
        let member = Arc::new(member);
        let before = self.members.insert(member.id.clone(), Arc::clone(&member));
        let owned_before = before.as_deref().map(Member::owned).unwrap_or_default();
        let owned = member.owned();
        owned.difference(&owned_before).for_each(|partition| self.hold(*partition));
        owned_before.difference(&owned).for_each(|partition| self.release(*partition));
        if let Some(before) = before {
            self.discount(&before);
        }
    }

    fn remove(&mut self, id: &StrBytes) {
        let Some(member) = self.members.remove(id) else { return };
        member.owned().into_iter().for_each(|partition| self.release(partition));
        self.discount(&member);
        // A static member that has come back under another id holds the instance now.
        if let Some(instance) = &member.instance_id
            && self.static_members.get(instance) == Some(id)
        {
            self.static_members.remove(instance);
        }
    }

    /// How many members have a partition, or are to give it up.
    pub(super) fn holders_of(&self, topic: Uuid, partition: i32) -> usize {
        self.holders.get(&(topic, partition)).copied().unwrap_or(0)
    }

    fn hold(&mut self, (topic, partition): (Uuid, i32)) {
        let holders = self.holders_of(topic, partition) + 1;
        self.holders.insert((topic, partition), holders);
    }

    fn release(&mut self, (topic, partition): (Uuid, i32)) {
        match self.holders_of(topic, partition) {
            0 | 1 => self.holders.remove(&(topic, partition)),
            holders => self.holders.insert((topic, partition), holders - 1),
        };
    }

    fn discount(&mut self, member: &Member) {
        if let Some(regex) = member.regular_expression()
            && let Some(count) = self.regular_expressions.get_mut(regex)
        {
            *count -= 1;
            if *count == 0 {
                self.regular_expressions.remove(regex);
            }
        }
    }
}
