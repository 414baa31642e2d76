//! One partition as the metadata log describes it.
//!
//! Kept true: `directories` is as long as `replicas`; every change raises `partition_epoch` by one,
//! and a change that names a leader (even the same) raises `leader_epoch` by one.
//!
//! Answers to `PartitionRegistration`, `Replicas` and `DirectoryId`.

use protocol::records::metadata::{
    NO_LEADER, NO_LEADER_CHANGE, PartitionChangeRecord, PartitionRecord, TaggedFields,
};
use uuid::Uuid;

use super::ReplayError;

/// A replica was assigned before directories were part of the assignment.
pub const DIRECTORY_MIGRATING: Uuid = Uuid::from_u128(0);
/// The broker has not chosen a directory yet.
pub const DIRECTORY_UNASSIGNED: Uuid = Uuid::from_u128(1);
/// The directory is offline, and nobody knows which it was.
pub const DIRECTORY_LOST: Uuid = Uuid::from_u128(2);

/// Whether the leader is sound or was elected out of sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaderRecovery {
    Recovered,
    Recovering,
}

impl LeaderRecovery {
    pub fn from_id(id: i8) -> Option<Self> {
        match id {
            0 => Some(Self::Recovered),
            1 => Some(Self::Recovering),
            _ => None,
        }
    }

    pub fn id(self) -> i8 {
        match self {
            Self::Recovered => 0,
            Self::Recovering => 1,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    pub replicas: Vec<i32>,
    /// Where each replica lives, in the order of `replicas`.
    pub directories: Vec<Uuid>,
    pub isr: Vec<i32>,
    pub removing_replicas: Vec<i32>,
    pub adding_replicas: Vec<i32>,
    /// Eligible leader replicas (KIP-966).
    pub elr: Vec<i32>,
    pub last_known_elr: Vec<i32>,
    /// -1 when there is none.
    pub leader: i32,
    pub leader_recovery: LeaderRecovery,
    pub leader_epoch: i32,
    pub partition_epoch: i32,
    pub(crate) unknown_tagged_fields: TaggedFields,
}

impl Partition {
    /// A new partition: epochs 0, the first replica of the ISR leads.
    pub fn new(replicas: Vec<i32>, directories: Vec<Uuid>, isr: Vec<i32>) -> Self {
        let leader = isr.first().copied().unwrap_or(NO_LEADER);
        Self {
            replicas,
            directories,
            isr,
            removing_replicas: Vec::new(),
            adding_replicas: Vec::new(),
            elr: Vec::new(),
            last_known_elr: Vec::new(),
            leader,
            leader_recovery: LeaderRecovery::Recovered,
            leader_epoch: 0,
            partition_epoch: 0,
            unknown_tagged_fields: TaggedFields::new(),
        }
    }

    pub(crate) fn from_record(record: &PartitionRecord) -> Result<Self, ReplayError> {
        let leader_recovery = LeaderRecovery::from_id(record.leader_recovery_state)
            .ok_or(ReplayError::LeaderRecovery(record.leader_recovery_state))?;
        let mut partition = Self {
            replicas: record.replicas.clone(),
            directories: record.directories.clone(),
            isr: record.isr.clone(),
            removing_replicas: record.removing_replicas.clone(),
            adding_replicas: record.adding_replicas.clone(),
            elr: record.eligible_leader_replicas.clone().unwrap_or_default(),
            last_known_elr: record.last_known_elr.clone().unwrap_or_default(),
            leader: record.leader,
            leader_recovery,
            leader_epoch: record.leader_epoch,
            partition_epoch: record.partition_epoch,
            unknown_tagged_fields: record.unknown_tagged_fields.clone(),
        };
        partition.check_directories()?;
        Ok(partition)
    }

    /// The partition after `change`.
    pub fn merged(&self, change: &PartitionChangeRecord) -> Result<Self, ReplayError> {
        let mut next = self.clone();
        let replace = |slot: &mut Vec<i32>, list: &Option<Vec<i32>>| {
            if let Some(list) = list {
                slot.clone_from(list);
            }
        };
        replace(&mut next.replicas, &change.replicas);
        replace(&mut next.isr, &change.isr);
        replace(&mut next.removing_replicas, &change.removing_replicas);
        replace(&mut next.adding_replicas, &change.adding_replicas);
        replace(&mut next.elr, &change.eligible_leader_replicas);
        replace(&mut next.last_known_elr, &change.last_known_elr);
        if let Some(directories) = &change.directories {
            next.directories.clone_from(directories);
        }
        next.check_directories()?;
        if change.leader != NO_LEADER_CHANGE {
            next.leader = change.leader;
            next.leader_epoch += 1;
        }
        if change.leader_recovery_state != -1 {
            next.leader_recovery = LeaderRecovery::from_id(change.leader_recovery_state)
                .ok_or(ReplayError::LeaderRecovery(change.leader_recovery_state))?;
        }
        next.partition_epoch += 1;
        Ok(next)
    }

    /// Records of before directories leave them empty; any other length is nonsense.
    fn check_directories(&mut self) -> Result<(), ReplayError> {
        if self.directories.is_empty() {
            self.directories = vec![DIRECTORY_MIGRATING; self.replicas.len()];
        }
        if self.directories.len() != self.replicas.len() {
            return Err(ReplayError::DirectoryCount {
                directories: self.directories.len(),
                replicas: self.replicas.len(),
            });
        }
        Ok(())
    }

    /// The record that describes the whole partition; `directories` and `elr` say what the
    /// metadata.version and the features let it carry.
    pub fn to_record(
        &self,
        topic_id: Uuid,
        partition_id: i32,
        directories: bool,
        elr: bool,
    ) -> PartitionRecord {
        let optional = |list: &Vec<i32>| (elr && !list.is_empty()).then(|| list.clone());
        PartitionRecord {
            partition_id,
            topic_id,
            replicas: self.replicas.clone(),
            isr: self.isr.clone(),
            removing_replicas: self.removing_replicas.clone(),
            adding_replicas: self.adding_replicas.clone(),
            leader: self.leader,
            leader_recovery_state: self.leader_recovery.id(),
            leader_epoch: self.leader_epoch,
            partition_epoch: self.partition_epoch,
            directories: if directories { self.directories.clone() } else { Vec::new() },
            eligible_leader_replicas: optional(&self.elr),
            last_known_elr: optional(&self.last_known_elr),
            unknown_tagged_fields: self.unknown_tagged_fields.clone(),
        }
    }

    pub fn has_leader(&self) -> bool {
        self.leader != NO_LEADER
    }

    pub fn preferred_replica(&self) -> i32 {
        self.replicas.first().copied().unwrap_or(NO_LEADER)
    }

    pub fn has_preferred_leader(&self) -> bool {
        self.leader == self.preferred_replica()
    }

    pub fn is_reassigning(&self) -> bool {
        !self.removing_replicas.is_empty() || !self.adding_replicas.is_empty()
    }

    /// Where `broker` keeps its replica; `None` when it has none.
    pub fn directory(&self, broker: i32) -> Option<Uuid> {
        let at = self.replicas.iter().position(|replica| *replica == broker)?;
        self.directories.get(at).copied()
    }
}
