//! 16: When a client is told that records are deleted, every replica that is alive as far as the
//! leader knows has started behind them: none shows them, or leads with them, unless a crash took
//! it back.

use std::collections::BTreeMap;

use replica::Role;

use super::truth::Truth;
use super::{Evaluated, Scene, ensure};
use crate::replication::deletions::Deleted;
use crate::replication::message::NodeId;

#[derive(Debug, Default)]
pub(crate) struct DeletionsReachEverybody {
    pub(crate) deletions: u64,
    /// The latest start that a replica ever had.
    starts: BTreeMap<(NodeId, usize), i64>,
}

impl DeletionsReachEverybody {
    pub(crate) fn started(&mut self, broker: NodeId, partition: usize, at: i64) {
        let start = self.starts.entry((broker, partition)).or_default();
        *start = at.max(*start);
    }

    pub(crate) fn check(
        &mut self,
        scene: &Scene<'_>,
        truth: &Truth,
        deleted: &Deleted,
    ) -> Evaluated {
        self.deletions += 1;
        let Deleted { broker, partition, requested, low_watermark, leader_epoch } = *deleted;
        let Some(leader) = scene.broker(broker).filter(|_| truth.binds(leader_epoch)) else {
            return Ok(0);
        };
        ensure(low_watermark >= requested, || {
            format!(
                "partition {partition}: leader {broker} says {requested} is deleted and \
                 {low_watermark} is the first left"
            )
        })?;
        let Some(topic) = leader.image.topics().by_name("t") else { return Ok(0) };
        let Some(state) = topic.partition(partition as i32) else { return Ok(0) };
        let mut looked = 0;
        // A replica that a reassignment adds has no log before the leader has applied that.
        let Some(Role::Leader(role)) = leader.hosted.get(&partition).map(|own| own.replica.role())
        else {
            return Ok(0);
        };
        let known = |id: &i32| *id == broker || role.followers().contains_key(id);
        let alive = |id: &&i32| known(id) && leader.image.cluster().is_active(**id);
        for id in state.replicas.iter().filter(alive) {
            looked += 1;
            let start = self.starts.get(&(*id, partition)).copied().unwrap_or(0);
            ensure(start >= requested, || {
                format!(
                    "partition {partition}: leader {broker} says that everything before \
                     {requested} is deleted, broker {id} has started at {start} at most"
                )
            })?;
        }
        Ok(looked)
    }
}
