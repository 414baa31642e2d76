//! 7: What was acknowledged to acks=all is in the log of every leader that comes after, as long as
//! no leader was elected out of sync and no more machines lost their records than
//! min.insync.replicas covers (KIP-966). What was deleted may be gone.

use super::truth::Truth;
use super::{Evaluated, Scene, ensure};
use crate::replication::broker::{Acknowledged, SimBroker};

/// What was acknowledged, per partition.
#[derive(Debug)]
pub(crate) struct AcknowledgedIsNeverLost {
    partitions: Vec<Kept>,
}

#[derive(Debug, Default, Clone)]
struct Kept {
    /// Offset and value.
    acknowledged: Vec<(i64, u64)>,
    era: u64,
    /// The epoch whose leader was looked at last.
    checked: i32,
}

impl AcknowledgedIsNeverLost {
    pub(crate) fn new(partitions: usize) -> Self {
        Self { partitions: vec![Kept::default(); partitions] }
    }

    pub(crate) fn note(&mut self, truth: &Truth, acknowledged: &Acknowledged) {
        if truth.binds(acknowledged.leader_epoch) {
            let kept = &mut self.partitions[acknowledged.partition];
            kept.acknowledged.extend(acknowledged.each());
        }
    }

    /// Looks at every new leader.
    pub(crate) fn check(
        &mut self,
        scene: &Scene<'_>,
        truth: &Truth,
        partition: usize,
    ) -> Evaluated {
        let kept = &mut self.partitions[partition];
        if kept.era != truth.era {
            // What the excuse covered is forgotten; what is left is still promised.
            kept.era = truth.era;
            kept.acknowledged.retain(|(offset, value)| {
                truth.entry(*offset).is_some_and(|entry| entry.value == *value)
            });
        }
        let Some(state) = scene.controller.partition(partition) else { return Ok(0) };
        let Some(leader) = scene.broker(state.leader).filter(|leader| leader.leads(partition))
        else {
            return Ok(0);
        };
        let replica = &leader.hosted[&partition].replica;
        if truth.excused || kept.checked >= replica.leader_epoch() {
            return Ok(0);
        }
        kept.checked = replica.leader_epoch();
        kept.all_in(leader, truth, partition)
    }

    /// Looks at every replica.
    pub(crate) fn check_all(
        &self,
        scene: &Scene<'_>,
        truth: &Truth,
        partition: usize,
    ) -> Evaluated {
        debug_assert!(!truth.excused);
        let Some(state) = scene.controller.partition(partition) else { return Ok(0) };
        let mut looked = 0;
        for broker in state.replicas.iter().filter_map(|id| scene.broker(*id)) {
            looked += self.partitions[partition].all_in(broker, truth, partition)?;
        }
        Ok(looked)
    }
}

impl Kept {
    /// How many records were looked for.
    fn all_in(&self, broker: &SimBroker, truth: &Truth, partition: usize) -> Evaluated {
        let Some(log) = broker.log(partition) else { return Ok(0) };
        let mut looked = 0;
        for (offset, value) in &self.acknowledged {
            if truth.is_deleted_in(log, *offset) {
                continue;
            }
            looked += 1;
            let entry = log.entry(*offset);
            ensure(entry.is_some_and(|entry| entry.value == *value), || {
                let id = broker.id;
                format!(
                    "partition {partition}: {value:#x} was acknowledged at {offset}, broker {id} \
                     has {entry:?} and starts at {}",
                    log.start()
                )
            })?;
        }
        Ok(looked)
    }
}
