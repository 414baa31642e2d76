//! A map that is gone over in the order of Java's `HashMap`: bucket by bucket, in a bucket as put
//! in, or the other way round as made by `computeIfAbsent`. Whom the assignor of Kafka gives what
//! depends on it. Kept out: buckets that Java has made trees of.

/// A key with Java's hash.
pub(super) trait JavaHash: Copy + Eq {
    fn java_hash(&self) -> i32;
}

impl JavaHash for usize {
    fn java_hash(&self) -> i32 {
        *self as i32
    }
}

/// `HashMap`.
#[derive(Debug)]
pub(super) struct JavaMap<K, V> {
    buckets: Vec<Vec<(K, V)>>,
    len: usize,
}

impl<K, V> Default for JavaMap<K, V> {
    fn default() -> Self {
        Self::with_buckets(16)
    }
}

impl<K, V> JavaMap<K, V> {
    fn with_buckets(buckets: usize) -> Self {
        Self { buckets: std::iter::repeat_with(Vec::new).take(buckets).collect(), len: 0 }
    }

    /// Room for so many keys, as `AssignorHelpers.newHashMap` makes it.
    pub(super) fn sized_for(keys: usize) -> Self {
        let capacity = ((keys + 1) as f32 / 0.75 + 1.0) as usize;
        Self::with_buckets(capacity.next_power_of_two())
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.buckets.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut (K, V)> {
        self.buckets.iter_mut().flatten()
    }
}

impl<K: JavaHash, V: Default> JavaMap<K, V> {
    fn bucket(&self, key: &K) -> usize {
        let hash = key.java_hash() as u32;
        (hash ^ (hash >> 16)) as usize & (self.buckets.len() - 1)
    }

    fn is_over_full(&self) -> bool {
        self.len > self.buckets.len() * 3 / 4
    }

    /// The value of a key, which comes first in its bucket if it is new: `computeIfAbsent`.
    pub(super) fn entry(&mut self, key: K) -> &mut V {
        if self.is_over_full() {
            self.grow();
        }
        let bucket = self.bucket(&key);
        let known = self.buckets[bucket].iter().position(|(known, _)| *known == key);
        if known.is_none() {
            self.buckets[bucket].insert(0, (key, V::default()));
            self.len += 1;
        }
        &mut self.buckets[bucket][known.unwrap_or_default()].1
    }

    /// A key, which comes last in its bucket if it is new: `put`.
    fn put(&mut self, key: K, value: V) {
        let bucket = self.bucket(&key);
        if self.buckets[bucket].iter().any(|(known, _)| *known == key) {
            return;
        }
        self.buckets[bucket].push((key, value));
        self.len += 1;
        if self.is_over_full() {
            self.grow();
        }
    }

    pub(super) fn value_mut(&mut self, key: &K) -> Option<&mut V> {
        let bucket = self.bucket(key);
        self.buckets[bucket].iter_mut().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    pub(super) fn remove(&mut self, key: &K) {
        let bucket = self.bucket(key);
        if let Some(at) = self.buckets[bucket].iter().position(|(known, _)| known == key) {
            self.buckets[bucket].remove(at);
            self.len -= 1;
        }
    }

    fn grow(&mut self) {
        let larger = Self::with_buckets(self.buckets.len() * 2);
        let before = std::mem::replace(self, larger);
        self.len = before.len;
        for (key, value) in before.buckets.into_iter().flatten() {
            let bucket = self.bucket(&key);
            self.buckets[bucket].push((key, value));
        }
    }
}

/// `HashSet`.
#[derive(Debug)]
pub(super) struct JavaSet<K>(JavaMap<K, ()>);

impl<K> Default for JavaSet<K> {
    fn default() -> Self {
        Self(JavaMap::default())
    }
}

impl<K: JavaHash> JavaSet<K> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn insert(&mut self, key: K) {
        self.0.put(key, ());
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.0.remove(key);
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.0.buckets[self.0.bucket(key)].iter().any(|(known, ())| known == key)
    }

    pub(super) fn keys(&self) -> Vec<K> {
        self.0.iter().map(|(key, ())| *key).collect()
    }

    pub(super) fn first(&self) -> Option<K> {
        self.0.iter().next().map(|(key, ())| *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_by_bucket_as_put_in_and_a_map_that_has_grown_has_more_of_them() {
        let mut set = JavaSet::default();
        [33, 1, 17, 2].into_iter().for_each(|key: usize| set.insert(key));
        assert_eq!(set.keys(), [33, 1, 17, 2]);
        (3..12).for_each(|key| set.insert(key));
        assert_eq!(set.keys()[..4], [33, 1, 2, 3]);
        assert_eq!(set.keys().last(), Some(&17));
        set.remove(&33);
        assert_eq!((set.first(), set.len(), set.contains(&17)), (Some(1), 12, true));
    }

    #[test]
    fn what_is_made_where_it_is_missing_comes_first_in_its_bucket() {
        let mut map: JavaMap<usize, ()> = JavaMap::default();
        [1, 33, 17, 1, 2].into_iter().for_each(|key| *map.entry(key) = ());
        assert_eq!(map.iter().map(|(key, ())| *key).collect::<Vec<_>>(), [17, 33, 1, 2]);
    }

    #[test]
    fn room_is_made_as_by_kafka() {
        // 12 keys ask for 18 buckets, 10 for 15.
        assert_eq!(JavaMap::<usize, ()>::sized_for(12).buckets.len(), 32);
        assert_eq!(JavaMap::<usize, ()>::sized_for(10).buckets.len(), 16);
    }
}
