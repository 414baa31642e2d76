//! How far reassignments and moves between directories are.
//!
//! `find_partitions` and `find_replicas` ask, `describe` and `describe_moves` say. Answers to
//! `verifyAssignment` of ReassignPartitionsCommand. `--wait` is our own: it waits until nothing of
//! the plan moves any more, and ends with 1 where it has not come about (docs/decisions/0421).

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use client::admin::Admin;
use serde::Serialize;

use super::placed::{self, InLogDir};
use super::plan::{Partition, Plan, Replica, joined};
use super::{Failure, throttles};
use crate::json;
use crate::progress::Progress;

/// How often it is asked whether moves are complete.
const POLL: Duration = Duration::from_secs(1);

/// How a verification goes about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verification {
    pub(super) keep_throttles: bool,
    /// Whether it waits until nothing of the plan moves any more.
    pub(super) waits: bool,
    pub(super) is_json: bool,
}

/// How far a plan is.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    partitions: Vec<PartitionState<'a>>,
    replicas: Vec<ReplicaState<'a>>,
    throttles_cleared: bool,
}

/// How far one move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    InProgress,
    Completed,
    /// Nothing moves, and it is not where it should be.
    NotMoving,
    MovingElsewhere,
    NotFound,
}

/// One partition on its way between brokers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PartitionState<'a> {
    topic: &'a str,
    partition: i32,
    replicas: Vec<i32>,
    target_replicas: &'a [i32],
    state: State,
}

/// One replica on its way between directories.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplicaState<'a> {
    topic: &'a str,
    partition: i32,
    broker: i32,
    log_dir: Option<String>,
    future_log_dir: Option<String>,
    target_log_dir: &'a str,
    state: State,
}

/// Says how far a plan is, and clears its throttles once nothing moves any more.
pub(super) async fn verify(
    plan: &Plan,
    how: Verification,
    admin: &mut Admin,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let mut progress = Progress::begin();
    if how.waits {
        wait(plan, admin, &mut progress).await?;
    }
    let mut found = Found::default();
    let is_moving = find_partitions(plan, &mut found, admin, Some(&mut progress)).await?;
    progress.clear();
    if !how.is_json {
        writeln!(out, "{}", describe(&found.partitions))?;
    }
    find_replicas(plan, &mut found, admin).await?;
    if !how.is_json {
        writeln!(out, "{}", describe_moves(&found.replicas))?;
    }
    let is_there =
        |replica: &ReplicaState<'_>| replica.log_dir.is_some() && replica.future_log_dir.is_none();
    if !is_moving && found.replicas.iter().all(is_there) && !how.keep_throttles {
        // Beside a JSON document stands nothing.
        throttles::clear(plan, admin, if how.is_json { err } else { &mut *out }).await?;
        found.throttles_cleared = true;
    }
    if how.is_json {
        json::object(&found, out)?;
    }
    match how.waits && found.states().any(|state| state != State::Completed) {
        true => Err(Failure::NotReached),
        false => Ok(()),
    }
}

/// Returns when nothing of a plan moves any more.
async fn wait(plan: &Plan, admin: &mut Admin, progress: &mut Progress) -> Result<(), Failure> {
    loop {
        let mut found = Found::default();
        find_partitions(plan, &mut found, admin, None).await?;
        find_replicas(plan, &mut found, admin).await?;
        let moving = found.states().filter(|state| state.is_moving()).count();
        if moving == 0 {
            return Ok(());
        }
        let all = found.states().count();
        progress.show(|elapsed| {
            format!("{} of {all} moves completed, {} s", all - moving, elapsed.as_secs())
        });
        tokio::time::sleep(POLL).await;
    }
}

/// Asks how far the partitions of a plan are; whether anything moves in the cluster, of the plan or
/// not.
async fn find_partitions<'a>(
    plan: &'a Plan,
    found: &mut Found<'a>,
    admin: &mut Admin,
    mut progress: Option<&mut Progress>,
) -> Result<bool, Failure> {
    let moving = admin.list_reassignments(None).await?;
    let mut partitions: BTreeMap<&Partition, PartitionState<'_>> = BTreeMap::new();
    for (at, (partition, target)) in plan.partitions.iter().enumerate() {
        if let Some(progress) = &mut progress {
            progress.show(|_| format!("{at} of {} partitions looked at", plan.partitions.len()));
        }
        let (replicas, is_moving) = match moving.get(partition) {
            Some(moving) => (moving.replicas.clone(), true),
            None => (settled(partition, admin).await?, false),
        };
        let state = match is_moving {
            true => State::InProgress,
            false if replicas == *target => State::Completed,
            false => State::NotMoving,
        };
        let (topic, index) = partition;
        let target_replicas = target.as_slice();
        let found = PartitionState { topic, partition: *index, replicas, target_replicas, state };
        partitions.insert(partition, found);
    }
    found.partitions = partitions.into_values().collect();
    Ok(!moving.is_empty())
}

/// Asks how far the replicas of a plan are that move between directories.
async fn find_replicas<'a>(
    plan: &'a Plan,
    found: &mut Found<'a>,
    admin: &mut Admin,
) -> Result<(), Failure> {
    let mut places = placed::replicas(plan.log_dirs.keys().cloned(), admin).await?;
    let replicas = plan.log_dirs.iter().map(|(replica, target)| {
        ReplicaState::of(replica, places.remove(replica).unwrap_or_default(), target)
    });
    found.replicas = replicas.collect();
    Ok(())
}

impl Found<'_> {
    fn states(&self) -> impl Iterator<Item = State> {
        let partitions = self.partitions.iter().map(|partition| partition.state);
        partitions.chain(self.replicas.iter().map(|replica| replica.state))
    }
}

impl State {
    fn is_moving(self) -> bool {
        matches!(self, Self::InProgress | Self::MovingElsewhere)
    }
}

impl<'a> ReplicaState<'a> {
    fn of((broker, topic, partition): &'a Replica, place: InLogDir, target: &'a str) -> Self {
        let state = match (&place.current, &place.future) {
            (None, _) => State::NotFound,
            (Some(current), None) if current == target => State::Completed,
            (Some(_), None) => State::NotMoving,
            (Some(_), Some(future)) if future == target => State::InProgress,
            (Some(_), Some(_)) => State::MovingElsewhere,
        };
        Self {
            topic,
            partition: *partition,
            broker: *broker,
            log_dir: place.current,
            future_log_dir: place.future,
            target_log_dir: target,
            state,
        }
    }
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

fn describe(partitions: &[PartitionState<'_>]) -> String {
    let line = |found: &PartitionState<'_>| {
        let name = format!("{}-{}", found.topic, found.partition);
        match found.state {
            State::InProgress => format!("Reassignment of partition {name} is still in progress."),
            State::Completed => format!("Reassignment of partition {name} is completed."),
            _ => format!(
                "There is no active reassignment of partition {name}, but replica set is {} rather \
                 than {}.",
                joined(&found.replicas),
                joined(found.target_replicas)
            ),
        }
    };
    let head = "Status of partition reassignment:".to_owned();
    [head].into_iter().chain(partitions.iter().map(line)).collect::<Vec<_>>().join("\n")
}

fn describe_moves(replicas: &[ReplicaState<'_>]) -> String {
    let line = |found: &ReplicaState<'_>| {
        let ReplicaState { topic, partition, broker, target_log_dir: target, .. } = found;
        let current = found.log_dir.as_deref().unwrap_or_default();
        let future = found.future_log_dir.as_deref().unwrap_or_default();
        match found.state {
            State::NotFound => format!(
                "Partition {topic}-{partition} is not found in any live log dir on broker \
                 {broker}. There is likely an offline log directory on the broker."
            ),
            State::Completed => format!(
                "Reassignment of replica {topic}-{partition}-{broker} completed successfully."
            ),
            State::NotMoving => format!(
                "Partition {topic}-{partition} on broker {broker} is not being moved from log dir \
                 {current} to {target}."
            ),
            State::InProgress => format!(
                "Reassignment of replica {topic}-{partition}-{broker} is still in progress."
            ),
            State::MovingElsewhere => format!(
                "Partition {topic}-{partition} on broker {broker} is being moved to log dir \
                 {future} instead of {target}."
            ),
        }
    };
    replicas.iter().map(line).collect::<Vec<_>>().join("\n")
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
        for (place, words) in table {
            assert_eq!(describe_moves(&[ReplicaState::of(&key, place, "/b")]), words);
        }
    }

    #[test]
    fn partitions_are_described_in_order() {
        let found = |topic, partition, replicas: &[i32], state| PartitionState {
            topic,
            partition,
            replicas: replicas.to_vec(),
            target_replicas: &[1, 2],
            state,
        };
        let partitions = vec![
            found("a", 9, &[3], State::NotMoving),
            found("t", 0, &[1, 2], State::Completed),
            found("t", 1, &[1, 2], State::InProgress),
        ];
        let expected = "Status of partition reassignment:\n\
                        There is no active reassignment of partition a-9, but replica set is 3 \
                        rather than 1,2.\n\
                        Reassignment of partition t-0 is completed.\n\
                        Reassignment of partition t-1 is still in progress.";
        assert_eq!(describe(&partitions), expected);
        let key = (1, "t".to_owned(), 0);
        let replicas = vec![ReplicaState::of(&key, InLogDir::default(), "/b")];
        let found = Found { partitions, replicas, throttles_cleared: false };
        let moving = found.states().filter(|state| state.is_moving());
        assert_eq!((moving.count(), found.states().count()), (1, 4));
        let json = serde_json::to_string(&found).unwrap();
        let partition = concat!(
            r#"{"partitions":[{"topic":"a","partition":9,"replicas":[3],"#,
            r#""targetReplicas":[1,2],"state":"notMoving"},"#
        );
        let replica = concat!(
            r#""replicas":[{"topic":"t","partition":0,"broker":1,"logDir":null,"#,
            r#""futureLogDir":null,"targetLogDir":"/b","state":"notFound"}],"#,
            r#""throttlesCleared":false}"#
        );
        assert!(json.starts_with(partition) && json.ends_with(replica), "{json}");
    }
}
