//! Where the offsets of groups shall go: partitions as people name them, and the offset of each.
//!
//! Answers to `OffsetsUtils`. `plan` reads and writes CSV files of offsets, `time` reads dates and
//! durations. Maps are handed out in the order in which Java's are.

pub(crate) mod plan;
mod time;

use std::collections::HashMap;
use std::io::Write;

use client::admin::{Admin, AdminError, OffsetSpec, TopicDescription, TopicPartition};

pub(crate) use self::time::{date_millis, duration_millis};
use crate::java_order::{partition_hash, sort_by_hash, string_hash};
use crate::log_line::warn;

const TOPIC_PAGE: i32 = 2000;
const LOGGER: &str = "org.apache.kafka.tools.OffsetsUtils";

/// The new offset of each partition.
pub(crate) type Offsets = Vec<(TopicPartition, i64)>;

/// Why there are no offsets, by the way in which Java's exceptions are wrapped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OffsetsError {
    /// What was typed is wrong: the help follows.
    #[error("{0}")]
    Argument(String),
    #[error("{0}")]
    Words(String),
    /// The cluster's own words.
    #[error("{0}")]
    Plain(AdminError),
    /// With the names of the exceptions around it.
    #[error("{0}")]
    Wrapped(AdminError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What Java's `split(",")` gives: what is empty at the end is left out.
pub(crate) fn items(list: &str) -> Vec<&str> {
    let mut items: Vec<&str> = list.split(',').collect();
    while items.len() > usize::from(list.is_empty()) && items.last().is_some_and(|i| i.is_empty()) {
        items.pop();
    }
    items
}

/// `orders:0,1`: the partitions that are named.
pub(crate) fn named_partitions(argument: &str) -> Result<Vec<TopicPartition>, OffsetsError> {
    let mut parts: Vec<&str> = argument.split(':').collect();
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    let [topic, partitions] = parts.as_slice() else {
        return Err(OffsetsError::Argument(format!(
            "Invalid topic arg '{argument}', expected topic name and partitions"
        )));
    };
    let partition = |text: &&str| {
        let wrong = |_| {
            OffsetsError::Argument(format!(
                "Invalid partition '{text}' specified in topic arg '{argument}''"
            ))
        };
        let partition = text.parse().map_err(wrong)?;
        Ok(TopicPartition { topic: (*topic).to_owned(), partition })
    };
    items(partitions).iter().map(partition).collect()
}

/// The partitions that `--topic` arguments name: those of a whole topic, or a few.
pub(crate) async fn partitions_of(
    admin: &mut Admin,
    arguments: &[&str],
) -> Result<Vec<TopicPartition>, OffsetsError> {
    let (few, whole): (Vec<&str>, Vec<&str>) =
        arguments.iter().partition(|argument| argument.contains(':'));
    let mut partitions = Vec::new();
    for argument in few {
        partitions.extend(named_partitions(argument)?);
    }
    let described = describe(admin, whole.into_iter()).await.map_err(OffsetsError::Plain)?;
    for topic in &described {
        partitions.extend(topic.partitions.iter().map(|partition| TopicPartition {
            topic: topic.name.clone(),
            partition: partition.index,
        }));
    }
    Ok(partitions)
}

/// Describes each topic once, in the order of Java's map.
async fn describe<'a>(
    admin: &mut Admin,
    topics: impl Iterator<Item = &'a str>,
) -> Result<Vec<TopicDescription>, AdminError> {
    let mut names: Vec<String> = topics.map(str::to_owned).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut described = admin.describe_topics(&names, TOPIC_PAGE).await?;
    sort_by_hash(&mut described, |topic| string_hash(&topic.name));
    Ok(described)
}

/// Refuses partitions that do not exist or have no leader.
pub(crate) async fn check_valid(
    admin: &mut Admin,
    partitions: &[TopicPartition],
) -> Result<(), OffsetsError> {
    let topics = partitions.iter().map(|partition| partition.topic.as_str());
    let described = describe(admin, topics).await.map_err(OffsetsError::Wrapped)?;
    let mut leaders: HashMap<(&str, i32), bool> = HashMap::new();
    for topic in &described {
        for partition in &topic.partitions {
            leaders.insert((&topic.name, partition.index), partition.leader.is_some());
        }
    }
    let state = |partition: &TopicPartition| {
        leaders.get(&(partition.topic.as_str(), partition.partition)).copied()
    };
    let named = |wrong: &dyn Fn(&TopicPartition) -> bool| {
        let wrong = partitions.iter().filter(|partition| wrong(partition));
        wrong.map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    let absent = named(&|partition| state(partition).is_none());
    if !absent.is_empty() {
        return Err(OffsetsError::Words(format!("The partitions \"{absent}\" do not exist")));
    }
    let leaderless = named(&|partition| state(partition) == Some(false));
    if !leaderless.is_empty() {
        return Err(OffsetsError::Words(format!("The partitions \"{leaderless}\" have no leader")));
    }
    Ok(())
}

/// The partitions that nobody leads at present.
pub(crate) async fn leaderless(
    admin: &mut Admin,
    partitions: &[TopicPartition],
) -> Result<Vec<TopicPartition>, OffsetsError> {
    let topics = partitions.iter().map(|partition| partition.topic.as_str());
    let described = describe(admin, topics).await.map_err(OffsetsError::Wrapped)?;
    let leaderless = described.iter().flat_map(|topic| {
        let alone = topic.partitions.iter().filter(|partition| partition.leader.is_none());
        alone.map(|partition| TopicPartition {
            topic: topic.name.clone(),
            partition: partition.index,
        })
    });
    Ok(leaderless.collect())
}

/// The offset of each partition, in the order of Java's map.
pub(crate) async fn listed(
    admin: &mut Admin,
    partitions: &[TopicPartition],
    spec: OffsetSpec,
) -> Result<Offsets, OffsetsError> {
    let mut seen: Vec<&TopicPartition> = partitions.iter().collect();
    seen.sort();
    if let Some([twice, _]) = seen.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(OffsetsError::Words(format!("Duplicate key {twice}")));
    }
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let listed = admin.list_all_offsets(partitions, spec).await.map_err(OffsetsError::Wrapped)?;
    let mut offsets: Offsets =
        listed.into_iter().map(|(partition, listed)| (partition, listed.offset)).collect();
    sort_by_hash(&mut offsets, |(partition, _)| partition_hash(partition));
    Ok(offsets)
}

/// The first offsets at or after a time; the latest where there is none, which is said.
pub(crate) async fn listed_by_time(
    admin: &mut Admin,
    partitions: &[TopicPartition],
    millis: i64,
    out: &mut dyn Write,
) -> Result<Offsets, OffsetsError> {
    let found = listed(admin, partitions, OffsetSpec::Timestamp(millis)).await?;
    let (mut offsets, without): (Offsets, Offsets) =
        found.into_iter().partition(|(_, offset)| *offset != -1);
    for (partition, _) in &without {
        writeln!(
            out,
            "\nWarn: Partition {} from topic {} is empty. Falling back to latest known offset.",
            partition.partition, partition.topic
        )?;
    }
    let without: Vec<TopicPartition> =
        without.into_iter().map(|(partition, _)| partition).collect();
    offsets.extend(listed(admin, &without, OffsetSpec::Latest).await?);
    sort_by_hash(&mut offsets, |(partition, _)| partition_hash(partition));
    Ok(offsets)
}

/// Offsets as they were asked for, moved into the logs where they lie outside, which is logged.
pub(crate) async fn within_logs(
    admin: &mut Admin,
    wanted: Offsets,
) -> Result<Offsets, OffsetsError> {
    let partitions: Vec<TopicPartition> =
        wanted.iter().map(|(partition, _)| partition.clone()).collect();
    let starts = listed(admin, &partitions, OffsetSpec::Earliest).await?;
    let ends = listed(admin, &partitions, OffsetSpec::Latest).await?;
    let starts: HashMap<TopicPartition, i64> = starts.into_iter().collect();
    let ends: HashMap<TopicPartition, i64> = ends.into_iter().collect();
    let mut offsets: Offsets = Vec::new();
    for (partition, offset) in wanted {
        let moved = match (starts.get(&partition), ends.get(&partition)) {
            (_, Some(end)) if offset > *end => Some(("higher than latest", *end)),
            (Some(start), _) if offset < *start => Some(("lower than earliest", *start)),
            _ => None,
        };
        if let Some((how, limit)) = moved {
            let words = format!(
                "New offset ({offset}) is {how} offset for topic partition {partition}. Value \
                 will be set to {limit}"
            );
            warn(LOGGER, &words);
        }
        offsets.push((partition, moved.map_or(offset, |(_, limit)| limit)));
    }
    sort_by_hash(&mut offsets, |(partition, _)| partition_hash(partition));
    Ok(offsets)
}

/// The table of new offsets, by group.
pub(crate) fn table(groups: &[(String, Offsets)]) -> String {
    let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0).max(15);
    let group_width = longest(&mut groups.iter().map(|(group, _)| group.chars().count()));
    let topics = groups.iter().flat_map(|(_, offsets)| offsets.iter().map(|(p, _)| &p.topic));
    let topic_width = longest(&mut topics.map(|topic| topic.chars().count()));
    let row = |group: &str, topic: &str, partition: &str, offset: &str| {
        format!("\n{group:<group_width$} {topic:<topic_width$} {partition:<10} {offset}")
    };
    table_of(groups, row)
}

/// The same with rows of these columns: group, topic, partition, new offset.
pub(crate) fn table_of(
    groups: &[(String, Offsets)],
    row: impl Fn(&str, &str, &str, &str) -> String,
) -> String {
    let mut table = String::new();
    if !groups.is_empty() {
        table.push_str(&row("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"));
    }
    for (group, offsets) in groups {
        for (partition, offset) in offsets {
            let number = partition.partition.to_string();
            table.push_str(&row(group, &partition.topic, &number, &offset.to_string()));
        }
    }
    table + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_named_behind_their_topic() {
        let named = |text| {
            let partitions = named_partitions(text).map_err(|error| error.to_string());
            partitions.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(named("orders:0,2,"), Ok("orders-0 orders-2".to_owned()));
        let expected = "Invalid topic arg 'a:b:c', expected topic name and partitions";
        assert_eq!(named("a:b:c"), Err(expected.to_owned()));
        let expected = "Invalid partition 'x' specified in topic arg 'a:0,x''";
        assert_eq!(named("a:0,x"), Err(expected.to_owned()));
    }

    #[test]
    fn new_offsets_stand_in_columns_as_wide_as_they_need() {
        let partition = TopicPartition { topic: "a-topic-with-a-name".to_owned(), partition: 3 };
        let shown = table(&[("g".to_owned(), vec![(partition, 42)])]);
        let expected = "\nGROUP           TOPIC               PARTITION  NEW-OFFSET\n\
                        g               a-topic-with-a-name 3          42\n";
        assert_eq!(shown, expected);
        assert_eq!(table(&[]), "\n");
    }
}
