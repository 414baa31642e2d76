//! 7: What was acknowledged to acks=all is in the log of every leader that comes after, as long as
//! no leader was elected out of sync and no more machines lost their records than
//! min.insync.replicas covers (KIP-966).

use super::truth::Truth;
use super::{Scene, Verdict, ensure};
use crate::replication::broker::Acknowledged;
use crate::replication::log::SimLog;

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
            kept.acknowledged.push((acknowledged.offset, acknowledged.value));
        }
    }

    /// Looks at every new leader.
    pub(crate) fn check(&mut self, scene: &Scene<'_>, truth: &Truth, partition: usize) -> Verdict {
        let kept = &mut self.partitions[partition];
        if kept.era != truth.era {
            // What the excuse covered is forgotten; what is left is still promised.
            kept.era = truth.era;
            kept.acknowledged.retain(|(offset, value)| {
                truth.entries.get(*offset as usize).is_some_and(|entry| entry.value == *value)
            });
        }
        let Some(state) = scene.controller.partition(partition) else { return Ok(()) };
        let Some(leader) = scene.broker(state.leader).filter(|leader| leader.leads(partition))
        else {
            return Ok(());
        };
        let replica = &leader.hosted[&partition].replica;
        if truth.excused || kept.checked >= replica.leader_epoch() {
            return Ok(());
        }
        kept.checked = replica.leader_epoch();
        kept.all_in(replica.log(), partition, leader.id)
    }

    /// Looks at every replica.
    pub(crate) fn check_all(&self, scene: &Scene<'_>, truth: &Truth, partition: usize) -> Verdict {
        debug_assert!(!truth.excused);
        let Some(state) = scene.controller.partition(partition) else { return Ok(()) };
        for broker in state.replicas.iter().filter_map(|id| scene.broker(*id)) {
            if let Some(log) = broker.log(partition) {
                self.partitions[partition].all_in(log, partition, broker.id)?;
            }
        }
        Ok(())
    }
}

impl Kept {
    fn all_in(&self, log: &SimLog, partition: usize, id: i32) -> Verdict {
        for (offset, value) in &self.acknowledged {
            let entry = log.entry(*offset);
            ensure(entry.is_some_and(|entry| entry.value == *value), || {
                format!(
                    "partition {partition}: {value:#x} was acknowledged at {offset}, broker {id} \
                     has {entry:?}"
                )
            })?;
        }
        Ok(())
    }
}
