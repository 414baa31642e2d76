//! Values as they stand in the log, and as writes under way will leave them.
//!
//! ```text
//! committed ─ change of write 7 ─ change of write 9        latest: write 9's
//!     └─ commit(7): it is what write 7 made      └─ revert(9): write 7's is the latest again
//! ```
//! Kept true: changes under way stand in the order of their writes. Answers to Kafka's
//! `TimelineHashMap` and `SnapshotRegistry`, with one version for each write under way.

use std::borrow::Borrow;
use std::collections::{BTreeMap, VecDeque};

use super::outputs::WriteId;
use super::shard::RecordPosition;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions<V> {
    committed: Option<V>,
    under_way: VecDeque<(WriteId, Option<V>)>,
}

impl<V> Default for Versions<V> {
    fn default() -> Self {
        Self { committed: None, under_way: VecDeque::new() }
    }
}

impl<V> Versions<V> {
    /// As it stands in the log.
    pub fn committed(&self) -> Option<&V> {
        self.committed.as_ref()
    }

    /// As it will be when all that is under way has been written.
    pub fn latest(&self) -> Option<&V> {
        match self.under_way.back() {
            Some((_, latest)) => latest.as_ref(),
            None => self.committed.as_ref(),
        }
    }

    pub fn latest_mut(&mut self) -> Option<&mut V> {
        match self.under_way.back_mut() {
            Some((_, latest)) => latest.as_mut(),
            None => self.committed.as_mut(),
        }
    }

    /// What a record makes of it, by where the record stands; `None`: it is gone.
    pub fn set(&mut self, standing: RecordPosition, value: Option<V>) {
        match standing {
            RecordPosition::InLog { .. } => self.set_committed(value),
            RecordPosition::UnderWay { write, .. } => self.under_way.push_back((write, value)),
        }
    }

    /// What the log turned out to say.
    pub fn set_committed(&mut self, value: Option<V>) {
        self.committed = value;
    }

    /// The oldest change of this write stands in the log.
    pub fn commit(&mut self, write: WriteId) {
        if self.under_way.front().is_some_and(|(id, _)| *id == write)
            && let Some((_, value)) = self.under_way.pop_front()
        {
            self.committed = value;
        }
    }

    pub fn committed_mut(&mut self) -> Option<&mut V> {
        self.committed.as_mut()
    }

    /// Whether a write under way changes it.
    pub fn is_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Takes back what this write and later ones made; the values that are no more, newest first.
    pub fn revert(&mut self, from: WriteId) -> Vec<V> {
        let mut reverted = Vec::new();
        while self.under_way.back().is_some_and(|(id, _)| *id >= from) {
            reverted.extend(self.under_way.pop_back().and_then(|(_, value)| value));
        }
        reverted
    }

    /// Neither there nor about to be changed.
    pub fn is_unused(&self) -> bool {
        self.committed.is_none() && self.under_way.is_empty()
    }
}

/// Values by key, each with its versions; no key is kept without one.
#[derive(Debug)]
pub struct VersionedMap<K, V> {
    values: BTreeMap<K, Versions<V>>,
    /// Which write under way changed which key, in order.
    changes: VecDeque<(WriteId, K)>,
}

impl<K, V> Default for VersionedMap<K, V> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), changes: VecDeque::new() }
    }
}

impl<K: Ord + Clone, V> VersionedMap<K, V> {
    /// The latest value.
    pub fn latest<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.values.get(key)?.latest()
    }

    /// The latest value, to be changed in what no record says.
    pub fn latest_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.values.get_mut(key)?.latest_mut()
    }

    /// The value as it stands in the log.
    pub fn committed<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.values.get(key)?.committed()
    }

    /// Whether a write under way has changed the value.
    pub fn is_under_way<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.values.get(key).is_some_and(|value| !value.under_way.is_empty())
    }

    /// The value of a key with what is under way.
    pub fn versions<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&Versions<V>>
    where
        K: Borrow<Q>,
    {
        self.values.get(key)
    }

    /// The value that stands in the log, to be changed in what no record says.
    pub fn committed_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.values.get_mut(key)?.committed_mut()
    }

    /// All keys, each with what is under way.
    pub fn all(&self) -> impl Iterator<Item = (&K, &Versions<V>)> {
        self.values.iter()
    }

    /// All latest values by key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.values.iter().filter_map(|(key, value)| Some((key, value.latest()?)))
    }

    /// What a record makes of a value, by where the record stands; `None`: it is gone.
    pub fn set(&mut self, standing: RecordPosition, key: K, value: Option<V>) {
        match (standing, value) {
            (RecordPosition::InLog { .. }, None) => {
                self.values.remove(&key);
            }
            (RecordPosition::InLog { .. }, value) => {
                self.values.entry(key).or_default().set(standing, value)
            }
            (RecordPosition::UnderWay { write, .. }, value) => {
                self.changes.push_back((write, key.clone()));
                self.values.entry(key).or_default().set(standing, value);
            }
        }
    }

    /// The value, for one of several records that change it; the records of a write change one
    /// version of it. `None`: there is no value.
    pub fn edit(&mut self, standing: RecordPosition, key: &K) -> Option<&mut V>
    where
        V: Clone,
    {
        if let RecordPosition::UnderWay { write, .. } = standing {
            let value = self.values.get(key)?;
            if value.under_way.back().is_none_or(|(id, _)| *id != write) {
                let copy = value.latest()?.clone();
                self.set(standing, key.clone(), Some(copy));
            }
        }
        self.values.get_mut(key)?.latest_mut()
    }

    /// What this write made stands in the log.
    pub fn commit(&mut self, write: WriteId) {
        while self.changes.front().is_some_and(|(id, _)| *id == write) {
            let Some((_, key)) = self.changes.pop_front() else { return };
            if let Some(value) = self.values.get_mut(&key) {
                value.commit(write);
                if value.is_unused() {
                    self.values.remove(&key);
                }
            }
        }
    }

    /// Takes back what this write and later ones made: the keys, each with the values that are no
    /// more.
    pub fn revert(&mut self, from: WriteId) -> BTreeMap<K, Vec<V>> {
        let mut reverted: BTreeMap<K, Vec<V>> = BTreeMap::new();
        while self.changes.back().is_some_and(|(id, _)| *id >= from) {
            let Some((_, key)) = self.changes.pop_back() else { break };
            if let Some(value) = self.values.get_mut(&key) {
                let gone = value.revert(from);
                if value.is_unused() {
                    self.values.remove(&key);
                }
                reverted.entry(key).or_default().extend(gone);
            }
        }
        reverted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> VersionedMap<&'static str, i32> {
        let mut map = VersionedMap::default();
        map.set(RecordPosition::InLog { offset: 0, producer_id: None }, "a", Some(1));
        map
    }

    fn under_way(write: u64) -> RecordPosition {
        RecordPosition::UnderWay { write: WriteId(write), index: 0, producer_id: None }
    }

    #[test]
    fn a_change_is_seen_at_once_and_stands_when_it_is_written() {
        let mut map = map();
        map.set(under_way(5), "a", Some(2));
        map.set(under_way(5), "a", Some(3));
        map.set(under_way(6), "a", None);
        assert_eq!(map.latest("a"), None);
        assert_eq!(map.values["a"].committed(), Some(&1));
        map.commit(WriteId(5));
        assert_eq!(map.values["a"].committed(), Some(&3));
        map.commit(WriteId(6));
        assert!(map.values.is_empty() && map.changes.is_empty());
    }

    #[test]
    fn a_revert_takes_back_the_write_and_all_after_it() {
        let mut map = map();
        map.set(under_way(5), "a", Some(2));
        map.set(under_way(6), "a", None);
        map.set(under_way(6), "b", Some(9));
        map.set(under_way(7), "a", Some(4));
        let gone = map.revert(WriteId(6));
        assert_eq!(gone, BTreeMap::from([("a", vec![4]), ("b", vec![9])]));
        assert_eq!(map.iter().collect::<Vec<_>>(), [(&"a", &2)]);
        map.commit(WriteId(5));
        assert_eq!(map.values["a"].committed(), Some(&2));
        assert!(map.changes.is_empty());
    }
}
