//! 8: Everybody whom the controller may elect holds every committed record: the in-sync set and the
//! eligible leader replicas, but for one that lost power and has not registered since.
//!
//! Since logs match (10), the last committed record stands for all.

use super::truth::Truth;
use super::{Scene, Verdict, ensure};

pub(crate) fn check(scene: &Scene<'_>, truth: &Truth, partition: usize) -> Verdict {
    let (Some(state), Some(last)) = (scene.controller.partition(partition), truth.entries.last())
    else {
        return Ok(());
    };
    if truth.excused {
        return Ok(());
    }
    let at = truth.end() - 1;
    for id in state.isr.iter().chain(&state.elr) {
        let Some(broker) = scene.broker(*id).filter(|broker| !broker.crashed) else { continue };
        let entry = broker.log(partition).and_then(|log| log.entry(at));
        ensure(entry == Some(last), || {
            format!(
                "partition {partition}: broker {id} may lead (ISR {:?}, ELR {:?}, leader {} in \
                 epoch {}) but has {entry:?} at {at}, where {last:?} is committed",
                state.isr, state.elr, state.leader, state.leader_epoch
            )
        })?;
    }
    Ok(())
}
