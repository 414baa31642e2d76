//! Acquisition locks end: what a member has not acknowledged in time is available again at once.
//!
//! That is persisted, too, but nothing waits for it: should it be lost, the record is delivered
//! once more than it may be. Kafka: `AcquisitionLockTimerTask`,
//! `SharePartition.releaseAcquisitionLockOnTimeout`.

use super::acknowledge::state_batch;
use super::in_flight::Tracking;
use super::partition::{Limits, SharePartition};
use super::planted::{Bug, is_planted};
use super::record_state::RecordState;

impl SharePartition {
    /// When [`Self::expire`] has something to do at the earliest.
    #[must_use]
    pub fn next_timeout(&self) -> Option<i64> {
        self.locks.first().map(|(until, _)| *until)
    }

    /// Ends the locks whose time is over. How many records lost theirs.
    pub fn expire(&mut self, limits: &Limits, now_ms: i64) -> i64 {
        let mut expired = 0;
        let start = self.start_offset;
        let mut persisted = Vec::new();
        while let Some(&(until, first)) = self.locks.first().filter(|(until, _)| *until <= now_ms) {
            self.locks.remove(&(until, first));
            let Some(batch) = self.batches.get_mut(&first) else { continue };
            if is_planted(Bug::LocksForever) {
                continue;
            }
            if let Tracking::Whole(state) = &batch.tracking
                && state.state == RecordState::Acquired
                && state.locked_until_ms.is_some_and(|until| until <= now_ms)
                && batch.first < start
                && batch.last >= start
            {
                batch.split();
            }
            for (first, last, state) in batch.states_mut(i64::MIN, i64::MAX) {
                let over = state.locked_until_ms.is_some_and(|until| until <= now_ms);
                if state.state != RecordState::Acquired || !over {
                    continue;
                }
                let below_start = last < start;
                let to = if below_start { RecordState::Archived } else { RecordState::Available };
                state.give_up(to, limits.delivery_count);
                self.may_be_available |= state.state == RecordState::Available;
                expired += last - first + 1;
                persisted.push(state_batch(first, last, state));
            }
        }
        self.writes.add(persisted);
        expired
    }
}
