//! Who the producer is, and the sequence of each partition's next batch (KIP-98, KIP-360).
//!
//! Pure. Kept true: batches of a partition are sent in the order of their sequences; one that is
//! sent again waits until nothing older of its partition is on the wire; after a gap nothing is
//! sent until the wire is empty, and then under a new epoch from sequence 0. Answers to
//! `TransactionManager` and `TxnPartitionMap`, whose rewriting of batches on the wire is not needed
//! here: they are waited for.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::Sequence;

/// A topic and a partition of it.
pub(super) type TopicPartition = (Arc<str>, i32);

#[derive(Debug, Default)]
struct Entry {
    producer_id: i64,
    epoch: i16,
    next: i32,
    last_acked: Option<i32>,
    last_acked_offset: i64,
    /// Base sequences of batches on the wire.
    on_wire: Vec<i32>,
    /// A gap: a new epoch before anything else is sent.
    needs_epoch: bool,
}

#[derive(Debug)]
pub(super) struct Sequences {
    producer_id: i64,
    epoch: i16,
    entries: HashMap<TopicPartition, Entry>,
}

impl Default for Sequences {
    fn default() -> Self {
        Self { producer_id: -1, epoch: -1, entries: HashMap::new() }
    }
}

impl Sequences {
    pub(super) fn needs_producer_id(&self) -> bool {
        self.producer_id < 0
    }

    pub(super) fn identity(&self) -> (i64, i16) {
        (self.producer_id, self.epoch)
    }

    pub(super) fn identified(&mut self, producer_id: i64, epoch: i16) {
        self.producer_id = producer_id;
        self.epoch = epoch;
    }

    /// Whether the first batch that waits for this partition may go; `sequence` where it went
    /// before.
    pub(super) fn may_send(&self, partition: &TopicPartition, sequence: Option<Sequence>) -> bool {
        if self.needs_producer_id() {
            return false;
        }
        let Some(entry) = self.entries.get(partition) else { return true };
        if entry.on_wire.is_empty() {
            return true;
        }
        let is_stale = (entry.producer_id, entry.epoch) != self.identity();
        if entry.needs_epoch || is_stale {
            return false;
        }
        match sequence {
            Some(sequence) => entry.on_wire.iter().all(|older| is_before(sequence.base, *older)),
            None => true,
        }
    }

    /// The sequence of a batch of so many records that goes now. [`Self::may_send`] said yes.
    pub(super) fn assign(
        &mut self,
        partition: &TopicPartition,
        sent_as: Option<Sequence>,
        records: i32,
    ) -> Sequence {
        let (mut producer_id, mut epoch) = self.identity();
        let entry = self.entries.entry(partition.clone()).or_default();
        if entry.needs_epoch {
            match epoch {
                // The next one is another producer.
                i16::MAX => (producer_id, epoch) = (-1, -1),
                _ => epoch += 1,
            }
            (self.producer_id, self.epoch) = (producer_id, epoch);
        }
        if (entry.producer_id, entry.epoch) != (producer_id, epoch) || entry.needs_epoch {
            *entry = Entry { producer_id, epoch, last_acked_offset: -1, ..Entry::default() };
        }
        let stays = sent_as.filter(|sent| (sent.producer_id, sent.epoch) == (producer_id, epoch));
        let base = stays.map_or(entry.next, |sent| sent.base);
        if stays.is_none() {
            entry.next = plus(base, records);
        }
        entry.on_wire.push(base);
        Sequence { producer_id, epoch, base }
    }

    /// A batch came back, however it ended.
    pub(super) fn returned(&mut self, partition: &TopicPartition, sequence: Sequence) {
        if let Some(entry) = self.current(partition, sequence) {
            entry.on_wire.retain(|base| *base != sequence.base);
        }
    }

    pub(super) fn acknowledged(
        &mut self,
        partition: &TopicPartition,
        sequence: Sequence,
        records: i32,
        last_offset: i64,
    ) {
        if let Some(entry) = self.current(partition, sequence) {
            let last = plus(sequence.base, records - 1);
            // A duplicate's answer of another leader may come after that of a later batch.
            if entry.last_acked.is_none_or(|acked| is_before(acked, last)) {
                entry.last_acked = Some(last);
            }
            entry.last_acked_offset = entry.last_acked_offset.max(last_offset);
        }
    }

    /// What was sent under this sequence will not be sent again, and may or may not be in the log.
    pub(super) fn lost(&mut self, partition: &TopicPartition, sequence: Sequence) {
        if let Some(entry) = self.current(partition, sequence) {
            entry.needs_epoch = true;
        }
    }

    /// Whether a batch is the one that the log waits for.
    pub(super) fn is_next(&self, partition: &TopicPartition, sequence: Sequence) -> bool {
        self.entries
            .get(partition)
            .is_none_or(|entry| entry.last_acked.map_or(0, |last| plus(last, 1)) == sequence.base)
    }

    fn current(&mut self, partition: &TopicPartition, sequence: Sequence) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(partition)?;
        let own = (entry.producer_id, entry.epoch);
        (own == (sequence.producer_id, sequence.epoch)).then_some(entry)
    }
}

/// Sequences go on from 0 after the largest one.
fn plus(sequence: i32, count: i32) -> i32 {
    (sequence.wrapping_add(count)) & i32::MAX
}

fn is_before(one: i32, other: i32) -> bool {
    // The half of the circle ahead of it.
    other.wrapping_sub(one) & i32::MAX < i32::MAX / 2
}
