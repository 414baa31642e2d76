//! `find-hanging`: transactions that are open in a partition for longer than any may be, and that
//! no coordinator will end.
//!
//! Answers to `FindHangingTransactionsCommand`; what is printed stands in the order of its maps.

use std::collections::HashMap;

use client::admin::{
    Admin, AdminError, ProducerState, TopicPartition, TransactionDescription, TransactionFilter,
};

use super::command_line::number;
use super::{Failure, Found, failed, now, words};
use crate::arguments::ParsedOptions;
use crate::java_order::{partition_hash, sort_by_hash, sort_with_capacity, string_hash};

/// Topics, or partitions, that one request is about.
const BATCH: usize = 500;
/// Partitions in one answer about topics.
const PAGE: i32 = 2000;
const TRANSACTIONAL_ID_NOT_FOUND: i16 = 105;

/// A transaction as a partition knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenTransaction {
    pub(super) partition: TopicPartition,
    pub(super) producer: ProducerState,
}

impl OpenTransaction {
    /// Since its producer wrote last.
    pub(super) fn minutes(&self, now: i64) -> i64 {
        now.wrapping_sub(self.producer.last_timestamp) / 60_000
    }
}

/// What is known of transactional ids; nothing of one that its coordinator does not know.
type Descriptions = HashMap<String, Option<TransactionDescription>>;

pub(super) async fn run(given: &ParsedOptions, admin: &mut Admin) -> Result<Found, Failure> {
    let broker: Option<i32> = number(given, "broker-id");
    let topic = given.value("topic");
    if topic.is_none() && broker.is_none() {
        return words(
            "The `find-hanging` command requires either --topic or --broker-id to limit the scope \
             of the search",
        );
    }
    let partition: Option<i32> = number(given, "partition");
    let partitions = match (topic, partition) {
        (None, Some(_)) => {
            return words("The --partition argument requires --topic to be provided");
        }
        (Some(topic), Some(partition)) => {
            vec![TopicPartition { topic: topic.to_owned(), partition }]
        }
        (Some(topic), None) => partitions_of(&[topic.to_owned()], broker, admin).await?,
        (None, None) => partitions_of(&topics(admin).await?, broker, admin).await?,
    };
    let minutes: i32 = number(given, "max-transaction-timeout").unwrap_or(15);
    let longest = i64::from(minutes) * 60_000;
    let candidates = candidates(&partitions, broker, longest, admin).await?;
    let hanging = match candidates.is_empty() {
        true => candidates,
        false => {
            let mut producers: Vec<i64> = Vec::new();
            for candidate in &candidates {
                let id = candidate.producer.producer_id;
                if !producers.contains(&id) {
                    producers.push(id);
                }
            }
            sort_by_hash(&mut producers, |id| long_hash(*id));
            let ids = transactional_ids(&producers, admin).await?;
            let descriptions = descriptions(&ids, admin).await?;
            hanging(&producers, candidates, &ids, &descriptions)
        }
    };
    Ok(Found::Hanging(hanging))
}

/// `Long.hashCode`.
fn long_hash(number: i64) -> i32 {
    (number ^ (number.cast_unsigned() >> 32).cast_signed()) as i32
}

async fn topics(admin: &mut Admin) -> Result<Vec<String>, Failure> {
    let listed = admin.list_topics().await.map_err(failed("Failed to list topics"))?;
    let mut names: Vec<String> = listed.into_iter().map(|topic| topic.name).collect();
    sort_by_hash(&mut names, |name| string_hash(name));
    Ok(names)
}

/// The partitions of topics, those alone that the broker has where one is named.
async fn partitions_of(
    topics: &[String],
    broker: Option<i32>,
    admin: &mut Admin,
) -> Result<Vec<TopicPartition>, Failure> {
    let mut found = Vec::new();
    for batch in topics.chunks(BATCH) {
        let what = format!("Failed to describe {} topics", batch.len());
        let mut described = admin.describe_topics(batch, PAGE).await.map_err(failed(what))?;
        sort_with_capacity(&mut described, batch.len(), |topic| string_hash(&topic.name));
        for topic in described {
            let here = topic
                .partitions
                .iter()
                .filter(|partition| broker.is_none_or(|id| partition.replicas.contains(&id)));
            found.extend(here.map(|partition| TopicPartition {
                topic: topic.name.clone(),
                partition: partition.index,
            }));
        }
    }
    Ok(found)
}

/// Transactions that are open for longer than they may be.
async fn candidates(
    partitions: &[TopicPartition],
    broker: Option<i32>,
    longest: i64,
    admin: &mut Admin,
) -> Result<Vec<OpenTransaction>, Failure> {
    let mut candidates = Vec::new();
    for batch in partitions.chunks(BATCH) {
        let shown = broker
            .map_or_else(|| "Optional.empty".to_owned(), |broker| format!("Optional[{broker}]"));
        let count = batch.len();
        let what = format!("Failed to describe producers for {count} partitions on broker {shown}");
        let described = admin.describe_producers(batch, broker).await.into_iter();
        let described: Result<Vec<_>, AdminError> =
            described.map(|(key, result)| result.map(|producers| (key, producers))).collect();
        let mut described = described.map_err(failed(what))?;
        sort_with_capacity(&mut described, count, |(partition, _)| partition_hash(partition));
        let now = now();
        for (partition, producers) in described {
            let open = producers.into_iter().filter(|producer| {
                let has_open = producer.transaction_start_offset.is_some();
                has_open && now.wrapping_sub(producer.last_timestamp) > longest
            });
            candidates.extend(
                open.map(|producer| OpenTransaction { partition: partition.clone(), producer }),
            );
        }
    }
    Ok(candidates)
}

async fn transactional_ids(
    producers: &[i64],
    admin: &mut Admin,
) -> Result<HashMap<i64, String>, Failure> {
    let what = format!("Failed to list transactions for {} producers", producers.len());
    let filter =
        TransactionFilter { producer_ids: producers.to_vec(), ..TransactionFilter::default() };
    let listed = admin.list_transactions(&filter).await.map_err(failed(what))?;
    let listings = listed.into_iter().flat_map(|(_, listings)| listings);
    let asked = listings.filter(|listing| producers.contains(&listing.producer_id));
    Ok(asked.map(|listing| (listing.producer_id, listing.transactional_id)).collect())
}

async fn descriptions(
    ids: &HashMap<i64, String>,
    admin: &mut Admin,
) -> Result<Descriptions, Failure> {
    let asked: Vec<String> = ids.values().cloned().collect();
    let described = admin.describe_transactions(&asked).await;
    let known = described.into_iter().map(|(id, result)| match result {
        Ok(description) => Ok((id, Some(description))),
        Err(error) if error.code() == Some(TRANSACTIONAL_ID_NOT_FOUND) => Ok((id, None)),
        Err(error) => Err(error),
    });
    let known: Result<Descriptions, AdminError> = known.collect();
    known.map_err(failed(format!("Failed to describe {} transactions", asked.len())))
}

/// Those that no coordinator has among the partitions that it will write a marker to, producer by
/// producer.
fn hanging(
    producers: &[i64],
    candidates: Vec<OpenTransaction>,
    ids: &HashMap<i64, String>,
    descriptions: &Descriptions,
) -> Vec<OpenTransaction> {
    let will_end = |open: &OpenTransaction| {
        let id = ids.get(&open.producer.producer_id);
        let description = id.and_then(|id| descriptions.get(id)?.as_ref());
        description.is_some_and(|description| description.partitions.contains(&open.partition))
    };
    let mut hanging: Vec<OpenTransaction> =
        candidates.into_iter().filter(|open| !will_end(open)).collect();
    let place = |id| producers.iter().position(|producer| *producer == id);
    hanging.sort_by_key(|open| place(open.producer.producer_id));
    hanging
}

#[cfg(test)]
mod tests {
    use client::admin::TransactionState;

    use super::*;

    fn open(topic: &str, producer_id: i64) -> OpenTransaction {
        OpenTransaction {
            partition: TopicPartition { topic: topic.to_owned(), partition: 0 },
            producer: ProducerState {
                producer_id,
                producer_epoch: 0,
                last_sequence: 0,
                last_timestamp: 0,
                coordinator_epoch: None,
                transaction_start_offset: Some(0),
            },
        }
    }

    #[test]
    fn what_a_coordinator_will_end_does_not_hang() {
        let description = |partitions: &[&str]| TransactionDescription {
            coordinator: 1,
            state: TransactionState::Ongoing,
            producer_id: 1,
            producer_epoch: 0,
            timeout_ms: 0,
            start_time_ms: None,
            partitions: partitions.iter().map(|topic| open(topic, 0).partition).collect(),
        };
        let ids = HashMap::from([(1, "one".to_owned()), (2, "two".to_owned())]);
        let descriptions = HashMap::from([
            ("one".to_owned(), Some(description(&["a"]))),
            ("two".to_owned(), None),
        ]);
        // Of 1, the coordinator knows a alone; of 2, nothing; 3 has no transactional id.
        let candidates = vec![open("a", 1), open("a", 3), open("b", 1), open("b", 2), open("b", 3)];
        let found = hanging(&[3, 2, 1], candidates, &ids, &descriptions);
        assert_eq!(found, [open("a", 3), open("b", 3), open("b", 2), open("b", 1)]);
    }

    #[test]
    fn long_numbers_are_hashed_as_by_java() {
        assert_eq!([long_hash(5), long_hash(1 << 32), long_hash(-1)], [5, 1, 0]);
    }
}
