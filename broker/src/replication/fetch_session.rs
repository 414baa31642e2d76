//! The fetch sessions of this broker's clients (KIP-227): `replica::SessionCache` and
//! `replica::Session` decide; here they are shared between requests, and a follower's session hears
//! of what changes in the partitions that it fetches.
//!
//! Answers to Kafka's `FetchManager`, `FetchSession` and `FetchSessionCache`.

use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};
use protocol::ErrorCode;
use replica::{Requested, Session, SessionCache, SessionHandle};

use crate::partitions::{HostedPartition, PartitionKey, Watch, Watcher};

/// What a Fetch is within the sessions.
pub(crate) type Opened = replica::Opened<PartitionKey, SharedSession>;

/// All sessions.
#[derive(Debug)]
pub(crate) struct FetchSessions(Mutex<SessionCache<SharedSession>>);

/// A session, and what it is to look at.
#[derive(Debug)]
pub(crate) struct WatchingSession {
    session: Session<PartitionKey, Watched>,
    watch: Arc<Watch>,
}

/// One that the cache has and the request that is answered.
#[derive(Debug, Clone)]
pub(crate) struct SharedSession(Arc<Mutex<WatchingSession>>);

/// A hosted partition that tells the session of its changes.
#[derive(Debug)]
pub(crate) struct Watched {
    partition: Weak<HostedPartition>,
    watcher: Arc<Watcher>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watcher.end();
    }
}

impl SessionHandle for SharedSession {
    type Key = PartitionKey;
    type Watched = Watched;

    fn with<R>(&self, act: impl FnOnce(&mut Session<PartitionKey, Watched>) -> R) -> R {
        act(&mut self.0.lock().session)
    }
}

impl SharedSession {
    pub(crate) fn lock(&self) -> MutexGuard<'_, WatchingSession> {
        self.0.lock()
    }

    /// What the cache and its client call it.
    pub(crate) fn id(&self) -> i32 {
        self.0.lock().session.id()
    }
}

impl FetchSessions {
    pub(crate) fn new(slots_max: usize) -> Self {
        Self(Mutex::new(SessionCache::new(slots_max)))
    }

    /// Finds out what a request with such a session id and epoch is, and applies its changes.
    pub(crate) fn open(
        &self,
        (session_id, epoch): (i32, i32),
        uses_topic_ids: bool,
        partitions: Vec<(PartitionKey, Requested)>,
        forgotten: &[PartitionKey],
        now_ms: i64,
    ) -> Result<Opened, ErrorCode> {
        let mut cache = self.0.lock();
        cache.open(session_id, epoch, uses_topic_ids, partitions, forgotten, now_ms)
    }

    /// Makes a session of what was just answered in full, if there is or can be made room.
    pub(crate) fn create(
        &self,
        partitions: &[(PartitionKey, Requested)],
        uses_topic_ids: bool,
        privileged: bool,
        now_ms: i64,
        random_id: i32,
    ) -> Option<SharedSession> {
        let share = |session| {
            let watch = Arc::default();
            SharedSession(Arc::new(Mutex::new(WatchingSession { session, watch })))
        };
        let (named, mut cache) = ((now_ms, random_id), self.0.lock());
        let (session, _) = cache.create(partitions, uses_topic_ids, privileged, named, share)?;
        Some(session)
    }
}

impl WatchingSession {
    pub(crate) fn session(&mut self) -> &mut Session<PartitionKey, Watched> {
        &mut self.session
    }

    pub(crate) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// What a follower's session is to look at: what its request changed, what changed here, and
    /// now and then everything.
    pub(crate) fn look_at(
        &mut self,
        changed: Vec<PartitionKey>,
        now_ms: i64,
        lag_time_max_ms: i64,
    ) -> Vec<(PartitionKey, Requested)> {
        let told = self.watch.take_changed();
        self.session.look_at(changed, told, now_ms, lag_time_max_ms)
    }

    /// Has the partition tell of its changes, if it does not yet.
    pub(crate) fn watch_partition(&mut self, key: &PartitionKey, partition: &Arc<HostedPartition>) {
        if !self.session.has(key) {
            return;
        }
        let this = Arc::as_ptr(partition);
        let watched = self.session.watched(key);
        if watched.is_some_and(|watched| std::ptr::eq(watched.partition.as_ptr(), this)) {
            return;
        }
        let watcher = self.watch.watcher(key.clone());
        partition.watch(Arc::clone(&watcher));
        self.session.watch(key, Watched { partition: Arc::downgrade(partition), watcher });
    }

    /// These have more than the answer had room for: they are looked at with the next request.
    pub(crate) fn look_again(&self, left: &[PartitionKey]) {
        for key in left {
            if let Some(watched) = self.session.watched(key) {
                watched.watcher.tell(false);
            }
        }
    }
}
