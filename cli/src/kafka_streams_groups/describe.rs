//! `--describe`: how far groups have read what they read, their members or their state.
//!
//! Answers to `describeGroups` and `getOffsets`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use client::admin::{
    Admin, AdminError, CommittedOffset, GroupFilter, GroupState, OffsetSpec,
    StreamsGroupDescription, StreamsTasks, TopicPartition,
};

use super::objects::{MemberObject, OffsetObject, StateObject};
use super::tables::{self, OffsetRow};
use crate::group_command::scenarios::Committed;
use crate::group_command::{Failure, Streams, chosen};
use crate::java_order::{partition_hash, sort_by_hash};
use crate::joptsimple::ParsedOptions;
use crate::json::Report;

pub(super) async fn run(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let is_verbose = given.has("verbose");
    let mut report = Report::new(given.has("json"), streams.out, streams.err);
    for group in chosen(given, admin, &GroupFilter::streams()).await? {
        let described = description(admin, &group).await;
        let described = described.map_err(|error| Failure::of_future(&error))?;
        let has_rows = described.state != GroupState::Dead && !described.members.is_empty();
        if given.has("members") {
            if has_rows {
                say_state(&mut report, &described)?;
                let members = described.members.iter();
                let objects = members.map(|member| MemberObject::of(&described, member));
                report.rows(objects, || tables::members(&described, is_verbose))?;
            }
        } else if given.has("state") {
            let coordinator = admin.node_of(described.coordinator).await;
            let coordinator = coordinator.map_err(|error| Failure::of_future(&error))?;
            say_state(&mut report, &described)?;
            report.row(&StateObject::of(&described, coordinator.as_ref()), || {
                tables::states(&described, coordinator.as_ref(), is_verbose)
            })?;
        } else {
            let rows = offset_rows(admin, &described).await?;
            if has_rows {
                say_state(&mut report, &described)?;
                let objects = rows.iter().map(|row| OffsetObject::of(&described.group, row));
                report.rows(objects, || tables::offsets(&described.group, &rows, is_verbose))?;
            }
        }
    }
    Ok(report.end()?)
}

/// Says what is notable of a group's state.
fn say_state(report: &mut Report<'_>, group: &StreamsGroupDescription) -> std::io::Result<()> {
    let name = &group.group;
    match group.state {
        GroupState::Dead => {
            report.remark(&format!("\nError: Streams group '{name}' does not exist."))
        }
        GroupState::Empty => {
            report.remark(&format!("\nError: Streams group '{name}' has no active members."))
        }
        _ => Ok(()),
    }
}

pub(super) async fn description(
    admin: &mut Admin,
    group: &str,
) -> Result<StreamsGroupDescription, AdminError> {
    let mut described = admin.describe_streams_groups(&[group.to_owned()]).await;
    let absent = || AdminError::Unusable(format!("no answer tells of group {group}"));
    described.remove(group).unwrap_or_else(|| Err(absent()))
}

/// Which topics of a group count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// What the application reads.
    Inputs,
    /// And what it repartitions for itself.
    All,
}

/// What a group has committed for topics that it reads, in the order of Java's map.
pub(super) async fn committed(
    admin: &mut Admin,
    group: &str,
    read: Read,
) -> Result<Committed, Failure> {
    let described = description(admin, group).await.map_err(|error| Failure::wrapped(&error))?;
    let topics: BTreeSet<&String> = described
        .subtopologies
        .iter()
        .flat_map(|part| {
            let repartitioned = part.repartition_source_topics.iter().filter(|_| read == Read::All);
            part.source_topics.iter().chain(repartitioned)
        })
        .collect();
    let mut committed = all_committed(admin, group).await?;
    committed.retain(|(partition, _)| topics.contains(&partition.topic));
    Ok(committed)
}

/// All that a group has committed.
pub(super) async fn all_committed(admin: &mut Admin, group: &str) -> Result<Committed, Failure> {
    let mut answers = admin.committed_offsets(&[group.to_owned()]).await;
    let answer = answers.remove(group).transpose().map_err(|error| Failure::wrapped(&error))?;
    let mut committed = answer.unwrap_or_default();
    sort_by_hash(&mut committed, |(partition, _)| partition_hash(partition));
    Ok(committed)
}

async fn offset_rows(
    admin: &mut Admin,
    group: &StreamsGroupDescription,
) -> Result<Vec<OffsetRow>, Failure> {
    let mut partitions: BTreeSet<TopicPartition> = BTreeSet::new();
    for member in &group.members {
        partitions.extend(read_by(group, &member.assignment.active)?);
    }
    let partitions: Vec<TopicPartition> = partitions.into_iter().collect();
    let starts = listed(admin, &partitions, OffsetSpec::Earliest).await?;
    let ends = listed(admin, &partitions, OffsetSpec::Latest).await?;
    let committed: HashMap<TopicPartition, Option<CommittedOffset>> =
        committed(admin, &group.group, Read::All).await?.into_iter().collect();
    let rows = partitions.into_iter().filter_map(|partition| {
        let committed = committed.get(&partition).copied().flatten();
        let (start, end) = (*starts.get(&partition)?, *ends.get(&partition)?);
        let offset = committed.map(|committed| committed.offset);
        Some(OffsetRow {
            partition,
            offset,
            epoch: committed.and_then(|committed| committed.leader_epoch),
            end,
            lag: end - offset.unwrap_or(start),
        })
    });
    let mut rows: Vec<OffsetRow> = rows.collect();
    sort_by_hash(&mut rows, |row| partition_hash(&row.partition));
    Ok(rows)
}

async fn listed(
    admin: &mut Admin,
    partitions: &[TopicPartition],
    spec: OffsetSpec,
) -> Result<HashMap<TopicPartition, i64>, Failure> {
    if partitions.is_empty() {
        return Ok(HashMap::new());
    }
    let listed = admin.list_all_offsets(partitions, spec).await;
    let listed = listed.map_err(|error| Failure::of_future(&error))?;
    Ok(listed.into_iter().map(|(partition, listed)| (partition, listed.offset)).collect())
}

/// The partitions that tasks read.
fn read_by(
    group: &StreamsGroupDescription,
    tasks: &[StreamsTasks],
) -> Result<Vec<TopicPartition>, Failure> {
    let parts: BTreeMap<&str, _> =
        group.subtopologies.iter().map(|part| (part.id.as_str(), part)).collect();
    let mut read = Vec::new();
    for task in tasks {
        let absent = || {
            let id = &task.subtopology;
            Failure::Usage(format!("Subtopology {id} not found in group description!"))
        };
        let part = parts.get(task.subtopology.as_str()).ok_or_else(absent)?;
        for topic in part.source_topics.iter().chain(&part.repartition_source_topics) {
            read.extend(
                task.partitions.iter().map(|partition| TopicPartition {
                    topic: topic.clone(),
                    partition: *partition,
                }),
            );
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use client::admin::StreamsSubtopology;

    use super::*;

    #[test]
    fn a_task_reads_its_partition_of_every_topic_of_its_part() {
        let part = StreamsSubtopology {
            id: "0".to_owned(),
            source_topics: vec!["orders".to_owned()],
            state_changelog_topics: vec!["app-store-changelog".to_owned()],
            repartition_source_topics: vec!["app-x-repartition".to_owned()],
        };
        let group = StreamsGroupDescription {
            group: "app".to_owned(),
            state: GroupState::Stable,
            coordinator: 1,
            group_epoch: 1,
            assignment_epoch: 1,
            topology_epoch: 0,
            subtopologies: vec![part],
            members: Vec::new(),
        };
        let tasks = |id: &str| StreamsTasks { subtopology: id.to_owned(), partitions: vec![1, 0] };
        let read = read_by(&group, &[tasks("0")]).unwrap();
        let read: Vec<String> = read.iter().map(ToString::to_string).collect();
        let expected = ["orders-1", "orders-0", "app-x-repartition-1", "app-x-repartition-0"];
        assert_eq!(read, expected);
        let lost = read_by(&group, &[tasks("1")]).unwrap_err().to_string();
        assert_eq!(lost, "Subtopology 1 not found in group description!");
    }
}
