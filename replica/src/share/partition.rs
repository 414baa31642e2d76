//! The share partition itself: what is in flight, between which offsets, and what is asked of it
//! that only looks.
//!
//! Kept true: no two batches overlap; every batch that is not yet passed begins at or behind the
//! start offset or contains it; none ends behind the end offset.

use std::collections::{BTreeMap, BTreeSet};

use super::in_flight::InFlightBatch;
use super::writes::Writes;

/// Names a transition of records until it is persisted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub(super) u64);

/// What the group's configuration says at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How often a record is delivered at most.
    pub delivery_count: i32,
    /// How many records are in flight at most.
    pub in_flight: i64,
    /// For how long a member has what it acquired.
    pub record_lock_duration_ms: i64,
    /// Whether members may renew their locks (KIP-1222).
    pub renew: bool,
}

/// One partition as one share group consumes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharePartition {
    /// By their first offset.
    pub(super) batches: BTreeMap<i64, InFlightBatch>,
    /// Everything below is done with.
    pub(super) start_offset: i64,
    /// The last offset in flight; the next to be read where nothing is.
    pub(super) end_offset: i64,
    /// Records below the end may be available again.
    pub(super) may_be_available: bool,
    /// What the persisted state leaves open.
    pub(super) gap: Option<GapWindow>,
    /// When locks end, with the first offset of the batch that has them; entries may be outdated.
    pub(super) locks: BTreeSet<(i64, i64)>,
    pub(super) state_epoch: i32,
    pub(super) writes: Writes,
}

/// Offsets between persisted state batches: they were read before, but nothing is known of them, so
/// they are read again. It is of no importance once the end moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GapWindow {
    pub(super) start_offset: i64,
    pub(super) end_offset: i64,
}

impl SharePartition {
    #[must_use]
    pub fn start_offset(&self) -> i64 {
        self.start_offset
    }

    #[must_use]
    pub fn end_offset(&self) -> i64 {
        self.end_offset
    }

    #[must_use]
    pub fn state_epoch(&self) -> i32 {
        self.state_epoch
    }

    /// Where reading goes on while the gap window is of importance; never below the start.
    pub(super) fn gap_start(&self) -> Option<i64> {
        let gap = self.gap.filter(|gap| gap.end_offset == self.end_offset)?;
        Some(gap.start_offset.max(self.start_offset))
    }

    /// The window begins where nothing is known of the log, not before; where nothing is left open,
    /// there is none.
    pub(super) fn narrow_gap(&mut self) {
        let Some(mut start) = self.gap_start() else { return };
        for batch in self.batches.range(self.floor(start).unwrap_or(start)..).map(|(_, b)| b) {
            if batch.first > start {
                break;
            }
            start = start.max(batch.last + 1);
        }
        let end_offset = self.end_offset;
        let open = GapWindow { start_offset: start, end_offset };
        self.gap = (start <= end_offset).then_some(open);
    }

    /// How many offsets are in flight. Kafka: `numInFlightRecords`.
    #[must_use]
    pub fn in_flight(&self) -> i64 {
        if self.batches.is_empty() { 0 } else { self.end_offset - self.start_offset + 1 }
    }

    /// How many batches are kept.
    #[must_use]
    pub fn batch_count(&self) -> usize {
        self.batches.len()
    }

    /// How many records from the start offset on the group is done with.
    #[must_use]
    pub fn delivery_complete_count(&self) -> i64 {
        let states = self.batches.values().flat_map(InFlightBatch::states);
        let terminal = states
            .filter(|(_, last, state)| *last >= self.start_offset && state.state.is_terminal());
        terminal.map(|(first, last, _)| last - first.max(self.start_offset) + 1).sum()
    }

    /// The first offset of the last batch that begins at or below `offset`.
    pub(super) fn floor(&self, offset: i64) -> Option<i64> {
        self.batches.range(..=offset).next_back().map(|(first, _)| *first)
    }

    /// The first offsets of the batches that begin between the two.
    pub(super) fn keys(&self, from: i64, to: i64) -> Vec<i64> {
        if from > to {
            return Vec::new();
        }
        self.batches.range(from..=to).map(|(first, _)| *first).collect()
    }

    /// Whether the start offset lies within a batch, behind its first offset.
    pub(super) fn start_is_within(&self, first: i64, last: i64) -> bool {
        first < self.start_offset && last >= self.start_offset
    }

    /// What must be true after every step.
    #[cfg(any(test, feature = "planted"))]
    pub fn invariants(&self) -> Result<(), String> {
        let mut behind = i64::MIN;
        for (key, batch) in &self.batches {
            let sound = *key == batch.first && batch.first > behind && batch.first <= batch.last;
            if !sound || batch.last > self.end_offset {
                return Err(format!("batch {key} of {batch:?} behind {behind} in {self:?}"));
            }
            behind = batch.last;
            for (first, _, state) in batch.states() {
                let acquired = state.state == super::RecordState::Acquired;
                if acquired != state.holder.is_some() || acquired && state.in_transition() {
                    return Err(format!("offset {first} is {state:?}"));
                }
            }
        }
        if self.start_offset > self.end_offset + 1 {
            return Err(format!("it starts behind its end: {self:?}"));
        }
        Ok(())
    }
}
