//! A map that is cheap to copy and cheap to change after a copy: 256 shards, each behind its own
//! counted pointer. Copying the map copies pointers; a change copies the one shard it falls into.
//!
//! An image of fifty thousand partitions is copied with every batch of records, and most batches
//! touch one topic. Iteration has no order; who writes a snapshot sorts.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

const SHARDS: usize = 256;

#[derive(Debug, Clone)]
pub(crate) struct Shards<K, V> {
    /// Empty until the first insertion: most clusters have no ACL and no quota.
    shards: Vec<Arc<HashMap<K, V>>>,
    len: usize,
    hasher: RandomState,
}

impl<K, V> Default for Shards<K, V> {
    fn default() -> Self {
        Self { shards: Vec::new(), len: 0, hasher: RandomState::new() }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Shards<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn find<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.shards.get(self.shard_of(key))?.get(key)
    }

    /// The value to change in place, its shard copied first when somebody else holds it.
    pub(crate) fn find_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let shard = self.shard_of(key);
        let shard = self.shards.get_mut(shard)?;
        if !shard.contains_key(key) {
            return None;
        }
        Arc::make_mut(shard).get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, Arc::default);
        }
        let shard = self.shard_of(&key);
        let replaced = Arc::make_mut(self.shards.get_mut(shard)?).insert(key, value);
        self.len += usize::from(replaced.is_none());
        replaced
    }

    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let shard = self.shard_of(key);
        let shard = self.shards.get_mut(shard)?;
        if !shard.contains_key(key) {
            return None;
        }
        let removed = Arc::make_mut(shard).remove(key);
        self.len -= usize::from(removed.is_some());
        removed
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    fn shard_of<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        // The low bits pick the bucket inside the shard, so the high ones pick the shard.
        (self.hasher.hash_one(key) >> 56) as usize % SHARDS
    }
}

impl<K: Hash + Eq + Clone, V: Clone + PartialEq> PartialEq for Shards<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
            && self.iter().all(|(key, value)| other.find(key).is_some_and(|found| found == value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_does_not_see_later_changes() {
        let mut map = Shards::default();
        for key in 0..1000_u32 {
            map.insert(key, key);
        }
        let copy = map.clone();
        for key in 0..500_u32 {
            assert_eq!(map.remove(&key), Some(key));
        }
        *map.find_mut(&700).unwrap() = 0;
        assert_eq!((copy.len(), map.len()), (1000, 500));
        assert_eq!((copy.find(&3), map.find(&3)), (Some(&3), None));
        assert_eq!((copy.find(&700), map.find(&700)), (Some(&700), Some(&0)));
        assert_ne!(copy, map);
    }

    #[test]
    fn an_absent_key_copies_nothing_and_changes_nothing() {
        let mut map: Shards<u32, u32> = Shards::default();
        assert_eq!(map.remove(&1), None);
        assert_eq!(map.find_mut(&1), None);
        assert_eq!(map.find(&1), None);
        map.insert(1, 1);
        assert_eq!(map.insert(1, 2), Some(1));
        assert_eq!((map.len(), map.remove(&2), map.len()), (1, None, 1));
        assert_eq!(map.iter().collect::<Vec<_>>(), [(&1, &2)]);
    }
}
