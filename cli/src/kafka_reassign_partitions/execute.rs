//! Reassignments begun and called off, and replicas moved between directories.
//!
//! Answers to `executeAssignment`, `executeMoves` and `cancelAssignment` of
//! ReassignPartitionsCommand.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::{Duration, Instant};

use client::admin::{Admin, NewReassignment, RefusedReassignments};

use super::plan::{self, Partition, Plan, Replica};
use super::throttles::{self, plural};
use super::{Failure, placed};
use crate::java_order::integer_set;
use crate::release::CliRelease;

const REPLICA_NOT_AVAILABLE: i16 = 9;
/// How long to wait before a directory is asked for again.
const PAUSE: Duration = Duration::from_millis(100);

/// What was given beside the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) release: CliRelease,
    pub(super) is_additional: bool,
    /// Bytes a second between brokers; negative for no throttle.
    pub(super) throttle: i64,
    /// The same between directories of one broker.
    pub(super) directory_throttle: i64,
    pub(super) timeout: Duration,
    pub(super) keep_replication_factor: bool,
}

pub(super) async fn execute(
    plan: &Plan,
    how: How,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    plan.check()?;
    let proposed: BTreeMap<Partition, Vec<i32>> = plan.partitions.iter().cloned().collect();
    let moving = admin.list_reassignments(None).await?;
    if !how.is_additional && !moving.is_empty() {
        return Err(Failure::Terse(
            "Cannot execute because there is an existing partition assignment.  Use --additional \
             to override this and create a new partition assignment in addition to the existing \
             one. The --additional flag can also be used to change the throttle by resubmitting \
             the current reassignment."
                .to_owned(),
        ));
    }
    let nodes = admin.describe_cluster(false).await?.nodes;
    let brokers = integer_set(proposed.values().flatten().copied().collect());
    if let Some(id) = brokers.iter().find(|id| nodes.iter().all(|node| node.id != **id)) {
        return Err(Failure::Words(format!("Unknown broker id {id}")));
    }
    let current = placed::of_partitions(&proposed, admin).await?;
    let log_dirs = placed::log_dirs(how.release, &current, admin).await?;
    writeln!(
        out,
        "Current partition replica assignment\n\n{}\n\nSave this to use as the \
         --reassignment-json-file option during rollback",
        plan::format(&current, &log_dirs)
    )?;
    if how.throttle >= 0 || how.directory_throttle >= 0 {
        writeln!(
            out,
            "Warning: You must run --verify periodically, until the reassignment completes, to \
             ensure the throttle is removed."
        )?;
        if how.throttle >= 0 {
            let moves = throttles::moves(&moving, &proposed, &current);
            throttles::set_between_brokers(&moves, how.throttle, admin, out).await?;
        }
        if how.directory_throttle >= 0 {
            let brokers = plan.log_dirs.keys().map(|(broker, ..)| *broker);
            throttles::set_within_brokers(brokers, how.directory_throttle, admin, out).await?;
        }
    }
    let wanted = proposed.iter().map(|(key, replicas)| (key.clone(), Some(replicas.clone())));
    let wanted: Vec<NewReassignment> = wanted.collect();
    let refused = admin.alter_reassignments(&wanted, !how.keep_replication_factor).await?;
    if !refused.is_empty() {
        let lines = lines(refused);
        return Err(Failure::Terse(format!("Error reassigning partition(s):\n{lines}")));
    }
    let names = names(proposed.keys());
    writeln!(
        out,
        "Successfully started partition reassignment{} for {names}",
        plural(proposed.len())
    )?;
    match plan.log_dirs.is_empty() {
        true => Ok(()),
        false => move_replicas(plan.log_dirs.clone(), how.timeout, admin, out).await,
    }
}

fn names<'a>(partitions: impl Iterator<Item = &'a Partition>) -> String {
    let names = partitions.map(|(topic, index)| format!("{topic}-{index}"));
    names.collect::<Vec<_>>().join(",")
}

/// Why partitions were refused, a line each.
fn lines(mut refused: RefusedReassignments) -> String {
    refused.sort_by(|(one, _), (other, _)| one.cmp(other));
    let lines = refused.iter().map(|((topic, index), error)| format!("{topic}-{index}: {error}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Moves replicas into directories. One that comes to its broker just now is asked for again.
async fn move_replicas(
    mut pending: BTreeMap<Replica, String>,
    timeout: Duration,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        let begun = begin_moves(&pending, admin).await?;
        for (broker, topic, index) in begun {
            let key = (broker, topic, index);
            let dir = pending.remove(&key).unwrap_or_default();
            let (broker, topic, index) = key;
            writeln!(
                out,
                "Successfully started moving log directory to {dir} for replica {topic}-{index} \
                 with broker {broker} "
            )?;
        }
        if pending.is_empty() {
            return Ok(());
        }
        if began.elapsed() >= timeout {
            let late = pending.keys().map(|(broker, topic, at)| format!("{topic}-{at}-{broker}"));
            return Err(Failure::Terse(format!(
                "Timed out before log directory move{} could be started for: {}",
                plural(pending.len()),
                late.collect::<Vec<_>>().join(",")
            )));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The replicas whose moves began.
async fn begin_moves(
    pending: &BTreeMap<Replica, String>,
    admin: &mut Admin,
) -> Result<Vec<Replica>, Failure> {
    let brokers: BTreeSet<i32> = pending.keys().map(|(broker, ..)| *broker).collect();
    let mut begun = Vec::new();
    for broker in brokers {
        let of_broker = pending.iter().filter(|((id, ..), _)| *id == broker);
        let moves = of_broker.map(|((_, topic, at), dir)| ((topic.clone(), *at), dir.clone()));
        let moves: Vec<(Partition, String)> = moves.collect();
        let failed = |(topic, index): &Partition| {
            Failure::Words(format!("Failed to alter dir for {topic}-{index}-{broker}"))
        };
        let answered = admin.alter_replica_log_dirs(broker, &moves).await;
        let first = moves.first().map(|(partition, _)| partition.clone()).unwrap_or_default();
        for (partition, result) in answered.map_err(|_| failed(&first))? {
            match result {
                Ok(()) => begun.push((broker, partition.0, partition.1)),
                Err(error) if error.code() == Some(REPLICA_NOT_AVAILABLE) => {}
                Err(_) => return Err(failed(&partition)),
            }
        }
    }
    begun.sort();
    Ok(begun)
}

pub(super) async fn cancel(
    plan: &Plan,
    keep_throttles: bool,
    timeout: Duration,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut wanted: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    for ((topic, index), _) in &plan.partitions {
        wanted.entry(topic).or_default().insert(*index);
    }
    let wanted = wanted.into_iter();
    let wanted: Vec<(String, Vec<i32>)> =
        wanted.map(|(topic, indexes)| (topic.to_owned(), indexes.into_iter().collect())).collect();
    let moving = admin.list_reassignments(Some(&wanted)).await?;
    let moving = moving.into_iter();
    let moving =
        moving.filter(|(_, moving)| !moving.adding.is_empty() || !moving.removing.is_empty());
    let moving: BTreeSet<Partition> = moving.map(|(partition, _)| partition).collect();
    if moving.is_empty() {
        writeln!(out, "None of the specified partition reassignments are active.")?;
    } else {
        let off: Vec<NewReassignment> = moving.iter().map(|key| (key.clone(), None)).collect();
        let refused = admin.alter_reassignments(&off, true).await?;
        if !refused.is_empty() {
            return Err(Failure::Terse(format!(
                "Error cancelling partition reassignment{} for:\n{}",
                plural(refused.len()),
                lines(refused)
            )));
        }
        writeln!(
            out,
            "Successfully cancelled partition reassignment{} for: {}",
            plural(moving.len()),
            names(moving.iter())
        )?;
    }
    let replicas = placed::replicas(plan.log_dirs.keys().cloned(), admin).await?;
    let back = replicas.into_iter().filter(|(_, place)| place.future.is_some());
    let back: BTreeMap<Replica, String> =
        back.filter_map(|(key, place)| Some((key, place.current?))).collect();
    match back.is_empty() {
        true => write!(out, "None of the specified partition moves are active.")?,
        false => move_replicas(back, timeout, admin, out).await?,
    }
    match keep_throttles {
        true => Ok(()),
        false => throttles::clear(plan, admin, out).await,
    }
}
