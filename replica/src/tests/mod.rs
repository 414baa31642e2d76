//! The partition on a log in memory: a small language to set one up and to let followers fetch.
#![allow(unused_must_use, reason = "most steps are taken for what they change")]

mod fetch_plan;
mod fetching;
mod following;
mod isr;
mod leading;
mod memory_log;
mod moving;
mod reconciling;

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::*;
pub(crate) use memory_log::MemoryLog;

pub(crate) const THREE: Bytes = Bytes::from_static(b"abc");
pub(crate) const LAG_MS: i64 = 30_000;

/// Brokers 1 to 5, alive, with epoch 100 + id, unless said otherwise.
pub(crate) struct Cluster(BTreeMap<i32, BrokerView>);

impl Cluster {
    pub(crate) fn new() -> Self {
        let alive = |id: i32| BrokerView {
            epoch: 100 + i64::from(id),
            fenced: false,
            shutting_down: false,
        };
        Self((1..=5).map(|id| (id, alive(id))).collect())
    }

    pub(crate) fn with(mut self, id: i32, change: impl FnOnce(&mut BrokerView)) -> Self {
        change(self.0.get_mut(&id).expect("a broker"));
        self
    }

    pub(crate) fn at(&self, monotonic_ms: i64) -> StepContext<'_> {
        StepContext { wall_ms: 0, monotonic_ms, brokers: self }
    }
}

impl Brokers for Cluster {
    fn broker(&self, id: i32) -> Option<BrokerView> {
        self.0.get(&id).copied()
    }
}

pub(crate) fn registration(leader: i32, leader_epoch: i32, isr: &[i32]) -> Registration {
    Registration {
        leader,
        leader_epoch,
        partition_epoch: 10 * leader_epoch,
        replicas: vec![1, 2, 3],
        adding: vec![],
        removing: vec![],
        isr: isr.to_vec(),
        recovery: Recovery::Recovered,
    }
}

pub(crate) fn settings(min_in_sync: usize) -> Settings {
    Settings { broker_id: 1, lag_time_max_ms: LAG_MS, min_in_sync }
}

/// Broker 1 leads replicas 1, 2, 3 under epoch 5.
pub(crate) fn leading(log: MemoryLog, isr: &[i32], min_in_sync: usize) -> Partition<MemoryLog> {
    let mut partition = Partition::new(log, 0, settings(min_in_sync));
    let effects = partition.lead(&registration(1, 5, isr), &Cluster::new().at(0)).unwrap();
    assert!(effects.is_empty());
    partition
}

pub(crate) fn fetch(replica_id: i32, fetch_offset: i64) -> FollowerFetch {
    FollowerFetch {
        replica_id,
        broker_epoch: 100 + i64::from(replica_id),
        current_leader_epoch: 5,
        fetch_offset,
        last_fetched_epoch: -1,
        log_start_offset: 0,
    }
}

pub(crate) fn produce(
    partition: &mut Partition<MemoryLog>,
    acks: Acks,
    token: Token,
) -> Result<bool, NotAppended<&'static str>> {
    let cluster = Cluster::new();
    let (outcome, effects) =
        partition.append(&THREE, acks, (Origin::Client, ()), token, &cluster.at(0))?;
    assert!(effects.answered.is_empty());
    Ok(outcome.committed)
}

/// Which ids a proposal would have in sync.
pub(crate) fn proposed(effects: &Effects) -> Option<Vec<i32>> {
    let proposal = effects.propose.as_ref()?;
    Some(proposal.isr.iter().map(|member| member.id).collect())
}

pub(crate) fn changed(partition_epoch: i32, isr: &[i32]) -> IsrAnswer {
    IsrAnswer::Changed {
        leader_epoch: 5,
        partition_epoch,
        isr: isr.to_vec(),
        recovery: Recovery::Recovered,
    }
}
