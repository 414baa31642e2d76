//! Producers that begin, write, end, repeat themselves, crash and come back, over a coordinator's
//! log whose writes are late and sometimes fail, a coordinator that moves between an outcome and
//! its markers, and a network that delays markers, loses their answers, and repeats old EndTxns.
//! One seed is one run. Partitions take markers by the rules of `ProducerAppendInfo`.
//!
//! Checked all the time:
//! - what a transaction wrote has one outcome in all partitions, and the one that was told;
//! - what is committed was committed by whoever wrote it: neither a delayed EndTxn nor a delayed
//!   marker ends the next transaction;
//! - an acknowledged epoch never goes back;
//! - nobody is answered twice (the bench does that).
//!
//! Checked when faults stop: nothing stays open anywhere, and a reload of the log gives the same.

use std::collections::BTreeMap;

use super::tests::harness::{self, Bench, text};
use super::*;
use crate::runtime::{ReplyId, WriteFailure};
use crate::seeds::seeds;

const PARTITIONS: i32 = 3;
const IDS: [&str; 3] = ["a", "b", "c"];

/// Marsaglia's xorshift64: the same draws on every machine.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

/// A transaction of a producer, by its number.
type Serial = usize;

#[derive(Debug, Default)]
struct Transaction {
    /// What its producer asked for, once it has.
    asked: Option<bool>,
    told: Option<bool>,
    outcome: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Begin,
    Initializing(ReplyId),
    Ready(ProducerIdAndEpoch),
    Adding(ProducerIdAndEpoch, i32, ReplyId),
    Ending(ProducerIdAndEpoch, bool, ReplyId),
}

/// What a partition knows of a producer.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    epoch: i16,
    load: u64,
    open: Option<Serial>,
}

/// A marker on its way to one partition.
#[derive(Debug, Clone)]
struct Travelling {
    load: u64,
    markers: Markers,
    partition: TopicPartition,
}

struct World {
    bench: Bench,
    draws: Draws,
    version: TransactionVersion,
    /// How often the coordinator has been loaded: its epoch.
    load: u64,
    doing: BTreeMap<&'static str, (Doing, Option<Serial>)>,
    transactions: Vec<Transaction>,
    partitions: Vec<BTreeMap<i64, Seen>>,
    travelling: Vec<Travelling>,
    ended: Vec<(&'static str, ProducerIdAndEpoch, bool)>,
    newest: BTreeMap<&'static str, ProducerIdAndEpoch>,
    commits: usize,
    repeated: usize,
}

impl World {
    fn new(seed: u64, version: TransactionVersion) -> Self {
        let mut bench = Bench::new(version);
        bench.writes_at_once = false;
        Self {
            bench,
            draws: Draws(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            version,
            load: 1,
            doing: IDS.into_iter().map(|id| (id, (Doing::Begin, None))).collect(),
            transactions: Vec::new(),
            partitions: vec![BTreeMap::new(); PARTITIONS as usize],
            travelling: Vec::new(),
            ended: Vec::new(),
            newest: BTreeMap::new(),
            commits: 0,
            repeated: 0,
        }
    }

    fn send_commands(&mut self) {
        for command in std::mem::take(&mut self.bench.commands) {
            let Command::SendMarkers(markers) = command else { panic!("no epochs are used up") };
            for partition in markers.partitions.clone() {
                let markers = markers.clone();
                self.travelling.push(Travelling { load: self.load, markers, partition });
            }
        }
    }

    fn finish_write(&mut self, is_faulty: bool) {
        if self.bench.writes.is_empty() {
            return;
        }
        let fails = is_faulty && self.draws.one_in(10);
        let fate = if fails { Err(WriteFailure::NotEnoughReplicas) } else { Ok(()) };
        self.bench.finish_write(fate);
        self.send_commands();
    }

    fn move_coordinator(&mut self) {
        self.load += 1;
        self.bench.reload();
        self.send_commands();
    }

    /// One marker arrives, and its answer comes back or is lost; the sender then sends it again.
    fn deliver_marker(&mut self, is_faulty: bool) {
        if self.travelling.is_empty() {
            return;
        }
        let at = self.draws.below(self.travelling.len());
        let sent = self.travelling.swap_remove(at);
        let is_written = self.write_marker(&sent);
        if is_faulty && self.draws.one_in(4) {
            self.travelling.push(sent);
        } else if is_written && sent.load == self.load {
            self.bench.markers_written(&sent.markers, [sent.partition].into());
            self.send_commands();
        }
    }

    fn write_marker(&mut self, sent: &Travelling) -> bool {
        let who = sent.markers.producer;
        let partition = &mut self.partitions[sent.partition.partition as usize];
        let seen = partition.entry(who.producer_id).or_default();
        let is_late = match self.version {
            TransactionVersion::V2 if who.producer_epoch == seen.epoch => seen.open.is_some(),
            _ => who.producer_epoch < seen.epoch,
        };
        if sent.load < seen.load || is_late {
            return false;
        }
        let open = seen.open.take();
        *seen = Seen { epoch: who.producer_epoch, load: sent.load, open: None };
        if let Some(serial) = open {
            let transaction = &mut self.transactions[serial];
            let outcome = sent.markers.is_commit;
            assert!(transaction.outcome.is_none_or(|before| before == outcome), "torn");
            assert!(transaction.told.is_none_or(|told| told == outcome), "told otherwise");
            assert!(!outcome || transaction.asked == Some(true), "nobody committed this");
            transaction.outcome = Some(outcome);
        }
        true
    }

    /// What the producer writes, once the leader has verified that it may.
    fn write(&mut self, id: &'static str, who: ProducerIdAndEpoch, partition: i32) {
        let asked = [harness::partition(partition)].into();
        let shard = self.bench.runtime.shard();
        let verified = shard.verify_partitions(&text(id), who, &asked);
        if !verified.is_ok_and(|verified| verified.iter().all(|(_, takes_part)| *takes_part)) {
            return;
        }
        let Some((_, serial)) = self.doing.get_mut(id) else { return };
        let serial = *serial.get_or_insert_with(|| {
            self.transactions.push(Transaction::default());
            self.transactions.len() - 1
        });
        let seen = self.partitions[partition as usize].entry(who.producer_id).or_default();
        if who.producer_epoch >= seen.epoch && seen.open.is_none_or(|open| open == serial) {
            (seen.epoch, seen.open) = (who.producer_epoch, Some(serial));
        }
    }

    fn step(&mut self, id: &'static str) {
        let (doing, serial) = self.doing[id];
        let next = match doing {
            Doing::Begin => Doing::Initializing(self.bench.begin_init(id, None)),
            Doing::Initializing(reply) => match self.bench.producer_answer(reply) {
                None => doing,
                Some(Ok(who)) => {
                    let before = self.newest.insert(id, who);
                    assert!(before.is_none_or(|before| before < who), "{before:?} then {who:?}");
                    self.doing.insert(id, (Doing::Ready(who), None));
                    return;
                }
                Some(Err(_)) => Doing::Begin,
            },
            Doing::Ready(who) if self.draws.one_in(3) => {
                let is_commit = self.draws.one_in(2);
                self.end(id, who, is_commit, serial)
            }
            Doing::Ready(who) => {
                let partition = self.draws.below(PARTITIONS as usize) as i32;
                Doing::Adding(who, partition, self.bench.begin_add(id, who, &[partition]))
            }
            Doing::Adding(who, partition, reply) => match self.bench.added(reply) {
                None => doing,
                Some(Ok(())) => {
                    self.doing.insert(id, (Doing::Ready(who), serial));
                    return self.write(id, who, partition);
                }
                Some(Err(error)) if is_fatal(error) => Doing::Begin,
                Some(Err(_)) => Doing::Ready(who),
            },
            Doing::Ending(who, is_commit, reply) => match self.bench.producer_answer(reply) {
                None => doing,
                Some(Ok(next)) => return self.ended(id, who, next, is_commit),
                Some(Err(error)) if is_fatal(error) => Doing::Begin,
                Some(Err(_)) => self.end(id, who, is_commit, serial),
            },
        };
        self.doing.insert(id, (next, serial));
    }

    fn end(
        &mut self,
        id: &'static str,
        who: ProducerIdAndEpoch,
        is_commit: bool,
        serial: Option<Serial>,
    ) -> Doing {
        if let Some(serial) = serial {
            self.transactions[serial].asked = Some(is_commit);
        }
        self.ended.push((id, who, is_commit));
        Doing::Ending(who, is_commit, self.bench.begin_end(id, who, is_commit))
    }

    fn ended(
        &mut self,
        id: &'static str,
        who: ProducerIdAndEpoch,
        next: ProducerIdAndEpoch,
        is_commit: bool,
    ) {
        let next = if next == ProducerIdAndEpoch::NONE { who } else { next };
        let before = self.newest.insert(id, next);
        assert!(before.is_none_or(|before| before <= next), "{before:?} then {next:?}");
        let (_, serial) = self.doing[id];
        if let Some(serial) = serial {
            let transaction = &mut self.transactions[serial];
            assert!(transaction.outcome.is_none_or(|outcome| outcome == is_commit));
            transaction.told = Some(is_commit);
            self.commits += usize::from(is_commit);
        }
        self.doing.insert(id, (Doing::Ready(next), None));
    }

    /// An EndTxn of before arrives once more.
    fn repeat_an_end(&mut self) {
        if self.ended.is_empty() || self.version != TransactionVersion::V2 {
            return;
        }
        let at = self.draws.below(self.ended.len());
        let (id, who, is_commit) = self.ended[at];
        self.bench.begin_end(id, who, is_commit);
        self.repeated += 1;
    }

    fn turn(&mut self, is_faulty: bool) {
        match self.draws.below(100) {
            0 if is_faulty => self.move_coordinator(),
            1 if is_faulty => {
                // A producer crashes, and another instance begins.
                let id = IDS[self.draws.below(IDS.len())];
                self.doing.insert(id, (Doing::Begin, None));
            }
            2..8 if is_faulty => self.repeat_an_end(),
            8..10 => {
                let ms = self.draws.next() % 5_000;
                self.bench.pass(ms);
                self.send_commands();
            }
            10..40 => self.finish_write(is_faulty),
            40..60 => self.deliver_marker(is_faulty),
            _ => {
                let id = IDS[self.draws.below(IDS.len())];
                self.step(id);
            }
        }
    }

    /// Faults stop, and producers end: what is open is aborted when its time is up.
    fn heal(&mut self) {
        for _ in 0..200 {
            self.bench.pass(1_000);
            self.send_commands();
            while !self.bench.writes.is_empty() || !self.travelling.is_empty() {
                self.finish_write(false);
                self.deliver_marker(false);
            }
        }
        for id in IDS {
            let known = self.bench.runtime.shard().standing(&text(id));
            assert!(known.is_none_or(|known| known.state.is_at_rest()), "{known:?}");
        }
        for seen in self.partitions.iter().flat_map(BTreeMap::values) {
            assert_eq!(seen.open, None, "a transaction hangs");
        }
        for transaction in &self.transactions {
            assert!(transaction.told.is_none() || transaction.told == transaction.outcome);
        }
        let before: Vec<_> = IDS.iter().map(|id| self.described(id)).collect();
        self.bench.reload();
        let after: Vec<_> = IDS.iter().map(|id| self.described(id)).collect();
        assert_eq!(before, after);
    }

    fn described(&self, id: &str) -> Result<DescribedTransaction, TransactionError> {
        self.bench.runtime.shard().describe(&text(id))
    }
}

/// Whether the producer has been replaced, or asked for what cannot be.
fn is_fatal(error: TransactionError) -> bool {
    !matches!(
        error,
        TransactionError::ConcurrentTransactions
            | TransactionError::WriteFailed(_)
            | TransactionError::NotCoordinator
            | TransactionError::LoadInProgress
    )
}

fn run(seed: u64, version: TransactionVersion) -> World {
    let mut world = World::new(seed, version);
    for _ in 0..3_000 {
        world.turn(true);
    }
    world.heal();
    world
}

#[test]
fn no_transaction_is_torn_or_ended_by_another_under_any_seed() {
    let (mut commits, mut repeated, mut loads) = (0, 0, 0);
    let seeds = seeds(30);
    let count = (seeds.end - seeds.start) as usize;
    for seed in seeds {
        let world = run(seed, TransactionVersion::V2);
        commits += world.commits;
        repeated += world.repeated;
        loads += world.load;
    }
    assert!(
        commits > 16 * count && repeated > 16 * count && loads > 10 * count as u64,
        "{commits} {repeated} {loads}"
    );
}

#[test]
fn no_transaction_of_old_is_torn_either() {
    for version in [TransactionVersion::V0, TransactionVersion::V1] {
        let seeds = seeds(8);
        let count = (seeds.end - seeds.start) as usize;
        let commits: usize = seeds.map(|seed| run(seed, version).commits).sum();
        assert!(commits > 12 * count, "{commits}");
    }
}

#[test]
fn one_seed_is_one_run() {
    let logs = [7, 7].map(|seed| run(seed, TransactionVersion::V2).bench.log);
    assert_eq!(logs[0], logs[1]);
}
