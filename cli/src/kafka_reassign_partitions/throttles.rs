//! Throttles of a reassignment: which replicas and brokers they are for, set and cleared.
//!
//! Answers to `calculateProposedMoveMap`, `modifyReassignmentThrottle`, `modifyLogDirThrottle` and
//! `clearAllThrottles` of ReassignPartitionsCommand.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;

use client::admin::{Admin, ConfigOp, ConfigResource, Reassignment, ResourceKind};

use super::Failure;
use super::plan::{Partition, Plan, joined};
use crate::java_order::{integer_set, sort_by_hash, string_hash};

const LEADER_RATE: &str = "leader.replication.throttled.rate";
const FOLLOWER_RATE: &str = "follower.replication.throttled.rate";
const DIRECTORY_RATE: &str = "replica.alter.log.dirs.io.max.bytes.per.second";
const LEADER_REPLICAS: &str = "leader.replication.throttled.replicas";
const FOLLOWER_REPLICAS: &str = "follower.replication.throttled.replicas";

/// From where and to where a partition is copied.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Move {
    sources: BTreeSet<i32>,
    destinations: BTreeSet<i32>,
}

/// What moves already, and what shall move.
pub(super) fn moves(
    current: &HashMap<Partition, Reassignment>,
    proposed: &BTreeMap<Partition, Vec<i32>>,
    replicas: &BTreeMap<Partition, Vec<i32>>,
) -> BTreeMap<Partition, Move> {
    let moving = current.iter().map(|(partition, moving)| {
        let destinations: BTreeSet<i32> = moving.adding.iter().copied().collect();
        let sources = moving.replicas.iter().copied().filter(|id| !destinations.contains(id));
        (partition.clone(), Move { sources: sources.collect(), destinations })
    });
    let mut moves: BTreeMap<Partition, Move> = moving.collect();
    for (partition, target) in proposed {
        let sources = match moves.remove(partition) {
            Some(moving) => moving.sources,
            None => replicas.get(partition).into_iter().flatten().copied().collect(),
        };
        let destinations = target.iter().copied().filter(|id| !sources.contains(id)).collect();
        moves.insert(partition.clone(), Move { sources, destinations });
    }
    moves
}

/// `partition:broker` of each topic, sorted as texts.
fn components(
    moves: &BTreeMap<Partition, Move>,
    brokers: impl Fn(&Move) -> &BTreeSet<i32>,
) -> BTreeMap<&str, String> {
    let mut topics: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for ((topic, index), moving) in moves {
        let of_topic = topics.entry(topic).or_default();
        of_topic.extend(brokers(moving).iter().map(|broker| format!("{index}:{broker}")));
    }
    let joined = topics
        .into_iter()
        .map(|(topic, components)| (topic, components.into_iter().collect::<Vec<_>>().join(",")));
    joined.collect()
}

/// Throttles what moves between brokers.
pub(super) async fn set_between_brokers(
    moves: &BTreeMap<Partition, Move>,
    rate: i64,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let leaders = components(moves, |moving| &moving.sources);
    let mut followers = components(moves, |moving| &moving.destinations);
    for (topic, replicas) in leaders {
        let followers = followers.remove(topic).unwrap_or_default();
        let ops = [set(LEADER_REPLICAS, replicas), set(FOLLOWER_REPLICAS, followers)];
        admin.alter_configs(&topic_resource(topic), &ops).await?;
    }
    let brokers = moves.values().flat_map(|moving| moving.sources.union(&moving.destinations));
    for broker in brokers.copied().collect::<BTreeSet<i32>>() {
        let ops = [LEADER_RATE, FOLLOWER_RATE].map(|key| set(key, rate.to_string()));
        admin.alter_configs(&broker_resource(broker), &ops).await?;
    }
    Ok(writeln!(out, "The inter-broker throttle limit was set to {rate} B/s")?)
}

/// Throttles what moves between directories of a broker.
pub(super) async fn set_within_brokers(
    brokers: impl Iterator<Item = i32>,
    rate: i64,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    for broker in brokers.collect::<BTreeSet<i32>>() {
        let ops = [set(DIRECTORY_RATE, rate.to_string())];
        admin.alter_configs(&broker_resource(broker), &ops).await?;
    }
    Ok(writeln!(out, "The replica-alter-dir throttle limit was set to {rate} B/s")?)
}

/// Clears throttles of every broker, and of the topics of a plan.
pub(super) async fn clear(
    plan: &Plan,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let nodes = admin.describe_cluster(false).await?.nodes;
    let targets = plan.partitions.iter().flat_map(|(_, replicas)| replicas).copied();
    let brokers = integer_set(nodes.iter().map(|node| node.id).chain(targets).collect());
    writeln!(
        out,
        "Clearing broker-level throttles on broker{} {}",
        plural(brokers.len()),
        joined(&brokers)
    )?;
    for broker in &brokers {
        let ops = [LEADER_RATE, FOLLOWER_RATE, DIRECTORY_RATE].map(delete);
        admin.alter_configs(&broker_resource(*broker), &ops).await?;
    }
    let mut topics: Vec<&str> = Vec::new();
    for ((topic, _), _) in &plan.partitions {
        if !topics.contains(&topic.as_str()) {
            topics.push(topic);
        }
    }
    sort_by_hash(&mut topics, |topic| string_hash(topic));
    writeln!(
        out,
        "Clearing topic-level throttles on topic{} {}",
        plural(topics.len()),
        topics.join(",")
    )?;
    for topic in topics {
        let ops = [LEADER_REPLICAS, FOLLOWER_REPLICAS].map(delete);
        admin.alter_configs(&topic_resource(topic), &ops).await?;
    }
    Ok(())
}

pub(super) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn set(name: &str, value: String) -> ConfigOp {
    ConfigOp::Set { name: name.to_owned(), value }
}

fn delete(name: &str) -> ConfigOp {
    ConfigOp::Delete { name: name.to_owned() }
}

fn topic_resource(topic: &str) -> ConfigResource {
    ConfigResource { kind: ResourceKind::Topic, name: topic.to_owned() }
}

fn broker_resource(id: i32) -> ConfigResource {
    ConfigResource { kind: ResourceKind::Broker, name: id.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(index: i32) -> Partition {
        ("t".to_owned(), index)
    }

    #[test]
    fn sources_are_where_a_partition_was_before_it_moved() {
        let moving = Reassignment { replicas: vec![1, 2, 3], adding: vec![3], removing: vec![1] };
        let current = HashMap::from([(partition(0), moving)]);
        let proposed = BTreeMap::from([(partition(0), vec![2, 4]), (partition(10), vec![5, 6])]);
        let replicas = BTreeMap::from([(partition(0), vec![1, 2, 3]), (partition(10), vec![6])]);
        let moves = moves(&current, &proposed, &replicas);
        let expected = Move { sources: [1, 2].into(), destinations: [4].into() };
        assert_eq!(moves.get(&partition(0)), Some(&expected));
        let leaders = components(&moves, |moving| &moving.sources);
        assert_eq!(leaders.get("t").map(String::as_str), Some("0:1,0:2,10:6"));
        let followers = components(&moves, |moving| &moving.destinations);
        assert_eq!(followers.get("t").map(String::as_str), Some("0:4,10:5"));
    }
}
