//! One coordinator's shard on a broker, hosted as in the product: loaded from its partition, served
//! once what was loaded is committed, its writes appended one batch at a time.
//!
//! Kept true: where it is not known whether a write stands in the log, the shard ends, and only a
//! load tells.

use std::collections::{BTreeMap, VecDeque};

use coordinator::runtime::{
    Effects, Now, Reply, ReplyId, Runtime, Shard, Write, WriteFailure, WriteId, WritePurpose,
};
use protocol::ErrorCode;
use replica::{Answer, NotAppended, Origin, Token};
use storage::{TransactionTerms, VerificationGuard};

use super::messages::Said;
use super::shared::Shared;
use crate::replication::appending::Taken;
use crate::replication::broker::{Out, SimBroker};
use crate::replication::log::LogError;
use crate::replication::message::NodeId;

/// How long an append may take (offsets.commit.timeout.ms).
const PATIENCE_US: i64 = 4_000_000;
/// Writes of one batch at most.
const BATCHED: usize = 8;

/// Where a broker acts, and what it says there.
pub(crate) struct Stage<'a> {
    pub(crate) broker: &'a mut SimBroker,
    pub(crate) shared: &'a mut Shared,
    pub(crate) now_us: i64,
    pub(crate) out: Out,
    /// To whom, which process (0: any), what.
    pub(crate) said: Vec<(NodeId, u64, Said)>,
}

impl Stage<'_> {
    pub(crate) fn now(&self) -> Now {
        let clock = &self.broker.clock;
        let monotonic_ms = clock.monotonic_ms(self.now_us) as u64;
        Now { wall_ms: clock.wall_ms(self.now_us), monotonic_ms }
    }
}

#[derive(Debug)]
struct Queued {
    write: Write,
    guard: VerificationGuard,
}

#[derive(Debug)]
struct Appending {
    token: Token,
    offset: i64,
    writes: Vec<(WriteId, i64)>,
    since_us: i64,
}

/// What came of a step: who is answered what, and what is to be done for the shard.
#[derive(Debug)]
pub(crate) struct Did<S: Shard> {
    pub(crate) answers: Vec<(ReplyId, S::Answer)>,
    pub(crate) commands: Vec<S::Command>,
}

impl<S: Shard> Default for Did<S> {
    fn default() -> Self {
        Self { answers: Vec::new(), commands: Vec::new() }
    }
}

#[derive(Debug)]
pub(crate) struct ShardHost<S: Shard> {
    partition: usize,
    pub(crate) leader_epoch: i32,
    /// Which load of any shard this is.
    pub(crate) load: u64,
    runtime: Runtime<S>,
    /// What is to be committed before it serves; `None` once it does.
    awaited: Option<i64>,
    queue: VecDeque<Queued>,
    appending: Option<Appending>,
    /// It serves no more.
    pub(crate) has_ended: bool,
}

impl<S: Shard> ShardHost<S> {
    /// Replays the partition; `None` where a record cannot be read.
    pub(crate) fn load(
        partition: usize,
        leader_epoch: i32,
        load: u64,
        shard: S,
        stage: &mut Stage<'_>,
    ) -> Option<Self> {
        let now = stage.now();
        let log = stage.broker.log(partition)?;
        if log.rotten.is_some() {
            stage.broker.meet_damage(partition);
            return None;
        }
        let mut runtime = Runtime::new(shard);
        let mut effects = Effects::default();
        for (offset, entry) in log.entries().filter(|(_, entry)| entry.place == 0) {
            let (header, payload) = stage.shared.payloads.batch(entry.value, offset)?;
            let replayed = runtime.replay_batch(&header, payload, now, &mut effects);
            replayed.expect("a shard reads what one wrote");
        }
        Some(Self {
            partition,
            leader_epoch,
            load,
            runtime,
            awaited: Some(log.end()),
            queue: VecDeque::new(),
            appending: None,
            has_ended: false,
        })
    }

    pub(crate) fn serves(&self) -> bool {
        self.awaited.is_none() && !self.has_ended
    }

    /// Whether nothing that was decided is on its way to the log.
    pub(crate) fn is_settled(&self) -> bool {
        self.runtime.newest_write().is_none()
    }

    pub(crate) fn shard(&self) -> &S {
        self.runtime.shard()
    }

    /// Begins to serve when what was loaded is committed.
    pub(crate) fn begin(&mut self, stage: &mut Stage<'_>) -> Option<Did<S>> {
        let end = self.awaited?;
        let hosted = stage.broker.hosted.get(&self.partition)?;
        if hosted.replica.high_watermark() < end {
            return None;
        }
        self.awaited = None;
        Some(self.step(stage, |shard, now, out| shard.loaded(now, out)))
    }

    /// What is due, and what has waited for too long.
    pub(crate) fn tick(&mut self, stage: &mut Stage<'_>) -> Did<S> {
        let mut did = Did::default();
        if let Some(late) = self.appending.take_if(|a| stage.now_us > a.since_us + PATIENCE_US) {
            if let Some(hosted) = stage.broker.hosted.get_mut(&self.partition) {
                hosted.replica.forget(late.token);
            }
            self.have_fate(&late.writes, Err(WriteFailure::TimedOut), stage, &mut did);
        }
        let due = self.runtime.next_deadline_ms();
        if self.serves() && due.is_some_and(|due| due <= stage.now().monotonic_ms) {
            let ticked = self.step(stage, |shard, now, out| shard.tick(now, out));
            did.answers.extend(ticked.answers);
            did.commands.extend(ticked.commands);
        }
        did
    }

    pub(crate) fn step(
        &mut self,
        stage: &mut Stage<'_>,
        step: impl FnOnce(&mut S, Now, &mut coordinator::runtime::Outputs<S>),
    ) -> Did<S> {
        self.run(VerificationGuard::NONE, stage, |runtime, now, effects| {
            runtime.step(now, effects, step);
        })
    }

    pub(crate) fn run(
        &mut self,
        guard: VerificationGuard,
        stage: &mut Stage<'_>,
        step: impl FnOnce(&mut Runtime<S>, Now, &mut Effects<S>),
    ) -> Did<S> {
        let mut did = Did::default();
        if self.has_ended {
            return did;
        }
        let mut effects = Effects::default();
        step(&mut self.runtime, stage.now(), &mut effects);
        self.carry_out(effects, guard, &mut did);
        self.write(stage, &mut did);
        did
    }

    fn carry_out(&mut self, effects: Effects<S>, guard: VerificationGuard, did: &mut Did<S>) {
        if let Some(from) = effects.reverted_from {
            self.queue.retain(|queued| queued.write.id < from);
        }
        let writes = effects.writes.into_iter();
        self.queue.extend(writes.map(|write| Queued { write, guard }));
        did.answers.extend(effects.replies);
        did.commands.extend(effects.commands);
    }

    /// Appends what waits, until an append has to wait itself.
    fn write(&mut self, stage: &mut Stage<'_>, did: &mut Did<S>) {
        while self.appending.is_none() && !self.has_ended {
            let (writes, terms) = self.take_writes();
            if writes.is_empty() {
                return;
            }
            let (first, places) = stage.shared.payloads.entry(&writes, stage.now().wall_ms);
            let origin = (Origin::Coordinator, terms);
            let (now_us, out) = (stage.now_us, &mut stage.out);
            let fate = match stage.broker.append(self.partition, &first, origin, now_us, out) {
                Some(Ok(Taken { offset, token: Some(token) })) => {
                    let since_us = now_us;
                    self.appending = Some(Appending { token, offset, writes: places, since_us });
                    return;
                }
                Some(Ok(Taken { offset, token: None })) => Ok(offset),
                Some(Err(refused)) => Err(failure(&refused)),
                None => Err(WriteFailure::UnknownPartition),
            };
            self.have_fate(&places, fate, stage, did);
        }
    }

    /// Writes of one purpose, and what they are appended with.
    fn take_writes(&mut self) -> (Vec<Write>, TransactionTerms) {
        let mut taken: Vec<Write> = Vec::new();
        let mut terms = TransactionTerms::default();
        while let Some(next) = self.queue.front().filter(|_| taken.len() < BATCHED) {
            let purpose = next.write.purpose;
            let is_marker = matches!(purpose, WritePurpose::End(..));
            let goes_with =
                |first: &Write| !is_marker && first.purpose == purpose && terms.guard == next.guard;
            if taken.first().is_some_and(|first| !goes_with(first)) {
                break;
            }
            terms.guard = next.guard;
            if let WritePurpose::End(_, end) = purpose {
                terms.version = end.transaction_version;
            }
            taken.extend(self.queue.pop_front().map(|queued| queued.write));
        }
        (taken, terms)
    }

    fn have_fate(
        &mut self,
        writes: &[(WriteId, i64)],
        fate: Result<i64, WriteFailure>,
        stage: &Stage<'_>,
        did: &mut Did<S>,
    ) {
        for (id, place) in writes {
            let mut effects = Effects::default();
            let fate = fate.map(|base| base + place);
            self.runtime.written(*id, fate, stage.now(), &mut effects);
            self.carry_out(effects, VerificationGuard::NONE, did);
        }
        if fate.is_err_and(WriteFailure::leaves_doubt) {
            self.close(stage.now(), did);
        }
    }

    /// An append that waited has its fate.
    pub(crate) fn answered(
        &mut self,
        token: Token,
        answer: Answer,
        stage: &mut Stage<'_>,
    ) -> Option<Did<S>> {
        let Appending { offset, writes, .. } = self.appending.take_if(|a| a.token == token)?;
        let fate = match answer {
            Answer::Committed | Answer::TooFewInSync => Ok(offset),
            Answer::NoLongerLeader => Err(WriteFailure::NotLeader),
        };
        let mut did = Did::default();
        self.have_fate(&writes, fate, stage, &mut did);
        self.write(stage, &mut did);
        Some(did)
    }

    /// The shard is not here any more: all that waits is answered.
    pub(crate) fn close(&mut self, now: Now, did: &mut Did<S>) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let mut effects = Effects::default();
        self.runtime.unload(now, &mut effects);
        did.answers.extend(effects.replies);
        self.queue.clear();
        self.appending = None;
    }
}

/// A reply that is parked under this number.
pub(crate) fn reply<T>(number: u64) -> Reply<T> {
    Reply::new(ReplyId(number))
}

fn failure(refused: &NotAppended<LogError>) -> WriteFailure {
    match refused {
        NotAppended::NotLeader => WriteFailure::NotLeader,
        NotAppended::TooFewInSync { .. } => WriteFailure::NotEnoughReplicas,
        NotAppended::Log(LogError::Refused(code)) => match code {
            ErrorCode::InvalidProducerEpoch => WriteFailure::InvalidProducerEpoch,
            ErrorCode::InvalidTxnState => WriteFailure::InvalidTransactionState,
            ErrorCode::TransactionCoordinatorFenced => WriteFailure::CoordinatorFenced,
            _ => WriteFailure::Refused,
        },
        NotAppended::Log(_) => WriteFailure::Storage,
    }
}
