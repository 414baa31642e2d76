//! How far reassignments and moves between directories are.
//!
//! `verify` asks, the functions below it say. Answers to `verifyAssignment` of
//! ReassignPartitionsCommand.

use std::collections::BTreeMap;
use std::io::Write;

use client::admin::Admin;

use super::placed::{self, InLogDir};
use super::plan::{Partition, Plan, Replica, joined};
use super::{Failure, throttles};

/// One partition on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    current: Vec<i32>,
    target: Vec<i32>,
    is_done: bool,
}

/// Says how far a plan is, and clears its throttles once nothing moves any more.
pub(super) async fn verify(
    plan: &Plan,
    keep_throttles: bool,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let moving = admin.list_reassignments(None).await?;
    let mut states: BTreeMap<Partition, State> = BTreeMap::new();
    for (partition, target) in &plan.partitions {
        let state = match moving.get(partition) {
            Some(moving) => {
                State { current: moving.replicas.clone(), target: target.clone(), is_done: false }
            }
            None => {
                let current = settled(partition, admin).await?;
                State { current, target: target.clone(), is_done: true }
            }
        };
        states.insert(partition.clone(), state);
    }
    writeln!(out, "{}", describe(&states))?;
    let replicas = placed::replicas(plan.log_dirs.keys().cloned(), admin).await?;
    writeln!(out, "{}", describe_moves(&plan.log_dirs, &replicas))?;
    let moves_done = plan.log_dirs.keys().all(|key| {
        replicas.get(key).is_some_and(|place| place.current.is_some() && place.future.is_none())
    });
    if moving.is_empty() && moves_done && !keep_throttles {
        throttles::clear(plan, admin, out).await?;
    }
    Ok(())
}

/// The replicas of a partition that does not move; none where it is not there.
async fn settled((topic, index): &Partition, admin: &mut Admin) -> Result<Vec<i32>, Failure> {
    let Some(described) = placed::topic(topic, admin).await? else { return Ok(Vec::new()) };
    let mut partitions = described.partitions;
    partitions.sort_by_key(|partition| partition.index);
    let count = partitions.len();
    let at = usize::try_from(*index).ok();
    match at.and_then(|at| partitions.get(at)) {
        Some(partition) => Ok(partition.replicas.clone()),
        None if at.is_some_and(|at| at > count) => Ok(Vec::new()),
        None => Err(Failure::Words(format!("Index {index} out of bounds for length {count}"))),
    }
}

fn describe(states: &BTreeMap<Partition, State>) -> String {
    let lines = states.iter().map(|((topic, index), state)| {
        if !state.is_done {
            format!("Reassignment of partition {topic}-{index} is still in progress.")
        } else if state.current == state.target {
            format!("Reassignment of partition {topic}-{index} is completed.")
        } else {
            format!(
                "There is no active reassignment of partition {topic}-{index}, but replica set is \
                 {} rather than {}.",
                joined(&state.current),
                joined(&state.target)
            )
        }
    });
    let head = "Status of partition reassignment:".to_owned();
    [head].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn describe_moves(
    targets: &BTreeMap<Replica, String>,
    replicas: &BTreeMap<Replica, InLogDir>,
) -> String {
    let line = |((broker, topic, index), target): (&Replica, &String)| {
        let place = replicas.get(&(*broker, topic.clone(), *index)).cloned().unwrap_or_default();
        match (place.current, place.future) {
            (None, _) => format!(
                "Partition {topic}-{index} is not found in any live log dir on broker {broker}. \
                 There is likely an offline log directory on the broker."
            ),
            (Some(current), None) if current == *target => {
                format!("Reassignment of replica {topic}-{index}-{broker} completed successfully.")
            }
            (Some(current), None) => format!(
                "Partition {topic}-{index} on broker {broker} is not being moved from log dir \
                 {current} to {target}."
            ),
            (Some(_), Some(future)) if future == *target => {
                format!("Reassignment of replica {topic}-{index}-{broker} is still in progress.")
            }
            (Some(_), Some(future)) => format!(
                "Partition {topic}-{index} on broker {broker} is being moved to log dir {future} \
                 instead of {target}."
            ),
        }
    };
    targets.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_move_between_directories_has_its_words() {
        let place = |current: Option<&str>, future: Option<&str>| InLogDir {
            current: current.map(str::to_owned),
            future: future.map(str::to_owned),
        };
        let table = [
            (
                place(None, None),
                "Partition t-0 is not found in any live log dir on broker 1. There \
              is likely an offline log directory on the broker.",
            ),
            (place(Some("/b"), None), "Reassignment of replica t-0-1 completed successfully."),
            (
                place(Some("/a"), None),
                "Partition t-0 on broker 1 is not being moved from log dir /a to /b.",
            ),
            (place(Some("/a"), Some("/b")), "Reassignment of replica t-0-1 is still in progress."),
            (
                place(Some("/a"), Some("/c")),
                "Partition t-0 on broker 1 is being moved to log dir /c instead of /b.",
            ),
        ];
        let key = (1, "t".to_owned(), 0);
        let targets = BTreeMap::from([(key.clone(), "/b".to_owned())]);
        for (place, words) in table {
            let replicas = BTreeMap::from([(key.clone(), place)]);
            assert_eq!(describe_moves(&targets, &replicas), words);
        }
    }

    #[test]
    fn partitions_are_described_in_order() {
        let state = |current: &[i32], is_done| State {
            current: current.to_vec(),
            target: vec![1, 2],
            is_done,
        };
        let states = BTreeMap::from([
            (("t".to_owned(), 1), state(&[1, 2], false)),
            (("t".to_owned(), 0), state(&[1, 2], true)),
            (("a".to_owned(), 9), state(&[3], true)),
        ]);
        let expected = "Status of partition reassignment:\n\
                        There is no active reassignment of partition a-9, but replica set is 3 \
                        rather than 1,2.\n\
                        Reassignment of partition t-0 is completed.\n\
                        Reassignment of partition t-1 is still in progress.";
        assert_eq!(describe(&states), expected);
    }
}
