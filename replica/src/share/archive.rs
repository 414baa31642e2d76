//! Records that are delivered no more although nobody acknowledged them: they are below the log's
//! start, compacted away, or of aborted transactions. Kafka: `SharePartition.archiveRecords`.

use super::in_flight::Tracking;
use super::partition::SharePartition;
use super::record_state::RecordState;

impl SharePartition {
    /// Archives what lies between the two offsets and is in that state. `true` if anything was.
    pub(super) fn archive(&mut self, first: i64, last: i64, state: RecordState) -> bool {
        let mut archived = false;
        let from = self.floor(first).unwrap_or(first);
        for batch in self.batches.range_mut(from..=last.max(from)).map(|(_, batch)| batch) {
            if batch.last < first {
                continue;
            }
            if let Tracking::Whole(whole) = &batch.tracking
                && !batch.is_within(first, last)
            {
                if whole.state != state {
                    continue;
                }
                batch.split();
            }
            for (_, _, found) in batch.states_mut(first, last) {
                if found.state == state {
                    found.archive();
                    archived = true;
                }
            }
        }
        archived
    }

    /// The log had nothing from `fetch_offset` on up to `base_offset`: what is available there was
    /// compacted away.
    pub(super) fn archive_stale(&mut self, fetch_offset: i64, base_offset: i64) {
        if fetch_offset < base_offset
            && self.archive(fetch_offset, base_offset - 1, RecordState::Available)
        {
            self.may_be_available = true;
        }
    }
}
