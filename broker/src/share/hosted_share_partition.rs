//! One share partition as this broker hosts it: what decides behind its lock, who waits for its
//! writes, and the fetches that wait for it.
//!
//! Kept true: one fetch at a time reads for it and acquires of it; once fenced, nothing is acquired
//! any more, and whoever waits still hears. Kafka: `SharePartition`'s locks,
//! `SharePartitionListener`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use protocol::wire::StrBytes;
use replica::share::{Limits, SharePartition, SharePartitionId, Token};
use tokio::sync::{Notify, oneshot};

use crate::partitions::{HostedPartition, Wakers};
use crate::requests::api_error::ApiError;

/// Which group reads which partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) group: StrBytes,
    pub(super) id: SharePartitionId,
}

/// What somebody waits for who had something persisted.
pub(super) type Persisted = oneshot::Receiver<Result<(), ApiError>>;

#[derive(Debug)]
pub(crate) struct HostedSharePartition {
    pub(super) key: Key,
    pub(super) topic: Arc<str>,
    pub(super) partition: Arc<HostedPartition>,
    pub(super) leader_epoch: i32,
    state: Mutex<State>,
    waiting_fetches: Wakers,
    is_fetched: AtomicBool,
    /// When locks end may have changed, or it is over.
    timeouts: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    waiting: HashMap<Token, oneshot::Sender<Result<(), ApiError>>>,
}

#[derive(Debug)]
enum Phase {
    Loading,
    Active(SharePartition),
    /// Its state could not be read.
    Failed(ApiError),
    /// It is not the one that counts any more; writes that are out still end.
    Fenced(Option<SharePartition>),
}

/// The right to read for a share partition and to acquire of it.
#[derive(Debug)]
pub(super) struct FetchLock(pub(super) Arc<HostedSharePartition>);

impl FetchLock {
    /// The fetch has what it came for, and the next may look.
    pub(super) fn complete(self) {
        let hosted = Arc::clone(&self.0);
        drop(self);
        hosted.waiting_fetches.wake();
    }
}

impl Drop for FetchLock {
    fn drop(&mut self) {
        self.0.is_fetched.store(false, Ordering::Release);
    }
}

impl HostedSharePartition {
    pub(super) fn new(
        key: Key,
        topic: Arc<str>,
        partition: Arc<HostedPartition>,
        leader_epoch: i32,
    ) -> Self {
        Self {
            key,
            topic,
            partition,
            leader_epoch,
            state: Mutex::new(State { phase: Phase::Loading, waiting: HashMap::new() }),
            waiting_fetches: Wakers::default(),
            is_fetched: AtomicBool::new(false),
            timeouts: Arc::default(),
        }
    }

    pub(super) fn waiting_fetches(&self) -> &Wakers {
        &self.waiting_fetches
    }

    pub(super) fn timeouts(&self) -> Arc<Notify> {
        Arc::clone(&self.timeouts)
    }

    /// Its state was read, or could not be. `false` if it is of no importance any more.
    pub(super) fn loaded(&self, loaded: Result<SharePartition, ApiError>) -> bool {
        let mut state = self.state.lock();
        let is_awaited = matches!(state.phase, Phase::Loading);
        if is_awaited {
            state.phase = loaded.map_or_else(Phase::Failed, Phase::Active);
        }
        is_awaited
    }

    /// Why its state could not be read.
    pub(super) fn failure(&self) -> Option<ApiError> {
        match &self.state.lock().phase {
            Phase::Failed(error) => Some(error.clone()),
            Phase::Loading | Phase::Active(_) | Phase::Fenced(_) => None,
        }
    }

    /// Another one counts from now on.
    pub(super) fn fence(&self) {
        let mut state = self.state.lock();
        let phase = std::mem::replace(&mut state.phase, Phase::Fenced(None));
        state.phase = match phase {
            Phase::Active(partition) => Phase::Fenced(Some(partition)),
            Phase::Loading => Phase::Fenced(None),
            over @ (Phase::Failed(_) | Phase::Fenced(_)) => over,
        };
        drop(state);
        self.timeouts.notify_one();
        self.waiting_fetches.wake();
    }

    /// Runs something on the share partition, if it is active.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut SharePartition) -> R) -> Option<R> {
        let mut state = self.state.lock();
        let Phase::Active(partition) = &mut state.phase else { return None };
        let before = partition.next_timeout();
        let result = act(partition);
        let after = partition.next_timeout();
        drop(state);
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.timeouts.notify_one();
        }
        Some(result)
    }

    /// The same for what somebody waits for; `None` if it is not active.
    pub(super) fn begin<E>(
        &self,
        act: impl FnOnce(&mut SharePartition) -> Result<Option<Token>, E>,
    ) -> Option<Result<Option<Persisted>, E>> {
        let mut state = self.state.lock();
        let State { phase: Phase::Active(partition), waiting } = &mut *state else { return None };
        Some(act(partition).map(|token| {
            token.map(|token| {
                let (sender, receiver) = oneshot::channel();
                waiting.insert(token, sender);
                receiver
            })
        }))
    }

    /// Runs something on the share partition although it may be fenced: what was begun ends.
    pub(super) fn end<R>(&self, act: impl FnOnce(&mut SharePartition) -> R) -> Option<R> {
        match &mut self.state.lock().phase {
            Phase::Active(partition) | Phase::Fenced(Some(partition)) => Some(act(partition)),
            Phase::Loading | Phase::Failed(_) | Phase::Fenced(None) => None,
        }
    }

    /// Tells those who waited how a write ended.
    pub(super) fn answer(&self, tokens: &[Token], outcome: &Result<(), ApiError>) {
        let mut state = self.state.lock();
        for token in tokens {
            if let Some(sender) = state.waiting.remove(token) {
                // The member may be gone; what it said counts all the same.
                let _ = sender.send(outcome.clone());
            }
        }
    }

    /// Where it is to be read next, and the right to; `None` if there is nothing to acquire, or
    /// another fetch is at it.
    pub(super) fn try_fetch(self: &Arc<Self>, limits: &Limits) -> Option<(FetchLock, i64)> {
        if self.is_fetched.swap(true, Ordering::AcqRel) {
            return None;
        }
        let lock = FetchLock(Arc::clone(self));
        let next = |partition: &mut SharePartition| {
            partition.can_acquire(limits).then(|| partition.next_fetch_offset())
        };
        Some((lock, self.with(next).flatten()?))
    }
}
