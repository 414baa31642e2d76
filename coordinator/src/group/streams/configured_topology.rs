//! A topology with the topics that there are: how many tasks each subtopology has, and which
//! internal topics are to be made. Answers to `InternalTopicManager`, `ConfiguredTopology`,
//! `ConfiguredSubtopology` and `ConfiguredInternalTopic`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::records::group::{StreamsSubtopologyValue, StreamsTopicInfo};
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::super::modern::{ClusterMetadata, hash_map_order};
use super::internal_topics::{Misfit, PartitionCounts, unexpected};
use super::status::StreamsStatus;
use super::topology::StreamsTopology;
use crate::java_hash;

/// As many topics as Kafka names of those that are missing.
const NAMED_TOPICS: usize = 3;

/// A topic that the application needs for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalTopic {
    pub name: StrBytes,
    pub partitions: i32,
    /// None: the cluster's default.
    pub replication_factor: Option<i16>,
    pub configs: Vec<(StrBytes, StrBytes)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfiguredTopology {
    pub(super) epoch: i32,
    /// By id; none while topics are missing or do not fit.
    pub(super) subtopologies: Option<BTreeMap<StrBytes, ConfiguredSubtopology>>,
    /// Internal topics that are to be made.
    pub(super) missing: Vec<InternalTopic>,
    /// Why the group cannot begin.
    pub(super) problem: Option<StreamsStatus>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfiguredSubtopology {
    pub(super) tasks: i32,
    pub(super) source_topics: BTreeSet<StrBytes>,
    pub(super) repartition_sink_topics: BTreeSet<StrBytes>,
    pub(super) repartition_source_topics: BTreeMap<StrBytes, InternalTopic>,
    pub(super) state_changelog_topics: BTreeMap<StrBytes, InternalTopic>,
}

impl ConfiguredSubtopology {
    /// With state that standbys can keep.
    pub(super) fn is_stateful(&self) -> bool {
        !self.state_changelog_topics.is_empty()
    }
}

impl ConfiguredTopology {
    /// Looks at the topics that there are; an error is the topology's own.
    pub(super) fn new(
        topology: &StreamsTopology,
        metadata: &dyn ClusterMetadata,
    ) -> Result<Self, GroupError> {
        let epoch = topology.epoch;
        match configure(topology, metadata) {
            Ok((subtopologies, missing)) => {
                let names = missing.iter().map(|topic| topic.name.as_str());
                let problem = (!missing.is_empty()).then(|| {
                    let names = summary(names.collect());
                    StreamsStatus::MissingInternalTopics(format!(
                        "Internal topics are missing: {names}"
                    ))
                });
                Ok(Self { epoch, subtopologies: Some(subtopologies), missing, problem })
            }
            Err(Misfit::Topics(problem)) => {
                Ok(Self { epoch, subtopologies: None, missing: Vec::new(), problem: Some(problem) })
            }
            Err(Misfit::Topology(error)) => Err(error),
        }
    }

    /// The subtopologies of a group that can begin.
    pub(super) fn ready(&self) -> Option<&BTreeMap<StrBytes, ConfiguredSubtopology>> {
        self.subtopologies.as_ref().filter(|_| self.problem.is_none())
    }
}

type Configured = (BTreeMap<StrBytes, ConfiguredSubtopology>, Vec<InternalTopic>);

fn configure(
    topology: &StreamsTopology,
    metadata: &dyn ClusterMetadata,
) -> Result<Configured, Misfit> {
    let sources = topology.subtopologies.iter().flat_map(|part| &part.source_topics);
    let missing: BTreeSet<&str> = sources
        .filter(|topic| metadata.topic_by_name(topic).is_none())
        .map(|topic| topic.as_str())
        .collect();
    if !missing.is_empty() {
        let names = summary(missing.into_iter().collect());
        let why = format!("Source topics {names} are missing.");
        return Err(Misfit::Topics(StreamsStatus::MissingSourceTopics(why)));
    }
    let counts = PartitionCounts::decide(topology, metadata)?;
    let mut subtopologies = BTreeMap::new();
    for part in &topology.subtopologies {
        subtopologies.insert(part.subtopology_id.clone(), configured(part, &counts)?);
    }
    let missing = missing_topics(topology, &subtopologies, &counts)?;
    Ok((subtopologies, missing))
}

fn configured(
    part: &StreamsSubtopologyValue,
    counts: &PartitionCounts<'_>,
) -> Result<ConfiguredSubtopology, Misfit> {
    let topics =
        |topics: &[StreamsTopicInfo]| -> Result<BTreeMap<StrBytes, InternalTopic>, Misfit> {
            let topics =
                topics.iter().map(|topic| Ok((topic.name.clone(), internal(topic, counts)?)));
            topics.collect()
        };
    Ok(ConfiguredSubtopology {
        tasks: counts.tasks(part)?,
        source_topics: part.source_topics.iter().cloned().collect(),
        repartition_sink_topics: part.repartition_sink_topics.iter().cloned().collect(),
        repartition_source_topics: topics(&part.repartition_source_topics)?,
        state_changelog_topics: topics(&part.state_changelog_topics)?,
    })
}

fn internal(
    topic: &StreamsTopicInfo,
    counts: &PartitionCounts<'_>,
) -> Result<InternalTopic, Misfit> {
    let decided = counts.decided.get(&topic.name).copied();
    let partitions = if topic.partitions == 0 { decided } else { Some(topic.partitions) };
    let partitions = partitions.filter(|partitions| *partitions >= 1);
    let configs = topic.topic_configs.iter().map(|of| (of.key.clone(), of.value.clone()));
    Ok(InternalTopic {
        name: topic.name.clone(),
        partitions: partitions.ok_or_else(|| unexpected("an internal topic without partitions"))?,
        replication_factor: Some(topic.replication_factor).filter(|factor| *factor != 0),
        configs: hash_map_order(configs.collect(), |(key, _)| java_hash(key)),
    })
}

/// In the order in which Kafka names them.
fn missing_topics(
    topology: &StreamsTopology,
    subtopologies: &BTreeMap<StrBytes, ConfiguredSubtopology>,
    counts: &PartitionCounts<'_>,
) -> Result<Vec<InternalTopic>, Misfit> {
    let mut wanted: BTreeMap<&StrBytes, &InternalTopic> = BTreeMap::new();
    for part in subtopologies.values() {
        wanted.extend(&part.repartition_source_topics);
        wanted.extend(&part.state_changelog_topics);
    }
    let required = topology.required_topics().into_iter().collect();
    for topic in hash_map_order(required, |topic: &&StrBytes| java_hash(topic)) {
        if let (Some(topic), Some(found)) = (wanted.get(topic), counts.existing(topic))
            && topic.partitions != found
        {
            let (name, expected) = (&topic.name, topic.partitions);
            let why = format!(
                "Existing topic {name} has different number of partitions: expected {expected}, \
                 found {found}"
            );
            return Err(Misfit::Topics(StreamsStatus::IncorrectlyPartitionedTopics(why)));
        }
    }
    let wanted = hash_map_order(wanted.into_values().collect(), |topic| java_hash(&topic.name));
    let missing = wanted.into_iter().filter(|topic| counts.existing(&topic.name).is_none());
    Ok(missing.cloned().collect())
}

/// The first few names, and how many there are besides.
fn summary(names: Vec<&str>) -> String {
    let named = names.len().min(NAMED_TOPICS);
    let first = names[..named].join(", ");
    match names.len() - named {
        0 => first,
        more => format!("{first} and {more} additional topics"),
    }
}
