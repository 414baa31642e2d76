//! 15: What a leader's session leaves out of its answers its follower has heard: when all is quiet
//! every follower has its leader's high watermark, and starts no earlier than its leader (KIP-227).

use super::{Evaluated, Scene, ensure};

pub(crate) fn check(scene: &Scene<'_>) -> Evaluated {
    let mut looked = 0;
    for partition in 0..scene.plan.partitions {
        let state = scene.controller.partition(partition);
        let state = state.ok_or("the topic was never created")?;
        let marks = |id: i32| {
            let replica = &scene.broker(id)?.hosted.get(&partition)?.replica;
            Some((replica.high_watermark(), replica.bounds().log_start_offset))
        };
        let leaders = marks(state.leader).ok_or("the leader hosts no replica")?;
        for id in state.replicas.iter().filter(|id| **id != state.leader) {
            looked += 1;
            let own = marks(*id).ok_or("a follower hosts no replica")?;
            ensure(own.0 == leaders.0 && own.1 >= leaders.1, || {
                format!(
                    "partition {partition}: replica {id} has high watermark and start {own:?}, its \
                     leader {} {leaders:?}",
                    state.leader
                )
            })?;
        }
    }
    Ok(looked)
}
