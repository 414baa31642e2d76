//! The order in which Java's hash maps go over their keys. The assignors of Kafka share out in that
//! order, so that who gets what depends on it; and groups are listed, and their members described,
//! in the order of the maps that Kafka keeps them in.
//!
//! Keys of one bucket stand as they were put in, or the other way round. Kept out: buckets that
//! Java has made trees of.

/// The keys of a `HashMap` that grew from nothing; `keys` as they were put in.
pub(in super::super) fn hash_map_order<K>(keys: Vec<K>, hash: impl Fn(&K) -> i32) -> Vec<K> {
    let mut capacity = 16_usize;
    while keys.len() > capacity / 4 * 3 {
        capacity *= 2;
    }
    by_bucket(keys, capacity, hash)
}

/// The same for one that was made with room for `room` keys.
pub(in super::super) fn sized_hash_map_order<K>(
    keys: Vec<K>,
    room: usize,
    hash: impl Fn(&K) -> i32,
) -> Vec<K> {
    let mut capacity = room.next_power_of_two();
    while keys.len() > capacity * 3 / 4 {
        capacity *= 2;
    }
    by_bucket(keys, capacity, hash)
}

/// The elements of a `HashSet` that was made of a collection of this order.
pub(in super::super) fn hash_set_order<K>(keys: Vec<K>, hash: impl Fn(&K) -> i32) -> Vec<K> {
    let wanted = (keys.len() * 4 / 3 + 1).max(16);
    by_bucket(keys, wanted.next_power_of_two(), hash)
}

/// The keys of Kafka's own `TimelineHashMap` that grew from nothing (`BaseHashTable`); `keys` as
/// they were put in. The bucket is the high bits of a multiplicative hash, a map is full at four
/// thirds of its buckets, and of one bucket the last key comes first.
pub(in super::super) fn timeline_map_order<K>(
    mut keys: Vec<K>,
    hash: impl Fn(&K) -> i32,
) -> Vec<K> {
    const GOLDEN_RATIO: i64 = -7_046_029_254_386_353_131;
    let mut capacity = 2_usize;
    while keys.len() * 3 > capacity * 4 {
        capacity *= 2;
    }
    keys.reverse();
    keys.sort_by_key(|key| {
        let hash = i64::from(hash(key)).wrapping_mul(GOLDEN_RATIO) as u64;
        hash >> (u64::BITS - capacity.trailing_zeros())
    });
    keys
}

fn by_bucket<K>(mut keys: Vec<K>, capacity: usize, hash: impl Fn(&K) -> i32) -> Vec<K> {
    keys.sort_by_key(|key| {
        let hash = hash(key) as u32;
        (hash ^ (hash >> 16)) as usize & (capacity - 1)
    });
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::java_hash;

    #[test]
    fn keys_stand_by_bucket_and_a_larger_map_has_more_of_them() {
        // "b" is 98, "r" 114: both in bucket 2 of 16, in 2 and 18 of 32.
        let few = hash_map_order(vec!["r", "b", "a"], |key| java_hash(key));
        assert_eq!(few, ["a", "r", "b"]);
        let many = hash_map_order((0..13).rev().map(|n| n * 16).collect(), |key: &i32| *key);
        assert_eq!(many[..7], [192, 160, 128, 96, 64, 32, 0]);
    }
    #[test]
    fn keys_of_a_timeline_map_stand_by_the_high_bits_of_their_hash() {
        let members = vec!["member-1", "member-2"];
        assert_eq!(timeline_map_order(members, |id| java_hash(id)), ["member-2", "member-1"]);
        // 0 to 5 times the golden ratio's fraction: buckets 0, 4, 1, 6, 3 and 0 of 8.
        assert_eq!(timeline_map_order(vec![0, 1, 2], |key| *key), [2, 0, 1]);
        assert_eq!(timeline_map_order((0..6).collect(), |key| *key), [5, 0, 2, 4, 1, 3]);
    }
}
