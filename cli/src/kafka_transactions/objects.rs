//! What the commands of `kafka-transactions` find as objects of JSON.
//!
//! Pure: the time comes in. `tables` has the same as text.

use client::admin::{ProducerState, TransactionDescription, TransactionListing};
use serde::Serialize;

use super::hanging::OpenTransaction;
use crate::group_command::objects::{TopicPartitions, assignment};

/// A row of `list`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListingObject<'a> {
    transactional_id: &'a str,
    coordinator_id: i32,
    producer_id: i64,
    transaction_state: String,
}

impl<'a> ListingObject<'a> {
    pub(super) fn all(
        listed: &'a [(i32, Vec<TransactionListing>)],
    ) -> impl Iterator<Item = ListingObject<'a>> {
        listed.iter().flat_map(|(broker, listings)| {
            listings.iter().map(|listing| Self {
                transactional_id: &listing.transactional_id,
                coordinator_id: *broker,
                producer_id: listing.producer_id,
                transaction_state: listing.state.to_string(),
            })
        })
    }
}

/// A row of `describe`. Times are null where no transaction is under way.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescriptionObject<'a> {
    coordinator_id: i32,
    transactional_id: &'a str,
    producer_id: i64,
    producer_epoch: i16,
    transaction_state: String,
    transaction_timeout_ms: i32,
    current_transaction_start_time_ms: Option<i64>,
    transaction_duration_ms: Option<i64>,
    topic_partitions: Vec<TopicPartitions<'a>>,
}

impl<'a> DescriptionObject<'a> {
    pub(super) fn of(id: &'a str, one: &'a TransactionDescription, now: i64) -> Self {
        Self {
            coordinator_id: one.coordinator,
            transactional_id: id,
            producer_id: one.producer_id,
            producer_epoch: one.producer_epoch,
            transaction_state: one.state.to_string(),
            transaction_timeout_ms: one.timeout_ms,
            current_transaction_start_time_ms: one.start_time_ms,
            transaction_duration_ms: one.start_time_ms.map(|start| now.wrapping_sub(start)),
            topic_partitions: assignment(&one.partitions),
        }
    }
}

/// What stands for nothing in an answer is less than 0.
fn known<T: PartialOrd + Default>(number: T) -> Option<T> {
    Some(number).filter(|number| *number >= T::default())
}

/// A row of `describe-producers`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProducerObject {
    producer_id: i64,
    producer_epoch: i32,
    latest_coordinator_epoch: Option<i32>,
    last_sequence: Option<i32>,
    last_timestamp: Option<i64>,
    current_transaction_start_offset: Option<i64>,
}

impl ProducerObject {
    pub(super) fn of(producer: &ProducerState) -> Self {
        Self {
            producer_id: producer.producer_id,
            producer_epoch: producer.producer_epoch,
            latest_coordinator_epoch: producer.coordinator_epoch,
            last_sequence: known(producer.last_sequence),
            last_timestamp: known(producer.last_timestamp),
            current_transaction_start_offset: producer.transaction_start_offset,
        }
    }
}

/// A row of `find-hanging`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HangingObject<'a> {
    topic: &'a str,
    partition: i32,
    producer_id: i64,
    producer_epoch: i32,
    coordinator_epoch: Option<i32>,
    start_offset: Option<i64>,
    last_timestamp: Option<i64>,
    duration_minutes: i64,
}

impl<'a> HangingObject<'a> {
    pub(super) fn of(open: &'a OpenTransaction, now: i64) -> Self {
        let OpenTransaction { partition, producer } = open;
        Self {
            topic: &partition.topic,
            partition: partition.partition,
            producer_id: producer.producer_id,
            producer_epoch: producer.producer_epoch,
            coordinator_epoch: producer.coordinator_epoch,
            start_offset: producer.transaction_start_offset,
            last_timestamp: known(producer.last_timestamp),
            duration_minutes: open.minutes(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use client::admin::{TopicPartition, TransactionState};

    use super::*;

    fn json(object: &impl Serialize) -> String {
        serde_json::to_string(object).unwrap()
    }

    fn partition(topic: &str, partition: i32) -> TopicPartition {
        TopicPartition { topic: topic.to_owned(), partition }
    }

    #[test]
    fn a_transaction_has_its_partitions_by_topic_and_its_time_if_it_runs() {
        let mut one = TransactionDescription {
            coordinator: 1,
            state: TransactionState::Ongoing,
            producer_id: 7,
            producer_epoch: 2,
            timeout_ms: 60_000,
            start_time_ms: Some(1000),
            partitions: vec![partition("b", 1), partition("a", 0), partition("b", 0)],
        };
        let start = concat!(
            r#"{"coordinatorId":1,"transactionalId":"x","producerId":7,"producerEpoch":2,"#,
            r#""transactionState":"Ongoing","transactionTimeoutMs":60000,"#
        );
        let end = concat!(
            r#""currentTransactionStartTimeMs":1000,"transactionDurationMs":500,"#,
            r#""topicPartitions":[{"topic":"a","partitions":[0]},"#,
            r#"{"topic":"b","partitions":[0,1]}]}"#
        );
        assert_eq!(json(&DescriptionObject::of("x", &one, 1500)), format!("{start}{end}"));
        (one.start_time_ms, one.partitions) = (None, Vec::new());
        let end = concat!(
            r#""currentTransactionStartTimeMs":null,"transactionDurationMs":null,"#,
            r#""topicPartitions":[]}"#
        );
        assert_eq!(json(&DescriptionObject::of("x", &one, 1500)), format!("{start}{end}"));
        let listing = TransactionListing {
            transactional_id: "x".to_owned(),
            producer_id: 7,
            state: TransactionState::Ongoing,
        };
        let listed = [(3, vec![listing])];
        let listed: Vec<String> = ListingObject::all(&listed).map(|row| json(&row)).collect();
        let expected = concat!(
            r#"{"transactionalId":"x","coordinatorId":3,"producerId":7,"#,
            r#""transactionState":"Ongoing"}"#
        );
        assert_eq!(listed, [expected]);
    }

    #[test]
    fn what_a_producer_does_not_have_is_null() {
        let producer = ProducerState {
            producer_id: 5,
            producer_epoch: 1,
            last_sequence: -1,
            last_timestamp: 1000,
            coordinator_epoch: None,
            transaction_start_offset: None,
        };
        let expected = concat!(
            r#"{"producerId":5,"producerEpoch":1,"latestCoordinatorEpoch":null,"#,
            r#""lastSequence":null,"lastTimestamp":1000,"currentTransactionStartOffset":null}"#
        );
        assert_eq!(json(&ProducerObject::of(&producer)), expected);
        let open = OpenTransaction {
            partition: partition("t", 3),
            producer: ProducerState { transaction_start_offset: Some(8), ..producer },
        };
        let expected = concat!(
            r#"{"topic":"t","partition":3,"producerId":5,"producerEpoch":1,"#,
            r#""coordinatorEpoch":null,"startOffset":8,"lastTimestamp":1000,"durationMinutes":3}"#
        );
        assert_eq!(json(&HangingObject::of(&open, 200_999)), expected);
    }
}
