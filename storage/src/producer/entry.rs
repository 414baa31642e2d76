//! One producer's memory: its epoch, its last five batches, its open transaction. Answers to
//! Kafka's `ProducerStateEntry`, `BatchMetadata` and `TxnMetadata`.

use std::collections::VecDeque;

use protocol::batch::{NO_PRODUCER_EPOCH, NO_SEQUENCE, NO_TIMESTAMP};

/// Batches remembered per producer: clients have at most five in flight.
const BATCHES_MAX: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchMetadata {
    pub last_sequence: i32,
    pub last_offset: i64,
    pub offset_delta: i32,
    pub timestamp: i64,
}

impl BatchMetadata {
    pub(crate) fn first_sequence(&self) -> i32 {
        decrement_sequence(self.last_sequence, self.offset_delta)
    }

    pub(crate) fn first_offset(&self) -> i64 {
        self.last_offset - i64::from(self.offset_delta)
    }
}

/// Sequences live in `0..=i32::MAX` and wrap.
fn decrement_sequence(sequence: i32, by: i32) -> i32 {
    if sequence < by { i32::MAX - (by - sequence) + 1 } else { sequence - by }
}

/// A transaction whose marker was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
    /// Offset of the marker.
    pub last_offset: i64,
    pub aborted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProducerEntry {
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub coordinator_epoch: i32,
    pub last_timestamp: i64,
    pub transaction_first_offset: Option<i64>,
    pub(crate) batches: VecDeque<BatchMetadata>,
}

impl ProducerEntry {
    pub(crate) fn empty(producer_id: i64) -> Self {
        Self {
            producer_id,
            producer_epoch: NO_PRODUCER_EPOCH,
            coordinator_epoch: -1,
            last_timestamp: NO_TIMESTAMP,
            transaction_first_offset: None,
            batches: VecDeque::new(),
        }
    }

    /// -1 when no batch is remembered.
    pub(crate) fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    /// -1 when no batch is remembered.
    pub(crate) fn last_offset(&self) -> i64 {
        self.batches.back().map_or(-1, |batch| batch.last_offset)
    }

    pub(crate) fn last_offset_delta(&self) -> i32 {
        self.batches.back().map_or(0, |batch| batch.offset_delta)
    }

    pub(crate) fn add_batch(&mut self, producer_epoch: i16, batch: BatchMetadata) {
        self.enter_epoch(producer_epoch);
        self.remember(batch);
        self.last_timestamp = batch.timestamp;
    }

    pub(crate) fn enter_epoch(&mut self, producer_epoch: i16) {
        if self.producer_epoch != producer_epoch {
            self.batches.clear();
            self.producer_epoch = producer_epoch;
        }
    }

    fn remember(&mut self, batch: BatchMetadata) {
        if self.batches.len() == BATCHES_MAX {
            self.batches.pop_front();
        }
        self.batches.push_back(batch);
    }

    /// Takes over what an append found out; its batches follow ours.
    pub(crate) fn update(&mut self, next: Self) {
        self.enter_epoch(next.producer_epoch);
        for batch in next.batches {
            self.remember(batch);
        }
        self.coordinator_epoch = next.coordinator_epoch;
        self.transaction_first_offset = next.transaction_first_offset;
        self.last_timestamp = next.last_timestamp;
    }

    /// The remembered batch with exactly this epoch and range of sequences.
    pub(crate) fn duplicate_of(&self, epoch: i16, first: i32, last: i32) -> Option<BatchMetadata> {
        if epoch != self.producer_epoch {
            return None;
        }
        let same =
            |batch: &&BatchMetadata| batch.first_sequence() == first && batch.last_sequence == last;
        self.batches.iter().find(same).copied()
    }
}
