//! Whole runs of a cluster, event by event as stock's control managers decide.
//!
//! The fixture was printed by tests/dump/DriveController.java, run with Kafka's own jars: `begin`
//! starts a cluster, with eligible leader replicas or without; `time` sets the clock; every other
//! line is an event, the offset at which its records stand, its operands, what the answer says,
//! and the records, sorted. GREGOR_EVENTS names another file of such runs.

use protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use protocol::messages::alter_partition_request::{BrokerState, PartitionData, TopicData};
use protocol::messages::assign_replicas_to_dirs_request as directories;
use protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use protocol::messages::elect_leaders_request::TopicPartitions;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionRequest, AssignReplicasToDirsRequest,
    CreatePartitionsRequest, CreateTopicsRequest, ElectLeadersRequest,
    IncrementalAlterConfigsRequest, UnregisterBrokerRequest,
};
use protocol::records::metadata::NO_LEADER_CHANGE;

use super::*;
use crate::feature::ELR_VERSION;
use crate::image::{DIRECTORY_LOST, DIRECTORY_MIGRATING, DIRECTORY_UNASSIGNED};

const STOCK: &str = include_str!("../../../tests/fixtures/events-4.1.0.txt");

fn directory(number: i64) -> Uuid {
    Uuid::from_u128(1 << 64 | number as u128)
}

fn directories_of(id: i32) -> Vec<Uuid> {
    let first = i64::from(10 * id);
    (first..first + if id < 4 { 1 } else { 2 }).map(directory).collect()
}

fn shown_directory(id: &Uuid) -> String {
    match *id {
        DIRECTORY_UNASSIGNED => "u".to_owned(),
        DIRECTORY_LOST => "l".to_owned(),
        DIRECTORY_MIGRATING => "m".to_owned(),
        known => (known.as_u128() as u64).to_string(),
    }
}

fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(show).collect::<Vec<_>>().join(",")
}

fn ids(text: &str) -> Vec<i32> {
    if text == "none" {
        return Vec::new();
    }
    text.split(',').map(|id| id.parse().unwrap()).collect()
}

fn brokers(text: &str) -> Vec<BrokerId> {
    ids(text).into_iter().map(BrokerId).collect()
}

fn said(code: i16, message: Option<&StrBytes>) -> String {
    match message.filter(|_| code != 0) {
        Some(message) => format!("{code} {}", message.as_str()),
        None => code.to_string(),
    }
}

/// A cluster that does what the lines say.
struct Run {
    world: World,
    now_ms: i64,
}

impl Run {
    fn begin(elr: i16) -> Self {
        let settings = ControllerSettings { min_insync_replicas: 2, ..settings() };
        let mut world = World::begun_at(settings, &[(ELR_VERSION, elr)]);
        // The managers that printed the fixture know nothing of the first controller's records.
        let all = text("");
        world.controller.append(&[super::super::features::min_isr_record(all, None)]).unwrap();
        Self { world, now_ms: 1_000_000 }
    }

    fn topic_name(&self, id: Uuid) -> String {
        let topic = self.world.image().topics().by_id(id);
        topic.map_or_else(|| "?".to_owned(), |topic| topic.name.to_string())
    }

    fn topic_id(&self, name: &str) -> Uuid {
        self.world.image().topics().id_of(name).unwrap()
    }

    fn shown(&self, record: &MetadataRecord) -> String {
        use MetadataRecord as R;
        let plain = |ids: &[i32]| list(ids, i32::to_string);
        let directories = |ids: &[Uuid]| list(ids, shown_directory);
        let field = |name: &str, ids: &Option<Vec<i32>>| {
            ids.as_ref().map_or_else(String::new, |ids| format!(" {name}={}", plain(ids)))
        };
        match record {
            R::PartitionChange(r) => {
                let mut out = format!("P {}-{}", self.topic_name(r.topic_id), r.partition_id);
                if r.leader != NO_LEADER_CHANGE {
                    out += &format!(" leader={}", r.leader);
                }
                out += &field("isr", &r.isr);
                out += &field("replicas", &r.replicas);
                out += &field("removing", &r.removing_replicas);
                out += &field("adding", &r.adding_replicas);
                out += &field("elr", &r.eligible_leader_replicas);
                out += &field("last", &r.last_known_elr);
                if r.leader_recovery_state != -1 {
                    out += &format!(" recovery={}", r.leader_recovery_state);
                }
                if let Some(ids) = &r.directories {
                    out += &format!(" dirs={}", directories(ids));
                }
                out
            }
            R::Partition(r) => format!(
                "N {}-{} replicas={} isr={} leader={} dirs={}",
                self.topic_name(r.topic_id),
                r.partition_id,
                plain(&r.replicas),
                plain(&r.isr),
                r.leader,
                directories(&r.directories)
            ),
            R::BrokerRegistrationChange(r) => format!(
                "B {} epoch={} fenced={} stopping={} dirs={}",
                r.broker_id,
                r.broker_epoch,
                r.fenced,
                r.in_controlled_shutdown,
                directories(&r.log_dirs)
            ),
            R::RegisterBroker(r) => format!(
                "R {} epoch={} fenced={} stopping={}",
                r.broker_id, r.broker_epoch, r.fenced, r.in_controlled_shutdown
            ),
            R::UnregisterBroker(r) => format!("U {} epoch={}", r.broker_id, r.broker_epoch),
            R::Config(r) => {
                let resource = if r.resource_name.is_empty() { "-" } else { &*r.resource_name };
                let value = r.value.as_ref().map_or("null", |value| value.as_str());
                format!("C {} {resource} {} {value}", r.resource_type, r.name.as_str())
            }
            R::ClearElr(r) => {
                format!("E {}", if r.topic_name.is_empty() { "-" } else { &*r.topic_name })
            }
            R::Topic(r) => format!("T {}", r.name.as_str()),
            other => panic!("nobody should write {other:?}"),
        }
    }

    /// Replays what an event wrote; its line as the fixture has it.
    fn apply<R>(&mut self, result: ControllerResult<R>, say: impl Fn(&R) -> String) -> String {
        self.world.controller.append(&result.records).unwrap();
        let mut records: Vec<_> = result.records.iter().map(|r| self.shown(r)).collect();
        records.sort_unstable();
        format!("{} | {}", say(&result.response), records.join("; "))
    }

    fn now(&self) -> ControllerNow {
        at(self.now_ms)
    }

    fn event(&mut self, words: &[&str]) -> String {
        let [kind, offset, operands @ ..] = words else { panic!("{words:?}") };
        self.world.controller.skip_to(offset.parse().unwrap());
        match *kind {
            "register" => self.register(operands),
            "heartbeat" => self.heartbeat(operands),
            "fence" => self.fence(),
            "alter" => self.alter(operands),
            "elect" => self.elect(operands),
            "reassign" => self.reassign(operands),
            "create" => self.create(operands),
            "grow" => self.grow(operands),
            "configure" => self.configure(operands),
            "assign" => self.assign(operands),
            "unregister" => {
                let id = BrokerId(operands[0].parse().unwrap());
                let request = UnregisterBrokerRequest::default().with_broker_id(id);
                let result = self.world.controller.unregister_broker(&request);
                self.apply(result, |answer| answer.error_code.to_string())
            }
            "balance" => {
                let result = self.world.controller.balance_leaders();
                self.apply(result, bool::to_string)
            }
            "unclean" => {
                let result = self.world.controller.elect_unclean_leaders();
                self.apply(result, bool::to_string)
            }
            other => panic!("no such event: {other}"),
        }
    }

    fn register(&mut self, operands: &[&str]) -> String {
        let [id, incarnation, previous, version] = operands else { panic!("{operands:?}") };
        let id: i32 = id.parse().unwrap();
        let incarnation = (id as u128) << 64 | incarnation.parse::<u128>().unwrap();
        let request = registration(id)
            .with_incarnation_id(Uuid::from_u128(incarnation))
            .with_previous_broker_epoch(previous.parse().unwrap())
            .with_log_dirs(directories_of(id));
        let (version, now) = (version.parse().unwrap(), self.now());
        let result = self.world.controller.register_broker(&request, version, 0, &now);
        self.apply(result, |answer| format!("{} {}", answer.error_code, answer.broker_epoch))
    }

    fn heartbeat(&mut self, operands: &[&str]) -> String {
        let [id, epoch, offset, fence, stop, offline] = operands else { panic!("{operands:?}") };
        let offline = ids(offline).into_iter().map(|number| directory(i64::from(number)));
        let request = BrokerHeartbeatRequest {
            broker_id: BrokerId(id.parse().unwrap()),
            broker_epoch: epoch.parse().unwrap(),
            current_metadata_offset: offset.parse().unwrap(),
            want_fence: *fence == "true",
            want_shut_down: *stop == "true",
            offline_log_dirs: offline.collect(),
            ..Default::default()
        };
        let now = self.now();
        let result = self.world.controller.heartbeat(&request, &now);
        self.apply(result, |answer| match answer.error_code {
            0 => format!(
                "0 {} {} {}",
                answer.is_caught_up, answer.is_fenced, answer.should_shut_down
            ),
            code => code.to_string(),
        })
    }

    fn fence(&mut self) -> String {
        let now = self.now();
        let result = self.world.controller.fence_stale_broker(&now);
        let line = self.apply(result, |_| "0".to_owned());
        assert_eq!(self.world.controller.fence_stale_broker(&now).response, None);
        line
    }

    fn alter(&mut self, operands: &[&str]) -> String {
        let [topic, partition, leader, epoch, leader_epoch, partition_epoch, recovery, isr] =
            operands
        else {
            panic!("{operands:?}")
        };
        let isr = isr.split(',').filter(|member| *member != "none").map(|member| {
            let (id, epoch) = member.split_once('@').unwrap();
            let state = BrokerState::default().with_broker_id(BrokerId(id.parse().unwrap()));
            state.with_broker_epoch(epoch.parse().unwrap())
        });
        let asked = PartitionData::default()
            .with_partition_index(partition.parse().unwrap())
            .with_leader_epoch(leader_epoch.parse().unwrap())
            .with_partition_epoch(partition_epoch.parse().unwrap())
            .with_leader_recovery_state(recovery.parse().unwrap())
            .with_new_isr_with_epochs(isr.collect());
        let topic =
            TopicData::default().with_topic_id(self.topic_id(topic)).with_partitions(vec![asked]);
        let request = AlterPartitionRequest::default()
            .with_broker_id(BrokerId(leader.parse().unwrap()))
            .with_broker_epoch(epoch.parse().unwrap())
            .with_topics(vec![topic]);
        let result = self.world.controller.alter_partition(&request, 3);
        self.apply(result, |answer| {
            let answer = &answer.topics[0].partitions[0];
            match answer.error_code {
                0 => format!(
                    "0 {} {} {} {} {}",
                    answer.leader_id.0,
                    answer.leader_epoch,
                    answer.partition_epoch,
                    list(&answer.isr, |id| id.0.to_string()),
                    answer.leader_recovery_state
                ),
                code => code.to_string(),
            }
        })
    }

    fn elect(&mut self, operands: &[&str]) -> String {
        let [topic, partition, election_type] = operands else { panic!("{operands:?}") };
        let asked = TopicPartitions::default()
            .with_topic(name(topic))
            .with_partitions(vec![partition.parse().unwrap()]);
        let request = ElectLeadersRequest::default()
            .with_election_type(election_type.parse().unwrap())
            .with_topic_partitions(Some(vec![asked]));
        let result = self.world.controller.elect_leaders(&request);
        self.apply(result, |answer| {
            let answer = &answer.replica_election_results[0].partition_result[0];
            said(answer.error_code, answer.error_message.as_ref())
        })
    }

    fn reassign(&mut self, operands: &[&str]) -> String {
        let [topic, partition, target, allow] = operands else { panic!("{operands:?}") };
        let partition = ReassignablePartition::default()
            .with_partition_index(partition.parse().unwrap())
            .with_replicas((*target != "-").then(|| brokers(target)));
        let topic =
            ReassignableTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
        let request = AlterPartitionReassignmentsRequest::default()
            .with_allow_replication_factor_change(*allow == "true")
            .with_topics(vec![topic]);
        let result = self.world.controller.alter_partition_reassignments(&request);
        self.apply(result, |answer| {
            let answer = &answer.responses[0].partitions[0];
            said(answer.error_code, answer.error_message.as_ref())
        })
    }

    fn create(&mut self, operands: &[&str]) -> String {
        let [topic, assignments] = operands else { panic!("{operands:?}") };
        let assignments = (0..).zip(assignments.split('/')).map(|(id, replicas)| {
            CreatableReplicaAssignment::default()
                .with_partition_index(id)
                .with_broker_ids(brokers(replicas))
        });
        let topic = CreatableTopic::default()
            .with_name(name(topic))
            .with_num_partitions(-1)
            .with_replication_factor(-1)
            .with_assignments(assignments.collect());
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        let now = self.now();
        let result = self.world.controller.create_topics(&request, &|_| true, &mut Unbounded, &now);
        self.apply(result, |answer| {
            said(answer.topics[0].error_code, answer.topics[0].error_message.as_ref())
        })
    }

    fn grow(&mut self, operands: &[&str]) -> String {
        let [topic, count, replicas] = operands else { panic!("{operands:?}") };
        let assignment = CreatePartitionsAssignment::default().with_broker_ids(brokers(replicas));
        let topic = CreatePartitionsTopic::default()
            .with_name(name(topic))
            .with_count(count.parse().unwrap())
            .with_assignments(Some(vec![assignment]));
        let request = CreatePartitionsRequest::default().with_topics(vec![topic]);
        let now = self.now();
        let result = self.world.controller.create_partitions(&request, &mut Unbounded, &now);
        self.apply(result, |answer| {
            said(answer.results[0].error_code, answer.results[0].error_message.as_ref())
        })
    }

    fn configure(&mut self, operands: &[&str]) -> String {
        let [resource_type, resource, key, value] = operands else { panic!("{operands:?}") };
        let config = AlterableConfig::default().with_name(text(key)).with_value(Some(text(value)));
        let resource = AlterConfigsResource::default()
            .with_resource_type(resource_type.parse().unwrap())
            .with_resource_name(text(resource.trim_matches('-')))
            .with_configs(vec![config]);
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let result = self.world.controller.incremental_alter_configs(&request, true);
        self.apply(result, |answer| {
            said(answer.responses[0].error_code, answer.responses[0].error_message.as_ref())
        })
    }

    fn assign(&mut self, operands: &[&str]) -> String {
        let [topic, partition, id, epoch, number] = operands else { panic!("{operands:?}") };
        let partition =
            directories::PartitionData::default().with_partition_index(partition.parse().unwrap());
        let topic = directories::TopicData::default()
            .with_topic_id(self.topic_id(topic))
            .with_partitions(vec![partition]);
        let directory = directories::DirectoryData::default()
            .with_id(directory(number.parse().unwrap()))
            .with_topics(vec![topic]);
        let request = AssignReplicasToDirsRequest::default()
            .with_broker_id(BrokerId(id.parse().unwrap()))
            .with_broker_epoch(epoch.parse().unwrap())
            .with_directories(vec![directory]);
        let result = self.world.controller.assign_replicas_to_dirs(&request);
        self.apply(result, |answer| {
            answer.directories[0].topics[0].partitions[0].error_code.to_string()
        })
    }
}

#[test]
fn whole_runs_of_a_cluster_come_to_what_stock_makes_of_them() {
    let stock = std::env::var("GREGOR_EVENTS")
        .map_or_else(|_| STOCK.to_owned(), |path| std::fs::read_to_string(path).unwrap());
    let mut run = Run::begin(1);
    let mut events = 0;
    for (number, line) in stock.lines().enumerate() {
        let (event, wanted) = line.split_once(" => ").unwrap_or((line, ""));
        let words: Vec<&str> = event.split(' ').collect();
        match words[..] {
            ["begin", _, elr] => run = Run::begin(elr.parse().unwrap()),
            ["time", now_ms] => run.now_ms = now_ms.parse().unwrap(),
            _ => {
                events += 1;
                assert_eq!(run.event(&words), wanted, "line {}: {event}", number + 1);
            }
        }
    }
    assert!(events > 1_000, "the fixture is whole");
}
