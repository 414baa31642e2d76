//! What one fetcher asks its leader for, and when: the partitions it follows, what the incremental
//! session at the leader knows of them (KIP-227), which of them wait after a failure, and whether
//! the leader is left alone for a while.
//!
//! Kept true: a request names only partitions whose position is not what the session knows, so an
//! idle partition costs nothing. A position is remembered with the request that first carried it:
//! an answer to an earlier request is no answer to it. Answers are taken in the order of their
//! requests, and none once all that was under way was given up. The caller brings the time and the
//! positions.
//! Answers to `FetchSessionHandler` and the partition states of `AbstractFetcherThread`.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::Hash;

use protocol::ErrorCode;

use crate::fetch_session::{INITIAL_EPOCH, NO_SESSION, next_epoch};
use crate::follower::FetchPosition;
use crate::planted::{Bug, is_planted};

/// The first pause after a failure; each further one is twice as long, up to
/// replica.fetch.backoff.ms.
///
/// Unlike Kafka, which always waits for all of replica.fetch.backoff.ms: most failures are leaders
/// that hear of their election a moment later than we (docs/decisions/0120).
const FIRST_PAUSE_MS: i64 = 10;
/// Requests under way: one that waits at the leader, and one that hurries it.
const IN_FLIGHT_MAX: usize = 2;

/// What is to be done about a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextFetch {
    /// It is to be asked for from here on.
    Fetch(FetchPosition),
    /// Not now: a throttle holds it back. Looked at again after so many milliseconds.
    Later(i64),
    /// Until somebody says so.
    Never,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchAsk<K> {
    /// Grows by one with each request.
    pub number: u64,
    /// 0 for none.
    pub session_id: i32,
    /// 0 for the first request of a session.
    pub session_epoch: i32,
    /// What the session does not know yet.
    pub changed: Vec<(K, FetchPosition)>,
    /// What is to leave the session.
    pub forgotten: Vec<K>,
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
pub struct FetchPlan<K, T> {
    partitions: HashMap<K, Entry<T>>,
    /// To be looked at before the next request.
    unsettled: BTreeSet<K>,
    /// When a pause ends, and whose.
    paused: BTreeSet<(i64, K)>,
    /// To be taken out of the session.
    forgotten: BTreeSet<K>,
    in_session: usize,
    session_id: i32,
    session_epoch: i32,
    /// The session ended with the last answer, which is still about what it knew.
    begins_anew: bool,
    requests: u64,
    /// Number and session epoch of the requests under way, the oldest first.
    in_flight: VecDeque<(u64, i32)>,
    /// Requests in a row that came to nothing, and until when no other is made.
    failures: u32,
    paused_until_ms: i64,
}

impl<K: Copy + Ord + Hash, T> Default for FetchPlan<K, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Copy + Ord + Hash, T> FetchPlan<K, T> {
    /// Nothing is followed yet, and there is no session.
    pub fn new() -> Self {
        Self {
            partitions: HashMap::new(),
            unsettled: BTreeSet::new(),
            paused: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            in_session: 0,
            session_id: NO_SESSION,
            session_epoch: INITIAL_EPOCH,
            begins_anew: false,
            requests: 0,
            in_flight: VecDeque::new(),
            failures: 0,
            paused_until_ms: 0,
        }
    }

    /// The partition is to be followed, or there is news of it: a pause is over.
    pub fn follow(&mut self, key: K, replica: T) {
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

    /// The partition is followed no longer.
    pub fn forget(&mut self, key: K) {
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

    /// The leader may be there again: every pause is over.
    pub fn retry(&mut self) {
        self.failures = 0;
        self.paused_until_ms = 0;
        self.paused.clear();
        for (key, entry) in &mut self.partitions {
            entry.failures = 0;
            entry.paused_until_ms = None;
            self.unsettled.insert(*key);
        }
    }

    /// Whether nothing is followed.
    pub fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// Whether there is something to be fetched that no request has asked for yet.
    pub(crate) fn has_news(&self) -> bool {
        self.session_id != NO_SESSION
            && self.session_epoch != INITIAL_EPOCH
            && self.unsettled.iter().any(|key| {
                self.partitions
                    .get(key)
                    .is_some_and(|e| e.sent.is_none() && e.paused_until_ms.is_none())
            })
    }

    /// Pauses end with the time.
    fn pass_time(&mut self, now_ms: i64) {
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

    /// The request to be sent now: none while one is under way that knows of all that is new, while
    /// the leader is left alone, or when there is nothing to ask for.
    pub fn ask(
        &mut self,
        now_ms: i64,
        next_fetch: impl Fn(&K, &T) -> NextFetch,
    ) -> Option<FetchAsk<K>> {
        self.pass_time(now_ms);
        let hurries = self.in_flight.len() < IN_FLIGHT_MAX && self.has_news();
        if !(self.in_flight.is_empty() || hurries) || now_ms < self.paused_until_ms {
            return None;
        }
        if self.begins_anew {
            self.begin_session(NO_SESSION);
        }
        let number = self.requests;
        let changed = self.settle(number, now_ms, next_fetch);
        let forgotten: Vec<K> = std::mem::take(&mut self.forgotten).into_iter().collect();
        if self.in_session == 0 && forgotten.is_empty() {
            return None;
        }
        self.requests += 1;
        let (session_id, session_epoch) = (self.session_id, self.session_epoch);
        if session_epoch != INITIAL_EPOCH {
            self.session_epoch = next_epoch(session_epoch);
        }
        self.in_flight.push_back((number, session_epoch));
        Some(FetchAsk { number, session_id, session_epoch, changed, forgotten })
    }

    /// What the session is to be told of the partitions that may have moved.
    fn settle(
        &mut self,
        number: u64,
        now_ms: i64,
        next_fetch: impl Fn(&K, &T) -> NextFetch,
    ) -> Vec<(K, FetchPosition)> {
        let mut changed = Vec::new();
        for key in std::mem::take(&mut self.unsettled) {
            let Some(entry) = self.partitions.get_mut(&key) else { continue };
            let next_fetch = match entry.paused_until_ms {
                Some(_) => NextFetch::Never,
                None => next_fetch(&key, &entry.replica),
            };
            match next_fetch {
                NextFetch::Fetch(position) => {
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
                NextFetch::Later(ms) => {
                    let until_ms = now_ms + ms;
                    entry.paused_until_ms = Some(until_ms);
                    self.paused.insert((until_ms, key));
                    self.leave_session(key);
                }
                NextFetch::Never => self.leave_session(key),
            }
        }
        changed
    }

    fn leave_session(&mut self, key: K) {
        if let Some(entry) = self.partitions.get_mut(&key)
            && entry.sent.take().is_some()
        {
            self.in_session -= 1;
            self.forgotten.insert(key);
        }
    }

    /// The request whose answer is the next to be taken.
    pub fn oldest_in_flight(&self) -> Option<u64> {
        self.in_flight.front().map(|(number, _)| *number)
    }

    /// The leader answered the oldest request that is under way, and named `session_id`. `false`:
    /// that one was given up, and nothing is to be done with what it says.
    pub fn answered(&mut self, number: u64, session_id: i32) -> bool {
        let Some((_, ask_epoch)) = self.in_flight.pop_front_if(|(oldest, _)| *oldest == number)
        else {
            return is_planted(Bug::TakesAnyAnswer);
        };
        self.failures = 0;
        if session_id == NO_SESSION {
            // It has no room for a session, or ended one without partitions: all is told again
            // once this answer is taken.
            self.begins_anew = true;
            self.session_id = NO_SESSION;
            self.session_epoch = INITIAL_EPOCH;
        } else if ask_epoch == INITIAL_EPOCH {
            self.session_id = session_id;
            self.session_epoch = next_epoch(INITIAL_EPOCH);
        }
        true
    }

    /// The leader refused the oldest request that is under way as a whole. `false`: that one was
    /// given up.
    pub fn refused(
        &mut self,
        number: u64,
        code: ErrorCode,
        now_ms: i64,
        pause_max_ms: i64,
    ) -> bool {
        if self.oldest_in_flight() != Some(number) {
            return false;
        }
        self.failures = 0;
        // What is still under way belongs to that session, too.
        self.in_flight.clear();
        let ended = match code {
            ErrorCode::FetchSessionIdNotFound => NO_SESSION,
            _ => self.session_id,
        };
        self.begin_session(ended);
        let of_sessions = matches!(
            code,
            ErrorCode::FetchSessionIdNotFound
                | ErrorCode::InvalidFetchSessionEpoch
                | ErrorCode::FetchSessionTopicIdError
        );
        if !of_sessions {
            self.pause(now_ms, pause_max_ms);
        }
        true
    }

    /// The connection is gone, and with it what was under way: all is asked for again on the next.
    pub fn lost(&mut self, now_ms: i64, pause_max_ms: i64) {
        self.in_flight.clear();
        // Should the leader still have the session, it need not keep it.
        self.begin_session(self.session_id);
        self.pause(now_ms, pause_max_ms);
    }

    /// Whether the request before this moment came to something.
    pub fn is_first_failure(&self) -> bool {
        self.failures == 0
    }

    fn pause(&mut self, now_ms: i64, pause_max_ms: i64) {
        self.paused_until_ms = now_ms + pause_ms(self.failures, pause_max_ms);
        self.failures = self.failures.saturating_add(1);
    }

    /// Whatever the leader knows, it is told everything again. `session_id` is the one to end.
    pub(crate) fn begin_session(&mut self, session_id: i32) {
        self.session_id = session_id;
        self.session_epoch = INITIAL_EPOCH;
        self.begins_anew = false;
        if is_planted(Bug::RetellsNothing) {
            return;
        }
        self.in_session = 0;
        self.forgotten.clear();
        for (key, entry) in &mut self.partitions {
            entry.sent = None;
            self.unsettled.insert(*key);
        }
    }

    /// The session as Kafka's `FetchMetadata` prints it.
    pub fn session_shown(&self) -> String {
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
    pub fn asked(&self, key: &K, number: u64) -> Option<(&T, FetchPosition)> {
        let entry = self.partitions.get(key)?;
        let (position, since) = entry.sent?;
        let is_of_it = since <= number || is_planted(Bug::TakesAnyAnswer);
        (is_of_it && entry.paused_until_ms.is_none()).then_some((&entry.replica, position))
    }

    /// An answer was taken: the partition's position may be another one now.
    pub fn moved(&mut self, key: K) {
        if let Some(entry) = self.partitions.get_mut(&key) {
            entry.failures = 0;
            self.unsettled.insert(key);
        }
    }

    /// The partition could not be fetched; it pauses, longer from time to time.
    pub fn failed(&mut self, key: K, now_ms: i64, pause_max_ms: i64) {
        let Some(entry) = self.partitions.get_mut(&key) else { return };
        if entry.paused_until_ms.is_some() {
            return;
        }
        let until_ms = now_ms + pause_ms(entry.failures, pause_max_ms);
        entry.failures = entry.failures.saturating_add(1);
        entry.paused_until_ms = Some(until_ms);
        if !is_planted(Bug::DropsWhatFailed) {
            self.paused.insert((until_ms, key));
        }
        self.unsettled.insert(key);
    }

    /// When a pause ends after which there may be something to ask for.
    pub fn next_due_ms(&self, now_ms: i64) -> Option<i64> {
        let paused = (now_ms < self.paused_until_ms).then_some(self.paused_until_ms);
        paused.or_else(|| self.paused.first().map(|(until_ms, _)| *until_ms))
    }
}

/// How long to wait after so many failures in a row.
pub(crate) fn pause_ms(failures: u32, max_ms: i64) -> i64 {
    FIRST_PAUSE_MS.saturating_mul(1 << failures.min(20)).min(max_ms.max(0))
}
