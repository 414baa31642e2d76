//! What brokers and clients want of a controller, as its requests and answers.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use protocol::messages::alter_partition_request::{BrokerState, PartitionData, TopicData};
use protocol::messages::alter_partition_response;
use protocol::messages::assign_replicas_to_dirs_request as assigned;
use protocol::messages::broker_registration_request::{Feature, Listener};
use protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionRequest, AssignReplicasToDirsRequest,
    BrokerHeartbeatRequest, BrokerId, BrokerRegistrationRequest, CreateTopicsRequest, TopicName,
};
use protocol::wire::StrBytes;
use raft::controller::{
    ApiError, ConfigRules, Controller, ControllerNow, ControllerResult, ControllerSettings,
    DelegationTokenSettings, EffectiveConfig, Unbounded,
};
use raft::feature::FEATURES;
use raft::image::{ConfigResource, ConfigValues, DIRECTORY_LOST, ResourceType};
use replica::{IsrAnswer, IsrProposal, Proposals, Recovery};
use uuid::Uuid;

use super::counters::Counters;
use super::message::{Body, NodeId};
use super::plan::Plan;

pub(crate) const TOPIC: &str = "t";

/// The one log directory of a broker.
pub(crate) fn directory_of(id: NodeId) -> Uuid {
    Uuid::from_u128((1 << 100) + id as u128)
}

/// No settings of topics matter here.
pub(crate) struct NoRules;

impl ConfigRules for NoRules {
    fn check(
        &self,
        _: &ConfigResource,
        _: &ConfigValues,
        _: &ConfigValues,
    ) -> Result<(), ApiError> {
        Ok(())
    }
    fn is_list(&self, _: ResourceType, _: &str) -> bool {
        false
    }
    fn default_value(&self, _: ResourceType, _: &str) -> Option<String> {
        None
    }
    fn effective_topic_configs(
        &self,
        _: &ConfigValues,
        _: &ConfigValues,
        _: &ConfigValues,
    ) -> Vec<EffectiveConfig> {
        Vec::new()
    }
}

pub(crate) fn settings(plan: &Plan) -> ControllerSettings {
    ControllerSettings {
        node_id: 3000,
        cluster_id: "cluster".to_owned(),
        default_partitions: 1,
        default_replication_factor: 3,
        min_insync_replicas: plan.min_in_sync as i32,
        unclean_leader_election: plan.unclean_election,
        session_timeout_ms: plan.session_timeout_ms,
        leader_balance_interval_ms: Some(11_000),
        unclean_election_interval_ms: 7_000,
        delegation_tokens: DelegationTokenSettings::default(),
        topic_deletion: true,
        unstable_features: false,
        quorum_node_ids: vec![3000],
    }
}

/// What the connections of a controller's process carry.
#[derive(Debug, Default)]
pub(crate) struct Served {
    /// The newest AlterPartition of each broker's process, by number: older ones came by a
    /// connection that was given up.
    altered: BTreeMap<(NodeId, u64), u64>,
    pub(crate) counters: Counters,
}

impl Served {
    /// Whether a broker still waits for the answer to this.
    pub(crate) fn is_awaited(&mut self, from: NodeId, process: u64, body: &Body) -> bool {
        let Body::Alter { number, .. } = body else { return true };
        let newest = self.altered.entry((from, process)).or_default();
        let awaited = *number > *newest;
        *newest = (*newest).max(*number);
        awaited
    }

    /// Puts a broker's message to a controller. `None`: nobody waits for an answer.
    pub(crate) fn put(
        &mut self,
        (from, process): (NodeId, u64),
        body: &Body,
        controller: &mut Controller,
        kraft_version: i16,
        now: &ControllerNow,
    ) -> ControllerResult<Option<Body>> {
        match body {
            Body::Register { previous_epoch } => {
                let request = registration(from, process, *previous_epoch);
                let result = controller.register_broker(&request, 4, kraft_version, now);
                answered(result, |response| {
                    let epoch = (response.error_code == 0).then_some(response.broker_epoch);
                    Some(Body::Registered { epoch })
                })
            }
            Body::Heartbeat { epoch, offset, wants_to_go } => {
                let request = BrokerHeartbeatRequest {
                    broker_id: BrokerId(from),
                    broker_epoch: *epoch,
                    current_metadata_offset: *offset,
                    want_shut_down: *wants_to_go,
                    ..Default::default()
                };
                let result = controller.heartbeat(&request, now);
                answered(result, |response| Some(Body::Heard { may_go: response.should_shut_down }))
            }
            Body::Alter { number, epoch, proposals } => {
                self.alter(from, *number, *epoch, proposals, controller)
            }
            Body::Located { epoch, partition, lost } => {
                let Some(topic_id) = controller.image().topics().id_of(TOPIC) else {
                    return ControllerResult::unchanged(None);
                };
                let request = located(from, *epoch, *partition, *lost, topic_id);
                answered(controller.assign_replicas_to_dirs(&request), |_| None)
            }
            other => unreachable!("no message for the controller: {other:?}"),
        }
    }

    fn alter(
        &mut self,
        from: NodeId,
        number: u64,
        epoch: i64,
        proposals: &Proposals<usize>,
        controller: &Controller,
    ) -> ControllerResult<Option<Body>> {
        let topics = controller.image().topics();
        let Some(topic_id) = topics.id_of(TOPIC) else { return ControllerResult::unchanged(None) };
        let asked = proposals.iter().map(|(partition, proposal)| asked(*partition, proposal));
        let topic = TopicData::default().with_topic_id(topic_id).with_partitions(asked.collect());
        let request = AlterPartitionRequest::default()
            .with_broker_id(BrokerId(from))
            .with_broker_epoch(epoch)
            .with_topics(vec![topic]);
        let size = |partition: usize| {
            let known = topics.partition(topic_id, partition as i32);
            known.map_or(0, |state| state.isr.len())
        };
        let before: BTreeMap<usize, usize> =
            proposals.keys().map(|partition| (*partition, size(*partition))).collect();
        answered(controller.alter_partition(&request, 3), |response| {
            if response.error_code != 0 {
                return Some(Body::Altered { number, result: Err(error(response.error_code)) });
            }
            let partitions = response.topics.first()?.partitions.iter();
            let answers = partitions.map(|answered| {
                let partition = answered.partition_index as usize;
                (partition, self.answer(answered, before[&partition]))
            });
            Some(Body::Altered { number, result: Ok(answers.collect()) })
        })
    }

    fn answer(
        &mut self,
        answered: &alter_partition_response::PartitionData,
        before: usize,
    ) -> IsrAnswer {
        if answered.error_code != 0 {
            let code = error(answered.error_code);
            self.counters.ineligible += u64::from(code == ErrorCode::IneligibleReplica);
            self.counters.stale_updates += u64::from(code == ErrorCode::InvalidUpdateVersion);
            return IsrAnswer::Refused(code);
        }
        self.counters.isr_shrinks += u64::from(answered.isr.len() < before);
        self.counters.isr_expansions += u64::from(answered.isr.len() > before);
        IsrAnswer::Changed {
            leader_epoch: answered.leader_epoch,
            partition_epoch: answered.partition_epoch,
            isr: answered.isr.iter().map(|id| id.0).collect(),
            recovery: match answered.leader_recovery_state {
                0 => Recovery::Recovered,
                _ => Recovery::Recovering,
            },
        }
    }
}

fn answered<R, A>(result: ControllerResult<R>, answer: impl FnOnce(R) -> A) -> ControllerResult<A> {
    let ControllerResult { records, response, atomic, kraft_version } = result;
    ControllerResult { records, response: answer(response), atomic, kraft_version }
}

fn registration(id: NodeId, incarnation: u64, previous: i64) -> BrokerRegistrationRequest {
    let feature = |feature: &raft::feature::Feature| {
        Feature::default()
            .with_name(StrBytes::from_static_str(feature.name))
            .with_min_supported_version(feature.min_supported)
            .with_max_supported_version(feature.max_supported)
    };
    BrokerRegistrationRequest::default()
        .with_broker_id(BrokerId(id))
        .with_cluster_id(StrBytes::from_static_str("cluster"))
        .with_incarnation_id(incarnation_of(incarnation))
        .with_listeners(vec![Listener::default().with_port(9092)])
        .with_features(FEATURES.iter().map(feature).collect())
        .with_log_dirs(vec![directory_of(id)])
        .with_previous_broker_epoch(previous)
}

/// The incarnation that a broker's process registers.
pub(crate) fn incarnation_of(process: u64) -> Uuid {
    Uuid::from_u128(u128::from(process))
}

/// A broker says where its replica is, or that its log is lost.
fn located(
    id: NodeId,
    epoch: i64,
    partition: usize,
    lost: bool,
    topic_id: Uuid,
) -> AssignReplicasToDirsRequest {
    let partition = assigned::PartitionData::default().with_partition_index(partition as i32);
    let topic =
        assigned::TopicData::default().with_topic_id(topic_id).with_partitions(vec![partition]);
    let directory = if lost { DIRECTORY_LOST } else { directory_of(id) };
    let directory = assigned::DirectoryData::default().with_id(directory).with_topics(vec![topic]);
    AssignReplicasToDirsRequest::default()
        .with_broker_id(BrokerId(id))
        .with_broker_epoch(epoch)
        .with_directories(vec![directory])
}

fn asked(partition: usize, proposal: &IsrProposal) -> PartitionData {
    let member = |member: &replica::Member| {
        BrokerState::default()
            .with_broker_id(BrokerId(member.id))
            .with_broker_epoch(member.broker_epoch)
    };
    PartitionData::default()
        .with_partition_index(partition as i32)
        .with_leader_epoch(proposal.leader_epoch)
        .with_partition_epoch(proposal.partition_epoch)
        .with_leader_recovery_state(match proposal.recovery {
            Recovery::Recovered => 0,
            Recovery::Recovering => 1,
        })
        .with_new_isr_with_epochs(proposal.isr.iter().map(member).collect())
}

fn error(code: i16) -> ErrorCode {
    ErrorCode::try_from_code(code).expect("a code of Kafka's")
}

/// What is asked in nobody's name, or a client's.
#[derive(Debug, Clone)]
pub(crate) enum ControllerCall {
    CreateTopic,
    Reassign {
        partition: usize,
        replicas: Vec<NodeId>,
    },
    /// Somebody saw the broker's connection closed; right or wrong.
    BrokerGone(NodeId),
}

impl ControllerCall {
    /// Puts it to a controller.
    pub(crate) fn put(
        &self,
        plan: &Plan,
        controller: &mut Controller,
        now: &ControllerNow,
    ) -> ControllerResult<()> {
        match self {
            Self::CreateTopic => {
                let request = topic_request(plan);
                answered(controller.create_topics(&request, &|_| true, &mut Unbounded, now), |_| ())
            }
            Self::Reassign { partition, replicas } => {
                let asked = ReassignablePartition::default()
                    .with_partition_index(*partition as i32)
                    .with_replicas(Some(replicas.iter().copied().map(BrokerId).collect()));
                let topic = ReassignableTopic::default()
                    .with_name(TopicName(StrBytes::from_static_str(TOPIC)))
                    .with_partitions(vec![asked]);
                let request =
                    AlterPartitionReassignmentsRequest::default().with_topics(vec![topic]);
                answered(controller.alter_partition_reassignments(&request), |_| ())
            }
            Self::BrokerGone(id) => {
                let known = controller.image().cluster().broker(*id);
                match known.map(|broker| broker.broker_epoch) {
                    Some(epoch) => answered(controller.broker_gone(*id, epoch), |_| ()),
                    None => ControllerResult::unchanged(()),
                }
            }
        }
    }
}

/// The topic, once every broker is there.
fn topic_request(plan: &Plan) -> CreateTopicsRequest {
    let replicas = |partition: i32| {
        let broker = |at: i32| BrokerId(1 + (partition + at) % plan.brokers);
        (0..plan.replication_factor as i32).map(broker).collect()
    };
    let assignment = |partition: i32| {
        CreatableReplicaAssignment::default()
            .with_partition_index(partition)
            .with_broker_ids(replicas(partition))
    };
    let topic = CreatableTopic::default()
        .with_name(TopicName(StrBytes::from_static_str(TOPIC)))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_assignments((0..plan.partitions as i32).map(assignment).collect());
    CreateTopicsRequest::default().with_topics(vec![topic])
}
