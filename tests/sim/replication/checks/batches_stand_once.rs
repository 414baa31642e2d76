//! 14, 15: A producer's sequences stand in the log once each, without a gap, from 0 on or from
//! where the log starts by now, however often it had to repeat them and whoever led meanwhile. No
//! value stands twice, and no batch in part, but for one in which the log starts.

use std::collections::{BTreeMap, BTreeSet};

use super::truth::Truth;
use super::{Evaluated, Scene, ensure};
use crate::replication::log::Entry;

pub(crate) fn check(scene: &Scene<'_>, truth: &Truth, partition: usize) -> Evaluated {
    let Some(state) = scene.controller.partition(partition) else { return Ok(0) };
    let mut looked = 0;
    for broker in state.replicas.iter().filter_map(|id| scene.broker(*id)) {
        let Some(log) = broker.log(partition) else { continue };
        let mut next: BTreeMap<u32, u32> = BTreeMap::new();
        let mut values = BTreeSet::new();
        let mut before: Option<(i64, Entry)> = None;
        for (offset, entry) in log.entries() {
            looked += 1;
            ensure(values.insert(entry.value), || {
                format!("partition {partition}: value {:#x} stands twice", entry.value)
            })?;
            ensure(entry.place == 0 || before.is_none() || follows(before, offset, entry), || {
                format!("partition {partition}, offset {offset}: {entry:?} behind {before:?}")
            })?;
            before = Some((offset, *entry));
            if entry.producer == 0 {
                continue;
            }
            let first = if log.start() > 0 || truth.may_start_later() { entry.sequence } else { 0 };
            let expected = next.entry(entry.producer).or_insert(first);
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
    Ok(looked)
}

/// Whether a record stands behind the one before it in the same batch.
fn follows(before: Option<(i64, Entry)>, offset: i64, entry: &Entry) -> bool {
    before.is_some_and(|(at, before)| {
        at + 1 == offset && before.place + 1 == entry.place && before.value + 1 == entry.value
    })
}
