//! The tables of `--describe`, each column as wide as Kafka makes it.
//!
//! Answers to `printOffsets`, `printMembers` and `printStates`. Pure.

use client::admin::{Node, ShareGroupDescription, ShareGroupMember, ShareOffset, TopicPartition};

use crate::group_command::{by_topic, width};

const MISSING: &str = "-";

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| MISSING.to_owned(), |value| value.to_string())
}

pub(super) fn offsets(
    group: &str,
    rows: &[(TopicPartition, Option<ShareOffset>)],
    is_verbose: bool,
) -> String {
    let groups = width(15, std::iter::once(group));
    let topics = width(15, rows.iter().map(|(partition, _)| partition.topic.as_str()));
    let line = |group: &str, topic: &str, partition: &str, [epoch, start, lag]: [&str; 3]| {
        let epoch = if is_verbose { format!("{epoch:<13} ") } else { String::new() };
        format!("\n{group:<groups$} {topic:<topics$} {partition:<10} {epoch}{start:<13} {lag}")
    };
    let mut table = line("GROUP", "TOPIC", "PARTITION", ["LEADER-EPOCH", "START-OFFSET", "LAG"]);
    for (partition, offset) in rows {
        let epoch = shown(offset.and_then(|offset| offset.leader_epoch));
        let start = shown(offset.map(|offset| offset.start));
        let lag = shown(offset.and_then(|offset| offset.lag));
        let number = partition.partition.to_string();
        table.push_str(&line(group, &partition.topic, &number, [&epoch, &start, &lag]));
    }
    table + "\n"
}

pub(super) fn states(
    description: &ShareGroupDescription,
    coordinator: Option<&Node>,
    is_verbose: bool,
) -> String {
    let address = coordinator.map_or_else(
        || "null:-1".to_owned(),
        |node| format!("{}:{}", node.address.host, node.address.port),
    );
    let coordinator = format!("{address}  ({})", description.coordinator);
    let groups = width(15, std::iter::once(description.group.as_str()));
    let coordinators = width(25, std::iter::once(coordinator.as_str()));
    let line = |[group, coordinator, state, epoch, assigned, members]: [&str; 6]| {
        let epochs =
            if is_verbose { format!("{epoch:<12} {assigned:<17} ") } else { String::new() };
        format!("\n{group:<groups$} {coordinator:<coordinators$} {state:<15} {epochs}{members}")
    };
    let head =
        ["GROUP", "COORDINATOR (ID)", "STATE", "GROUP-EPOCH", "ASSIGNMENT-EPOCH", "#MEMBERS"];
    let row = line([
        &description.group,
        &coordinator,
        description.state.name(),
        &description.group_epoch.to_string(),
        &description.assignment_epoch.to_string(),
        &description.members.len().to_string(),
    ]);
    line(head) + &row + "\n"
}

/// The members of a group, in the order of their names.
pub(super) fn members_of(description: &ShareGroupDescription) -> Vec<&ShareGroupMember> {
    let mut members: Vec<&ShareGroupMember> = description.members.iter().collect();
    members.sort_by(|one, other| one.member_id.cmp(&other.member_id));
    members
}

pub(super) fn members(group: &str, members: &[&ShareGroupMember], is_verbose: bool) -> String {
    let groups = width(15, std::iter::once(group));
    let consumers = width(15, members.iter().map(|member| member.member_id.as_str()));
    let hosts = width(15, members.iter().map(|member| member.host.as_str()));
    let clients = width(15, members.iter().map(|member| member.client_id.as_str()));
    let line = |[group, consumer, host, client, count, epoch, assigned]: [&str; 7]| {
        let epoch = if is_verbose { format!("{epoch:<13} ") } else { String::new() };
        format!(
            "\n{group:<groups$} {consumer:<consumers$} {host:<hosts$} {client:<clients$} \
             {count:<12} {epoch}{assigned}"
        )
    };
    let mut table = line([
        "GROUP",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
        "#PARTITIONS",
        "MEMBER-EPOCH",
        "ASSIGNMENT",
    ]);
    for member in members {
        table.push_str(&line([
            group,
            &member.member_id,
            &member.host,
            &member.client_id,
            &member.assigned.len().to_string(),
            &member.epoch.to_string(),
            &assignment(&member.assigned),
        ]));
    }
    table + "\n"
}

/// What a member has: `orders:0,1;payments:2`.
fn assignment(partitions: &[TopicPartition]) -> String {
    let topics = by_topic(partitions).map(|(topic, partitions)| format!("{topic}:{partitions}"));
    let mut topics: Vec<String> = topics.collect();
    topics.sort();
    topics.join(";")
}

#[cfg(test)]
mod tests {
    use client::admin::GroupState;

    use super::*;

    fn partition(topic: &str, partition: i32) -> TopicPartition {
        TopicPartition { topic: topic.to_owned(), partition }
    }

    #[test]
    fn what_is_not_known_of_a_partition_is_a_dash() {
        let offset = ShareOffset { start: 12, leader_epoch: Some(0), lag: None };
        let rows = [(partition("orders", 0), Some(offset)), (partition("orders", 1), None)];
        let table = offsets("g", &rows, true);
        let expected = "
GROUP           TOPIC           PARTITION  LEADER-EPOCH  START-OFFSET  LAG
g               orders          0          0             12            -
g               orders          1          -             -             -
";
        assert_eq!(table, expected);
        assert!(offsets("g", &rows, false).contains("PARTITION  START-OFFSET  LAG\n"));
    }

    #[test]
    fn members_stand_in_the_order_of_their_ids_with_what_they_have() {
        let member = |id: &str, assigned| ShareGroupMember {
            member_id: id.to_owned(),
            rack: None,
            client_id: "course".to_owned(),
            host: "/127.0.0.1".to_owned(),
            epoch: 3,
            assigned,
        };
        let group = ShareGroupDescription {
            group: "g".to_owned(),
            state: GroupState::Stable,
            coordinator: 1,
            group_epoch: 4,
            assignment_epoch: 3,
            members: vec![
                member("b", Vec::new()),
                member("a", vec![partition("t", 1), partition("s", 0), partition("t", 0)]),
            ],
        };
        let expected = "
GROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS  ASSIGNMENT
g               a               /127.0.0.1      course          3            s:0;t:0,1
g               b               /127.0.0.1      course          0            
";
        assert_eq!(members("g", &members_of(&group), false), expected);
        let expected = "
GROUP           COORDINATOR (ID)          STATE           GROUP-EPOCH  ASSIGNMENT-EPOCH  #MEMBERS
g               null:-1  (1)              Stable          4            3                 2
";
        assert_eq!(states(&group, None, true), expected);
    }
}
