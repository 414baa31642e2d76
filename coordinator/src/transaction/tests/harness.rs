//! A shard with a log in memory: requests in short form, writes that finish when told to.

use std::collections::{BTreeMap, BTreeSet};

use protocol::batch::{BatchBuilder, BatchView};
use protocol::wire::StrBytes;

use super::super::*;
use crate::runtime::{
    Effects, Now, Reply, ReplyId, Runtime, Shard as _, Write, WriteFailure, WriteRecord,
};

pub(in super::super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(in super::super) fn producer(producer_id: i64, producer_epoch: i16) -> ProducerIdAndEpoch {
    ProducerIdAndEpoch { producer_id, producer_epoch }
}

pub(in super::super) fn partition(partition: i32) -> TopicPartition {
    TopicPartition { topic: text("t"), partition }
}

pub(in super::super) struct Bench {
    pub(in super::super) runtime: Runtime<TransactionShard>,
    pub(in super::super) now: Now,
    pub(in super::super) answers: BTreeMap<ReplyId, Answer>,
    pub(in super::super) writes: Vec<Write>,
    pub(in super::super) log: Vec<WriteRecord>,
    pub(in super::super) log_events: Vec<LogEvent>,
    pub(in super::super) commands: Vec<Command>,
    /// Whether writes finish by themselves.
    pub(in super::super) writes_at_once: bool,
    pub(in super::super) version: TransactionVersion,
    pub(in super::super) next_producer_id: i64,
    next_reply: u64,
}

impl Bench {
    pub(in super::super) fn new(version: TransactionVersion) -> Self {
        let shard = TransactionShard::new(TransactionSettings::default(), version);
        let mut bench = Self {
            runtime: Runtime::new(shard),
            now: Now { wall_ms: 1_000_000, monotonic_ms: 0 },
            answers: BTreeMap::new(),
            writes: Vec::new(),
            log: Vec::new(),
            log_events: Vec::new(),
            commands: Vec::new(),
            writes_at_once: true,
            version,
            next_producer_id: 1000,
            next_reply: 0,
        };
        bench.run(|shard, now, out| shard.loaded(now, out));
        bench
    }

    pub(in super::super) fn run<R>(
        &mut self,
        step: impl FnOnce(&mut TransactionShard, Now, &mut Outputs) -> R,
    ) -> R {
        let mut effects = Effects::default();
        let result = self.runtime.step(self.now, &mut effects, step);
        self.take(effects);
        if self.writes_at_once {
            self.settle();
        }
        result
    }

    fn take(&mut self, effects: Effects<TransactionShard>) {
        if let Some(from) = effects.reverted_from {
            self.writes.retain(|write| write.id < from);
        }
        for (reply, answer) in effects.replies {
            assert!(self.answers.insert(reply, answer).is_none(), "{reply:?} answered twice");
        }
        self.writes.extend(effects.writes);
        self.log_events.extend(effects.log_events);
        self.commands.extend(effects.commands);
    }

    /// Finishes all writes under way.
    pub(in super::super) fn settle(&mut self) {
        while !self.writes.is_empty() {
            self.finish_write(Ok(()));
        }
    }

    /// Finishes the oldest write under way.
    pub(in super::super) fn finish_write(&mut self, fate: Result<(), WriteFailure>) {
        let write = self.writes.remove(0);
        let base = self.log.len() as i64;
        if fate.is_ok() {
            self.log.extend(write.records);
        }
        let mut effects = Effects::default();
        self.runtime.written(write.id, fate.map(|()| base), self.now, &mut effects);
        self.take(effects);
    }

    /// Another coordinator takes over: all that is not in the log is lost.
    pub(in super::super) fn reload(&mut self) {
        let mut effects = Effects::default();
        self.runtime.unload(self.now, &mut effects);
        self.take(effects);
        self.writes.clear();
        self.commands.clear();
        let shard = TransactionShard::new(TransactionSettings::default(), self.version);
        self.runtime = Runtime::new(shard);
        let mut effects = Effects::default();
        for (offset, record) in self.log.iter().enumerate() {
            let mut builder = BatchBuilder::new(offset as i64);
            builder.append(0, Some(&record.key), record.value.as_deref());
            let batch = builder.build();
            let batch = BatchView::parse(&batch).unwrap();
            let header = batch.header_copy();
            self.runtime.replay_batch(&header, batch.payload(), self.now, &mut effects).unwrap();
        }
        self.take(effects);
        self.run(|shard, now, out| shard.loaded(now, out));
    }

    fn reply<T>(&mut self) -> Reply<T> {
        self.next_reply += 1;
        Reply::new(ReplyId(self.next_reply))
    }

    /// Moves the clock on, stopping at every deadline.
    pub(in super::super) fn pass(&mut self, ms: u64) {
        let end = self.now.monotonic_ms + ms;
        while let Some(deadline) = self.runtime.next_deadline_ms().filter(|at| *at <= end) {
            let step = deadline.saturating_sub(self.now.monotonic_ms);
            self.now.monotonic_ms += step;
            self.now.wall_ms += step as i64;
            self.run(|shard, now, out| shard.tick(now, out));
        }
        self.now.wall_ms += (end - self.now.monotonic_ms) as i64;
        self.now.monotonic_ms = end;
    }

    /// The answer to a request that was given one at once, as far as writes finish by themselves.
    pub(in super::super) fn producer_answer(&self, reply: ReplyId) -> Option<ProducerAnswer> {
        match self.answers.get(&reply)? {
            Answer::Producer(answer) => Some(*answer),
            other => panic!("{reply:?} is another's answer: {other:?}"),
        }
    }

    pub(in super::super) fn added(&self, reply: ReplyId) -> Option<AddPartitionsAnswer> {
        match self.answers.get(&reply)? {
            Answer::AddPartitions(answer) => Some(*answer),
            other => panic!("{reply:?} is another's answer: {other:?}"),
        }
    }

    /// Begins to ask; hands out a new producer id where one is needed, as the host does.
    pub(in super::super) fn begin_init(
        &mut self,
        transactional_id: &str,
        expected: Option<ProducerIdAndEpoch>,
    ) -> ReplyId {
        let asked = InitProducerId {
            transactional_id: text(transactional_id),
            timeout_ms: 60_000,
            expected,
            new_producer_id: None,
        };
        self.with_id(|shard, new_producer_id, reply, now, out| {
            let asked = InitProducerId { new_producer_id, ..asked.clone() };
            shard.init_producer_id(&asked, reply, now, out);
        })
    }

    fn with_id(
        &mut self,
        step: impl Fn(&mut TransactionShard, Option<i64>, Reply<ProducerAnswer>, Now, &mut Outputs),
    ) -> ReplyId {
        let reply = self.reply();
        self.run(|shard, now, out| step(shard, None, reply, now, out));
        let needed = Some(&Answer::Producer(Err(TransactionError::ProducerIdNeeded)));
        if self.answers.get(&reply.id()) != needed {
            return reply.id();
        }
        let new = self.next_producer_id;
        self.next_producer_id += 1;
        let reply = self.reply();
        self.run(|shard, now, out| step(shard, Some(new), reply, now, out));
        reply.id()
    }

    pub(in super::super) fn init(&mut self, transactional_id: &str) -> ProducerAnswer {
        let reply = self.begin_init(transactional_id, None);
        self.producer_answer(reply).expect("an answer")
    }

    pub(in super::super) fn init_again(
        &mut self,
        transactional_id: &str,
        expected: ProducerIdAndEpoch,
    ) -> ProducerAnswer {
        let reply = self.begin_init(transactional_id, Some(expected));
        self.producer_answer(reply).expect("an answer")
    }

    pub(in super::super) fn begin_add(
        &mut self,
        transactional_id: &str,
        producer: ProducerIdAndEpoch,
        partitions: &[i32],
    ) -> ReplyId {
        let asked = AddPartitions {
            transactional_id: text(transactional_id),
            producer,
            partitions: partitions.iter().map(|index| partition(*index)).collect(),
            client: match self.version {
                TransactionVersion::V2 => TransactionVersion::V2,
                _ => TransactionVersion::V0,
            },
        };
        let reply = self.reply();
        self.run(|shard, now, out| shard.add_partitions(&asked, reply, now, out));
        reply.id()
    }

    pub(in super::super) fn add(
        &mut self,
        transactional_id: &str,
        producer: ProducerIdAndEpoch,
        partitions: &[i32],
    ) -> AddPartitionsAnswer {
        let reply = self.begin_add(transactional_id, producer, partitions);
        self.added(reply).expect("an answer")
    }

    pub(in super::super) fn begin_end(
        &mut self,
        transactional_id: &str,
        producer: ProducerIdAndEpoch,
        is_commit: bool,
    ) -> ReplyId {
        let asked = EndTransaction {
            transactional_id: text(transactional_id),
            producer,
            is_commit,
            client: match self.version {
                TransactionVersion::V2 => TransactionVersion::V2,
                _ => TransactionVersion::V0,
            },
            new_producer_id: None,
        };
        self.with_id(|shard, new_producer_id, reply, now, out| {
            let asked = EndTransaction { new_producer_id, ..asked.clone() };
            shard.end(&asked, reply, now, out);
        })
    }

    pub(in super::super) fn end(
        &mut self,
        transactional_id: &str,
        producer: ProducerIdAndEpoch,
        is_commit: bool,
    ) -> ProducerAnswer {
        let reply = self.begin_end(transactional_id, producer, is_commit);
        self.producer_answer(reply).expect("an answer")
    }

    /// The markers that were last sent.
    pub(in super::super) fn markers(&self) -> &Markers {
        match self.commands.last() {
            Some(Command::SendMarkers(markers)) => markers,
            other => panic!("no markers: {other:?}"),
        }
    }

    /// Every marker that was sent is written.
    pub(in super::super) fn write_markers(&mut self) {
        for command in std::mem::take(&mut self.commands) {
            let Command::SendMarkers(markers) = command else { continue };
            self.markers_written(&markers, markers.partitions.clone());
        }
    }

    pub(in super::super) fn markers_written(
        &mut self,
        markers: &Markers,
        partitions: BTreeSet<TopicPartition>,
    ) {
        let partitions: Vec<TopicPartition> = partitions.into_iter().collect();
        let (id, producer) = (markers.transactional_id.clone(), markers.producer);
        self.run(|shard, now, out| shard.markers_written(&id, producer, &partitions, now, out));
    }

    pub(in super::super) fn standing(&self, transactional_id: &str) -> TransactionMetadata {
        self.runtime.shard().standing(&text(transactional_id)).expect("a known id").clone()
    }

    pub(in super::super) fn state(&self, transactional_id: &str) -> TransactionState {
        self.standing(transactional_id).state
    }
}
