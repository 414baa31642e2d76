//! One share partition under a seed: members that acquire, acknowledge late or never, and leave; a
//! log that grows, is compacted, loses its beginning and has aborted transactions; a persister that
//! refuses, or writes and says that it did not; leaders that crash. Then the faults stop, and every
//! record must have been delivered, or given up after as many deliveries as there may be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::draws::Draws;
use super::*;

const MEMBERS: [&str; 3] = ["a", "b", "c"];
const STEPS: usize = 400;

/// What the persister has: as share coordinators combine state batches, what is further wins.
#[derive(Debug, Default)]
struct Persister {
    start_offset: i64,
    records: BTreeMap<i64, (i16, RecordState)>,
}

impl Persister {
    fn write(&mut self, write: &StateWrite) {
        self.start_offset = self.start_offset.max(write.start_offset);
        for batch in &write.batches {
            for offset in batch.first_offset.max(self.start_offset)..=batch.last_offset {
                let new = (batch.delivery_count, batch.state);
                let rank = |(count, state): &(i16, RecordState)| (*count, state.id());
                let known = self.records.entry(offset).or_insert(new);
                if rank(&new) > rank(known) {
                    *known = new;
                }
            }
        }
        self.records = self.records.split_off(&self.start_offset);
    }

    fn state(&self) -> PersistedState {
        let mut batches: Vec<StateBatch> = Vec::new();
        for (offset, (delivery_count, state)) in &self.records {
            match batches.last_mut() {
                Some(last)
                    if last.last_offset + 1 == *offset
                        && (last.state, last.delivery_count) == (*state, *delivery_count) =>
                {
                    last.last_offset = *offset;
                }
                _ => batches.push(batch(*offset, *offset, *state, *delivery_count)),
            }
        }
        PersistedState { state_epoch: 0, start_offset: self.start_offset, batches }
    }
}

/// The world around the share partition, and what is known of every record.
struct World {
    draws: Draws,
    now_ms: i64,
    limits: Limits,
    partition: SharePartition,
    persister: Persister,
    /// A write that is out.
    out: Option<StateWrite>,
    log: Vec<FetchedBatch>,
    log_start: i64,
    aborted: Vec<AbortedTransaction>,
    /// Offsets that nobody need be given: aborted, compacted, below the log's start.
    excused: BTreeSet<i64>,
    deliveries: usize,
    /// Delivered as often as may be.
    exhausted: BTreeSet<i64>,
    /// Acknowledged, and it was never heard whether that counts.
    uncertain: BTreeSet<i64>,
    counts: BTreeMap<i64, i16>,
    /// Who has a record, and until when.
    held: BTreeMap<i64, (&'static str, i64)>,
    /// What a token's acknowledgements come to: offsets, and whether the group is done with them.
    waiting: BTreeMap<Token, Vec<(i64, bool)>>,
    done: BTreeSet<i64>,
    end: i64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let limits = Limits {
            delivery_count: i32::try_from(2 + draws.below(5)).expect("small"),
            in_flight: 30 + draws.below(60),
            record_lock_duration_ms: 1000,
            renew: true,
        };
        Self {
            draws,
            now_ms: 0,
            limits,
            partition: fresh(),
            persister: Persister::default(),
            out: None,
            log: Vec::new(),
            log_start: 0,
            aborted: Vec::new(),
            excused: BTreeSet::new(),
            deliveries: 0,
            exhausted: BTreeSet::new(),
            uncertain: BTreeSet::new(),
            counts: BTreeMap::new(),
            held: BTreeMap::new(),
            waiting: BTreeMap::new(),
            done: BTreeSet::new(),
            end: 0,
        }
    }

    /// Some batches more; now and then those of a transaction that is aborted.
    fn append(&mut self) {
        let producer_id = self.draws.below(2);
        let abort = self.draws.one_in(5);
        let first = self.end;
        for _ in 0..=self.draws.below(3) {
            let last = self.end + self.draws.below(8);
            let kind =
                if abort { BatchKind::Transactional { producer_id } } else { BatchKind::Plain };
            self.log.push(FetchedBatch { base_offset: self.end, last_offset: last, kind });
            if abort {
                self.excused.extend(self.end..=last);
            }
            self.end = last + 1;
        }
        if abort {
            let kind = BatchKind::AbortMarker { producer_id };
            self.log.push(FetchedBatch { base_offset: self.end, last_offset: self.end, kind });
            self.end += 1;
            self.aborted.push(AbortedTransaction { producer_id, first_offset: first });
        }
    }

    /// A batch goes, with what was in it; never the newest.
    fn compact(&mut self) {
        if self.log.len() > 2 {
            let at = self.draws.below(i64::try_from(self.log.len() - 1).expect("short"));
            let at = usize::try_from(at).expect("an index");
            if self.log[at].kind == BatchKind::Plain {
                let gone = self.log.remove(at);
                self.excused.extend(gone.base_offset..=gone.last_offset);
            }
        }
    }

    fn drop_beginning(&mut self) {
        let to = self.log_start + self.draws.below(10);
        self.log_start = to.min(self.end);
        self.excused.extend(0..self.log_start);
        self.log.retain(|batch| batch.last_offset >= self.log_start);
    }

    fn fetch(&mut self, member: &'static str, max_records: i64) -> Result<(), String> {
        if !self.partition.can_acquire(&self.limits) {
            return Ok(());
        }
        let fetch_offset = self.partition.next_fetch_offset();
        if fetch_offset < self.log_start {
            self.partition.log_start_moved(self.log_start);
            return Ok(());
        }
        let at = self.log.partition_point(|batch| batch.last_offset < fetch_offset);
        let count = usize::try_from(1 + self.draws.below(12)).expect("small");
        let batches: Vec<_> = self.log[at..].iter().copied().take(count).collect();
        // What happens between the read and the acquisition.
        if self.draws.one_in(3) {
            self.settle()?;
            self.pass_time(50);
        }
        let mode = *self.draws.pick(&[AcquireMode::BatchOptimized, AcquireMode::RecordLimit]);
        let batch_size = 1 + self.draws.below(20);
        let wanted = Wanted { member: Arc::from(member), mode, batch_size, max_records };
        let aborted = self.aborted.clone();
        let fetched = Fetched { fetch_offset, batches: &batches, aborted: &aborted };
        let start = self.partition.start_offset();
        let acquired = self.acquire(&wanted, fetched)?;
        self.check_start(start)?;
        let total: i64 = acquired.iter().map(AcquiredRecords::count).sum();
        if mode == AcquireMode::RecordLimit && total > max_records {
            return Err(format!("{total} of at most {max_records} records"));
        }
        for records in acquired {
            for offset in records.first_offset..=records.last_offset {
                self.check_delivery(member, offset, records.delivery_count)?;
            }
        }
        Ok(())
    }

    /// What is acquired of the batches that an acquisition looks at is what is acquired of all.
    fn acquire(
        &mut self,
        wanted: &Wanted,
        fetched: Fetched<'_>,
    ) -> Result<Vec<AcquiredRecords>, String> {
        let (offset, all) = (fetched.fetch_offset, fetched.batches.iter().copied());
        let looked_at = self.partition.acquirable(wanted, offset, all);
        let mut twin = self.partition.clone();
        let of_all = twin.acquire(wanted, fetched, &self.limits, self.now_ms);
        let fetched = Fetched { batches: &looked_at, ..fetched };
        let acquired = self.partition.acquire(wanted, fetched, &self.limits, self.now_ms);
        // Aborted records behind them have the start looked at, which the next one does else.
        let mut own = self.partition.clone();
        own.advance_start();
        twin.advance_start();
        if of_all != acquired || twin != own {
            return Err(format!("{acquired:?} of {looked_at:?}, {of_all:?} of all that was read"));
        }
        Ok(acquired)
    }

    fn check_delivery(
        &mut self,
        member: &'static str,
        offset: i64,
        told: i16,
    ) -> Result<(), String> {
        if let Some((other, until)) = self.held.get(&offset)
            && *until > self.now_ms
        {
            return Err(format!("{member} is given {offset}, which {other} has"));
        }
        if self.done.contains(&offset) {
            return Err(format!("{offset} comes again"));
        }
        let count = self.counts.entry(offset).or_default();
        *count += 1;
        if *count != told || i32::from(told) > self.limits.delivery_count {
            return Err(format!("{offset} for the {told}th time, which is the {count}th"));
        }
        let until = self.now_ms + self.limits.record_lock_duration_ms;
        self.held.insert(offset, (member, until));
        self.deliveries += 1;
        if i32::from(told) == self.limits.delivery_count {
            self.exhausted.insert(offset);
        }
        Ok(())
    }

    fn check_start(&self, before: i64) -> Result<(), String> {
        self.partition.invariants()?;
        let now = self.partition.start_offset();
        if now < before { Err(format!("the start went from {before} to {now}")) } else { Ok(()) }
    }

    /// A member acknowledges some of what it has, or what it had.
    fn acknowledge(&mut self, member: &'static str, accept_all: bool) -> Result<(), String> {
        let theirs = |(_, (holder, _)): &(&i64, &(&str, i64))| *holder == member;
        let held: Vec<i64> = self.held.iter().filter(theirs).map(|(offset, _)| *offset).collect();
        if held.is_empty() {
            return Ok(());
        }
        let first = if accept_all { held[0] } else { *self.draws.pick(&held) };
        let run = held.iter().skip_while(|offset| **offset < first);
        let run = run.zip(first..).take_while(|(offset, expected)| **offset == *expected);
        let most = if accept_all { i64::MAX } else { 1 + self.draws.below(12) };
        let run = run.map(|(_, offset)| offset).take_while(|offset| *offset - first < most);
        let last = run.last().expect("one at least");
        let single = accept_all || self.draws.one_in(2);
        let count = if single { 1 } else { usize::try_from(last - first + 1).expect("short") };
        let types: Vec<_> = (0..count).map(|_| self.drawn_type(accept_all)).collect();
        let of = |offset: i64| types[if single { 0 } else { (offset - first) as usize }];
        let said =
            AcknowledgementBatch { first_offset: first, last_offset: last, types: types.clone() };
        let start = self.partition.start_offset();
        let stranger = !accept_all && self.draws.one_in(10);
        let sender = if stranger { "stranger" } else { member };
        let taken = self.partition.acknowledge(sender, &[said], &self.limits, self.now_ms);
        self.check_start(start)?;
        let Ok(token) = taken else { return Ok(()) };
        if stranger && first >= start {
            return Err(format!("a stranger acknowledges {first} to {last}"));
        }
        let mut said = Vec::new();
        for offset in first.max(start)..=last {
            if of(offset) == AcknowledgeType::Renew {
                let until = self.now_ms + self.limits.record_lock_duration_ms;
                self.held.insert(offset, (member, until));
            } else {
                let is_done = of(offset) != AcknowledgeType::Release;
                said.push((offset, is_done));
            }
        }
        match token {
            Some(token) => drop(self.waiting.insert(token, said)),
            None => self.answered(said),
        }
        Ok(())
    }

    fn drawn_type(&mut self, accept: bool) -> AcknowledgeType {
        use AcknowledgeType::{Accept, Gap, Reject, Release, Renew};
        let types = [Accept, Accept, Accept, Release, Release, Reject, Renew, Gap];
        if accept { Accept } else { *self.draws.pick(&types) }
    }

    /// A member hears that what it said counts.
    fn answered(&mut self, said: Vec<(i64, bool)>) {
        for (offset, is_done) in said {
            self.held.remove(&offset);
            if is_done {
                self.done.insert(offset);
            }
        }
    }

    fn leave(&mut self, member: &'static str) -> Result<(), String> {
        let token = self.partition.release(member, &self.limits);
        let said: BTreeSet<i64> = self.waiting.values().flatten().map(|(at, _)| *at).collect();
        let theirs = |(offset, (holder, until)): &(&i64, &(&str, i64))| {
            *holder == member && *until > self.now_ms && !said.contains(*offset)
        };
        let held = self.held.iter().filter(theirs).map(|(offset, _)| (*offset, false));
        let held: Vec<_> = held.collect();
        match token {
            Some(token) => drop(self.waiting.insert(token, held)),
            None if held.is_empty() => {}
            None => return Err(format!("{member} left and keeps {held:?}")),
        }
        Ok(())
    }

    fn pass_time(&mut self, most: i64) {
        self.now_ms += self.draws.below(most);
        self.partition.expire(&self.limits, self.now_ms);
    }

    /// The persister does one thing.
    fn settle(&mut self) -> Result<(), String> {
        let fails = self.draws.below(8);
        self.settle_with(fails)
    }

    fn settle_with(&mut self, fails: i64) -> Result<(), String> {
        let Some(write) = self.out.take() else {
            self.out = self.partition.next_write();
            return Ok(());
        };
        // 0: refused; 1: done, and the answer lost.
        if fails != 0 {
            self.persister.write(&write);
        }
        let persisted = fails > 1;
        let start = self.partition.start_offset();
        for token in self.partition.written(persisted, self.now_ms).answered {
            let said = self.waiting.remove(&token).unwrap_or_default();
            if persisted {
                self.answered(said);
            } else if fails == 1 {
                self.uncertain.extend(said.iter().map(|(offset, _)| offset));
            }
        }
        self.check_start(start)
    }

    /// Another leader takes over with what the persister has.
    fn crash(&mut self) -> Result<(), String> {
        if let Some(write) = self.out.take()
            && self.draws.one_in(2)
        {
            self.persister.write(&write);
            self.uncertain.extend(self.waiting.values().flatten().map(|(offset, _)| offset));
        }
        let state = self.persister.state();
        self.partition = SharePartition::load(state).map_err(|error| error.to_string())?;
        self.partition.log_start_moved(self.log_start);
        self.held.clear();
        self.waiting.clear();
        let records = self.persister.records.iter();
        self.counts = records.map(|(offset, (count, _))| (*offset, *count)).collect();
        self.partition.invariants()
    }

    fn step(&mut self) -> Result<(), String> {
        let member = *self.draws.pick(&MEMBERS);
        match self.draws.below(40) {
            0..4 => self.append(),
            4 => self.compact(),
            5 => self.drop_beginning(),
            6 => return self.leave(member),
            7 if self.draws.one_in(3) => return self.crash(),
            8..16 => self.pass_time(300),
            16..24 => return self.settle(),
            24..32 => return self.acknowledge(member, false),
            _ => {
                let most = 1 + self.draws.below(30);
                return self.fetch(member, most);
            }
        }
        Ok(())
    }

    /// Nothing fails any more, and members accept all that they are given.
    fn heal(&mut self) -> Result<(), String> {
        for member in MEMBERS {
            self.leave(member)?;
        }
        for _ in 0..4000 {
            while self.out.is_some()
                || self.partition.next_write().is_some_and(|write| {
                    self.out = Some(write);
                    true
                })
            {
                self.settle_with(7)?;
            }
            if self.partition.batch_count() == 0 && self.partition.next_fetch_offset() >= self.end {
                break;
            }
            self.fetch("a", 10)?;
            self.acknowledge("a", true)?;
            self.pass_time(200);
        }
        let missing = |offset: &i64| {
            let sets = [&self.excused, &self.done, &self.uncertain, &self.exhausted];
            sets.iter().all(|set| !set.contains(offset))
        };
        let missing: Vec<i64> = (0..self.end).filter(missing).collect();
        if !missing.is_empty() {
            let partition = &self.partition;
            return Err(format!("{missing:?} came to nothing: {partition:?}"));
        }
        let start = self.partition.start_offset();
        let last = self.log.last().map_or(0, |batch| batch.last_offset + 1);
        if start < last {
            return Err(format!("the start stays at {start}: {:?}", self.partition));
        }
        Ok(())
    }
}

/// Runs a seed; how many deliveries it had.
pub(super) fn run(seed: u64) -> Result<usize, String> {
    let mut world = World::new(seed);
    let failed = |world: &World, error: String| format!("seed {seed} at {}: {error}", world.now_ms);
    for _ in 0..STEPS {
        world.step().map_err(|error| failed(&world, error))?;
    }
    world.heal().map_err(|error| failed(&world, error))?;
    Ok(world.deliveries)
}

/// As `tests/sim/seeds.rs` has them.
fn seeds() -> std::ops::Range<u64> {
    let number =
        |name| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    let usual = if std::env::var_os("GREGOR_LONG").is_some() { 20_000 } else { 300 };
    let first = number("GREGOR_FIRST_SEED").unwrap_or(0);
    first..first + number("GREGOR_SEEDS").unwrap_or(usual)
}

#[test]
fn every_record_is_delivered_once_at_least_and_never_to_two() {
    let mut delivered = 0;
    for seed in seeds() {
        delivered += run(seed).unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(delivered > 0);
}
