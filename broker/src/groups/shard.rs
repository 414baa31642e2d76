//! One shard as it is hosted: its state behind a lock, its parked answers, its queue of writes, and
//! the task that wakes it at its next deadline.
//!
//! ```text
//! Loading ──loaded──▶ Active ──lost──▶ Closed
//!    └──cannot be read──▶ Failed
//! ```

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use coordinator::group::{
    Answer, GroupError, GroupShard, Level, Note, Now, Outputs, ReplyId, Write, WriteFailure,
    WriteId,
};
use parking_lot::Mutex;
use protocol::batch::Compression;
use tokio::sync::{Notify, oneshot};

use super::clock::Clock;
use super::log::ShardLog;
use super::{TOPIC, writer};

#[derive(Debug)]
enum Phase {
    Loading,
    Active(Box<GroupShard>),
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

#[derive(Debug)]
struct State {
    phase: Phase,
    parked: HashMap<ReplyId, oneshot::Sender<Answer>>,
    next_reply: u64,
    queue: VecDeque<Write>,
    /// A writer task is at work.
    writing: bool,
    /// Who waits for a write to have its fate.
    settling: BTreeMap<WriteId, Vec<oneshot::Sender<()>>>,
    /// The deadline that the waking task sleeps towards.
    armed_ms: u64,
}

/// An answer that may come later.
#[derive(Debug)]
pub(crate) struct Parked(oneshot::Receiver<Answer>);

impl Parked {
    /// None when the shard was closed.
    pub(crate) async fn answer(self) -> Option<Answer> {
        self.0.await.ok()
    }
}

#[derive(Debug)]
pub(crate) struct HostedShard {
    node_id: i32,
    partition: i32,
    /// For log lines.
    leader_epoch: AtomicI32,
    log: Arc<dyn ShardLog>,
    compression: Compression,
    clock: Clock,
    state: Mutex<State>,
    /// An earlier deadline, or the end.
    rearm: Notify,
}

impl HostedShard {
    pub(super) fn new(
        node_id: i32,
        partition: i32,
        leader_epoch: i32,
        log: Arc<dyn ShardLog>,
        compression: Compression,
        clock: Clock,
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
            clock,
            state: Mutex::new(state),
            rearm: Notify::new(),
        }
    }

    pub(crate) fn partition(&self) -> i32 {
        self.partition
    }

    pub(super) fn log(&self) -> &Arc<dyn ShardLog> {
        &self.log
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
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
        step: impl FnOnce(&mut GroupShard, Now, &mut Outputs) -> R,
    ) -> Result<R, GroupError> {
        let mut out = Outputs::default();
        let result = {
            let mut state = self.state.lock();
            let now = self.clock.now();
            let shard = match &mut state.phase {
                Phase::Active(shard) => shard,
                Phase::Loading => return Err(GroupError::LoadInProgress),
                Phase::Failed(_) | Phase::Closed => return Err(GroupError::NotCoordinator),
            };
            let result = step(shard, now, &mut out);
            let deadline_ms = shard.next_deadline_ms();
            self.carry_out(&mut state, &mut out, deadline_ms);
            result
        };
        self.say(&out.notes);
        Ok(result)
    }

    /// Asks for something whose answer may come later: now is the shard asked, then waited for.
    pub(crate) fn ask(
        self: &Arc<Self>,
        step: impl FnOnce(&mut GroupShard, ReplyId, Now, &mut Outputs),
    ) -> Result<Parked, GroupError> {
        let (sender, receiver) = oneshot::channel();
        let reply = {
            let mut state = self.state.lock();
            let reply = ReplyId(state.next_reply);
            state.next_reply += 1;
            state.parked.insert(reply, sender);
            reply
        };
        let asked = self.act(|shard, now, out| step(shard, reply, now, out));
        if let Err(error) = asked {
            self.state.lock().parked.remove(&reply);
            return Err(error);
        }
        Ok(Parked(receiver))
    }

    /// Waits until all that was decided so far has been written, or has failed to be.
    pub(crate) async fn settled(self: &Arc<Self>) -> Result<(), GroupError> {
        let receiver = {
            let mut state = self.state.lock();
            let Phase::Active(shard) = &state.phase else { return Ok(()) };
            let Some(newest) = shard.newest_write() else { return Ok(()) };
            let (sender, receiver) = oneshot::channel();
            state.settling.entry(newest).or_default().push(sender);
            receiver
        };
        receiver.await.map_err(|_| GroupError::NotCoordinator)
    }

    fn carry_out(self: &Arc<Self>, state: &mut State, out: &mut Outputs, deadline_ms: Option<u64>) {
        for (reply, answer) in out.replies.drain(..) {
            if let Some(sender) = state.parked.remove(&reply) {
                // The client may be gone.
                let _ = sender.send(answer);
            }
        }
        state.queue.extend(out.writes.drain(..));
        if !state.queue.is_empty() && !state.writing {
            state.writing = true;
            tokio::spawn(writer::run(Arc::clone(self)));
        }
        if let Some(deadline_ms) = deadline_ms.filter(|deadline_ms| *deadline_ms < state.armed_ms) {
            state.armed_ms = deadline_ms;
            self.rearm.notify_one();
        }
    }

    /// What the writer does next: as many waiting writes as fit a batch, always one.
    pub(super) fn take_writes(&self, room: usize, size: impl Fn(&Write) -> usize) -> Vec<Write> {
        let mut state = self.state.lock();
        let mut taken = Vec::new();
        let mut used = 0_usize;
        while let Some(next) = state.queue.front() {
            let next_size = size(next);
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
    pub(super) fn written(
        self: &Arc<Self>,
        fates: impl IntoIterator<Item = (WriteId, Result<i64, WriteFailure>)>,
    ) {
        let mut newest = None;
        // An error is a shard that was closed: its answers have been given.
        let _ = self.act(|shard, now, out| {
            for (id, fate) in fates {
                shard.written(id, fate, now, out);
                newest = Some(id);
            }
        });
        let Some(newest) = newest else { return };
        let mut state = self.state.lock();
        let later = state.settling.split_off(&WriteId(newest.0.saturating_add(1)));
        for sender in std::mem::replace(&mut state.settling, later).into_values().flatten() {
            let _ = sender.send(());
        }
    }

    /// The load is over, one way or the other.
    pub(super) fn begin(self: &Arc<Self>, loaded: Result<GroupShard, NotLoaded>) {
        {
            let mut state = self.state.lock();
            if !matches!(state.phase, Phase::Loading) {
                return;
            }
            state.phase = match loaded {
                Ok(shard) => Phase::Active(Box::new(shard)),
                Err(why) => Phase::Failed(why),
            };
        }
        if self.act(|shard, now, out| shard.loaded(now, out)).is_ok() {
            tokio::spawn(wake_at_deadlines(Arc::clone(self)));
        }
    }

    /// The shard is not here any more: all that waits is answered.
    pub(super) fn close(&self) {
        let mut out = Outputs::default();
        {
            let mut state = self.state.lock();
            if let Phase::Active(shard) = &mut state.phase {
                shard.unload(&mut out);
            }
            state.phase = Phase::Closed;
            for (reply, answer) in out.replies.drain(..) {
                if let Some(sender) = state.parked.remove(&reply) {
                    let _ = sender.send(answer);
                }
            }
            state.parked.clear();
            state.queue.clear();
            state.settling.clear();
        }
        self.rearm.notify_one();
        self.say(&out.notes);
    }

    pub(super) fn node_id(&self) -> i32 {
        self.node_id
    }

    pub(super) fn say(&self, notes: &[Note]) {
        for note in notes {
            let (id, partition) = (self.node_id, self.partition);
            macro_rules! line {
                ($level:ident) => {
                    tracing::$level!(
                        target: "org.apache.kafka.coordinator.group.GroupMetadataManager",
                        "[GroupCoordinator id={id} topic={TOPIC} partition={partition}] {note}"
                    )
                };
            }
            match note.level() {
                Level::Debug => line!(debug),
                Level::Info => line!(info),
                Level::Warn => line!(warn),
                Level::Error => line!(error),
            }
        }
    }
}

/// Ticks the shard whenever a deadline passes, until it is closed.
async fn wake_at_deadlines(shard: Arc<HostedShard>) {
    loop {
        let deadline_ms = {
            let mut state = shard.state.lock();
            let Phase::Active(active) = &state.phase else { return };
            let deadline_ms = active.next_deadline_ms();
            state.armed_ms = deadline_ms.unwrap_or(u64::MAX);
            deadline_ms
        };
        let rearmed = shard.rearm.notified();
        match deadline_ms.map(|deadline_ms| shard.clock.until(deadline_ms)) {
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
