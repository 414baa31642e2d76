//! How a partition changes: who leads, who is in sync, who is eligible, which replicas and where.
//!
//! One builder for every cause (fencing, ISR change, election, reassignment), so that their rules
//! meet in one place: a clean leader comes from the ISR, or from the eligible replicas when the ISR
//! is empty; the last known leader may come back alone; an unclean one only when asked for.
//!
//! Answers to `PartitionChangeBuilder` and `PartitionReassignmentReplicas` (KIP-455, KIP-966).

use std::collections::BTreeMap;

use protocol::records::metadata::{NO_LEADER, NO_LEADER_CHANGE, PartitionChangeRecord};
use uuid::Uuid;

use crate::feature::MetadataVersion;
use crate::image::{ClusterImage, LeaderRecovery, Partition};
use crate::planted::{Bug, is_planted};

/// Which leaders an election may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Election {
    /// The first replica when it can lead.
    Preferred,
    /// The present leader when it can lead, else any clean one.
    Online,
    /// As `Online`, else any replica that is alive.
    Unclean,
}

pub(crate) struct PartitionChange<'a> {
    partition: &'a Partition,
    cluster: &'a ClusterImage,
    acceptable: Box<dyn Fn(i32) -> bool + 'a>,
    metadata_version: MetadataVersion,
    elr_enabled: bool,
    min_isr: usize,
    pub(crate) election: Election,
    pub(crate) isr: Vec<i32>,
    pub(crate) replicas: Vec<i32>,
    pub(crate) removing: Vec<i32>,
    pub(crate) adding: Vec<i32>,
    pub(crate) leader_recovery: LeaderRecovery,
    /// Replicas that lost what they had not synced.
    pub(crate) unclean_shutdown: Vec<i32>,
    pub(crate) directories: BTreeMap<i32, Uuid>,
    elr: Vec<i32>,
}

impl<'a> PartitionChange<'a> {
    /// `alive` says which brokers may lead, as far as their registration goes.
    pub(crate) fn new(
        partition: &'a Partition,
        cluster: &'a ClusterImage,
        alive: impl Fn(i32) -> bool + 'a,
        metadata_version: MetadataVersion,
        elr_enabled: bool,
        min_isr: usize,
    ) -> Self {
        let acceptable = move |broker| {
            alive(broker)
                && partition
                    .directory(broker)
                    .is_some_and(|directory| cluster.has_online_directory(broker, directory))
        };
        let placed = partition.replicas.iter().copied().zip(partition.directories.iter().copied());
        Self {
            partition,
            cluster,
            acceptable: Box::new(acceptable),
            metadata_version,
            elr_enabled,
            min_isr,
            election: Election::Online,
            isr: partition.isr.clone(),
            replicas: partition.replicas.clone(),
            removing: partition.removing_replicas.clone(),
            adding: partition.adding_replicas.clone(),
            leader_recovery: partition.leader_recovery,
            unclean_shutdown: Vec::new(),
            directories: placed.collect(),
            elr: partition.elr.clone(),
        }
    }

    /// The record, or nothing when nothing changes.
    pub(crate) fn build(
        mut self,
        topic_id: Uuid,
        partition_id: i32,
    ) -> Option<PartitionChangeRecord> {
        let mut record = PartitionChangeRecord { topic_id, partition_id, ..Default::default() };
        self.complete_reassignment();
        self.choose_eligible();
        self.elect(&mut record);
        self.bump_epoch_for_dropped_replicas(&mut record);
        self.record_eligible(&mut record);
        if record.isr.is_none()
            && (!self.isr.is_empty() || self.elr_enabled)
            && self.isr != self.partition.isr
        {
            record.isr = Some(self.isr.clone());
        }
        self.bump_epoch_for_shrunk_isr(&mut record);
        self.record_last_known_leader(&mut record);
        self.record_assignment(&mut record);
        if self.leader_recovery != self.partition.leader_recovery {
            record.leader_recovery_state = self.leader_recovery.id();
        }
        let nothing = PartitionChangeRecord { topic_id, partition_id, ..Default::default() };
        (record != nothing).then_some(record)
    }

    /// A reassignment is over when all that stay are in sync.
    fn complete_reassignment(&mut self) {
        if self.removing.is_empty() && self.adding.is_empty() {
            return;
        }
        let staying = |list: &[i32]| -> Vec<i32> {
            list.iter().copied().filter(|id| !self.removing.contains(id)).collect()
        };
        let (isr, replicas) = (staying(&self.isr), staying(&self.replicas));
        if isr.is_empty() || replicas.is_empty() || !replicas.iter().all(|id| isr.contains(id)) {
            return;
        }
        self.isr = isr;
        self.replicas = replicas;
        self.removing.clear();
        self.adding.clear();
    }

    /// Who left the ISR while it is too small stays eligible, but for an unclean shutdown.
    ///
    /// Unlike Kafka: and but for who is no replica any more. It deletes its log, and would lead
    /// with an empty one when it is made a replica again (docs/decisions/0106).
    fn choose_eligible(&mut self) {
        if !self.elr_enabled {
            return;
        }
        if self.isr.len() >= self.min_isr {
            self.elr.clear();
            return;
        }
        let mut candidates = self.elr.clone();
        candidates.extend(&self.partition.isr);
        candidates.sort_unstable();
        candidates.dedup();
        candidates.retain(|id| {
            self.replicas.contains(id)
                && !self.isr.contains(id)
                && !self.unclean_shutdown.contains(id)
        });
        self.elr = candidates;
    }

    fn can_lead(&self, replica: i32) -> bool {
        let clean =
            self.isr.contains(&replica) || (self.isr.is_empty() && self.elr.contains(&replica));
        clean && (self.acceptable)(replica)
    }

    /// The leader, and whether choosing it is unclean.
    fn leader(&self) -> (i32, bool) {
        let partition = self.partition;
        let preferred =
            self.replicas.first().copied().filter(|_| self.election == Election::Preferred);
        let clean = preferred
            .filter(|id| self.can_lead(*id))
            .or_else(|| Some(partition.leader).filter(|id| self.can_lead(*id)))
            .or_else(|| self.replicas.iter().copied().find(|id| self.can_lead(*id)));
        if let Some(leader) = clean {
            return (leader, false);
        }
        if let Some(last) = self.last_known_leader() {
            return (last, true);
        }
        if (self.election == Election::Unclean || is_planted(Bug::UncleanWithoutPermission))
            && let Some(alive) = self.replicas.iter().copied().find(|id| (self.acceptable)(*id))
        {
            return (alive, true);
        }
        (NO_LEADER, false)
    }

    fn last_known_leader(&self) -> Option<i32> {
        let [last] = self.partition.last_known_elr[..] else {
            return None;
        };
        let empty = self.elr_enabled && self.elr.is_empty() && self.isr.is_empty();
        (empty && (self.acceptable)(last)).then_some(last)
    }

    fn elect(&mut self, record: &mut PartitionChangeRecord) {
        let (leader, unclean) = self.leader();
        if leader == self.partition.leader {
            return;
        }
        if self.elr.contains(&leader) {
            self.isr = vec![leader];
            self.elr.retain(|id| *id != leader);
        }
        record.leader = leader;
        if unclean {
            record.isr = Some(vec![leader]);
            if self.partition.leader_recovery != LeaderRecovery::Recovering {
                record.leader_recovery_state = LeaderRecovery::Recovering.id();
            }
        }
    }

    /// Replicas that are dropped must hear of a new epoch.
    fn bump_epoch_for_dropped_replicas(&self, record: &mut PartitionChangeRecord) {
        let dropped = self.partition.replicas.iter().any(|id| !self.replicas.contains(id));
        if record.leader == NO_LEADER_CHANGE && dropped {
            record.leader = self.partition.leader;
        }
    }

    fn bump_epoch_for_shrunk_isr(&self, record: &mut PartitionChangeRecord) {
        let Some(isr) = &record.isr else { return };
        let shrunk = self.partition.isr.iter().any(|id| !isr.contains(id));
        if self.metadata_version.bumps_leader_epoch_on_isr_shrink()
            && record.leader == NO_LEADER_CHANGE
            && shrunk
        {
            record.leader = self.partition.leader;
        }
    }

    fn record_eligible(&mut self, record: &mut PartitionChangeRecord) {
        let clean = record.isr.is_none();
        if !clean || !self.elr_enabled {
            self.elr.clear();
        }
        if self.elr != self.partition.elr {
            record.eligible_leader_replicas = Some(self.elr.clone());
        }
    }

    /// Remembers the last leader when the ISR becomes empty, forgets it when there is one again.
    fn record_last_known_leader(&self, record: &mut PartitionChangeRecord) {
        if !self.elr_enabled {
            return;
        }
        let (partition, known) = (self.partition, &self.partition.last_known_elr);
        if record.isr.as_ref().is_some_and(Vec::is_empty) && known[..] != [partition.leader] {
            record.last_known_elr = Some(vec![partition.leader]);
        } else if !known.is_empty()
            && (record.leader >= 0 || (partition.leader != NO_LEADER && record.leader != NO_LEADER))
        {
            record.last_known_elr = Some(Vec::new());
        }
    }

    fn record_assignment(&self, record: &mut PartitionChangeRecord) {
        let partition = self.partition;
        if !self.replicas.is_empty() {
            if self.metadata_version.has_directories() {
                let directory = |id: &i32| {
                    let known = self.directories.get(id).copied();
                    known.unwrap_or_else(|| self.cluster.default_directory(*id))
                };
                let directories: Vec<Uuid> = self.replicas.iter().map(directory).collect();
                if directories != partition.directories {
                    record.directories = Some(directories);
                }
            }
            if self.replicas != partition.replicas {
                record.replicas = Some(self.replicas.clone());
            }
        }
        if self.removing != partition.removing_replicas {
            record.removing_replicas = Some(self.removing.clone());
        }
        if self.adding != partition.adding_replicas {
            record.adding_replicas = Some(self.adding.clone());
        }
    }
}
