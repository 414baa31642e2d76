//! Which leader epoch began at which offset (KIP-101, KIP-279), in `leader-epoch-checkpoint`.
//! Answers to Kafka's `LeaderEpochFileCache`.
//!
//! Invariant: epochs and start offsets both ascend strictly.
//!
//! The file is replaced on every change and synced when the log is: until then recovery reads the
//! epochs out of the batches again, so nothing depends on it.

use std::fmt::Write as _;

use crate::checkpoint;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEntry {
    pub epoch: i32,
    pub start_offset: i64,
}

#[derive(Debug, Default)]
pub(crate) struct LeaderEpochs {
    entries: Vec<EpochEntry>,
}

impl LeaderEpochs {
    pub(crate) fn decode(content: &[u8]) -> Result<Self, checkpoint::MalformedLine> {
        let parsed = checkpoint::decode(content, |line| {
            let (epoch, offset) = line.split_once(' ')?;
            let entry =
                EpochEntry { epoch: epoch.parse().ok()?, start_offset: offset.parse().ok()? };
            (entry.epoch >= 0 && entry.start_offset >= 0).then_some(entry)
        })?;
        let mut epochs = Self::default();
        for entry in parsed {
            epochs.assign(entry.epoch, entry.start_offset);
        }
        Ok(epochs)
    }

    pub(crate) fn encode(&self) -> String {
        checkpoint::encode(self.entries.iter(), |entry, text| {
            let _ = write!(text, "{} {}", entry.epoch, entry.start_offset);
        })
    }

    pub(crate) fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    pub(crate) fn latest(&self) -> Option<EpochEntry> {
        self.entries.last().copied()
    }

    pub(crate) fn earliest(&self) -> Option<EpochEntry> {
        self.entries.first().copied()
    }

    /// Notes that `epoch` begins at `start_offset`; entries that contradict it go. Whether anything
    /// changed.
    pub(crate) fn assign(&mut self, epoch: i32, start_offset: i64) -> bool {
        if epoch < 0 {
            return false;
        }
        if let Some(latest) = self.latest()
            && latest.epoch == epoch
            && start_offset >= latest.start_offset
        {
            return false;
        }
        while self
            .latest()
            .is_some_and(|entry| entry.epoch >= epoch || entry.start_offset >= start_offset)
        {
            self.entries.pop();
        }
        self.entries.push(EpochEntry { epoch, start_offset });
        true
    }

    /// The largest epoch at or below `epoch` and where it ends; `None` where Kafka answers
    /// undefined.
    pub(crate) fn end_offset_for(&self, epoch: i32, log_end_offset: i64) -> Option<(i32, i64)> {
        // A follower that has no epoch yet asks with -1.
        if epoch < 0 {
            return None;
        }
        let latest = self.latest()?;
        if latest.epoch == epoch {
            return Some((epoch, log_end_offset));
        }
        let above = self.entries.partition_point(|entry| entry.epoch <= epoch);
        let higher = self.entries.get(above)?;
        match above.checked_sub(1) {
            // Older than all that is known: its end is where the first known one begins.
            None => Some((epoch, higher.start_offset)),
            Some(floor) => Some((self.entries[floor].epoch, higher.start_offset)),
        }
    }

    pub(crate) fn epoch_for_offset(&self, offset: i64) -> Option<i32> {
        let above = self.entries.partition_point(|entry| entry.start_offset <= offset);
        above.checked_sub(1).map(|index| self.entries[index].epoch)
    }

    /// Drops epochs that begin at or after `end_offset`.
    pub(crate) fn truncate_from_end(&mut self, end_offset: i64) -> bool {
        let kept = self.entries.partition_point(|entry| entry.start_offset < end_offset);
        let changed = kept < self.entries.len();
        self.entries.truncate(kept);
        changed
    }

    /// Drops epochs that ended at or before `start_offset`; the one that covers it begins there.
    pub(crate) fn truncate_from_start(&mut self, start_offset: i64) -> bool {
        let covered = self.entries.partition_point(|entry| entry.start_offset <= start_offset);
        let Some(covering) = covered.checked_sub(1) else {
            return false;
        };
        if covering == 0 && self.entries[0].start_offset == start_offset {
            return false;
        }
        self.entries.drain(..covering);
        self.entries[0].start_offset = start_offset;
        true
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(entries: &[(i32, i64)]) -> LeaderEpochs {
        let mut epochs = LeaderEpochs::default();
        for &(epoch, offset) in entries {
            epochs.assign(epoch, offset);
        }
        epochs
    }

    fn list(epochs: &LeaderEpochs) -> Vec<(i32, i64)> {
        epochs.entries().iter().map(|entry| (entry.epoch, entry.start_offset)).collect()
    }

    #[test]
    fn a_contradicting_entry_removes_what_it_contradicts() {
        for (entry, expected) in [
            ((5, 30), vec![(1, 0), (2, 10), (4, 20), (5, 30)]),
            ((4, 25), vec![(1, 0), (2, 10), (4, 20)]),
            ((4, 15), vec![(1, 0), (2, 10), (4, 15)]),
            ((3, 15), vec![(1, 0), (2, 10), (3, 15)]),
            ((6, 10), vec![(1, 0), (6, 10)]),
            ((0, 0), vec![(0, 0)]),
        ] {
            let mut epochs = epochs(&[(1, 0), (2, 10), (4, 20)]);
            epochs.assign(entry.0, entry.1);
            assert_eq!(list(&epochs), expected, "{entry:?}");
        }
    }

    #[test]
    fn the_end_of_an_epoch_is_where_the_next_known_one_begins() {
        let epochs = epochs(&[(2, 10), (4, 20)]);
        for (epoch, expected) in [
            (1, Some((1, 10))),
            (2, Some((2, 20))),
            (3, Some((2, 20))),
            (4, Some((4, 99))),
            (5, None),
        ] {
            assert_eq!(epochs.end_offset_for(epoch, 99), expected, "{epoch}");
        }
        assert_eq!(LeaderEpochs::default().end_offset_for(0, 99), None);
    }

    #[test]
    fn truncation_keeps_the_epoch_that_covers_the_edge() {
        let mut cut = epochs(&[(1, 0), (2, 10), (4, 20)]);
        assert!(cut.truncate_from_end(20));
        assert_eq!(list(&cut), [(1, 0), (2, 10)]);
        assert!(cut.truncate_from_start(5));
        assert_eq!(list(&cut), [(1, 5), (2, 10)]);
        assert!(cut.truncate_from_start(10));
        assert_eq!(list(&cut), [(2, 10)]);
        assert!(!cut.truncate_from_start(10) && !cut.truncate_from_start(3));
        assert_eq!((cut.epoch_for_offset(9), cut.epoch_for_offset(10)), (None, Some(2)));
    }

    #[test]
    fn the_file_is_kafkas() {
        let epochs = epochs(&[(0, 0), (3, 1000)]);
        assert_eq!(epochs.encode(), "0\n2\n0 0\n3 1000\n");
        let read = LeaderEpochs::decode(epochs.encode().as_bytes()).unwrap();
        assert_eq!(read.entries(), epochs.entries());
        assert!(LeaderEpochs::decode(b"0\n1\n-1 0\n").is_err());
    }
}
