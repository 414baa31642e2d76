//! Where a share partition is to be read next, and whether it may take more.
//! Kafka: `SharePartition.nextFetchOffset`, `canAcquireRecords`.

use super::in_flight::InFlightBatch;
use super::partition::{Limits, SharePartition};
use super::planted::{Bug, is_planted};

impl SharePartition {
    /// The first offset that somebody may acquire.
    pub fn next_fetch_offset(&mut self) -> i64 {
        let end = self.end_offset;
        let none_in_flight =
            self.batches.last_key_value().is_none_or(|(_, batch)| batch.last < self.start_offset);
        if none_in_flight {
            self.may_be_available = false;
            return end;
        }
        if !self.may_be_available {
            return end + 1;
        }
        match self.first_available() {
            Some(offset) => offset,
            None => {
                self.may_be_available = false;
                end + 1
            }
        }
    }

    fn first_available(&self) -> Option<i64> {
        let mut gap_start = self.gap_start().filter(|_| !is_planted(Bug::SkipsGaps));
        for batch in self.batches.values() {
            if let Some(start) = gap_start {
                if batch.first > start {
                    return Some(start);
                }
                gap_start = Some(start.max(batch.last + 1));
            }
            if let Some(first) = acquirable(batch) {
                return Some(first);
            }
        }
        None
    }

    /// Whether a fetch may acquire something at all.
    pub fn can_acquire(&mut self, limits: &Limits) -> bool {
        self.next_fetch_offset() != self.end_offset + 1 || self.in_flight() < limits.in_flight
    }
}

fn acquirable(batch: &InFlightBatch) -> Option<i64> {
    let mut states = batch.states();
    states.find(|(.., state)| state.is_acquirable()).map(|(first, ..)| first)
}
