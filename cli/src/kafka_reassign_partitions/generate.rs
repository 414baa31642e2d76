//! A plan that spreads topics over brokers, proposed and not executed.
//!
//! Answers to `generateAssignment` of ReassignPartitionsCommand; as there, the controller's own
//! rules of placement decide, from a random start.

use std::collections::BTreeMap;
use std::io::Write;

use client::admin::{Admin, AdminError};
use raft::controller::propose;
use raft::draws::Draws;

use super::plan::{self, Partition, joined};
use super::{Failure, placed};
use crate::java_order::{integer_set, sort_by_hash, string_hash};
use crate::release::CliRelease;

const INVALID_REPLICATION_FACTOR: i16 = 38;

pub(super) async fn run(
    release: CliRelease,
    json: &str,
    broker_list: &str,
    by_rack: bool,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let wanted = broker_ids(broker_list)?;
    let topics = plan::topics(json)?;
    let mut twice = plan::duplicates(topics.iter());
    if !twice.is_empty() {
        sort_by_hash(&mut twice, |topic| string_hash(topic));
        return Err(Failure::Words(format!(
            "List of topics to reassign contains duplicate entries: [{}]",
            twice.join(", ")
        )));
    }
    let current = placed::of_topics(&topics, admin).await?;
    let log_dirs = placed::log_dirs(release, &current, admin).await?;
    let mut brokers = admin.describe_cluster(false).await?.nodes;
    brokers.retain(|node| wanted.contains(&node.id));
    let without_rack = brokers.iter().filter(|node| !by_rack || node.rack.is_none()).count();
    if by_rack && without_rack != 0 && without_rack != brokers.len() {
        return Err(Failure::Words(
            "Not all brokers have rack information. Add --disable-rack-aware in command line to \
             make replica assignment without rack information."
                .to_owned(),
        ));
    }
    let usable: Vec<(i32, Option<&str>)> =
        brokers.iter().map(|node| (node.id, node.rack.as_deref().filter(|_| by_rack))).collect();
    let mut draws = Draws::new(uuid::Uuid::new_v4().as_u128());
    let proposed = propose_all(&current, &usable, &mut draws)?;
    let current = plan::format(&current, &log_dirs);
    writeln!(out, "Current partition replica assignment\n{current}\n")?;
    let proposed = plan::format(&proposed, &BTreeMap::new());
    Ok(writeln!(out, "Proposed partition reassignment configuration\n{proposed}")?)
}

fn broker_ids(list: &str) -> Result<Vec<i32>, Failure> {
    let mut words: Vec<&str> = list.split(',').collect();
    // Java's split drops what is empty at the end, but not the only part.
    while words.len() > 1 && words.last().is_some_and(|word| word.is_empty()) {
        words.pop();
    }
    let number = |word: &str| {
        let wrong = |_| Failure::Words(format!("For input string: \"{word}\""));
        word.parse().map_err(wrong)
    };
    let ids: Vec<i32> = words.into_iter().map(number).collect::<Result<_, _>>()?;
    let twice = integer_set(plan::duplicates(ids.iter()));
    match twice.is_empty() {
        true => Ok(ids),
        false => Err(Failure::Words(format!(
            "Broker list contains duplicate entries: [{}]",
            joined(&twice).replace(',', ", ")
        ))),
    }
}

/// New places for the partitions of each topic, with as many replicas as its first one has.
fn propose_all(
    current: &BTreeMap<Partition, Vec<i32>>,
    brokers: &[(i32, Option<&str>)],
    draws: &mut Draws,
) -> Result<BTreeMap<Partition, Vec<i32>>, Failure> {
    let mut topics: BTreeMap<&str, Vec<&Vec<i32>>> = BTreeMap::new();
    for ((topic, _), replicas) in current {
        topics.entry(topic).or_default().push(replicas);
    }
    let mut proposed = BTreeMap::new();
    for (topic, partitions) in topics {
        let factor = partitions.first().map_or(0, |replicas| replicas.len());
        let factor = i16::try_from(factor).unwrap_or(i16::MAX);
        let count = i32::try_from(partitions.len()).unwrap_or(i32::MAX);
        let placed = propose(brokers.iter().copied(), count, factor, draws);
        let placed = placed.map_err(|error| {
            let message = error.message.unwrap_or_default();
            Failure::Placement(AdminError::Answer { code: INVALID_REPLICATION_FACTOR, message })
        })?;
        for (index, replicas) in (0..).zip(placed) {
            proposed.insert((topic.to_owned(), index), replicas);
        }
    }
    Ok(proposed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_gets_as_many_replicas_as_it_had() {
        let partition = |index| ("t".to_owned(), index);
        let current = BTreeMap::from([(partition(0), vec![1, 2]), (partition(1), vec![2, 1])]);
        let brokers = [(4, Some("a")), (5, Some("b")), (6, Some("a"))];
        let proposed = propose_all(&current, &brokers, &mut Draws::new(7)).unwrap();
        assert_eq!(proposed.len(), 2);
        for replicas in proposed.values() {
            assert_eq!(replicas.len(), 2);
            assert!(replicas.contains(&5), "one replica in each rack: {replicas:?}");
        }
        let refused = propose_all(&current, &brokers[..1], &mut Draws::new(7)).unwrap_err();
        assert!(refused.to_string().contains("only 1 broker(s)"), "{refused}");
    }

    #[test]
    fn broker_lists_are_numbers_without_repetition() {
        assert_eq!(broker_ids("1,2,").unwrap(), [1, 2]);
        for (list, words) in [
            ("1,x", "For input string: \"x\""),
            ("", "For input string: \"\""),
            ("1,2,1", "Broker list contains duplicate entries: [1]"),
        ] {
            assert_eq!(broker_ids(list).unwrap_err().to_string(), words);
        }
    }
}
