//! One session: the partitions it fetches and what the client last heard of each.
//!
//! Kept true: what a client has not heard is told with the answer after the next change at the
//! latest. A partition is left out of an answer only if the client has heard its marks as they are,
//! without an error since.

use std::hash::Hash;

use indexmap::{IndexMap, IndexSet};

use super::epoch::next_epoch;
use crate::planted::{Bug, is_planted};

/// How often a follower's session looks at all of its partitions, which otherwise tell it.
const LOOK_AT_ALL_MS: i64 = 1000;

/// What a client asks of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// -1 for a client that knows none.
    pub current_leader_epoch: i32,
    /// The offset that it wants next.
    pub fetch_offset: i64,
    /// -1 for a client that does not ask about divergence.
    pub last_fetched_epoch: i32,
    /// Where a follower's log starts.
    pub log_start_offset: i64,
    /// How much it takes of the partition at once.
    pub max_bytes: i32,
}

/// What a reply tells of a partition, as far as it decides whether it must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// 0 for none.
    pub error_code: i16,
    /// -1 with an error.
    pub high_watermark: i64,
    /// -1 with an error.
    pub log_start_offset: i64,
    /// How much of records it carries.
    pub records_bytes: usize,
    /// A preferred replica or a diverging epoch is told, which always must be.
    pub notable: bool,
    /// A follower is told without records, although there are some that it wants.
    pub has_more: bool,
}

#[derive(Debug)]
struct Remembered<W> {
    requested: Requested,
    high_watermark: i64,
    log_start_offset: i64,
    /// What the host keeps so that a follower's session hears of changes.
    watched: Option<W>,
    /// The answer in which its records were last sent.
    sent_in: u64,
}

/// A session of one client; `W` is what its host keeps for a partition that it watches.
#[derive(Debug)]
pub struct Session<K, W> {
    id: i32,
    /// Epoch that the next request must carry.
    pub(super) epoch: i32,
    pub(super) uses_topic_ids: bool,
    partitions: IndexMap<K, Remembered<W>>,
    /// When it last looked at everything; `None` for never.
    looked_ms: Option<i64>,
    answers: u64,
}

impl<K: Clone + Eq + Hash, W> Session<K, W> {
    pub(super) fn new(id: i32, uses_topic_ids: bool, partitions: &[(K, Requested)]) -> Self {
        let mut session = Self {
            id,
            epoch: 1,
            uses_topic_ids,
            partitions: IndexMap::new(),
            looked_ms: None,
            answers: 0,
        };
        session.change(partitions, &[]);
        session
    }

    /// What the client calls it by.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Adds or changes `partitions`, then drops the `forgotten` ones.
    pub(super) fn change(&mut self, partitions: &[(K, Requested)], forgotten: &[K]) {
        for (key, requested) in partitions {
            if let Some(remembered) = self.partitions.get_mut(key) {
                if !is_planted(Bug::SessionKeepsPositions) {
                    remembered.requested = requested.clone();
                }
            } else {
                let requested = requested.clone();
                let remembered = Remembered {
                    requested,
                    high_watermark: -1,
                    log_start_offset: -1,
                    watched: None,
                    sent_in: 0,
                };
                self.partitions.insert(key.clone(), remembered);
            }
        }
        for key in forgotten {
            self.partitions.shift_remove(key);
        }
    }

    /// The session took a request: the next one carries the next epoch.
    pub(super) fn advance_epoch(&mut self) {
        self.epoch = next_epoch(self.epoch);
    }

    /// Everything the session fetches, in the order in which it is to be read.
    pub fn requested(&self) -> Vec<(K, Requested)> {
        self.partitions.iter().map(|(key, known)| (key.clone(), known.requested.clone())).collect()
    }

    /// What a follower's session is to look at: what its request changed, what `told` it of a
    /// change here, and now and then everything. Those whose records were sent most recently come
    /// last.
    pub fn look_at(
        &mut self,
        changed: Vec<K>,
        told: impl IntoIterator<Item = K>,
        now_ms: i64,
        lag_time_max_ms: i64,
    ) -> Vec<(K, Requested)> {
        let mut keys: IndexSet<K> = changed.into_iter().collect();
        keys.extend(told);
        // In time for the leader's judgement of who lags.
        let every_ms = LOOK_AT_ALL_MS.min(lag_time_max_ms / 4);
        if self.looked_ms.is_none_or(|looked_ms| now_ms - looked_ms >= every_ms) {
            self.looked_ms = Some(now_ms);
            keys.extend(self.partitions.keys().cloned());
        }
        keys.sort_by_key(|key| self.partitions.get(key).map_or(0, |known| known.sent_in));
        keys.into_iter().filter_map(|key| self.request_of(key)).collect()
    }

    /// What is asked of one partition, if the session has it.
    pub fn request_of(&self, key: K) -> Option<(K, Requested)> {
        let requested = self.partitions.get(&key)?.requested.clone();
        Some((key, requested))
    }

    /// What the host keeps for the partition.
    pub fn watched(&self, key: &K) -> Option<&W> {
        self.partitions.get(key)?.watched.as_ref()
    }

    /// The host watches the partition by this; dropped when the session has it no longer.
    pub fn watch(&mut self, key: &K, watched: W) {
        if let Some(known) = self.partitions.get_mut(key) {
            known.watched = Some(watched);
        }
    }

    /// Whether it has the partition.
    pub fn has(&self, key: &K) -> bool {
        self.partitions.contains_key(key)
    }

    pub(super) fn len(&self) -> usize {
        self.partitions.len()
    }

    /// An answer is made up: to a follower or a consumer, to the session's first request or a later
    /// one.
    pub fn answer(&mut self, is_follower: bool, is_first: bool) -> SessionAnswer<'_, K, W> {
        SessionAnswer { session: self, is_follower, is_first, sent: Vec::new(), left: Vec::new() }
    }

    /// Whether the client must hear this of the partition; remembers that it did.
    fn must_tell(&mut self, key: &K, answered: Answered) -> bool {
        let Some(known) = self.partitions.get_mut(key) else { return true };
        let failed = answered.error_code != 0;
        let mark_moved = known.high_watermark != answered.high_watermark
            && !is_planted(Bug::SessionHidesHighWatermark);
        let start_moved = known.log_start_offset != answered.log_start_offset
            && !is_planted(Bug::SessionHidesLogStart);
        let must_tell =
            failed || answered.notable || answered.records_bytes > 0 || mark_moved || start_moved;
        // After an error the client hears the high watermark again, whatever it is.
        known.high_watermark = if failed { -1 } else { answered.high_watermark };
        known.log_start_offset = answered.log_start_offset;
        must_tell
    }

    /// Moves partitions whose records were just sent behind the others.
    fn move_to_end(&mut self, keys: &[K]) {
        if keys.is_empty() || keys.len() == self.partitions.len() {
            return;
        }
        let sent: std::collections::HashSet<&K> = keys.iter().collect();
        // Stable, so that those that had nothing keep their order and so do those that had.
        self.partitions.sort_by_cached_key(|key, _| sent.contains(key));
    }
}

/// An answer of a session that is made up.
#[derive(Debug)]
pub struct SessionAnswer<'s, K, W> {
    session: &'s mut Session<K, W>,
    is_follower: bool,
    is_first: bool,
    /// Partitions whose records it carries.
    sent: Vec<K>,
    /// Partitions for whose records it had no room.
    left: Vec<K>,
}

impl<K: Clone + Eq + Hash, W> SessionAnswer<'_, K, W> {
    /// Whether the answer carries this of the partition, or it is left out.
    pub fn carries(&mut self, key: &K, answered: Answered) -> bool {
        if answered.records_bytes > 0 {
            self.sent.push(key.clone());
        } else if answered.has_more {
            self.left.push(key.clone());
        }
        self.session.must_tell(key, answered) || self.is_first
    }

    /// It leaves: those whose records it carries have had their turn. Those that are returned have
    /// more than it had room for, and are to be looked at with the next request.
    pub fn leaves(self) -> Vec<K> {
        let Self { session, is_follower, is_first, sent, left } = self;
        if !is_follower {
            if !is_first {
                session.move_to_end(&sent);
            }
            return left;
        }
        session.answers += 1;
        for key in &sent {
            if let Some(known) = session.partitions.get_mut(key) {
                known.sent_in = session.answers;
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Session = super::Session<i32, ()>;

    /// Whether an answer to a later request carries this of partition 0.
    fn carries(session: &mut Session, answered: Answered) -> bool {
        session.answer(false, false).carries(&0, answered)
    }

    fn at(fetch_offset: i64) -> Requested {
        Requested {
            current_leader_epoch: -1,
            fetch_offset,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            max_bytes: 100,
        }
    }

    const QUIET: Answered = Answered {
        error_code: 0,
        high_watermark: 5,
        log_start_offset: 0,
        records_bytes: 0,
        notable: false,
        has_more: false,
    };

    #[test]
    fn a_partition_is_told_only_when_something_about_it_changed() {
        let mut session = Session::new(1, false, &[(0, at(5))]);
        assert!(carries(&mut session, QUIET), "nothing was told so far");
        assert!(!carries(&mut session, QUIET));
        assert!(carries(&mut session, Answered { records_bytes: 1, ..QUIET }));
        assert!(carries(&mut session, Answered { high_watermark: 6, ..QUIET }));
        assert!(carries(&mut session, QUIET), "it went back to what it was");
        assert!(carries(&mut session, Answered { log_start_offset: 2, ..QUIET }));
        assert!(carries(&mut session, Answered { notable: true, ..QUIET }));
        assert!(carries(&mut session, Answered { error_code: 3, ..QUIET }));
        assert!(carries(&mut session, QUIET), "an error was told before");
    }

    #[test]
    fn a_followers_session_looks_at_what_changed_and_now_and_then_at_everything() {
        let partitions: Vec<_> = (0..3).map(|n| (n, at(0))).collect();
        let mut session = Session::new(1, true, &partitions);
        let look = |session: &mut Session, changed: &[i32], now_ms| -> Vec<i32> {
            let looked = session.look_at(changed.to_vec(), [], now_ms, 30_000);
            looked.iter().map(|(key, _)| *key).collect()
        };
        assert_eq!(look(&mut session, &[], 0), [0, 1, 2]);
        assert_eq!(look(&mut session, &[], 999), [] as [i32; 0]);
        assert_eq!(look(&mut session, &[2, 1], 999), [2, 1]);
        // Who had its turn comes last; what the session does not have is not looked at.
        let mut answer = session.answer(true, false);
        answer.carries(&0, Answered { records_bytes: 1, ..QUIET });
        assert!(answer.carries(&1, Answered { has_more: true, ..QUIET }));
        assert_eq!(answer.leaves(), [1]);
        assert_eq!(look(&mut session, &[0, 7], 1000), [1, 2, 0]);
        let told = session.look_at(vec![], [2, 9], 1001, 30_000);
        assert_eq!(told.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [2]);
        // Four times while a follower may lag.
        assert_eq!(session.look_at(vec![], [], 1100, 400).len(), 3);
    }

    #[test]
    fn changes_add_replace_and_forget_and_keep_the_order() {
        let mut session = Session::new(1, false, &[(0, at(0)), (1, at(1))]);
        session.change(&[(2, at(2)), (1, at(9))], &[0]);
        let offsets: Vec<_> =
            session.requested().iter().map(|(k, r)| (*k, r.fetch_offset)).collect();
        assert_eq!(offsets, [(1, 9), (2, 2)]);
    }

    #[test]
    fn partitions_that_were_sent_go_behind_those_that_were_not() {
        let partitions: Vec<_> = (0..4).map(|n| (n, at(0))).collect();
        let mut session = Session::new(1, false, &partitions);
        session.move_to_end(&[0, 2]);
        let order: Vec<_> = session.requested().iter().map(|(k, _)| *k).collect();
        assert_eq!(order, [1, 3, 0, 2]);
    }
}
