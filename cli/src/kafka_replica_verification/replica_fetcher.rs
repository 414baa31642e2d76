//! Asks each broker for its own replicas, as a debugging consumer, which a follower answers, too.
//! Answers to `ReplicaVerificationTool.ReplicaFetcher`.

use std::time::Duration;

use bytes::Bytes;
use client::admin::TopicPartition;
use client::{Address, Peer, PeerError, PeerSettings};
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::{BrokerId, FetchRequest, FetchResponse, TopicName};
use protocol::wire::StrBytes;
use tokio::task::JoinSet;

use super::options::Plan;
use super::replica_buffer::{FetchedReplica, ReplicaBuffer, Round};

/// `FetchRequest.DEBUGGING_CONSUMER_ID`
const DEBUGGING_CONSUMER: BrokerId = BrokerId(-2);
/// Versions that followers answer, and that name topics as they are called.
const FETCH: std::ops::RangeInclusive<i16> = 11..=12;
/// `request.timeout.ms` of a consumer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Before a broker that did not answer is asked again. Unlike Kafka, which asks without a pause.
const PAUSE: Duration = Duration::from_millis(100);

/// What fetches from one broker.
pub(super) struct ReplicaFetcher {
    broker: i32,
    peer: Peer,
    partitions: Vec<TopicPartition>,
}

impl ReplicaFetcher {
    /// Must be called on the runtime that shall carry the connection; nothing is sent yet.
    pub(super) fn new(
        broker: i32,
        address: Address,
        partitions: Vec<TopicPartition>,
        number: usize,
    ) -> Self {
        let client_id = format!("broker--2-fetcher-{number}");
        let settings = PeerSettings::new(client_id, format!("[ReplicaFetcher-{broker}] "));
        Self { broker, peer: Peer::new(address, settings), partitions }
    }

    fn request(&self, plan: &Plan, buffer: &ReplicaBuffer) -> FetchRequest {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for partition in &self.partitions {
            let asked = FetchPartition::default()
                .with_partition(partition.partition)
                .with_fetch_offset(buffer.offset(partition))
                .with_partition_max_bytes(plan.fetch_size);
            match topics.last_mut().filter(|topic| topic.topic.as_str() == partition.topic) {
                Some(topic) => topic.partitions.push(asked),
                None => {
                    let name = TopicName(StrBytes::from_string(partition.topic.clone()));
                    let topic = FetchTopic::default().with_topic(name);
                    topics.push(topic.with_partitions(vec![asked]));
                }
            }
        }
        FetchRequest::default()
            .with_replica_id(DEBUGGING_CONSUMER)
            .with_max_wait_ms(plan.max_wait_ms)
            .with_min_bytes(1)
            .with_max_bytes(i32::MAX)
            .with_session_epoch(-1)
            .with_topics(topics)
    }
}

/// One round: every broker is asked, and all of them are waited for.
pub(super) async fn fetch_all(
    fetchers: &[ReplicaFetcher],
    plan: &Plan,
    buffer: &ReplicaBuffer,
) -> Round {
    let mut asked = JoinSet::new();
    for fetcher in fetchers {
        let request = fetcher.request(plan, buffer);
        let wait = Duration::from_millis(u64::try_from(plan.max_wait_ms).unwrap_or_default());
        let answer = fetcher.peer.begin_with(FETCH, move |_| request, REQUEST_TIMEOUT + wait, true);
        let broker = fetcher.broker;
        asked.spawn(async move { (broker, answer.await) });
    }
    let mut round = Round::new();
    let mut is_complete = true;
    for fetcher in fetchers {
        for partition in &fetcher.partitions {
            let replicas = round.entry(partition.clone()).or_default();
            replicas.insert(fetcher.broker, FetchedReplica::NONE);
        }
    }
    while let Some(answered) = asked.join_next().await {
        match answered {
            Ok((broker, Ok(Some(answer)))) => add(&mut round, broker, answer),
            Ok((_, Ok(None) | Err(PeerError::Stopping))) | Err(_) => {}
            Ok((_, Err(_))) => is_complete = false,
        }
    }
    if !is_complete {
        tokio::time::sleep(PAUSE).await;
    }
    round
}

fn add(round: &mut Round, broker: i32, answer: FetchResponse) {
    for topic in answer.responses {
        let name = topic.topic.to_string();
        for partition in topic.partitions {
            let key = TopicPartition { topic: name.clone(), partition: partition.partition_index };
            let data = FetchedReplica {
                high_watermark: partition.high_watermark,
                records: partition.records.unwrap_or_else(Bytes::new),
            };
            if let Some(replica) = round.get_mut(&key).and_then(|ids| ids.get_mut(&broker)) {
                *replica = data;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::CliRelease;

    #[tokio::test]
    async fn each_partition_is_asked_for_at_its_own_offset() {
        let partition =
            |topic: &str, partition| TopicPartition { topic: topic.to_owned(), partition };
        let partitions = vec![partition("a", 0), partition("a", 1), partition("b", 0)];
        let offsets = partitions.iter().cloned().zip([5, 6, 7]).collect();
        let address = Address { host: "localhost".to_owned(), port: 1 };
        let fetcher = ReplicaFetcher::new(3, address, partitions, 1);
        let line = ["--broker-list", "a:1", "--fetch-size", "77"].map(str::to_owned);
        let plan = Plan::read(CliRelease::V4_3, &line).ok().unwrap();
        let request = fetcher.request(&plan, &ReplicaBuffer::new(offsets));
        let asked: Vec<_> = request
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(move |each| (&topic.topic, each)))
            .map(|(topic, each)| (topic.to_string(), each.partition, each.fetch_offset))
            .collect();
        assert_eq!(asked, [("a".to_owned(), 0, 5), ("a".to_owned(), 1, 6), ("b".to_owned(), 0, 7)]);
        let sizes = request.topics.iter().flat_map(|topic| &topic.partitions);
        assert!(sizes.clone().all(|each| each.partition_max_bytes == 77));
        assert_eq!(request.replica_id.0, -2);
    }
}
