//! What the heartbeat of a share group's member has of its own (KIP-932): it says which topics the
//! member wants, and the answer which partitions it shall read; nobody owns any. Answers to
//! `ShareHeartbeatRequestManager` and `ShareMembershipManager`.

use ::protocol::ErrorCode;
use ::protocol::messages::share_group_heartbeat_request::ShareGroupHeartbeatRequest;
use ::protocol::messages::share_group_heartbeat_response::{
    Assignment, ShareGroupHeartbeatResponse,
};

use super::super::ConsumerError;
use super::super::fetch::topic_name;
use super::consumer_group::{Beat, ByTopicId, Statement};
use super::{Group, Identity, Lost, text};

/// What Kafka's share consumer says of a cluster that knows the protocol and does not speak it.
const NOT_ENABLED: &str = "The cluster does not support the share group protocol. To use share \
                           groups, the cluster must have the share group protocol enabled.";

impl From<ShareGroupHeartbeatResponse> for Beat {
    fn from(answer: ShareGroupHeartbeatResponse) -> Self {
        let is_disabled = answer.error_code == ErrorCode::UnsupportedVersion.code();
        let error_message = match is_disabled {
            true => Some(NOT_ENABLED.to_owned()),
            false => answer.error_message.map(|words| words.to_string()),
        };
        Self {
            error_code: answer.error_code,
            error_message,
            member_id: answer.member_id.map(|id| id.to_string()),
            member_epoch: answer.member_epoch,
            interval_ms: answer.heartbeat_interval_ms,
            assignment: answer.assignment.map(|assignment| by_topic_id(&assignment)),
        }
    }
}

fn by_topic_id(assignment: &Assignment) -> ByTopicId {
    let mut found = ByTopicId::new();
    for topic in &assignment.topic_partitions {
        let partitions = found.entry(topic.topic_id).or_default();
        partitions.extend(&topic.partitions);
        partitions.sort_unstable();
    }
    found
}

impl Group {
    pub(super) async fn share_beat(
        &self,
        told: Option<&Statement>,
        now: &Statement,
    ) -> Result<Result<Beat, Lost>, ConsumerError> {
        let request = self.share_heartbeat(told, now);
        let limit = self.settings.cluster.request_timeout;
        match self.ask(0..=i16::MAX, request, limit).await {
            Ok(answer) => Ok(answer.map(Beat::from)),
            Err(ConsumerError::UnsupportedVersion { api: "ShareGroupHeartbeat" }) => {
                Err(ConsumerError::NoShareGroups)
            }
            Err(error) => Err(error),
        }
    }

    fn share_heartbeat(
        &self,
        told: Option<&Statement>,
        now: &Statement,
    ) -> ShareGroupHeartbeatRequest {
        let Identity { member_id, generation } = self.identity();
        let is_changed = told.is_none_or(|told| told.topics != now.topics);
        let names = || now.topics.iter().map(|topic| topic_name(topic)).collect();
        ShareGroupHeartbeatRequest::default()
            .with_group_id(self.group_id())
            .with_member_id(text(&member_id))
            .with_member_epoch(generation)
            .with_subscribed_topic_names(is_changed.then(names))
    }
}
