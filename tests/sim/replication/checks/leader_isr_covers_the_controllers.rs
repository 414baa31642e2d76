//! 9: Whom the controller counts as in sync, the leader counts too, from before the controller does
//! until after it no longer does; else records could be committed that a member does not have.

use replica::Role;

use super::{Evaluated, Scene, ensure};

pub(crate) fn check(scene: &Scene<'_>, partition: usize) -> Evaluated {
    let Some(state) = scene.controller.partition(partition) else { return Ok(0) };
    let Some(broker) = scene.broker(state.leader).filter(|broker| broker.up) else {
        return Ok(0);
    };
    let Some(hosted) = broker.hosted.get(&partition) else { return Ok(0) };
    let Role::Leader(leader) = hosted.replica.role() else { return Ok(0) };
    if hosted.replica.leader_epoch() != state.leader_epoch {
        return Ok(0);
    }
    let mut looked = 0;
    for id in state.isr.iter().filter(|id| **id != broker.id) {
        looked += 1;
        ensure(leader.may_be_in_sync(*id), || {
            format!(
                "partition {partition}: leader {} does not count {id} of the controller's ISR {:?} \
                 (its own {:?}, pending {:?})",
                broker.id,
                state.isr,
                leader.in_sync(),
                leader.pending()
            )
        })?;
    }
    Ok(looked)
}
