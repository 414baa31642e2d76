//! A group of simulated consumers that join, sync, commit, leave, crash and come back, over a log
//! whose writes are late and sometimes fail, and a coordinator that fails over. One seed is one
//! run.
//!
//! Checked all the time:
//! - a generation never goes back within a coordinator's life, nor does the one in the log;
//! - in one generation a partition has one owner, by what the leader assigned;
//! - an acknowledged commit is never read as less than it was;
//! - nobody is answered twice (the bench does that).
//!
//! Checked when faults stop: everybody alive is in one stable generation that owns every partition,
//! and a reload of the log gives the same state.

use std::collections::BTreeMap;

use protocol::wire::StrBytes;

use super::tests::harness::{Bench, commit_request, join_request, text};
use super::*;
use crate::runtime::{ReplyId, WriteFailure};
use crate::seeds::seeds;

const PARTITIONS: i32 = 4;
const TOPIC: &str = "orders";

/// Marsaglia's xorshift64: the same draws on every machine.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Doing {
    /// Not running.
    Down,
    /// Will join with the id it has.
    Idle,
    Joining(ReplyId),
    Syncing(ReplyId),
    /// Owns partitions in its generation.
    Owning(Vec<i32>),
}

#[derive(Debug, Clone)]
struct Consumer {
    instance: Option<String>,
    member: StrBytes,
    generation: i32,
    doing: Doing,
    last_beat_ms: u64,
}

struct Simulation {
    seed: u64,
    draws: Draws,
    bench: Bench,
    consumers: Vec<Consumer>,
    /// Owners by generation and partition.
    owners: BTreeMap<(i32, i32), String>,
    /// The newest acknowledged commit by partition.
    acknowledged: BTreeMap<i32, i64>,
    commits: Vec<(ReplyId, i32, i64)>,
    next_offset: i64,
    generation: i32,
    /// The newest generation that was seen stable, and so is in the log.
    stable_generation: i32,
    faults: bool,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let count = 2 + draws.below(4);
        let consumers = (0..count).map(|index| Consumer {
            instance: (index % 3 == 2).then(|| format!("static-{index}")),
            member: StrBytes::default(),
            generation: -1,
            doing: Doing::Down,
            last_beat_ms: 0,
        });
        let consumers = consumers.collect();
        let mut bench = Bench::new();
        bench.writes_at_once = false;
        Self {
            seed,
            draws,
            bench,
            consumers,
            owners: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            commits: Vec::new(),
            next_offset: 0,
            generation: 0,
            stable_generation: 0,
            faults: true,
        }
    }

    fn run(&mut self) {
        for _ in 0..400 {
            self.step();
        }
        self.heal();
    }

    fn step(&mut self) {
        for index in 0..self.consumers.len() {
            self.drive(index);
        }
        if self.faults {
            self.disturb();
        }
        while !self.bench.writes.is_empty() {
            if self.faults && self.draws.one_in(3) {
                break;
            }
            let fails = self.faults && self.draws.one_in(20);
            let fate = if fails { Err(WriteFailure::NotEnoughReplicas) } else { Ok(()) };
            self.bench.finish_write(fate);
        }
        let rest = self.draws.below(1_500);
        self.bench.pass(rest);
        self.check();
    }

    /// One consumer goes on from where it is.
    fn drive(&mut self, index: usize) {
        let consumer = self.consumers[index].clone();
        match consumer.doing {
            Doing::Down => {}
            Doing::Idle => self.join(index),
            Doing::Joining(reply) if !self.bench.is_parked(reply) => self.joined(index, reply),
            Doing::Syncing(reply) if !self.bench.is_parked(reply) => self.synced(index, reply),
            Doing::Joining(_) | Doing::Syncing(_) => {}
            Doing::Owning(partitions) => {
                if self.bench.now.monotonic_ms >= consumer.last_beat_ms + 3_000 {
                    self.beat(index);
                }
                if !partitions.is_empty() && self.draws.one_in(2) {
                    let partition = partitions[self.draws.below(partitions.len() as u64) as usize];
                    self.commit(index, partition);
                }
            }
        }
    }

    fn join(&mut self, index: usize) {
        let consumer = &self.consumers[index];
        let mut request =
            join_request(&consumer.member, &["range"]).with_rebalance_timeout_ms(20_000);
        request.group_instance_id = consumer.instance.as_deref().map(text);
        let reply = self.bench.join_as(9, &request);
        self.consumers[index].doing = Doing::Joining(reply);
    }

    fn joined(&mut self, index: usize, reply: ReplyId) {
        let answer = self.bench.joined(reply);
        let consumer = &mut self.consumers[index];
        match answer.error {
            Some(GroupError::MemberIdRequired) => {
                consumer.member = answer.member_id;
                consumer.doing = Doing::Idle;
            }
            Some(GroupError::UnknownMember | GroupError::FencedInstance { .. }) => {
                consumer.member = StrBytes::default();
                consumer.doing = Doing::Idle;
            }
            Some(_) => consumer.doing = Doing::Idle,
            None => {
                consumer.member = answer.member_id.clone();
                consumer.generation = answer.generation;
                consumer.last_beat_ms = self.bench.now.monotonic_ms;
                let leads = answer.leader == answer.member_id && !answer.skip_assignment;
                self.sync(index, if leads { &answer.members } else { &[] });
            }
        }
    }

    /// The leader deals the partitions round; everybody else just asks.
    fn sync(&mut self, index: usize, members: &[JoinedMember]) {
        let mut dealt: BTreeMap<&str, String> = BTreeMap::new();
        if !members.is_empty() {
            for partition in 0..PARTITIONS {
                let owner = &members[partition as usize % members.len()];
                dealt.entry(&owner.member_id).or_default().push_str(&format!("{partition} "));
            }
        }
        let dealt: Vec<(&str, &str)> =
            dealt.iter().map(|(member, partitions)| (*member, partitions.as_str())).collect();
        let consumer = &self.consumers[index];
        let reply = self.bench.sync(&consumer.member, consumer.generation, &dealt);
        self.consumers[index].doing = Doing::Syncing(reply);
    }

    fn synced(&mut self, index: usize, reply: ReplyId) {
        let answer = self.bench.synced(reply);
        let consumer = &mut self.consumers[index];
        if let Some(error) = answer.error {
            consumer.doing = Doing::Idle;
            if matches!(error, GroupError::UnknownMember | GroupError::IllegalGeneration { .. }) {
                consumer.member = StrBytes::default();
            }
            return;
        }
        let assigned = std::str::from_utf8(&answer.assignment).unwrap();
        let partitions: Vec<i32> =
            assigned.split_whitespace().map(|partition| partition.parse().unwrap()).collect();
        let name = consumer.instance.clone().unwrap_or_else(|| consumer.member.to_string());
        for partition in &partitions {
            let owner = self
                .owners
                .entry((consumer.generation, *partition))
                .or_insert_with(|| name.clone());
            assert_eq!(
                *owner, name,
                "seed {}: two owners of {partition} in generation {}",
                self.seed, consumer.generation
            );
        }
        consumer.doing = Doing::Owning(partitions);
    }

    fn beat(&mut self, index: usize) {
        let (member, generation) =
            (self.consumers[index].member.clone(), self.consumers[index].generation);
        let beaten = self.bench.heartbeat(&member, generation);
        let consumer = &mut self.consumers[index];
        consumer.last_beat_ms = self.bench.now.monotonic_ms;
        match beaten {
            Ok(()) => {}
            Err(GroupError::RebalanceInProgress) => consumer.doing = Doing::Idle,
            Err(_) => {
                consumer.member = StrBytes::default();
                consumer.doing = Doing::Idle;
            }
        }
    }

    fn commit(&mut self, index: usize, partition: i32) {
        let consumer = &self.consumers[index];
        self.next_offset += 1;
        let offset = self.next_offset;
        let request =
            commit_request(&consumer.member, consumer.generation, &[(TOPIC, partition, offset)]);
        let reply = self.bench.commit(&request);
        self.commits.push((reply, partition, offset));
    }

    /// A consumer starts, crashes or leaves, or the coordinator fails over.
    fn disturb(&mut self) {
        if self.draws.one_in(60) {
            self.fail_over();
        }
        if !self.draws.one_in(6) {
            return;
        }
        let index = self.draws.below(self.consumers.len() as u64) as usize;
        let consumer = self.consumers[index].clone();
        if consumer.doing == Doing::Down {
            self.start(index);
            return;
        }
        // A static member that restarts keeps its instance id only.
        if self.draws.one_in(2) && !consumer.member.is_empty() && consumer.instance.is_none() {
            self.bench.leave_parked(&[(&consumer.member, None)]);
        }
        self.consumers[index].doing = Doing::Down;
    }

    fn start(&mut self, index: usize) {
        let consumer = &mut self.consumers[index];
        consumer.member = StrBytes::default();
        consumer.doing = Doing::Idle;
    }

    /// Another broker loads the log; what was parked or on its way is lost.
    fn fail_over(&mut self) {
        let mut next = self.bench.reloaded();
        next.writes_at_once = false;
        let answered = self.commits.drain(..);
        let answered = answered.filter(|(reply, ..)| !self.bench.is_parked(*reply));
        for (reply, partition, offset) in answered {
            if is_committed(&self.bench, reply) {
                let newest = self.acknowledged.entry(partition).or_insert(offset);
                *newest = (*newest).max(offset);
            }
        }
        self.generation = next.generation();
        assert!(
            self.generation >= self.stable_generation,
            "seed {}: generation {} was stable, {} is in the log",
            self.seed,
            self.stable_generation,
            self.generation
        );
        self.bench = next;
        for consumer in &mut self.consumers {
            if matches!(consumer.doing, Doing::Joining(_) | Doing::Syncing(_)) {
                consumer.doing = Doing::Idle;
            }
        }
    }

    fn check(&mut self) {
        let (bench, acknowledged) = (&self.bench, &mut self.acknowledged);
        self.commits.retain(|(reply, partition, offset)| {
            if bench.is_parked(*reply) {
                return true;
            }
            if is_committed(bench, *reply) {
                let newest = acknowledged.entry(*partition).or_insert(*offset);
                *newest = (*newest).max(*offset);
            }
            false
        });
        for (partition, offset) in &self.acknowledged {
            let read = self.bench.fetch(TOPIC, *partition).unwrap();
            assert!(
                read >= Some(*offset),
                "seed {}: partition {partition} was committed at {offset}, read as {read:?}",
                self.seed
            );
        }
        let generation = self.bench.generation();
        assert!(
            generation >= self.generation,
            "seed {}: generation {generation} after {}",
            self.seed,
            self.generation
        );
        self.generation = generation;
        if self.bench.shard().describe(&text("g")).is_ok_and(|g| g.state == GroupState::Stable) {
            self.stable_generation = generation;
        }
    }

    /// Faults stop: the group must come to rest, whole.
    fn heal(&mut self) {
        self.faults = false;
        for index in 0..self.consumers.len() {
            if self.consumers[index].doing == Doing::Down {
                self.start(index);
            }
        }
        for _ in 0..200 {
            self.step();
        }
        let generation = self.bench.generation();
        let mut owned: Vec<i32> = Vec::new();
        for consumer in &self.consumers {
            assert_eq!(consumer.generation, generation, "seed {}: left behind", self.seed);
            let Doing::Owning(partitions) = &consumer.doing else {
                panic!("seed {}: {consumer:?} has not come to rest", self.seed);
            };
            owned.extend(partitions);
        }
        owned.sort_unstable();
        assert_eq!(owned, (0..PARTITIONS).collect::<Vec<_>>(), "seed {}", self.seed);
        self.bench.settle();
        assert_eq!(
            self.bench.durable_state(),
            self.bench.reloaded().durable_state(),
            "seed {}: a reload differs",
            self.seed
        );
    }
}

fn is_committed(bench: &Bench, reply: ReplyId) -> bool {
    bench.committed(reply).is_ok_and(|topics| topics[0].partitions[0].1.is_none())
}

#[test]
fn consumers_come_and_go_and_the_group_keeps_its_word() {
    for seed in seeds(200) {
        Simulation::new(seed).run();
    }
}

#[test]
fn one_seed_is_one_run() {
    let run = |seed| {
        let mut simulation = Simulation::new(seed);
        simulation.run();
        (simulation.bench.log.len(), simulation.bench.durable_state(), simulation.generation)
    };
    assert_eq!(run(7), run(7));
}
