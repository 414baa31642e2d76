//! Members of a share group that join, stay, crash and leave, over a log whose writes are late and
//! sometimes fail, a coordinator that fails over, and a persister whose answers are late, lost or
//! refusals, while topics grow. One seed is one run.
//!
//! Checked all the time: nobody is told to have a partition whose state the persister has not made.
//! Checked when faults stop: every partition has its state and a member, no member has more than
//! its share, and a reload gives the same state.

use std::collections::BTreeSet;

use protocol::wire::StrBytes;

use super::super::tests::harness::{Bench, text};
use super::super::*;
use super::tests::bench::{bench, joins, orders, stays};
use crate::runtime::{ReplyId, WriteFailure};
use crate::seeds::seeds;

/// Marsaglia's xorshift64: the same draws on every machine.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

#[derive(Debug, Default)]
struct Consumer {
    id: StrBytes,
    epoch: i32,
    told: BTreeSet<i32>,
    runs: bool,
    asked: Option<ReplyId>,
}

/// What the persister has been asked and has not said yet.
#[derive(Debug)]
struct Asked {
    partitions: BTreeSet<i32>,
}

struct Simulation {
    seed: u64,
    draws: Draws,
    bench: Bench,
    consumers: Vec<Consumer>,
    named: u64,
    partitions: i32,
    asked: Vec<Asked>,
    /// Partitions whose state the persister has made.
    made: BTreeSet<i32>,
    faults: bool,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut bench = bench();
        bench.writes_at_once = false;
        let consumers = (0..1 + draws.below(5)).map(|_| Consumer::default()).collect();
        let (asked, made) = (Vec::new(), BTreeSet::new());
        let (named, partitions) = (0, 4);
        Self { seed, draws, bench, consumers, named, partitions, asked, made, faults: true }
    }

    fn run(&mut self) {
        for _ in 0..300 {
            self.step();
        }
        self.faults = false;
        for _ in 0..120 {
            self.step();
        }
        self.bench.settle();
        let all: BTreeSet<i32> = (0..self.partitions).collect();
        let told: BTreeSet<i32> =
            self.consumers.iter().flat_map(|consumer| consumer.told.iter().copied()).collect();
        assert_eq!(told, all, "seed {}: {:?}", self.seed, self.consumers);
        let members = self.consumers.len();
        let sharing = members.div_ceil(all.len());
        let most = (sharing * all.len()).div_ceil(members);
        assert!(
            self.consumers.iter().all(|consumer| consumer.told.len() <= most),
            "seed {}: {:?}",
            self.seed,
            self.consumers
        );
        let reloaded = self.bench.reloaded();
        assert_eq!(self.bench.durable_state(), reloaded.durable_state(), "seed {}", self.seed);
    }

    fn step(&mut self) {
        for index in 0..self.consumers.len() {
            self.hear(index);
            self.drive(index);
        }
        while !self.bench.writes.is_empty() {
            if self.faults && self.draws.one_in(3) {
                break;
            }
            let fails = self.faults && self.draws.one_in(15);
            let fate = if fails { Err(WriteFailure::NotEnoughReplicas) } else { Ok(()) };
            self.bench.finish_write(fate);
        }
        self.persist();
        if self.faults && self.draws.one_in(50) {
            self.bench = self.bench.reloaded();
            self.bench.writes_at_once = false;
            self.consumers.iter_mut().for_each(|consumer| consumer.asked = None);
        }
        if self.faults && self.partitions < 9 && self.draws.one_in(60) {
            self.partitions += 1;
            let version = i64::from(self.partitions);
            self.bench.change_topics(version, &[("orders", self.partitions)]);
        }
        let rest = self.draws.below(4_000);
        self.bench.pass(rest);
    }

    /// The persister answers, or its answer is lost, or it was none that helps.
    fn persist(&mut self) {
        while !self.asked.is_empty() {
            if self.faults && self.draws.one_in(2) {
                break;
            }
            let Asked { partitions } = self.asked.remove(0);
            let listed = orders(&partitions.iter().copied().collect::<Vec<_>>());
            if self.faults && self.draws.one_in(4) {
                continue;
            }
            if self.faults && self.draws.one_in(4) {
                let reply = self.bench.reply();
                self.bench.run(|shard, _, out| {
                    let why = "no answer".to_owned();
                    shard.share_state_not_initialized(&text("g"), &listed, why, reply, out);
                });
                continue;
            }
            self.made.extend(partitions);
            self.bench.state_initialized(&listed);
        }
    }

    /// Sends a heartbeat, or starts, stops.
    fn drive(&mut self, index: usize) {
        let consumer = &mut self.consumers[index];
        if consumer.asked.is_some() {
            return;
        }
        if !consumer.runs {
            if !self.faults || self.draws.one_in(4) {
                self.named += 1;
                let id = text(&format!("m{}", self.named));
                *consumer = Consumer { id, runs: true, ..Consumer::default() };
            }
            return;
        }
        if self.faults && self.draws.one_in(30) {
            // A crash, or a departure that it does not wait for.
            let leaves = self.draws.one_in(2);
            let id = consumer.id.clone();
            *consumer = Consumer::default();
            if leaves {
                self.bench.share_parked(&stays(&id, -1));
            }
            return;
        }
        let request = if consumer.epoch == 0 {
            joins(&consumer.id, &["orders"])
        } else if self.draws.one_in(3) {
            joins(&consumer.id, &["orders"]).with_member_epoch(consumer.epoch)
        } else {
            stays(&consumer.id, consumer.epoch)
        };
        let reply = self.bench.share_parked(&request);
        self.consumers[index].asked = Some(reply);
    }

    fn hear(&mut self, index: usize) {
        let Some(reply) = self.consumers[index].asked else { return };
        if self.bench.is_parked(reply) {
            return;
        }
        let answer = self.bench.share_answer(reply);
        let consumer = &mut self.consumers[index];
        consumer.asked = None;
        match answer {
            Ok(answer) => {
                consumer.epoch = answer.member_epoch;
                if let Some(assignment) = answer.assignment {
                    consumer.told = assignment.into_values().flatten().collect();
                }
                if let Some(asked) = answer.initialize {
                    let partitions = asked.start_offsets.into_values().flatten();
                    let partitions = partitions.map(|(partition, _)| partition).collect();
                    self.asked.push(Asked { partitions });
                }
            }
            Err(GroupError::WriteFailed(_)) => {}
            Err(_) => {
                consumer.told.clear();
                consumer.epoch = 0;
            }
        }
        let told = &self.consumers[index].told;
        assert!(told.is_subset(&self.made), "seed {}: {told:?} of {:?}", self.seed, self.made);
    }
}

#[test]
fn members_come_and_go_and_what_they_have_has_its_state() {
    for seed in seeds(80) {
        Simulation::new(seed).run();
    }
}
