//! Applications that read in one group by either protocol, and change it when they are started
//! again: with instance ids and without, over a log whose writes are late and sometimes fail, and a
//! coordinator that fails over. One seed is one run.
//!
//! Members of the classic protocol are eager in some runs and cooperative in others; while the
//! group is classic, one of them leads and assigns.
//!
//! Checked all the time: nobody has a partition that another member has, but for what
//! [`Simulation::may_have_both`] says. Checked when faults stop: rolled to the consumer protocol,
//! to the classic one, and half to each, the group is of the kind that it should be and stable, all
//! partitions are held, once, and a reload gives the same state.

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::StrBytes;

use super::shard::Group;
use super::tests::consumer_bench::{
    bench, given_to, has, joins, joins_again, owned_in, partitions_in, stays,
};
use super::tests::harness::{Bench, commit_request, text};
use super::*;
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    Nothing,
    Beat(ReplyId),
    Join(ReplyId),
    Sync(ReplyId),
}

#[derive(Debug, Clone)]
struct Application {
    instance: Option<String>,
    protocol: MemberProtocol,
    runs: bool,
    id: StrBytes,
    /// Or generation.
    epoch: i32,
    /// It is to join, again or for the first time.
    joins: bool,
    owned: BTreeSet<i32>,
    waits: Waits,
    /// When what was answered last was sent: most of a session later it gives up by itself.
    heard_ms: u64,
    sent_ms: u64,
}

impl Application {
    fn new(instance: Option<String>) -> Self {
        Self {
            instance,
            protocol: MemberProtocol::Classic,
            runs: false,
            id: StrBytes::default(),
            epoch: 0,
            joins: true,
            owned: BTreeSet::new(),
            waits: Waits::Nothing,
            heard_ms: 0,
            sent_ms: 0,
        }
    }

    /// The group does not know it any more: it begins anew, with its id or without.
    fn loses_all(&mut self, keeps_id: bool) {
        self.owned.clear();
        (self.epoch, self.joins) = (0, true);
        if !keeps_id {
            self.id = StrBytes::default();
        }
    }

    fn has(&self) -> Vec<i32> {
        self.owned.iter().copied().collect()
    }
}

struct Simulation {
    seed: u64,
    draws: Draws,
    bench: Bench,
    applications: Vec<Application>,
    is_cooperative: bool,
    named: u64,
    faults: bool,
    commits: Vec<(ReplyId, i32, i64)>,
    next_offset: i64,
    /// The newest acknowledged commit by partition.
    acknowledged: BTreeMap<i32, i64>,
    /// How often the group changed its kind.
    changes: usize,
    kind: Option<GroupKind>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut bench = bench();
        bench.change_topics(1, &[("orders", PARTITIONS)]);
        bench.writes_at_once = false;
        let count = 2 + draws.below(3);
        let instance = |index: u64| (index % 2 == 1).then(|| format!("i{index}"));
        let applications = (0..count).map(|index| Application::new(instance(index))).collect();
        let is_cooperative = draws.one_in(2);
        Self {
            seed,
            draws,
            bench,
            applications,
            is_cooperative,
            named: 0,
            faults: true,
            commits: Vec::new(),
            next_offset: 0,
            acknowledged: BTreeMap::new(),
            changes: 0,
            kind: None,
        }
    }

    fn run(&mut self) {
        for _ in 0..300 {
            self.step();
        }
        self.faults = false;
        self.roll(|_| MemberProtocol::Consumer);
        self.settles_as(GroupKind::Consumer);
        self.roll(|_| MemberProtocol::Classic);
        self.settles_as(GroupKind::Classic);
        self.roll(
            |index| {
                if index == 0 { MemberProtocol::Consumer } else { MemberProtocol::Classic }
            },
        );
        self.settles_as(GroupKind::Consumer);
    }

    /// One application after the other is stopped and started with its protocol.
    fn roll(&mut self, protocol: fn(usize) -> MemberProtocol) {
        for index in 0..self.applications.len() {
            if self.applications[index].runs {
                self.stop(index, true);
            }
            self.step();
            self.start(index, protocol(index));
            for _ in 0..4 {
                self.step();
            }
        }
        for _ in 0..60 {
            self.step();
        }
    }

    fn settles_as(&mut self, kind: GroupKind) {
        self.bench.settle();
        let seed = self.seed;
        let listed = &self.bench.shard().list(&[], &[])[0];
        assert_eq!(
            (listed.kind, listed.state),
            (kind, "Stable"),
            "seed {seed}: {:?}",
            self.state()
        );
        let held: usize = self.applications.iter().map(|of| of.owned.len()).sum();
        assert_eq!(held, PARTITIONS as usize, "seed {seed}: {:?}", self.state());
        // A group that has not rebalanced since it was downgraded does so when it is loaded.
        let reloaded = self.bench.reloaded().durable_state();
        let reloaded: Vec<String> = reloaded
            .into_iter()
            .map(|line| line.replace("\"g\" PreparingRebalance", "\"g\" Stable"))
            .collect();
        assert_eq!(self.bench.durable_state(), reloaded, "seed {seed}");
    }

    fn state(&self) -> (&Vec<Application>, Vec<String>) {
        (&self.applications, self.bench.durable_state())
    }

    fn step(&mut self) {
        for index in 0..self.applications.len() {
            self.hear(index);
            self.drive(index);
            self.check();
        }
        if self.faults {
            self.disturb();
        }
        while !self.bench.writes.is_empty() {
            if self.faults && self.draws.one_in(3) {
                break;
            }
            let fails = self.faults && self.draws.one_in(15);
            let fate = if fails { Err(WriteFailure::NotEnoughReplicas) } else { Ok(()) };
            self.bench.finish_write(fate);
        }
        self.follow_commits();
        let rest = self.draws.below(4_000);
        self.bench.pass(rest);
        let kind = self.bench.shard().list(&[], &[]).first().map(|listed| listed.kind);
        self.changes += usize::from(kind != self.kind);
        self.kind = kind;
    }

    fn disturb(&mut self) {
        if self.draws.one_in(50) {
            self.bench = self.bench.reloaded();
            self.bench.writes_at_once = false;
            self.commits.clear();
            for application in &mut self.applications {
                application.joins |= matches!(application.waits, Waits::Join(_) | Waits::Sync(_));
                application.waits = Waits::Nothing;
            }
        }
        let index = self.draws.below(self.applications.len() as u64) as usize;
        if !self.applications[index].runs {
            let protocol = if self.draws.one_in(2) {
                MemberProtocol::Classic
            } else {
                MemberProtocol::Consumer
            };
            self.start(index, protocol);
        } else if self.draws.one_in(12) {
            let says_so = self.draws.one_in(2);
            self.stop(index, says_so);
        }
    }

    fn start(&mut self, index: usize, protocol: MemberProtocol) {
        self.named += 1;
        let now_ms = self.bench.now.monotonic_ms;
        let application = &mut self.applications[index];
        *application = Application::new(application.instance.take());
        (application.runs, application.protocol) = (true, protocol);
        application.heard_ms = now_ms;
        if protocol == MemberProtocol::Consumer {
            application.id = text(&format!("m{}", self.named));
        }
    }

    /// A crash, or a departure that it does not wait for.
    fn stop(&mut self, index: usize, says_so: bool) {
        let application = &mut self.applications[index];
        let (id, instance) = (application.id.clone(), application.instance.clone());
        let protocol = application.protocol;
        *application = Application::new(instance.clone());
        if !says_so || id.is_empty() {
            return;
        }
        match (protocol, instance) {
            (MemberProtocol::Consumer, None) => {
                self.bench.beat_parked(&stays(&id, -1));
            }
            (MemberProtocol::Consumer, Some(instance)) => {
                let leaves = stays(&id, -2).with_instance_id(Some(text(&instance)));
                self.bench.beat_parked(&leaves);
            }
            (MemberProtocol::Classic, None) => {
                self.bench.leave_parked(&[(&id, None)]);
            }
            // A static one keeps its place for its session.
            (MemberProtocol::Classic, Some(_)) => {}
        }
    }

    fn drive(&mut self, index: usize) {
        let now_ms = self.bench.now.monotonic_ms;
        let application = &mut self.applications[index];
        if !application.runs {
            return;
        }
        let is_parked = matches!(application.waits, Waits::Join(_) | Waits::Sync(_));
        if now_ms >= application.heard_ms + 40_000 && !is_parked {
            application.loses_all(application.protocol == MemberProtocol::Consumer);
            (application.waits, application.heard_ms) = (Waits::Nothing, now_ms);
        }
        if application.waits != Waits::Nothing {
            return;
        }
        application.sent_ms = now_ms;
        match application.protocol {
            MemberProtocol::Consumer => self.beat(index),
            MemberProtocol::Classic if application.joins => self.join(index),
            MemberProtocol::Classic => self.beat_as_classic(index),
        }
        self.commit(index);
    }

    fn beat(&mut self, index: usize) {
        let application = &self.applications[index];
        let id = &application.id;
        // Whole, as clients send it when an answer was lost: it may have told of partitions.
        let whole = joins(id, &["orders"])
            .with_rebalance_timeout_ms(600_000)
            .with_instance_id(application.instance.as_deref().map(text));
        let request = if application.epoch == 0 {
            whole
        } else {
            whole
                .with_member_epoch(application.epoch)
                .with_topic_partitions(has(id, 0, &application.has()).topic_partitions)
        };
        self.applications[index].waits = Waits::Beat(self.bench.beat_parked(&request));
    }

    fn join(&mut self, index: usize) {
        let is_cooperative = self.is_cooperative;
        let application = &mut self.applications[index];
        if !is_cooperative {
            application.owned.clear();
        }
        let instance = application.instance.as_deref();
        let request = joins_again(&application.id, instance, &application.has())
            .with_session_timeout_ms(45_000)
            .with_rebalance_timeout_ms(600_000);
        let reply = self.bench.join_as(9, &request);
        self.applications[index].waits = Waits::Join(reply);
    }

    fn beat_as_classic(&mut self, index: usize) {
        let Application { id, instance, epoch, .. } = self.applications[index].clone();
        let beaten = self.bench.heartbeat_of(&id, instance.as_deref(), epoch);
        let now_ms = self.bench.now.monotonic_ms;
        let application = &mut self.applications[index];
        application.heard_ms = now_ms;
        match beaten {
            Ok(()) => {}
            Err(GroupError::RebalanceInProgress) => application.joins = true,
            Err(GroupError::IllegalGeneration { .. }) => application.loses_all(true),
            Err(_) => application.loses_all(false),
        }
    }

    fn commit(&mut self, index: usize) {
        let application = &self.applications[index];
        let owned = application.has();
        if owned.is_empty() || !self.draws.one_in(3) {
            return;
        }
        let partition = owned[self.draws.below(owned.len() as u64) as usize];
        self.next_offset += 1;
        let offset = self.next_offset;
        let request =
            commit_request(&application.id, application.epoch, &[("orders", partition, offset)]);
        let reply = self.bench.commit(&request);
        self.commits.push((reply, partition, offset));
    }

    fn follow_commits(&mut self) {
        let (bench, acknowledged) = (&self.bench, &mut self.acknowledged);
        self.commits.retain(|(reply, partition, offset)| {
            if bench.is_parked(*reply) {
                return true;
            }
            if bench.committed(*reply).is_ok() {
                acknowledged.insert(*partition, *offset);
            }
            false
        });
        for (partition, offset) in &self.acknowledged {
            let read = self.bench.fetch("orders", *partition).unwrap();
            assert!(read >= Some(*offset), "seed {}: {offset} became {read:?}", self.seed);
        }
    }

    fn hear(&mut self, index: usize) {
        match self.applications[index].waits {
            Waits::Beat(reply) if !self.bench.is_parked(reply) => self.beaten(index, reply),
            Waits::Join(reply) if !self.bench.is_parked(reply) => self.joined(index, reply),
            Waits::Sync(reply) if !self.bench.is_parked(reply) => self.synced(index, reply),
            _ => {}
        }
    }

    fn beaten(&mut self, index: usize, reply: ReplyId) {
        let answer = self.bench.beaten(reply);
        let application = &mut self.applications[index];
        application.waits = Waits::Nothing;
        match answer {
            Ok(answer) => {
                application.epoch = answer.member_epoch;
                application.heard_ms = application.sent_ms;
                if let Some(told) = answer.assignment {
                    application.owned = told.into_values().flatten().collect();
                }
            }
            // Whoever has the instance has it until its session is over.
            Err(GroupError::WriteFailed(_) | GroupError::UnreleasedInstance { .. }) => {}
            Err(_) => application.loses_all(true),
        }
    }

    fn joined(&mut self, index: usize, reply: ReplyId) {
        let answer = self.bench.joined(reply);
        let now_ms = self.bench.now.monotonic_ms;
        let application = &mut self.applications[index];
        (application.waits, application.heard_ms) = (Waits::Nothing, now_ms);
        match answer.error {
            None => {}
            Some(GroupError::MemberIdRequired) => return application.id = answer.member_id,
            Some(
                GroupError::UnknownMember
                | GroupError::NotAMember { .. }
                | GroupError::UnknownInstance(_)
                | GroupError::FencedInstance { .. }
                | GroupError::StaticMemberFenced { .. },
            ) => return application.loses_all(false),
            Some(GroupError::RebalanceInProgress | GroupError::WriteFailed(_)) => return,
            Some(other) => panic!("seed {}: {other}", self.seed),
        }
        application.id = answer.member_id.clone();
        (application.epoch, application.joins) = (answer.generation, false);
        application.sent_ms = now_ms;
        let leads = answer.leader == answer.member_id && !answer.skip_assignment;
        let assigned = if leads { self.assign(&answer.members) } else { Vec::new() };
        let application = &self.applications[index];
        let request = given_to(
            &application.id,
            application.instance.as_deref(),
            application.epoch,
            &assigned,
        );
        let reply = self.bench.sync_with(&request);
        self.applications[index].waits = Waits::Sync(reply);
    }

    /// A leader deals round; of cooperative members none is given what another still has.
    fn assign(&self, members: &[JoinedMember]) -> Vec<(StrBytes, Vec<i32>)> {
        let mut dealt: BTreeMap<StrBytes, Vec<i32>> = BTreeMap::new();
        let has: BTreeMap<&StrBytes, Vec<i32>> =
            members.iter().map(|member| (&member.member_id, owned_in(&member.metadata))).collect();
        for partition in 0..PARTITIONS {
            let to = &members[partition as usize % members.len()].member_id;
            let is_anothers =
                has.iter().any(|(member, has)| *member != to && has.contains(&partition));
            if !self.is_cooperative || !is_anothers {
                dealt.entry(to.clone()).or_default().push(partition);
            }
        }
        dealt.into_iter().collect()
    }

    fn synced(&mut self, index: usize, reply: ReplyId) {
        let answer = self.bench.synced(reply);
        let now_ms = self.bench.now.monotonic_ms;
        let application = &mut self.applications[index];
        (application.waits, application.heard_ms) = (Waits::Nothing, now_ms);
        match answer.error {
            None => {
                let assigned: BTreeSet<i32> =
                    partitions_in(answer.assignment).into_iter().collect();
                // What a cooperative member gives up it gives up by joining again.
                application.joins = application.owned.difference(&assigned).next().is_some();
                application.owned = assigned;
            }
            Some(GroupError::RebalanceInProgress | GroupError::WriteFailed(_)) => {
                application.joins = true;
            }
            Some(GroupError::IllegalGeneration { .. }) => application.loses_all(true),
            Some(_) => application.loses_all(false),
        }
    }

    fn check(&self) {
        for (index, one) in self.applications.iter().enumerate() {
            for other in &self.applications[index + 1..] {
                let both: Vec<_> = one.owned.intersection(&other.owned).collect();
                assert!(
                    both.is_empty() || self.may_have_both(one, other),
                    "seed {}: {both:?} is held twice: {one:?} {other:?} {:?}",
                    self.seed,
                    self.bench.durable_state()
                );
            }
        }
    }

    /// A classic group that was a consumer group says of a member what it is to have, not what it
    /// has (`ClassicGroup.fromConsumerGroup`): somebody of an older generation may have it until it
    /// is told so with its next heartbeat, and can commit nothing meanwhile.
    fn may_have_both(&self, one: &Application, other: &Application) -> bool {
        let is_classic =
            matches!(self.bench.shard().groups.latest(&text("g")), Some(Group::Classic(_)));
        is_classic && one.epoch != other.epoch
    }
}

#[test]
fn members_change_their_protocol_and_no_partition_is_held_twice() {
    let mut changes = 0;
    let seeds = seeds(40);
    let count = (seeds.end - seeds.start) as usize;
    for seed in seeds {
        let mut simulation = Simulation::new(seed);
        simulation.run();
        changes += simulation.changes;
    }
    assert!(changes > 4 * count, "the groups changed their kind {changes} times only");
}
