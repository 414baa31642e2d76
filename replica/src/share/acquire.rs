//! A member acquires records: what is available again first, then what was not in flight yet.
//!
//! Batches are kept as the log has them, so that a batch of a thousand records costs one entry.
//! Kafka: `SharePartition.acquire`, `acquireNewBatchRecords`, `createBatches`.

use super::aborted::{FetchedBatch, aborted_ranges, without};
use super::acquisition::{AcquiredRecords, Acquisition, Fetched, Wanted};
use super::in_flight::{InFlightBatch, InFlightState, Tracking};
use super::partition::{Limits, SharePartition};
use super::planted::{Bug, is_planted};
use super::record_state::RecordState;

impl SharePartition {
    /// The offset from which on nothing that a read gives would change what is acquired, unless the
    /// log has nothing below it: what is in flight is looked at whole, and behind it offsets are
    /// taken one after the other.
    pub fn enough(&self, wanted: &Wanted, fetch_offset: i64) -> i64 {
        let begins = fetch_offset.max(self.start_offset).max(self.end_offset + 1);
        begins.saturating_add(wanted.max_records)
    }

    /// Those of the log's batches that an acquisition looks at: a read may give megabytes, of which
    /// a fetch takes some hundred records.
    pub fn acquirable(
        &self,
        wanted: &Wanted,
        fetch_offset: i64,
        batches: impl Iterator<Item = FetchedBatch>,
    ) -> Vec<FetchedBatch> {
        let mut looked_at = Vec::new();
        let mut enough = self.enough(wanted, fetch_offset);
        for batch in batches {
            if looked_at.is_empty() {
                enough = enough.max(batch.base_offset.saturating_add(wanted.max_records));
            }
            looked_at.push(batch);
            if batch.last_offset >= enough {
                break;
            }
        }
        looked_at
    }

    /// Acquires of what was read as much as is wanted and may be.
    pub fn acquire(
        &mut self,
        wanted: &Wanted,
        fetched: Fetched<'_>,
        limits: &Limits,
        now_ms: i64,
    ) -> Vec<AcquiredRecords> {
        let (Some(first), Some(last)) = (fetched.batches.first(), fetched.batches.last()) else {
            return Vec::new();
        };
        if wanted.max_records <= 0 || last.last_offset < self.start_offset {
            return Vec::new();
        }
        let Some((left, last)) =
            self.room(fetched.fetch_offset, wanted.max_records, last.last_offset, limits)
        else {
            return Vec::new();
        };
        let locked_until_ms = now_ms.saturating_add(limits.record_lock_duration_ms);
        let acquired = Vec::new();
        let mut taking =
            Acquisition { wanted, fetched, limits, locked_until_ms, left, last, acquired };
        self.archive_stale(fetched.fetch_offset, first.base_offset);
        // The log has nothing in between, so nothing is left open there.
        if let Some(gap_start) = self.gap_start()
            && fetched.fetch_offset <= gap_start
        {
            self.move_gap(first.base_offset.max(gap_start));
        }
        self.take(&mut taking, first.base_offset);
        self.narrow_gap();
        let ranges = aborted_ranges(fetched.batches, fetched.aborted);
        let acquired = taking.acquired;
        if ranges.is_empty() || acquired.is_empty() {
            return acquired;
        }
        for (first, last) in &ranges {
            self.archive(*first, *last, RecordState::Acquired);
        }
        // Unlike Kafka: nobody acknowledges these, so that nothing else would move the start past
        // them (decision 0490).
        self.advance_start();
        without(acquired, &ranges)
    }

    /// How many records there is room for, and up to which offset. Within what is in flight there
    /// is always room: those count already.
    fn room(
        &self,
        fetch_offset: i64,
        max_records: i64,
        last: i64,
        limits: &Limits,
    ) -> Option<(i64, i64)> {
        let room = max_records.min(limits.in_flight - self.in_flight());
        if room > 0 {
            return Some((room, last));
        }
        let within = self.end_offset - fetch_offset + 1;
        (within > 0).then(|| (max_records.min(within), last.min(self.end_offset)))
    }

    fn take(&mut self, taking: &mut Acquisition<'_>, fetched_base: i64) {
        let mut base = fetched_base;
        match self.floor(base).and_then(|first| self.batches.get(&first)) {
            None => base = base.max(self.start_offset),
            Some(batch) if batch.last >= base => base = batch.first,
            Some(_) => {}
        }
        let keys = self.keys(fetched_base.min(base), taking.last);
        let Some(last_key) = keys.last().copied() else {
            self.take_new(taking, base, taking.last);
            return;
        };
        let last_known = self.batches.get(&last_key).map_or(base, |batch| batch.last);
        let mut next = base;
        for key in keys {
            if taking.left <= 0 {
                break;
            }
            if self.gap_start().is_some() {
                if next < key {
                    self.take_new(taking, next, key - 1);
                    if taking.left <= 0 {
                        break;
                    }
                }
                next = self.batches.get(&key).map_or(next, |batch| batch.last + 1);
            }
            if self.take_known(taking, key).is_break() {
                taking.left = 0;
                break;
            }
        }
        if taking.left > 0 && last_known < taking.last {
            self.take_new(taking, last_known + 1, taking.last);
        }
        if let Some(records) = taking.acquired.last() {
            self.move_gap(records.last_offset + 1);
        }
    }

    /// Takes what is available of a batch in flight. It ends there when the batch has been
    /// delivered often: what has is not mixed with what has not.
    fn take_known(&mut self, taking: &mut Acquisition<'_>, key: i64) -> std::ops::ControlFlow<()> {
        use std::ops::ControlFlow::{Break, Continue};
        let Some(batch) = self.batches.get_mut(&key) else { return Continue(()) };
        let is_throttled = taking.is_throttled(batch);
        if is_throttled && !taking.acquired.is_empty() {
            return Break(());
        }
        let is_too_large = taking.is_record_limit() && batch.len() > taking.left;
        let is_apart =
            is_throttled || is_too_large || !batch.is_within(taking.first(), taking.last);
        let taken = match &mut batch.tracking {
            Tracking::Whole(state) if !is_acquirable(state) => 0,
            Tracking::Whole(state) if !is_apart => {
                state.acquire(&taking.wanted.member, taking.locked_until_ms);
                let count = state.delivery_count;
                taking.acquired.push(AcquiredRecords::new(batch.first, batch.last, count));
                taking.left -= batch.len();
                batch.len()
            }
            Tracking::Whole(_) | Tracking::PerOffset(_) => {
                batch.split();
                taking.take_single(batch)
            }
        };
        if taken > 0 {
            self.locks.insert((taking.locked_until_ms, key));
        }
        if is_throttled && taken > 0 { Break(()) } else { Continue(()) }
    }

    /// Takes records that were not in flight yet, of those from `first` to `last`.
    fn take_new(&mut self, taking: &mut Acquisition<'_>, first: i64, last: i64) {
        // What was done with and forgotten is not taken again.
        let done_below = if self.batches.is_empty() { self.end_offset } else { self.start_offset };
        let first = first.max(done_below);
        let mut end = last;
        if taking.left < last - first + 1 {
            end = taking.batch_end(first + taking.left - 1);
            if self.gap_start().is_some() {
                end = end.min(last);
            }
        }
        if end < first {
            return;
        }
        let told_to = self.add_batches(taking, first, end);
        if self.batches.first_key_value().is_some_and(|(key, _)| *key == first) {
            self.start_offset = self.start_offset.max(first);
        }
        self.end_offset = self.end_offset.max(end);
        self.move_gap(told_to + 1);
        taking.left -= told_to - first + 1;
    }

    /// Puts new records in flight; the last of them that the member is given.
    fn add_batches(&mut self, taking: &mut Acquisition<'_>, first: i64, end: i64) -> i64 {
        let (holder, until) = (&taking.wanted.member, taking.locked_until_ms);
        let fresh = InFlightState::acquired(holder, until);
        if taking.is_record_limit() && end - first + 1 > taking.left {
            let told_to = first + taking.left - 1;
            let mut batch =
                InFlightBatch::whole(first, end, InFlightState::new(RecordState::Available, 0));
            batch.split();
            batch.states_mut(first, told_to).for_each(|(.., state)| *state = fresh.clone());
            self.batches.insert(first, batch);
            self.locks.insert((until, first));
            self.may_be_available = true;
            taking.acquired.push(AcquiredRecords::new(first, told_to, 1));
            return told_to;
        }
        for (first, last) in self.batches_of_size(taking, first, end) {
            self.batches.insert(first, InFlightBatch::whole(first, last, fresh.clone()));
            self.locks.insert((until, first));
            taking.acquired.push(AcquiredRecords::new(first, last, 1));
        }
        end
    }

    /// Cuts new records at ends of the log's batches once they are as many as is wanted at once.
    fn batches_of_size(&self, taking: &Acquisition<'_>, first: i64, end: i64) -> Vec<(i64, i64)> {
        let mut ranges = Vec::new();
        let mut from = first;
        let size = taking.wanted.batch_size.max(1);
        if !taking.is_record_limit() && end - first + 1 > size {
            let bases = taking.fetched.batches.iter().map(|batch| batch.base_offset);
            for base in bases.take_while(|base| *base <= end) {
                if base - from >= size {
                    ranges.push((from, base - 1));
                    from = base;
                }
            }
        }
        ranges.push((from, end));
        ranges
    }

    /// What the persisted state left open has been read up to `offset`.
    fn move_gap(&mut self, offset: i64) {
        if let Some(gap) = &mut self.gap {
            if gap.end_offset == self.end_offset && offset <= gap.end_offset {
                gap.start_offset = offset;
            } else {
                self.gap = None;
            }
        }
    }
}

fn is_acquirable(state: &InFlightState) -> bool {
    let available = state.state == RecordState::Available;
    state.is_acquirable() || available && is_planted(Bug::AcquiresTransitions)
}
