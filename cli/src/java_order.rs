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
    partition_hash_of(&partition.topic, partition.partition)
}

/// The same of a partition that is known by two values.
pub(crate) fn partition_hash_of(topic: &str, partition: i32) -> i32 {
    partition.wrapping_add(31).wrapping_mul(31).wrapping_add(string_hash(topic))
}

/// Sorts what a `HashMap` with the default capacity would hold by its keys' hashes.
pub(crate) fn sort_by_hash<T>(items: &mut [T], hash: impl Fn(&T) -> i32) {
    sort_with_capacity(items, 16, hash);
}

/// Numbers as a `HashSet` of them is printed.
pub(crate) fn integer_set(mut numbers: Vec<i32>) -> Vec<i32> {
    numbers.sort_unstable();
    numbers.dedup();
    sort_by_hash(&mut numbers, |number| *number);
    numbers
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

/// Sorts what one of Scala's immutable sets or maps would hold: up to four elements stay as they
/// were put in, more stand in a trie of their hashes, five bits a level.
pub(crate) fn sort_as_scala<T>(items: &mut Vec<T>, hash: impl Fn(&T) -> i32) {
    if items.len() > 4 {
        let hashed = items.drain(..).map(|item| (scala_hash(hash(&item)), item)).collect();
        walk(hashed, 0, items);
    }
}

/// Sorts what one of Scala's mutable sets or maps would hold: a table of hashes, doubled where the
/// next element would fill three quarters of it.
pub(crate) fn sort_as_scala_table<T>(items: &mut [T], hash: impl Fn(&T) -> i32) {
    let mut buckets = 16;
    while items.len() * 4 >= buckets * 3 {
        buckets *= 2;
    }
    items.sort_by_key(|item| {
        let hash = hash(item).cast_unsigned();
        let hash = hash ^ (hash >> 16);
        (hash as usize & (buckets - 1), hash.cast_signed())
    });
}

/// `Hashing.improve` of Scala 2.13.
fn scala_hash(hash: i32) -> u32 {
    let hash = hash.cast_unsigned();
    let hash = hash.wrapping_add(!(hash << 9));
    let hash = hash ^ (hash >> 14);
    let hash = hash.wrapping_add(hash << 4);
    hash ^ (hash >> 10)
}

/// A node's own elements come first, then its nodes below.
fn walk<T>(items: Vec<(u32, T)>, shift: u32, sorted: &mut Vec<T>) {
    if shift >= u32::BITS {
        sorted.extend(items.into_iter().map(|(_, item)| item));
        return;
    }
    let mut slots: Vec<Vec<(u32, T)>> = (0..32).map(|_| Vec::new()).collect();
    for (hash, item) in items {
        if let Some(slot) = slots.get_mut(((hash >> shift) & 31) as usize) {
            slot.push((hash, item));
        }
    }
    let (own, below): (Vec<_>, Vec<_>) = slots.into_iter().partition(|slot| slot.len() < 2);
    sorted.extend(own.into_iter().flatten().map(|(_, item)| item));
    below.into_iter().for_each(|node| walk(node, shift + 5, sorted));
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
    fn sets_of_numbers_and_of_scala_have_their_own_orders() {
        assert_eq!(integer_set(vec![17, 2, 1, 2]), [1, 17, 2]);
        let mut few = vec!["d", "a", "c", "b"];
        sort_as_scala(&mut few, |word| string_hash(word));
        assert_eq!(few, ["d", "a", "c", "b"]);
        // As stock's kafka-configs prints groups.
        let mut many: Vec<String> = (1..=5).map(|number| format!("group-{number}")).collect();
        let sorted = many.clone();
        sort_as_scala(&mut many, |word| string_hash(word));
        assert_ne!(many, sorted);
        many.sort();
        assert_eq!(many, sorted);
    }

    #[test]
    fn a_map_grows_before_it_is_full() {
        assert_eq!(
            [buckets(16, 12), buckets(16, 13), buckets(4, 3), buckets(4, 4)],
            [16, 32, 4, 8]
        );
    }
}
