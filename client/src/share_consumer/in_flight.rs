//! Records that the application has, and what it said of them.
//!
//! Pure. Answers to `ShareFetch`.

use std::collections::{BTreeMap, BTreeSet};

use super::acknowledgements::{AcknowledgeType, Acknowledgements, ByPartition};
use super::{ShareConsumerError, TopicIdPartition};
use crate::consumer::TopicPartition;

#[derive(Debug, Default)]
struct Batch {
    offsets: BTreeSet<i64>,
    acknowledged: Acknowledgements,
}

/// By the leader that gave them.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    batches: BTreeMap<(i32, TopicIdPartition), Batch>,
}

impl InFlight {
    pub(super) fn add(
        &mut self,
        node: i32,
        partition: TopicIdPartition,
        offsets: Vec<i64>,
        acknowledged: Acknowledgements,
    ) {
        let batch = self.batches.entry((node, partition)).or_default();
        batch.offsets.extend(offsets);
        batch.acknowledged.merge(acknowledged);
    }

    pub(super) fn acknowledge(
        &mut self,
        partition: &TopicPartition,
        offset: i64,
        acknowledged: AcknowledgeType,
    ) -> Result<(), ShareConsumerError> {
        let mut batches = self.batches.iter_mut();
        let found = batches
            .find(|((_, of), batch)| of.partition == *partition && batch.offsets.contains(&offset));
        let (_, batch) = found.ok_or(ShareConsumerError::NotDelivered)?;
        batch.acknowledged.add(offset, acknowledged);
        Ok(())
    }

    /// Says so of what nothing was said of.
    pub(super) fn acknowledge_all(&mut self, acknowledged: AcknowledgeType) {
        for batch in self.batches.values_mut() {
            for offset in &batch.offsets {
                if !batch.acknowledged.has(*offset) {
                    batch.acknowledged.add(*offset, acknowledged);
                }
            }
        }
    }

    /// Whether something was said of every record.
    pub(super) fn is_acknowledged(&self) -> bool {
        let mut batches = self.batches.values();
        batches.all(|batch| batch.offsets.iter().all(|offset| batch.acknowledged.has(*offset)))
    }

    /// Takes what was said out, and the records of which it was; by leader.
    pub(super) fn take(&mut self) -> BTreeMap<i32, ByPartition> {
        let mut taken: BTreeMap<i32, ByPartition> = BTreeMap::new();
        for ((node, partition), batch) in &mut self.batches {
            let acknowledged = std::mem::take(&mut batch.acknowledged);
            batch.offsets.retain(|offset| !acknowledged.has(*offset));
            if !acknowledged.is_empty() {
                taken.entry(*node).or_default().insert(partition.clone(), acknowledged);
            }
        }
        self.batches.retain(|_, batch| !batch.offsets.is_empty());
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::AcknowledgeType::{Accept, Reject, Release};
    use super::*;

    fn in_flight() -> (InFlight, TopicPartition) {
        let partition = TopicIdPartition::new(uuid::Uuid::from_u128(1), "t", 0);
        let mut in_flight = InFlight::default();
        let mut gaps = Acknowledgements::default();
        gaps.add_gap(3, 3);
        in_flight.add(7, partition.clone(), vec![1, 2], gaps);
        (in_flight, partition.partition)
    }

    #[test]
    fn what_is_in_flight_is_acknowledged_once_and_nothing_else_is() {
        let (mut in_flight, partition) = in_flight();
        let refused = Err(ShareConsumerError::NotDelivered);
        assert_eq!(in_flight.acknowledge(&partition, 3, Accept), refused);
        assert_eq!(in_flight.acknowledge(&TopicPartition::new("t", 1), 1, Accept), refused);
        in_flight.acknowledge(&partition, 1, Release).unwrap();
        in_flight.acknowledge(&partition, 1, Reject).unwrap();
        assert!(!in_flight.is_acknowledged());
        let taken = in_flight.take();
        let batches = taken[&7].values().next().unwrap().batches();
        let short: Vec<_> = batches.iter().map(|batch| (batch.first, batch.types[0])).collect();
        assert_eq!(short, [(1, 3), (3, 0)]);
        assert_eq!(in_flight.acknowledge(&partition, 1, Accept), refused);
        in_flight.acknowledge_all(Accept);
        assert!(in_flight.is_acknowledged());
        assert_eq!(in_flight.take().len(), 1);
        assert!(in_flight.take().is_empty());
    }
}
