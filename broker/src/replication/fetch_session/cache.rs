//! The sessions of all clients, at most max.incremental.fetch.session.cache.slots of them.
//!
//! A new session takes the place of another when there is no free one: of the least recently used
//! if that was not used for two minutes, otherwise of one with fewer partitions that is old enough,
//! and a follower's session of a consumer's. Random ids are drawn by the caller.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::ErrorCode;

use super::session::{PartitionKey, Requested, Session};
use super::{FINAL_EPOCH, INITIAL_EPOCH, NO_SESSION};

/// How long a session is safe from eviction. Kafka:
/// `ServerConfigs.MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS`.
const EVICTION_MS: i64 = 120_000;

/// What a Fetch is within the sessions.
#[derive(Debug)]
pub(crate) enum Opened {
    /// No session, and the reply makes none.
    Sessionless(Vec<(PartitionKey, Requested)>),
    /// The reply tells everything and makes a session if there is room.
    Full(Vec<(PartitionKey, Requested)>),
    /// The reply tells what changed.
    Incremental(Arc<Mutex<Session>>),
}

#[derive(Debug)]
struct Slot {
    session: Arc<Mutex<Session>>,
    /// A follower's.
    privileged: bool,
    size: usize,
    created_ms: i64,
    last_used_ms: i64,
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct FetchSessions {
    slots_max: usize,
    slots: Mutex<HashMap<i32, Slot>>,
}

impl FetchSessions {
    pub(crate) fn new(slots_max: usize) -> Self {
        Self { slots_max, slots: Mutex::default() }
    }

    /// Finds out what a request with such a session id and epoch is, and applies its changes.
    pub(crate) fn open(
        &self,
        session_id: i32,
        epoch: i32,
        uses_topic_ids: bool,
        partitions: Vec<(PartitionKey, Requested)>,
        forgotten: &[PartitionKey],
        now_ms: i64,
    ) -> Result<Opened, ErrorCode> {
        let mut slots = self.slots.lock();
        if epoch == INITIAL_EPOCH || epoch == FINAL_EPOCH {
            if session_id != NO_SESSION {
                slots.remove(&session_id);
            }
            let is_final = epoch == FINAL_EPOCH;
            let opened = if is_final { Opened::Sessionless } else { Opened::Full };
            return Ok(opened(partitions));
        }
        let slot = slots.get_mut(&session_id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
        let mut session = slot.session.lock();
        if session.epoch != epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.uses_topic_ids != uses_topic_ids {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        session.change(&partitions, forgotten);
        slot.size = session.len();
        slot.last_used_ms = now_ms;
        if slot.size == 0 {
            drop(session);
            slots.remove(&session_id);
            return Ok(Opened::Sessionless(partitions));
        }
        session.advance_epoch();
        drop(session);
        Ok(Opened::Incremental(Arc::clone(&slot.session)))
    }

    /// Makes a session of what was just answered in full, if there is or can be made room.
    pub(crate) fn create(
        &self,
        partitions: &[(PartitionKey, Requested)],
        uses_topic_ids: bool,
        privileged: bool,
        now_ms: i64,
        random_id: i32,
    ) -> Option<Arc<Mutex<Session>>> {
        let mut slots = self.slots.lock();
        let size = partitions.len();
        if size == 0 {
            return None;
        }
        if slots.len() >= self.slots_max {
            let evicted = evictable(&slots, size, privileged, now_ms)?;
            slots.remove(&evicted);
        }
        let mut id = random_id.checked_abs().unwrap_or(1).max(1);
        while slots.contains_key(&id) {
            id = id.checked_add(1).unwrap_or(1);
        }
        let session = Arc::new(Mutex::new(Session::new(id, uses_topic_ids, partitions)));
        let kept = Arc::clone(&session);
        slots.insert(
            id,
            Slot { session: kept, privileged, size, created_ms: now_ms, last_used_ms: now_ms },
        );
        Some(session)
    }
}

/// The session whose place a new one of `size` partitions may take.
fn evictable(
    slots: &HashMap<i32, Slot>,
    size: usize,
    privileged: bool,
    now_ms: i64,
) -> Option<i32> {
    let (oldest, slot) = slots.iter().min_by_key(|(id, slot)| (slot.last_used_ms, **id))?;
    if now_ms - slot.last_used_ms > EVICTION_MS {
        return Some(*oldest);
    }
    let old_enough = |slot: &Slot| now_ms - slot.created_ms > EVICTION_MS;
    let (least, slot) = slots
        .iter()
        .filter(|(_, slot)| old_enough(slot) || (privileged && !slot.privileged))
        .min_by_key(|(id, slot)| (slot.privileged, slot.size, **id))?;
    ((privileged, size) > (slot.privileged, slot.size)).then_some(*least)
}

#[cfg(test)]
mod tests {
    use protocol::wire::StrBytes;
    use uuid::Uuid;

    use super::*;

    fn partitions(count: i32) -> Vec<(PartitionKey, Requested)> {
        let requested = Requested {
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            max_bytes: 1,
        };
        let topic = StrBytes::from_static_str("t");
        (0..count)
            .map(|partition| PartitionKey {
                topic_id: Uuid::nil(),
                topic: topic.clone(),
                partition,
            })
            .map(|key| (key, requested.clone()))
            .collect()
    }

    fn id(session: Option<Arc<Mutex<Session>>>) -> Option<i32> {
        session.map(|session| session.lock().id)
    }

    #[test]
    fn each_request_of_a_session_carries_the_next_epoch() {
        let sessions = FetchSessions::new(10);
        let id = id(sessions.create(&partitions(1), false, false, 0, -7)).unwrap();
        assert_eq!(id, 7);
        let open = |epoch| sessions.open(id, epoch, false, Vec::new(), &[], 0).map(drop);
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
        let sessions = FetchSessions::new(10);
        let first = id(sessions.create(&partitions(1), false, false, 0, 1)).unwrap();
        let ended = sessions.open(first, FINAL_EPOCH, false, partitions(1), &[], 0);
        assert!(matches!(ended, Ok(Opened::Sessionless(list)) if list.len() == 1));
        let second = id(sessions.create(&partitions(1), false, false, 0, 1)).unwrap();
        let forgotten = [partitions(1)[0].0.clone()];
        let emptied = sessions.open(second, 1, false, Vec::new(), &forgotten, 0);
        assert!(matches!(emptied, Ok(Opened::Sessionless(list)) if list.is_empty()));
        assert!(sessions.slots.lock().is_empty());
    }

    #[test]
    fn a_full_cache_gives_way_to_who_is_more_important_or_when_it_is_stale() {
        let sessions = FetchSessions::new(1);
        assert_eq!(id(sessions.create(&partitions(2), false, false, 0, 1)), Some(1));
        assert_eq!(id(sessions.create(&partitions(9), false, false, EVICTION_MS, 2)), None);
        let later = EVICTION_MS + 1;
        sessions.open(1, 1, false, Vec::new(), &[], later).unwrap();
        assert_eq!(id(sessions.create(&partitions(2), false, false, later, 3)), None);
        assert_eq!(id(sessions.create(&partitions(3), false, false, later, 4)), Some(4));
        assert_eq!(id(sessions.create(&partitions(1), false, true, later, 5)), Some(5));
        assert_eq!(id(sessions.create(&partitions(9), false, false, later + EVICTION_MS, 6)), None);
        let stale = later + EVICTION_MS + 1;
        assert_eq!(id(sessions.create(&partitions(1), false, false, stale, 7)), Some(7));
    }
}
