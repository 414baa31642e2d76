//! Each key's last offset, in bounded memory: a hash of the key and the offset, 24 bytes for each,
//! in an open-addressed table. Answers to Kafka's `SkimpyOffsetMap`.
//!
//! Of two keys with the same hash one would be lost. Unlike Kafka, whose MD5 lets anybody make such
//! keys, the hash is SHA-256 cut to 128 bits (docs/decisions/0445). The table is as large as what
//! is dirty can fill, so a small log takes no large buffer.

use sha2::{Digest, Sha256};

/// Bytes of an entry.
const ENTRY_BYTES: usize = 24;

/// What stands for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyHash([u64; 2]);

/// A key that comes in pieces.
#[derive(Default)]
pub(super) struct KeyHasher(Sha256);

impl KeyHasher {
    pub(super) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub(super) fn finish(self) -> KeyHash {
        let digest = self.0.finalize();
        let word = |at: usize| {
            digest[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
        };
        KeyHash([word(0), word(8)])
    }
}

impl KeyHash {
    pub(super) fn of(key: &[u8]) -> Self {
        let mut hasher = KeyHasher::default();
        hasher.update(key);
        hasher.finish()
    }
}

#[derive(Debug)]
pub(super) struct OffsetMap {
    /// Hash and offset + 1; all zero is free.
    slots: Vec<[u64; 3]>,
    entries: usize,
    entries_max: usize,
    latest_offset: i64,
}

impl OffsetMap {
    /// One of `memory` bytes at most, filled to `load_factor` of that, that never gets more than
    /// `keys` keys.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a part of what fits memory"
    )]
    pub(super) fn new(memory: usize, load_factor: f64, keys: usize) -> Self {
        let slots = (memory / ENTRY_BYTES).max(2);
        let entries_max = ((slots as f64 * load_factor) as usize).clamp(1, slots - 1);
        let needed = keys.saturating_add(keys / 3).saturating_add(2);
        let slots = vec![[0; 3]; slots.min(needed)];
        Self { slots, entries: 0, entries_max, latest_offset: -1 }
    }

    /// Whether no other key is taken.
    pub(super) fn is_full(&self) -> bool {
        self.entries >= self.entries_max.min(self.slots.len() - 1)
    }

    /// The last offset that was taken account of.
    pub(super) fn latest_offset(&self) -> i64 {
        self.latest_offset
    }

    pub(super) fn update_latest_offset(&mut self, offset: i64) {
        self.latest_offset = offset;
    }

    #[allow(clippy::cast_precision_loss, reason = "a ratio")]
    pub(super) fn utilization(&self) -> f64 {
        self.entries as f64 / self.entries_max as f64
    }

    /// Takes a key's offset, later than those taken before.
    pub(super) fn put(&mut self, key: KeyHash, offset: i64) {
        let at = self.slot_of(key);
        let KeyHash([first, second]) = key;
        self.entries += usize::from(self.slots[at][2] == 0);
        self.slots[at] = [first, second, offset.wrapping_add(1) as u64];
        self.latest_offset = offset;
    }

    /// The last offset of a key; `None` of one that is not there.
    pub(super) fn get(&self, key: KeyHash) -> Option<i64> {
        match self.slots[self.slot_of(key)][2] {
            0 => None,
            next => Some(next as i64 - 1),
        }
    }

    /// The slot that holds the key, or the free one in which it belongs. There is always a free
    /// one.
    fn slot_of(&self, key: KeyHash) -> usize {
        let KeyHash([first, second]) = key;
        let count = self.slots.len();
        let mut at = (first % count as u64) as usize;
        while self.slots[at][2] != 0 && self.slots[at][..2] != [first, second] {
            at = (at + 1) % count;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> KeyHash {
        KeyHash::of(format!("key-{number}").as_bytes())
    }

    #[test]
    fn the_last_offset_of_each_key_is_found_and_no_other() {
        let mut map = OffsetMap::new(24 * 4000, 0.9, usize::MAX);
        for offset in 0..6000 {
            map.put(key(offset % 2000), offset as i64);
        }
        for number in 0..2000 {
            assert_eq!(map.get(key(number)), Some(4000 + number as i64));
        }
        assert_eq!(map.get(key(2000)), None);
        assert_eq!(map.latest_offset(), 5999);
        assert!(!map.is_full());
    }

    #[test]
    fn it_is_full_at_its_load_factor_and_no_larger_than_its_memory_or_its_keys() {
        for (memory, load, keys, wanted) in [
            (2400, 0.9, usize::MAX, 90),
            (2400, 1.0, usize::MAX, 99),
            (1 << 20, 0.9, 3, 5),
            (0, 0.9, 9, 1),
        ] {
            let mut map = OffsetMap::new(memory, load, keys);
            assert!(map.slots.len() * ENTRY_BYTES <= memory.max(2 * ENTRY_BYTES));
            let mut taken = 0;
            while !map.is_full() {
                map.put(key(taken), taken as i64);
                taken += 1;
            }
            assert!(taken >= wanted.min(keys), "{memory} {load} {keys}: {taken}");
            assert_eq!(map.get(key(taken)), None);
        }
    }

    #[test]
    fn a_key_in_pieces_is_the_same_key() {
        let mut hasher = KeyHasher::default();
        [b"ke".as_slice(), b"", b"y-7"].iter().for_each(|piece| hasher.update(piece));
        assert_eq!(hasher.finish(), key(7));
    }
}
