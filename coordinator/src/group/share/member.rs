//! A member of a share group. Answers to `ShareGroupMember` and `ShareGroupAssignmentBuilder`.

use std::collections::BTreeSet;

use protocol::messages::ShareGroupHeartbeatRequest;
use protocol::records::group::{
    ShareGroupCurrentMemberAssignmentValue, ShareGroupMemberMetadataValue,
};
use protocol::wire::StrBytes;

use super::super::modern::Assignment;
use super::super::settings::{Caller, own};

/// The epoch of a member that has left.
pub(super) const LEFT: i32 = -1;
/// The one state that a member is in; another one is of a later Kafka.
pub(super) const STABLE: i8 = 0;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Member {
    pub(super) id: StrBytes,
    pub(super) epoch: i32,
    pub(super) previous_epoch: i32,
    pub(super) state: i8,
    pub(super) rack_id: Option<StrBytes>,
    pub(super) client_id: StrBytes,
    pub(super) client_host: StrBytes,
    pub(super) topics: BTreeSet<StrBytes>,
    pub(super) assigned: Assignment,
}

impl Member {
    pub(super) fn new(id: StrBytes) -> Self {
        Self {
            id,
            epoch: 0,
            previous_epoch: -1,
            state: STABLE,
            rack_id: None,
            client_id: StrBytes::default(),
            client_host: StrBytes::default(),
            topics: BTreeSet::new(),
            assigned: Assignment::new(),
        }
    }

    /// What it says of itself in a heartbeat; what is left out stays.
    pub(super) fn updated(&self, request: &ShareGroupHeartbeatRequest, client: Caller<'_>) -> Self {
        let mut member = self.clone();
        if let Some(rack) = &request.rack_id {
            member.rack_id = Some(own(rack));
        }
        if let Some(topics) = &request.subscribed_topic_names {
            member.topics = topics.iter().map(|topic| own(topic)).collect();
        }
        member.client_id = StrBytes::from_string(client.client_id.to_owned());
        member.client_host = StrBytes::from_string(client.client_host.to_owned());
        member
    }

    /// With what it is to have as of this epoch.
    pub(super) fn reconciled(&self, target_epoch: i32, assigned: Assignment) -> Self {
        let mut member = self.clone();
        member.assigned = assigned;
        if target_epoch != self.epoch {
            member.state = STABLE;
            (member.previous_epoch, member.epoch) = (self.epoch, target_epoch);
        }
        member
    }

    pub(super) fn replay_metadata(&mut self, value: ShareGroupMemberMetadataValue) {
        self.rack_id = value.rack_id;
        self.client_id = value.client_id;
        self.client_host = value.client_host;
        self.topics = value.subscribed_topic_names.into_iter().collect();
    }

    /// None: it has left, and its own record will follow.
    pub(super) fn replay_assignment(
        &mut self,
        value: Option<ShareGroupCurrentMemberAssignmentValue>,
    ) {
        let Some(value) = value else {
            (self.epoch, self.previous_epoch) = (LEFT, LEFT);
            self.assigned.clear();
            return;
        };
        self.epoch = value.member_epoch;
        self.previous_epoch = value.previous_member_epoch;
        self.state = value.state;
        self.assigned = value
            .assigned_partitions
            .into_iter()
            .map(|topic| (topic.topic_id, topic.partitions.into_iter().collect()))
            .collect();
    }
}
