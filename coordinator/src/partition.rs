//! Which partition of a coordinator's topic a group or transactional id belongs to.
//!
//! Kafka's rule, which every client and broker relies on: the absolute value of Java's string hash
//! (over UTF-16 units) modulo the number of partitions. Answers to `GroupCoordinator.partitionFor`.

/// The partition of `key` in a topic of `partitions` partitions.
#[must_use]
pub fn partition_of(key: &str, partitions: i32) -> i32 {
    // Java's abs has no positive counterpart for the smallest int; Kafka takes 0 for it.
    java_hash(key).checked_abs().unwrap_or(0) % partitions.max(1)
}

/// `String.hashCode`.
#[must_use]
pub fn java_hash(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_java_s() {
        for (text, hash) in
            [("", 0), ("a", 97), ("my-group", -1_906_497_762), ("polygenelubricants", i32::MIN)]
        {
            assert_eq!(java_hash(text), hash, "{text}");
        }
    }

    #[test]
    fn the_smallest_hash_falls_into_partition_0() {
        assert_eq!(partition_of("polygenelubricants", 50), 0);
        assert_eq!(partition_of("a", 50), 47);
    }

    #[test]
    fn units_are_utf_16_not_bytes() {
        // Two surrogates: 0xD83D * 31 + 0xDE00.
        assert_eq!(java_hash("😀"), 0xD83D * 31 + 0xDE00);
    }
}
