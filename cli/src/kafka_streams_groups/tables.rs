//! The tables of `--describe` and `--reset-offsets`, each column as wide as Kafka makes it.
//!
//! Answers to `printOffsets`, `printMembers`, `printStates` and `printOffsetsToReset`. Pure.

use client::admin::{
    Node, StreamsAssignment, StreamsGroupDescription, StreamsMember, StreamsTasks, TopicPartition,
};

use crate::group_command::width;
use crate::offsets::{Offsets, table_of};

/// One partition that a group reads.
pub(super) struct OffsetRow {
    pub(super) partition: TopicPartition,
    pub(super) offset: Option<i64>,
    pub(super) epoch: Option<i32>,
    pub(super) end: i64,
    pub(super) lag: i64,
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

pub(super) fn offsets(group: &str, rows: &[OffsetRow], is_verbose: bool) -> String {
    let groups = width(15, std::iter::once(group));
    let topics = width(15, rows.iter().map(|row| row.partition.topic.as_str()));
    let line = |group: &str, topic: &str, partition: &str, [at, epoch, end, lag]: [&str; 4]| {
        let rest = match is_verbose {
            true => format!("{at:<15} {epoch:<15} {end:<15} {lag:<15}"),
            false => lag.to_owned(),
        };
        format!("{group:<groups$} {topic:<topics$} {partition:<10} {rest}\n")
    };
    let head = ["CURRENT-OFFSET", "LEADER-EPOCH", "LOG-END-OFFSET", "OFFSET-LAG"];
    let mut table = line("GROUP", "TOPIC", "PARTITION", head);
    for row in rows {
        let (offset, epoch) = (shown(row.offset), shown(row.epoch));
        let (end, lag) = (row.end.to_string(), row.lag.to_string());
        let number = row.partition.partition.to_string();
        table.push_str(&line(group, &row.partition.topic, &number, [&offset, &epoch, &end, &lag]));
    }
    table
}

pub(super) fn states(
    group: &StreamsGroupDescription,
    coordinator: Option<&Node>,
    is_verbose: bool,
) -> String {
    let address = coordinator.map_or_else(
        || "null:-1".to_owned(),
        |node| format!("{}:{}", node.address.host, node.address.port),
    );
    let coordinator = format!("{address} ({})", group.coordinator);
    let groups = width(15, std::iter::once(group.group.as_str()));
    let coordinators = width(25, std::iter::once(coordinator.as_str()));
    let line = |[group, coordinator, state, epoch, target, members]: [&str; 6]| {
        let epochs = if is_verbose { format!("{epoch:<15} {target:<25} ") } else { String::new() };
        format!("{group:<groups$} {coordinator:<coordinators$} {state:<25} {epochs}{members}\n")
    };
    let head = line([
        "GROUP",
        "COORDINATOR (ID)",
        "STATE",
        "GROUP-EPOCH",
        "TARGET-ASSIGNMENT-EPOCH",
        "#MEMBERS",
    ]);
    let row = line([
        &group.group,
        &coordinator,
        group.state.name(),
        &group.group_epoch.to_string(),
        &group.assignment_epoch.to_string(),
        &group.members.len().to_string(),
    ]);
    head + &row
}

pub(super) fn members(group: &StreamsGroupDescription, is_verbose: bool) -> String {
    let widest = |text: fn(&StreamsMember) -> &String| {
        width(15, group.members.iter().map(|member| text(member).as_str()))
    };
    let groups = width(15, std::iter::once(group.group.as_str()));
    let ids = widest(|member| &member.member_id);
    let processes = widest(|member| &member.process_id);
    let clients = widest(|member| &member.client_id);
    let line = |[target, topology, protocol, epoch]: [&str; 4],
                group: &str,
                [member, process, client, tasks]: [&str; 4]| {
        // Java leaves no blank before the member here.
        let (before, behind) = match is_verbose {
            true => {
                (format!("{target:<25} {topology:<15}"), format!("{protocol:<15} {epoch:<15} "))
            }
            false => (String::new(), String::new()),
        };
        format!(
            "{group:<groups$} {before}{member:<ids$} {behind}{process:<processes$} \
             {client:<clients$} {tasks}\n"
        )
    };
    let mut table = line(
        ["TARGET-ASSIGNMENT-EPOCH", "TOPOLOGY-EPOCH", "MEMBER-PROTOCOL", "MEMBER-EPOCH"],
        "GROUP",
        ["MEMBER", "PROCESS", "CLIENT-ID", "ASSIGNMENTS"],
    );
    for member in &group.members {
        let mut tasks = tasks(&member.assignment, "");
        if is_verbose {
            tasks += &self::tasks(&member.target_assignment, "TARGET-");
        }
        table.push_str(&line(
            [
                &group.assignment_epoch.to_string(),
                &group.topology_epoch.to_string(),
                protocol(member),
                &member.epoch.to_string(),
            ],
            &group.group,
            [&member.member_id, &member.process_id, &member.client_id, &tasks],
        ));
    }
    table
}

pub(super) fn protocol(member: &StreamsMember) -> &'static str {
    if member.is_classic { "classic" } else { "streams" }
}

/// `ACTIVE: 0:[0,1]; STANDBY: 1:[2]; `
fn tasks(assignment: &StreamsAssignment, prefix: &str) -> String {
    let StreamsAssignment { active, standby, warmup } = assignment;
    let kinds = [("ACTIVE", active), ("STANDBY", standby), ("WARMUP", warmup)];
    let kinds = kinds.into_iter().filter(|(_, tasks)| !tasks.is_empty());
    let shown = kinds.map(|(kind, tasks)| {
        let tasks: String = tasks.iter().map(task).collect();
        format!("{prefix}{kind}: {tasks}")
    });
    shown.collect()
}

fn task(tasks: &StreamsTasks) -> String {
    let partitions: Vec<String> = tasks.partitions.iter().map(ToString::to_string).collect();
    format!("{}:[{}]; ", tasks.subtopology, partitions.join(","))
}

/// What `--reset-offsets` shows.
pub(super) fn reset(groups: &[(String, Offsets)]) -> String {
    table_of(groups, |group, topic, partition, offset| {
        format!("\n{group:<30} {topic:<30} {partition:<10} {offset:<15}")
    })
}

#[cfg(test)]
mod tests {
    use client::admin::GroupState;

    use super::*;

    fn part(id: &str, partitions: &[i32]) -> StreamsTasks {
        StreamsTasks { subtopology: id.to_owned(), partitions: partitions.to_vec() }
    }

    fn group() -> StreamsGroupDescription {
        let member = StreamsMember {
            member_id: "a-member-with-a-name".to_owned(),
            epoch: 3,
            client_id: "client".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            process_id: "process".to_owned(),
            assignment: StreamsAssignment {
                active: vec![part("0", &[0, 1]), part("1", &[2])],
                standby: vec![part("1", &[0])],
                warmup: Vec::new(),
            },
            target_assignment: StreamsAssignment {
                warmup: vec![part("0", &[3])],
                ..StreamsAssignment::default()
            },
            is_classic: true,
        };
        StreamsGroupDescription {
            group: "app".to_owned(),
            state: GroupState::Reconciling,
            coordinator: 1,
            group_epoch: 4,
            assignment_epoch: 3,
            topology_epoch: 2,
            subtopologies: Vec::new(),
            members: vec![member],
        }
    }

    fn lines(table: &str) -> Vec<&str> {
        table.lines().map(str::trim_end).collect()
    }

    #[test]
    fn members_are_shown_with_their_tasks() {
        let group = group();
        let expected = [
            "GROUP           MEMBER               PROCESS         CLIENT-ID       ASSIGNMENTS",
            "app             a-member-with-a-name process         client          ACTIVE: \
             0:[0,1]; 1:[2]; STANDBY: 1:[0];",
        ];
        assert_eq!(lines(&members(&group, false)), expected);
        let expected = [
            "GROUP           TARGET-ASSIGNMENT-EPOCH   TOPOLOGY-EPOCH MEMBER               \
             MEMBER-PROTOCOL MEMBER-EPOCH    PROCESS         CLIENT-ID       ASSIGNMENTS",
            "app             3                         2              a-member-with-a-name \
             classic         3               process         client          ACTIVE: 0:[0,1]; \
             1:[2]; STANDBY: 1:[0]; TARGET-WARMUP: 0:[3];",
        ];
        assert_eq!(lines(&members(&group, true)), expected);
    }

    #[test]
    fn a_state_has_its_epochs_where_they_are_asked_for() {
        let expected = [
            "GROUP           COORDINATOR (ID)          STATE                     #MEMBERS",
            "app             null:-1 (1)               Reconciling               1",
        ];
        assert_eq!(lines(&states(&group(), None, false)), expected);
        let expected = [
            "GROUP           COORDINATOR (ID)          STATE                     GROUP-EPOCH     \
             TARGET-ASSIGNMENT-EPOCH   #MEMBERS",
            "app             null:-1 (1)               Reconciling               4               \
             3                         1",
        ];
        assert_eq!(lines(&states(&group(), None, true)), expected);
    }

    #[test]
    fn what_is_not_committed_is_a_dash_beside_the_lag() {
        let row = |partition, offset, epoch| OffsetRow {
            partition: TopicPartition { topic: "orders".to_owned(), partition },
            offset,
            epoch,
            end: 9,
            lag: 4,
        };
        let rows = [row(0, Some(5), Some(0)), row(1, None, None)];
        let expected = [
            "GROUP           TOPIC           PARTITION  OFFSET-LAG",
            "app             orders          0          4",
            "app             orders          1          4",
        ];
        assert_eq!(lines(&offsets("app", &rows, false)), expected);
        let expected = [
            "GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LEADER-EPOCH    \
             LOG-END-OFFSET  OFFSET-LAG",
            "app             orders          0          5               0               \
             9               4",
            "app             orders          1          -               -               \
             9               4",
        ];
        assert_eq!(lines(&offsets("app", &rows, true)), expected);
    }
}
