//! What tasks heard of the coordinator and of leaders, and what it changes.

use protocol::ErrorCode;
use protocol::messages::share_fetch_response::{PartitionData, ShareFetchResponse};
use protocol::messages::{ShareAcknowledgeResponse, share_fetch_response};
use uuid::Uuid;

use super::acknowledgements::ByPartition;
use super::delivered::{Acquired, Arrived};
use super::leaders::{Commit, Kind};
use super::{AcknowledgeError, Phase, ShareConsumer, ShareConsumerError, TopicIdPartition};
use crate::PeerError;
use crate::admin::known;
use crate::consumer::ConsumerError;
use crate::consumer::group::{Told, consumer_group};
use crate::metadata::ClusterView;

/// What a task heard.
pub(super) enum Event {
    Told(Told),
    Fetched {
        node: i32,
        /// What went with it.
        acknowledged: ByPartition,
        answer: Result<ShareFetchResponse, PeerError>,
    },
    Acknowledged {
        node: i32,
        commit: Commit,
        answer: Result<ShareAcknowledgeResponse, PeerError>,
    },
}

/// Records of one partition, and who gave them.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) node: i32,
    pub(super) partition: TopicIdPartition,
    pub(super) arrived: Arrived,
}

impl ShareConsumer {
    /// Starts everything that is due.
    pub(super) fn upkeep(&mut self) -> Result<(), ShareConsumerError> {
        let view = self.cluster.view();
        if view.version != self.checked_view {
            self.checked_view = view.version;
            self.check_topics(&view)?;
        }
        if matches!(self.phase, Phase::Outside) {
            let sender = self.sender.clone();
            let tell = move |told| {
                let _ = sender.send(Event::Told(told));
            };
            let group = std::sync::Arc::clone(&self.group);
            let heartbeats = tokio::spawn(consumer_group(group, tell));
            self.phase = Phase::Member(heartbeats.abort_handle());
        }
        self.send_commits();
        if self.group.identity().generation > 0 {
            self.fetch();
        }
        Ok(())
    }

    fn check_topics(&self, view: &ClusterView) -> Result<(), ConsumerError> {
        for name in &self.topics {
            match view.topic_error(name) {
                Some(code) if code == ErrorCode::TopicAuthorizationFailed.code() => {
                    return Err(ConsumerError::TopicAuthorization(name.clone()));
                }
                Some(code) if code == ErrorCode::InvalidTopicException.code() => {
                    return Err(ConsumerError::InvalidTopic(name.clone()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Told(Told::Target(target)) => self.target = target,
            Event::Told(Told::Fenced) => self.target.clear(),
            Event::Told(Told::TooSlow) => {
                self.target.clear();
                self.phase = Phase::Outside;
            }
            Event::Told(Told::Failed(error)) => {
                self.phase = Phase::Ended;
                self.failure = Some(error.into());
            }
            Event::Fetched { node, acknowledged, answer } => {
                self.take_fetched(node, acknowledged, answer);
            }
            Event::Acknowledged { node, commit, answer } => {
                self.take_acknowledged(node, commit, answer);
            }
        }
    }

    fn complete_all(&mut self, acknowledged: ByPartition, kind: Kind, error: &AcknowledgeError) {
        for (partition, acknowledgements) in acknowledged {
            self.complete(&partition, &acknowledgements, kind, Some(error.clone()));
        }
    }

    /// No answer came.
    fn lost(&mut self, node: i32, error: &PeerError) {
        if let PeerError::UnsupportedVersion { api, .. } = error {
            self.failure = Some(ConsumerError::UnsupportedVersion { api }.into());
        }
        if let PeerError::Unauthenticated { reason, .. } = error {
            self.failure = Some(ConsumerError::unauthenticated(reason).into());
        }
        self.cluster.failed(node, error);
        self.rest(node);
        if let Some(leader) = self.leaders.get_mut(&node) {
            leader.session.lost();
        }
    }

    fn rest(&mut self, node: i32) {
        let pause = self.settings.consumer.cluster.retry_backoff;
        if let Some(leader) = self.leaders.get_mut(&node) {
            leader.rest(pause);
        }
    }

    fn take_fetched(
        &mut self,
        node: i32,
        mut acknowledged: ByPartition,
        answer: Result<ShareFetchResponse, PeerError>,
    ) {
        if let Some(leader) = self.leaders.get_mut(&node) {
            leader.answered();
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                self.lost(node, &error);
                return self.complete_all(acknowledged, Kind::Background, &disconnected());
            }
        };
        self.fetches += 1;
        if let Some(leader) = self.leaders.get_mut(&node) {
            leader.session.answered(answer.error_code);
        }
        let words = answer.error_message.as_deref();
        if let Some(error) = AcknowledgeError::of(answer.error_code, words) {
            if answer.error_code == ErrorCode::UnknownTopicId.code() {
                self.cluster.request_update();
            }
            self.rest(node);
            return self.complete_all(acknowledged, Kind::Background, &error);
        }
        for topic in answer.responses {
            for data in topic.partitions {
                let found = acknowledged.keys().find(|one| {
                    one.topic_id == topic.topic_id
                        && one.partition.partition == data.partition_index
                });
                let acknowledged = found.cloned().and_then(|key| acknowledged.remove_entry(&key));
                let name = acknowledged.as_ref().map(|(of, _)| of.partition.topic.clone());
                if let Some((partition, acknowledgements)) = acknowledged {
                    let words = data.acknowledge_error_message.as_deref();
                    let error = AcknowledgeError::of(data.acknowledge_error_code, words);
                    self.complete(&partition, &acknowledgements, Kind::Background, error);
                }
                let name = name.or_else(|| self.name_of(topic.topic_id));
                if let Some(name) = name {
                    let index = data.partition_index;
                    let partition = TopicIdPartition::new(topic.topic_id, name, index);
                    self.take_partition(node, partition, data);
                }
            }
        }
        self.complete_all(acknowledged, Kind::Background, &AcknowledgeError::unanswered());
    }

    fn name_of(&self, id: Uuid) -> Option<std::sync::Arc<str>> {
        Some(self.cluster.view().topic_by_id(id)?.name.as_str().into())
    }

    /// Takes what a leader said of one partition.
    fn take_partition(&mut self, node: i32, partition: TopicIdPartition, data: PartitionData) {
        match judge(data.error_code) {
            Judged::Records => {
                let one = |acquired: &share_fetch_response::AcquiredRecords| Acquired {
                    first: acquired.first_offset,
                    last: acquired.last_offset,
                    delivery_count: acquired.delivery_count,
                };
                let acquired: Vec<Acquired> = data.acquired_records.iter().map(one).collect();
                let bytes = data.records.unwrap_or_default();
                let is_checking_crcs = self.settings.consumer.is_checking_crcs;
                let of = partition.partition.clone();
                let arrived = Arrived::new(of, bytes, acquired, is_checking_crcs);
                if !arrived.is_empty() {
                    self.is_hungry = false;
                    self.arrived.push_back(Ok(Fetched { node, partition, arrived }));
                }
            }
            Judged::Stale => {
                let (leader, epoch) =
                    (data.current_leader.leader_id, data.current_leader.leader_epoch);
                let TopicIdPartition { partition, .. } = partition;
                if leader >= 0 && epoch >= 0 {
                    self.cluster.leads(&partition.topic, partition.partition, leader, epoch);
                }
                self.cluster.request_update();
                self.rest(node);
            }
            Judged::Retry => self.rest(node),
            Judged::Unauthorized => {
                let topic = partition.partition.topic.to_string();
                let error = ConsumerError::TopicAuthorization(topic).into();
                self.arrived.push_back(Err(error));
            }
            Judged::Corrupt => {
                self.arrived.push_back(Err(ShareConsumerError::Corrupt(partition.partition)));
            }
            Judged::Unexpected => {
                let (partition, code) = (partition.partition, data.error_code);
                self.arrived.push_back(Err(ShareConsumerError::Unexpected { partition, code }));
            }
        }
    }

    fn take_acknowledged(
        &mut self,
        node: i32,
        mut commit: Commit,
        answer: Result<ShareAcknowledgeResponse, PeerError>,
    ) {
        let is_last = commit.kind == Kind::Closing;
        if let Some(leader) = self.leaders.get_mut(&node) {
            leader.answered();
        }
        let acknowledged = std::mem::take(&mut commit.acknowledged);
        match answer {
            Err(error) => {
                self.lost(node, &error);
                self.complete_all(acknowledged, commit.kind, &disconnected());
            }
            Ok(answer) => {
                if let Some(leader) = self.leaders.get_mut(&node) {
                    leader.session.answered(answer.error_code);
                }
                let words = answer.error_message.as_deref();
                match AcknowledgeError::of(answer.error_code, words) {
                    Some(_) if known(answer.error_code).is_retriable && !is_last => {
                        commit.acknowledged = acknowledged;
                    }
                    Some(error) => self.complete_all(acknowledged, commit.kind, &error),
                    None => self.take_results(&answer, acknowledged, &mut commit),
                }
                self.retry(node, commit);
            }
        }
        if is_last {
            self.leaders.remove(&node);
        }
    }

    /// What a leader said of each partition; what is worth another try stays in the commit.
    fn take_results(
        &mut self,
        answer: &ShareAcknowledgeResponse,
        mut acknowledged: ByPartition,
        commit: &mut Commit,
    ) {
        for topic in &answer.responses {
            for data in &topic.partitions {
                let found = acknowledged.keys().find(|one| {
                    one.topic_id == topic.topic_id
                        && one.partition.partition == data.partition_index
                });
                let found = found.cloned().and_then(|key| acknowledged.remove_entry(&key));
                let Some((partition, acknowledgements)) = found else { continue };
                if is_worth_another_try(data.error_code) && commit.kind != Kind::Closing {
                    commit.acknowledged.insert(partition, acknowledgements);
                    continue;
                }
                let (leader, epoch) =
                    (data.current_leader.leader_id, data.current_leader.leader_epoch);
                if data.error_code != 0 && leader >= 0 && epoch >= 0 {
                    let of = &partition.partition;
                    self.cluster.leads(&of.topic, of.partition, leader, epoch);
                }
                let error = AcknowledgeError::of(data.error_code, None);
                self.complete(&partition, &acknowledgements, commit.kind, error);
            }
        }
        self.complete_all(acknowledged, commit.kind, &AcknowledgeError::unanswered());
    }
}

fn disconnected() -> AcknowledgeError {
    let class = "org.apache.kafka.common.errors.DisconnectException";
    AcknowledgeError { class, message: "null".to_owned() }
}

/// Where another node leads, or the topic is gone, the records are somebody else's already.
fn is_worth_another_try(code: i16) -> bool {
    let gone = [
        ErrorCode::NotLeaderOrFollower,
        ErrorCode::FencedLeaderEpoch,
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::UnknownTopicId,
    ];
    code != 0 && known(code).is_retriable && !gone.iter().any(|error| error.code() == code)
}

/// What the answer about one partition means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    Records,
    /// The metadata is out of date: asked again after a pause.
    Stale,
    /// Asked again after a pause.
    Retry,
    Unauthorized,
    Corrupt,
    Unexpected,
}

fn judge(code: i16) -> Judged {
    let table = [
        (ErrorCode::NotLeaderOrFollower, Judged::Stale),
        (ErrorCode::ReplicaNotAvailable, Judged::Stale),
        (ErrorCode::KafkaStorageError, Judged::Stale),
        (ErrorCode::FencedLeaderEpoch, Judged::Stale),
        (ErrorCode::OffsetNotAvailable, Judged::Stale),
        (ErrorCode::UnknownTopicOrPartition, Judged::Stale),
        (ErrorCode::UnknownTopicId, Judged::Stale),
        (ErrorCode::InconsistentTopicId, Judged::Stale),
        (ErrorCode::UnknownLeaderEpoch, Judged::Retry),
        (ErrorCode::UnknownServerError, Judged::Retry),
        (ErrorCode::TopicAuthorizationFailed, Judged::Unauthorized),
        (ErrorCode::CorruptMessage, Judged::Corrupt),
    ];
    match code {
        0 => Judged::Records,
        code => {
            let found = table.iter().find(|(error, _)| error.code() == code);
            found.map_or(Judged::Unexpected, |(_, judged)| *judged)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_a_partition_mean_what_they_mean_to_kafkas_share_consumer() {
        let table = [
            (0, Judged::Records),
            (2, Judged::Corrupt),
            (3, Judged::Stale),
            (6, Judged::Stale),
            (29, Judged::Unauthorized),
            (75, Judged::Retry),
            (78, Judged::Stale),
            (-1, Judged::Retry),
            (1, Judged::Unexpected),
        ];
        for (code, expected) in table {
            assert_eq!(judge(code), expected, "{code}");
        }
    }

    #[test]
    fn an_acknowledgement_is_tried_again_while_the_records_may_be_the_consumers() {
        // REQUEST_TIMED_OUT and COORDINATOR_LOAD_IN_PROGRESS; NOT_LEADER_OR_FOLLOWER,
        // UNKNOWN_TOPIC_ID and INVALID_RECORD_STATE.
        let table = [(0, false), (7, true), (14, true), (6, false), (100, false), (121, false)];
        for (code, expected) in table {
            assert_eq!(is_worth_another_try(code), expected, "{code}");
        }
    }
}
