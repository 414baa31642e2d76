//! A map whose copies share what they have in common.
//!
//! A value with a version for each write under way is copied with every write
//! ([`super::Versions`]). Were it made of plain maps, each member that joins a group would copy all
//! members that are there: the square of their number. Here the entries stand in pieces, each
//! behind its own `Arc`: a copy costs one count a piece, and a change copies one piece.
//!
//! Kept true: pieces are never empty, have at most [`PIECE`] entries, and ascend; so do the keys
//! within each. Answers to Kafka's `TimelineHashMap`, which keeps what differs by snapshot.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Of about two thousand entries, the pieces are as many as their entries.
const PIECE: usize = 64;

#[derive(Clone)]
pub struct SharedMap<K, V> {
    pieces: Vec<Arc<BTreeMap<K, V>>>,
    len: usize,
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self { pieces: Vec::new(), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The piece that has the key, if any has: the last one that does not begin after it.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        let begins_before = |piece: &Arc<BTreeMap<K, V>>| {
            piece.first_key_value().is_some_and(|(first, _)| first.borrow() <= key)
        };
        self.pieces.partition_point(begins_before).saturating_sub(1)
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.pieces.get(self.place(key))?.get(key)
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The value that was there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let at = self.place(&key);
        let Some(piece) = self.pieces.get_mut(at) else {
            self.pieces.push(Arc::new(BTreeMap::from([(key, value)])));
            self.len = 1;
            return None;
        };
        let piece = Arc::make_mut(piece);
        let before = piece.insert(key, value);
        self.len += usize::from(before.is_none());
        if piece.len() > PIECE
            && let Some(middle) = piece.keys().nth(PIECE / 2).cloned()
        {
            let upper = piece.split_off(&middle);
            self.pieces.insert(at + 1, Arc::new(upper));
        }
        before
    }

    /// The value that is gone.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(key);
        let piece = self.pieces.get_mut(at).filter(|piece| piece.contains_key(key))?;
        let piece = Arc::make_mut(piece);
        let removed = piece.remove(key);
        self.len -= usize::from(removed.is_some());
        if piece.is_empty() {
            self.pieces.remove(at);
        }
        removed
    }

    /// In the order of the keys, as are all of them.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> + Clone {
        self.pieces.iter().flat_map(|piece| piece.iter())
    }

    pub fn keys(&self) -> impl Iterator<Item = &K> + Clone {
        self.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl Iterator<Item = &V> + Clone {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> PartialEq for SharedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Ord + Clone + fmt::Debug, V: Clone + fmt::Debug> fmt::Debug for SharedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sound(map: &SharedMap<u64, u64>) -> bool {
        let of_size = |piece: &Arc<BTreeMap<u64, u64>>| (1..=PIECE).contains(&piece.len());
        map.pieces.iter().all(of_size) && map.keys().is_sorted()
    }

    #[test]
    fn it_does_what_a_plain_map_does() {
        let (mut shared, mut plain) = (SharedMap::default(), BTreeMap::new());
        let mut draw = 0x9e37_79b9_7f4a_7c15_u64;
        for step in 0..20_000 {
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            let key = draw % 500;
            // More come than go, then more go than come.
            if draw >> 32 & 3 < if step < 10_000 { 1 } else { 3 } {
                assert_eq!(shared.remove(&key), plain.remove(&key));
            } else {
                assert_eq!(shared.insert(key, step), plain.insert(key, step));
            }
            assert_eq!(shared.get(&key), plain.get(&key));
            assert_eq!(shared.len(), plain.len());
            assert!(is_sound(&shared));
        }
        assert!(shared.iter().eq(plain.iter()));
        for key in 0..500 {
            assert_eq!(shared.remove(&key), plain.remove(&key));
        }
        assert!(shared.is_empty() && shared.pieces.is_empty());
    }

    #[test]
    fn a_copy_keeps_what_it_had_and_shares_what_did_not_change() {
        let mut map = SharedMap::default();
        for key in 0..2000 {
            map.insert(key, 0);
        }
        let before = map.clone();
        map.insert(7, 1);
        map.remove(&8);
        assert_eq!((before.get(&7), before.get(&8)), (Some(&0), Some(&0)));
        assert_eq!((map.get(&7), map.get(&8)), (Some(&1), None));
        let pairs = map.pieces.iter().zip(&before.pieces);
        let copied = pairs.filter(|(one, other)| !Arc::ptr_eq(one, other)).count();
        assert_eq!(copied, 1);
    }
}
