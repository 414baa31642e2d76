//! `abort`: which transaction is meant, and its end.
//!
//! Answers to `AbortTransactionCommand`.

use client::admin::{AbortTransaction, Admin, AdminError, ProducerState, TopicPartition};

use super::command_line::number;
use super::{Failure, failed, partition, words};
use crate::arguments::ParsedOptions;

pub(super) async fn run(given: &ParsedOptions, admin: &mut Admin) -> Result<(), Failure> {
    let partition = partition(given);
    let abort = match number::<i64>(given, "start-offset") {
        Some(start) => {
            let what = format!("Failed to validate producer state for partition {partition}");
            let described = admin.describe_producers(std::slice::from_ref(&partition), None).await;
            let described: Result<Vec<_>, AdminError> = described.into_values().collect();
            beginning_at(start, partition, &described.map_err(failed(what))?.concat())?
        }
        None => by_producer(given, partition)?,
    };
    let what = format!("Failed to abort transaction {abort}");
    admin.abort_transaction(&abort).await.map_err(failed(what))
}

/// The open transaction that begins at this offset.
fn beginning_at(
    start: i64,
    partition: TopicPartition,
    producers: &[ProducerState],
) -> Result<AbortTransaction, Failure> {
    let found = producers.iter().find(|one| one.transaction_start_offset == Some(start));
    let Some(producer) = found else {
        return words(&format!(
            "Could not find any open transactions starting at offset {start} on partition \
             {partition}"
        ));
    };
    Ok(AbortTransaction {
        partition,
        producer_id: producer.producer_id,
        // Java's narrowing.
        producer_epoch: producer.producer_epoch as i16,
        coordinator_epoch: producer.coordinator_epoch.unwrap_or(0),
    })
}

/// What is typed for brokers that do not describe producers.
fn by_producer(
    given: &ParsedOptions,
    partition: TopicPartition,
) -> Result<AbortTransaction, Failure> {
    let Some(producer_id) = number(given, "producer-id") else {
        return words(
            "The transaction to abort must be identified either with --start-offset (for brokers \
             on 3.0 or above) or with --producer-id, --producer-epoch, and --coordinator-epoch \
             (for older brokers)",
        );
    };
    let Some(producer_epoch) = number(given, "producer-epoch") else {
        return words("Missing required argument --producer-epoch");
    };
    let Some(coordinator_epoch) = number::<i32>(given, "coordinator-epoch") else {
        return words("Missing required argument --coordinator-epoch");
    };
    // What hangs before its first marker has -1; every coordinator's epoch is 0 or more.
    let coordinator_epoch = coordinator_epoch.max(0);
    Ok(AbortTransaction { partition, producer_id, producer_epoch, coordinator_epoch })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka_transactions::command_line::read;
    use crate::release::CliRelease;

    fn typed(line: &str) -> Result<String, String> {
        let line = format!("--bootstrap-server a:1 abort --topic t --partition 0 {line}");
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let given = read(CliRelease::default(), &words).unwrap().options;
        let abort = by_producer(&given, partition(&given));
        abort.map(|abort| abort.to_string()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn old_brokers_need_all_that_a_producer_is_known_by() {
        let spec = "AbortTransactionSpec(topicPartition=t-0, producerId=5, producerEpoch=2, \
                    coordinatorEpoch=0)";
        let all = "--producer-id 5 --producer-epoch 2 --coordinator-epoch";
        assert_eq!(typed(&format!("{all} -1")).as_deref(), Ok(spec));
        for (line, problem) in [
            ("--producer-epoch 1", "The transaction to abort must be identified either"),
            ("--producer-id 5", "Missing required argument --producer-epoch"),
            ("--producer-id 5 --producer-epoch 2", "Missing required argument --coordinator-epoch"),
        ] {
            let said = typed(line).unwrap_err();
            assert!(said.starts_with(problem), "{line}: {said}");
        }
    }

    #[test]
    fn a_transaction_is_known_by_where_it_begins() {
        let producer = |producer_id, coordinator_epoch, transaction_start_offset| ProducerState {
            producer_id,
            producer_epoch: 3,
            last_sequence: 0,
            last_timestamp: 0,
            coordinator_epoch,
            transaction_start_offset,
        };
        let producers = [producer(1, Some(4), None), producer(2, None, Some(10))];
        let partition = TopicPartition { topic: "t".to_owned(), partition: 0 };
        let abort = beginning_at(10, partition.clone(), &producers).unwrap();
        assert_eq!((abort.producer_id, abort.producer_epoch, abort.coordinator_epoch), (2, 3, 0));
        let missing = beginning_at(11, partition, &producers).unwrap_err().to_string();
        let said = "Could not find any open transactions starting at offset 11 on partition t-0";
        assert_eq!(missing, said);
    }
}
