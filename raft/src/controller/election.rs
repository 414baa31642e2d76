//! Who leads when brokers come and go, and elections that somebody asks for.
//!
//! Answers to `electLeaders`, `generateLeaderAndIsrUpdates`, the balancing and the unclean election
//! of `ReplicationControlManager`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use protocol::messages::{ElectLeadersRequest, ElectLeadersResponse, TopicName};
use protocol::records::metadata::{MetadataRecord, PartitionChangeRecord};

use super::change::Election;
use super::error::{ApiError, outcome, worded};
use super::{Controller, ControllerResult};
use crate::image::{Partition, Topic};

/// Kafka's bound on elections in one go of a periodic task.
const MAX_ELECTIONS_PER_RUN: usize = 1_000;

/// What happened to a broker, as far as its partitions care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BrokerEvent {
    /// It leaves every ISR.
    Removed(i32),
    /// It may lead again.
    Added(i32),
    /// It leaves every ISR, and what it had not synced is lost.
    UncleanShutdown(i32),
}

impl Controller {
    /// Every partition for which `affected` holds, in the order of topic ids.
    pub(super) fn partitions_where(
        &self,
        affected: impl Fn(&Partition) -> bool,
    ) -> Vec<(Arc<Topic>, i32)> {
        let mut found = Vec::new();
        for topic in self.image.topics().iter() {
            let hits = topic.partitions().filter(|(_, partition)| affected(partition));
            found.extend(hits.map(|(id, _)| (topic.clone(), id)));
        }
        found.sort_by_key(|(topic, id)| (topic.id, *id));
        found
    }

    /// The changes that follow from `event` for the given partitions.
    pub(super) fn leader_and_isr_updates(
        &self,
        event: BrokerEvent,
        partitions: &[(Arc<Topic>, i32)],
        records: &mut Vec<MetadataRecord>,
    ) {
        let cluster = self.image.cluster();
        let alive = move |broker: i32| match event {
            BrokerEvent::Removed(gone) | BrokerEvent::UncleanShutdown(gone) if broker == gone => {
                false
            }
            BrokerEvent::Added(back) if broker == back => true,
            _ => cluster.is_active(broker),
        };
        for (topic, id) in partitions {
            let Some(partition) = topic.partition(*id) else {
                continue;
            };
            let mut change = self.change(topic, partition, alive);
            if self.unclean_election_enabled(&topic.name) {
                change.election = Election::Unclean;
            }
            match event {
                BrokerEvent::Added(_) => {}
                BrokerEvent::Removed(gone) => change.isr.retain(|member| *member != gone),
                BrokerEvent::UncleanShutdown(gone) => {
                    change.isr.retain(|member| *member != gone);
                    change.unclean_shutdown = vec![gone];
                }
            }
            records.extend(change.build(topic.id, *id).map(MetadataRecord::from));
        }
    }

    /// Elects leaders for the given partitions, or for all.
    pub fn elect_leaders(
        &self,
        request: &ElectLeadersRequest,
    ) -> ControllerResult<ElectLeadersResponse> {
        let mut response = ElectLeadersResponse::default();
        let election = match request.election_type {
            0 => Election::Preferred,
            1 => Election::Unclean,
            _ => {
                response.error_code = ErrorCode::InvalidRequest.code();
                return ControllerResult::unchanged(response);
            }
        };
        let mut records = Vec::new();
        match &request.topic_partitions {
            Some(topics) => {
                for asked in topics {
                    let topic = self.image.topics().by_name(asked.topic.as_str());
                    let results = asked.partitions.iter().map(|id| {
                        let elected = topic
                            .ok_or_else(|| unknown(format!("No such topic as {}", *asked.topic)))
                            .and_then(|topic| self.elect(topic, *id, election));
                        let (code, message) = outcome(&elected);
                        records.extend(elected.ok().map(MetadataRecord::from));
                        PartitionResult::default()
                            .with_partition_id(*id)
                            .with_error_code(code)
                            .with_error_message(message)
                    });
                    response.replica_election_results.push(
                        ReplicaElectionResult::default()
                            .with_topic(asked.topic.clone())
                            .with_partition_result(results.collect()),
                    );
                }
            }
            None => {
                for topic in self.image.topics().sorted() {
                    let results = self.elect_in_topic(topic, election, &mut records);
                    response.replica_election_results.push(
                        ReplicaElectionResult::default()
                            .with_topic(TopicName(topic.name.clone()))
                            .with_partition_result(results),
                    );
                }
            }
        }
        ControllerResult::of(records, response)
    }

    fn elect_in_topic(
        &self,
        topic: &Arc<Topic>,
        election: Election,
        records: &mut Vec<MetadataRecord>,
    ) -> Vec<PartitionResult> {
        let mut results = Vec::new();
        for (id, _) in topic.partitions() {
            let elected = self.elect(topic, id, election);
            let needless =
                matches!(&elected, Err(error) if error.code == ErrorCode::ElectionNotNeeded);
            if needless {
                continue;
            }
            let (code, message) = outcome(&elected);
            records.extend(elected.ok().map(MetadataRecord::from));
            results.push(
                PartitionResult::default()
                    .with_partition_id(id)
                    .with_error_code(code)
                    .with_error_message(message),
            );
        }
        results
    }

    fn elect(
        &self,
        topic: &Arc<Topic>,
        id: i32,
        election: Election,
    ) -> Result<PartitionChangeRecord, ApiError> {
        let partition = topic
            .partition(id)
            .ok_or_else(|| unknown(format!("No such partition as {}-{id}", topic.name)))?;
        let needless = match election {
            Election::Preferred => partition.has_preferred_leader(),
            _ => partition.has_leader(),
        };
        if needless {
            return Err(worded(ErrorCode::ElectionNotNeeded));
        }
        let cluster = self.image.cluster();
        let mut change = self.change(topic, partition, |broker| cluster.is_active(broker));
        change.election = election;
        change.build(topic.id, id).ok_or_else(|| {
            worded(match election {
                Election::Preferred => ErrorCode::PreferredLeaderNotAvailable,
                _ => ErrorCode::EligibleLeadersNotAvailable,
            })
        })
    }

    /// Gives partitions back to their preferred leaders; the answer says whether more may be left.
    pub fn balance_leaders(&self) -> ControllerResult<bool> {
        let mut records = Vec::new();
        for (topic, id) in self.partitions_where(|partition| !partition.has_preferred_leader()) {
            if records.len() >= MAX_ELECTIONS_PER_RUN {
                break;
            }
            let elected = self.elect(&topic, id, Election::Preferred);
            records.extend(elected.ok().map(MetadataRecord::from));
        }
        let more = records.len() >= MAX_ELECTIONS_PER_RUN;
        ControllerResult::of(records, more)
    }

    /// Elects unclean leaders where topics allow it and nobody leads.
    pub fn elect_unclean_leaders(&self) -> ControllerResult<bool> {
        let mut records = Vec::new();
        for (topic, id) in self.partitions_where(|partition| !partition.has_leader()) {
            if records.len() >= MAX_ELECTIONS_PER_RUN {
                break;
            }
            if self.unclean_election_enabled(&topic.name) {
                let elected = self.elect(&topic, id, Election::Unclean);
                records.extend(elected.ok().map(MetadataRecord::from));
            }
        }
        let more = records.len() >= MAX_ELECTIONS_PER_RUN;
        ControllerResult::of(records, more)
    }
}

fn unknown(message: String) -> ApiError {
    ApiError::new(ErrorCode::UnknownTopicOrPartition, message)
}
