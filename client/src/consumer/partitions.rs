//! The partitions a consumer reads, and where it stands in each.
//!
//! Pure. Kept true: a position only moves by what was handed out, by a seek, or by a reset; a
//! partition is asked for at its position alone. Those that brought records go behind the others,
//! so that each gets its turn where a fetch is full. Answers to `SubscriptionState`.

use std::collections::HashMap;
use std::time::Duration;

use super::fetched::TopicPartition;
use super::settings::OffsetReset;

/// Where a partition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The group is asked what was committed.
    Committed,
    /// The log is asked where it begins, or ends.
    Reset(OffsetReset),
    At(Position),
}

/// The next record's offset, and the epoch of the last one's leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) offset: i64,
    pub(super) epoch: i32,
}

#[derive(Debug)]
struct State {
    place: Place,
    /// Not asked for before this time: its last answer was an error that passes.
    rests_until: Duration,
}

/// Every partition that is assigned.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    states: HashMap<TopicPartition, State>,
    /// In the order they are asked for.
    order: Vec<TopicPartition>,
    /// Counts assignments: answers to what was asked before are too late.
    pub(super) round: u64,
}

impl Partitions {
    pub(super) fn assign(&mut self, partitions: Vec<TopicPartition>, place: Place) {
        self.round += 1;
        let state = |_: &TopicPartition| State { place, rests_until: Duration::ZERO };
        self.states = partitions.iter().map(|one| (one.clone(), state(one))).collect();
        self.order = partitions;
    }

    /// The partitions are these from now on; those that stay keep their place.
    pub(super) fn reassign(&mut self, partitions: Vec<TopicPartition>, place: Place) {
        let mut old = std::mem::take(&mut self.states);
        self.assign(partitions, place);
        for (partition, state) in &mut self.states {
            if let Some(kept) = old.remove(partition) {
                *state = kept;
            }
        }
    }

    pub(super) fn all(&self) -> &[TopicPartition] {
        &self.order
    }

    pub(super) fn place(&self, partition: &TopicPartition) -> Option<Place> {
        self.states.get(partition).map(|state| state.place)
    }

    /// Moves a partition, whether it is assigned or not any more.
    pub(super) fn put(&mut self, partition: &TopicPartition, place: Place) {
        if let Some(state) = self.states.get_mut(partition) {
            state.place = place;
        }
    }

    pub(super) fn rest(&mut self, partition: &TopicPartition, until: Duration) {
        if let Some(state) = self.states.get_mut(partition) {
            state.rests_until = until;
        }
    }

    /// Records were handed out: the position is behind them, and the others come first.
    pub(super) fn advance(&mut self, partition: &TopicPartition, position: Position) {
        self.put(partition, Place::At(position));
        if let Some(at) = self.order.iter().position(|one| one == partition) {
            let moved = self.order.remove(at);
            self.order.push(moved);
        }
    }

    /// The partitions that stand so and do not rest, in their order; and when the first of those
    /// that rest may be asked for.
    pub(super) fn waiting(
        &self,
        now: Duration,
        is_meant: impl Fn(Place) -> bool,
    ) -> (Vec<(TopicPartition, Place)>, Option<Duration>) {
        let mut ready = Vec::new();
        let mut next: Option<Duration> = None;
        for partition in &self.order {
            let Some(state) = self.states.get(partition) else { continue };
            if !is_meant(state.place) {
                continue;
            }
            if state.rests_until > now {
                let until = state.rests_until;
                next = Some(next.map_or(until, |earliest| earliest.min(until)));
            } else {
                ready.push((partition.clone(), state.place));
            }
        }
        (ready, next)
    }

    /// What a commit says.
    pub(super) fn positions(&self) -> Vec<(TopicPartition, Position)> {
        let at = |partition: &TopicPartition| match self.place(partition)? {
            Place::At(position) => Some((partition.clone(), position)),
            _ => None,
        };
        self.order.iter().filter_map(at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(index: i32) -> TopicPartition {
        TopicPartition::new("t", index)
    }

    const fn at(offset: i64) -> Position {
        Position { offset, epoch: 0 }
    }

    #[test]
    fn who_brought_records_is_asked_last_and_who_rests_not_at_all() {
        let mut partitions = Partitions::default();
        partitions.assign((0..3).map(named).collect(), Place::At(at(5)));
        partitions.advance(&named(0), at(9));
        partitions.rest(&named(1), Duration::from_secs(2));
        let (ready, next) = partitions.waiting(Duration::from_secs(1), |_| true);
        let expected = [(named(2), Place::At(at(5))), (named(0), Place::At(at(9)))];
        assert_eq!((ready.as_slice(), next), (&expected[..], Some(Duration::from_secs(2))));
        assert_eq!(partitions.waiting(Duration::from_secs(2), |_| true).0.len(), 3);
    }

    #[test]
    fn a_partition_that_stays_keeps_its_place() {
        let mut partitions = Partitions::default();
        partitions.assign(vec![named(0), named(1)], Place::At(at(3)));
        partitions.reassign(vec![named(1), named(2)], Place::Committed);
        let places = [0, 1, 2].map(|index| partitions.place(&named(index)));
        assert_eq!(places, [None, Some(Place::At(at(3))), Some(Place::Committed)]);
    }

    #[test]
    fn what_is_not_assigned_any_more_is_not_moved_and_not_committed() {
        let mut partitions = Partitions::default();
        partitions.assign(vec![named(0), named(1)], Place::Committed);
        let round = partitions.round;
        partitions.put(&named(1), Place::At(at(3)));
        assert_eq!(partitions.positions(), [(named(1), at(3))]);
        partitions.assign(vec![named(0)], Place::Committed);
        partitions.advance(&named(1), at(4));
        assert_eq!(partitions.positions(), []);
        assert!(partitions.round > round);
    }
}
