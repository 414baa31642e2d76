//! Where partitions and their replicas are at present.
//!
//! Answers to `describeTopics`, `getReplicasForPartitions`, `getReplicaToLogDir` and
//! `findLogDirMoveStates` of ReassignPartitionsCommand.

use std::collections::{BTreeMap, BTreeSet};

use client::admin::{Admin, AdminError, TopicDescription};

use super::Failure;
use super::plan::{Partition, Replica};
use crate::java_order::{partition_hash_of, sort_by_hash, string_hash};
use crate::release::CliRelease;

/// Partitions in one answer.
const PAGE: i32 = 2000;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
/// KAFKA_STORAGE_ERROR: a directory that is offline says nothing of its replicas.
const STORAGE_ERROR: i16 = 56;

/// Where one replica lies, and where to it moves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct InLogDir {
    pub(super) current: Option<String>,
    pub(super) future: Option<String>,
}

/// A topic's description; nothing where there is no such topic.
pub(super) async fn topic(
    name: &str,
    admin: &mut Admin,
) -> Result<Option<TopicDescription>, Failure> {
    match admin.describe_topics(&[name.to_owned()], PAGE).await {
        Ok(found) => Ok(found.into_iter().next()),
        Err(error) if error.code() == Some(UNKNOWN_TOPIC_OR_PARTITION) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn unknown(message: String) -> Failure {
    AdminError::Answer { code: UNKNOWN_TOPIC_OR_PARTITION, message }.into()
}

/// The replicas of all partitions of these topics.
pub(super) async fn of_topics(
    topics: impl IntoIterator<Item = &String>,
    admin: &mut Admin,
) -> Result<BTreeMap<Partition, Vec<i32>>, Failure> {
    let names: BTreeSet<&String> = topics.into_iter().collect();
    let mut names: Vec<&String> = names.into_iter().collect();
    sort_by_hash(&mut names, |name| string_hash(name));
    let mut found = BTreeMap::new();
    for name in names {
        let described = topic(name, admin).await?;
        let described = described.ok_or_else(|| unknown(format!("Topic {name} not found.")))?;
        for partition in described.partitions {
            found.insert((name.clone(), partition.index), partition.replicas);
        }
    }
    Ok(found)
}

/// The replicas of these partitions, all of which must be there.
pub(super) async fn of_partitions(
    wanted: &BTreeMap<Partition, Vec<i32>>,
    admin: &mut Admin,
) -> Result<BTreeMap<Partition, Vec<i32>>, Failure> {
    let mut found = of_topics(wanted.keys().map(|(topic, _)| topic), admin).await?;
    found.retain(|partition, _| wanted.contains_key(partition));
    let mut missing: Vec<&Partition> =
        wanted.keys().filter(|partition| !found.contains_key(*partition)).collect();
    if missing.is_empty() {
        return Ok(found);
    }
    sort_by_hash(&mut missing, |(topic, index)| partition_hash_of(topic, *index));
    let missing: Vec<String> =
        missing.iter().map(|(topic, index)| format!("{topic}-{index}")).collect();
    Err(unknown(format!("Unable to find partition: {}", missing.join(", "))))
}

/// In which directories these replicas are.
pub(super) async fn replicas(
    wanted: impl IntoIterator<Item = Replica>,
    admin: &mut Admin,
) -> Result<BTreeMap<Replica, InLogDir>, Failure> {
    let mut by_broker: BTreeMap<i32, Vec<Partition>> = BTreeMap::new();
    for (broker, topic, index) in wanted {
        by_broker.entry(broker).or_default().push((topic, index));
    }
    let mut placed = BTreeMap::new();
    for (broker, partitions) in by_broker {
        for (topic, index) in &partitions {
            placed.insert((broker, topic.clone(), *index), InLogDir::default());
        }
        for dir in admin.describe_replica_log_dirs(broker, &partitions).await? {
            match dir.error.as_ref() {
                None => {}
                Some(error) if error.code() == Some(STORAGE_ERROR) => continue,
                Some(error) => {
                    return Err(Failure::Wrapped(format!(
                        "java.lang.IllegalStateException: The error {} for log directory {} in \
                         the response from broker {broker} is illegal",
                        error.class(),
                        dir.path
                    )));
                }
            }
            for replica in dir.replicas {
                let key = (broker, replica.topic, replica.partition);
                let Some(entry) = placed.get_mut(&key) else { continue };
                let place = if replica.is_future { &mut entry.future } else { &mut entry.current };
                *place = Some(dir.path.clone());
            }
        }
    }
    Ok(placed)
}

/// The directories of all replicas on brokers that are there, for which 3.7 does not ask.
pub(super) async fn log_dirs(
    release: CliRelease,
    partitions: &BTreeMap<Partition, Vec<i32>>,
    admin: &mut Admin,
) -> Result<BTreeMap<Replica, String>, Failure> {
    if release.is_3_7() {
        return Ok(BTreeMap::new());
    }
    let nodes = admin.describe_cluster(false).await?.nodes;
    let is_there = |id: &i32| nodes.iter().any(|node| node.id == *id);
    let wanted = partitions.iter().flat_map(|((topic, index), replicas)| {
        let live = replicas.iter().filter(|id| is_there(id));
        live.map(|id| (*id, topic.clone(), *index)).collect::<Vec<Replica>>()
    });
    let wanted: Vec<Replica> = wanted.collect();
    let placed = replicas(wanted, admin).await?;
    Ok(placed.into_iter().filter_map(|(key, place)| Some((key, place.current?))).collect())
}
