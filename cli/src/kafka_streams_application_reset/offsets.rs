//! Where the offsets of input topics go, and those of intermediate topics: to the end.
//!
//! Answers to `maybeReset`, `maybeSeekToEnd` and what they call.

use std::collections::HashMap;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use client::admin::{Admin, AdminError, OffsetSpec, TopicPartition, known};

use super::{Application, Failure, Streams, plan};
use crate::java_order::{partition_hash, sort_by_hash, sort_with_capacity};
use crate::offsets::{date_millis, duration_millis};

/// The new offset of each partition.
type Offsets = Vec<(TopicPartition, i64)>;

/// Moves the offsets of the application's group in these partitions, which are in Java's order.
pub(super) async fn reset(
    application: &Application<'_>,
    admin: &mut Admin,
    partitions: Vec<TopicPartition>,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let id = application.id;
    let is_input = |one: &TopicPartition| application.inputs.contains(&one.topic.as_str());
    let (mut inputs, mut others): (Vec<_>, Vec<_>) = partitions.into_iter().partition(is_input);
    sort_by_hash(&mut inputs, partition_hash);
    sort_by_hash(&mut others, partition_hash);
    let mut offsets = Offsets::new();
    if !inputs.is_empty() {
        writeln!(
            streams.out,
            "Following input topics offsets will be reset to (for consumer group {id})"
        )?;
        let moved = moved(application, admin, &inputs, streams.out).await;
        if is_file_or_date(&moved) {
            writeln!(streams.err, "ERROR: Resetting offsets failed.")?;
        }
        offsets = moved?;
        sort_by_hash(&mut offsets, |(partition, _)| partition_hash(partition));
        for (TopicPartition { topic, partition }, offset) in &offsets {
            writeln!(streams.out, "Topic: {topic} Partition: {partition} Offset: {offset}")?;
        }
    }
    if !others.is_empty() {
        writeln!(
            streams.out,
            "Following intermediate topics offsets will be reset to end (for consumer group {id})"
        )?;
        for partition in &others {
            writeln!(streams.out, "Topic: {}", partition.topic)?;
        }
    }
    if !application.given.has("dry-run") {
        offsets.extend(listed(admin, &others, OffsetSpec::Latest).await?);
        let committed = admin.alter_group_offsets(id, &offsets).await;
        committed.map_err(|error| not_committed(&error))?;
    }
    Ok(())
}

/// Java says so of files and dates that it cannot read.
fn is_file_or_date(moved: &Result<Offsets, Failure>) -> bool {
    matches!(
        moved,
        Err(Failure::Thrown { class: "java.io.IOException" | "java.text.ParseException", .. })
    )
}

/// What Java's consumer throws where its commit fails.
fn not_committed(error: &AdminError) -> Failure {
    match error.code() {
        // ILLEGAL_GENERATION and UNKNOWN_MEMBER_ID
        Some(22 | 25) => Failure::thrown(
            "org.apache.kafka.clients.consumer.CommitFailedException",
            "Commit cannot be completed since the group has already rebalanced and assigned the \
             partitions to another member. This means that the time between subsequent calls to \
             poll() was longer than the configured max.poll.interval.ms, which typically implies \
             that the poll loop is spending too much time message processing. You can address this \
             either by increasing max.poll.interval.ms or by reducing the maximum size of batches \
             returned in poll() with max.poll.records.",
        ),
        Some(code) => Failure::thrown(
            "org.apache.kafka.common.KafkaException",
            format!("Unexpected error in commit: {}", known(code).message),
        ),
        None => Failure::of_consumer(error),
    }
}

async fn listed(
    admin: &mut Admin,
    partitions: &[TopicPartition],
    spec: OffsetSpec,
) -> Result<Offsets, Failure> {
    if partitions.is_empty() {
        return Ok(Offsets::new());
    }
    let listed = admin.list_all_offsets(partitions, spec).await;
    let listed = listed.map_err(|error| Failure::of_consumer(&error))?;
    Ok(listed.into_iter().map(|(partition, listed)| (partition, listed.offset)).collect())
}

async fn moved(
    application: &Application<'_>,
    admin: &mut Admin,
    partitions: &[TopicPartition],
    out: &mut dyn Write,
) -> Result<Offsets, Failure> {
    let given = application.given;
    if given.has("to-offset") {
        let offset = given.long("to-offset")?.unwrap_or_default();
        let wanted = partitions.iter().map(|partition| (partition.clone(), offset)).collect();
        return within_logs(admin, partitions, wanted, partitions.len(), out).await;
    }
    if given.has("to-latest") {
        return listed(admin, partitions, OffsetSpec::Latest).await;
    }
    if given.has("shift-by") {
        let by = given.long("shift-by")?.unwrap_or_default();
        let mut wanted = positions(application, admin, partitions).await?;
        wanted.iter_mut().for_each(|(_, offset)| *offset = offset.wrapping_add(by));
        return within_logs(admin, partitions, wanted, partitions.len(), out).await;
    }
    if given.has("to-datetime") {
        let date = given.value("to-datetime")?.unwrap_or_default();
        let wrong = |words| Failure::thrown("java.text.ParseException", words);
        return since(admin, partitions, date_millis(date).map_err(wrong)?, out).await;
    }
    if given.has("by-duration") {
        let duration = given.value("by-duration")?.unwrap_or_default();
        let none = || {
            Failure::thrown(
                "java.time.format.DateTimeParseException",
                "Text cannot be parsed to a Duration",
            )
        };
        let millis = duration_millis(duration).ok_or_else(none)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        return since(admin, partitions, now.saturating_sub(millis), out).await;
    }
    if given.has("from-file") {
        let path = given.value("from-file")?.unwrap_or_default();
        let wrong =
            |_| Failure::thrown("java.io.IOException", format!("Unable to read file {path}"));
        let plan = plan::read(&std::fs::read_to_string(path).map_err(wrong)?)?;
        let moved = within_logs(admin, partitions, plan, 16, out).await?;
        let is_planned = |one: &TopicPartition| moved.iter().any(|(planned, _)| planned == one);
        return match partitions.iter().all(is_planned) {
            true => Ok(moved),
            false => Err(no_long()),
        };
    }
    listed(admin, partitions, OffsetSpec::Earliest).await
}

/// Java stumbles over a partition that one side does not know.
fn no_long() -> Failure {
    Failure::thrown(
        "java.lang.NullPointerException",
        "Cannot invoke \"java.lang.Long.longValue()\" because the return value of \
         \"java.util.Map.get(Object)\" is null",
    )
}

/// Where the group stands: what it has committed, or where it would start.
async fn positions(
    application: &Application<'_>,
    admin: &mut Admin,
    partitions: &[TopicPartition],
) -> Result<Offsets, Failure> {
    let mut answers = admin.committed_offsets(&[application.id.to_owned()]).await;
    let committed = answers.remove(application.id).transpose();
    let committed = committed.map_err(|error| Failure::of_consumer(&error))?.unwrap_or_default();
    let committed: HashMap<TopicPartition, i64> = committed
        .into_iter()
        .filter_map(|(partition, committed)| Some((partition, committed?.offset)))
        .collect();
    let (with, without): (Vec<_>, Vec<_>) =
        partitions.iter().cloned().partition(|partition| committed.contains_key(partition));
    let mut positions = listed(admin, &without, application.start).await?;
    positions.extend(with.into_iter().filter_map(|partition| {
        let offset = *committed.get(&partition)?;
        Some((partition, offset))
    }));
    Ok(positions)
}

/// Offsets as they are wanted, moved into the logs where they lie outside, which is said. `room` is
/// that of Java's map of them.
async fn within_logs(
    admin: &mut Admin,
    partitions: &[TopicPartition],
    mut wanted: Offsets,
    room: usize,
    out: &mut dyn Write,
) -> Result<Offsets, Failure> {
    let ends = listed(admin, partitions, OffsetSpec::Latest).await?;
    let starts = listed(admin, partitions, OffsetSpec::Earliest).await?;
    let ends: HashMap<TopicPartition, i64> = ends.into_iter().collect();
    let starts: HashMap<TopicPartition, i64> = starts.into_iter().collect();
    sort_with_capacity(&mut wanted, room, |(partition, _)| partition_hash(partition));
    for (partition, offset) in &mut wanted {
        let (Some(start), Some(end)) = (starts.get(partition), ends.get(partition)) else {
            return Err(no_long());
        };
        let (moved, words) = within(*offset, *start, *end);
        if let Some(words) = words {
            writeln!(out, "{words}")?;
        }
        *offset = moved;
    }
    Ok(wanted)
}

/// An offset within a log, and what is said where it is moved; Java says it of the first, too.
fn within(offset: i64, start: i64, end: i64) -> (i64, Option<String>) {
    let said = |how: &str, limit: i64| {
        let words = format!("New offset ({offset}) is {how} offset. Value will be set to {limit}");
        (limit, Some(words))
    };
    if offset >= end {
        said("higher than latest", end)
    } else if offset <= start {
        said("lower than earliest", start)
    } else {
        (offset, None)
    }
}

/// The first offsets at or after a time; the end where there is none, which is said.
async fn since(
    admin: &mut Admin,
    partitions: &[TopicPartition],
    millis: i64,
    out: &mut dyn Write,
) -> Result<Offsets, Failure> {
    if let Some(first) = partitions.first().filter(|_| millis < 0) {
        return Err(Failure::thrown(
            "java.lang.IllegalArgumentException",
            format!(
                "The target time for partition {first} is {millis}. The target time cannot be \
                 negative."
            ),
        ));
    }
    let found = listed(admin, partitions, OffsetSpec::Timestamp(millis)).await?;
    let (mut offsets, mut without): (Offsets, Offsets) =
        found.into_iter().partition(|(_, offset)| *offset != -1);
    sort_by_hash(&mut without, |(partition, _)| partition_hash(partition));
    for (TopicPartition { topic, partition }, _) in &without {
        writeln!(
            out,
            "Partition {partition} from topic {topic} is empty, without a committed record. \
             Falling back to latest known offset."
        )?;
    }
    let without: Vec<TopicPartition> =
        without.into_iter().map(|(partition, _)| partition).collect();
    offsets.extend(listed(admin, &without, OffsetSpec::Latest).await?);
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_moved_into_the_log_and_both_ends_count_as_outside() {
        let low = "New offset (3) is lower than earliest offset. Value will be set to 3";
        let high = "New offset (9) is higher than latest offset. Value will be set to 9";
        assert_eq!(within(3, 3, 9), (3, Some(low.to_owned())));
        assert_eq!(within(9, 3, 9), (9, Some(high.to_owned())));
        assert_eq!(within(4, 3, 9), (4, None));
        assert_eq!((within(-5, 3, 9).0, within(50, 3, 9).0, within(0, 0, 0).0), (3, 9, 0));
    }

    #[test]
    fn a_commit_that_a_member_prevents_has_the_consumers_words() {
        let refused = |code| {
            let error = AdminError::Answer { code, message: "no".to_owned() };
            not_committed(&error).to_string()
        };
        assert!(refused(25).starts_with(
            "ERROR: org.apache.kafka.clients.consumer.CommitFailedException: Commit cannot be"
        ));
        let expected =
            "ERROR: org.apache.kafka.common.KafkaException: Unexpected error in commit: ";
        assert!(refused(68).starts_with(expected), "{}", refused(68));
    }
}
