//! The sessions of all clients, at most max.incremental.fetch.session.cache.slots of them.
//!
//! A new session takes the place of another when there is no free one: of the least recently used
//! if that was not used for two minutes, otherwise of one with fewer partitions that is old enough,
//! and a follower's session of a consumer's. Random ids are drawn by the caller.

use std::collections::HashMap;
use std::hash::Hash;

use protocol::ErrorCode;

use super::epoch::{FINAL_EPOCH, INITIAL_EPOCH, NO_SESSION};
use super::session::{Requested, Session};
use crate::planted::{Bug, is_planted};

/// How long a session is safe from eviction. Kafka:
/// `ServerConfigs.MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS`.
const EVICTION_MS: i64 = 120_000;

/// A session as its host shares it between the cache and the request that is answered.
pub trait SessionHandle: Clone {
    /// What names a partition.
    type Key: Clone + Eq + Hash;
    /// What the host keeps for a partition that a session watches.
    type Watched;

    /// Lets somebody act on it, who has it alone meanwhile.
    fn with<R>(&self, act: impl FnOnce(&mut Session<Self::Key, Self::Watched>) -> R) -> R;
}

/// What a Fetch is within the sessions.
#[derive(Debug)]
pub enum Opened<K, S> {
    /// No session, and the reply makes none.
    Sessionless(Vec<(K, Requested)>),
    /// The reply tells everything and makes a session if there is room.
    Full(Vec<(K, Requested)>),
    /// The reply tells what changed.
    Incremental(S),
}

#[derive(Debug)]
struct Slot<S> {
    session: S,
    /// A follower's.
    privileged: bool,
    size: usize,
    created_ms: i64,
    last_used_ms: i64,
}

/// All sessions.
#[derive(Debug)]
pub struct SessionCache<S> {
    slots_max: usize,
    slots: HashMap<i32, Slot<S>>,
}

impl<S: SessionHandle> SessionCache<S> {
    /// None yet, and never more than so many.
    pub fn new(slots_max: usize) -> Self {
        Self { slots_max, slots: HashMap::new() }
    }

    /// All that there are, in no order.
    pub fn sessions(&self) -> impl Iterator<Item = &S> {
        self.slots.values().map(|slot| &slot.session)
    }

    /// Finds out what a request with such a session id and epoch is, and applies its changes.
    pub fn open(
        &mut self,
        session_id: i32,
        epoch: i32,
        uses_topic_ids: bool,
        partitions: Vec<(S::Key, Requested)>,
        forgotten: &[S::Key],
        now_ms: i64,
    ) -> Result<Opened<S::Key, S>, ErrorCode> {
        if epoch == INITIAL_EPOCH || epoch == FINAL_EPOCH {
            if session_id != NO_SESSION {
                self.slots.remove(&session_id);
            }
            let is_final = epoch == FINAL_EPOCH;
            let opened = if is_final { Opened::Sessionless } else { Opened::Full };
            return Ok(opened(partitions));
        }
        let slot = self.slots.get_mut(&session_id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
        slot.size = slot.session.with(|session| {
            if session.epoch != epoch && !is_planted(Bug::SessionEpochNotChecked) {
                return Err(ErrorCode::InvalidFetchSessionEpoch);
            }
            if session.uses_topic_ids != uses_topic_ids {
                return Err(ErrorCode::FetchSessionTopicIdError);
            }
            session.change(&partitions, forgotten);
            session.advance_epoch();
            Ok(session.len())
        })?;
        slot.last_used_ms = now_ms;
        if slot.size == 0 {
            self.slots.remove(&session_id);
            return Ok(Opened::Sessionless(partitions));
        }
        Ok(Opened::Incremental(slot.session.clone()))
    }

    /// Makes a session of what was just answered in full, if there is or can be made room; whether
    /// another one had to go for it.
    pub fn create(
        &mut self,
        partitions: &[(S::Key, Requested)],
        uses_topic_ids: bool,
        privileged: bool,
        (now_ms, random_id): (i64, i32),
        share: impl FnOnce(Session<S::Key, S::Watched>) -> S,
    ) -> Option<(S, bool)> {
        let size = partitions.len();
        if size == 0 {
            return None;
        }
        let is_full = self.slots.len() >= self.slots_max;
        if is_full {
            let evicted = self.evictable(size, privileged, now_ms)?;
            self.slots.remove(&evicted);
        }
        let mut id = random_id.checked_abs().unwrap_or(1).max(1);
        while self.slots.contains_key(&id) {
            id = id.checked_add(1).unwrap_or(1);
        }
        let session = share(Session::new(id, uses_topic_ids, partitions));
        let kept = session.clone();
        self.slots.insert(
            id,
            Slot { session: kept, privileged, size, created_ms: now_ms, last_used_ms: now_ms },
        );
        Some((session, is_full))
    }

    /// The session whose place a new one of `size` partitions may take.
    fn evictable(&self, size: usize, privileged: bool, now_ms: i64) -> Option<i32> {
        let (oldest, slot) =
            self.slots.iter().min_by_key(|(id, slot)| (slot.last_used_ms, **id))?;
        if now_ms - slot.last_used_ms > EVICTION_MS {
            return Some(*oldest);
        }
        let old_enough = |slot: &Slot<S>| now_ms - slot.created_ms > EVICTION_MS;
        let (least, slot) = self
            .slots
            .iter()
            .filter(|(_, slot)| old_enough(slot) || (privileged && !slot.privileged))
            .min_by_key(|(id, slot)| (slot.privileged, slot.size, **id))?;
        ((privileged, size) > (slot.privileged, slot.size)).then_some(*least)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// A session that one thread has.
    #[derive(Debug, Clone)]
    struct Own(Rc<RefCell<Session<i32, ()>>>);

    impl SessionHandle for Own {
        type Key = i32;
        type Watched = ();

        fn with<R>(&self, act: impl FnOnce(&mut Session<i32, ()>) -> R) -> R {
            act(&mut self.0.borrow_mut())
        }
    }

    fn partitions(count: i32) -> Vec<(i32, Requested)> {
        let requested = Requested {
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            max_bytes: 1,
        };
        (0..count).map(|partition| (partition, requested.clone())).collect()
    }

    /// Makes a session of so many partitions by names; its id.
    fn create(
        cache: &mut SessionCache<Own>,
        count: i32,
        privileged: bool,
        now_ms: i64,
        random_id: i32,
    ) -> Option<i32> {
        let share = |session| Own(Rc::new(RefCell::new(session)));
        let made = cache.create(&partitions(count), false, privileged, (now_ms, random_id), share);
        made.map(|(session, _)| session.with(|session| session.id()))
    }

    #[test]
    fn each_request_of_a_session_carries_the_next_epoch() {
        let mut sessions = SessionCache::new(10);
        let id = create(&mut sessions, 1, false, 0, -7).unwrap();
        assert_eq!(id, 7);
        let mut open = |epoch| sessions.open(id, epoch, false, Vec::new(), &[], 0).map(drop);
        assert_eq!(open(1), Ok(()));
        assert_eq!(open(1), Err(ErrorCode::InvalidFetchSessionEpoch));
        assert_eq!(open(2), Ok(()));
        let by_id = sessions.open(id, 3, true, Vec::new(), &[], 0).map(drop);
        assert_eq!(by_id, Err(ErrorCode::FetchSessionTopicIdError));
        let unknown = sessions.open(id + 1, 3, false, Vec::new(), &[], 0).map(drop);
        assert_eq!(unknown, Err(ErrorCode::FetchSessionIdNotFound));
    }

    #[test]
    fn a_final_epoch_and_a_forgotten_last_partition_end_the_session() {
        let mut sessions = SessionCache::new(10);
        let first = create(&mut sessions, 1, false, 0, 1).unwrap();
        let ended = sessions.open(first, FINAL_EPOCH, false, partitions(1), &[], 0);
        assert!(matches!(ended, Ok(Opened::Sessionless(list)) if list.len() == 1));
        let second = create(&mut sessions, 1, false, 0, 1).unwrap();
        let forgotten = [0];
        let emptied = sessions.open(second, 1, false, Vec::new(), &forgotten, 0);
        assert!(matches!(emptied, Ok(Opened::Sessionless(list)) if list.is_empty()));
        assert!(sessions.slots.is_empty());
    }

    #[test]
    fn a_full_cache_gives_way_to_who_is_more_important_or_when_it_is_stale() {
        let mut sessions = SessionCache::new(1);
        assert_eq!(create(&mut sessions, 2, false, 0, 1), Some(1));
        assert_eq!(create(&mut sessions, 9, false, EVICTION_MS, 2), None);
        let later = EVICTION_MS + 1;
        sessions.open(1, 1, false, Vec::new(), &[], later).unwrap();
        assert_eq!(create(&mut sessions, 2, false, later, 3), None);
        assert_eq!(create(&mut sessions, 3, false, later, 4), Some(4));
        assert_eq!(create(&mut sessions, 1, true, later, 5), Some(5));
        assert_eq!(create(&mut sessions, 9, false, later + EVICTION_MS, 6), None);
        let stale = later + EVICTION_MS + 1;
        assert_eq!(create(&mut sessions, 1, false, stale, 7), Some(7));
    }
}
