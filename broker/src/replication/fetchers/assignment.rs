//! Which of the connections to a leader a partition is fetched by.
//!
//! Kafka: `AbstractFetcherManager.getFetcherId`.

use coordinator::java_hash;
use uuid::Uuid;

/// Topic id and partition.
pub(super) type Key = (Uuid, i32);

/// The fetcher of a partition, of `fetchers` to its leader.
pub(super) fn fetcher_of(topic: &str, partition: i32, fetchers: i32) -> i32 {
    let hash = java_hash(topic).wrapping_mul(31).wrapping_add(partition);
    // Java's abs has no positive counterpart for the smallest int; Kafka takes 0 for it.
    hash.checked_abs().unwrap_or(0) % fetchers.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_spread_as_in_kafka() {
        // Utils.abs(31 * "a".hashCode() + p) % 3, and "a".hashCode() is 97.
        assert_eq!((0..4).map(|p| fetcher_of("a", p, 3)).collect::<Vec<_>>(), [1, 2, 0, 1]);
        assert_eq!(fetcher_of("anything", 7, 1), 0);
        assert_eq!(fetcher_of("anything", 7, 0), 0);
    }

    #[test]
    fn the_smallest_hash_falls_to_the_first() {
        // 31 * "polygenelubricants".hashCode() is i32::MIN again.
        assert_eq!(fetcher_of("polygenelubricants", 0, 7), 0);
    }
}
