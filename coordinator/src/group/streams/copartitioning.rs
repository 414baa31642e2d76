//! Topics that are joined must have equally many partitions: what the application does not fix
//! follows what is fixed or there. Answers to `CopartitionedTopicsEnforcer`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::records::group::{StreamsCopartitionGroup, StreamsSubtopologyValue};
use protocol::wire::StrBytes;

use super::internal_topics::{Misfit, PartitionCounts, invalid, unexpected};
use super::status::StreamsStatus;
use super::topology::StreamsTopology;

/// Decides anew about the repartition topics that stand in a copartition group.
pub(super) fn enforce(
    topology: &StreamsTopology,
    counts: &mut PartitionCounts<'_>,
) -> Result<(), Misfit> {
    let parts = &topology.subtopologies;
    let read = || parts.iter().flat_map(|part| &part.repartition_source_topics);
    let repartitioned: BTreeSet<&StrBytes> = read().map(|topic| &topic.name).collect();
    let fixed: BTreeSet<&StrBytes> =
        read().filter(|topic| topic.partitions != 0).map(|topic| &topic.name).collect();
    for part in parts {
        for group in &part.copartition_groups {
            let topics = topics(part, group)?;
            if !topics.is_empty() {
                let decided = enforce_one(&topics, &repartitioned, &fixed, counts)?;
                counts.decided.extend(decided);
            }
        }
    }
    Ok(())
}

fn topics<'a>(
    part: &'a StreamsSubtopologyValue,
    group: &StreamsCopartitionGroup,
) -> Result<BTreeSet<&'a StrBytes>, Misfit> {
    let at = |index: &i16| usize::try_from(*index).unwrap_or(usize::MAX);
    let external = group.source_topics.iter().map(|index| part.source_topics.get(at(index)));
    let internal = group
        .repartition_source_topics
        .iter()
        .map(|index| Some(&part.repartition_source_topics.get(at(index))?.name));
    let topics: Option<BTreeSet<&StrBytes>> = external.chain(internal).collect();
    topics.ok_or_else(|| unexpected("a copartition group names a topic that is not there"))
}

fn enforce_one(
    topics: &BTreeSet<&StrBytes>,
    repartitioned: &BTreeSet<&StrBytes>,
    fixed: &BTreeSet<&StrBytes>,
    counts: &PartitionCounts<'_>,
) -> Result<BTreeMap<StrBytes, i32>, Misfit> {
    let (mut internal, mut external) = (BTreeMap::new(), BTreeMap::new());
    for topic in topics {
        let into = if repartitioned.contains(topic) { &mut internal } else { &mut external };
        into.insert(*topic, counts.known(topic)?);
    }
    let partitions = if !external.is_empty() {
        same(&external, external.values().copied())?
    } else if !fixed.is_empty() {
        // As in Kafka, of the whole topology.
        let all: Result<Vec<i32>, Misfit> = fixed.iter().map(|topic| counts.known(topic)).collect();
        same(&internal, all?.into_iter())?
    } else {
        match internal.values().copied().max() {
            Some(most) if most > 0 => most,
            _ => {
                let names: Vec<&str> = internal.keys().map(|topic| topic.as_str()).collect();
                return Err(invalid(format!(
                    "All topics in the copartition group had undefined partition number: [{}]",
                    names.join(", ")
                )));
            }
        }
    };
    for (topic, has) in &internal {
        if fixed.contains(topic) && *has != partitions {
            return Err(mismatch(format!(
                "Number of partitions [{has}] of repartition topic [{topic}] doesn't match number \
                 of partitions [{partitions}] of the source topic."
            )));
        }
    }
    Ok(internal.into_keys().map(|topic| (topic.clone(), partitions)).collect())
}

/// The number that all have; `shown` is named where they differ.
fn same(
    shown: &BTreeMap<&StrBytes, i32>,
    mut counts: impl Iterator<Item = i32>,
) -> Result<i32, Misfit> {
    let first = counts.next().ok_or_else(|| unexpected("a copartition group has no topics"))?;
    if counts.all(|count| count == first) {
        return Ok(first);
    }
    let all: Vec<String> = shown.iter().map(|(topic, count)| format!("{topic}={count}")).collect();
    Err(mismatch(format!(
        "Following topics do not have the same number of partitions: [{{{}}}]",
        all.join(", ")
    )))
}

fn mismatch(why: String) -> Misfit {
    Misfit::Topics(StreamsStatus::IncorrectlyPartitionedTopics(why))
}
