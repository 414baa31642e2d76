//! Members of a streams group, two to a process, that join, follow, stall, crash, leave and come
//! back, over a log whose writes are late and sometimes fail, a coordinator that fails over, and
//! internal topics that are made some time after they are missed. One seed is one run.
//!
//! Checked all the time: nobody is told to have an active task that another member holds, and no
//! process a task twice. Checked when faults stop: the group is stable, all tasks are held, and a
//! reload gives the same state.

use std::collections::{BTreeMap, BTreeSet};

use protocol::records::group::StreamsSubtopologyValue;
use protocol::wire::StrBytes;

use super::super::tests::harness::{Bench, text};
use super::super::*;
use super::tests::bench::*;
use crate::runtime::{ReplyId, WriteFailure};
use crate::seeds::seeds;

const TASKS: usize = 5 + 3;

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
struct Member {
    id: StrBytes,
    process: StrBytes,
    epoch: i32,
    owned: TaskAssignment,
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
    members: Vec<Member>,
    named: u64,
    topics: i64,
    faults: bool,
}

/// One part with state and one without.
fn parts() -> [StreamsSubtopologyValue; 2] {
    let mut stateful = part("0", &["words"]);
    stateful.state_changelog_topics.push(internal("counts", 0));
    [stateful, part("1", &["lines"])]
}

fn flat(tasks: &Tasks) -> BTreeSet<(StrBytes, i32)> {
    let tasks = tasks.iter();
    tasks.flat_map(|(part, of)| of.iter().map(move |task| (part.clone(), *task))).collect()
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let replicas = i32::try_from(draws.below(3)).unwrap();
        let mut bench =
            bench_with(StreamsSettings { num_standby_replicas: replicas, ..Default::default() });
        bench.change_topics(1, &[("words", 5), ("lines", 3)]);
        bench.writes_at_once = false;
        let members = (0..2 + draws.below(4)).map(|_| Member::default()).collect();
        Self { seed, draws, bench, members, named: 0, topics: 1, faults: true }
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
        let group = self.bench.described_streams();
        assert_eq!(group.state, "Stable", "seed {}: {group:?}", self.seed);
        let held: usize = self.members.iter().map(|member| flat(&member.owned.active).len()).sum();
        assert_eq!(held, TASKS, "seed {}: {:?}", self.seed, self.members);
        let reloaded = self.bench.reloaded();
        assert_eq!(self.bench.durable_state(), reloaded.durable_state(), "seed {}", self.seed);
    }

    fn step(&mut self) {
        for index in 0..self.members.len() {
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
        if self.topics == 1 && (!self.faults || self.draws.one_in(10)) {
            self.topics = 2;
            self.bench.change_topics(2, &[("words", 5), ("lines", 3), ("counts", 5)]);
        }
        if self.faults && self.draws.one_in(50) {
            self.bench = self.bench.reloaded();
            self.bench.writes_at_once = false;
            self.members.iter_mut().for_each(|member| member.asked = None);
        }
        let rest = self.draws.below(4_000);
        self.bench.pass(rest);
    }

    /// Sends a heartbeat, or starts, stops, stalls.
    fn drive(&mut self, index: usize) {
        let now_ms = self.bench.now.monotonic_ms;
        let member = &mut self.members[index];
        if now_ms >= member.heard_ms + 40_000 {
            member.owned = TaskAssignment::default();
            (member.epoch, member.asked, member.heard_ms) = (0, None, now_ms);
        }
        if member.asked.is_some() {
            return;
        }
        if !member.runs {
            if !self.faults || self.draws.one_in(4) {
                self.named += 1;
                let id = text(&format!("m{}", self.named));
                let process = text(&format!("p{}", index / 2));
                let epoch = 0;
                let owned = TaskAssignment::default();
                *member = Member {
                    id,
                    process,
                    epoch,
                    owned,
                    runs: true,
                    asked: None,
                    heard_ms: now_ms,
                    sent_ms: now_ms,
                };
            }
            return;
        }
        if self.faults && self.draws.one_in(30) {
            // A crash, or a departure that it does not wait for.
            let leaves = self.draws.one_in(2);
            let id = member.id.clone();
            *member = Member::default();
            if leaves {
                self.bench.streams_beat_parked(&stays(&id, -1));
            }
            return;
        }
        let request = request(member);
        let reply = self.bench.streams_beat_parked(&request);
        let member = &mut self.members[index];
        (member.asked, member.sent_ms) = (Some(reply), now_ms);
    }

    fn hear(&mut self, index: usize) {
        let Some(reply) = self.members[index].asked else { return };
        if self.bench.is_parked(reply) {
            return;
        }
        let answer = self.bench.streams_beaten(reply);
        let member = &mut self.members[index];
        member.asked = None;
        match answer {
            Ok(answer) => {
                member.epoch = answer.member_epoch;
                member.heard_ms = member.sent_ms;
                if let Some(told) = answer.tasks {
                    member.owned = told;
                }
            }
            Err(GroupError::WriteFailed(_)) => {}
            Err(_) => {
                member.owned = TaskAssignment::default();
                member.epoch = 0;
            }
        }
        self.check();
    }

    fn check(&self) {
        let mut active: BTreeMap<(StrBytes, i32), &StrBytes> = BTreeMap::new();
        let mut of_processes = BTreeSet::new();
        for member in &self.members {
            for task in flat(&member.owned.active) {
                let other = active.insert(task.clone(), &member.id);
                let (seed, members) = (self.seed, &self.members);
                assert_eq!(other, None, "seed {seed}: {task:?} is active twice: {members:?}");
            }
            for task in flat(&member.owned.active).into_iter().chain(flat(&member.owned.standby)) {
                let is_first = of_processes.insert((member.process.clone(), task.clone()));
                let (seed, members) = (self.seed, &self.members);
                assert!(is_first, "seed {seed}: a process has {task:?} twice: {members:?}");
            }
        }
    }
}

/// Whole, as clients send it when an answer was lost: it may have told of tasks.
fn request(member: &Member) -> StreamsHeartbeatRequest {
    let ids = |tasks: &Tasks| {
        let tasks = tasks.iter().map(|(part, of)| TaskIds {
            subtopology: part.clone(),
            partitions: of.iter().copied().collect(),
        });
        Some(tasks.collect())
    };
    let joins = joins_with(&member.id, &parts());
    StreamsHeartbeatRequest {
        member_epoch: member.epoch,
        rebalance_timeout_ms: 600_000,
        topology: joins.topology.clone().filter(|_| member.epoch == 0),
        active_tasks: ids(&member.owned.active),
        standby_tasks: ids(&member.owned.standby),
        process_id: Some(member.process.clone()),
        ..joins
    }
}

#[test]
fn members_come_and_go_and_no_task_is_held_twice() {
    for seed in seeds(60) {
        Simulation::new(seed).run();
    }
}
