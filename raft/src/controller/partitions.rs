//! CreatePartitions and AlterPartition, and what every way to new partitions shares.
//!
//! Answers to the like-named methods of `ReplicationControlManager`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::alter_partition_request::{BrokerState, PartitionData};
use protocol::messages::alter_partition_response as altered;
use protocol::messages::create_partitions_request::CreatePartitionsTopic;
use protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use protocol::messages::{
    AlterPartitionRequest, AlterPartitionResponse, BrokerId, CreatePartitionsRequest,
    CreatePartitionsResponse,
};
use protocol::records::metadata::{MetadataRecord, NO_LEADER_CHANGE};

use super::change::{Election, PartitionChange};
use super::error::{ApiError, outcome};
use super::placement;
use super::topics::split_duplicates;
use super::{Controller, ControllerNow, ControllerResult, MAX_RECORDS_PER_REQUEST, PartitionQuota};
use crate::draws::Draws;
use crate::image::{LeaderRecovery, Partition, Topic};
use crate::planted::{Bug, is_planted};

impl Controller {
    /// Adds partitions to topics.
    pub fn create_partitions(
        &self,
        request: &CreatePartitionsRequest,
        quota: &mut dyn PartitionQuota,
        now: &ControllerNow,
    ) -> ControllerResult<CreatePartitionsResponse> {
        let mut draws = now.draws();
        let (single, duplicates) = split_duplicates(request.topics.iter().map(|t| &t.name));
        let answer = |name, result: &Result<(), ApiError>| {
            let (code, message) = outcome(result);
            CreatePartitionsTopicResult::default()
                .with_name(name)
                .with_error_code(code)
                .with_error_message(message)
        };
        let twice = Err(ApiError::new(ErrorCode::InvalidRequest, "Duplicate topic name."));
        let mut results: Vec<_> =
            duplicates.into_iter().map(|name| answer(name.clone(), &twice)).collect();
        let mut records = Vec::new();
        for topic in request.topics.iter().filter(|topic| single.contains(&topic.name)) {
            let room = MAX_RECORDS_PER_REQUEST - records.len();
            let added = self.added_partitions(topic, room, quota, &mut draws);
            results
                .push(answer(topic.name.clone(), &added.as_ref().map(drop).map_err(Clone::clone)));
            records.extend(added.unwrap_or_default());
        }
        if request.validate_only {
            records.clear();
        }
        let response = CreatePartitionsResponse::default().with_results(results);
        ControllerResult::atomic(records, response)
    }

    fn added_partitions(
        &self,
        request: &CreatePartitionsTopic,
        room: usize,
        quota: &mut dyn PartitionQuota,
        draws: &mut Draws,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let name = request.name.as_str();
        let unknown = ApiError::from(ErrorCode::UnknownTopicOrPartition);
        let topic = self.image.topics().by_name(name).ok_or(unknown)?;
        let present = topic.partitions().len() as i32;
        let invalid = |message| Err(ApiError::new(ErrorCode::InvalidPartitions, message));
        if request.count == present {
            return invalid(format!("Topic already has {present} partition(s)."));
        }
        if request.count < present {
            return invalid(format!(
                "The topic {name} currently has {present} partition(s); {} would not be an \
                 increase.",
                request.count
            ));
        }
        let additional = request.count - present;
        if let Some(assignments) = &request.assignments
            && assignments.len() as i32 != additional
        {
            return Err(ApiError::new(
                ErrorCode::InvalidReplicaAssignment,
                format!(
                    "Attempted to add {additional} additional partition(s), but only {} \
                     assignment(s) were specified.",
                    assignments.len()
                ),
            ));
        }
        quota.take(additional as usize)?;
        // Kafka says so after it has placed them all.
        if additional as usize > room {
            let message = "Unable to perform excessively large batch operation.";
            return Err(ApiError::new(ErrorCode::PolicyViolation, message));
        }
        let factor = topic.partitions().next().map_or(0, |(_, first)| first.replicas.len());
        let partitions = match &request.assignments {
            None => self.place_partitions(additional, factor as i16, draws).map_err(|error| {
                // Kafka words this case for itself and leaves the placer's others as they are.
                match error.message.as_deref() {
                    Some(ALL_FENCED_OR_SHUTTING_DOWN) => ApiError::new(
                        ErrorCode::InvalidReplicationFactor,
                        format!(
                            "Unable to replicate the partition {factor} time(s): \
                             {ALL_FENCED_OR_SHUTTING_DOWN}"
                        ),
                    ),
                    _ => error,
                }
            })?,
            Some(assignments) => (present..)
                .zip(assignments)
                .map(|(id, assignment)| {
                    let replicas = assignment.broker_ids.iter().map(|broker| broker.0).collect();
                    self.assigned_partition(id, replicas, Some(factor))
                })
                .collect::<Result<_, _>>()?,
        };
        let numbered = (present..).zip(&partitions);
        Ok(numbered.map(|(id, partition)| self.partition_record(topic.id, id, partition)).collect())
    }

    /// New partitions where the placer puts them.
    pub(super) fn place_partitions(
        &self,
        count: i32,
        replication_factor: i16,
        draws: &mut Draws,
    ) -> Result<Vec<Partition>, ApiError> {
        let placed = placement::place(self.image.cluster(), count, replication_factor, draws)?;
        let refused =
            || ApiError::new(ErrorCode::InvalidReplicationFactor, ALL_FENCED_OR_SHUTTING_DOWN);
        placed.into_iter().map(|replicas| self.partition_on(replicas).ok_or_else(refused)).collect()
    }

    /// A new partition on the given replicas; `None` when none of them is active.
    fn partition_on(&self, replicas: Vec<i32>) -> Option<Partition> {
        let cluster = self.image.cluster();
        let isr: Vec<i32> =
            replicas.iter().copied().filter(|broker| cluster.is_active(*broker)).collect();
        let directories =
            replicas.iter().map(|broker| cluster.default_directory(*broker)).collect();
        (!isr.is_empty()).then(|| Partition::new(replicas, directories, isr))
    }

    /// A new partition on replicas that the asker chose.
    pub(super) fn assigned_partition(
        &self,
        id: i32,
        replicas: Vec<i32>,
        replication_factor: Option<usize>,
    ) -> Result<Partition, ApiError> {
        self.check_assignment(&replicas, replication_factor)?;
        self.partition_on(replicas).ok_or_else(|| {
            invalid_assignment(format!(
                "All brokers specified in the manual partition assignment for partition {id} are \
                 fenced or in controlled shutdown."
            ))
        })
    }

    pub(super) fn check_assignment(
        &self,
        replicas: &[i32],
        replication_factor: Option<usize>,
    ) -> Result<(), ApiError> {
        if replicas.is_empty() {
            return Err(invalid_assignment(
                "The manual partition assignment includes an empty replica list.",
            ));
        }
        let mut sorted = replicas.to_vec();
        sorted.sort_unstable();
        let mut previous = None;
        for broker in sorted {
            if self.image.cluster().broker(broker).is_none() {
                return Err(invalid_assignment(format!(
                    "The manual partition assignment includes broker {broker}, but no such broker \
                     is registered."
                )));
            }
            if previous.replace(broker) == Some(broker) {
                return Err(invalid_assignment(format!(
                    "The manual partition assignment includes the broker {broker} more than once."
                )));
            }
        }
        match replication_factor {
            Some(factor) if factor != replicas.len() => Err(invalid_assignment(format!(
                "The manual partition assignment includes a partition with {} replica(s), but \
                 this is not consistent with previous partitions, which have {factor} replica(s).",
                replicas.len()
            ))),
            _ => Ok(()),
        }
    }

    /// A change of `partition` under the rules in force, for the caller to fill in.
    pub(super) fn change<'a>(
        &'a self,
        topic: &Topic,
        partition: &'a Partition,
        alive: impl Fn(i32) -> bool + 'a,
    ) -> PartitionChange<'a> {
        PartitionChange::new(
            partition,
            self.image.cluster(),
            alive,
            self.image.metadata_version(),
            self.image.features().elr_enabled(),
            self.min_isr(topic),
        )
    }

    /// `min.insync.replicas` in force for a topic, never above its replication factor.
    fn min_isr(&self, topic: &Topic) -> usize {
        let value = self.topic_value(&topic.name, "min.insync.replicas");
        let value = value.and_then(|value| value.trim().parse().ok());
        let min_isr = value.unwrap_or(self.settings.min_insync_replicas).max(0) as usize;
        let replicas = topic.partition(0).map_or(min_isr, |first| first.replicas.len());
        min_isr.min(replicas)
    }

    /// A leader changes the ISR of its partitions.
    pub fn alter_partition(
        &self,
        request: &AlterPartitionRequest,
        api_version: i16,
    ) -> ControllerResult<AlterPartitionResponse> {
        let mut response = AlterPartitionResponse::default();
        let leader = request.broker_id.0;
        if let Err(error) = self.check_broker_epoch(leader, request.broker_epoch) {
            response.error_code = error.code();
            return ControllerResult::unchanged(response);
        }
        let mut records = Vec::new();
        for asked in &request.topics {
            let topic = self.image.topics().by_id(asked.topic_id);
            let partitions = asked.partitions.iter().map(|partition| {
                let answer = altered::PartitionData::default()
                    .with_partition_index(partition.partition_index);
                let changed = topic.ok_or(ErrorCode::UnknownTopicId).and_then(|topic| {
                    self.altered_partition(leader, topic, partition, api_version, &mut records)
                });
                match changed {
                    Err(code) => answer.with_error_code(code.code()),
                    Ok(now) => answer
                        .with_leader_id(BrokerId(now.leader))
                        .with_leader_epoch(now.leader_epoch)
                        .with_isr(now.isr.iter().copied().map(BrokerId).collect())
                        .with_leader_recovery_state(now.leader_recovery.id())
                        .with_partition_epoch(now.partition_epoch),
                }
            });
            let topic = altered::TopicData::default()
                .with_topic_id(asked.topic_id)
                .with_partitions(partitions.collect());
            response.topics.push(topic);
        }
        ControllerResult::of(records, response)
    }

    fn altered_partition(
        &self,
        leader: i32,
        topic: &Arc<Topic>,
        asked: &PartitionData,
        api_version: i16,
        records: &mut Vec<MetadataRecord>,
    ) -> Result<Partition, ErrorCode> {
        let partition =
            topic.partition(asked.partition_index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let simple = asked
            .new_isr
            .iter()
            .map(|id| BrokerState::default().with_broker_id(*id).with_broker_epoch(-1));
        let isr: Vec<BrokerState> =
            if api_version < 3 { simple.collect() } else { asked.new_isr_with_epochs.clone() };
        let recovery = self.check_alteration(leader, partition, asked, &isr)?;
        let cluster = self.image.cluster();
        let mut change = self.change(topic, partition, |broker| cluster.is_active(broker));
        if self.unclean_election_enabled(&topic.name) {
            change.election = Election::Unclean;
        }
        change.isr = isr.iter().map(|member| member.broker_id.0).collect();
        change.leader_recovery = recovery;
        let Some(record) = change.build(topic.id, asked.partition_index) else {
            return Ok(Partition::clone(partition));
        };
        let merged = partition.merged(&record).map_err(|_| ErrorCode::UnknownServerError)?;
        let elected = record.leader != leader && record.leader != NO_LEADER_CHANGE;
        records.push(record.into());
        if elected { Err(ErrorCode::NewLeaderElected) } else { Ok(merged) }
    }

    fn check_alteration(
        &self,
        leader: i32,
        partition: &Partition,
        asked: &PartitionData,
        isr: &[BrokerState],
    ) -> Result<LeaderRecovery, ErrorCode> {
        if asked.leader_epoch > partition.leader_epoch
            || asked.partition_epoch > partition.partition_epoch
        {
            // The asker knows more than this controller, which must be an old one.
            return Err(ErrorCode::NotController);
        }
        if asked.leader_epoch < partition.leader_epoch {
            return Err(ErrorCode::FencedLeaderEpoch);
        }
        if leader != partition.leader {
            return Err(ErrorCode::InvalidRequest);
        }
        if asked.partition_epoch < partition.partition_epoch {
            return Err(ErrorCode::InvalidUpdateVersion);
        }
        let mut ids: Vec<i32> = isr.iter().map(|member| member.broker_id.0).collect();
        let leads = ids.contains(&partition.leader);
        ids.sort_unstable();
        let unique = ids.windows(2).all(|pair| pair[0] != pair[1]);
        if !leads || !unique || !ids.iter().all(|id| partition.replicas.contains(id)) {
            return Err(ErrorCode::InvalidRequest);
        }
        let recovery = LeaderRecovery::from_id(asked.leader_recovery_state)
            .ok_or(ErrorCode::InvalidRequest)?;
        if recovery == LeaderRecovery::Recovering
            && (isr.len() > 1 || partition.leader_recovery == LeaderRecovery::Recovered)
        {
            return Err(ErrorCode::InvalidRequest);
        }
        let cluster = self.image.cluster();
        // Unlike Kafka: a replica whose log is lost is not in sync (docs/decisions/0303).
        let has_log = |id: i32| {
            let directory = partition.directory(id);
            partition.isr.contains(&id)
                || directory.is_none_or(|directory| cluster.has_online_directory(id, directory))
        };
        let eligible = |member: &BrokerState| {
            let known = cluster.broker(member.broker_id.0).map(|broker| broker.broker_epoch);
            cluster.is_active(member.broker_id.0)
                && has_log(member.broker_id.0)
                && (member.broker_epoch == -1
                    || known == Some(member.broker_epoch)
                    || is_planted(Bug::StaleReplicaInSync))
        };
        if isr.iter().all(eligible) { Ok(recovery) } else { Err(ErrorCode::IneligibleReplica) }
    }
}

const ALL_FENCED_OR_SHUTTING_DOWN: &str =
    "All brokers are currently fenced or in controlled shutdown.";

pub(super) fn invalid_assignment(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidReplicaAssignment, message)
}
