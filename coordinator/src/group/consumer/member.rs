//! A member of a consumer group. Answers to `ConsumerGroupMember` and `MemberState`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::messages::ConsumerGroupHeartbeatRequest;
use protocol::records::group::{
    AssignedPartitions, ClassicMemberMetadata, ConsumerGroupMemberMetadataValue,
    CurrentMemberAssignmentValue,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::settings::{Caller, own};

/// The epoch of a member that has left.
pub(super) const LEFT: i32 = -1;
/// The epoch of a static member that has left and may come back.
pub(super) const LEFT_FOR_NOW: i32 = -2;

/// How far a member is with its assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberState {
    Stable,
    /// It must give up partitions before it can go on.
    UnrevokedPartitions,
    /// It waits for partitions that others have not given up yet.
    UnreleasedPartitions,
    /// Of a later Kafka.
    Unknown,
}

impl MemberState {
    fn from_id(id: i8) -> Self {
        match id {
            0 => Self::Stable,
            1 => Self::UnrevokedPartitions,
            2 => Self::UnreleasedPartitions,
            _ => Self::Unknown,
        }
    }

    pub(super) fn id(self) -> i8 {
        match self {
            Self::Stable => 0,
            Self::UnrevokedPartitions => 1,
            Self::UnreleasedPartitions => 2,
            Self::Unknown => 127,
        }
    }
}

/// Partitions by topic, each with the epoch since when it has been the member's.
pub(in super::super) type Owned = BTreeMap<Uuid, BTreeMap<i32, i32>>;

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Member {
    pub(super) id: StrBytes,
    pub(super) epoch: i32,
    pub(super) previous_epoch: i32,
    pub(super) state: MemberState,
    pub(super) instance_id: Option<StrBytes>,
    pub(super) rack_id: Option<StrBytes>,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) client_id: StrBytes,
    pub(super) client_host: StrBytes,
    pub(super) topics: BTreeSet<StrBytes>,
    pub(super) regex: Option<StrBytes>,
    pub(super) assignor: Option<StrBytes>,
    pub(super) assigned: Owned,
    pub(super) pending_revocation: Owned,
    pub(super) classic: Option<ClassicMemberMetadata>,
}

impl Member {
    pub(super) fn new(id: StrBytes) -> Self {
        Self {
            id,
            epoch: 0,
            previous_epoch: -1,
            state: MemberState::Stable,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            client_id: StrBytes::default(),
            client_host: StrBytes::default(),
            topics: BTreeSet::new(),
            regex: Some(StrBytes::default()),
            assignor: None,
            assigned: Owned::new(),
            pending_revocation: Owned::new(),
            classic: None,
        }
    }

    /// The regular expression that it subscribes to, if any.
    pub(super) fn regular_expression(&self) -> Option<&StrBytes> {
        self.regex.as_ref().filter(|regex| !regex.is_empty())
    }

    pub(super) fn is_reconciled_to(&self, epoch: i32) -> bool {
        self.state == MemberState::Stable && self.epoch == epoch
    }

    /// Since which epoch a partition has been the member's, also one that it is to give up.
    pub(super) fn epoch_of(&self, topic: Uuid, partition: i32) -> Option<i32> {
        let of = |owned: &Owned| owned.get(&topic)?.get(&partition).copied();
        of(&self.assigned).or_else(|| of(&self.pending_revocation))
    }

    /// What it says of itself in a heartbeat; what is left out stays.
    pub(super) fn updated(
        &self,
        request: &ConsumerGroupHeartbeatRequest,
        caller: Caller<'_>,
    ) -> Self {
        let mut member = self.clone();
        let replace = |into: &mut Option<StrBytes>, by: &Option<StrBytes>| {
            if let Some(by) = by {
                *into = Some(own(by));
            }
        };
        replace(&mut member.instance_id, &request.instance_id);
        replace(&mut member.rack_id, &request.rack_id);
        replace(&mut member.assignor, &request.server_assignor);
        replace(&mut member.regex, &request.subscribed_topic_regex);
        if request.rebalance_timeout_ms != -1 {
            member.rebalance_timeout_ms = request.rebalance_timeout_ms;
        }
        if let Some(topics) = &request.subscribed_topic_names {
            member.topics = topics.iter().map(|topic| own(topic)).collect();
        }
        if member.client_id.as_str() != caller.client_id {
            member.client_id = StrBytes::from_string(caller.client_id.to_owned());
        }
        if member.client_host.as_str() != caller.client_host {
            member.client_host = StrBytes::from_string(caller.client_host.to_owned());
        }
        member.classic = None;
        member
    }

    pub(super) fn metadata(&self) -> ConsumerGroupMemberMetadataValue {
        ConsumerGroupMemberMetadataValue {
            instance_id: self.instance_id.clone(),
            rack_id: self.rack_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            subscribed_topic_names: self.topics.iter().cloned().collect(),
            subscribed_topic_regex: self.regex.clone(),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            server_assignor: self.assignor.clone(),
            classic_member_metadata: self.classic.clone(),
            ..ConsumerGroupMemberMetadataValue::default()
        }
    }

    pub(super) fn replay_metadata(&mut self, value: ConsumerGroupMemberMetadataValue) {
        self.instance_id = value.instance_id;
        self.rack_id = value.rack_id;
        self.client_id = value.client_id;
        self.client_host = value.client_host;
        self.topics = value.subscribed_topic_names.into_iter().collect();
        self.regex = value.subscribed_topic_regex;
        self.rebalance_timeout_ms = value.rebalance_timeout_ms;
        self.assignor = value.server_assignor;
        self.classic = value.classic_member_metadata;
    }

    pub(super) fn current_assignment(&self) -> CurrentMemberAssignmentValue {
        CurrentMemberAssignmentValue {
            member_epoch: self.epoch,
            previous_member_epoch: self.previous_epoch,
            state: self.state.id(),
            assigned_partitions: written(&self.assigned),
            partitions_pending_revocation: written(&self.pending_revocation),
            ..CurrentMemberAssignmentValue::default()
        }
    }

    pub(super) fn replay_assignment(&mut self, value: Option<CurrentMemberAssignmentValue>) {
        let Some(value) = value else {
            (self.epoch, self.previous_epoch) = (LEFT, LEFT);
            self.assigned.clear();
            self.pending_revocation.clear();
            return;
        };
        self.epoch = value.member_epoch;
        self.previous_epoch = value.previous_member_epoch;
        self.state = MemberState::from_id(value.state);
        self.assigned = read(value.assigned_partitions, value.member_epoch);
        self.pending_revocation = read(value.partitions_pending_revocation, value.member_epoch);
    }
}

fn written(owned: &Owned) -> Vec<AssignedPartitions> {
    let topics = owned.iter().map(|(topic, partitions)| AssignedPartitions {
        topic_id: *topic,
        partitions: partitions.keys().copied().collect(),
        assignment_epochs: Some(partitions.values().copied().collect()),
        ..AssignedPartitions::default()
    });
    topics.collect()
}

/// A record of an older Kafka has no epochs: the member's holds, which may be that of one that has
/// left.
fn read(topics: Vec<AssignedPartitions>, member_epoch: i32) -> Owned {
    let default = member_epoch.max(0);
    let topics = topics.into_iter().map(|topic| {
        let epochs = topic.assignment_epochs.unwrap_or_default();
        let known = epochs.len() == topic.partitions.len();
        let partitions =
            topic.partitions.iter().enumerate().map(|(index, partition)| {
                (*partition, if known { epochs[index] } else { default })
            });
        (topic.topic_id, partitions.collect())
    });
    topics.collect()
}
