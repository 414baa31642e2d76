//! Whatever happens in whatever order, partitions stay sound, and heal when all brokers are back.
//! `GREGOR_SEEDS` names another number of runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use protocol::messages::alter_partition_request::{BrokerState, PartitionData, TopicData};
use protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionRequest, ElectLeadersRequest,
};
use protocol::records::metadata::{ConfigRecord, NO_LEADER, NO_LEADER_CHANGE};

use super::topics::create_assigned;
use super::*;
use crate::draws::Draws;
use crate::feature::ELR_VERSION;
use crate::image::{MetadataDelta, Topic};

const BROKERS: i32 = 5;
const SEEDS: u128 = 60;
const EVENTS: usize = 300;

struct Run {
    world: World,
    draws: Draws,
    now_ms: i64,
    next_topic: u32,
    /// Who wants to stop goes on wanting it until it starts again.
    leaving: BTreeSet<i32>,
}

impl Run {
    fn new(seed: u128) -> Self {
        let elr = i16::from(!seed.is_multiple_of(4));
        let settings = ControllerSettings { min_insync_replicas: 2, ..settings() };
        let world = World::begun_at(settings, &[(ELR_VERSION, elr)]);
        let draws = Draws::new(seed);
        let leaving = BTreeSet::new();
        let mut run = Self { world, draws, now_ms: 0, next_topic: 0, leaving };
        for id in 1..=BROKERS {
            run.register(id, false);
            run.beat(id);
        }
        for _ in 0..4 {
            run.create_topic();
        }
        run
    }

    fn draw(&mut self, bound: usize) -> usize {
        self.draws.below(bound as u64) as usize
    }

    fn some_broker(&mut self) -> i32 {
        self.draw(BROKERS as usize) as i32 + 1
    }

    fn some_brokers(&mut self) -> Vec<i32> {
        let mut ids: Vec<i32> = (1..=BROKERS).collect();
        self.draws.shuffle(&mut ids);
        ids.truncate(1 + self.draws.below(4) as usize);
        ids
    }

    fn some_partition(&mut self) -> Option<(Arc<Topic>, i32)> {
        let all = self.world.controller.partitions_where(|_| true);
        if all.is_empty() {
            return None;
        }
        let at = self.draw(all.len());
        all.into_iter().nth(at)
    }

    fn is_active(&self, id: i32) -> bool {
        self.world.image().cluster().is_active(id)
    }

    /// Applies records one by one, each held to the rules of epochs.
    fn apply<R>(&mut self, result: ControllerResult<R>) -> R {
        for record in &result.records {
            let MetadataRecord::PartitionChange(change) = record else {
                self.world.controller.append(std::slice::from_ref(record)).unwrap();
                continue;
            };
            let partition = |world: &World| {
                let topics = world.image().topics();
                topics.partition(change.topic_id, change.partition_id).unwrap().clone()
            };
            let before = partition(&self.world);
            self.world.controller.append(std::slice::from_ref(record)).unwrap();
            let after = partition(&self.world);
            assert_eq!(after.partition_epoch, before.partition_epoch + 1);
            let dropped = before.replicas.iter().any(|id| !after.replicas.contains(id));
            let bumped = before.leader != after.leader || dropped;
            assert_eq!(change.leader != NO_LEADER_CHANGE, bumped, "{change:?} of {before:?}");
            assert_eq!(after.leader_epoch, before.leader_epoch + i32::from(bumped));
        }
        self.check();
        result.response
    }

    fn check(&self) {
        let image = self.world.image();
        for (topic, id) in self.world.controller.partitions_where(|_| true) {
            let partition = topic.partition(id).unwrap();
            let isr: BTreeSet<i32> = partition.isr.iter().copied().collect();
            let alive = |id: &&i32| self.is_active(**id);
            assert_eq!(isr.len(), partition.isr.len(), "nobody twice: {partition:?}");
            assert!(isr.iter().all(|id| partition.replicas.contains(id)), "{partition:?}");
            assert!(partition.elr.iter().all(|id| !isr.contains(id)), "{partition:?}");
            let replicas = &partition.replicas;
            assert!(partition.elr.iter().all(|id| replicas.contains(id)), "{partition:?}");
            assert!(image.features().elr_enabled() || partition.elr.is_empty());
            assert!(!isr.is_empty() || image.features().elr_enabled(), "{partition:?}");
            if partition.has_leader() {
                assert!(isr.contains(&partition.leader), "{partition:?}");
                assert_eq!(isr.iter().filter(alive).count(), isr.len(), "{partition:?}");
                assert!(partition.last_known_elr.is_empty(), "{partition:?}");
            } else {
                assert!(isr.iter().filter(alive).count() == 0 && isr.len() <= 1, "{partition:?}");
                let eligible = partition.elr.iter().filter(alive).count();
                assert!(!isr.is_empty() || eligible == 0, "somebody could lead: {partition:?}");
            }
        }
    }

    fn register(&mut self, id: i32, clean: bool) {
        let known = self.world.image().cluster().broker(id).map(|broker| broker.broker_epoch);
        self.world.controller.session_ended(id);
        let incarnation = Uuid::from_u128(u128::from(self.draws.next_u64()) << 32 | 1);
        let request = registration(id)
            .with_incarnation_id(incarnation)
            .with_previous_broker_epoch(known.filter(|_| clean).unwrap_or(-1));
        let result = self.world.controller.register_broker(&request, 4, 0, &at(self.now_ms));
        assert_eq!(self.apply(result).error_code, 0);
        self.leaving.remove(&id);
    }

    fn heartbeat(&mut self, id: i32, fence: bool, shut_down: bool) {
        if shut_down {
            self.leaving.insert(id);
        }
        let want_shut_down = self.leaving.contains(&id);
        let beat = self.world.heartbeat(id);
        let request = BrokerHeartbeatRequest { want_shut_down, want_fence: fence, ..beat };
        let result = self.world.controller.heartbeat(&request, &at(self.now_ms));
        self.apply(result);
    }

    fn beat(&mut self, id: i32) {
        self.heartbeat(id, false, false);
    }

    fn create_topic(&mut self) {
        if (1..=BROKERS).any(|id| self.is_active(id)) {
            let replicas = self.some_brokers();
            if replicas.iter().any(|id| self.is_active(*id)) {
                self.next_topic += 1;
                let name = format!("t{}", self.next_topic);
                create_assigned(&mut self.world, &name, &[0, 1], &replicas);
            }
        }
    }

    /// A leader names those in sync: any replicas, of which the controller must refuse the dead.
    fn alter_isr(&mut self, all: bool) {
        let Some((topic, id)) = self.some_partition() else { return };
        self.alter_isr_of(&topic, id, all);
    }

    fn alter_isr_of(&mut self, topic: &Topic, id: i32, all: bool) {
        let partition = topic.partition(id).unwrap().clone();
        if !partition.has_leader() {
            return;
        }
        let mut isr = vec![partition.leader];
        for replica in &partition.replicas {
            if *replica != partition.leader && (all || self.draw(3) > 0) {
                isr.push(*replica);
            }
        }
        let dead = isr.iter().any(|id| !self.is_active(*id));
        let state = |id: &i32| BrokerState::default().with_broker_id(BrokerId(*id));
        let states = isr.iter().map(|id| state(id).with_broker_epoch(self.world.epoch(*id)));
        let asked = PartitionData::default()
            .with_partition_index(id)
            .with_leader_epoch(partition.leader_epoch)
            .with_partition_epoch(partition.partition_epoch)
            .with_new_isr_with_epochs(states.collect());
        let topic = TopicData::default().with_topic_id(topic.id).with_partitions(vec![asked]);
        let request = AlterPartitionRequest::default()
            .with_broker_id(BrokerId(partition.leader))
            .with_broker_epoch(self.world.epoch(partition.leader))
            .with_topics(vec![topic]);
        let result = self.world.controller.alter_partition(&request, 3);
        let code = self.apply(result).topics[0].partitions[0].error_code;
        assert!(code == 0 || code == 108 || (dead && code == 107), "{code}");
    }

    fn reassign(&mut self, target: Option<Vec<i32>>) {
        let Some((topic, id)) = self.some_partition() else { return };
        let target = target.map(|ids| ids.into_iter().map(BrokerId).collect());
        let partition =
            ReassignablePartition::default().with_partition_index(id).with_replicas(target);
        let topic = ReassignableTopic::default()
            .with_name(TopicName(topic.name.clone()))
            .with_partitions(vec![partition]);
        let request = AlterPartitionReassignmentsRequest::default()
            .with_allow_replication_factor_change(true)
            .with_topics(vec![topic]);
        let result = self.world.controller.alter_partition_reassignments(&request);
        self.apply(result);
    }

    fn elect(&mut self, election_type: i8) {
        let request = ElectLeadersRequest::default()
            .with_election_type(election_type)
            .with_topic_partitions(None);
        let result = self.world.controller.elect_leaders(&request);
        self.apply(result);
    }

    fn configure(&mut self, key: &str, value: &str) {
        let config = ConfigRecord {
            resource_type: ResourceType::Broker.id(),
            name: text(key),
            value: Some(text(value)),
            ..Default::default()
        };
        self.apply(ControllerResult::of(vec![config.into()], ()));
    }

    fn run_tasks(&mut self) {
        for _ in 0..100 {
            let result = self.world.controller.tick(&at(self.now_ms));
            if !self.apply(result) {
                return;
            }
        }
        panic!("the tasks find no end");
    }

    fn fail_over(&mut self) {
        let (image, next) = (self.world.image().clone(), self.world.controller.next_offset());
        self.world.controller.reset(image, next);
        self.world.controller.activate(next, &at(self.now_ms));
    }

    fn step(&mut self) {
        let id = self.some_broker();
        match self.draw(20) {
            0..5 => self.beat(id),
            5 => self.heartbeat(id, true, false),
            6 => self.heartbeat(id, false, true),
            7 => self.register(id, false),
            8 => self.register(id, true),
            9 => {
                let gone = self.world.controller.broker_gone(id, self.world.epoch(id));
                self.apply(gone);
            }
            10..14 => {
                let all = self.draw(2) == 0;
                self.alter_isr(all);
            }
            14 => {
                let target = self.some_brokers();
                self.reassign(Some(target));
            }
            15 => self.reassign(None),
            16 => {
                self.now_ms += self.draws.below(8_000) as i64;
                self.run_tasks();
            }
            17 => self.create_topic(),
            18 => match self.draw(4) {
                0 => self.elect(0),
                1 => self.elect(1),
                2 => self.configure("min.insync.replicas", ["1", "2", "3"][id as usize % 3]),
                _ => self.configure(
                    "unclean.leader.election.enable",
                    ["true", "false", "false"][id as usize % 3],
                ),
            },
            _ => self.fail_over(),
        }
    }

    /// Everybody comes back and catches up.
    fn heal(&mut self) {
        for id in 1..=BROKERS {
            self.register(id, true);
            self.beat(id);
        }
        self.elect(1);
        for _ in 0..2 {
            for (topic, id) in self.world.controller.partitions_where(|_| true) {
                self.alter_isr_of(&topic, id, true);
            }
        }
        self.elect(0);
        for (topic, id) in self.world.controller.partitions_where(|_| true) {
            let partition = topic.partition(id).unwrap();
            assert!(!partition.is_reassigning() && partition.has_preferred_leader());
            assert_eq!(partition.isr.len(), partition.replicas.len(), "{partition:?}");
        }
    }
}

#[test]
fn whatever_happens_partitions_stay_sound_and_heal() {
    let seeds = std::env::var("GREGOR_SEEDS").map_or(SEEDS, |number| number.parse().unwrap());
    for seed in 0..seeds {
        let mut run = Run::new(seed);
        for _ in 0..EVENTS {
            run.step();
        }
        run.heal();
        assert_ne!(run.world.image().topics().len(), 0);
        let mut again = MetadataDelta::new(&MetadataImage::default());
        for record in run.world.image().to_records() {
            again.replay(&record).unwrap();
        }
        assert_eq!(again.after().topics(), run.world.image().topics(), "a snapshot says it all");
        assert_eq!(again.after().cluster(), run.world.image().cluster());
        let leaders = run.world.controller.partitions_where(|p| p.leader == NO_LEADER);
        assert!(leaders.is_empty(), "seed {seed}");
    }
}
