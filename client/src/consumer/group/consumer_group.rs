//! Membership by the protocols whose assignments the coordinator makes (KIP-848, and KIP-932 for
//! share groups): one heartbeat says what the member wants and owns, its answer what it shall own.
//!
//! Kept true: what a member does not own any more is said before it is given to another, and only
//! after its positions were committed; whatever the coordinator may not have heard is said again.
//! Answers to `ConsumerHeartbeatRequestManager` and `ConsumerMembershipManager`; what a share
//! group's heartbeat has of its own is in `share_group`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::protocol::ErrorCode;
use ::protocol::messages::consumer_group_heartbeat_request::{
    ConsumerGroupHeartbeatRequest, TopicPartitions,
};
use ::protocol::messages::consumer_group_heartbeat_response::{
    Assignment, ConsumerGroupHeartbeatResponse,
};
use uuid::Uuid;

use super::super::ConsumerError;
use super::super::fetch::{millis, topic_name};
use super::protocol::{Reaction, reaction};
use super::{Group, GroupProtocol, Identity, Lost, locked, text};

/// Partitions by their topics' ids.
pub(crate) type ByTopicId = BTreeMap<Uuid, Vec<i32>>;

/// What a member tells its coordinator beside that it lives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) topics: Vec<String>,
    pub(crate) owned: ByTopicId,
}

/// What the coordinator told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// What the member shall own.
    Target(ByTopicId),
    /// The group went on without the member, which joins anew and owns nothing.
    Fenced,
    /// The application took too long between two polls, so the member left.
    TooSlow,
    Failed(ConsumerError),
}

/// The epochs that leave a group: for good, and for a static member, which comes back.
const LEAVE: i32 = -1;
const LEAVE_STATIC: i32 = -2;

/// What a coordinator answered to a heartbeat, whichever protocol it is of.
pub(super) struct Beat {
    pub(super) error_code: i16,
    pub(super) error_message: Option<String>,
    pub(super) member_id: Option<String>,
    pub(super) member_epoch: i32,
    pub(super) interval_ms: i32,
    pub(super) assignment: Option<ByTopicId>,
}

impl From<ConsumerGroupHeartbeatResponse> for Beat {
    fn from(answer: ConsumerGroupHeartbeatResponse) -> Self {
        Self {
            error_code: answer.error_code,
            error_message: answer.error_message.map(|words| words.to_string()),
            member_id: answer.member_id.map(|id| id.to_string()),
            member_epoch: answer.member_epoch,
            interval_ms: answer.heartbeat_interval_ms,
            assignment: answer.assignment.map(|assignment| by_topic_id(&assignment)),
        }
    }
}

impl Group {
    /// Changes what the next heartbeat says, which goes out at once.
    pub(crate) fn state(&self, change: impl FnOnce(&mut Statement)) {
        change(&mut locked(&self.statement));
        self.nudge.notify_one();
    }

    /// Says what changed since `told`, by the group's protocol.
    async fn beat(
        &self,
        told: Option<&Statement>,
        now: &Statement,
    ) -> Result<Result<Beat, Lost>, ConsumerError> {
        let limit = self.settings.cluster.request_timeout;
        if self.settings.protocol == GroupProtocol::Share {
            return self.share_beat(told, now).await;
        }
        let request = self.heartbeat(told, now);
        Ok(self.ask(0..=i16::MAX, request, limit).await?.map(Beat::from))
    }

    fn heartbeat(
        &self,
        told: Option<&Statement>,
        now: &Statement,
    ) -> ConsumerGroupHeartbeatRequest {
        let Identity { member_id, generation } = self.identity();
        let mut request = ConsumerGroupHeartbeatRequest::default()
            .with_group_id(self.group_id())
            .with_member_id(text(&member_id))
            .with_member_epoch(generation)
            .with_rebalance_timeout_ms(-1)
            .with_subscribed_topic_names(None)
            .with_topic_partitions(None);
        let is_first = told.is_none();
        request.instance_id = self.instance_id();
        if is_first {
            request.rebalance_timeout_ms = millis(self.settings.max_poll_interval);
            request.server_assignor = self.settings.remote_assignor.as_deref().map(text);
        }
        if told.is_none_or(|told| told.topics != now.topics) {
            let names = now.topics.iter().map(|topic| topic_name(topic)).collect();
            request.subscribed_topic_names = Some(names);
        }
        if told.is_none_or(|told| told.owned != now.owned) {
            let owned = now.owned.iter().map(|(id, partitions)| {
                TopicPartitions::default().with_topic_id(*id).with_partitions(partitions.clone())
            });
            request.topic_partitions = Some(owned.collect());
        }
        request
    }

    /// Says goodbye, and does not wait long for an answer.
    pub(super) async fn leave_consumer_group(&self) {
        let Identity { member_id, generation } = self.identity();
        if member_id.is_empty() || generation <= 0 {
            return;
        }
        let is_static = self.settings.group_instance_id.is_some();
        let generation = if is_static { LEAVE_STATIC } else { LEAVE };
        self.set_identity(Identity { member_id, generation });
        let _ = self.beat(Some(&Statement::default()), &Statement::default()).await;
        self.set_identity(Identity::NOBODY);
    }
}

/// Is a member until the coordinator or the application ends it; `tell` hears what changes.
pub(crate) async fn consumer_group(group: Arc<Group>, tell: impl Fn(Told)) {
    group.set_identity(Identity { member_id: member_id(), generation: 0 });
    let mut told: Option<Statement> = None;
    let mut interval = Duration::ZERO;
    loop {
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = group.nudge.notified() => {}
        }
        if locked(&group.last_poll).elapsed() > group.settings.max_poll_interval {
            group.leave().await;
            return tell(Told::TooSlow);
        }
        let now = locked(&group.statement).clone();
        let answer = match group.beat(told.as_ref(), &now).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(Lost)) => {
                told = None;
                interval = Duration::ZERO;
                continue;
            }
            Err(error) => return tell(Told::Failed(error)),
        };
        match verdict(answer.error_code) {
            Verdict::Fine => {
                let member_id = answer.member_id.unwrap_or_else(|| group.identity().member_id);
                group.set_identity(Identity { member_id, generation: answer.member_epoch });
                interval = Duration::from_millis(
                    u64::try_from(answer.interval_ms).unwrap_or_default().max(1),
                );
                told = Some(now);
                if let Some(assignment) = answer.assignment {
                    tell(Told::Target(assignment));
                }
            }
            Verdict::Again => {
                group.react(answer.error_code).await;
                told = None;
                interval = Duration::ZERO;
            }
            Verdict::Fenced => {
                let Identity { member_id, .. } = group.identity();
                group.set_identity(Identity { member_id, generation: 0 });
                locked(&group.statement).owned.clear();
                told = None;
                interval = Duration::ZERO;
                tell(Told::Fenced);
            }
            Verdict::Failed => {
                let message = answer.error_message.filter(|words| !words.is_empty());
                let code = answer.error_code;
                let failure = match message {
                    Some(message) => ConsumerError::Answer { code, message },
                    None => ConsumerError::of_group(code, &group.id),
                };
                return tell(Told::Failed(failure));
            }
        }
    }
}

fn member_id() -> String {
    ::protocol::Base64Uuid::random(Uuid::new_v4).to_string()
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

/// What an answer's code means to a member of such a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Again,
    Fenced,
    Failed,
}

fn verdict(code: i16) -> Verdict {
    let fencing = [ErrorCode::UnknownMemberId, ErrorCode::FencedMemberEpoch];
    if fencing.iter().any(|error| error.code() == code) {
        return Verdict::Fenced;
    }
    match reaction(code) {
        Reaction::Fine => Verdict::Fine,
        Reaction::Retry | Reaction::FindCoordinator => Verdict::Again,
        Reaction::Rejoin | Reaction::RejoinAsNew | Reaction::Fail => Verdict::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_to_a_member_what_they_mean_to_kafkas() {
        let table = [
            (0, Verdict::Fine),
            (14, Verdict::Again),
            (15, Verdict::Again),
            (16, Verdict::Again),
            (25, Verdict::Fenced),
            (110, Verdict::Fenced),
            (30, Verdict::Failed),
            (42, Verdict::Failed),
            (111, Verdict::Failed),
        ];
        for (code, expected) in table {
            assert_eq!(verdict(code), expected, "{code}");
        }
    }
}
