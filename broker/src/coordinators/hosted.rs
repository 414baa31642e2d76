//! One shard as it is hosted: its state behind a lock, its parked answers, its queue of writes, and
//! the task that wakes it at its next deadline.
//!
//! ```text
//! Loading ──loaded──▶ Active ──lost──▶ Closed
//!    └──cannot be read──▶ Failed
//! ```

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use coordinator::runtime::{
    Effects, Now, Outputs, Producer, Reply, ReplyId, Runtime, Shard, TransactionEnd, Unavailable,
    Write, WriteFailure, WriteId, WritePurpose,
};
use parking_lot::Mutex;
use protocol::batch::{Compression, HEADER_LEN};
use storage::{TransactionTerms, VerificationGuard};
use tokio::sync::{Notify, oneshot};

use super::batch::{batch, compressed};
use super::clock;
use super::kind::Kind;
use super::log::ShardLog;

#[derive(Debug)]
enum Phase<S: Kind> {
    Loading,
    Active(Box<Runtime<S>>),
    Failed(NotLoaded),
    Closed,
}

/// Why a shard does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotLoaded {
    /// It may be loaded in a moment.
    ForNow(String),
    /// Its log cannot be read.
    Unreadable(String),
}

/// A write that waits for its turn.
#[derive(Debug)]
struct Queued {
    write: Write,
    /// That the producer's transaction is known of, for a write in one.
    guard: VerificationGuard,
}

impl Queued {
    /// Whether both may be in one batch.
    fn goes_with(&self, other: &Self) -> bool {
        let (own, others) = (self.write.purpose, other.write.purpose);
        let is_marker = matches!(own, WritePurpose::End(..));
        !is_marker && own == others && self.guard == other.guard
    }

    fn terms(&self) -> TransactionTerms {
        let version = match self.write.purpose {
            WritePurpose::End(_, end) => end.transaction_version,
            WritePurpose::Own | WritePurpose::InTransaction(_) => 0,
        };
        TransactionTerms { guard: self.guard, version }
    }
}

#[derive(Debug)]
struct State<S: Kind> {
    phase: Phase<S>,
    parked: HashMap<ReplyId, oneshot::Sender<S::Answer>>,
    next_reply: u64,
    queue: VecDeque<Queued>,
    /// A writer task is at work.
    writing: bool,
    /// Who waits for a write to have its fate.
    settling: BTreeMap<WriteId, Vec<oneshot::Sender<()>>>,
    /// The deadline that the waking task sleeps towards.
    armed_ms: u64,
}

/// An answer that may come later.
#[derive(Debug)]
pub(crate) struct Parked<S: Kind, T> {
    receiver: oneshot::Receiver<S::Answer>,
    answer: PhantomData<fn() -> T>,
}

impl<S: Kind, T: TryFrom<S::Answer>> Parked<S, T> {
    /// None when the shard was closed.
    pub(crate) async fn answer(self) -> Option<T> {
        let answer = self.receiver.await.ok()?;
        // A `Reply<T>` takes nothing but a `T`.
        T::try_from(answer).ok()
    }
}

/// How the commands of a kind's shards are carried out; none are given by most.
pub(super) type Commanded<S> =
    dyn Fn(&Arc<HostedShard<S>>, <S as Shard>::Command) + Send + Sync + 'static;

pub(crate) struct HostedShard<S: Kind> {
    node_id: i32,
    partition: i32,
    /// For log lines.
    leader_epoch: AtomicI32,
    log: Arc<dyn ShardLog>,
    compression: Compression,
    state: Mutex<State<S>>,
    /// An earlier deadline, or the end.
    rearm: Notify,
    commanded: Arc<Commanded<S>>,
}

impl<S: Kind> std::fmt::Debug for HostedShard<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("HostedShard");
        shown.field("partition", &self.partition).field("leader_epoch", &self.leader_epoch);
        shown.finish_non_exhaustive()
    }
}

impl<S: Kind> HostedShard<S> {
    pub(super) fn new(
        node_id: i32,
        partition: i32,
        leader_epoch: i32,
        log: Arc<dyn ShardLog>,
        compression: Compression,
        commanded: Arc<Commanded<S>>,
    ) -> Self {
        let state = State {
            phase: Phase::Loading,
            parked: HashMap::new(),
            next_reply: 0,
            queue: VecDeque::new(),
            writing: false,
            settling: BTreeMap::new(),
            armed_ms: u64::MAX,
        };
        Self {
            node_id,
            partition,
            leader_epoch: AtomicI32::new(leader_epoch),
            log,
            compression,
            state: Mutex::new(state),
            rearm: Notify::new(),
            commanded,
        }
    }

    pub(crate) fn partition(&self) -> i32 {
        self.partition
    }

    pub(super) fn log(&self) -> &Arc<dyn ShardLog> {
        &self.log
    }

    pub(super) fn leader_epoch(&self) -> i32 {
        self.leader_epoch.load(Ordering::Relaxed)
    }

    /// The same leadership under a newer epoch: nobody else wrote in between. False when this
    /// shard cannot go on.
    pub(super) fn goes_on(&self, leader_epoch: i32) -> bool {
        let state = self.state.lock();
        let goes_on = matches!(state.phase, Phase::Loading | Phase::Active(_));
        if goes_on {
            self.leader_epoch.fetch_max(leader_epoch, Ordering::Relaxed);
        }
        goes_on
    }

    /// Why it does not serve, if its load has failed.
    pub(super) fn not_loaded(&self) -> Option<NotLoaded> {
        match &self.state.lock().phase {
            Phase::Failed(why) => Some(why.clone()),
            Phase::Loading | Phase::Active(_) | Phase::Closed => None,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state.lock().phase, Phase::Closed)
    }

    /// Does something with the shard's state and carries out what that asks for.
    pub(crate) fn act<R>(
        self: &Arc<Self>,
        step: impl FnOnce(&mut S, Now, &mut Outputs<S>) -> R,
    ) -> Result<R, Unavailable> {
        self.run(|runtime, now, effects| runtime.step(now, effects, step))
    }

    fn run<R>(
        self: &Arc<Self>,
        step: impl FnOnce(&mut Runtime<S>, Now, &mut Effects<S>) -> R,
    ) -> Result<R, Unavailable> {
        self.run_with(VerificationGuard::NONE, step)
    }

    fn run_with<R>(
        self: &Arc<Self>,
        guard: VerificationGuard,
        step: impl FnOnce(&mut Runtime<S>, Now, &mut Effects<S>) -> R,
    ) -> Result<R, Unavailable> {
        let mut effects = Effects::default();
        let result = {
            let mut state = self.state.lock();
            let now = clock::now();
            let runtime = match &mut state.phase {
                Phase::Active(runtime) => runtime,
                Phase::Loading => return Err(Unavailable::LoadInProgress),
                Phase::Failed(_) | Phase::Closed => return Err(Unavailable::NotCoordinator),
            };
            let result = step(runtime, now, &mut effects);
            let deadline_ms = runtime.next_deadline_ms();
            self.carry_out(&mut state, &mut effects, guard, deadline_ms);
            result
        };
        self.say(&effects.log_events);
        for command in effects.commands {
            (self.commanded)(self, command);
        }
        Ok(result)
    }

    /// Asks for something whose answer may come later: now is the shard asked, then waited for.
    pub(crate) fn ask<T>(
        self: &Arc<Self>,
        step: impl FnOnce(&mut S, Reply<T>, Now, &mut Outputs<S>),
    ) -> Result<Parked<S, T>, Unavailable> {
        self.park(VerificationGuard::NONE, |runtime, reply, now, effects| {
            runtime.step(now, effects, |shard, now, out| step(shard, reply, now, out));
        })
    }

    /// The same for a producer's transaction; `guard` says that it is known of.
    pub(crate) fn ask_in_transaction<T>(
        self: &Arc<Self>,
        producer: Producer,
        guard: VerificationGuard,
        step: impl FnOnce(&mut S, Reply<T>, Now, &mut Outputs<S>),
    ) -> Result<Parked<S, T>, Unavailable> {
        self.park(guard, |runtime, reply, now, effects| {
            let step = |shard: &mut S, now, out: &mut Outputs<S>| step(shard, reply, now, out);
            runtime.step_in_transaction(producer, now, effects, step);
        })
    }

    /// A producer's transaction ends; `answer` is given when the marker is written.
    pub(crate) fn end_transaction<T: Into<S::Answer>>(
        self: &Arc<Self>,
        producer: Producer,
        end: TransactionEnd,
        answer: T,
    ) -> Result<Parked<S, T>, Unavailable> {
        self.park(VerificationGuard::NONE, |runtime, reply, _, effects| {
            runtime.end_transaction(producer, end, reply, answer, effects);
        })
    }

    fn park<T>(
        self: &Arc<Self>,
        guard: VerificationGuard,
        step: impl FnOnce(&mut Runtime<S>, Reply<T>, Now, &mut Effects<S>),
    ) -> Result<Parked<S, T>, Unavailable> {
        let (sender, receiver) = oneshot::channel();
        let reply = {
            let mut state = self.state.lock();
            let reply = ReplyId(state.next_reply);
            state.next_reply += 1;
            state.parked.insert(reply, sender);
            reply
        };
        let asked = self.run_with(guard, |runtime, now, effects| {
            step(runtime, Reply::new(reply), now, effects);
        });
        if let Err(error) = asked {
            self.state.lock().parked.remove(&reply);
            return Err(error);
        }
        Ok(Parked { receiver, answer: PhantomData })
    }

    /// Waits until all that was decided so far has been written, or has failed to be.
    pub(crate) async fn settled(self: &Arc<Self>) -> Result<(), Unavailable> {
        let receiver = {
            let mut state = self.state.lock();
            let Phase::Active(shard) = &state.phase else { return Ok(()) };
            let Some(newest) = shard.newest_write() else { return Ok(()) };
            let (sender, receiver) = oneshot::channel();
            state.settling.entry(newest).or_default().push(sender);
            receiver
        };
        receiver.await.map_err(|_| Unavailable::NotCoordinator)
    }

    fn carry_out(
        self: &Arc<Self>,
        state: &mut State<S>,
        effects: &mut Effects<S>,
        guard: VerificationGuard,
        deadline_ms: Option<u64>,
    ) {
        state.answer(effects);
        if let Some(from) = effects.reverted_from {
            state.queue.retain(|queued| queued.write.id < from);
            // What was decided after that, if anything, nobody waits for yet.
            let reverted = state.settling.split_off(&from);
            release(reverted);
        }
        let writes = std::mem::take(&mut effects.writes).into_iter();
        state.queue.extend(writes.map(|write| Queued { write, guard }));
        if !state.queue.is_empty() && !state.writing {
            state.writing = true;
            tokio::spawn(Arc::clone(self).write());
        }
        if let Some(deadline_ms) = deadline_ms.filter(|deadline_ms| *deadline_ms < state.armed_ms) {
            state.armed_ms = deadline_ms;
            self.rearm.notify_one();
        }
    }

    /// Appends what waits, one batch at a time while the next gathers, in order; ends when nothing
    /// waits.
    async fn write(self: Arc<Self>) {
        loop {
            let max_bytes = self.log.max_batch_bytes();
            let room = max_bytes.saturating_sub(HEADER_LEN);
            let taken = self.take_writes(room);
            let Some(terms) = taken.first().map(Queued::terms) else { return };
            let writes: Vec<Write> = taken.into_iter().map(|queued| queued.write).collect();
            let Some(first) = writes.first() else { return };
            // As a rule the shard has refused it; the limit may just have been lowered.
            if first.size_bound() > room {
                self.written([(first.id, Err(WriteFailure::TooLarge))]);
                continue;
            }
            let (batch, firsts) = batch(&writes, clock::now().wall_ms);
            let fate = match compressed(batch, self.compression) {
                Ok(batch) => self.log.append(batch, terms).await,
                Err(_) => Err(WriteFailure::Refused),
            };
            self.written(firsts.into_iter().map(|(id, delta)| (id, fate.map(|base| base + delta))));
        }
    }

    /// What is appended next: as many waiting writes as fit a batch, always one.
    fn take_writes(&self, room: usize) -> Vec<Queued> {
        let mut state = self.state.lock();
        if let Phase::Active(runtime) = &mut state.phase {
            runtime.limit_writes(room);
        }
        let mut taken: Vec<Queued> = Vec::new();
        let mut used = 0_usize;
        while let Some(next) = state.queue.front() {
            let next_size = next.write.size_bound();
            if taken.first().is_some_and(|first| !first.goes_with(next)) {
                break;
            }
            if !taken.is_empty() && used.saturating_add(next_size) > room {
                break;
            }
            used = used.saturating_add(next_size);
            taken.extend(state.queue.pop_front());
        }
        state.writing = !taken.is_empty();
        taken
    }

    /// Tells the shard what became of writes, in order.
    fn written(
        self: &Arc<Self>,
        fates: impl IntoIterator<Item = (WriteId, Result<i64, WriteFailure>)>,
    ) {
        let (mut newest, mut in_doubt) = (None, None);
        // An error is a shard that was closed: its answers have been given.
        let _ = self.run(|runtime, now, effects| {
            for (id, fate) in fates {
                runtime.written(id, fate, now, effects);
                newest = Some(id);
                in_doubt = in_doubt.or_else(|| fate.err().filter(|failure| failure.leaves_doubt()));
            }
        });
        if let Some(failure) = in_doubt {
            self.give_way(failure);
        }
        let Some(newest) = newest else { return };
        let mut state = self.state.lock();
        let later = state.settling.split_off(&WriteId(newest.0.saturating_add(1)));
        release(std::mem::replace(&mut state.settling, later));
    }

    /// Records may stand in the log that the shard has taken back: only a load can tell.
    fn give_way(&self, failure: WriteFailure) {
        if !matches!(self.state.lock().phase, Phase::Active(_)) {
            return;
        }
        let reason = format!("whether records were written is not known: {failure}");
        self.end(Phase::Failed(NotLoaded::ForNow(reason)));
        self.log.note_failure();
    }

    /// The load is over, one way or the other.
    pub(super) fn begin(self: &Arc<Self>, loaded: Result<Runtime<S>, NotLoaded>) {
        let max_write_bytes = self.log.max_batch_bytes().saturating_sub(HEADER_LEN);
        {
            let mut state = self.state.lock();
            if !matches!(state.phase, Phase::Loading) {
                return;
            }
            state.phase = match loaded {
                Ok(mut runtime) => {
                    runtime.limit_writes(max_write_bytes);
                    Phase::Active(Box::new(runtime))
                }
                Err(why) => Phase::Failed(why),
            };
        }
        if self.act(|shard, now, out| shard.loaded(now, out)).is_ok() {
            tokio::spawn(wake_at_deadlines(Arc::clone(self)));
        }
    }

    /// The shard is not here any more: all that waits is answered.
    pub(super) fn close(&self) {
        self.end(Phase::Closed);
    }

    /// Serves no more, for good or until it is loaded again; one that is closed stays so.
    fn end(&self, phase: Phase<S>) {
        let mut effects = Effects::default();
        {
            let mut state = self.state.lock();
            if matches!(state.phase, Phase::Closed) {
                return;
            }
            if let Phase::Active(runtime) = &mut state.phase {
                runtime.unload(clock::now(), &mut effects);
            }
            state.phase = phase;
            state.answer(&mut effects);
            state.parked.clear();
            state.queue.clear();
            state.settling.clear();
        }
        self.rearm.notify_one();
        self.say(&effects.log_events);
    }

    pub(crate) fn node_id(&self) -> i32 {
        self.node_id
    }

    pub(super) fn say(&self, log_events: &[S::LogEvent]) {
        for log_event in log_events {
            S::say(log_event, self.node_id, self.partition);
        }
    }
}

impl<S: Kind> State<S> {
    fn answer(&mut self, effects: &mut Effects<S>) {
        for (reply, answer) in effects.replies.drain(..) {
            if let Some(sender) = self.parked.remove(&reply) {
                // The client may be gone.
                let _ = sender.send(answer);
            }
        }
    }
}

/// Tells those who waited for writes that these have their fate.
fn release(settling: BTreeMap<WriteId, Vec<oneshot::Sender<()>>>) {
    for sender in settling.into_values().flatten() {
        // Who asked may be gone.
        let _ = sender.send(());
    }
}

/// Ticks the shard whenever a deadline passes, until it is closed.
async fn wake_at_deadlines<S: Kind>(shard: Arc<HostedShard<S>>) {
    loop {
        let deadline_ms = {
            let mut state = shard.state.lock();
            let Phase::Active(active) = &state.phase else { return };
            let deadline_ms = active.next_deadline_ms();
            state.armed_ms = deadline_ms.unwrap_or(u64::MAX);
            deadline_ms
        };
        let rearmed = shard.rearm.notified();
        match deadline_ms.map(clock::until) {
            None => rearmed.await,
            Some(rest) => {
                // Either way there may be something to do.
                let _ = tokio::time::timeout(rest, rearmed).await;
            }
        }
        if shard.act(|shard, now, out| shard.tick(now, out)).is_err() {
            return;
        }
    }
}
