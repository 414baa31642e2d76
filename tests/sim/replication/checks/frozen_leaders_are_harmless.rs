//! 29: A leader that was frozen, or cut off, and replaced meanwhile acknowledges nothing that its
//! successor does not have: once the successor leads, it must hold the record.

use super::truth::Truth;
use super::{Evaluated, Scene, ensure};
use crate::replication::broker::Acknowledged;

pub(crate) fn check(scene: &Scene<'_>, truth: &Truth, acknowledged: &Acknowledged) -> Evaluated {
    let Acknowledged { broker, partition, leader_epoch, .. } = *acknowledged;
    let mut looked = 0;
    if !truth.binds(leader_epoch) {
        return Ok(0);
    }
    for other in scene.brokers.iter().filter(|other| other.id != broker && other.leads(partition)) {
        let replica = &other.hosted[&partition].replica;
        if replica.leader_epoch() <= leader_epoch {
            continue;
        }
        for (offset, value) in acknowledged.each() {
            let entry = replica.log().entry(offset);
            let stands = entry.is_some_and(|entry| entry.value == value);
            looked += 1;
            ensure(stands || truth.is_deleted_in(replica.log(), offset), || {
                format!(
                    "partition {partition}: broker {broker}, leader of epoch {leader_epoch}, \
                     acknowledged {value:#x} at {offset}; broker {} leads in {} and has {entry:?}",
                    other.id,
                    replica.leader_epoch()
                )
            })?;
        }
    }
    Ok(looked)
}
