//! `--delete-offsets`: what became of each partition whose offset a group shall forget.
//!
//! Answers to `deleteOffsets` of `ConsumerGroupCommand` and `StreamsGroupCommand`.

use std::collections::{BTreeSet, HashMap};

use client::admin::{Admin, AdminError, TopicPartition, known};
use protocol::{ErrorCode, constant_name};

use super::{Failure, Streams, TOPIC_PAGE};
use crate::java_order::{partition_hash, sort_by_hash};
use crate::offsets;

/// What became of one partition, or of a topic whose partitions nobody knows.
pub(crate) type Outcomes = Vec<(String, Option<i32>, Option<AdminError>)>;

/// The partitions that arguments name, and the topics that cannot be described.
pub(crate) async fn named(
    admin: &mut Admin,
    arguments: Vec<&str>,
) -> Result<(Vec<TopicPartition>, Outcomes), Failure> {
    let (few, whole): (Vec<&str>, Vec<&str>) =
        arguments.into_iter().partition(|topic| topic.contains(':'));
    let mut partitions: BTreeSet<TopicPartition> = BTreeSet::new();
    for argument in few {
        partitions.extend(offsets::named_partitions(argument)?);
    }
    let mut outcomes: Outcomes = Vec::new();
    for topic in whole.into_iter().collect::<BTreeSet<_>>() {
        match admin.describe_topics(&[topic.to_owned()], TOPIC_PAGE).await {
            Ok(described) => {
                let found = described.iter().flat_map(|topic| {
                    topic.partitions.iter().map(|partition| TopicPartition {
                        topic: topic.name.clone(),
                        partition: partition.index,
                    })
                });
                partitions.extend(found);
            }
            Err(error) => outcomes.push((topic.to_owned(), None, Some(error))),
        }
    }
    let mut partitions: Vec<TopicPartition> = partitions.into_iter().collect();
    sort_by_hash(&mut partitions, partition_hash);
    Ok((partitions, outcomes))
}

/// Deletes them: what became of each, and the failure that counts for all.
pub(crate) async fn delete(
    admin: &mut Admin,
    group: &str,
    partitions: &[TopicPartition],
) -> (Outcomes, Option<AdminError>) {
    let deleted = admin.delete_group_offsets(group, partitions).await;
    let outcomes = outcomes_of(partitions, &deleted);
    let failure = match deleted {
        Err(error) => Some(error),
        Ok(_) => outcomes.iter().find_map(|(_, _, error)| error.clone()),
    };
    (outcomes, failure)
}

fn outcomes_of(
    partitions: &[TopicPartition],
    deleted: &Result<HashMap<TopicPartition, Result<(), AdminError>>, AdminError>,
) -> Outcomes {
    let outcome = |partition: &TopicPartition| {
        let error = match deleted {
            Err(error) => Some(error.clone()),
            Ok(results) => match results.get(partition) {
                Some(result) => result.clone().err(),
                None => Some(AdminError::IllegalArgument(format!(
                    "Offset deletion result for partition \"{partition}\" was not included in \
                     the response"
                ))),
            },
        };
        (partition.topic.clone(), Some(partition.partition), error)
    };
    partitions.iter().map(outcome).collect()
}

/// Says whether the request succeeded.
pub(crate) fn say(
    streams: &mut Streams<'_>,
    group: &str,
    failure: Option<&AdminError>,
) -> std::io::Result<()> {
    let Some(error) = failure else {
        return writeln!(streams.out, "Request succeeded for deleting offsets from group {group}.");
    };
    match error.code() {
        // INVALID_GROUP_ID, GROUP_ID_NOT_FOUND, GROUP_AUTHORIZATION_FAILED, NON_EMPTY_GROUP
        Some(code @ (24 | 69 | 30 | 68)) => streams.error(known(code).message),
        // GROUP_SUBSCRIBED_TO_TOPIC, TOPIC_AUTHORIZATION_FAILED, UNKNOWN_TOPIC_OR_PARTITION
        Some(86 | 29 | 3) => {
            streams.error("Encountered some partition-level error, see the follow-up details.")
        }
        code => {
            let code = match error {
                AdminError::TimedOut { .. } | AdminError::NoNode { .. } => 7,
                _ => code.unwrap_or(-1),
            };
            let name = constant(code);
            streams.error(&format!("Encountered some unknown error: {name}"))
        }
    }
}

/// `RequestTimedOut` as Java's constant is called.
fn constant(code: i16) -> String {
    let name =
        format!("{:?}", ErrorCode::try_from_code(code).unwrap_or(ErrorCode::UnknownServerError));
    constant_name(&name)
}

/// The outcomes, in order.
pub(crate) fn table(outcomes: &mut Outcomes) -> String {
    let width = outcomes.iter().map(|(topic, ..)| topic.chars().count()).max();
    table_of(outcomes, [width.unwrap_or_default().max(15), 10], "-")
}

/// The same with columns of these widths, and this where a partition is not known.
pub(crate) fn table_of(outcomes: &mut Outcomes, widths: [usize; 2], unknown: &str) -> String {
    let [first, second] = widths;
    let number = |partition: &Option<i32>| partition.unwrap_or(-1).to_string();
    outcomes.sort_by_cached_key(|(topic, partition, _)| topic.clone() + &number(partition));
    let row = |topic: &str, partition: &str, status: &str| {
        format!("\n{topic:<first$} {partition:<second$} {status:<15}")
    };
    let rows = outcomes.iter().map(|(topic, partition, error)| {
        let partition = partition.map_or_else(|| unknown.to_owned(), |number| number.to_string());
        let status = error.as_ref().map_or_else(
            || "Successful".to_owned(),
            |error| format!("Error: {}: {error}", error.class()),
        );
        row(topic, &partition, &status)
    });
    let rows: String = rows.collect();
    row("TOPIC", "PARTITION", "STATUS") + &rows + "\n"
}
