//! 8: Everybody whom the controller may elect holds every committed record: the in-sync set and the
//! eligible leader replicas, but for one that lost power and has not registered since.
//!
//! Since logs match (10), the last committed record stands for all.

use super::truth::Truth;
use super::{Evaluated, Scene, ensure};

pub(crate) fn check(scene: &Scene<'_>, truth: &Truth, partition: usize) -> Evaluated {
    let at = truth.end() - 1;
    let (Some(state), Some(last)) = (scene.controller.partition(partition), truth.entry(at)) else {
        return Ok(0);
    };
    if truth.excused {
        return Ok(0);
    }
    let mut looked = 0;
    for id in state.isr.iter().chain(&state.elr) {
        let Some(broker) = scene.broker(*id).filter(|broker| !broker.crashed) else { continue };
        let log = broker.log(partition);
        looked += 1;
        ensure(log.is_some_and(|log| truth.stands_in(log, at)), || {
            let entry = log.and_then(|log| log.entry(at));
            format!(
                "partition {partition}: broker {id} may lead (ISR {:?}, ELR {:?}, leader {} in \
                 epoch {}) but has {entry:?} at {at}, where {last:?} is committed",
                state.isr, state.elr, state.leader, state.leader_epoch
            )
        })?;
    }
    Ok(looked)
}
