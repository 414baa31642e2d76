//! The runtime with a shard that has nothing of groups: accounts that are added to, and closed when
//! nobody has asked for them for a while. One seed is one run over a log whose writes are late and
//! sometimes fail, and a coordinator that fails over.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::batch::{BatchBuilder, BatchView};

use super::*;

/// An account's balance from here on, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Balance {
    account: u8,
    balance: Option<i64>,
}

#[derive(Debug, thiserror::Error)]
#[error("no balance")]
struct NoBalance;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// The new balance.
    Added(Result<i64, WriteFailure>),
}

impl From<Result<i64, WriteFailure>> for Answer {
    fn from(answer: Result<i64, WriteFailure>) -> Self {
        Self::Added(answer)
    }
}

/// Accounts with a balance below nothing.
#[derive(Debug, PartialEq, Eq)]
struct Overdrawn(u8);

/// The account whose closing was decided.
#[derive(Debug)]
struct Closed(u8);

const IDLE_MS: u64 = 5_000;

#[derive(Debug, Default)]
struct Accounts {
    balances: VersionedMap<u8, i64>,
    idle: Timers<u8, ()>,
    closed: Vec<(u8, bool)>,
}

impl Accounts {
    fn add(
        &mut self,
        account: u8,
        amount: i64,
        reply: Reply<Result<i64, WriteFailure>>,
        now: Now,
        out: &mut Outputs<Self>,
    ) {
        let balance = self.balances.latest(&account).copied().unwrap_or(0) + amount;
        self.idle.set(account, now.monotonic_ms + IDLE_MS, ());
        let record = Balance { account, balance: Some(balance) };
        out.write_and_reply(self, vec![record], reply, Ok(balance));
    }
}

impl Shard for Accounts {
    type Record = Balance;
    type RecordError = NoBalance;
    type Answer = Answer;
    type LogEvent = Overdrawn;
    type AfterWrite = Closed;
    type Command = std::convert::Infallible;

    fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Balance, NoBalance> {
        let account = *key.and_then(<[u8]>::first).ok_or(NoBalance)?;
        let balance = value.map(|value| value.try_into().map(i64::from_be_bytes));
        Ok(Balance { account, balance: balance.transpose().map_err(|_| NoBalance)? })
    }

    fn encode(record: &Balance) -> Option<WriteRecord> {
        let key = Bytes::copy_from_slice(&[record.account]);
        let value = record.balance.map(|value| Bytes::copy_from_slice(&value.to_be_bytes()));
        Some(WriteRecord { key, value })
    }

    fn replay(
        &mut self,
        record: Balance,
        at: RecordPosition,
        _: Now,
        log_events: &mut Vec<Overdrawn>,
    ) {
        let Balance { account, balance } = record;
        log_events.extend(balance.filter(|balance| *balance < 0).map(|_| Overdrawn(account)));
        self.balances.set(at, account, balance);
    }

    fn end_transaction(&mut self, _: i64, _: bool, _: &mut Vec<Overdrawn>) {}

    fn commit(&mut self, write: WriteId, _: i64) {
        self.balances.commit(write);
    }

    fn revert(&mut self, from: WriteId, _: WriteFailure, out: &mut Outputs<Self>) {
        for account in self.balances.revert(from).into_keys() {
            self.idle.set(account, out.now().monotonic_ms + IDLE_MS, ());
        }
    }

    fn after_write(
        &mut self,
        Closed(account): Closed,
        fate: Result<(), WriteFailure>,
        _: Now,
        _: &mut Outputs<Self>,
    ) {
        self.closed.push((account, fate.is_ok()));
    }

    fn refused(_: Answer, failure: WriteFailure) -> Answer {
        Answer::Added(Err(failure))
    }

    fn loaded(&mut self, now: Now, _: &mut Outputs<Self>) {
        let accounts: Vec<u8> = self.balances.iter().map(|(account, _)| *account).collect();
        for account in accounts {
            self.idle.set(account, now.monotonic_ms + IDLE_MS, ());
        }
    }

    fn next_deadline_ms(&self) -> Option<u64> {
        self.idle.next_deadline_ms()
    }

    fn tick(&mut self, now: Now, out: &mut Outputs<Self>) {
        while let Some((account, ())) = self.idle.take_due(now.monotonic_ms) {
            if self.balances.latest(&account).is_some() {
                out.write(self, vec![Balance { account, balance: None }], Some(Closed(account)));
            }
        }
    }

    fn unload(&mut self, _: &mut Outputs<Self>) {
        self.balances = VersionedMap::default();
    }
}

/// The shard over a log in memory; writes finish when told to.
struct Bank {
    runtime: Runtime<Accounts>,
    now: Now,
    log: Vec<WriteRecord>,
    queue: Vec<Write>,
    answers: BTreeMap<ReplyId, Result<i64, WriteFailure>>,
    next_reply: u64,
}

impl Bank {
    fn new() -> Self {
        Self::load(Vec::new(), Now::default(), 0)
    }

    fn load(log: Vec<WriteRecord>, now: Now, next_reply: u64) -> Self {
        let mut runtime = Runtime::new(Accounts::default());
        let mut effects = Effects::default();
        let mut builder = BatchBuilder::new(0);
        for record in &log {
            builder.append(0, Some(&record.key), record.value.as_deref());
        }
        if !log.is_empty() {
            let batch = builder.build();
            let batch = BatchView::parse(&batch).unwrap();
            let header = batch.header_copy();
            runtime.replay_batch(&header, batch.payload(), now, &mut effects).unwrap();
        }
        runtime.step(now, &mut effects, |shard, now, out| shard.loaded(now, out));
        assert!(effects.writes.is_empty() && effects.replies.is_empty());
        Self { runtime, now, log, queue: Vec::new(), answers: BTreeMap::new(), next_reply }
    }

    fn take(&mut self, effects: Effects<Accounts>) {
        if let Some(from) = effects.reverted_from {
            self.queue.retain(|write| write.id < from);
        }
        self.queue.extend(effects.writes);
        for (reply, Answer::Added(answer)) in effects.replies {
            assert!(self.answers.insert(reply, answer).is_none(), "{reply:?} answered twice");
        }
    }

    fn add(&mut self, account: u8, amount: i64) -> ReplyId {
        self.next_reply += 1;
        let reply = ReplyId(self.next_reply);
        let mut effects = Effects::default();
        self.runtime.step(self.now, &mut effects, |shard, now, out| {
            shard.add(account, amount, Reply::new(reply), now, out);
        });
        self.take(effects);
        reply
    }

    fn finish(&mut self, fate: Result<(), WriteFailure>) {
        let write = self.queue.remove(0);
        let base = self.log.len() as i64;
        if fate.is_ok() {
            self.log.extend(write.records);
        }
        let mut effects = Effects::default();
        self.runtime.written(write.id, fate.map(|()| base), self.now, &mut effects);
        self.take(effects);
    }

    fn pass(&mut self, ms: u64) {
        self.now.monotonic_ms += ms;
        let mut effects = Effects::default();
        self.runtime.step(self.now, &mut effects, |shard, now, out| shard.tick(now, out));
        self.take(effects);
    }

    fn balances(&self) -> BTreeMap<u8, i64> {
        let balances = &self.runtime.shard().balances;
        balances.iter().map(|(account, balance)| (*account, *balance)).collect()
    }

    /// What the log alone says.
    fn logged(&self) -> BTreeMap<u8, i64> {
        Self::load(self.log.clone(), self.now, 0).balances()
    }
}

#[test]
fn a_failed_write_takes_back_what_was_decided_upon_it_and_nothing_before() {
    let mut bank = Bank::new();
    let first = bank.add(1, 10);
    let second = bank.add(1, 5);
    let third = bank.add(1, 1);
    let other = bank.add(2, 7);
    assert_eq!(bank.balances(), BTreeMap::from([(1, 16), (2, 7)]));
    bank.finish(Ok(()));
    bank.finish(Err(WriteFailure::TooLarge));
    assert_eq!(bank.answers[&first], Ok(10));
    assert_eq!(bank.answers[&second], Err(WriteFailure::TooLarge));
    assert_eq!(bank.answers[&third], Err(WriteFailure::Reverted));
    assert_eq!(bank.answers[&other], Err(WriteFailure::Reverted));
    assert_eq!(bank.balances(), BTreeMap::from([(1, 10)]));
    assert!(bank.queue.is_empty());
    let again = bank.add(1, 1);
    bank.finish(Ok(()));
    assert_eq!(bank.answers[&again], Ok(11));
    assert_eq!(bank.balances(), bank.logged());
}

#[test]
fn a_write_larger_than_allowed_fails_alone() {
    let mut bank = Bank::new();
    let before = bank.add(1, 10);
    bank.runtime.limit_writes(5);
    let too_large = bank.add(1, 5);
    bank.runtime.limit_writes(1_000);
    let after = bank.add(1, 1);
    assert_eq!(bank.answers[&too_large], Err(WriteFailure::TooLarge));
    bank.finish(Ok(()));
    bank.finish(Ok(()));
    assert_eq!((bank.answers[&before], bank.answers[&after]), (Ok(10), Ok(11)));
    assert_eq!(bank.balances(), bank.logged());
}

#[test]
fn what_waits_for_a_write_hears_its_fate_and_a_failed_closing_is_tried_again() {
    let mut bank = Bank::new();
    bank.add(1, 10);
    bank.finish(Ok(()));
    bank.pass(IDLE_MS);
    assert!(bank.balances().is_empty(), "gone as soon as it is decided");
    assert!(!bank.logged().is_empty(), "and in the log until it is written");
    bank.finish(Err(WriteFailure::NotEnoughReplicas));
    assert_eq!(bank.runtime.shard().closed, [(1, false)]);
    assert_eq!(bank.balances(), BTreeMap::from([(1, 10)]));
    bank.pass(IDLE_MS);
    bank.finish(Ok(()));
    assert_eq!(bank.runtime.shard().closed, [(1, false), (1, true)]);
    assert!(bank.balances().is_empty() && bank.logged().is_empty());
}

#[test]
fn a_shard_that_goes_away_refuses_what_waits() {
    let mut bank = Bank::new();
    let waiting = bank.add(1, 10);
    let mut effects = Effects::default();
    bank.runtime.unload(bank.now, &mut effects);
    bank.take(effects);
    assert_eq!(bank.answers[&waiting], Err(WriteFailure::NotLeader));
}

#[test]
fn whatever_fails_and_whenever_the_state_is_the_replay_of_the_log() {
    for seed in 1..=500_u64 {
        let mut draw = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |bound: u64| {
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            draw % bound
        };
        let (mut bank, mut failures) = (Bank::new(), 0);
        let mut acknowledged: BTreeMap<ReplyId, (usize, i64)> = BTreeMap::new();
        for _ in 0..200 {
            match below(10) {
                0..=4 => {
                    bank.add(below(4) as u8, below(9) as i64 - 3);
                }
                5..=7 if !bank.queue.is_empty() => {
                    let fails = below(8) == 0;
                    failures += usize::from(fails);
                    bank.finish(if fails { Err(WriteFailure::NotEnoughReplicas) } else { Ok(()) });
                }
                8 => bank.pass(below(3_000)),
                9 if below(10) == 0 => {
                    bank = Bank::load(bank.log, bank.now, bank.next_reply);
                }
                _ => {}
            }
            for (reply, answer) in &bank.answers {
                if let Ok(balance) = answer {
                    acknowledged.entry(*reply).or_insert((bank.log.len(), *balance));
                }
            }
            let latest = bank.balances();
            let committed = bank.logged();
            if bank.queue.is_empty() {
                assert_eq!(latest, committed, "seed {seed}");
            }
        }
        assert!(failures > 0 && !acknowledged.is_empty(), "seed {seed}");
        for (end, balance) in acknowledged.values() {
            let stands = bank.log[..*end]
                .iter()
                .any(|record| record.value.as_deref() == Some(balance.to_be_bytes().as_slice()));
            assert!(stands, "seed {seed}: {balance} was acknowledged and is not in the log");
        }
    }
}
