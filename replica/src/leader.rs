//! What a leader knows of its partition: its epoch and which replicas are in sync.
//!
//! Invariant: the leader itself is always in the in-sync set; its own log end is not stored here
//! but asked of the log. Kafka: the leader half of `kafka.cluster.Partition`.

use std::collections::BTreeMap;

/// State of the leader role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderState {
    broker_id: i32,
    leader_epoch: i32,
    in_sync: Vec<i32>,
    /// Log end offset of each other replica as its last fetch claimed.
    follower_ends: BTreeMap<i32, i64>,
}

impl LeaderState {
    /// A leader that has just been elected by the controller with this in-sync set.
    pub fn new(broker_id: i32, leader_epoch: i32, replicas: &[i32], in_sync: &[i32]) -> Self {
        let follower_ends =
            replicas.iter().filter(|id| **id != broker_id).map(|id| (*id, -1)).collect();
        Self { broker_id, leader_epoch, in_sync: in_sync.to_vec(), follower_ends }
    }

    /// The epoch this leadership has; records are appended under it.
    pub fn leader_epoch(&self) -> i32 {
        self.leader_epoch
    }

    /// Ids of the replicas the controller counts as in sync, the leader among them.
    pub fn in_sync(&self) -> &[i32] {
        &self.in_sync
    }

    /// Takes what the controller says of the same leadership: who replicates, who is in sync.
    pub fn update(&mut self, replicas: &[i32], in_sync: &[i32]) {
        self.follower_ends.retain(|id, _| replicas.contains(id));
        for id in replicas.iter().filter(|id| **id != self.broker_id) {
            self.follower_ends.entry(*id).or_insert(-1);
        }
        self.in_sync = in_sync.to_vec();
    }

    /// The offset below which every in-sync replica has every record, given the leader's own end.
    pub fn committed_end(&self, log_end_offset: i64) -> i64 {
        self.in_sync
            .iter()
            .filter(|id| **id != self.broker_id)
            .map(|id| self.follower_ends.get(id).copied().unwrap_or(-1))
            .fold(log_end_offset, i64::min)
    }
}
