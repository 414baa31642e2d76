//! The real controller as one reliable state machine: what it writes is committed at once. Its
//! answers are not reliable, and it may be away, or be replaced by one that knows the log alone.

use std::collections::BTreeMap;
use std::sync::Arc;

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
use protocol::records::metadata::MetadataRecord;
use protocol::wire::StrBytes;
use raft::controller::{
    ApiError, ConfigRules, Controller, ControllerNow, ControllerResult, ControllerSettings,
    EffectiveConfig, feature_records,
};
use raft::feature::{FEATURES, MetadataVersion};
use raft::image::{
    ConfigResource, ConfigValues, DIRECTORY_LOST, MetadataImage, Partition, ResourceType,
};
use replica::{IsrAnswer, IsrProposal, Proposals, Recovery};
use uuid::Uuid;

use super::clock::Clock;
use super::counters::Counters;
use super::message::NodeId;
use super::plan::Plan;

const TOPIC: &str = "t";

/// The one log directory of a broker.
pub(crate) fn directory_of(id: NodeId) -> Uuid {
    Uuid::from_u128((1 << 100) + id as u128)
}

/// No settings of topics matter here.
struct NoRules;

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

/// Records that were written together, and what the metadata is with them.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) records: Vec<MetadataRecord>,
    /// Of the last record.
    pub(crate) offset: i64,
    pub(crate) image: MetadataImage,
}

/// The controller's node.
pub(crate) struct SimController {
    controller: Controller,
    settings: ControllerSettings,
    pub(crate) clock: Clock,
    pub(crate) away: bool,
    pub(crate) log: Vec<Arc<Batch>>,
    /// The newest request of each broker's process, by number: older ones came by a connection that
    /// was given up.
    altered: BTreeMap<(NodeId, u64), u64>,
    pub(crate) counters: Counters,
}

impl SimController {
    pub(crate) fn new(plan: &Plan, clock: Clock, seed: u128) -> Self {
        let settings = ControllerSettings {
            node_id: 3000,
            cluster_id: "cluster".to_owned(),
            default_partitions: 1,
            default_replication_factor: 3,
            min_insync_replicas: plan.min_in_sync as i32,
            unclean_leader_election: plan.unclean_election,
            session_timeout_ms: plan.session_timeout_ms,
            leader_balance_interval_ms: Some(11_000),
            unclean_election_interval_ms: 7_000,
            topic_deletion: true,
            quorum_node_ids: vec![3000],
        };
        let image = MetadataImage::default();
        let controller = Controller::new(settings.clone(), Arc::new(NoRules), image);
        let mut node = Self {
            controller,
            settings,
            clock,
            away: false,
            log: Vec::new(),
            altered: BTreeMap::new(),
            counters: Counters::default(),
        };
        node.controller.activate(0, &node.at(0, seed));
        let bootstrap = feature_records(MetadataVersion::LATEST, &[]);
        let records = node.controller.activation_records(&bootstrap);
        node.write(records);
        node
    }

    fn at(&self, now_us: i64, seed: u128) -> ControllerNow {
        ControllerNow {
            monotonic_ms: self.clock.monotonic_ms(now_us),
            wall_ms: self.clock.wall_ms(now_us),
            seed,
        }
    }

    pub(crate) fn image(&self) -> &MetadataImage {
        self.controller.image()
    }

    pub(crate) fn partition(&self, partition: usize) -> Option<Arc<Partition>> {
        self.image().topics().by_name(TOPIC)?.partition(partition as i32).cloned()
    }

    fn write(&mut self, records: Vec<MetadataRecord>) {
        if records.is_empty() {
            return;
        }
        let before = self.image().clone();
        self.controller.append(&records).expect("the controller replays what it wrote");
        let image = self.image().clone();
        self.count(&before, &image);
        let offset = self.controller.next_offset() - 1;
        self.log.push(Arc::new(Batch { records, offset, image }));
    }

    fn apply<R>(&mut self, result: ControllerResult<R>) -> R {
        self.write(result.records);
        result.response
    }

    fn count(&mut self, before: &MetadataImage, after: &MetadataImage) {
        for broker in after.cluster().brokers().filter(|broker| broker.fenced) {
            let was = before.cluster().broker(broker.broker_id);
            self.counters.fenced += u64::from(was.is_some_and(|was| !was.fenced));
        }
        let Some(topic) = after.topics().by_name(TOPIC) else { return };
        for (id, now) in topic.partitions() {
            let Some(was) = before.topics().partition(topic.id, id) else { continue };
            if now.leader == was.leader || !now.has_leader() {
                continue;
            }
            self.counters.elections += 1;
            if was.elr.contains(&now.leader) && !was.isr.contains(&now.leader) {
                self.counters.elr_elections += 1;
            } else if !was.isr.contains(&now.leader) {
                self.counters.unclean_elections += 1;
            }
        }
    }

    /// The topic, once every broker is there.
    pub(crate) fn create_topic(&mut self, plan: &Plan, now_us: i64, seed: u128) {
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
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        let result = self.controller.create_topics(&request, &|_| true, &self.at(now_us, seed));
        let created = self.apply(result);
        assert!(created.topics.iter().all(|topic| topic.error_code == 0), "{created:?}");
    }

    pub(crate) fn register(
        &mut self,
        id: NodeId,
        incarnation: u64,
        previous_epoch: i64,
        now_us: i64,
    ) -> Option<i64> {
        let feature = |feature: &raft::feature::Feature| {
            Feature::default()
                .with_name(StrBytes::from_static_str(feature.name))
                .with_min_supported_version(feature.min_supported)
                .with_max_supported_version(feature.max_supported)
        };
        let request = BrokerRegistrationRequest::default()
            .with_broker_id(BrokerId(id))
            .with_cluster_id(StrBytes::from_static_str("cluster"))
            .with_incarnation_id(Uuid::from_u128(u128::from(incarnation)))
            .with_listeners(vec![Listener::default().with_port(9092)])
            .with_features(FEATURES.iter().map(feature).collect())
            .with_log_dirs(vec![directory_of(id)])
            .with_previous_broker_epoch(previous_epoch);
        let at = self.at(now_us, 0);
        let result = self.controller.register_broker(&request, 4, 0, &at);
        let response = self.apply(result);
        (response.error_code == 0).then_some(response.broker_epoch)
    }

    pub(crate) fn heartbeat(
        &mut self,
        id: NodeId,
        epoch: i64,
        offset: i64,
        wants_to_go: bool,
        now_us: i64,
    ) -> bool {
        let request = BrokerHeartbeatRequest::default()
            .with_broker_id(BrokerId(id))
            .with_broker_epoch(epoch)
            .with_current_metadata_offset(offset)
            .with_want_shut_down(wants_to_go);
        let at = self.at(now_us, 0);
        let result = self.controller.heartbeat(&request, &at);
        let response = self.apply(result);
        response.should_shut_down
    }

    /// `None`: the request came by a connection that its broker had given up.
    pub(crate) fn alter(
        &mut self,
        (id, process): (NodeId, u64),
        number: u64,
        epoch: i64,
        proposals: &Proposals<usize>,
    ) -> Option<Result<Vec<(usize, IsrAnswer)>, ErrorCode>> {
        let newest = self.altered.entry((id, process)).or_default();
        if number <= *newest {
            return None;
        }
        *newest = number;
        let topic_id = self.image().topics().id_of(TOPIC)?;
        let asked = proposals.iter().map(|(partition, proposal)| asked(*partition, proposal));
        let topic = TopicData::default().with_topic_id(topic_id).with_partitions(asked.collect());
        let request = AlterPartitionRequest::default()
            .with_broker_id(BrokerId(id))
            .with_broker_epoch(epoch)
            .with_topics(vec![topic]);
        let size =
            |world: &Self, partition| world.partition(partition).map_or(0, |state| state.isr.len());
        let before: BTreeMap<usize, usize> =
            proposals.keys().map(|partition| (*partition, size(self, *partition))).collect();
        let result = self.controller.alter_partition(&request, 3);
        let response = self.apply(result);
        if response.error_code != 0 {
            return Some(Err(error(response.error_code)));
        }
        let answered = response.topics.first()?.partitions.iter();
        let answers = answered.map(|answered| {
            let partition = answered.partition_index as usize;
            (partition, self.answer(answered, before[&partition]))
        });
        Some(Ok(answers.collect()))
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

    /// A broker says where its replica is, or that its log is lost.
    pub(crate) fn locate(&mut self, id: NodeId, epoch: i64, partition: usize, lost: bool) {
        let Some(topic_id) = self.image().topics().id_of(TOPIC) else { return };
        let partition = assigned::PartitionData::default().with_partition_index(partition as i32);
        let topic =
            assigned::TopicData::default().with_topic_id(topic_id).with_partitions(vec![partition]);
        let directory = if lost { DIRECTORY_LOST } else { directory_of(id) };
        let directory =
            assigned::DirectoryData::default().with_id(directory).with_topics(vec![topic]);
        let request = AssignReplicasToDirsRequest::default()
            .with_broker_id(BrokerId(id))
            .with_broker_epoch(epoch)
            .with_directories(vec![directory]);
        let result = self.controller.assign_replicas_to_dirs(&request);
        self.apply(result);
    }

    /// What it does by itself.
    pub(crate) fn tick(&mut self, now_us: i64) {
        let at = self.at(now_us, 0);
        loop {
            let result = self.controller.tick(&at);
            if !self.apply(result) {
                break;
            }
        }
    }

    /// Takes a broker for gone that may well be alive.
    pub(crate) fn take_for_gone(&mut self, id: NodeId) {
        if !self.away {
            self.broker_gone(id);
        }
    }

    /// Somebody saw the broker's connection closed; right or wrong.
    pub(crate) fn broker_gone(&mut self, id: NodeId) {
        let Some(epoch) = self.image().cluster().broker(id).map(|broker| broker.broker_epoch)
        else {
            return;
        };
        let result = self.controller.broker_gone(id, epoch);
        self.apply(result);
    }

    pub(crate) fn reassign(&mut self, partition: usize, replicas: &[NodeId]) {
        let asked = ReassignablePartition::default()
            .with_partition_index(partition as i32)
            .with_replicas(Some(replicas.iter().copied().map(BrokerId).collect()));
        let topic = ReassignableTopic::default()
            .with_name(TopicName(StrBytes::from_static_str(TOPIC)))
            .with_partitions(vec![asked]);
        let request = AlterPartitionReassignmentsRequest::default().with_topics(vec![topic]);
        let result = self.controller.alter_partition_reassignments(&request);
        self.counters.reassignments += u64::from(!result.records.is_empty());
        self.apply(result);
    }

    /// Another one takes over, which knows the log and nothing else.
    pub(crate) fn replace(&mut self, now_us: i64, seed: u128) {
        let image = self.image().clone();
        let next_offset = self.controller.next_offset();
        self.controller = Controller::new(self.settings.clone(), Arc::new(NoRules), image);
        self.controller.activate(next_offset, &self.at(now_us, seed));
    }
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
