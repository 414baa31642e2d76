//! Where `--reset-offsets` says that the offsets of a group of consumers or of streams shall go.
//!
//! Answers to `prepareOffsetsToReset` and what it calls of `OffsetsUtils`.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use client::admin::{Admin, CommittedOffset, OffsetSpec, TopicPartition};

use super::{Failure, Streams};
use crate::java_order::{partition_hash, sort_by_hash};
use crate::joptsimple::ParsedOptions;
use crate::offsets::{self, Offsets, OffsetsError, plan};

/// The ways to say where offsets shall go, in the order in which the help has them.
pub(crate) const SCENARIOS: [&str; 8] = [
    "to-offset",
    "shift-by",
    "to-datetime",
    "by-duration",
    "to-earliest",
    "to-latest",
    "to-current",
    "from-file",
];

/// The order in which their combinations are checked.
pub(crate) const CHECKED: [&str; 8] = [
    "to-offset",
    "to-datetime",
    "by-duration",
    "to-earliest",
    "to-latest",
    "to-current",
    "shift-by",
    "from-file",
];

/// What a group has committed; nothing where it has not.
pub(crate) type Committed = Vec<(TopicPartition, Option<CommittedOffset>)>;

/// The new offsets; `committed` asks for those that the group has, where they count.
pub(crate) async fn planned(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
    group: &str,
    partitions: Vec<TopicPartition>,
    committed: impl AsyncFnOnce(&mut Admin) -> Result<Committed, Failure>,
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
        let current = committed(admin).await?;
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
        let current = committed(admin).await?;
        return to_current(admin, current, &partitions).await;
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
    current: Committed,
    partitions: &[TopicPartition],
) -> Result<Offsets, Failure> {
    let current: HashMap<TopicPartition, Option<CommittedOffset>> = current.into_iter().collect();
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
