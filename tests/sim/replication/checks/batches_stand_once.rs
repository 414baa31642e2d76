//! 14, 15: A producer's sequences stand in the log once each, without a gap, from 0 on, however
//! often it had to repeat them and whoever led meanwhile. No value stands twice.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scene, Verdict, ensure};

pub(crate) fn check(scene: &Scene<'_>, partition: usize) -> Verdict {
    let Some(state) = scene.controller.partition(partition) else { return Ok(()) };
    for broker in state.replicas.iter().filter_map(|id| scene.broker(*id)) {
        let Some(log) = broker.log(partition) else { continue };
        let mut next: BTreeMap<u32, u32> = BTreeMap::new();
        let mut values = BTreeSet::new();
        for (offset, entry) in log.entries().iter().enumerate() {
            ensure(values.insert(entry.value), || {
                format!("partition {partition}: value {:#x} stands twice", entry.value)
            })?;
            if entry.producer == 0 {
                continue;
            }
            let expected = next.entry(entry.producer).or_default();
            ensure(entry.sequence == *expected, || {
                format!(
                    "partition {partition}, broker {}, offset {offset}: {entry:?} where sequence \
                     {expected} comes next",
                    broker.id
                )
            })?;
            *expected += 1;
        }
    }
    Ok(())
}
