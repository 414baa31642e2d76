//! 29: A leader that was frozen, or cut off, and replaced meanwhile acknowledges nothing that its
//! successor does not have: once the successor leads, it must hold the record.

use super::truth::Truth;
use super::{Scene, Verdict, ensure};
use crate::replication::broker::Acknowledged;

pub(crate) fn check(scene: &Scene<'_>, truth: &Truth, acknowledged: &Acknowledged) -> Verdict {
    let Acknowledged { broker, partition, offset, value, leader_epoch } = *acknowledged;
    if !truth.binds(leader_epoch) {
        return Ok(());
    }
    for other in scene.brokers.iter().filter(|other| other.id != broker && other.leads(partition)) {
        let replica = &other.hosted[&partition].replica;
        if replica.leader_epoch() <= leader_epoch {
            continue;
        }
        let entry = replica.log().entry(offset);
        ensure(entry.is_some_and(|entry| entry.value == value), || {
            format!(
                "partition {partition}: broker {broker}, leader of epoch {leader_epoch}, \
                 acknowledged {value:#x} at {offset}; broker {} leads in {} and has {entry:?}",
                other.id,
                replica.leader_epoch()
            )
        })?;
    }
    Ok(())
}
