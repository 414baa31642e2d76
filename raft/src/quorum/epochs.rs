//! Where each epoch begins in the log: what the end of one log tells about another.
//!
//! Kept true: epochs and offsets grow together; the last epoch is that of the last record, or of
//! the snapshot where the log is empty. Answers to `LeaderEpochFileCache` and the part of
//! `KafkaMetadataLog` that asks it.

use super::log::EpochStart;
use super::snapshot_id::SnapshotId;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Epochs {
    starts: Vec<EpochStart>,
    /// Of the snapshot that an empty log stands on.
    below: i32,
}

impl Epochs {
    pub(super) fn new(mut starts: Vec<EpochStart>, newest: Option<SnapshotId>) -> Self {
        starts.sort_by_key(|start| start.epoch);
        Self { starts, below: newest.map_or(0, |id| id.epoch) }
    }

    /// The epoch of the last record; 0 for none.
    pub(super) fn last(&self) -> i32 {
        self.starts.last().map_or(self.below, |start| start.epoch)
    }

    /// A batch of `epoch` was appended at `offset`.
    pub(super) fn appended(&mut self, epoch: i32, offset: i64) {
        if self.starts.last().is_none_or(|last| last.epoch < epoch) {
            self.starts.push(EpochStart { epoch, start_offset: offset });
        }
    }

    pub(super) fn truncated_to(&mut self, offset: i64) {
        self.starts.retain(|start| start.start_offset < offset);
    }

    /// What the snapshot holds is gone from the log.
    pub(super) fn trimmed_before(&mut self, snapshot: SnapshotId) {
        let offset = snapshot.end_offset;
        self.below = snapshot.epoch;
        let older = self.starts.partition_point(|start| start.start_offset < offset);
        if let Some(last) = older.checked_sub(1) {
            self.starts.drain(..last);
            if let Some(first) = self.starts.first_mut() {
                first.start_offset = offset;
            }
        }
    }

    /// The log is empty and stands on a snapshot.
    pub(super) fn reset(&mut self, snapshot: SnapshotId) {
        self.starts.clear();
        self.below = snapshot.epoch;
    }

    /// The largest epoch up to `epoch` that the log knows, and the offset at which it ends.
    pub(super) fn end_of(
        &self,
        epoch: i32,
        log_end: i64,
        earliest: Option<SnapshotId>,
    ) -> (i32, i64) {
        if self.last() == epoch {
            return (epoch, log_end);
        }
        let later = self.starts.partition_point(|start| start.epoch <= epoch);
        let Some(next) = self.starts.get(later) else {
            return (self.last(), log_end);
        };
        let known = later.checked_sub(1).and_then(|at| self.starts.get(at));
        match (known, earliest) {
            (Some(known), _) => (known.epoch, next.start_offset),
            // Older than all that is here: what stood before is in the snapshot.
            (None, Some(id)) if id.end_offset == next.start_offset => (id.epoch, id.end_offset),
            (None, _) => (epoch, next.start_offset),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(epoch: i32, start_offset: i64) -> EpochStart {
        EpochStart { epoch, start_offset }
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let epochs = Epochs::new(vec![start(2, 10), start(4, 20), start(7, 30)], None);
        let snapshot = Some(SnapshotId { end_offset: 10, epoch: 1 });
        for (asked, earliest, wanted) in [
            (7, None, (7, 40)),
            (8, None, (7, 40)),
            (4, None, (4, 30)),
            (3, None, (2, 20)),
            (2, None, (2, 20)),
            (1, None, (1, 10)),
            (0, snapshot, (1, 10)),
        ] {
            assert_eq!(epochs.end_of(asked, 40, earliest), wanted, "epoch {asked}");
        }
    }

    #[test]
    fn the_count_follows_the_log() {
        let mut epochs = Epochs::default();
        assert_eq!(epochs.last(), 0);
        for (epoch, offset) in [(1, 0), (1, 5), (3, 8), (4, 12)] {
            epochs.appended(epoch, offset);
        }
        assert_eq!(epochs.starts, [start(1, 0), start(3, 8), start(4, 12)]);
        epochs.truncated_to(12);
        assert_eq!(epochs.last(), 3);
        epochs.trimmed_before(SnapshotId { end_offset: 9, epoch: 3 });
        assert_eq!(epochs.starts, [start(3, 9)]);
        epochs.truncated_to(9);
        assert_eq!((epochs.last(), epochs.starts.len()), (3, 0), "what the log stands on counts");
        epochs.reset(SnapshotId { end_offset: 50, epoch: 6 });
        assert_eq!((epochs.last(), epochs.end_of(6, 50, None)), (6, (6, 50)));
    }
}
