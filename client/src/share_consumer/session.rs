//! A share session with one leader: what it has been told, and the requests that tell it more.
//!
//! Pure. Kept true: a session's first request fetches and acknowledges nothing; partitions are
//! named when they are added or removed, not again. Answers to `ShareSessionHandler`.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::messages::share_fetch_request::{
    AcknowledgementBatch, FetchPartition, FetchTopic, ForgottenTopic,
};
use protocol::messages::{
    GroupId, ShareAcknowledgeRequest, ShareFetchRequest, share_acknowledge_request,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::acknowledgements::{self, Acknowledgements, ByPartition};
use super::{ShareConsumerSettings, TopicIdPartition};
use crate::consumer::group::text;

const INITIAL_EPOCH: i32 = 0;
const FINAL_EPOCH: i32 = -1;

/// Who the requests of a session are from.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) group: String,
    pub(super) member_id: String,
}

impl Member {
    fn group_id(&self) -> Option<GroupId> {
        Some(GroupId(text(&self.group)))
    }

    fn member_id(&self) -> Option<StrBytes> {
        Some(text(&self.member_id))
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    epoch: i32,
    /// What the leader knows to be wanted.
    partitions: Vec<TopicIdPartition>,
}

impl Session {
    /// The leader has heard nothing of it.
    pub(super) fn is_new(&self) -> bool {
        self.epoch == INITIAL_EPOCH
    }

    /// Fetches from these partitions, and acknowledges on the way.
    pub(super) fn fetch(
        &mut self,
        settings: &ShareConsumerSettings,
        member: &Member,
        wanted: Vec<TopicIdPartition>,
        acknowledged: &ByPartition,
    ) -> ShareFetchRequest {
        let known: &[TopicIdPartition] = if self.is_new() { &[] } else { &self.partitions };
        let added = wanted.iter().filter(|one| !known.contains(one));
        let removed = known.iter().filter(|one| !wanted.contains(one));
        let mut topics: BTreeMap<Uuid, BTreeMap<i32, Option<&Acknowledgements>>> = BTreeMap::new();
        for one in added {
            topics.entry(one.topic_id).or_default().insert(one.partition.partition, None);
        }
        for (one, acknowledgements) in acknowledged {
            let index = one.partition.partition;
            topics.entry(one.topic_id).or_default().insert(index, Some(acknowledgements));
        }
        let mut forgotten: BTreeMap<Uuid, Vec<i32>> = BTreeMap::new();
        for one in removed {
            forgotten.entry(one.topic_id).or_default().push(one.partition.partition);
        }
        let most = i32::try_from(settings.consumer.max_poll_records).unwrap_or(i32::MAX);
        let request = ShareFetchRequest {
            group_id: member.group_id(),
            member_id: member.member_id(),
            share_session_epoch: self.epoch,
            max_wait_ms: crate::consumer::millis(settings.consumer.fetch_max_wait),
            min_bytes: settings.consumer.fetch_min_bytes,
            max_bytes: settings.consumer.fetch_max_bytes,
            max_records: most,
            batch_size: most,
            topics: topics.into_iter().map(fetch_topic).collect(),
            forgotten_topics_data: forgotten.into_iter().map(forgotten_topic).collect(),
            ..Default::default()
        };
        self.partitions = wanted;
        request
    }

    /// Acknowledges alone; where it is the last request of the session, ends it too.
    pub(super) fn acknowledge(
        &mut self,
        member: &Member,
        acknowledged: &ByPartition,
        is_last: bool,
    ) -> ShareAcknowledgeRequest {
        use share_acknowledge_request::{AcknowledgePartition, AcknowledgeTopic};
        if is_last {
            self.epoch = FINAL_EPOCH;
        }
        let mut topics: BTreeMap<Uuid, Vec<AcknowledgePartition>> = BTreeMap::new();
        for (one, acknowledgements) in acknowledged {
            let partition = AcknowledgePartition {
                partition_index: one.partition.partition,
                acknowledgement_batches: batches(acknowledgements),
            };
            topics.entry(one.topic_id).or_default().push(partition);
        }
        let topic = |(topic_id, partitions)| AcknowledgeTopic { topic_id, partitions };
        ShareAcknowledgeRequest {
            group_id: member.group_id(),
            member_id: member.member_id(),
            share_session_epoch: self.epoch,
            topics: topics.into_iter().map(topic).collect(),
            ..Default::default()
        }
    }

    /// Takes note of the code of an answer.
    pub(super) fn answered(&mut self, code: i16) {
        let ended = [
            ErrorCode::ShareSessionNotFound,
            ErrorCode::InvalidShareSessionEpoch,
            ErrorCode::ShareSessionLimitReached,
        ];
        match ended.iter().any(|error| error.code() == code) {
            true => self.lost(),
            // Zero is that of a new session alone.
            false => self.epoch = self.epoch.checked_add(1).unwrap_or(1),
        }
    }

    /// No answer came: the next request begins anew.
    pub(super) fn lost(&mut self) {
        self.epoch = INITIAL_EPOCH;
    }
}

fn batches(acknowledgements: &Acknowledgements) -> Vec<AcknowledgementBatch> {
    let batch = |batch: acknowledgements::AcknowledgementBatch| AcknowledgementBatch {
        first_offset: batch.first,
        last_offset: batch.last,
        acknowledge_types: batch.types,
    };
    acknowledgements.batches().into_iter().map(batch).collect()
}

fn fetch_topic(
    (topic_id, partitions): (Uuid, BTreeMap<i32, Option<&Acknowledgements>>),
) -> FetchTopic {
    let partition = |(partition_index, acknowledgements): (i32, Option<&_>)| FetchPartition {
        partition_index,
        acknowledgement_batches: acknowledgements.map(batches).unwrap_or_default(),
        ..Default::default()
    };
    FetchTopic { topic_id, partitions: partitions.into_iter().map(partition).collect() }
}

fn forgotten_topic((topic_id, partitions): (Uuid, Vec<i32>)) -> ForgottenTopic {
    ForgottenTopic { topic_id, partitions }
}

#[cfg(test)]
mod tests {
    use super::super::AcknowledgeType;
    use super::*;

    fn member() -> Member {
        Member { group: "g".to_owned(), member_id: "m".to_owned() }
    }

    fn partition(index: i32) -> TopicIdPartition {
        TopicIdPartition::new(Uuid::from_u128(7), "t", index)
    }

    fn named(request: &ShareFetchRequest) -> (i32, Vec<(i32, usize)>, Vec<i32>) {
        let topics = request.topics.iter().flat_map(|topic| &topic.partitions);
        let named = topics
            .map(|partition| (partition.partition_index, partition.acknowledgement_batches.len()));
        let forgotten = request.forgotten_topics_data.iter().flat_map(|topic| &topic.partitions);
        (request.share_session_epoch, named.collect(), forgotten.copied().collect())
    }

    #[test]
    fn a_session_names_what_changes() {
        let settings = ShareConsumerSettings::default();
        let mut session = Session::default();
        let none = ByPartition::new();
        let fetch = |session: &mut Session, wanted: &[i32], acknowledged: &ByPartition| {
            let wanted = wanted.iter().map(|index| partition(*index)).collect();
            named(&session.fetch(&settings, &member(), wanted, acknowledged))
        };
        assert_eq!(fetch(&mut session, &[0, 1], &none), (0, vec![(0, 0), (1, 0)], vec![]));
        session.answered(0);
        assert_eq!(fetch(&mut session, &[0, 1], &none), (1, vec![], vec![]));
        session.answered(6);
        let mut acknowledged = Acknowledgements::default();
        acknowledged.add(3, AcknowledgeType::Accept);
        let acknowledged = ByPartition::from([(partition(0), acknowledged)]);
        let expected = (2, vec![(0, 1), (2, 0)], vec![0]);
        assert_eq!(fetch(&mut session, &[1, 2], &acknowledged), expected);
        session.answered(122);
        assert!(session.is_new());
        assert_eq!(fetch(&mut session, &[1], &none), (0, vec![(1, 0)], vec![]));
    }

    #[test]
    fn the_last_request_ends_the_session() {
        let mut session = Session::default();
        session.answered(0);
        let none = ByPartition::new();
        assert_eq!(session.acknowledge(&member(), &none, false).share_session_epoch, 1);
        assert_eq!(session.acknowledge(&member(), &none, true).share_session_epoch, -1);
        let mut session = Session { epoch: i32::MAX, ..Session::default() };
        session.answered(0);
        assert_eq!(session.epoch, 1);
    }
}
