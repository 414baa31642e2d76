//! Offsets that producers commit in transactions: held until a marker decides, whatever fails and
//! whoever coordinates meanwhile.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::batch::{BatchBuilder, BatchView};
use protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use protocol::messages::{GroupId, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest};
use protocol::records::control::TransactionMarker;

use super::super::*;
use super::harness::{commit_request, text};
use crate::runtime::{
    Effects, Now, Producer, Reply, ReplyId, Runtime, TransactionEnd, Write, WriteFailure,
    WritePurpose,
};

const TOPIC: &str = "orders";
const PARTITIONS: i32 = 3;

/// A shard over a log of batches, as the host has them.
struct Coordinator {
    runtime: Runtime<GroupShard>,
    answers: BTreeMap<ReplyId, Answer>,
    writes: Vec<Write>,
    log: Vec<Bytes>,
    end_offset: i64,
    next_reply: u64,
}

impl Coordinator {
    fn new() -> Self {
        Self::over(Vec::new(), 0)
    }

    fn over(log: Vec<Bytes>, end_offset: i64) -> Self {
        let runtime = Runtime::new(GroupShard::new(GroupSettings::default()));
        let mut new = Self {
            runtime,
            answers: BTreeMap::new(),
            writes: Vec::new(),
            log,
            end_offset,
            next_reply: 0,
        };
        let mut effects = Effects::default();
        for batch in &new.log {
            let batch = BatchView::parse(batch).unwrap();
            let header = batch.header_copy();
            new.runtime.replay_batch(&header, batch.payload(), NOW, &mut effects).unwrap();
        }
        new.runtime.step(NOW, &mut effects, |shard, now, out| shard.expire(now, out));
        new
    }

    fn reply<T>(&mut self) -> Reply<T> {
        self.next_reply += 1;
        Reply::new(ReplyId(self.next_reply))
    }

    fn take(&mut self, effects: Effects<GroupShard>) {
        if let Some(from) = effects.reverted_from {
            self.writes.retain(|write| write.id < from);
        }
        for (reply, answer) in effects.replies {
            assert!(self.answers.insert(reply, answer).is_none(), "{reply:?} answered twice");
        }
        self.writes.extend(effects.writes);
    }

    fn commit(&mut self, partition: i32, offset: i64) -> ReplyId {
        let request = commit_request("", -1, &[(TOPIC, partition, offset)]);
        let reply = self.reply();
        let mut effects = Effects::default();
        self.runtime.step(NOW, &mut effects, |shard, now, out| {
            shard.commit_offsets(9, &request, reply, now, out);
        });
        self.take(effects);
        reply.id()
    }

    fn hold(&mut self, producer: i64, partition: i32, offset: i64) -> ReplyId {
        self.hold_as(producer, &request("", -1, partition, offset))
    }

    fn hold_as(&mut self, producer: i64, request: &TxnOffsetCommitRequest) -> ReplyId {
        let reply = self.reply();
        let mut effects = Effects::default();
        let producer = Producer { id: producer, epoch: 0 };
        self.runtime.step_in_transaction(producer, NOW, &mut effects, |shard, now, out| {
            shard.commit_offsets_in_transaction(request, reply, now, out);
        });
        self.take(effects);
        reply.id()
    }

    fn end(&mut self, producer: i64, is_commit: bool) -> ReplyId {
        let reply = self.reply::<CompletionAnswer>();
        let mut effects = Effects::default();
        let producer = Producer { id: producer, epoch: 0 };
        let end = TransactionEnd { is_commit, coordinator_epoch: 1, transaction_version: 0 };
        self.runtime.end_transaction(producer, end, reply, Ok(()), &mut effects);
        self.take(effects);
        reply.id()
    }

    /// Finishes the oldest write under way.
    fn finish(&mut self, fate: Result<(), WriteFailure>) {
        let write = self.writes.remove(0);
        let base = self.end_offset;
        if fate.is_ok() {
            let batch = batch(&write, base);
            self.end_offset += i64::from(BatchView::parse(&batch).unwrap().records_count());
            self.log.push(batch);
        }
        let mut effects = Effects::default();
        self.runtime.written(write.id, fate.map(|()| base), NOW, &mut effects);
        self.take(effects);
    }

    fn settle(&mut self) {
        while !self.writes.is_empty() {
            self.finish(Ok(()));
        }
    }

    fn fetch(&self, partition: i32, require_stable: bool) -> Result<Option<i64>, GroupError> {
        let topics = [(text(TOPIC), vec![partition])];
        let shard = self.runtime.shard();
        let fetched = shard.fetch_offsets(&text("g"), None, &topics, require_stable).unwrap();
        fetched[0].partitions[0].offset.clone().map(|offset| offset.map(|offset| offset.offset))
    }

    fn refusal(&self, reply: ReplyId) -> Option<GroupError> {
        match &self.answers[&reply] {
            Answer::Commit(answer) => answer.clone().err(),
            Answer::Completed(answer) => answer.clone().err(),
            other => panic!("{other:?}"),
        }
    }

    fn reloaded(&self) -> Self {
        Self::over(self.log.clone(), self.end_offset)
    }

    /// What is committed, and which partitions are not stable.
    fn seen(&self) -> Vec<(Option<i64>, bool)> {
        let seen = (0..PARTITIONS).map(|partition| {
            let is_unstable = self.fetch(partition, true) == Err(GroupError::UnstableOffset);
            (self.fetch(partition, false).unwrap(), is_unstable)
        });
        seen.collect()
    }
}

const NOW: Now = Now { wall_ms: 1_000_000, monotonic_ms: 0 };

fn batch(write: &Write, base: i64) -> Bytes {
    let mut builder = BatchBuilder::new(base);
    match write.purpose {
        WritePurpose::Own => {}
        WritePurpose::InTransaction(producer) => {
            builder = builder.producer(producer.id, producer.epoch, 0).transactional();
        }
        WritePurpose::End(producer, end) => {
            let marker = TransactionMarker {
                commit: end.is_commit,
                coordinator_epoch: end.coordinator_epoch,
            };
            return marker.batch(producer.id, producer.epoch, 0);
        }
    }
    for record in &write.records {
        builder.append(0, Some(&record.key), record.value.as_deref());
    }
    builder.build()
}

fn request(member: &str, generation: i32, partition: i32, offset: i64) -> TxnOffsetCommitRequest {
    let partition = TxnOffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(offset)
        .with_committed_metadata(Some(text("")));
    let topic = TxnOffsetCommitRequestTopic::default()
        .with_name(TopicName(text(TOPIC)))
        .with_partitions(vec![partition]);
    TxnOffsetCommitRequest::default()
        .with_transactional_id(TransactionalId(text("t")))
        .with_group_id(GroupId(text("g")))
        .with_producer_id(ProducerId(1))
        .with_member_id(text(member))
        .with_generation_id(generation)
        .with_topics(vec![topic])
}

#[test]
fn what_a_transaction_holds_is_unstable_until_its_marker_is_written() {
    let mut coordinator = Coordinator::new();
    let held = coordinator.hold(1, 0, 5);
    assert_eq!(coordinator.fetch(0, true), Err(GroupError::UnstableOffset), "on its way already");
    coordinator.settle();
    assert_eq!(coordinator.refusal(held), None);
    assert_eq!(coordinator.fetch(0, false), Ok(None));
    let ended = coordinator.end(1, true);
    assert!(!coordinator.answers.contains_key(&ended));
    assert_eq!(coordinator.fetch(0, true), Err(GroupError::UnstableOffset));
    coordinator.settle();
    assert_eq!(coordinator.refusal(ended), None);
    assert_eq!(coordinator.fetch(0, true), Ok(Some(5)));
    assert_eq!(coordinator.reloaded().seen(), coordinator.seen());
}

#[test]
fn what_an_aborted_transaction_held_is_gone() {
    let mut coordinator = Coordinator::new();
    coordinator.commit(0, 3);
    coordinator.hold(1, 0, 5);
    coordinator.hold(1, 1, 6);
    coordinator.end(1, false);
    coordinator.settle();
    assert_eq!(coordinator.seen(), [(Some(3), false), (None, false), (None, false)]);
}

#[test]
fn a_marker_ends_only_what_was_written_before_it() {
    let mut coordinator = Coordinator::new();
    coordinator.hold(1, 0, 5);
    coordinator.end(1, true);
    // The producer's next transaction, before the marker of this one is written.
    coordinator.hold(1, 0, 9);
    coordinator.finish(Ok(()));
    coordinator.finish(Ok(()));
    assert_eq!(coordinator.fetch(0, false), Ok(Some(5)));
    assert_eq!(coordinator.fetch(0, true), Err(GroupError::UnstableOffset));
    coordinator.finish(Ok(()));
    coordinator.end(1, false);
    coordinator.settle();
    assert_eq!(coordinator.fetch(0, true), Ok(Some(5)));
}

#[test]
fn of_a_plain_commit_and_a_held_one_the_later_in_the_log_stands() {
    let mut coordinator = Coordinator::new();
    coordinator.hold(1, 0, 5);
    coordinator.commit(0, 7);
    coordinator.commit(1, 7);
    coordinator.hold(1, 1, 5);
    coordinator.end(1, true);
    coordinator.settle();
    assert_eq!(coordinator.seen(), [(Some(7), false), (Some(5), false), (None, false)]);
}

#[test]
fn a_marker_that_is_refused_takes_nothing_with_it() {
    let mut coordinator = Coordinator::new();
    coordinator.hold(1, 0, 5);
    coordinator.settle();
    let fenced = coordinator.end(1, true);
    let after = coordinator.commit(1, 8);
    coordinator.finish(Err(WriteFailure::CoordinatorFenced));
    coordinator.settle();
    let refusal = GroupError::WriteFailed(WriteFailure::CoordinatorFenced);
    assert_eq!(coordinator.refusal(fenced), Some(refusal));
    assert_eq!(coordinator.refusal(after), None);
    assert_eq!(coordinator.seen(), [(None, true), (Some(8), false), (None, false)]);
}

#[test]
fn a_held_offset_that_cannot_be_written_leaves_no_trace() {
    let mut coordinator = Coordinator::new();
    let held = coordinator.hold(1, 0, 5);
    coordinator.finish(Err(WriteFailure::InvalidTransactionState));
    let refusal = GroupError::WriteFailed(WriteFailure::InvalidTransactionState);
    assert_eq!(coordinator.refusal(held), Some(refusal));
    assert_eq!(coordinator.seen(), [(None, false); 3]);
    assert_eq!(coordinator.runtime.shard().list(&[], &[]), []);
}

#[test]
fn a_commit_in_a_transaction_is_checked_where_it_names_a_member() {
    let mut coordinator = Coordinator::new();
    for (member, generation, refusal) in [
        ("", -1, None),
        ("", 3, Some(GroupError::UnknownMember)),
        ("nobody", 3, Some(GroupError::UnknownMember)),
        ("nobody", -1, None),
    ] {
        let reply = coordinator.hold_as(1, &request(member, generation, 0, 5));
        coordinator.settle();
        assert_eq!(coordinator.refusal(reply), refusal, "{member} {generation}");
    }
    let mut empty = Coordinator::new();
    let reply = empty.hold_as(1, &request("m", 3, 0, 5));
    let refusal = GroupError::IllegalGeneration { asked: 3, current: -1 };
    assert_eq!(empty.refusal(reply), Some(refusal));
}

/// What a log says, read from its start to its end.
#[derive(Default)]
struct Model {
    committed: BTreeMap<i32, (i64, i64)>,
    held: BTreeMap<i64, BTreeMap<i32, (i64, i64)>>,
}

/// What a write under way does once it is in the log.
#[derive(Debug, Clone, Copy)]
enum Step {
    Commit(i32, i64),
    Hold(i64, i32, i64),
    End(i64, bool),
}

impl Model {
    fn apply(&mut self, step: Step, at: i64) {
        match step {
            Step::Commit(partition, offset) => {
                self.committed.insert(partition, (at, offset));
            }
            Step::Hold(producer, partition, offset) => {
                self.held.entry(producer).or_default().insert(partition, (at, offset));
            }
            Step::End(producer, is_commit) => {
                for (partition, held) in self.held.remove(&producer).unwrap_or_default() {
                    let known = self.committed.entry(partition).or_insert((-1, -1));
                    if is_commit && held.0 > known.0 {
                        *known = held;
                    }
                }
                self.committed.retain(|_, (at, _)| *at >= 0);
            }
        }
    }

    fn seen(&self) -> Vec<(Option<i64>, bool)> {
        let seen = (0..PARTITIONS).map(|partition| {
            let offset = self.committed.get(&partition).map(|(_, offset)| *offset);
            (offset, self.held.values().any(|held| held.contains_key(&partition)))
        });
        seen.collect()
    }
}

#[test]
fn transactions_hold_and_end_as_their_log_says_whatever_fails() {
    for seed in 1..=300_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut draw = |bound: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % bound
        };
        let mut coordinator = Coordinator::new();
        let mut model = Model::default();
        let mut steps: Vec<Step> = Vec::new();
        for offset in 1..=200 {
            let (producer, partition) = (draw(3) as i64, draw(3) as i32);
            let step = match draw(6) {
                0 | 1 => Step::Commit(partition, offset),
                2..=4 => Step::Hold(producer, partition, offset),
                _ => Step::End(producer, draw(2) == 0),
            };
            match step {
                Step::Commit(partition, offset) => drop(coordinator.commit(partition, offset)),
                Step::Hold(id, partition, offset) => drop(coordinator.hold(id, partition, offset)),
                Step::End(id, is_commit) => drop(coordinator.end(id, is_commit)),
            }
            steps.push(step);
            while !coordinator.writes.is_empty() && draw(3) > 0 {
                let fails = draw(12) == 0;
                let fate = if fails { Err(WriteFailure::NotEnoughReplicas) } else { Ok(()) };
                let at = coordinator.end_offset;
                coordinator.finish(fate);
                match (fate, steps[0]) {
                    (Ok(()), step) => {
                        model.apply(step, at);
                        steps.remove(0);
                    }
                    (Err(_), Step::End(..)) => drop(steps.remove(0)),
                    (Err(_), _) => steps.clear(),
                }
                assert_eq!(coordinator.writes.len(), steps.len(), "seed {seed}");
            }
            if steps.is_empty() {
                assert_eq!(coordinator.seen(), model.seen(), "seed {seed}");
            }
            if draw(25) == 0 {
                coordinator = coordinator.reloaded();
                steps.clear();
                assert_eq!(coordinator.seen(), model.seen(), "seed {seed}, reloaded");
            }
        }
    }
}
