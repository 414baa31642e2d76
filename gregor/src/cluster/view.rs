//! How a local cluster is shown: plain text, a line for each node and each partition.

use std::fmt::Write as _;

use super::layout::{Layout, Node, Role};
use super::processes::State;
use super::survey::{PartitionSeen, Survey};

/// A node and its process.
pub(crate) type NodeSeen<'a> = (&'a Node, State);

/// Lines of cells, each as wide as the widest of its column.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // A String takes everything.
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The nodes, and what becomes of them.
pub(crate) fn nodes(nodes: &[NodeSeen<'_>], survey: Option<&Survey>) -> String {
    let mut rows = vec![
        ["node", "role", "rack", "address", "process", "in the cluster"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (node, state) in nodes {
        let process = match state {
            State::Running(pid) => format!("running ({})", pid.as_raw_nonzero()),
            State::Paused(pid) => format!("paused ({})", pid.as_raw_nonzero()),
            State::Stopped => "stopped".to_owned(),
        };
        rows.push(vec![
            node.id.to_string(),
            node.role.name().to_owned(),
            node.rack.clone().unwrap_or_else(|| "-".to_owned()),
            node.address(),
            process,
            standing(node, survey).to_owned(),
        ]);
    }
    table(&rows)
}

fn standing(node: &Node, survey: Option<&Survey>) -> &'static str {
    let Some(survey) = survey else { return "-" };
    match node.role {
        Role::Broker if survey.up.contains(&node.id) => "up",
        Role::Broker => "fenced",
        Role::Controller if survey.active_controller == Some(node.id) => "active controller",
        Role::Controller => "-",
    }
}

/// Whether all is well with a partition.
fn is_well(partition: &PartitionSeen) -> bool {
    partition.leader.is_some() && partition.isr.len() >= partition.replicas.len()
}

/// How far each follower is behind its leader, in records.
fn lag(partition: &PartitionSeen) -> String {
    let Some(end) = partition.leader.and_then(|leader| partition.ends.get(&leader)) else {
        return "?".to_owned();
    };
    let of = |id: &i32| match partition.ends.get(id) {
        Some(own) => format!("{id}:{}", (end - own).max(0)),
        None => format!("{id}:?"),
    };
    let followers = partition.replicas.iter().filter(|id| partition.leader != Some(**id));
    let all: Vec<String> = followers.map(of).collect();
    if all.is_empty() { "-".to_owned() } else { all.join(" ") }
}

/// The partitions of topics; of Kafka's own ones only those that are not well.
pub(crate) fn partitions(survey: &Survey) -> String {
    let mut rows = vec![
        ["topic", "partition", "leader", "replicas", "in sync", "lag"].map(str::to_owned).to_vec(),
    ];
    let list = |ids: &[i32]| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        if ids.is_empty() { "-".to_owned() } else { ids.join(",") }
    };
    let shown = survey.partitions.iter().filter(|each| !each.is_internal || !is_well(each));
    for partition in shown {
        rows.push(vec![
            partition.topic.clone(),
            partition.index.to_string(),
            partition.leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string()),
            list(&partition.replicas),
            list(&partition.isr),
            lag(partition),
        ]);
    }
    if rows.len() > 1 { table(&rows) } else { String::new() }
}

/// Everything in one screen.
pub(crate) fn whole(layout: &Layout, seen: &[NodeSeen<'_>], survey: Option<&Survey>) -> String {
    let mut text = nodes(seen, survey);
    match survey {
        None => text.push_str("\nno broker answers\n"),
        Some(survey) => {
            let listed = partitions(survey);
            let all = survey.partitions.len();
            let leaderless = survey.partitions.iter().filter(|each| each.leader.is_none()).count();
            let behind = survey.partitions.iter().filter(|each| !is_well(each)).count();
            // A String takes everything.
            let _ = writeln!(
                text,
                "\n{all} partitions, {leaderless} without a leader, {behind} under-replicated",
            );
            if !listed.is_empty() {
                text.push('\n');
                text.push_str(&listed);
            }
        }
    }
    let _ = writeln!(text, "\nbootstrap servers: {}", layout.bootstrap_servers());
    text
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use rustix::process::Pid;

    use super::*;
    use crate::cluster::layout::Shape;

    fn partition(
        topic: &str,
        leader: Option<i32>,
        isr: &[i32],
        ends: &[(i32, i64)],
    ) -> PartitionSeen {
        PartitionSeen {
            topic: topic.to_owned(),
            is_internal: topic.starts_with("__"),
            index: 0,
            leader,
            replicas: vec![1, 2, 3],
            isr: isr.to_vec(),
            ends: BTreeMap::from_iter(ends.iter().copied()),
        }
    }

    #[test]
    fn a_screen_tells_who_leads_who_is_in_sync_and_who_lags() {
        let shape = Shape {
            brokers: 3,
            controllers: 1,
            racks: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            first_port: 9092,
            overrides: Vec::new(),
        };
        let layout = Layout::new(shape, Path::new("x")).unwrap();
        let pid = |raw| Pid::from_raw(raw).unwrap();
        let states =
            [State::Running(pid(7)), State::Running(pid(8)), State::Paused(pid(9)), State::Stopped];
        let seen: Vec<_> = layout.nodes.iter().zip(states).collect();
        let survey = Survey {
            up: BTreeSet::from([1]),
            active_controller: Some(101),
            partitions: vec![
                partition("__consumer_offsets", Some(1), &[1, 2, 3], &[]),
                partition("t", Some(1), &[1], &[(1, 100), (2, 90)]),
                partition("u", None, &[], &[]),
            ],
        };
        let expected = "\
node  role        rack  address          process      in the cluster
101   controller  -     localhost:10092  running (7)  active controller
1     broker      a     localhost:9092   running (8)  up
2     broker      b     localhost:9093   paused (9)   fenced
3     broker      c     localhost:9094   stopped      fenced

3 partitions, 1 without a leader, 2 under-replicated

topic  partition  leader  replicas  in sync  lag
t      0          1       1,2,3     1        2:10 3:?
u      0          none    1,2,3     -        ?

bootstrap servers: localhost:9092,localhost:9093,localhost:9094
";
        assert_eq!(whole(&layout, &seen, Some(&survey)), expected);
    }

    #[test]
    fn a_cluster_that_does_not_answer_is_shown_by_its_processes() {
        let shape = Shape {
            brokers: 1,
            controllers: 1,
            racks: Vec::new(),
            first_port: 9092,
            overrides: Vec::new(),
        };
        let layout = Layout::new(shape, Path::new("x")).unwrap();
        let seen: Vec<_> = layout.nodes.iter().map(|node| (node, State::Stopped)).collect();
        let text = whole(&layout, &seen, None);
        assert!(text.contains("no broker answers"), "{text}");
        assert!(text.contains("1     broker      -     localhost:9092   stopped  -"), "{text}");
    }
}
