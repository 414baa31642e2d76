//! `--reset-offsets`: where offsets shall go, shown, exported or carried out.
//!
//! Answers to `resetOffsets`, `getPartitionsToReset` and `prepareOffsetsToReset`.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use client::admin::{Admin, CommittedOffset, GroupState, OffsetSpec, TopicPartition};

use super::options::SCENARIOS;
use super::{Failure, Streams, chosen, old_tables};
use crate::java_order::{partition_hash, sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;
use crate::offsets::{self, Offsets, OffsetsError, plan};

pub(super) const GROUP_ID_NOT_FOUND: i16 = 69;

type Committed = Vec<(TopicPartition, Option<CommittedOffset>)>;

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
    let offsets = planned(given, admin, streams, group, partitions).await?;
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

async fn planned(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
    group: &str,
    partitions: Vec<TopicPartition>,
) -> Result<Offsets, Failure> {
    let wanted = |offset: i64| partitions.iter().map(move |known| (known.clone(), offset));
    if given.release().is_3_7() {
        given.long("to-offset")?;
    }
    if let Some(offset) = given.longs("to-offset")?.first() {
        return Ok(offsets::within_logs(admin, wanted(*offset).collect()).await?);
    }
    if given.has("to-earliest") {
        return Ok(offsets::listed(admin, &partitions, OffsetSpec::Earliest).await?);
    }
    if given.has("to-latest") {
        return Ok(offsets::listed(admin, &partitions, OffsetSpec::Latest).await?);
    }
    if let Some(by) = given.long("shift-by")? {
        let current = committed(admin, group).await?;
        let shifted = shifted(&partitions, &current, by)?;
        return Ok(offsets::within_logs(admin, shifted).await?);
    }
    if let Some(date) = given.values("to-datetime").first() {
        let millis = offsets::date_millis(date).map_err(|words| {
            Failure::Words(format!("{}{words}", class(given, "java.text.ParseException: ")))
        })?;
        return Ok(offsets::listed_by_time(admin, &partitions, millis, streams.out).await?);
    }
    if let Some(duration) = given.value("by-duration")? {
        let none = || Failure::Words("Text cannot be parsed to a Duration".to_owned());
        let millis = offsets::duration_millis(duration).ok_or_else(none)?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let from = now.saturating_sub(millis);
        return Ok(offsets::listed_by_time(admin, &partitions, from, streams.out).await?);
    }
    if let Some(path) = given.values("from-file").first() {
        return from_file(given, admin, streams, group, path).await;
    }
    if given.has("to-current") {
        return to_current(admin, group, &partitions).await;
    }
    let scenarios = SCENARIOS.map(|name| format!("[{name}]")).join(", ");
    Err(Failure::Usage(format!(
        "Option '[reset-offsets]' requires one of the following scenarios: [{scenarios}]"
    )))
}

/// The name of an exception, which 3.7 leaves out.
fn class(given: &ParsedOptions, name: &'static str) -> &'static str {
    given.release().either("", name)
}

fn shifted(
    partitions: &[TopicPartition],
    current: &Committed,
    by: i64,
) -> Result<Offsets, OffsetsError> {
    let current: HashMap<&TopicPartition, i64> = current
        .iter()
        .filter_map(|(partition, committed)| Some((partition, committed.as_ref()?.offset)))
        .collect();
    let shift = |partition: &TopicPartition| match current.get(partition) {
        Some(offset) => Ok((partition.clone(), offset.wrapping_add(by))),
        None => Err(OffsetsError::Argument(format!(
            "Cannot shift offset for partition {partition} since there is no current committed \
             offset"
        ))),
    };
    partitions.iter().map(shift).collect()
}

async fn to_current(
    admin: &mut Admin,
    group: &str,
    partitions: &[TopicPartition],
) -> Result<Offsets, Failure> {
    let current: HashMap<TopicPartition, Option<CommittedOffset>> =
        committed(admin, group).await?.into_iter().collect();
    let (with, without): (Vec<_>, Vec<_>) =
        partitions.iter().cloned().partition(|partition| current.contains_key(partition));
    let mut offsets: Offsets = Vec::new();
    for partition in with {
        let Some(committed) = current.get(&partition).copied().flatten() else {
            return Err(Failure::Words(format!(
                "Expected a valid current offset for topic partition: {partition}"
            )));
        };
        offsets.push((partition, committed.offset));
    }
    offsets.extend(offsets::listed(admin, &without, OffsetSpec::Latest).await?);
    sort_by_hash(&mut offsets, |(partition, _)| partition_hash(partition));
    Ok(offsets)
}

async fn from_file(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
    group: &str,
    path: &str,
) -> Result<Offsets, Failure> {
    let text = std::fs::read_to_string(path).map_err(|_| {
        let class = class(given, "java.io.IOException: ");
        Failure::Words(format!("{class}Unable to read file {path}"))
    })?;
    let chosen = given.values("group");
    let only = chosen.first().copied().filter(|_| chosen.len() == 1);
    let plans = plan::read(&text, only).map_err(Failure::Words)?;
    match plans.into_iter().find(|(planned, _)| planned == group) {
        Some((_, wanted)) => Ok(offsets::within_logs(admin, wanted).await?),
        None => {
            streams.error(&format!("No reset plan for group {group} found"))?;
            Ok(Vec::new())
        }
    }
}
