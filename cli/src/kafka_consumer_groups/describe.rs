//! `--describe`: what groups have committed, their members or their state.
//!
//! Answers to `collectGroupsOffsets`, `collectGroupsMembers` and `collectGroupsState`.
//! Unlike Kafka: all offsets are asked for at once, not those of one member after the other
//! (docs/decisions/0371).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use client::admin::{
    Admin, CommittedOffset, GroupDescription, GroupState, GroupType, Node, OffsetSpec,
    TopicPartition,
};

use super::objects::{MemberObject, OffsetObject, StateObject};
use super::reset::GROUP_ID_NOT_FOUND;
use super::tables::{self, MemberRow, OffsetRow, StateRow};
use super::{Failure, Streams, chosen, old_tables};
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;
use crate::json::Report;
use crate::offsets;

type Descriptions = BTreeMap<String, GroupDescription>;
type Committed = HashMap<TopicPartition, Option<CommittedOffset>>;

/// How what is found is shown.
#[derive(Debug, Clone, Copy)]
struct How {
    is_old: bool,
    is_verbose: bool,
}

pub(super) async fn run(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let groups = chosen(given, admin).await?;
    let how = How { is_old: given.release().is_3_7(), is_verbose: given.has("verbose") };
    let described = descriptions(how.is_old, admin, groups).await?;
    let mut report = Report::new(given.has("json"), streams.out, streams.err);
    if given.has("members") && !given.has("offsets") {
        for description in described.values() {
            members(description, how, &mut report)?;
        }
    } else if given.has("state") && !given.has("offsets") {
        for description in described.values() {
            let coordinator = admin.node_of(description.coordinator).await;
            let node = coordinator.map_err(|error| Failure::of_future(&error))?;
            if check_state(&mut report, description)? {
                let row = state_row(description, node.as_ref());
                report.row(&StateObject::of(&row), || match how.is_old {
                    true => old_tables::states(&row),
                    false => tables::states(&row, how.is_verbose),
                })?;
            }
        }
    } else {
        let rows = offset_rows(admin, &described).await?;
        for ((group, description), rows) in described.iter().zip(rows) {
            if check_state(&mut report, description)? && !rows.is_empty() {
                let objects = rows.iter().map(|row| OffsetObject::of(group, row));
                report.rows(objects, || {
                    tables::offsets(group, &rows, how.is_verbose && !how.is_old)
                })?;
            }
        }
    }
    Ok(report.end()?)
}

fn members(
    description: &GroupDescription,
    how: How,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    let (group, rows) = (&description.group, member_rows(description));
    let has_something = check_state(report, description)?;
    let objects = rows.iter().map(|row| MemberObject::of(group, row));
    Ok(report.rows(objects, || match how.is_old {
        true if !has_something => String::new(),
        true => old_tables::members(group, &rows, how.is_verbose),
        false => tables::members(group, &rows, how.is_verbose),
    })?)
}

/// The first that fails, in the order of Java's map, fails all. A group that is not there was a
/// dead one before KIP-1043.
async fn descriptions(
    is_old: bool,
    admin: &mut Admin,
    mut groups: Vec<String>,
) -> Result<Descriptions, Failure> {
    sort_by_hash(&mut groups, |group| string_hash(group));
    let mut answers = admin.describe_consumer_groups(&groups).await;
    let mut described = Descriptions::new();
    for group in groups {
        if let Some(answer) = answers.remove(&group) {
            let description = match answer {
                Err(error) if is_old && error.code() == Some(GROUP_ID_NOT_FOUND) => dead(&group),
                answer => answer.map_err(|error| Failure::of_future(&error))?,
            };
            described.insert(group, description);
        }
    }
    Ok(described)
}

fn dead(group: &str) -> GroupDescription {
    GroupDescription {
        group: group.to_owned(),
        kind: GroupType::Classic,
        state: GroupState::Dead,
        assignor: String::new(),
        coordinator: -1,
        members: Vec::new(),
        epochs: None,
    }
}

/// Says what is notable of a group's state; whether it has anything to show.
fn check_state(report: &mut Report<'_>, description: &GroupDescription) -> Result<bool, Failure> {
    let GroupDescription { group, state, .. } = description;
    match state {
        GroupState::Dead => {
            report.remark(&format!("\nError: Consumer group '{group}' does not exist."))?;
        }
        GroupState::Empty => {
            writeln!(report.err, "\nConsumer group '{group}' has no active members.")?;
        }
        GroupState::PreparingRebalance
        | GroupState::CompletingRebalance
        | GroupState::Assigning
        | GroupState::Reconciling => {
            writeln!(report.err, "\nWarning: Consumer group '{group}' is rebalancing.")?;
        }
        GroupState::Stable => {}
        GroupState::Unknown | GroupState::NotReady => {
            return Err(Failure::Words(format!(
                "Expected a valid consumer group state, but found '{state}'."
            )));
        }
    }
    Ok(*state != GroupState::Dead)
}

/// The rows of each group, in the order of the descriptions.
async fn offset_rows(
    admin: &mut Admin,
    described: &Descriptions,
) -> Result<Vec<Vec<OffsetRow>>, Failure> {
    let mut groups: Vec<String> = described.keys().cloned().collect();
    sort_by_hash(&mut groups, |group| string_hash(group));
    let mut answers = admin.committed_offsets(&groups).await;
    let mut committed: HashMap<String, Committed> = HashMap::new();
    for group in groups {
        if let Some(answer) = answers.remove(&group) {
            let offsets = answer.map_err(|error| Failure::wrapped(&error))?;
            committed.insert(group, offsets.into_iter().collect());
        }
    }
    let mut partitions: BTreeSet<TopicPartition> = BTreeSet::new();
    for description in described.values() {
        partitions.extend(description.members.iter().flat_map(|member| member.assigned.clone()));
    }
    partitions.extend(committed.values().flat_map(|offsets| offsets.keys().cloned()));
    let ends = ends(admin, partitions).await?;
    let nothing = Committed::new();
    let rows = described.values().map(|description| {
        rows_of(description, committed.get(&description.group).unwrap_or(&nothing), &ends)
    });
    Ok(rows.collect())
}

/// Where the logs of partitions end; one without a leader has no end.
async fn ends(
    admin: &mut Admin,
    partitions: BTreeSet<TopicPartition>,
) -> Result<HashMap<TopicPartition, i64>, Failure> {
    let partitions: Vec<TopicPartition> = partitions.into_iter().collect();
    if partitions.is_empty() {
        return Ok(HashMap::new());
    }
    let leaderless: BTreeSet<TopicPartition> =
        offsets::leaderless(admin, &partitions).await?.into_iter().collect();
    let led: Vec<TopicPartition> =
        partitions.into_iter().filter(|partition| !leaderless.contains(partition)).collect();
    Ok(offsets::listed(admin, &led, OffsetSpec::Latest).await?.into_iter().collect())
}

/// The partitions of each member, those with most of them first, then what nobody reads at present.
fn rows_of(
    description: &GroupDescription,
    committed: &Committed,
    ends: &HashMap<TopicPartition, i64>,
) -> Vec<OffsetRow> {
    let row = |partition: &TopicPartition, member: Option<[&str; 3]>| {
        let committed = committed.get(partition).copied().flatten();
        let end = ends.get(partition).copied();
        OffsetRow {
            partition: partition.clone(),
            epoch: committed.and_then(|committed| committed.leader_epoch),
            offset: committed.map(|committed| committed.offset),
            end,
            lag: committed.zip(end).map(|(committed, end)| end - committed.offset),
            member: member.map(|member| member.map(str::to_owned)),
        }
    };
    let mut members: Vec<_> =
        description.members.iter().filter(|member| !member.assigned.is_empty()).collect();
    members.sort_by_key(|member| std::cmp::Reverse(member.assigned.len()));
    let mut rows = Vec::new();
    let mut assigned: BTreeSet<&TopicPartition> = BTreeSet::new();
    for member in members {
        let mut partitions: Vec<&TopicPartition> = member.assigned.iter().collect();
        partitions.sort();
        let shown = [member.member_id.as_str(), &member.host, &member.client_id];
        rows.extend(partitions.iter().map(|partition| row(partition, Some(shown))));
        assigned.extend(partitions);
    }
    let mut left: Vec<&TopicPartition> =
        committed.keys().filter(|partition| !assigned.contains(partition)).collect();
    left.sort();
    rows.extend(left.into_iter().map(|partition| row(partition, None)));
    rows
}

fn member_rows(description: &GroupDescription) -> Vec<MemberRow<'_>> {
    let target_epoch = description.epochs.map(|(_, target)| target);
    let rows = description.members.iter().map(|member| MemberRow { member, target_epoch });
    rows.collect()
}

fn state_row(description: &GroupDescription, node: Option<&Node>) -> StateRow {
    StateRow {
        group: description.group.clone(),
        coordinator: description.coordinator,
        address: node.map(|node| node.address.clone()),
        strategy: description.assignor.clone(),
        state: description.state,
        epochs: description.epochs,
        members: description.members.len(),
    }
}

#[cfg(test)]
mod tests {
    use client::admin::GroupMember;

    use super::*;

    fn partition(partition: i32) -> TopicPartition {
        TopicPartition { topic: "orders".to_owned(), partition }
    }

    fn member(id: &str, assigned: &[i32]) -> GroupMember {
        GroupMember {
            member_id: id.to_owned(),
            instance_id: None,
            rack: None,
            client_id: "c".to_owned(),
            host: "/h".to_owned(),
            assigned: assigned.iter().copied().map(partition).collect(),
            generation: None,
        }
    }

    #[test]
    fn the_member_with_most_partitions_comes_first_and_what_nobody_reads_last() {
        let description = GroupDescription {
            group: "g".to_owned(),
            kind: GroupType::Classic,
            state: GroupState::Stable,
            assignor: "range".to_owned(),
            coordinator: 1,
            members: vec![member("idle", &[]), member("one", &[4]), member("two", &[3, 0])],
            epochs: None,
        };
        let at = |offset| Some(CommittedOffset { offset, leader_epoch: None });
        let committed: Committed =
            [(partition(9), at(7)), (partition(0), at(2)), (partition(4), None)].into();
        let ends = [(partition(0), 10), (partition(4), 3)].into();
        let rows = rows_of(&description, &committed, &ends);
        let shown: Vec<_> = rows
            .iter()
            .map(|row| {
                let member = row.member.as_ref().map(|member| member[0].as_str());
                (row.partition.partition, member, row.offset, row.lag)
            })
            .collect();
        let expected = [
            (0, Some("two"), Some(2), Some(8)),
            (3, Some("two"), None, None),
            (4, Some("one"), None, None),
            (9, None, Some(7), None),
        ];
        assert_eq!(shown, expected);
    }
}
