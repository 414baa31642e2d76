//! How many partitions the internal topics of a topology are to have: repartition topics as many as
//! what flows into them, unless the application says, and what stands in one copartition group
//! alike; changelogs as many as their subtopology has tasks. Answers to `RepartitionTopics`,
//! `ChangelogTopics` and `InternalTopicManager.decidePartitionCounts`.

use std::collections::BTreeMap;

use protocol::records::group::StreamsSubtopologyValue;
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::super::modern::ClusterMetadata;
use super::copartitioning;
use super::status::StreamsStatus;
use super::topology::{StreamsTopology, sources};

/// Why the topics do not do for the topology.
#[derive(Debug)]
pub(super) enum Misfit {
    /// The group waits for other topics.
    Topics(StreamsStatus),
    /// No topics would do.
    Topology(GroupError),
}

/// Partitions by topic: as they are, else as they are to be.
#[derive(Debug)]
pub(super) struct PartitionCounts<'a> {
    metadata: &'a dyn ClusterMetadata,
    pub(super) decided: BTreeMap<StrBytes, i32>,
}

impl<'a> PartitionCounts<'a> {
    /// For all topics of the topology, whose source topics are there.
    pub(super) fn decide(
        topology: &StreamsTopology,
        metadata: &'a dyn ClusterMetadata,
    ) -> Result<Self, Misfit> {
        let mut counts = Self { metadata, decided: BTreeMap::new() };
        counts.decided = counts.of_repartition_topics(topology)?;
        copartitioning::enforce(topology, &mut counts)?;
        let changelogs = counts.of_changelogs(topology)?;
        counts.decided.extend(changelogs);
        Ok(counts)
    }

    pub(super) fn existing(&self, topic: &str) -> Option<i32> {
        self.metadata.topic_by_name(topic).map(|topic| topic.partitions)
    }

    pub(super) fn get(&self, topic: &StrBytes) -> Option<i32> {
        self.existing(topic).or_else(|| self.decided.get(topic).copied())
    }

    pub(super) fn known(&self, topic: &StrBytes) -> Result<i32, Misfit> {
        self.get(topic).ok_or_else(|| unexpected("a topic's number of partitions is not known"))
    }

    /// The tasks of a subtopology: as many as the largest topic that it reads has partitions.
    pub(super) fn tasks(&self, part: &StreamsSubtopologyValue) -> Result<i32, Misfit> {
        let counts: Result<Vec<i32>, Misfit> =
            sources(part).map(|topic| self.known(topic)).collect();
        counts?.into_iter().max().ok_or_else(|| {
            let id = &part.subtopology_id;
            invalid(format!("No source topics found for subtopology {id}"))
        })
    }

    fn of_repartition_topics(
        &self,
        topology: &StreamsTopology,
    ) -> Result<BTreeMap<StrBytes, i32>, Misfit> {
        let parts = &topology.subtopologies;
        let read = || parts.iter().flat_map(|part| &part.repartition_source_topics);
        let fixed = read().filter(|topic| topic.partitions != 0);
        let mut counts: BTreeMap<StrBytes, i32> =
            fixed.map(|topic| (topic.name.clone(), topic.partitions)).collect();
        loop {
            let (mut is_complete, mut has_progressed) = (true, false);
            for part in parts {
                for sink in &part.repartition_sink_topics {
                    if counts.contains_key(sink) {
                        continue;
                    }
                    match self.flows_out(part, &counts) {
                        Some(count) => {
                            counts.insert(sink.clone(), count);
                            has_progressed = true;
                        }
                        None => is_complete = false,
                    }
                }
            }
            if is_complete {
                break;
            }
            if !has_progressed {
                let why = "Failed to compute number of partitions for all repartition topics. \
                           There may be loops in the topology that cannot be resolved.";
                return Err(invalid(why.to_owned()));
            }
        }
        if read().any(|topic| !counts.contains_key(&topic.name)) {
            let why = "Failed to compute number of partitions for all repartition topics, because \
                       a repartition source topic is never used as a sink topic.";
            return Err(invalid(why.to_owned()));
        }
        Ok(counts)
    }

    /// The largest of what a subtopology reads, as far as it is known.
    fn flows_out(
        &self,
        part: &StreamsSubtopologyValue,
        counts: &BTreeMap<StrBytes, i32>,
    ) -> Option<i32> {
        let internal = part.repartition_source_topics.iter().map(|topic| &topic.name);
        let internal = internal.filter_map(|topic| counts.get(topic).copied());
        let external = part.source_topics.iter().filter_map(|topic| self.get(topic));
        internal.chain(external).max()
    }

    fn of_changelogs(&self, topology: &StreamsTopology) -> Result<BTreeMap<StrBytes, i32>, Misfit> {
        let mut counts = BTreeMap::new();
        for part in &topology.subtopologies {
            let tasks = self.tasks(part)?;
            let topics = part.state_changelog_topics.iter();
            counts.extend(topics.map(|topic| (topic.name.clone(), tasks)));
        }
        Ok(counts)
    }
}

pub(super) fn invalid(why: String) -> Misfit {
    Misfit::Topology(GroupError::InvalidTopology(why))
}

pub(super) fn unexpected(why: &'static str) -> Misfit {
    Misfit::Topology(GroupError::Unexpected(why))
}
