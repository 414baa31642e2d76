//! Which partition a record goes to: the key's hash, or one partition for a while.
//!
//! Pure: chance comes in as a number. Answers to `Utils.murmur2` and `BuiltInPartitioner` (KIP-480,
//! KIP-794): records without a key stay on a partition for batch.size bytes; the next one is drawn,
//! those with shorter queues more often.

/// Kafka's 32-bit murmur2.
#[must_use]
pub fn murmur2(bytes: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut hash = SEED ^ length;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    for (at, byte) in rest.iter().enumerate().rev() {
        hash ^= u32::from(*byte) << (8 * at);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)).cast_signed()
}

/// The partition of a key among so many.
#[must_use]
pub fn partition_for_key(key: &[u8], partitions: usize) -> i32 {
    let positive = u32::try_from(murmur2(key) & i32::MAX).unwrap_or_default();
    let partitions = u32::try_from(partitions.max(1)).unwrap_or(u32::MAX);
    i32::try_from(positive % partitions).unwrap_or_default()
}

/// The partition that records without a key go to at present.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sticky {
    current: Option<i32>,
    bytes: usize,
}

impl Sticky {
    pub(super) fn current(self) -> Option<i32> {
        self.current
    }

    pub(super) fn switch_to(&mut self, partition: i32) {
        *self = Self { current: Some(partition), bytes: 0 };
    }

    /// So much went to it. It changes after `batch_size` bytes where a batch is done, and after
    /// twice as much in any case.
    pub(super) fn appended(&mut self, bytes: usize, batch_size: usize, is_batch_done: bool) {
        self.bytes += bytes;
        let batch_size = batch_size.max(1);
        if self.bytes >= batch_size && is_batch_done || self.bytes >= batch_size * 2 {
            *self = Self::default();
        }
    }
}

/// Draws a partition of these: its number and how many batches wait for it. With equal queues each
/// is as likely as any other.
pub(super) fn draw(queues: &[(i32, usize)], chance: u32) -> Option<i32> {
    let longest = queues.iter().map(|(_, waiting)| *waiting).max()?;
    let weights = queues.iter().map(|(partition, waiting)| (*partition, longest + 1 - waiting));
    let total: usize = weights.clone().map(|(_, weight)| weight).sum();
    let mut at = usize::try_from(chance).unwrap_or_default() % total;
    for (partition, weight) in weights {
        if at < weight {
            return Some(partition);
        }
        at -= weight;
    }
    None
}
