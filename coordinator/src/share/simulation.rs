//! Leaders of two share partitions that read and write their state, are deposed and go on, and ask
//! again when they hear nothing; groups that put the state elsewhere; a coordinator whose writes
//! are late and sometimes fail or are in doubt, that moves, and whose log is pruned. One seed is
//! one run.
//!
//! Checked whenever a leader takes a state over, and once more when faults stop:
//! - what was acknowledged is there: each offset's delivery has come as far, the start offset and
//!   the state epoch too;
//! - nothing is there that nobody asked for under this state epoch;
//! - who was fenced changes nothing: after a leader has taken over, none before it is acknowledged;
//! - nobody is answered twice (the bench does that).
//!
//! Flaws that are planted in the world around the shard must be found.

use std::collections::BTreeMap;

use super::tests::harness::{Bench, batch, key, write};
use super::*;
use crate::runtime::{ReplyId, WriteFailure};
use crate::seeds::seeds;

const PARTITIONS: i32 = 2;
const OFFSETS: i64 = 40;

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

/// What is wrong with the world around the shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// A write is taken for done when it is decided.
    AnswersTooSoon,
    /// Pruning takes the newest snapshots' neighbours along.
    PrunesTooFar,
    /// Leaders do not say under which epoch they write.
    FencesNobody,
}

type Deliveries = BTreeMap<i64, (i16, i8)>;

/// What is known of a partition's state under its newest state epoch.
#[derive(Debug, Default)]
struct Truth {
    state_epoch: i32,
    /// Acknowledged.
    start_offset: i64,
    acknowledged: Deliveries,
    /// Asked for, whether acknowledged or not.
    asked: Deliveries,
    furthest_start: i64,
    /// Of the leader that has taken over last, as far as it was told.
    leader_epoch: i32,
    /// A group has asked for a state epoch and was not told what became of it.
    is_in_doubt: bool,
}

/// What a leader does.
#[derive(Debug)]
enum Doing {
    Reading(ReplyId),
    Ready,
    Writing(ReplyId, WriteState),
    /// Fenced.
    Gone,
}

#[derive(Debug)]
struct Leader {
    partition: i32,
    epoch: i32,
    state_epoch: i32,
    start_offset: i64,
    known: Deliveries,
    doing: Doing,
}

struct World {
    bench: Bench,
    draws: Draws,
    flaw: Flaw,
    truths: Vec<Truth>,
    leaders: Vec<Leader>,
    newest_leader: Vec<i32>,
    initializing: Vec<(i32, i32, i64, ReplyId)>,
    written: usize,
    fenced: usize,
    taken_over: usize,
    pruned: usize,
    moves: usize,
}

fn put(deliveries: &mut Deliveries, batches: &[StateBatch]) {
    for batch in batches {
        for offset in batch.first_offset..=batch.last_offset {
            let delivery = (batch.delivery_count, batch.delivery_state);
            let known = deliveries.entry(offset).or_insert(delivery);
            *known = delivery.max(*known);
        }
    }
}

impl World {
    fn new(seed: u64, flaw: Flaw) -> Self {
        let mut draws = Draws(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut bench = Bench::new([0, 1, 3, 8][draws.below(4) as usize]);
        for partition in 0..PARTITIONS {
            bench.initialize(partition, 0, 0).expect("a state");
        }
        bench.writes_at_once = false;
        Self {
            bench,
            draws,
            flaw,
            truths: (0..PARTITIONS).map(|_| Truth::default()).collect(),
            leaders: Vec::new(),
            newest_leader: vec![0; PARTITIONS as usize],
            initializing: Vec::new(),
            written: 0,
            fenced: 0,
            taken_over: 0,
            pruned: 0,
            moves: 0,
        }
    }

    fn partition(&mut self) -> i32 {
        self.draws.below(PARTITIONS as u64) as i32
    }

    fn elect(&mut self) {
        let partition = self.partition();
        let newest = &mut self.newest_leader[partition as usize];
        *newest += 1;
        let epoch = *newest;
        let doing = Doing::Reading(self.begin_read(partition, epoch));
        self.leaders.push(Leader {
            partition,
            epoch,
            state_epoch: 0,
            start_offset: 0,
            known: Deliveries::new(),
            doing,
        });
        if self.leaders.len() > 6 {
            self.leaders.remove(0);
        }
    }

    fn begin_read(&mut self, partition: i32, epoch: i32) -> ReplyId {
        let leader_epoch = if self.flaw == Flaw::FencesNobody { -1 } else { epoch };
        let asked = ReadState { key: key(partition), leader_epoch };
        self.bench.begin(|shard, known, reply, now, out| shard.read(&asked, known, reply, now, out))
    }

    fn begin_write(&mut self, asked: &WriteState) -> ReplyId {
        let asked = match self.flaw {
            Flaw::FencesNobody => WriteState { leader_epoch: -1, state_epoch: -1, ..asked.clone() },
            _ => asked.clone(),
        };
        self.bench
            .begin(|shard, known, reply, now, out| shard.write(&asked, known, reply, now, out))
    }

    /// The group puts the state elsewhere.
    fn initialize(&mut self) {
        let partition = self.partition();
        let truth = &mut self.truths[partition as usize];
        if truth.is_in_doubt {
            return;
        }
        truth.is_in_doubt = true;
        let (state_epoch, start_offset) = (truth.state_epoch + 1, self.draws.below(9) as i64);
        self.ask_to_initialize(partition, state_epoch, start_offset);
    }

    fn ask_to_initialize(&mut self, partition: i32, state_epoch: i32, start_offset: i64) {
        let asked = InitializeState { key: key(partition), state_epoch, start_offset };
        let reply = self.bench.begin(|shard, known, reply, now, out| {
            shard.initialize(&asked, known, reply, now, out);
        });
        self.initializing.push((partition, state_epoch, start_offset, reply));
    }

    /// Everybody hears what became of what was asked, in the order of the answers.
    fn hear(&mut self) {
        loop {
            let of_leaders = self.leaders.iter().filter_map(|leader| match leader.doing {
                Doing::Reading(reply) | Doing::Writing(reply, _) => Some(reply),
                Doing::Ready | Doing::Gone => None,
            });
            let of_groups = self.initializing.iter().map(|(_, _, _, reply)| *reply);
            let answered = of_leaders
                .chain(of_groups)
                .filter(|reply| self.bench.answers.contains_key(reply))
                .min();
            let Some(reply) = answered else { return };
            match self.initializing.iter().position(|(_, _, _, asked)| *asked == reply) {
                Some(at) => self.hear_of_initializing(at),
                None => self.hear_of_leader(reply),
            }
        }
    }

    /// The group asks again until it is done.
    fn hear_of_initializing(&mut self, at: usize) {
        let (partition, state_epoch, start_offset, reply) = self.initializing.remove(at);
        if self.bench.answers.get(&reply) != Some(&Answer::Done(Ok(()))) {
            return self.ask_to_initialize(partition, state_epoch, start_offset);
        }
        let leader_epoch = self.truths[partition as usize].leader_epoch;
        self.truths[partition as usize] = Truth {
            state_epoch,
            start_offset,
            furthest_start: start_offset,
            leader_epoch,
            ..Truth::default()
        };
    }

    fn hear_of_leader(&mut self, reply: ReplyId) {
        let is_its = |leader: &Leader| match &leader.doing {
            Doing::Reading(asked) | Doing::Writing(asked, _) => *asked == reply,
            Doing::Ready | Doing::Gone => false,
        };
        let at = self.leaders.iter().position(is_its).expect("a leader that asked");
        let mut leader = self.leaders.swap_remove(at);
        let answer = self.bench.answers.get(&reply).cloned().expect("an answer");
        leader.doing = match (std::mem::replace(&mut leader.doing, Doing::Gone), answer) {
            (Doing::Reading(_), Answer::Read(Ok(read))) => self.take_over(&mut leader, read),
            (Doing::Reading(_), Answer::Read(Err(error))) => self.again(&leader, error, None),
            (Doing::Writing(_, asked), Answer::Done(Ok(()))) => self.acknowledged(&leader, &asked),
            (Doing::Writing(_, asked), Answer::Done(Err(error))) => {
                self.again(&leader, error, Some(asked))
            }
            other => panic!("{other:?}"),
        };
        self.leaders.push(leader);
    }

    /// A leader that has nothing to wait for writes.
    fn step(&mut self, at: usize) {
        let mut leader = self.leaders.swap_remove(at);
        if matches!(leader.doing, Doing::Ready) {
            let asked = self.drawn_write(&mut leader);
            let reply = self.begin_write(&asked);
            leader.doing = match self.flaw {
                Flaw::AnswersTooSoon => self.acknowledged(&leader, &asked),
                _ => Doing::Writing(reply, asked),
            };
        }
        self.leaders.push(leader);
    }

    /// A refusal: the same is asked again, unless the leader is out.
    fn again(&mut self, leader: &Leader, error: ShareError, asked: Option<WriteState>) -> Doing {
        match error {
            ShareError::FencedLeaderEpoch => {
                self.fenced += 1;
                Doing::Gone
            }
            // The state began anew; it is read anew.
            ShareError::FencedStateEpoch => {
                Doing::Reading(self.begin_read(leader.partition, leader.epoch))
            }
            ShareError::WriteFailed(_) | ShareError::NotCoordinator => match asked {
                Some(asked) => Doing::Writing(self.begin_write(&asked), asked),
                None => Doing::Reading(self.begin_read(leader.partition, leader.epoch)),
            },
            other => panic!("{other:?}"),
        }
    }

    /// What changes: some offsets, delivered once more than known, and perhaps the start.
    fn drawn_write(&mut self, leader: &mut Leader) -> WriteState {
        let first = leader.start_offset + self.draws.below(6) as i64;
        let last = (first + self.draws.below(4) as i64).min(OFFSETS);
        let state = [0, 2, 4][self.draws.below(3) as usize];
        let offsets = first..=last;
        let count = offsets.filter_map(|offset| leader.known.get(&offset).map(|known| known.0));
        let count = count.max().unwrap_or(0) + 1;
        let batches =
            if first > last { Vec::new() } else { vec![batch((first, last), count, state)] };
        put(&mut leader.known, &batches);
        if self.draws.one_in(4) {
            leader.start_offset = (leader.start_offset + 1).min(OFFSETS);
        }
        let start_offset = if self.draws.one_in(2) { leader.start_offset } else { -1 };
        if leader.state_epoch == self.truths[leader.partition as usize].state_epoch {
            let truth = &mut self.truths[leader.partition as usize];
            put(&mut truth.asked, &batches);
            truth.furthest_start = truth.furthest_start.max(start_offset);
        }
        write(leader.partition, leader.epoch, leader.state_epoch, start_offset, batches)
    }

    fn acknowledged(&mut self, leader: &Leader, asked: &WriteState) -> Doing {
        let truth = &mut self.truths[leader.partition as usize];
        // One whose state began anew meanwhile may have been in time.
        if leader.state_epoch == truth.state_epoch && !truth.is_in_doubt {
            put(&mut truth.acknowledged, &asked.batches);
            truth.start_offset = truth.start_offset.max(asked.start_offset);
            self.written += 1;
        }
        Doing::Ready
    }

    fn take_over(&mut self, leader: &mut Leader, read: StateRead) -> Doing {
        let truth = &mut self.truths[leader.partition as usize];
        // A state that is being put elsewhere is the one or the other.
        if truth.is_in_doubt {
            return Doing::Reading(self.begin_read(leader.partition, leader.epoch));
        }
        self.taken_over += 1;
        assert!(
            leader.epoch >= truth.leader_epoch,
            "leader {} reads after {}",
            leader.epoch,
            truth.leader_epoch
        );
        truth.leader_epoch = leader.epoch;
        truth.compare(&read);
        let mut known = Deliveries::new();
        put(&mut known, &read.batches);
        (leader.state_epoch, leader.start_offset, leader.known) =
            (read.state_epoch, read.start_offset, known);
        Doing::Ready
    }

    fn finish_write(&mut self, is_faulty: bool) {
        if self.bench.writes.is_empty() {
            return;
        }
        let fate = match self.draws.below(12) {
            0 if is_faulty => Err(WriteFailure::NotEnoughReplicas),
            1 if is_faulty => Err(WriteFailure::NotLeader),
            _ => Ok(()),
        };
        self.bench.finish_write(fate);
        // Who is no leader any more is no coordinator either.
        if fate.is_err_and(WriteFailure::leaves_doubt) {
            self.reload();
        }
    }

    fn reload(&mut self) {
        self.moves += 1;
        self.bench.reload();
    }

    fn prune(&mut self) {
        self.bench.pass(300_000);
        self.pruned += self.bench.commands.len();
        if self.flaw == Flaw::PrunesTooFar {
            for Command::Prune { offset } in &mut self.bench.commands {
                *offset += 2;
            }
        }
        self.bench.prune();
    }

    fn turn(&mut self, is_faulty: bool) {
        self.hear();
        match self.draws.below(100) {
            0 if is_faulty => self.reload(),
            1..5 if is_faulty => self.elect(),
            5 if is_faulty => self.initialize(),
            6..9 => self.prune(),
            9..45 => self.finish_write(is_faulty),
            _ if !self.leaders.is_empty() => {
                let at = self.draws.below(self.leaders.len() as u64) as usize;
                self.step(at);
            }
            _ => self.elect(),
        }
    }

    /// Faults stop; every state is what was acknowledged, and a reload gives the same.
    fn heal(&mut self) {
        self.leaders.clear();
        for _ in 0..20 {
            self.hear();
            self.bench.settle();
        }
        assert!(self.initializing.is_empty());
        for is_reloaded in [false, true] {
            for partition in 0..PARTITIONS {
                let reply = self.begin_read(partition, -1);
                self.bench.settle();
                let Some(Answer::Read(Ok(read))) = self.bench.answers.get(&reply) else {
                    panic!("no state: {:?}", self.bench.answers.get(&reply));
                };
                self.truths[partition as usize].compare(read);
            }
            if !is_reloaded {
                self.reload();
            }
        }
    }
}

impl Truth {
    fn compare(&self, read: &StateRead) {
        assert_eq!(read.state_epoch, self.state_epoch, "the state epoch");
        assert!(read.start_offset >= self.start_offset, "the start went back: {self:?} {read:?}");
        assert!(read.start_offset <= self.furthest_start, "nobody moved it: {self:?} {read:?}");
        let mut there = Deliveries::new();
        put(&mut there, &read.batches);
        for (offset, delivery) in self.acknowledged.range(read.start_offset..) {
            let known = there.get(offset).copied();
            assert!(known >= Some(*delivery), "offset {offset} is lost: {self:?} {read:?}");
        }
        for (offset, delivery) in &there {
            let asked = self.asked.get(offset).copied();
            assert!(asked >= Some(*delivery), "nobody delivered {offset}: {self:?} {read:?}");
        }
    }
}

fn run(seed: u64, flaw: Flaw) -> World {
    let mut world = World::new(seed, flaw);
    for _ in 0..1_500 {
        world.turn(true);
    }
    world.heal();
    world
}

#[test]
fn no_acknowledged_state_is_lost_or_goes_back_under_any_seed() {
    let (mut written, mut fenced, mut taken_over, mut pruned, mut moves) = (0, 0, 0, 0, 0);
    let seeds = seeds(60);
    let count = (seeds.end - seeds.start) as usize;
    for seed in seeds {
        let world = run(seed, Flaw::None);
        written += world.written;
        fenced += world.fenced;
        taken_over += world.taken_over;
        pruned += world.pruned;
        moves += world.moves;
    }
    assert!(
        written > 16 * count
            && fenced > 3 * count
            && taken_over > 8 * count
            && pruned > count
            && moves > 8 * count,
        "{written} {fenced} {taken_over} {pruned} {moves}"
    );
}

#[test]
fn planted_flaws_are_found() {
    for flaw in [Flaw::AnswersTooSoon, Flaw::PrunesTooFar, Flaw::FencesNobody] {
        let is_found =
            (1..=40).any(|seed| std::panic::catch_unwind(|| drop(run(seed, flaw))).is_err());
        assert!(is_found, "{flaw:?}");
    }
}

#[test]
fn one_seed_is_one_run() {
    let logs = [7, 7].map(|seed| run(seed, Flaw::None).bench.log);
    assert_eq!(logs[0], logs[1]);
}
