//! 11: When faults stop, everything is in sync within the time of the plan, and every write is
//! served: nothing waits for ever for somebody who will not come (KAFKA-15021). While two brokers
//! do not reach each other, which everybody else does, the partitions of both are served without
//! one of them.

use super::{Scene, Verdict, ensure};
use crate::replication::clients::Producer;

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
    pub(crate) fn served_without(&self, producers: &[Producer]) -> Verdict {
        for (producer, before) in producers.iter().zip(&self.settled).filter(|(p, _)| p.acks == -1)
        {
            ensure(producer.acknowledged.len() > *before, || {
                format!(
                    "producer {} of partition {} has nothing acknowledged while two brokers do not \
                     reach each other, {:?} is out",
                    producer.index, producer.partition, producer.out
                )
            })?;
        }
        Ok(())
    }

    pub(crate) fn check(&self, scene: &Scene<'_>, producers: &[Producer]) -> Verdict {
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
                let same = log.is_some_and(|log| log.entries() == leader.entries());
                ensure(same, || {
                    let end = log.map(|log| log.end());
                    format!(
                        "partition {partition}: replica {id} ends at {end:?} and is not its leader \
                         {}, which ends at {}",
                        state.leader,
                        leader.end()
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
        Ok(())
    }
}
