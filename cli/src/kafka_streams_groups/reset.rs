//! `--reset-offsets`: where the offsets of groups shall go, shown, exported or carried out; and
//! their own topics, which go with that.
//!
//! Answers to `resetOffsets`, `getPartitionsToReset` and `getInternalTopicsToBeDeleted`.

use client::admin::{Admin, AdminError, GroupFilter, GroupState, TopicPartition};

use super::describe::{Read, all_committed, committed};
use super::{internal, tables};
use crate::group_command::scenarios::planned;
use crate::group_command::{Failure, Streams, chosen};
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;
use crate::offsets::{self, Offsets, plan};

const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const GROUP_ID_NOT_FOUND: i16 = 69;

pub(super) async fn run(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let mut groups = chosen(given, admin, &GroupFilter::streams()).await?;
    groups.sort();
    groups.dedup();
    sort_by_hash(&mut groups, |group| string_hash(group));
    let mut described = admin.describe_streams_groups(&groups).await;
    let mut results: Vec<(String, Offsets)> = Vec::new();
    for group in groups {
        let state = match described.remove(&group) {
            Some(Ok(description)) => Some(description.state),
            Some(Err(error)) if error.code() == Some(GROUP_ID_NOT_FOUND) => None,
            Some(Err(error)) => return Err(Failure::wrapped(&error)),
            None => continue,
        };
        let offsets = match state {
            None => reset(given, admin, streams, &group).await?,
            Some(GroupState::Empty | GroupState::Dead) => {
                let offsets = reset(given, admin, streams, &group).await?;
                if is_executed(given) {
                    delete_topics(given, admin, streams, &group).await?;
                }
                offsets
            }
            Some(state) => {
                streams.error(&format!(
                    "Assignments can only be reset if the group '{group}' is inactive, but the \
                     current state is {state}."
                ))?;
                Vec::new()
            }
        };
        results.push((group, offsets));
    }
    if given.has("export") {
        let with_group = given.values("group").len() != 1;
        writeln!(streams.out, "{}", plan::write(&results, with_group))?;
        return Ok(());
    }
    Ok(streams.out.write_all(tables::reset(&results).as_bytes())?)
}

fn is_executed(given: &ParsedOptions) -> bool {
    given.has("execute") && !given.has("dry-run")
}

/// The new offsets of a group without members, committed where that is asked for.
async fn reset(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
    group: &str,
) -> Result<Offsets, Failure> {
    let partitions = partitions(given, admin, streams, group).await?;
    let current = async |admin: &mut Admin| committed(admin, group, Read::All).await;
    let offsets = planned(given, admin, streams, group, partitions, current).await?;
    if is_executed(given) {
        let altered = admin.alter_group_offsets(group, &offsets).await;
        altered.map_err(|error| Failure::plain(&error))?;
    }
    Ok(offsets)
}

async fn partitions(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
    group: &str,
) -> Result<Vec<TopicPartition>, Failure> {
    if given.has("all-input-topics") {
        let committed = committed(admin, group, Read::Inputs).await?;
        return Ok(committed.into_iter().map(|(partition, _)| partition).collect());
    }
    if given.has("input-topic") {
        let partitions = offsets::partitions_of(admin, &given.values("input-topic")).await?;
        offsets::check_valid(admin, &partitions).await?;
        let known = all_committed(admin, group).await?;
        let is_known = |wanted: &TopicPartition| known.iter().any(|(known, _)| known == wanted);
        if partitions.iter().all(is_known) {
            return Ok(partitions);
        }
        streams.error(&format!("One or more topics are not part of the group '{group}'."))?;
        return Ok(Vec::new());
    }
    if !given.has("from-file") {
        let words = "One of the reset scopes should be defined: --all-topics, --topic.";
        return Err(Failure::Usage(words.to_owned()));
    }
    Ok(Vec::new())
}

async fn delete_topics(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
    group: &str,
) -> Result<(), Failure> {
    let topics = if given.has("delete-all-internal-topics") {
        let mut found = internal::topics(admin, &[group.to_owned()], streams).await?;
        // Java stumbles over a group that has none.
        found.remove(group).ok_or_else(|| {
            Failure::Words(
                "Cannot invoke \"java.util.List.isEmpty()\" because \"internalTopics\" is null"
                    .to_owned(),
            )
        })?
    } else {
        given.values("delete-internal-topic").into_iter().map(str::to_owned).collect()
    };
    let Err(error) = admin.delete_topics(&topics).await else { return Ok(()) };
    streams.error(&match &error {
        AdminError::Answer { code: UNKNOWN_TOPIC_OR_PARTITION, .. } => format!(
            "Deleting internal topics for group '{group}' failed because the topics do not exist."
        ),
        AdminError::UnsupportedVersion { .. } => format!(
            "Deleting internal topics is not supported by the broker version.\nInternal topics: \
             ({}).\nUse 'kafka-topics.sh' to delete the group's internal topics.",
            topics.join(",")
        ),
        error => {
            let class = error.class();
            format!("Deleting internal topics for group '{group}' failed due to {class}: {error}")
        }
    })?;
    Ok(())
}
