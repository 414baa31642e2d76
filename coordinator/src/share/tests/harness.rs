//! A shard with a log in memory: requests in short form, writes that finish when told to.

use std::collections::BTreeMap;

use protocol::batch::{BatchBuilder, BatchView};
use protocol::records::share::ShareRecord;
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::*;
use crate::runtime::{
    Effects, Now, Reply, ReplyId, Runtime, Shard as _, Write, WriteFailure, WriteRecord,
};

pub(in super::super) fn topic(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(in super::super) fn key(partition: i32) -> SharePartitionKey {
    let group_id = StrBytes::from_static_str("g");
    SharePartitionKey { group_id, topic_id: topic(1), partition }
}

/// first-last, how often delivered, in which state.
pub(in super::super) fn batch(offsets: (i64, i64), count: i16, state: i8) -> StateBatch {
    StateBatch {
        first_offset: offsets.0,
        last_offset: offsets.1,
        delivery_count: count,
        delivery_state: state,
    }
}

pub(in super::super) struct Bench {
    pub(in super::super) runtime: Runtime<ShareShard>,
    pub(in super::super) now: Now,
    pub(in super::super) answers: BTreeMap<ReplyId, Answer>,
    pub(in super::super) writes: Vec<Write>,
    /// Where the log begins.
    pub(in super::super) log_start: usize,
    pub(in super::super) log: Vec<WriteRecord>,
    pub(in super::super) log_events: Vec<LogEvent>,
    pub(in super::super) commands: Vec<Command>,
    /// Whether writes finish by themselves.
    pub(in super::super) writes_at_once: bool,
    pub(in super::super) is_known: bool,
    settings: ShareSettings,
    next_reply: u64,
}

impl Bench {
    pub(in super::super) fn new(updates_per_snapshot: u32) -> Self {
        let settings = ShareSettings { updates_per_snapshot, ..ShareSettings::default() };
        let mut bench = Self {
            runtime: Runtime::new(ShareShard::new(settings.clone(), true)),
            now: Now { wall_ms: 1_000_000, monotonic_ms: 0 },
            answers: BTreeMap::new(),
            writes: Vec::new(),
            log_start: 0,
            log: Vec::new(),
            log_events: Vec::new(),
            commands: Vec::new(),
            writes_at_once: true,
            is_known: true,
            settings,
            next_reply: 0,
        };
        bench.run(|shard, now, out| shard.loaded(now, out));
        bench
    }

    pub(in super::super) fn run<R>(
        &mut self,
        step: impl FnOnce(&mut ShareShard, Now, &mut Outputs) -> R,
    ) -> R {
        let mut effects = Effects::default();
        let result = self.runtime.step(self.now, &mut effects, step);
        self.take(effects);
        if self.writes_at_once {
            self.settle();
        }
        result
    }

    fn take(&mut self, effects: Effects<ShareShard>) {
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
        // One in doubt may stand there all the same.
        if fate.is_ok_and(|()| true) || fate.is_err_and(WriteFailure::leaves_doubt) {
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
        self.runtime = Runtime::new(ShareShard::new(self.settings.clone(), true));
        let mut effects = Effects::default();
        for (offset, record) in self.log.iter().enumerate().skip(self.log_start) {
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

    /// Carries out what the shard asked for.
    pub(in super::super) fn prune(&mut self) {
        for Command::Prune { offset } in std::mem::take(&mut self.commands) {
            self.log_start = self.log_start.max(offset as usize);
            self.run(|shard, _, _| shard.pruned(offset));
        }
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

    pub(in super::super) fn begin<T>(
        &mut self,
        step: impl FnOnce(&mut ShareShard, bool, Reply<T>, Now, &mut Outputs),
    ) -> ReplyId {
        self.next_reply += 1;
        let reply = Reply::new(ReplyId(self.next_reply));
        let is_known = self.is_known;
        self.run(|shard, now, out| step(shard, is_known, reply, now, out));
        reply.id()
    }

    fn done<T: TryFrom<Answer>>(&self, reply: ReplyId) -> T {
        let answer = self.answers.get(&reply).cloned().expect("an answer");
        T::try_from(answer).ok().expect("the answer to this request")
    }

    pub(in super::super) fn initialize(
        &mut self,
        partition: i32,
        state_epoch: i32,
        start_offset: i64,
    ) -> DoneAnswer {
        let asked = InitializeState { key: key(partition), state_epoch, start_offset };
        let reply = self.begin(|shard, known, reply, now, out| {
            shard.initialize(&asked, known, reply, now, out);
        });
        self.done(reply)
    }

    pub(in super::super) fn write(&mut self, asked: &WriteState) -> DoneAnswer {
        let reply =
            self.begin(|shard, known, reply, now, out| shard.write(asked, known, reply, now, out));
        self.done(reply)
    }

    pub(in super::super) fn read(&mut self, partition: i32, leader_epoch: i32) -> ReadAnswer {
        let asked = ReadState { key: key(partition), leader_epoch };
        let reply =
            self.begin(|shard, known, reply, now, out| shard.read(&asked, known, reply, now, out));
        self.done(reply)
    }

    pub(in super::super) fn summarize(&mut self, partition: i32) -> SummaryAnswer {
        let asked = ReadState { key: key(partition), leader_epoch: -1 };
        let reply =
            self.begin(|shard, known, reply, _, out| shard.summarize(&asked, known, reply, out));
        self.done(reply)
    }

    pub(in super::super) fn delete(&mut self, partition: i32) -> DoneAnswer {
        let key = key(partition);
        let reply = self.begin(|shard, known, reply, _, out| shard.delete(&key, known, reply, out));
        self.done(reply)
    }

    /// What the log holds, in order.
    pub(in super::super) fn records(&self) -> Vec<ShareRecord> {
        let read = |record: &WriteRecord| {
            ShareRecord::read(Some(&record.key), record.value.as_deref()).expect("a record")
        };
        self.log.iter().map(read).collect()
    }

    pub(in super::super) fn state(&self, partition: i32) -> Option<ShareState> {
        self.runtime.shard().state(&key(partition)).cloned()
    }
}

/// One batch, written by a leader of this epoch under this state epoch.
pub(in super::super) fn write(
    partition: i32,
    leader_epoch: i32,
    state_epoch: i32,
    start_offset: i64,
    batches: Vec<StateBatch>,
) -> WriteState {
    let key = key(partition);
    let delivery_complete_count = batches.len() as i32;
    WriteState { key, state_epoch, leader_epoch, start_offset, delivery_complete_count, batches }
}
