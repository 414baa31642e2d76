//! A member of a streams group. Answers to `StreamsGroupMember` and `MemberState`.

use std::collections::BTreeMap;

use protocol::records::group::{
    StreamsCurrentAssignmentValue, StreamsEndpoint, StreamsKeyValue, StreamsMemberMetadataValue,
};
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::super::settings::Caller;
use super::request::StreamsHeartbeatRequest;
use super::tasks::{OwnedTasks, written, written_with_epochs};

/// The epoch of a member that has left.
pub(super) const LEFT: i32 = -1;
/// The epoch of a static member that has left and may come back; 4.3 has none.
pub(super) const LEFT_FOR_NOW: i32 = -2;

/// How far a member is with its assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberState {
    Stable,
    /// It must give up tasks before it can go on.
    UnrevokedTasks,
    /// It waits for tasks that others have not given up yet.
    UnreleasedTasks,
    /// Of a later Kafka.
    Unknown,
}

impl MemberState {
    fn from_id(id: i8) -> Self {
        match id {
            1 => Self::Stable,
            2 => Self::UnrevokedTasks,
            3 => Self::UnreleasedTasks,
            _ => Self::Unknown,
        }
    }

    fn id(self) -> i8 {
        match self {
            Self::Stable => 1,
            Self::UnrevokedTasks => 2,
            Self::UnreleasedTasks => 3,
            Self::Unknown => 127,
        }
    }

    /// As Kafka's log names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stable => "STABLE",
            Self::UnrevokedTasks => "UNREVOKED_TASKS",
            Self::UnreleasedTasks => "UNRELEASED_TASKS",
            Self::Unknown => "UNKNOWN",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) id: StrBytes,
    pub(super) epoch: i32,
    pub(super) previous_epoch: i32,
    pub(super) state: MemberState,
    /// None of ours has one; a later Kafka may have left one in the log.
    pub(super) instance_id: Option<StrBytes>,
    pub(super) rack_id: Option<StrBytes>,
    pub(super) client_id: StrBytes,
    pub(super) client_host: StrBytes,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) topology_epoch: i32,
    pub(super) process_id: StrBytes,
    pub(super) user_endpoint: Option<StreamsEndpoint>,
    pub(super) client_tags: BTreeMap<StrBytes, StrBytes>,
    pub(super) assigned: OwnedTasks,
    pub(super) pending_revocation: OwnedTasks,
}

impl Member {
    pub(super) fn new(id: StrBytes) -> Self {
        Self {
            id,
            epoch: 0,
            previous_epoch: 0,
            state: MemberState::Stable,
            instance_id: None,
            rack_id: None,
            client_id: StrBytes::default(),
            client_host: StrBytes::default(),
            rebalance_timeout_ms: -1,
            topology_epoch: -1,
            process_id: StrBytes::default(),
            user_endpoint: None,
            client_tags: BTreeMap::new(),
            assigned: OwnedTasks::default(),
            pending_revocation: OwnedTasks::default(),
        }
    }

    pub(super) fn is_reconciled_to(&self, epoch: i32) -> bool {
        self.state == MemberState::Stable && self.epoch == epoch
    }

    /// Whether it has this task active, or is giving it up.
    pub(super) fn holds_active(&self, subtopology: &StrBytes, partition: i32) -> bool {
        self.assigned.has_active(subtopology, partition)
            || self.pending_revocation.has_active(subtopology, partition)
    }

    /// The same for a standby or a warm-up.
    pub(super) fn holds_passive(&self, subtopology: &StrBytes, partition: i32) -> bool {
        self.assigned.has_passive(subtopology, partition)
            || self.pending_revocation.has_passive(subtopology, partition)
    }

    /// What it says of itself in a heartbeat; what is left out stays.
    pub(super) fn updated(
        &self,
        request: &StreamsHeartbeatRequest,
        caller: Caller<'_>,
    ) -> Result<Self, GroupError> {
        let mut member = self.clone();
        if request.rack_id.is_some() {
            member.rack_id.clone_from(&request.rack_id);
        }
        if request.rebalance_timeout_ms != -1 {
            member.rebalance_timeout_ms = request.rebalance_timeout_ms;
        }
        if let Some(topology) = &request.topology {
            member.topology_epoch = topology.epoch;
        }
        if member.client_id.as_str() != caller.client_id {
            member.client_id = StrBytes::from_string(caller.client_id.to_owned());
        }
        if member.client_host.as_str() != caller.client_host {
            member.client_host = StrBytes::from_string(caller.client_host.to_owned());
        }
        if let Some(process) = &request.process_id {
            member.process_id = process.clone();
        }
        if let Some(tags) = &request.client_tags {
            let by_key = tags.iter().map(|tag| (tag.key.clone(), tag.value.clone()));
            member.client_tags = by_key.collect();
            if member.client_tags.len() != tags.len() {
                return Err(GroupError::Unexpected("a client tag is there twice"));
            }
        }
        if request.user_endpoint.is_some() {
            member.user_endpoint.clone_from(&request.user_endpoint);
        }
        Ok(member)
    }

    pub(super) fn metadata(&self) -> StreamsMemberMetadataValue {
        StreamsMemberMetadataValue {
            instance_id: self.instance_id.clone(),
            rack_id: self.rack_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            topology_epoch: self.topology_epoch,
            process_id: self.process_id.clone(),
            user_endpoint: self.user_endpoint.clone(),
            client_tags: key_values(&self.client_tags),
            ..StreamsMemberMetadataValue::default()
        }
    }

    pub(super) fn replay_metadata(&mut self, value: StreamsMemberMetadataValue) {
        self.instance_id = value.instance_id;
        self.rack_id = value.rack_id;
        self.client_id = value.client_id;
        self.client_host = value.client_host;
        self.rebalance_timeout_ms = value.rebalance_timeout_ms;
        self.topology_epoch = value.topology_epoch;
        self.process_id = value.process_id;
        self.user_endpoint = value.user_endpoint;
        self.client_tags = value.client_tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    }

    pub(super) fn current_assignment(&self) -> StreamsCurrentAssignmentValue {
        let Self { assigned, pending_revocation, .. } = self;
        StreamsCurrentAssignmentValue {
            member_epoch: self.epoch,
            previous_member_epoch: self.previous_epoch,
            state: self.state.id(),
            active_tasks: written_with_epochs(&assigned.active),
            standby_tasks: written(&assigned.standby),
            warmup_tasks: written(&assigned.warmup),
            active_tasks_pending_revocation: written_with_epochs(&pending_revocation.active),
            standby_tasks_pending_revocation: written(&pending_revocation.standby),
            warmup_tasks_pending_revocation: written(&pending_revocation.warmup),
            ..StreamsCurrentAssignmentValue::default()
        }
    }

    pub(super) fn replay_assignment(&mut self, value: Option<StreamsCurrentAssignmentValue>) {
        let Some(value) = value else {
            (self.epoch, self.previous_epoch) = (LEFT, LEFT);
            self.assigned = OwnedTasks::default();
            self.pending_revocation = OwnedTasks::default();
            return;
        };
        self.epoch = value.member_epoch;
        self.previous_epoch = value.previous_member_epoch;
        self.state = MemberState::from_id(value.state);
        self.assigned = OwnedTasks::of_record(
            value.active_tasks,
            value.standby_tasks,
            value.warmup_tasks,
            value.member_epoch,
        );
        self.pending_revocation = OwnedTasks::of_record(
            value.active_tasks_pending_revocation,
            value.standby_tasks_pending_revocation,
            value.warmup_tasks_pending_revocation,
            value.member_epoch,
        );
    }
}

/// In the order of the keys.
pub(super) fn key_values(map: &BTreeMap<StrBytes, StrBytes>) -> Vec<StreamsKeyValue> {
    let pairs = map.iter().map(|(key, value)| StreamsKeyValue {
        key: key.clone(),
        value: value.clone(),
        ..StreamsKeyValue::default()
    });
    pairs.collect()
}
