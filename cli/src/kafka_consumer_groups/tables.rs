//! The tables of `--describe`, each column as wide as Kafka makes it.
//!
//! Answers to `printOffsets`, `printMembers` and `printStates`. Pure.

use client::Address;
use client::admin::{GroupMember, GroupState, TopicPartition};

use crate::group_command::{by_topic, width};

pub(super) const MISSING: &str = "-";

/// One partition of a group.
pub(super) struct OffsetRow {
    pub(super) partition: TopicPartition,
    pub(super) epoch: Option<i32>,
    pub(super) offset: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) lag: Option<i64>,
    /// Its consumer, that one's host and client id.
    pub(super) member: Option<[String; 3]>,
}

impl OffsetRow {
    fn member(&self) -> [&str; 3] {
        let member = self.member.as_ref();
        member.map_or([MISSING; 3], |member| member.each_ref().map(String::as_str))
    }
}

pub(super) struct MemberRow<'a> {
    pub(super) member: &'a GroupMember,
    /// Of the group.
    pub(super) target_epoch: Option<i32>,
}

pub(super) struct StateRow {
    pub(super) group: String,
    /// Its id, and where it is, as far as that is known.
    pub(super) coordinator: i32,
    pub(super) address: Option<Address>,
    pub(super) strategy: String,
    pub(super) state: GroupState,
    pub(super) epochs: Option<(i32, i32)>,
    pub(super) members: usize,
}

impl StateRow {
    /// `host:port  (id)`.
    pub(super) fn coordinator(&self) -> String {
        let id = self.coordinator;
        match &self.address {
            Some(Address { host, port }) => format!("{host}:{port}  ({id})"),
            None => format!("null:-1  ({id})"),
        }
    }
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| MISSING.to_owned(), |value| value.to_string())
}

pub(super) fn offsets(group: &str, rows: &[OffsetRow], is_verbose: bool) -> String {
    let groups = width(15, std::iter::once(group));
    let topics = width(15, rows.iter().map(|row| row.partition.topic.as_str()));
    let consumers = width(15, rows.iter().map(|row| row.member()[0]));
    let hosts = width(15, rows.iter().map(|row| row.member()[1]));
    let line = |cells: [&str; 10]| {
        let [group, topic, partition, epoch, offset, end, lag, consumer, host, client] = cells;
        let epoch = if is_verbose { format!("{epoch:<15} ") } else { String::new() };
        format!(
            "\n{group:<groups$} {topic:<topics$} {partition:<10} {epoch}{offset:<15} {end:<15} \
             {lag:<15} {consumer:<consumers$} {host:<hosts$} {client}"
        )
    };
    let mut table = line([
        "GROUP",
        "TOPIC",
        "PARTITION",
        "LEADER-EPOCH",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ]);
    for row in rows {
        let [consumer, host, client] = row.member();
        table.push_str(&line([
            group,
            &row.partition.topic,
            &row.partition.partition.to_string(),
            &shown(row.epoch),
            &shown(row.offset),
            &shown(row.end),
            &shown(row.lag),
            consumer,
            host,
            client,
        ]));
    }
    table + "\n"
}

/// What a member has: `orders:0,1;payments:2`.
fn assignment(partitions: &[TopicPartition]) -> String {
    let topics = by_topic(partitions).map(|(topic, partitions)| format!("{topic}:{partitions}"));
    let mut topics: Vec<String> = topics.collect();
    topics.sort();
    match topics.is_empty() {
        true => MISSING.to_owned(),
        false => topics.join(";"),
    }
}

/// What `--verbose` adds to a member.
struct Generation {
    epoch: String,
    current: String,
    target_epoch: String,
    target: String,
    upgraded: String,
}

impl Generation {
    fn of(row: &MemberRow<'_>) -> Self {
        let generation = row.member.generation.as_ref();
        Self {
            epoch: shown(generation.map(|generation| generation.epoch)),
            current: assignment(&row.member.assigned),
            target_epoch: shown(row.target_epoch),
            target: assignment(generation.map_or(&[], |generation| &generation.target)),
            upgraded: shown(generation.and_then(|generation| generation.is_upgraded)),
        }
    }
}

pub(super) fn members(group: &str, rows: &[MemberRow<'_>], is_verbose: bool) -> String {
    let instance = |row: &MemberRow<'_>| row.member.instance_id.clone().unwrap_or_default();
    let instances: Vec<String> = rows.iter().map(instance).collect();
    let generations: Vec<Generation> = rows.iter().map(Generation::of).collect();
    let has_instances = instances.iter().any(|instance| !instance.is_empty());
    let is_upgraded = |wanted: bool| {
        rows.iter().any(|row| {
            let generation = row.member.generation.as_ref();
            generation.and_then(|generation| generation.is_upgraded) == Some(wanted)
        })
    };
    let is_migrating = is_upgraded(true) && is_upgraded(false);
    let groups = width(15, rows.iter().map(|_| group));
    let consumers = width(15, rows.iter().map(|row| row.member.member_id.as_str()));
    let instance_width = width(17, instances.iter().map(String::as_str));
    let hosts = width(15, rows.iter().map(|row| row.member.host.as_str()));
    let clients = width(15, rows.iter().map(|row| row.member.client_id.as_str()));
    let currents = width(20, generations.iter().map(|generation| generation.current.as_str()));
    let targets = width(20, generations.iter().map(|generation| generation.target.as_str()));
    let line = |cells: [&str; 6], more: [&str; 5]| {
        let [group, consumer, instance, host, client, partitions] = cells;
        let mut line = format!("{group:<groups$} {consumer:<consumers$} ");
        if has_instances {
            line.push_str(&format!("{instance:<instance_width$} "));
        }
        line.push_str(&format!("{host:<hosts$} {client:<clients$} {partitions:<15} "));
        if is_verbose {
            let [epoch, current, target_epoch, target, upgraded] = more;
            line.push_str(&format!(
                "{epoch:<15} {current:<currents$} {target_epoch:<15} {target:<targets$}"
            ));
            if is_migrating {
                line.push_str(&format!(" {upgraded}"));
            }
        }
        line + "\n"
    };
    let mut table = "\n".to_owned();
    table.push_str(&line(
        ["GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", "HOST", "CLIENT-ID", "#PARTITIONS"],
        ["CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT", "UPGRADED"],
    ));
    for ((row, instance), more) in rows.iter().zip(&instances).zip(&generations) {
        let member = row.member;
        let count = member.assigned.len().to_string();
        table.push_str(&line(
            [group, &member.member_id, instance, &member.host, &member.client_id, &count],
            [&more.epoch, &more.current, &more.target_epoch, &more.target, &more.upgraded],
        ));
    }
    table
}

pub(super) fn states(row: &StateRow, is_verbose: bool) -> String {
    let coordinator = row.coordinator();
    let groups = width(15, std::iter::once(row.group.as_str()));
    let coordinators = width(25, std::iter::once(coordinator.as_str()));
    let line = |cells: [&str; 7]| {
        let [group, coordinator, strategy, state, epoch, target, members] = cells;
        let epochs = if is_verbose { format!("{epoch:<15} {target:<25} ") } else { String::new() };
        format!(
            "\n{group:<groups$} {coordinator:<coordinators$} {strategy:<20} {state:<20} \
             {epochs}{members}"
        )
    };
    let header = line([
        "GROUP",
        "COORDINATOR (ID)",
        "ASSIGNMENT-STRATEGY",
        "STATE",
        "GROUP-EPOCH",
        "TARGET-ASSIGNMENT-EPOCH",
        "#MEMBERS",
    ]);
    let strategy = if row.strategy.is_empty() { MISSING } else { &row.strategy };
    let body = line([
        &row.group,
        &coordinator,
        strategy,
        row.state.name(),
        &shown(row.epochs.map(|(group, _)| group)),
        &shown(row.epochs.map(|(_, target)| target)),
        &row.members.to_string(),
    ]);
    header + &body + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_sorted_by_topic_and_partition() {
        let partition = |topic: &str, partition| TopicPartition { topic: topic.into(), partition };
        let all = [partition("b", 2), partition("a", 10), partition("b", 1), partition("a", 9)];
        assert_eq!(assignment(&all), "a:9,10;b:1,2");
        assert_eq!(assignment(&[]), "-");
    }
}
