//! What the commands of `kafka-transactions` print.
//!
//! Pure: the time comes in.

use client::admin::{ProducerState, TransactionDescription, TransactionListing};

use super::hanging::OpenTransaction;
use crate::java_order::{partition_hash, sort_by_hash};
use crate::pretty_table::pretty_table;

const LISTED: [&str; 4] = ["TransactionalId", "Coordinator", "ProducerId", "TransactionState"];
const DESCRIBED: [&str; 9] = [
    "CoordinatorId",
    "TransactionalId",
    "ProducerId",
    "ProducerEpoch",
    "TransactionState",
    "TransactionTimeoutMs",
    "CurrentTransactionStartTimeMs",
    "TransactionDurationMs",
    "TopicPartitions",
];
const PRODUCERS: [&str; 6] = [
    "ProducerId",
    "ProducerEpoch",
    "LatestCoordinatorEpoch",
    "LastSequence",
    "LastTimestamp",
    "CurrentTransactionStartOffset",
];
const HANGING: [&str; 8] = [
    "Topic",
    "Partition",
    "ProducerId",
    "ProducerEpoch",
    "CoordinatorEpoch",
    "StartOffset",
    "LastTimestamp",
    "Duration(min)",
];

/// `list`: broker by broker.
pub(super) fn listed(listed: &[(i32, Vec<TransactionListing>)]) -> String {
    let row = |broker: &i32, listing: &TransactionListing| {
        vec![
            listing.transactional_id.clone(),
            broker.to_string(),
            listing.producer_id.to_string(),
            listing.state.to_string(),
        ]
    };
    let rows = listed
        .iter()
        .flat_map(|(broker, listings)| listings.iter().map(move |listing| row(broker, listing)));
    pretty_table(&LISTED, &rows.collect::<Vec<_>>())
}

/// `describe`.
pub(super) fn described(id: &str, described: &[TransactionDescription], now: i64) -> String {
    let time = |time: Option<i64>| time.map_or_else(|| "None".to_owned(), |ms| ms.to_string());
    let row = |one: &TransactionDescription| {
        let mut partitions = one.partitions.clone();
        sort_by_hash(&mut partitions, partition_hash);
        let partitions: Vec<String> = partitions.iter().map(ToString::to_string).collect();
        vec![
            one.coordinator.to_string(),
            id.to_owned(),
            one.producer_id.to_string(),
            one.producer_epoch.to_string(),
            one.state.to_string(),
            one.timeout_ms.to_string(),
            time(one.start_time_ms),
            time(one.start_time_ms.map(|start| now.wrapping_sub(start))),
            partitions.join(","),
        ]
    };
    pretty_table(&DESCRIBED, &described.iter().map(row).collect::<Vec<_>>())
}

/// `describe-producers`.
pub(super) fn producers(producers: &[ProducerState]) -> String {
    let row = |producer: &ProducerState| {
        let start = producer.transaction_start_offset;
        vec![
            producer.producer_id.to_string(),
            producer.producer_epoch.to_string(),
            producer.coordinator_epoch.unwrap_or(-1).to_string(),
            producer.last_sequence.to_string(),
            producer.last_timestamp.to_string(),
            start.map_or_else(|| "None".to_owned(), |offset| offset.to_string()),
        ]
    };
    pretty_table(&PRODUCERS, &producers.iter().map(row).collect::<Vec<_>>())
}

/// `find-hanging`.
pub(super) fn hanging(hanging: &[OpenTransaction], now: i64) -> String {
    let row = |open: &OpenTransaction| {
        let OpenTransaction { partition, producer } = open;
        vec![
            partition.topic.clone(),
            partition.partition.to_string(),
            producer.producer_id.to_string(),
            producer.producer_epoch.to_string(),
            producer.coordinator_epoch.unwrap_or(-1).to_string(),
            producer.transaction_start_offset.unwrap_or(-1).to_string(),
            producer.last_timestamp.to_string(),
            open.minutes(now).to_string(),
        ]
    };
    pretty_table(&HANGING, &hanging.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use client::admin::{TopicPartition, TransactionState};

    use super::*;

    fn second_row(table: &str) -> Vec<String> {
        let line = table.lines().nth(1).unwrap_or_default();
        line.split('\t').map(|cell| cell.trim().to_owned()).collect()
    }

    #[test]
    fn a_transaction_is_described_with_its_time_if_it_runs() {
        let partition = |topic: &str, partition| TopicPartition { topic: topic.into(), partition };
        let mut one = TransactionDescription {
            coordinator: 1,
            state: TransactionState::Ongoing,
            producer_id: 7,
            producer_epoch: 2,
            timeout_ms: 60_000,
            start_time_ms: Some(1000),
            partitions: vec![partition("b", 1), partition("a", 0), partition("b", 0)],
        };
        let row = second_row(&described("x", std::slice::from_ref(&one), 1500));
        let expected = ["1", "x", "7", "2", "Ongoing", "60000", "1000", "500", "b-1,a-0,b-0", ""];
        assert_eq!(row, expected);
        (one.start_time_ms, one.partitions) = (None, Vec::new());
        one.state = TransactionState::CompleteCommit;
        let row = second_row(&described("x", &[one], 1500));
        let expected = ["1", "x", "7", "2", "CompleteCommit", "60000", "None", "None", "", ""];
        assert_eq!(row, expected);
    }

    #[test]
    fn what_a_producer_does_not_have_is_none_or_less_than_nothing() {
        let producer = ProducerState {
            producer_id: 5,
            producer_epoch: 1,
            last_sequence: 9,
            last_timestamp: 1000,
            coordinator_epoch: None,
            transaction_start_offset: None,
        };
        let row = second_row(&producers(std::slice::from_ref(&producer)));
        assert_eq!(row, ["5", "1", "-1", "9", "1000", "None", ""]);
        let partition = TopicPartition { topic: "t".to_owned(), partition: 3 };
        let row = second_row(&hanging(&[OpenTransaction { partition, producer }], 200_999));
        assert_eq!(row, ["t", "3", "5", "1", "-1", "-1", "1000", "3", ""]);
    }
}
