//! Deadlines of a shard. A key has one deadline at most; setting it again moves it.
//!
//! Answers to `CoordinatorTimer`: an expiry only calls the shard, which makes records and replies.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Deadlines by key, each with what to do when it has passed.
#[derive(Debug)]
pub struct Timers<K, E> {
    queue: BTreeMap<(u64, u64), (K, E)>,
    deadlines: HashMap<K, (u64, u64)>,
    next: u64,
}

impl<K, E> Default for Timers<K, E> {
    fn default() -> Self {
        Self { queue: BTreeMap::new(), deadlines: HashMap::new(), next: 0 }
    }
}

impl<K: Clone + Eq + Hash, E> Timers<K, E> {
    pub fn set(&mut self, key: K, deadline_ms: u64, expiry: E) {
        self.cancel(&key);
        let at = (deadline_ms, self.next);
        self.next += 1;
        self.deadlines.insert(key.clone(), at);
        self.queue.insert(at, (key, expiry));
    }

    pub fn cancel(&mut self, key: &K) {
        if let Some(at) = self.deadlines.remove(key) {
            self.queue.remove(&at);
        }
    }

    /// On the monotonic clock.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.queue.first_key_value().map(|((deadline_ms, _), _)| *deadline_ms)
    }

    /// The earliest deadline that has passed by `monotonic_ms`, taken out.
    pub fn take_due(&mut self, monotonic_ms: u64) -> Option<(K, E)> {
        let due = self.queue.first_entry()?;
        if due.key().0 > monotonic_ms {
            return None;
        }
        let (key, expiry) = due.remove();
        self.deadlines.remove(&key);
        Some((key, expiry))
    }

    pub(crate) fn is_set(&self, key: &K) -> bool {
        self.deadlines.contains_key(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_out_in_order_and_only_when_due() {
        let mut timers = Timers::default();
        timers.set("b", 20, 2);
        timers.set("a", 10, 1);
        assert_eq!(timers.next_deadline_ms(), Some(10));
        assert_eq!(timers.take_due(9), None);
        assert_eq!(timers.take_due(20), Some(("a", 1)));
        assert_eq!(timers.take_due(20), Some(("b", 2)));
        assert_eq!(timers.take_due(u64::MAX), None);
    }

    #[test]
    fn setting_a_key_again_moves_its_deadline() {
        let mut timers = Timers::default();
        timers.set("a", 10, 1);
        timers.set("a", 30, 2);
        assert_eq!(timers.take_due(10), None);
        assert_eq!(timers.take_due(30), Some(("a", 2)));
    }

    #[test]
    fn a_cancelled_deadline_never_comes() {
        let mut timers = Timers::default();
        timers.set("a", 10, 1);
        timers.cancel(&"a");
        assert!(!timers.is_set(&"a"));
        assert_eq!(timers.take_due(u64::MAX), None);
    }
}
