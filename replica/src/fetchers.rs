//! Which fetcher has which partition: each partition is fetched by one at a time, and a fetcher
//! without partitions ends. Kafka: `AbstractFetcherManager`.

use std::collections::HashMap;
use std::hash::Hash;

use crate::planted::{Bug, is_planted};

/// A partition left its fetcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left<F> {
    /// Which one.
    pub fetcher: F,
    /// It has nothing to fetch any more.
    pub is_idle: bool,
}

/// Partitions `K` by fetcher `F`, which is a leader and one of the connections to it.
#[derive(Debug)]
pub struct FetcherTable<K, F> {
    partitions: HashMap<K, F>,
    counts: HashMap<F, usize>,
}

impl<K, F> Default for FetcherTable<K, F> {
    fn default() -> Self {
        Self { partitions: HashMap::new(), counts: HashMap::new() }
    }
}

impl<K: Copy + Eq + Hash, F: Copy + Eq + Hash> FetcherTable<K, F> {
    /// The partition is fetched by `fetcher` from now on: which one it is to be taken from first,
    /// and who is to be told of it.
    pub fn follow(&mut self, key: K, fetcher: F) -> (Option<Left<F>>, F) {
        let had = self.partitions.get(&key).copied();
        if had == Some(fetcher) {
            return (None, fetcher);
        }
        if let Some(had) = had
            && is_planted(Bug::KeepsItsFetcher)
        {
            return (None, had);
        }
        let left = self.forget(&key);
        self.partitions.insert(key, fetcher);
        *self.counts.entry(fetcher).or_default() += 1;
        (left, fetcher)
    }

    /// The partition is fetched no longer.
    pub fn forget(&mut self, key: &K) -> Option<Left<F>> {
        let fetcher = self.partitions.remove(key)?;
        let count = self.counts.get_mut(&fetcher)?;
        *count -= 1;
        let is_idle = *count == 0;
        if is_idle {
            self.counts.remove(&fetcher);
        }
        Some(Left { fetcher, is_idle })
    }

    /// Which one fetches the partition.
    pub fn of(&self, key: &K) -> Option<F> {
        self.partitions.get(key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_has_one_fetcher_and_a_fetcher_ends_with_its_last_partition() {
        let mut table: FetcherTable<u8, (i32, i32)> = FetcherTable::default();
        let (one, two) = ((1, 0), (2, 0));
        assert_eq!(table.follow(7, one), (None, one));
        assert_eq!(table.follow(8, one), (None, one));
        assert_eq!(table.follow(7, one), (None, one), "news of what it has already");
        assert_eq!(table.follow(7, two), (Some(Left { fetcher: one, is_idle: false }), two));
        assert_eq!((table.of(&7), table.of(&8), table.of(&9)), (Some(two), Some(one), None));
        assert_eq!(table.forget(&8), Some(Left { fetcher: one, is_idle: true }));
        assert_eq!(table.forget(&8), None);
        assert_eq!(table.follow(7, one), (Some(Left { fetcher: two, is_idle: true }), one));
    }
}
