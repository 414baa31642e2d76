//! 9: Whom the controller counts as in sync, the leader counts too, from before the controller does
//! until after it no longer does; else records could be committed that a member does not have.

use replica::Role;

use super::{Scene, Verdict, ensure};

pub(crate) fn check(scene: &Scene<'_>, partition: usize) -> Verdict {
    let Some(state) = scene.controller.partition(partition) else { return Ok(()) };
    let Some(broker) = scene.broker(state.leader).filter(|broker| broker.up) else {
        return Ok(());
    };
    let Some(hosted) = broker.hosted.get(&partition) else { return Ok(()) };
    let Role::Leader(leader) = hosted.replica.role() else { return Ok(()) };
    if hosted.replica.leader_epoch() != state.leader_epoch {
        return Ok(());
    }
    for id in state.isr.iter().filter(|id| **id != broker.id) {
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
    Ok(())
}
