//! A streams group as its records make it. Answers to `StreamsGroup`.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::records::group::StreamsGroupRecord;
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::event::StreamsGroupEvent;
use super::member::Member;
use super::tasks::TaskAssignment;
use super::topology::StreamsTopology;

/// The epochs of a group that nothing is known of.
const FIRST_EPOCH: i32 = 1;

/// Copies share their members, assignments and topology.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct StreamsGroup {
    pub(super) id: StrBytes,
    pub(super) epoch: i32,
    pub(super) metadata_hash: i64,
    /// Of the topology, when its topics were as it wants them; -1 when they were not.
    pub(super) validated_topology_epoch: i32,
    pub(super) members: BTreeMap<StrBytes, Arc<Member>>,
    pub(super) topology: Option<Arc<StreamsTopology>>,
    pub(super) assignment_epoch: i32,
    /// When the target assignment was computed; 0 when that is not known.
    pub(super) assignment_timestamp_ms: i64,
    /// What the last assignment was made by.
    pub(super) assignment_configs: BTreeMap<StrBytes, StrBytes>,
    /// What members are to have.
    pub(super) target: BTreeMap<StrBytes, Arc<TaskAssignment>>,
}

impl StreamsGroup {
    pub(super) fn new(id: StrBytes) -> Self {
        Self {
            id,
            epoch: FIRST_EPOCH,
            metadata_hash: 0,
            validated_topology_epoch: 0,
            members: BTreeMap::new(),
            topology: None,
            assignment_epoch: FIRST_EPOCH,
            assignment_timestamp_ms: 0,
            assignment_configs: BTreeMap::new(),
            target: BTreeMap::new(),
        }
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(in super::super) fn state(&self) -> &'static str {
        let is_validated = self
            .topology
            .as_ref()
            .is_some_and(|topology| topology.epoch == self.validated_topology_epoch);
        if self.members.is_empty() {
            "Empty"
        } else if !is_validated {
            "NotReady"
        } else if self.epoch > self.assignment_epoch {
            "Assigning"
        } else if self.members.values().all(|member| member.is_reconciled_to(self.assignment_epoch))
        {
            "Stable"
        } else {
            "Reconciling"
        }
    }

    pub(in super::super) fn loaded(&self) -> StreamsGroupEvent {
        StreamsGroupEvent::Loaded { group: self.id.clone(), members: self.members.len() }
    }

    pub(in super::super) fn unloaded(&self) -> StreamsGroupEvent {
        StreamsGroupEvent::Unloaded { group: self.id.clone(), epoch: self.epoch }
    }

    pub(super) fn member(&self, id: &StrBytes) -> Result<&Arc<Member>, GroupError> {
        self.members
            .get(id)
            .ok_or_else(|| GroupError::NotAMember { member: id.clone(), group: self.id.clone() })
    }

    /// Whether a member reads this topic.
    pub(in super::super) fn is_subscribed_to(&self, topic: &StrBytes) -> bool {
        let topology = self.topology.as_ref().filter(|_| !self.is_empty());
        topology.is_some_and(|topology| topology.reader_of(topic).is_some())
    }

    /// Whether the topology needs this topic, as a source or as an internal one.
    pub(in super::super) fn requires(&self, topic: &StrBytes) -> bool {
        self.topology.as_ref().is_some_and(|topology| topology.required_topics().contains(topic))
    }

    /// Takes in a record; true when the group is gone.
    pub(super) fn apply(&mut self, record: StreamsGroupRecord) -> bool {
        match record {
            StreamsGroupRecord::Group { value: None, .. } => return true,
            StreamsGroupRecord::Group { value: Some(value), .. } => {
                self.epoch = value.epoch;
                self.metadata_hash = value.metadata_hash;
                self.validated_topology_epoch = value.validated_topology_epoch;
                let configs = value.last_assignment_configs.unwrap_or_default();
                self.assignment_configs =
                    configs.into_iter().map(|config| (config.key, config.value)).collect();
            }
            StreamsGroupRecord::Member { member, value: Some(value), .. } => {
                let mut updated = self.known_or_new(&member);
                updated.replay_metadata(value);
                self.put(updated);
            }
            StreamsGroupRecord::Member { member, value: None, .. } => {
                self.members.remove(&member);
            }
            StreamsGroupRecord::TargetAssignment { value, .. } => {
                let (epoch, timestamp) = value.map_or((-1, 0), |value| {
                    (value.assignment_epoch, value.assignment_timestamp_ms)
                });
                (self.assignment_epoch, self.assignment_timestamp_ms) = (epoch, timestamp);
            }
            StreamsGroupRecord::TargetAssignmentMember { member, value: Some(value), .. } => {
                let target = TaskAssignment::of_record(
                    value.active_tasks,
                    value.standby_tasks,
                    value.warmup_tasks,
                );
                self.target.insert(member, Arc::new(target));
            }
            StreamsGroupRecord::TargetAssignmentMember { member, value: None, .. } => {
                self.target.remove(&member);
            }
            StreamsGroupRecord::CurrentAssignment { member, value, .. } => {
                if value.is_some() || self.members.contains_key(&member) {
                    let mut updated = self.known_or_new(&member);
                    updated.replay_assignment(value);
                    self.put(updated);
                }
            }
            StreamsGroupRecord::Topology { value, .. } => {
                self.topology = value.and_then(StreamsTopology::new).map(Arc::new);
            }
        }
        false
    }

    fn known_or_new(&self, id: &StrBytes) -> Member {
        self.members.get(id).map_or_else(|| Member::new(id.clone()), |known| Member::clone(known))
    }

    fn put(&mut self, member: Member) {
        self.members.insert(member.id.clone(), Arc::new(member));
    }
}
