//! How the start offset moves: past records that the group is done with, and with the log's start.
//! Kafka: `SharePartition.maybeUpdateCachedStateAndOffsets`, `updateCacheAndOffsets`.

use super::in_flight::InFlightBatch;
use super::partition::SharePartition;
use super::record_state::RecordState;

impl SharePartition {
    /// Moves the start offset past what is done with. `true` if it moved.
    ///
    /// Unlike Kafka: where the log has no record any more for what the persisted state left open
    /// below the first batch, the start does not stay there for ever (decision 0490).
    pub(super) fn advance_start(&mut self) -> bool {
        self.narrow_gap();
        let Some((_, last_batch)) = self.batches.last_key_value() else { return false };
        let last_in_flight = last_batch.last;
        let Some(done_up_to) = self.done_up_to() else { return false };
        let before = self.start_offset;
        if done_up_to == last_in_flight {
            self.start_offset = before.max(last_in_flight + 1);
            self.end_offset = self.start_offset;
            self.batches.clear();
            return true;
        }
        let within = self.floor(done_up_to).and_then(|first| self.batches.get(&first));
        let ends_batch = within.is_some_and(|batch| batch.last == done_up_to);
        let first_kept = match within {
            Some(batch) if !ends_batch => batch.first,
            _ => done_up_to + 1,
        };
        let next_batch = self.batches.range(done_up_to + 1..).next().map(|(first, _)| *first);
        let mut start = match next_batch {
            Some(next) if ends_batch => next,
            _ => done_up_to + 1,
        };
        if let Some(gap_start) = self.gap_start().filter(|_| ends_batch) {
            start = start.min(gap_start);
        }
        self.start_offset = before.max(start);
        let kept = self.batches.split_off(&first_kept);
        let dropped = std::mem::replace(&mut self.batches, kept);
        self.start_offset > before || !dropped.is_empty()
    }

    /// The last offset up to which the group is done with everything that is in flight.
    fn done_up_to(&self) -> Option<i64> {
        let mut done = None;
        let gap_start = self.gap_start();
        for batch in self.batches.values() {
            if gap_start.is_some_and(|gap_start| batch.last >= gap_start) {
                break;
            }
            let settled = |(_, last, state): (i64, i64, &super::in_flight::InFlightState)| {
                state.is_settled().then_some(last)
            };
            let mut states = batch.states().map(settled);
            let reached = states.by_ref().map_while(|last| last).last();
            done = reached.or(done);
            if reached != Some(batch.last) {
                break;
            }
        }
        done
    }

    /// The log starts later than it did: what is available below is delivered no more; what is
    /// acquired stays with who has it, for as long as it may. `true` if there may be more to
    /// acquire.
    pub fn log_start_moved(&mut self, log_start_offset: i64) -> bool {
        if log_start_offset <= self.start_offset {
            return false;
        }
        if self.batches.is_empty() {
            (self.start_offset, self.end_offset) = (log_start_offset, log_start_offset);
            return true;
        }
        let available = RecordState::Available;
        let archived = self.archive(self.start_offset, log_start_offset - 1, available);
        self.may_be_available |= archived;
        self.start_offset = log_start_offset;
        self.end_offset = self.end_offset.max(log_start_offset);
        self.forget_passed();
        true
    }

    /// Batches below the start of which nobody has a record any more are kept no longer.
    fn forget_passed(&mut self) {
        let start = self.start_offset;
        let is_passed = |batch: &InFlightBatch| {
            batch.last < start && batch.states().all(|(.., state)| state.is_settled())
        };
        self.batches.retain(|_, batch| !is_passed(batch));
    }
}
