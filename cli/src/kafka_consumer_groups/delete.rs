//! `--delete` and `--delete-offsets`: groups without members go, or what they committed.
//!
//! Answers to `deleteGroups` and `deleteOffsets`.

use std::collections::{BTreeSet, HashMap};

use client::admin::{Admin, AdminError, TopicPartition, known};
use protocol::{ErrorCode, constant_name};

use super::{Failure, Streams, TOPIC_PAGE, chosen};
use crate::java_order::{partition_hash, sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;
use crate::offsets;

pub(super) async fn groups(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let groups = chosen(given, admin).await?;
    let mut results: Vec<(String, Result<(), AdminError>)> =
        admin.delete_groups(&groups).await.into_iter().collect();
    sort_by_hash(&mut results, |(group, _)| string_hash(group));
    let done = results.iter().filter(|(_, result)| result.is_ok());
    let done: Vec<&str> = done.map(|(group, _)| group.as_str()).collect();
    let is_old = given.release().is_3_7();
    // 3.7 puts its quotes around nothing, too.
    let deleted = match done.is_empty() && !is_old {
        true => String::new(),
        false => format!("'{}'", done.join("', '")),
    };
    if results.iter().all(|(_, result)| result.is_ok()) {
        writeln!(streams.out, "Deletion of requested consumer groups ({deleted}) was successful.")?;
        return Ok(());
    }
    streams.error("Deletion of some consumer groups failed:")?;
    for (group, result) in &results {
        if let Err(error) = result {
            let class = error.class();
            let wrapped = given.release().either("java.util.concurrent.ExecutionException: ", "");
            writeln!(
                streams.out,
                "* Group '{group}' could not be deleted due to: {wrapped}{class}: {error}"
            )?;
        }
    }
    if !done.is_empty() {
        writeln!(streams.out, "\nThese consumer groups were deleted successfully: {deleted}")?;
    }
    Ok(())
}

/// What became of one partition, or of a topic whose partitions nobody knows.
type Outcomes = Vec<(String, Option<i32>, Option<AdminError>)>;

pub(super) async fn offsets(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let group = given.value("group")?.unwrap_or_default();
    let (few, whole): (Vec<&str>, Vec<&str>) =
        given.values("topic").into_iter().partition(|topic| topic.contains(':'));
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
    let deleted = admin.delete_group_offsets(group, &partitions).await;
    let per_partition = outcomes_of(&partitions, &deleted);
    let failure = match &deleted {
        Err(error) => Some(error.clone()),
        Ok(_) => per_partition.iter().find_map(|(_, _, error)| error.clone()),
    };
    let is_old = given.release().is_3_7();
    match is_old {
        true => say_as_3_7(streams, group, &given.values("topic"), failure.as_ref())?,
        false => say(streams, group, failure.as_ref())?,
    }
    outcomes.extend(per_partition);
    streams.out.write_all(table(is_old, &mut outcomes).as_bytes())?;
    Ok(())
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

fn say(
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

fn say_as_3_7(
    streams: &mut Streams<'_>,
    group: &str,
    topics: &[&str],
    failure: Option<&AdminError>,
) -> std::io::Result<()> {
    let Some(error) = failure else {
        let topics = topics.join(", ");
        let words =
            format!("Request succeed for deleting offsets with topic {topics} group {group}");
        return writeln!(streams.out, "{words}");
    };
    streams.error(&match error.code() {
        Some(24) => format!("'{group}' is not valid."),
        Some(69) => format!("'{group}' does not exist."),
        Some(30) => format!("Access to '{group}' is not authorized."),
        Some(68) => format!(
            "Deleting offsets of a consumer group '{group}' is forbidden if the group is not empty."
        ),
        Some(86 | 29 | 3) => {
            "Encounter some partition level error, see the follow-up details:".to_owned()
        }
        _ => format!("Encounter some unknown error: {}: {error}", error.class()),
    })
}

/// `RequestTimedOut` as Java's constant is called.
fn constant(code: i16) -> String {
    let name =
        format!("{:?}", ErrorCode::try_from_code(code).unwrap_or(ErrorCode::UnknownServerError));
    constant_name(&name)
}

fn table(is_old: bool, outcomes: &mut Outcomes) -> String {
    let number = |partition: &Option<i32>| partition.unwrap_or(-1).to_string();
    outcomes.sort_by_cached_key(|(topic, partition, _)| topic.clone() + &number(partition));
    let width = outcomes.iter().map(|(topic, ..)| topic.chars().count()).max();
    let (width, second) = match is_old {
        true => (30, 15),
        false => (width.unwrap_or_default().max(15), 10),
    };
    let unknown = if is_old { "Not Provided" } else { "-" };
    let row = |topic: &str, partition: &str, status: &str| {
        format!("\n{topic:<width$} {partition:<second$} {status:<15}")
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
