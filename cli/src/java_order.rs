//! The order in which Java's `HashMap` hands out what a tool prints.
//!
//! Stock tools print topics, settings and nodes in that order, and people diff what they print.
//! Buckets come in the order of their index, and what shares a bucket in the order it was put in.
//! Answers to `java.util.HashMap`; a bucket of eight or more is not turned into a tree here.

use client::admin::TopicPartition;

/// `String.hashCode`.
pub(crate) fn string_hash(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// `TopicPartition.hashCode`.
pub(crate) fn partition_hash(partition: &TopicPartition) -> i32 {
    let hash = 31_i32.wrapping_add(partition.partition);
    hash.wrapping_mul(31).wrapping_add(string_hash(&partition.topic))
}

/// Sorts what a `HashMap` with the default capacity would hold by its keys' hashes.
pub(crate) fn sort_by_hash<T>(items: &mut [T], hash: impl Fn(&T) -> i32) {
    sort_with_capacity(items, 16, hash);
}

/// The same for a map that was made with room for this many: `new HashMap<>(capacity)`.
pub(crate) fn sort_with_capacity<T>(items: &mut [T], capacity: usize, hash: impl Fn(&T) -> i32) {
    let buckets = buckets(capacity, items.len());
    items.sort_by_key(|item| {
        let hash = hash(item).cast_unsigned();
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    });
}

/// How many buckets such a map has: a power of two, doubled while it is more than three quarters
/// full.
fn buckets(capacity: usize, count: usize) -> usize {
    let mut buckets = capacity.max(1).next_power_of_two();
    while count * 4 > buckets * 3 {
        buckets *= 2;
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_javas() {
        assert_eq!(string_hash(""), 0);
        assert_eq!(string_hash("orders"), -1008770331);
        assert_eq!(string_hash("Aa"), string_hash("BB"));
    }

    #[test]
    fn topics_come_as_stock_kafka_topics_prints_them() {
        let mut topics = ["defaults", "orders", "placed", "with.configs"];
        sort_with_capacity(&mut topics, 4, |topic| string_hash(topic));
        assert_eq!(topics, ["orders", "placed", "defaults", "with.configs"]);
    }

    #[test]
    fn a_map_grows_before_it_is_full() {
        assert_eq!(
            [buckets(16, 12), buckets(16, 13), buckets(4, 3), buckets(4, 4)],
            [16, 32, 4, 8]
        );
    }
}
