//! 11: When faults stop, everything is in sync within the time of the plan, and every write is
//! served: nothing waits for ever for somebody who will not come (KAFKA-15021). While two brokers
//! do not reach each other, which everybody else does, the partitions of both are served without
//! one of them.

use super::{Evaluated, Scene, ensure};
use crate::replication::clients::Producer;
use crate::replication::log::SimLog;

#[derive(Debug, Default)]
pub(crate) struct EverythingHeals {
    /// What each producer had acknowledged when the faults stopped.
    before: Vec<usize>,
    /// And when everything had come to terms with the one link that was still down.
    settled: Vec<usize>,
}

fn acknowledged(producers: &[Producer]) -> Vec<usize> {
    producers.iter().map(|producer| producer.acknowledged.len()).collect()
}

impl EverythingHeals {
    pub(crate) fn healed(&mut self, producers: &[Producer]) {
        self.before = acknowledged(producers);
    }

    pub(crate) fn settled(&mut self, producers: &[Producer]) {
        self.settled = acknowledged(producers);
    }

    /// Before the last link is up.
    pub(crate) fn served_without(&self, producers: &[Producer]) -> Evaluated {
        let mut looked = 0;
        for (producer, before) in producers.iter().zip(&self.settled).filter(|(p, _)| p.acks == -1)
        {
            looked += 1;
            ensure(producer.acknowledged.len() > *before, || {
                format!(
                    "producer {} of partition {} has nothing acknowledged while two brokers do not \
                     reach each other, {:?} is out",
                    producer.index, producer.partition, producer.out
                )
            })?;
        }
        Ok(looked)
    }

    pub(crate) fn check(&self, scene: &Scene<'_>, producers: &[Producer]) -> Evaluated {
        let mut looked = 0;
        for partition in 0..scene.plan.partitions {
            let state = scene.controller.partition(partition);
            let state = state.ok_or("the topic was never created")?;
            let all = state.replicas.iter().all(|id| state.isr.contains(id));
            ensure(state.has_leader() && all && !state.is_reassigning(), || {
                format!("partition {partition} is not in sync: {state:?}")
            })?;
            let leader = scene.broker(state.leader).and_then(|broker| broker.log(partition));
            let leader = leader.ok_or("the leader has no log")?;
            for id in &state.replicas {
                let log = scene.broker(*id).and_then(|broker| broker.log(partition));
                let log = log.ok_or("a replica has no log")?;
                looked += 1;
                let differs = log.differs_at(leader);
                ensure(differs.is_none(), || {
                    let at = differs.unwrap_or(-1);
                    let shown = |log: &SimLog| (log.start(), log.end(), log.entry(at).copied());
                    format!(
                        "partition {partition}, offset {at}: replica {id} is {:?} and not its \
                         leader {}, which is {:?}",
                        shown(log),
                        state.leader,
                        shown(leader)
                    )
                })?;
            }
        }
        for (producer, before) in producers.iter().zip(&self.before).filter(|(p, _)| p.acks == -1) {
            ensure(producer.out.is_none() && producer.acknowledged.len() > *before, || {
                format!(
                    "producer {} of partition {}: {} acknowledged, {before} when the faults \
                     stopped, {:?} is out",
                    producer.index,
                    producer.partition,
                    producer.acknowledged.len(),
                    producer.out
                )
            })?;
        }
        Ok(looked)
    }
}
