//! What a share consumer says of records that it was given.
//!
//! Pure. Kept true: batches come sorted by offset and do not overlap, which a broker insists on.
//! Answers to `Acknowledgements`.

use std::collections::BTreeMap;

use super::TopicIdPartition;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcknowledgeType {
    /// It is done with.
    Accept,
    /// Somebody shall have it again.
    Release,
    /// Nobody shall have it again.
    Reject,
}

/// An offset at which there is no record.
const GAP: i8 = 0;

impl AcknowledgeType {
    fn id(self) -> i8 {
        match self {
            Self::Accept => 1,
            Self::Release => 2,
            Self::Reject => 3,
        }
    }
}

/// What is said of the records of one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Acknowledgements {
    types: BTreeMap<i64, AcknowledgeType>,
    /// Offsets of which the consumer speaks by itself, from the first to the last of each: what
    /// holds no record, and what cannot be read.
    ranges: BTreeMap<i64, (i64, i8)>,
}

/// Acknowledgements by partition.
pub(super) type ByPartition = BTreeMap<TopicIdPartition, Acknowledgements>;

/// Neighbouring offsets as a request has them: one type for all, or one for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AcknowledgementBatch {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) types: Vec<i8>,
}

impl Acknowledgements {
    pub(super) fn is_empty(&self) -> bool {
        self.types.is_empty() && self.ranges.is_empty()
    }

    pub(super) fn add(&mut self, offset: i64, acknowledged: AcknowledgeType) {
        self.types.insert(offset, acknowledged);
    }

    pub(super) fn has(&self, offset: i64) -> bool {
        self.types.contains_key(&offset)
    }

    pub(super) fn add_gap(&mut self, first: i64, last: i64) {
        self.ranges.insert(first, (last, GAP));
    }

    pub(super) fn reject(&mut self, first: i64, last: i64) {
        self.ranges.insert(first, (last, AcknowledgeType::Reject.id()));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.types.extend(other.types);
        self.ranges.extend(other.ranges);
    }

    /// Every offset that is spoken of, in order.
    pub(super) fn offsets(&self) -> Vec<i64> {
        let ranges = self.ranges.iter().flat_map(|(first, (last, _))| *first..=*last);
        let mut offsets: Vec<i64> = self.types.keys().copied().chain(ranges).collect();
        offsets.sort_unstable();
        offsets
    }

    pub(super) fn batches(&self) -> Vec<AcknowledgementBatch> {
        let mut batches: Vec<AcknowledgementBatch> = Vec::new();
        for (&offset, &acknowledged) in &self.types {
            match batches.last_mut() {
                Some(last) if last.last.checked_add(1) == Some(offset) => {
                    last.last = offset;
                    last.types.push(acknowledged.id());
                }
                _ => batches.push(AcknowledgementBatch {
                    first: offset,
                    last: offset,
                    types: vec![acknowledged.id()],
                }),
            }
        }
        for batch in &mut batches {
            if batch.types.iter().all(|one| Some(one) == batch.types.first()) {
                batch.types.truncate(1);
            }
        }
        let of_range = |(&first, &(last, id)): (&i64, &(i64, i8))| AcknowledgementBatch {
            first,
            last,
            types: vec![id],
        };
        batches.extend(self.ranges.iter().map(of_range));
        batches.sort_by_key(|batch| batch.first);
        batches
    }
}

/// Adds acknowledgements to those that there are.
pub(super) fn merge_all(into: &mut ByPartition, from: ByPartition) {
    for (partition, acknowledgements) in from {
        into.entry(partition).or_default().merge(acknowledgements);
    }
}

#[cfg(test)]
mod tests {
    use super::AcknowledgeType::{Accept, Reject, Release};
    use super::*;

    fn batches(acknowledgements: &Acknowledgements) -> Vec<(i64, i64, Vec<i8>)> {
        let batches = acknowledgements.batches().into_iter();
        batches.map(|batch| (batch.first, batch.last, batch.types)).collect()
    }

    #[test]
    fn neighbours_of_one_type_need_it_once() {
        let mut acknowledgements = Acknowledgements::default();
        assert!(acknowledgements.is_empty() && acknowledgements.batches().is_empty());
        (5..8).for_each(|offset| acknowledgements.add(offset, Accept));
        acknowledgements.add(9, Release);
        acknowledgements.add(10, Reject);
        acknowledgements.add(10, Accept);
        assert_eq!(batches(&acknowledgements), [(5, 7, vec![1]), (9, 10, vec![2, 1])]);
        assert!(acknowledgements.has(9) && !acknowledgements.has(8));
    }

    #[test]
    fn what_the_consumer_says_by_itself_stands_between_what_the_application_says() {
        let mut acknowledgements = Acknowledgements::default();
        acknowledgements.add(2, Accept);
        acknowledgements.add(6, Accept);
        acknowledgements.add_gap(3, 5);
        let mut other = Acknowledgements::default();
        other.reject(7, 8);
        other.add(6, Release);
        acknowledgements.merge(other);
        let expected = [(2, 2, vec![1]), (3, 5, vec![0]), (6, 6, vec![2]), (7, 8, vec![3])];
        assert_eq!(batches(&acknowledgements), expected);
        assert_eq!(acknowledgements.offsets(), [2, 3, 4, 5, 6, 7, 8]);
    }
}
