//! What one fetcher asks its leader for: the partitions it follows, what the incremental session at
//! the leader knows of them (KIP-227), and which of them wait after a failure.
//!
//! Kept true: a request names only partitions whose position is not what the session knows, so an
//! idle partition costs nothing. A position is remembered with the request that first carried it:
//! an answer to an earlier request is no answer to it. Pure; the caller brings the time and
//! positions.
//! Answers to `FetchSessionHandler` and the partition states of `AbstractFetcherThread`.

use std::collections::{BTreeSet, HashMap};

use replica::FetchPosition;
use uuid::Uuid;

use crate::replication::fetch_session::{INITIAL_EPOCH, NO_SESSION, next_epoch};

/// Topic id and partition.
pub(super) type Key = (Uuid, i32);

/// The first pause after a failure; each further one is twice as long, up to
/// replica.fetch.backoff.ms.
///
/// Unlike Kafka, which always waits for all of replica.fetch.backoff.ms: most failures are leaders
/// that hear of their election a moment later than we (docs/decisions/0120).
const FIRST_PAUSE_MS: i64 = 10;

/// What is to be done about a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Fetch(FetchPosition),
    /// Not now: a throttle holds it back. Looked at again after so many milliseconds.
    Later(i64),
    /// Until somebody says so.
    Never,
}

/// One request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ask {
    /// Grows by one with each request.
    pub(super) number: u64,
    pub(super) session_id: i32,
    pub(super) session_epoch: i32,
    pub(super) changed: Vec<(Key, FetchPosition)>,
    pub(super) forgotten: Vec<Key>,
}

#[derive(Debug)]
struct Entry<T> {
    replica: T,
    /// What the session knows, and the request that told it.
    sent: Option<(FetchPosition, u64)>,
    paused_until_ms: Option<i64>,
    failures: u32,
}

/// The partitions of one fetcher; `T` is what the host keeps for each.
#[derive(Debug)]
pub(super) struct Plan<T> {
    partitions: HashMap<Key, Entry<T>>,
    /// To be looked at before the next request.
    unsettled: BTreeSet<Key>,
    /// When a pause ends, and whose.
    paused: BTreeSet<(i64, Key)>,
    /// To be taken out of the session.
    forgotten: BTreeSet<Key>,
    in_session: usize,
    session_id: i32,
    session_epoch: i32,
    requests: u64,
}

impl<T> Plan<T> {
    pub(super) fn new() -> Self {
        Self {
            partitions: HashMap::new(),
            unsettled: BTreeSet::new(),
            paused: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            in_session: 0,
            session_id: NO_SESSION,
            session_epoch: INITIAL_EPOCH,
            requests: 0,
        }
    }

    /// The partition is to be followed, or there is news of it: a pause is over.
    pub(super) fn follow(&mut self, key: Key, replica: T) {
        if let Some(entry) = self.partitions.get_mut(&key) {
            entry.replica = replica;
            entry.failures = 0;
            if let Some(until_ms) = entry.paused_until_ms.take() {
                self.paused.remove(&(until_ms, key));
            }
        } else {
            let entry = Entry { replica, sent: None, paused_until_ms: None, failures: 0 };
            self.partitions.insert(key, entry);
        }
        self.unsettled.insert(key);
    }

    pub(super) fn forget(&mut self, key: Key) {
        let Some(entry) = self.partitions.remove(&key) else { return };
        self.unsettled.remove(&key);
        if let Some(until_ms) = entry.paused_until_ms {
            self.paused.remove(&(until_ms, key));
        }
        if entry.sent.is_some() {
            self.in_session -= 1;
            self.forgotten.insert(key);
        }
    }

    /// All of what is kept, for the host to go through.
    pub(super) fn replicas(&self) -> impl Iterator<Item = &T> {
        self.partitions.values().map(|entry| &entry.replica)
    }

    /// Whether there is something to be fetched that no request has asked for yet.
    pub(super) fn has_news(&self) -> bool {
        self.session_id != NO_SESSION
            && self.session_epoch != INITIAL_EPOCH
            && self.unsettled.iter().any(|key| {
                self.partitions
                    .get(key)
                    .is_some_and(|e| e.sent.is_none() && e.paused_until_ms.is_none())
            })
    }

    /// Pauses end with the time.
    pub(super) fn pass_time(&mut self, now_ms: i64) {
        while let Some((until_ms, key)) = self.paused.first().copied()
            && until_ms <= now_ms
        {
            self.paused.pop_first();
            if let Some(entry) = self.partitions.get_mut(&key) {
                entry.paused_until_ms = None;
                self.unsettled.insert(key);
            }
        }
    }

    /// The next request; `None` when there is nothing to ask for.
    pub(super) fn ask(&mut self, now_ms: i64, wish: impl Fn(&Key, &T) -> Wish) -> Option<Ask> {
        self.pass_time(now_ms);
        let number = self.requests;
        let mut changed = Vec::new();
        for key in std::mem::take(&mut self.unsettled) {
            let Some(entry) = self.partitions.get_mut(&key) else { continue };
            let wish = match entry.paused_until_ms {
                Some(_) => Wish::Never,
                None => wish(&key, &entry.replica),
            };
            match wish {
                Wish::Fetch(position) => {
                    let known = entry.sent.map(|(sent, _)| sent);
                    if known == Some(position) {
                        continue;
                    }
                    if known.is_none() {
                        self.in_session += 1;
                        self.forgotten.remove(&key);
                    }
                    entry.sent = Some((position, number));
                    changed.push((key, position));
                }
                Wish::Later(ms) => {
                    let until_ms = now_ms + ms;
                    entry.paused_until_ms = Some(until_ms);
                    self.paused.insert((until_ms, key));
                    self.leave_session(key);
                }
                Wish::Never => self.leave_session(key),
            }
        }
        let forgotten: Vec<Key> = std::mem::take(&mut self.forgotten).into_iter().collect();
        if self.in_session == 0 && forgotten.is_empty() {
            return None;
        }
        self.requests += 1;
        let (session_id, session_epoch) = (self.session_id, self.session_epoch);
        if session_epoch != INITIAL_EPOCH {
            self.session_epoch = next_epoch(session_epoch);
        }
        Some(Ask { number, session_id, session_epoch, changed, forgotten })
    }

    fn leave_session(&mut self, key: Key) {
        if let Some(entry) = self.partitions.get_mut(&key)
            && entry.sent.take().is_some()
        {
            self.in_session -= 1;
            self.forgotten.insert(key);
        }
    }

    /// The leader answered a request, under this session.
    pub(super) fn answered(&mut self, ask_epoch: i32, session_id: i32) {
        if session_id == NO_SESSION {
            // It has no room for a session, or ended one without partitions: all is told again.
            self.begin_session(NO_SESSION);
        } else if ask_epoch == INITIAL_EPOCH {
            self.session_id = session_id;
            self.session_epoch = next_epoch(INITIAL_EPOCH);
        }
    }

    /// Whatever the leader knows, it is told everything again. `session_id` is the one to end.
    pub(super) fn begin_session(&mut self, session_id: i32) {
        self.session_id = session_id;
        self.session_epoch = INITIAL_EPOCH;
        self.in_session = 0;
        self.forgotten.clear();
        for (key, entry) in &mut self.partitions {
            entry.sent = None;
            self.unsettled.insert(*key);
        }
    }

    pub(super) fn session_id(&self) -> i32 {
        self.session_id
    }

    /// The session as Kafka's `FetchMetadata` prints it.
    pub(super) fn session_shown(&self) -> String {
        let named = |value: i32, special: i32, name: &str| match value == special {
            true => name.to_owned(),
            false => value.to_string(),
        };
        format!(
            "sessionId={}, epoch={}",
            named(self.session_id, NO_SESSION, "INVALID"),
            named(self.session_epoch, 0, "INITIAL"),
        )
    }

    /// What an answer to that request is about; `None` if it is about something older.
    pub(super) fn asked(&self, key: &Key, number: u64) -> Option<(&T, FetchPosition)> {
        let entry = self.partitions.get(key)?;
        let (position, since) = entry.sent?;
        (since <= number && entry.paused_until_ms.is_none()).then_some((&entry.replica, position))
    }

    /// An answer was taken: the partition's position may be another one now.
    pub(super) fn moved(&mut self, key: Key) {
        if let Some(entry) = self.partitions.get_mut(&key) {
            entry.failures = 0;
            self.unsettled.insert(key);
        }
    }

    /// The partition could not be fetched; it pauses, longer from time to time.
    pub(super) fn failed(&mut self, key: Key, now_ms: i64, pause_max_ms: i64) {
        let Some(entry) = self.partitions.get_mut(&key) else { return };
        if entry.paused_until_ms.is_some() {
            return;
        }
        let until_ms = now_ms + pause_ms(entry.failures, pause_max_ms);
        entry.failures = entry.failures.saturating_add(1);
        entry.paused_until_ms = Some(until_ms);
        self.paused.insert((until_ms, key));
        self.unsettled.insert(key);
    }

    /// When the first pause ends.
    pub(super) fn next_due_ms(&self) -> Option<i64> {
        self.paused.first().map(|(until_ms, _)| *until_ms)
    }
}

/// How long to wait after so many failures in a row.
pub(super) fn pause_ms(failures: u32, max_ms: i64) -> i64 {
    FIRST_PAUSE_MS.saturating_mul(1 << failures.min(20)).min(max_ms.max(0))
}
