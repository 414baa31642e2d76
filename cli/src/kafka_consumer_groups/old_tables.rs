//! The tables as 3.7 makes them: without epochs, and an assignment as `orders(0,1), payments(2)`.
//!
//! Answers to `printMembers`, `printStates` and `printOffsetsToReset` of kafka.admin's
//! ConsumerGroupCommand. Pure.

use client::admin::{GroupListing, GroupState, TopicPartition};

use super::tables::{MISSING, MemberRow, StateRow};
use crate::group_command::{by_topic, width};
use crate::offsets::{Offsets, table_of};

/// What a member has.
fn assignment(partitions: &[TopicPartition]) -> String {
    let topics = by_topic(partitions).map(|(topic, partitions)| format!("{topic}({partitions})"));
    let topics: Vec<String> = topics.collect();
    match topics.is_empty() {
        true => MISSING.to_owned(),
        false => topics.join(", "),
    }
}

/// Nothing where there are no members.
pub(super) fn members(group: &str, rows: &[MemberRow<'_>], is_verbose: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let instance = |row: &MemberRow<'_>| row.member.instance_id.clone().unwrap_or_default();
    let instances: Vec<String> = rows.iter().map(instance).collect();
    let has_instances = instances.iter().any(|instance| !instance.is_empty());
    let groups = width(15, rows.iter().map(|_| group));
    let consumers = width(15, rows.iter().map(|row| row.member.member_id.as_str()));
    let instance_width = width(17, instances.iter().map(String::as_str));
    let hosts = width(15, rows.iter().map(|row| row.member.host.as_str()));
    let clients = width(15, rows.iter().map(|row| row.member.client_id.as_str()));
    let line = |cells: [&str; 7]| {
        let [group, consumer, instance, host, client, partitions, assigned] = cells;
        let instance = match has_instances {
            true => format!("{instance:<instance_width$} "),
            false => String::new(),
        };
        let assigned = if is_verbose { assigned } else { "" };
        format!(
            "{group:<groups$} {consumer:<consumers$} {instance}{host:<hosts$} {client:<clients$} \
             {partitions:<15} {assigned}\n"
        )
    };
    let header = line([
        "GROUP",
        "CONSUMER-ID",
        "GROUP-INSTANCE-ID",
        "HOST",
        "CLIENT-ID",
        "#PARTITIONS",
        "ASSIGNMENT",
    ]);
    let mut table = format!("\n{header}");
    for (row, instance) in rows.iter().zip(&instances) {
        let member = row.member;
        let count = member.assigned.len().to_string();
        let assigned = assignment(&member.assigned);
        table.push_str(&line([
            group,
            &member.member_id,
            instance,
            &member.host,
            &member.client_id,
            &count,
            &assigned,
        ]));
    }
    table
}

pub(super) fn states(row: &StateRow) -> String {
    // Java has one space before the id here.
    let coordinator = row.coordinator().replacen("  (", " (", 1);
    let groups = width(25, std::iter::once(coordinator.as_str()));
    let line = |cells: [&str; 5]| {
        let [group, coordinator, strategy, state, members] = cells;
        format!("\n{group:<groups$} {coordinator:<25} {strategy:<20} {state:<15} {members}")
    };
    let header = line(["GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS"]);
    let members = row.members.to_string();
    let body = line([&row.group, &coordinator, &row.strategy, row.state.name(), &members]);
    header + &body + "\n"
}

/// `--list --state`.
pub(super) fn listed(groups: &[GroupListing]) -> String {
    let longest = width(15, groups.iter().map(|listing| listing.group.as_str()));
    let line = |group: &str, state: &str| format!("{group:<longest$} {state}\n");
    let rows = groups
        .iter()
        .map(|listing| line(&listing.group, listing.state.unwrap_or(GroupState::Unknown).name()));
    line("GROUP", "STATE") + &rows.collect::<String>()
}

/// What `--reset-offsets` shows.
pub(super) fn reset(groups: &[(String, Offsets)]) -> String {
    table_of(groups, |group, topic, partition, offset| {
        format!("\n{group:<30} {topic:<30} {partition:<10} {offset:<15}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_assigned_stands_in_brackets() {
        let partition = |topic: &str, partition| TopicPartition { topic: topic.into(), partition };
        let all = [partition("b", 2), partition("a", 10), partition("b", 1), partition("a", 9)];
        assert_eq!(assignment(&all), "a(9,10), b(1,2)");
        assert_eq!(assignment(&[]), "-");
        let table = reset(&[("g".to_owned(), vec![(partition("a", 0), 7)])]);
        assert!(
            table.ends_with(
                "\ng                              a                              \
                                 0          7              \n"
            ),
            "{table}"
        );
    }
}
