//! Members of a consumer group that join, follow, stall, crash, leave and come back, over a log
//! whose writes are late and sometimes fail, and a coordinator that fails over. One seed is one
//! run.
//!
//! Checked all the time: nobody is told to have a partition that another member holds. Checked when
//! faults stop: the group is stable, all partitions are held, and a reload gives the same state.

use std::collections::BTreeSet;

use protocol::wire::StrBytes;

use super::super::tests::consumer_bench::{bench, has, joins, stays};
use super::super::tests::harness::{Bench, text};
use super::super::*;
use crate::runtime::{ReplyId, WriteFailure};
use crate::seeds::seeds;

const PARTITIONS: i32 = 6;

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
    owned: BTreeSet<i32>,
    runs: bool,
    asked: Option<ReplyId>,
    /// When the heartbeat that was answered last was sent: most of a session later it gives up
    /// everything by itself.
    heard_ms: u64,
    sent_ms: u64,
}

struct Simulation {
    seed: u64,
    draws: Draws,
    bench: Bench,
    consumers: Vec<Consumer>,
    named: u64,
    faults: bool,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut bench = bench();
        bench.change_topics(1, &[("orders", PARTITIONS)]);
        bench.writes_at_once = false;
        let consumers = (0..2 + draws.below(3)).map(|_| Consumer::default()).collect();
        Self { seed, draws, bench, consumers, named: 0, faults: true }
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
        let group = self.bench.described();
        assert_eq!(group.state, "Stable", "seed {}: {group:?}", self.seed);
        let held: usize = self.consumers.iter().map(|consumer| consumer.owned.len()).sum();
        assert_eq!(held, PARTITIONS as usize, "seed {}: {:?}", self.seed, self.consumers);
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
        if self.faults && self.draws.one_in(50) {
            self.bench = self.bench.reloaded();
            self.bench.writes_at_once = false;
            self.consumers.iter_mut().for_each(|consumer| consumer.asked = None);
        }
        let rest = self.draws.below(4_000);
        self.bench.pass(rest);
    }

    /// Sends a heartbeat, or starts, stops, stalls.
    fn drive(&mut self, index: usize) {
        let now_ms = self.bench.now.monotonic_ms;
        let consumer = &mut self.consumers[index];
        if now_ms >= consumer.heard_ms + 40_000 {
            consumer.owned.clear();
            (consumer.epoch, consumer.asked, consumer.heard_ms) = (0, None, now_ms);
        }
        if consumer.asked.is_some() {
            return;
        }
        if !consumer.runs {
            if !self.faults || self.draws.one_in(4) {
                self.named += 1;
                let id = text(&format!("m{}", self.named));
                *consumer = Consumer { id, runs: true, heard_ms: now_ms, ..Consumer::default() };
            }
            return;
        }
        if self.faults && self.draws.one_in(30) {
            // A crash, or a departure that it does not wait for.
            let leaves = self.draws.one_in(2);
            let id = consumer.id.clone();
            *consumer = Consumer::default();
            if leaves {
                self.bench.beat_parked(&stays(&id, -1));
            }
            return;
        }
        let request = if consumer.epoch == 0 {
            joins(&consumer.id, &["orders"]).with_rebalance_timeout_ms(600_000)
        } else {
            // Whole, as clients send it when an answer was lost: it may have told of partitions.
            let owned: Vec<i32> = consumer.owned.iter().copied().collect();
            let whole = joins(&consumer.id, &["orders"]).with_member_epoch(consumer.epoch);
            whole
                .with_rebalance_timeout_ms(600_000)
                .with_topic_partitions(has(&consumer.id, 0, &owned).topic_partitions)
        };
        let reply = self.bench.beat_parked(&request);
        let consumer = &mut self.consumers[index];
        (consumer.asked, consumer.sent_ms) = (Some(reply), now_ms);
    }

    fn hear(&mut self, index: usize) {
        let Some(reply) = self.consumers[index].asked else { return };
        if self.bench.is_parked(reply) {
            return;
        }
        let answer = self.bench.beaten(reply);
        let consumer = &mut self.consumers[index];
        consumer.asked = None;
        match answer {
            Ok(answer) => {
                consumer.epoch = answer.member_epoch;
                consumer.heard_ms = consumer.sent_ms;
                let told: Option<BTreeSet<i32>> = answer
                    .assignment
                    .map(|assignment| assignment.into_values().flatten().collect());
                if let Some(told) = told {
                    consumer.owned = told;
                }
            }
            Err(GroupError::WriteFailed(_)) => {}
            Err(_) => {
                consumer.owned.clear();
                consumer.epoch = 0;
            }
        }
        self.check(index);
    }

    fn check(&self, index: usize) {
        let owned = &self.consumers[index].owned;
        for (other, consumer) in self.consumers.iter().enumerate() {
            let both: Vec<_> = consumer.owned.intersection(owned).collect();
            assert!(
                other == index || both.is_empty(),
                "seed {}: {both:?} is held twice: {:?}",
                self.seed,
                self.consumers
            );
        }
    }
}

#[test]
fn members_come_and_go_and_no_partition_is_held_twice() {
    for seed in seeds(80) {
        Simulation::new(seed).run();
    }
}
