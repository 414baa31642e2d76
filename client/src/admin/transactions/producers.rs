//! The producers of a partition as one of its brokers knows them, and the end of a transaction that
//! its coordinator has forgotten, written to the partition itself.
//!
//! Answers to `DescribeProducersHandler` and `AbortTransactionHandler`.

use std::collections::BTreeMap;
use std::fmt;

use protocol::messages::describe_producers_request::TopicRequest;
use protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use protocol::messages::{
    DescribeProducersRequest, DescribeProducersResponse, ProducerId, WriteTxnMarkersRequest,
    WriteTxnMarkersResponse,
};

use crate::admin::error::known;
use crate::admin::keyed::{KeyedCall, Located, Outcome, Results};
use crate::admin::located::topic_name;
use crate::admin::{Admin, AdminError, Call, TopicPartition};

const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const NOT_LEADER_OR_FOLLOWER: i16 = 6;
const INVALID_TOPIC: i16 = 17;
const TOPIC_AUTHORIZATION_FAILED: i16 = 29;
const CLUSTER_AUTHORIZATION_FAILED: i16 = 31;
const INVALID_PRODUCER_EPOCH: i16 = 47;
const TRANSACTION_COORDINATOR_FENCED: i16 = 52;

/// A producer that has written to a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerState {
    pub producer_id: i64,
    pub producer_epoch: i32,
    pub last_sequence: i32,
    pub last_timestamp: i64,
    /// None before the first marker of a coordinator.
    pub coordinator_epoch: Option<i32>,
    /// None where it has no transaction open.
    pub transaction_start_offset: Option<i64>,
}

/// A partition of a broker that is named, or of its leader.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Held {
    partition: TopicPartition,
    broker: Option<i32>,
}

impl Located for Held {
    async fn locate(
        admin: &mut Admin,
        call: &mut Call,
        keys: &[Self],
        tolerates_unknown: bool,
    ) -> Result<Vec<(Self, Outcome<i32>)>, AdminError> {
        if let Some(broker) = keys.first().and_then(|key| key.broker) {
            return Ok(keys.iter().map(|key| (key.clone(), Outcome::Done(Ok(broker)))).collect());
        }
        let partitions: Vec<TopicPartition> =
            keys.iter().map(|key| key.partition.clone()).collect();
        let found = TopicPartition::locate(admin, call, &partitions, tolerates_unknown).await?;
        let held = |(partition, outcome)| (Self { partition, broker: None }, outcome);
        Ok(found.into_iter().map(held).collect())
    }
}

struct DescribeProducers {
    broker: Option<i32>,
}

impl KeyedCall for DescribeProducers {
    type Key = Held;
    type Value = Vec<ProducerState>;
    type Request = DescribeProducersRequest;

    const NAMES: [&'static str; 2] =
        ["describeProducers(api=METADATA)", "describeProducers(api=DESCRIBE_PRODUCERS)"];

    fn request(&self, keys: &[Held], _: i32) -> DescribeProducersRequest {
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for Held { partition, .. } in keys {
            topics.entry(&partition.topic).or_default().push(partition.partition);
        }
        let topics = topics.into_iter().map(|(topic, partitions)| {
            TopicRequest::default().with_name(topic_name(topic)).with_partition_indexes(partitions)
        });
        DescribeProducersRequest::default().with_topics(topics.collect())
    }

    fn read(
        &self,
        _: i32,
        _: &[Held],
        answer: DescribeProducersResponse,
    ) -> Vec<(Held, Outcome<Vec<ProducerState>>)> {
        let mut read = Vec::new();
        for topic in &answer.topics {
            for found in &topic.partitions {
                let partition = TopicPartition {
                    topic: topic.name.to_string(),
                    partition: found.partition_index,
                };
                let producers = found.active_producers.iter().map(|producer| ProducerState {
                    producer_id: producer.producer_id.0,
                    producer_epoch: producer.producer_epoch,
                    last_sequence: producer.last_sequence,
                    last_timestamp: producer.last_timestamp,
                    coordinator_epoch: Some(producer.coordinator_epoch).filter(|epoch| *epoch >= 0),
                    transaction_start_offset: Some(producer.current_txn_start_offset)
                        .filter(|offset| *offset >= 0),
                });
                let outcome = match found.error_code {
                    0 => Outcome::Done(Ok(producers.collect())),
                    code => {
                        not_described(&partition, self.broker, code, found.error_message.as_deref())
                    }
                };
                read.push((Held { partition, broker: self.broker }, outcome));
            }
        }
        read
    }
}

fn failed<V>(code: i16, message: String) -> Outcome<V> {
    Outcome::Done(Err(AdminError::Answer { code, message }))
}

fn not_described<V>(
    partition: &TopicPartition,
    broker: Option<i32>,
    code: i16,
    message: Option<&str>,
) -> Outcome<V> {
    let producers = format!("Failed to describe active producers for partition {partition}");
    let words = match (code, broker) {
        // Who names a broker means that one.
        (NOT_LEADER_OR_FOLLOWER, Some(broker)) => format!("{producers} on brokerId {broker}"),
        (NOT_LEADER_OR_FOLLOWER, None) => return Outcome::Moved,
        (UNKNOWN_TOPIC_OR_PARTITION, _) => return Outcome::Again,
        (INVALID_TOPIC, _) => {
            let why = message.unwrap_or_else(|| known(code).message);
            format!(
                "Failed to fetch metadata for partition {partition} due to invalid topic error: \
                 {why}"
            )
        }
        (TOPIC_AUTHORIZATION_FAILED, _) => {
            format!("{producers} due to authorization failure on topic `{}`", partition.topic)
        }
        _ => format!("{producers} due to unexpected error"),
    };
    failed(code, words)
}

/// An open transaction, as a marker ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbortTransaction {
    pub partition: TopicPartition,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub coordinator_epoch: i32,
}

impl fmt::Display for AbortTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, producer_id, producer_epoch, coordinator_epoch } = self;
        write!(
            f,
            "AbortTransactionSpec(topicPartition={partition}, producerId={producer_id}, \
             producerEpoch={producer_epoch}, coordinatorEpoch={coordinator_epoch})"
        )
    }
}

impl KeyedCall for AbortTransaction {
    type Key = TopicPartition;
    type Value = ();
    type Request = WriteTxnMarkersRequest;

    const NAMES: [&'static str; 2] =
        ["abortTransaction(api=METADATA)", "abortTransaction(api=WRITE_TXN_MARKERS)"];

    fn request(&self, _: &[TopicPartition], _: i32) -> WriteTxnMarkersRequest {
        let topic = WritableTxnMarkerTopic {
            name: topic_name(&self.partition.topic),
            partition_indexes: vec![self.partition.partition],
        };
        let marker = WritableTxnMarker {
            producer_id: ProducerId(self.producer_id),
            producer_epoch: self.producer_epoch,
            coordinator_epoch: self.coordinator_epoch,
            transaction_result: false,
            topics: vec![topic],
            ..Default::default()
        };
        WriteTxnMarkersRequest { markers: vec![marker] }
    }

    fn read(
        &self,
        _: i32,
        _: &[TopicPartition],
        answer: WriteTxnMarkersResponse,
    ) -> Vec<(TopicPartition, Outcome<()>)> {
        let markers = answer.markers.iter().filter(|one| one.producer_id.0 == self.producer_id);
        let topics = markers.flat_map(|marker| &marker.topics);
        let topics = topics.filter(|topic| **topic.name == *self.partition.topic);
        let mut found = topics
            .flat_map(|topic| &topic.partitions)
            .filter(|one| one.partition_index == self.partition.partition);
        let outcome = match (found.next(), found.next()) {
            (Some(only), None) => self.judge(only.error_code),
            // Unlike Kafka, which prints the answer.
            _ => Outcome::Done(Err(AdminError::Unusable(
                "WriteTxnMarkers response included unexpected marker entries".to_owned(),
            ))),
        };
        vec![(self.partition.clone(), outcome)]
    }
}

impl AbortTransaction {
    fn judge(&self, code: i16) -> Outcome<()> {
        let why = match code {
            0 => return Outcome::Done(Ok(())),
            // BROKER_NOT_AVAILABLE and REPLICA_NOT_AVAILABLE
            UNKNOWN_TOPIC_OR_PARTITION | NOT_LEADER_OR_FOLLOWER | 8 | 9 => return Outcome::Moved,
            CLUSTER_AUTHORIZATION_FAILED => "failed due to cluster authorization error".to_owned(),
            INVALID_PRODUCER_EPOCH => "failed due an invalid producer epoch".to_owned(),
            TRANSACTION_COORDINATOR_FENCED => format!(
                "failed since the provided coordinator epoch {} has been fenced by the active \
                 coordinator",
                self.coordinator_epoch
            ),
            _ => format!("failed due to unexpected error: {}", known(code).message),
        };
        failed(code, format!("WriteTxnMarkers request with {self} {why}"))
    }
}

impl Admin {
    /// The producers of these partitions, as their leaders know them or the broker that is named;
    /// the result of each.
    pub async fn describe_producers(
        &mut self,
        partitions: &[TopicPartition],
        broker: Option<i32>,
    ) -> Results<TopicPartition, Vec<ProducerState>> {
        let held = |partition: &TopicPartition| Held { partition: partition.clone(), broker };
        let keys: Vec<Held> = partitions.iter().map(held).collect();
        let results = self.ask_of_keys(&DescribeProducers { broker }, &keys).await;
        results.into_iter().map(|(key, result)| (key.partition, result)).collect()
    }

    /// Ends a transaction by a marker in its partition.
    pub async fn abort_transaction(&mut self, abort: &AbortTransaction) -> Result<(), AdminError> {
        let keys = [abort.partition.clone()];
        self.ask_of_keys(abort, &keys).await.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words<V>(outcome: Outcome<V>) -> String {
        match outcome {
            Outcome::Done(Err(error)) => error.to_string(),
            Outcome::Done(Ok(_)) => "done".to_owned(),
            Outcome::Again => "again".to_owned(),
            Outcome::Moved => "moved".to_owned(),
        }
    }

    fn partition() -> TopicPartition {
        TopicPartition { topic: "t".to_owned(), partition: 1 }
    }

    #[test]
    fn who_is_no_leader_is_asked_for_or_is_an_error() {
        let producers = "Failed to describe active producers for partition t-1";
        for (code, broker, expected) in [
            (6, None, "moved".to_owned()),
            (6, Some(2), format!("{producers} on brokerId 2")),
            (3, Some(2), "again".to_owned()),
            (29, None, format!("{producers} due to authorization failure on topic `t`")),
            (42, None, format!("{producers} due to unexpected error")),
        ] {
            let outcome = not_described::<()>(&partition(), broker, code, None);
            assert_eq!(words(outcome), expected, "{code}");
        }
        let invalid = words(not_described::<()>(&partition(), None, 17, Some("no name")));
        assert!(invalid.ends_with("partition t-1 due to invalid topic error: no name"));
    }

    #[test]
    fn a_marker_that_is_not_written_is_worded_as_by_kafka() {
        let abort = AbortTransaction {
            partition: partition(),
            producer_id: 5,
            producer_epoch: 2,
            coordinator_epoch: 7,
        };
        let of = "WriteTxnMarkers request with AbortTransactionSpec(topicPartition=t-1, \
                  producerId=5, producerEpoch=2, coordinatorEpoch=7) failed";
        for (code, expected) in [
            (0, "done".to_owned()),
            (3, "moved".to_owned()),
            (6, "moved".to_owned()),
            (8, "moved".to_owned()),
            (9, "moved".to_owned()),
            (31, format!("{of} due to cluster authorization error")),
            (47, format!("{of} due an invalid producer epoch")),
            (
                52,
                format!(
                    "{of} since the provided coordinator epoch 7 has been fenced by the active \
                     coordinator"
                ),
            ),
            (42, format!("{of} due to unexpected error: {}", known(42).message)),
        ] {
            assert_eq!(words(abort.judge(code)), expected, "{code}");
        }
    }
}
