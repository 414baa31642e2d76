//! A follower's requests in Kafka's form.

use protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic, ReplicaState};
use protocol::messages::{BrokerId, FetchRequest};
use uuid::Uuid;

use replica::FetchAsk;

use super::assignment::Key;

/// What all requests of a follower say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) replica_id: i32,
    pub(super) broker_epoch: i64,
    pub(super) max_wait_ms: i32,
    pub(super) min_bytes: i32,
    pub(super) max_bytes: i32,
    pub(super) partition_max_bytes: i32,
}

/// First version in which the follower says who it is in a tagged field, with its broker epoch.
const FIRST_WITH_REPLICA_STATE: i16 = 15;

/// A Fetch at `version`, which is one with topic ids.
pub(super) fn fetch(ask: FetchAsk<Key>, terms: &Terms, version: i16) -> FetchRequest {
    let topics = by_topic(ask.changed.iter().map(|(key, position)| {
        let partition = FetchPartition::default()
            .with_partition(key.1)
            .with_current_leader_epoch(position.leader_epoch)
            .with_fetch_offset(position.fetch_offset)
            .with_last_fetched_epoch(position.last_fetched_epoch)
            .with_log_start_offset(position.log_start_offset)
            .with_partition_max_bytes(terms.partition_max_bytes);
        (*key, partition)
    }));
    let topics = topics.into_iter().map(|(topic_id, partitions)| {
        FetchTopic::default().with_topic_id(topic_id).with_partitions(partitions)
    });
    let forgotten = by_topic(ask.forgotten.iter().map(|key| (*key, key.1)));
    let forgotten = forgotten.into_iter().map(|(topic_id, partitions)| {
        ForgottenTopic::default().with_topic_id(topic_id).with_partitions(partitions)
    });
    let request = FetchRequest::default()
        .with_max_wait_ms(terms.max_wait_ms)
        .with_min_bytes(terms.min_bytes)
        .with_max_bytes(terms.max_bytes)
        .with_isolation_level(0)
        .with_session_id(ask.session_id)
        .with_session_epoch(ask.session_epoch)
        .with_topics(topics.collect())
        .with_forgotten_topics_data(forgotten.collect());
    if version < FIRST_WITH_REPLICA_STATE {
        return request.with_replica_id(BrokerId(terms.replica_id));
    }
    let state = ReplicaState::default()
        .with_replica_id(BrokerId(terms.replica_id))
        .with_replica_epoch(terms.broker_epoch);
    request.with_replica_state(state)
}

/// Gathers what belongs to one topic; keys come in their order.
fn by_topic<P>(items: impl Iterator<Item = (Key, P)>) -> Vec<(Uuid, Vec<P>)> {
    let mut topics: Vec<(Uuid, Vec<P>)> = Vec::new();
    for ((topic_id, _), item) in items {
        match topics.last_mut() {
            Some((last, items)) if *last == topic_id => items.push(item),
            _ => topics.push((topic_id, vec![item])),
        }
    }
    topics
}

#[cfg(test)]
mod tests {
    use replica::FetchPosition;

    use super::*;

    #[test]
    fn partitions_are_gathered_by_topic_and_the_follower_says_who_it_is() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let position = FetchPosition {
            leader: 3,
            leader_epoch: 4,
            fetch_offset: 50,
            last_fetched_epoch: 2,
            log_start_offset: 5,
        };
        let ask = || FetchAsk {
            number: 0,
            session_id: 7,
            session_epoch: 8,
            changed: vec![((one, 0), position), ((one, 3), position), ((two, 0), position)],
            forgotten: vec![(two, 1)],
        };
        let terms = Terms {
            replica_id: 2,
            broker_epoch: 99,
            max_wait_ms: 500,
            min_bytes: 1,
            max_bytes: 10,
            partition_max_bytes: 5,
        };
        let request = fetch(ask(), &terms, 17);
        assert_eq!((request.session_id, request.session_epoch), (7, 8));
        let counts: Vec<_> = request.topics.iter().map(|topic| topic.partitions.len()).collect();
        assert_eq!(counts, [2, 1]);
        let asked = &request.topics[0].partitions[1];
        assert_eq!((asked.partition, asked.fetch_offset, asked.last_fetched_epoch), (3, 50, 2));
        assert_eq!((asked.current_leader_epoch, asked.log_start_offset), (4, 5));
        assert_eq!(request.forgotten_topics_data[0].partitions, [1]);
        let state = &request.replica_state;
        assert_eq!((state.replica_id.0, state.replica_epoch), (2, 99));
        assert_eq!(fetch(ask(), &terms, 14).replica_id.0, 2);
    }
}
