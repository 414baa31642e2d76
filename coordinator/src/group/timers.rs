//! Deadlines of a shard. A key has one deadline at most; setting it again moves it.
//!
//! Answers to `CoordinatorTimer`: an expiry only calls the shard, which makes records and replies.

use std::collections::{BTreeMap, HashMap};

use protocol::wire::StrBytes;

/// What a deadline is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum TimerKey {
    /// A member's session, or the place held for a pending one.
    Session { group: StrBytes, member: StrBytes },
    /// The join phase.
    Join { group: StrBytes },
    /// The sync phase.
    Sync { group: StrBytes },
    /// The members of a group of another kind.
    ForeignMembers { group: StrBytes },
    /// Expiry of offsets and empty groups.
    Cleanup,
}

/// What to do when a deadline has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expiry {
    Session,
    CompleteJoin,
    /// The first rebalance of a group waits for more members while they come.
    InitialJoin {
        delay_ms: u64,
        remaining_ms: u64,
    },
    PendingSync {
        generation: i32,
    },
    ForeignMembers,
    Cleanup,
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: BTreeMap<(u64, u64), (TimerKey, Expiry)>,
    deadlines: HashMap<TimerKey, (u64, u64)>,
    next: u64,
}

impl Timers {
    pub(super) fn set(&mut self, key: TimerKey, deadline_ms: u64, expiry: Expiry) {
        self.cancel(&key);
        let at = (deadline_ms, self.next);
        self.next += 1;
        self.deadlines.insert(key.clone(), at);
        self.queue.insert(at, (key, expiry));
    }

    pub(super) fn cancel(&mut self, key: &TimerKey) {
        if let Some(at) = self.deadlines.remove(key) {
            self.queue.remove(&at);
        }
    }

    pub(super) fn next_deadline_ms(&self) -> Option<u64> {
        self.queue.first_key_value().map(|((deadline_ms, _), _)| *deadline_ms)
    }

    /// The earliest deadline that has passed by `monotonic_ms`, taken out.
    pub(super) fn take_due(&mut self, monotonic_ms: u64) -> Option<(TimerKey, Expiry)> {
        let due = self.queue.first_entry()?;
        if due.key().0 > monotonic_ms {
            return None;
        }
        let (key, expiry) = due.remove();
        self.deadlines.remove(&key);
        Some((key, expiry))
    }

    #[cfg(test)]
    pub(super) fn is_set(&self, key: &TimerKey) -> bool {
        self.deadlines.contains_key(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(group: &'static str) -> TimerKey {
        TimerKey::Join { group: StrBytes::from_static_str(group) }
    }

    #[test]
    fn deadlines_come_out_in_order_and_only_when_due() {
        let mut timers = Timers::default();
        timers.set(join("b"), 20, Expiry::CompleteJoin);
        timers.set(join("a"), 10, Expiry::CompleteJoin);
        assert_eq!(timers.next_deadline_ms(), Some(10));
        assert_eq!(timers.take_due(9), None);
        assert_eq!(timers.take_due(20), Some((join("a"), Expiry::CompleteJoin)));
        assert_eq!(timers.take_due(20), Some((join("b"), Expiry::CompleteJoin)));
        assert_eq!(timers.take_due(u64::MAX), None);
    }

    #[test]
    fn setting_a_key_again_moves_its_deadline() {
        let mut timers = Timers::default();
        timers.set(join("a"), 10, Expiry::CompleteJoin);
        timers.set(join("a"), 30, Expiry::PendingSync { generation: 1 });
        assert_eq!(timers.take_due(10), None);
        assert_eq!(timers.take_due(30), Some((join("a"), Expiry::PendingSync { generation: 1 })));
    }

    #[test]
    fn a_cancelled_deadline_never_comes() {
        let mut timers = Timers::default();
        timers.set(join("a"), 10, Expiry::CompleteJoin);
        timers.cancel(&join("a"));
        assert!(!timers.is_set(&join("a")));
        assert_eq!(timers.take_due(u64::MAX), None);
    }
}
