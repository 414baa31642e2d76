//! `--reset-offsets`: where offsets shall go, shown, exported or carried out.
//!
//! Answers to `resetOffsets` and `getPartitionsToReset`.

use client::admin::{Admin, GroupState, TopicPartition};

use super::{Failure, Streams, chosen, old_tables};
use crate::group_command::scenarios::{Committed, planned};
use crate::java_order::{partition_hash, sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;
use crate::offsets::{self, Offsets, plan};

pub(super) const GROUP_ID_NOT_FOUND: i16 = 69;

pub(super) async fn run(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let mut groups = chosen(given, admin).await?;
    sort_by_hash(&mut groups, |group| string_hash(group));
    let mut described = admin.describe_consumer_groups(&groups).await;
    let mut results: Vec<(String, Offsets)> = Vec::new();
    for group in groups {
        let state = match described.remove(&group) {
            Some(Ok(description)) => description.state,
            Some(Err(error)) if error.code() == Some(GROUP_ID_NOT_FOUND) => GroupState::Dead,
            Some(Err(error)) => return Err(Failure::wrapped(&error)),
            None => continue,
        };
        let offsets = match state {
            GroupState::Empty | GroupState::Dead => reset(given, admin, streams, &group).await?,
            _ => {
                streams.error(&format!(
                    "Assignments can only be reset if the group '{group}' is inactive, but the \
                     current state is {state}."
                ))?;
                Vec::new()
            }
        };
        results.push((group, offsets));
    }
    let is_old = given.release().is_3_7();
    if is_old {
        results.iter_mut().for_each(|(_, offsets)| offsets.sort());
    }
    if given.has("export") {
        let with_group = given.values("group").len() != 1;
        writeln!(streams.out, "{}", plan::write(&results, with_group))?;
    } else {
        let table = if is_old { old_tables::reset(&results) } else { offsets::table(&results) };
        streams.out.write_all(table.as_bytes())?;
    }
    Ok(())
}

/// The new offsets of a group without members, committed where that is asked for.
async fn reset(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
    group: &str,
) -> Result<Offsets, Failure> {
    let partitions = partitions(given, admin, group).await?;
    offsets::check_valid(admin, &partitions).await?;
    let current = async |admin: &mut Admin| committed(admin, group).await;
    let offsets = planned(given, admin, streams, group, partitions, current).await?;
    if given.has("execute") && !given.has("dry-run") {
        let altered = admin.alter_group_offsets(group, &offsets).await;
        altered.map_err(|error| Failure::Words(error.to_string()))?;
    }
    Ok(offsets)
}

async fn partitions(
    given: &ParsedOptions,
    admin: &mut Admin,
    group: &str,
) -> Result<Vec<TopicPartition>, Failure> {
    if given.has("all-topics") {
        let committed = committed(admin, group).await?;
        return Ok(committed.into_iter().map(|(partition, _)| partition).collect());
    }
    if given.has("topic") {
        return Ok(offsets::partitions_of(admin, &given.values("topic")).await?);
    }
    if !given.has("from-file") {
        let words = "One of the reset scopes should be defined: --all-topics, --topic.";
        return Err(Failure::Usage(words.to_owned()));
    }
    Ok(Vec::new())
}

/// What a group has committed, in the order of Java's map.
async fn committed(admin: &mut Admin, group: &str) -> Result<Committed, Failure> {
    let mut answers = admin.committed_offsets(&[group.to_owned()]).await;
    let mut committed = match answers.remove(group) {
        Some(answer) => answer.map_err(|error| Failure::wrapped(&error))?,
        None => Vec::new(),
    };
    sort_by_hash(&mut committed, |(partition, _)| partition_hash(partition));
    Ok(committed)
}
