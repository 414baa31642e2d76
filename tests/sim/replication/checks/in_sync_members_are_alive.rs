//! 8: The in-sync set never holds a broker that is fenced, shutting down or unknown (KIP-841), and
//! the leader is a member of it.

use super::{Evaluated, Scene, ensure};

pub(crate) fn check(scene: &Scene<'_>) -> Evaluated {
    let mut looked = 0;
    let cluster = scene.controller.image().cluster();
    for partition in 0..scene.plan.partitions {
        let Some(state) = scene.controller.partition(partition) else { continue };
        for id in &state.isr {
            looked += 1;
            ensure(cluster.is_active(*id), || {
                format!("partition {partition}: broker {id} in ISR {:?} is not active", state.isr)
            })?;
        }
        ensure(!state.has_leader() || state.isr.contains(&state.leader), || {
            format!("partition {partition}: leader {} is not in {:?}", state.leader, state.isr)
        })?;
    }
    Ok(looked)
}
