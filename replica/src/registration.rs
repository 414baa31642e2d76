//! What the controller's log says of the partition. Kafka: `PartitionRegistration`, `LeaderAndIsr`.

/// Whether the leader is sound or was elected out of sync. Kafka: `LeaderRecoveryState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// The leader was in sync, or has told the controller that it is through.
    Recovered,
    /// Elected out of sync.
    Recovering,
}

/// The partition as the controller has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// -1 for none.
    pub leader: i32,
    /// Raised with every election.
    pub leader_epoch: i32,
    /// Raised with every change.
    pub partition_epoch: i32,
    /// Everybody who has or shall have the partition.
    pub replicas: Vec<i32>,
    /// Those of `replicas` that a reassignment adds.
    pub adding: Vec<i32>,
    /// Those of `replicas` that a reassignment takes away.
    pub removing: Vec<i32>,
    /// In sync, the leader among them.
    pub isr: Vec<i32>,
    /// How the leader came to lead.
    pub recovery: Recovery,
}

impl Registration {
    /// How many replicas there shall be, those that a reassignment adds not counted.
    pub fn replication_factor(&self) -> usize {
        self.replicas.iter().filter(|id| !self.adding.contains(id)).count()
    }
}
