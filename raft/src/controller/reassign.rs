//! Reassignments of partitions, and of replicas to directories.
//!
//! Answers to `alterPartitionReassignments`, `listPartitionReassignments` and
//! `handleAssignReplicasToDirs` of `ReplicationControlManager` (KIP-455, KIP-858).

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use protocol::messages::list_partition_reassignments_response::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    AssignReplicasToDirsRequest, AssignReplicasToDirsResponse, BrokerId,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, TopicName,
    assign_replicas_to_dirs_response as assigned,
};
use protocol::records::metadata::{MetadataRecord, PartitionChangeRecord};
use uuid::Uuid;

use super::change::Election;
use super::election::BrokerEvent;
use super::error::{ApiError, outcome};
use super::partitions::invalid_assignment;
use super::{Controller, ControllerResult};
use crate::image::{Partition, Topic};

impl Controller {
    /// Starts, changes or cancels reassignments.
    pub fn alter_partition_reassignments(
        &self,
        request: &AlterPartitionReassignmentsRequest,
    ) -> ControllerResult<AlterPartitionReassignmentsResponse> {
        let may_change_factor = request.allow_replication_factor_change;
        let mut records: Vec<MetadataRecord> = Vec::new();
        let mut response = AlterPartitionReassignmentsResponse::default()
            .with_allow_replication_factor_change(may_change_factor)
            .with_error_message(None);
        for topic in &request.topics {
            let name = topic.name.as_str();
            let partitions = topic.partitions.iter().map(|asked| {
                let target: Option<Vec<i32>> = asked
                    .replicas
                    .as_ref()
                    .map(|replicas| replicas.iter().map(|broker| broker.0).collect());
                let id = asked.partition_index;
                let result = self.reassignment(name, id, target.as_deref(), may_change_factor);
                let (code, message) = outcome(&result);
                records.extend(result.ok().flatten().map(MetadataRecord::from));
                ReassignablePartitionResponse::default()
                    .with_partition_index(id)
                    .with_error_code(code)
                    .with_error_message(message)
            });
            let partitions = partitions.collect();
            response.responses.push(
                ReassignableTopicResponse::default()
                    .with_name(topic.name.clone())
                    .with_partitions(partitions),
            );
        }
        ControllerResult::atomic(records, response)
    }

    fn reassignment(
        &self,
        name: &str,
        id: i32,
        target: Option<&[i32]>,
        may_change_factor: bool,
    ) -> Result<Option<PartitionChangeRecord>, ApiError> {
        let unknown = |message| ApiError::new(ErrorCode::UnknownTopicOrPartition, message);
        let topic = self
            .image
            .topics()
            .by_name(name)
            .ok_or_else(|| unknown(format!("Unable to find a topic named {name}.")))?;
        let partition = topic
            .partition(id)
            .ok_or_else(|| unknown(format!("Unable to find partition {name}:{id}.")))?;
        match target {
            None => self.cancelled_reassignment(topic, id, partition),
            Some(target) => {
                self.check_assignment(target, None)?;
                if !may_change_factor {
                    check_factor_unchanged(partition, target)?;
                }
                Ok(self.started_reassignment(topic, id, partition, target))
            }
        }
    }

    fn cancelled_reassignment(
        &self,
        topic: &Arc<Topic>,
        id: i32,
        partition: &Partition,
    ) -> Result<Option<PartitionChangeRecord>, ApiError> {
        if !partition.is_reassigning() {
            return Err(ErrorCode::NoReassignmentInProgress.into());
        }
        let stays = |list: &[i32]| -> Vec<i32> {
            let adding = &partition.adding_replicas;
            list.iter().copied().filter(|replica| !adding.contains(replica)).collect()
        };
        let (replicas, mut isr) = (stays(&partition.replicas), stays(&partition.isr));
        let unclean_allowed = self.unclean_election_enabled(&topic.name);
        if isr.is_empty() {
            let first = replicas.first().ok_or_else(|| {
                invalid_assignment(
                    "Invalid replica assignment: addingReplicas contains all replicas.",
                )
            })?;
            if !unclean_allowed {
                return Err(invalid_assignment(format!(
                    "Unable to revert partition assignment for {}:{id} because it would require \
                     an unclean leader election.",
                    topic.name
                )));
            }
            isr.push(*first);
        }
        let cluster = self.image.cluster();
        let mut change = self.change(topic, partition, |broker| cluster.is_active(broker));
        if unclean_allowed {
            change.election = Election::Unclean;
        }
        change.isr = isr;
        change.replicas = replicas;
        change.removing.clear();
        change.adding.clear();
        Ok(change.build(topic.id, id))
    }

    fn started_reassignment(
        &self,
        topic: &Arc<Topic>,
        id: i32,
        partition: &Partition,
        target: &[i32],
    ) -> Option<PartitionChangeRecord> {
        let without = |list: &[i32], other: &[i32]| -> Vec<i32> {
            let only: BTreeSet<i32> =
                list.iter().copied().filter(|replica| !other.contains(replica)).collect();
            only.into_iter().collect()
        };
        let removing = without(&partition.replicas, target);
        let adding = without(target, &partition.replicas);
        let cluster = self.image.cluster();
        let mut change = self.change(topic, partition, |broker| cluster.is_active(broker));
        change.replicas = [target, &removing].concat();
        if !removing.is_empty() {
            change.removing = removing;
        }
        if !adding.is_empty() {
            change.adding = adding;
        }
        change.build(topic.id, id)
    }

    /// The reassignments that go on, of the given partitions or of all.
    pub fn list_partition_reassignments(
        &self,
        request: &ListPartitionReassignmentsRequest,
    ) -> ListPartitionReassignmentsResponse {
        let topics = self.image.topics();
        let ongoing = |topic: &Arc<Topic>, wanted: &dyn Fn(i32) -> bool| {
            let partitions: Vec<_> = topic
                .partitions()
                .filter(|(id, partition)| wanted(*id) && partition.is_reassigning())
                .map(|(id, partition)| ongoing_reassignment(id, partition))
                .collect();
            (!partitions.is_empty()).then(|| {
                OngoingTopicReassignment::default()
                    .with_name(TopicName(topic.name.clone()))
                    .with_partitions(partitions)
            })
        };
        let found = match &request.topics {
            None => topics.sorted().into_iter().filter_map(|t| ongoing(t, &|_| true)).collect(),
            Some(asked) => asked
                .iter()
                .filter_map(|asked| {
                    let topic = topics.by_name(asked.name.as_str())?;
                    ongoing(topic, &|id| asked.partition_indexes.contains(&id))
                })
                .collect(),
        };
        ListPartitionReassignmentsResponse::default().with_error_message(None).with_topics(found)
    }

    /// A broker says in which directories its replicas are.
    pub fn assign_replicas_to_dirs(
        &self,
        request: &AssignReplicasToDirsRequest,
    ) -> ControllerResult<AssignReplicasToDirsResponse> {
        let mut response = AssignReplicasToDirsResponse::default();
        let id = request.broker_id.0;
        let refusal = if self.image.metadata_version().has_directories() {
            self.check_broker_epoch(id, request.broker_epoch).err().map(|error| error.code)
        } else {
            Some(ErrorCode::UnsupportedVersion)
        };
        if let Some(code) = refusal {
            response.error_code = code.code();
            return ControllerResult::unchanged(response);
        }
        let mut records = Vec::new();
        let mut offline = Vec::new();
        for asked in &request.directories {
            let online = self.image.cluster().has_online_directory(id, asked.id);
            let topics = asked.topics.iter().map(|topic| {
                let partitions = topic.partitions.iter().map(|partition| {
                    let index = partition.partition_index;
                    let moved = self.moved_replica(id, topic.topic_id, index, asked.id);
                    let answer = assigned::PartitionData::default().with_partition_index(index);
                    match moved {
                        Err(code) => answer.with_error_code(code.code()),
                        Ok((topic, record)) => {
                            records.extend(record.map(MetadataRecord::from));
                            if !online {
                                offline.push((topic, index));
                            }
                            answer
                        }
                    }
                });
                assigned::TopicData::default()
                    .with_topic_id(topic.topic_id)
                    .with_partitions(partitions.collect())
            });
            let topics = topics.collect();
            response
                .directories
                .push(assigned::DirectoryData::default().with_id(asked.id).with_topics(topics));
        }
        self.leader_and_isr_updates(BrokerEvent::Removed(id), &offline, &mut records);
        ControllerResult::of(records, response)
    }

    /// The change of a partition whose replica on `broker` lives in `directory`.
    ///
    /// Unlike Kafka: who is eligible to lead stays so (docs/decisions/0107).
    fn moved_replica(
        &self,
        broker: i32,
        topic_id: Uuid,
        id: i32,
        directory: Uuid,
    ) -> Result<(Arc<Topic>, Option<PartitionChangeRecord>), ErrorCode> {
        let topic = self.image.topics().by_id(topic_id).ok_or(ErrorCode::UnknownTopicId)?;
        let partition = topic.partition(id).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        if !partition.replicas.contains(&broker) {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let cluster = self.image.cluster();
        let mut change = self.change(topic, partition, |broker| cluster.is_active(broker));
        change.directories.insert(broker, directory);
        Ok((topic.clone(), change.build(topic_id, id)))
    }
}

fn ongoing_reassignment(id: i32, partition: &Partition) -> OngoingPartitionReassignment {
    let brokers = |list: &[i32]| list.iter().copied().map(BrokerId).collect();
    OngoingPartitionReassignment::default()
        .with_partition_index(id)
        .with_replicas(brokers(&partition.replicas))
        .with_adding_replicas(brokers(&partition.adding_replicas))
        .with_removing_replicas(brokers(&partition.removing_replicas))
}

fn check_factor_unchanged(partition: &Partition, target: &[i32]) -> Result<(), ApiError> {
    let mut replicas: BTreeSet<i32> = partition.replicas.iter().copied().collect();
    replicas.extend(&partition.adding_replicas);
    for removed in &partition.removing_replicas {
        replicas.remove(removed);
    }
    if replicas.len() == target.len() {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::InvalidReplicationFactor,
        format!("The replication factor is changed from {} to {}", replicas.len(), target.len()),
    ))
}
