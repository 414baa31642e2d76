//! What enters the log: the leader's own records, and what a follower fetched.
//!
//! Kept true: whatever is appended is asked to be synced in the same step; a report of a sync that
//! began before the log was cut counts for nothing.

use bytes::Bytes;
use protocol::batch;
use protocol::records::control::{
    ControlRecord, KRaftVersion, LeaderChange, LeaderChangeBody, LeaderChangeVoter,
};
use protocol::records::metadata::MetadataRecord;
use uuid::Uuid;

use super::Quorum;
use super::batches::{self, Entry, EntryError, EntryRecord, control_batch, decode};
use super::error::QuorumError;
use super::event::Output;
use super::log::{Log, VoteStore};
use super::role::Role;
use crate::feature::MetadataVersion;
use crate::planted::{Bug, is_planted};

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn propose(
        &mut self,
        records: Vec<MetadataRecord>,
        level: MetadataVersion,
        atomic: bool,
    ) -> Result<(), QuorumError> {
        let Role::Leader(leader) = &self.role else {
            return Err(QuorumError::NotLeader);
        };
        let (epoch, timestamp) = (leader.epoch, self.now.wall_ms);
        let base = self.log.log_end_offset();
        for batch in batches::metadata_batches(&records, level, base, epoch, timestamp, atomic)? {
            self.bytes_since_snapshot += batch.len() as u64;
            self.log.append(batch, epoch);
        }
        self.epochs.appended(epoch, base);
        for (offset, record) in (base..).zip(records) {
            let record = EntryRecord::Metadata(record);
            self.uncommitted.push_back(Entry { offset, epoch, timestamp, record });
        }
        self.request_sync();
        Ok(())
    }

    /// The leader's first records: who leads by whose votes; and with dynamic voters the voters,
    /// where the log does not hold them yet or this node's addresses changed.
    pub(super) fn append_start_of_epoch(&mut self, granting: &[i32], epoch: i32) {
        let voter = |voter_id| LeaderChangeVoter {
            voter_id,
            voter_directory_id: Uuid::nil(),
            ..Default::default()
        };
        let kraft = self.kraft.last();
        let body = LeaderChangeBody {
            leader_id: self.settings.own.id,
            voters: kraft.voters.ids().map(voter).collect(),
            granting_voters: granting.iter().copied().map(voter).collect(),
            ..Default::default()
        };
        let mut records = vec![ControlRecord::LeaderChange(LeaderChange { version: 0, body })];
        if kraft.version > 0 {
            let mut voters = kraft.voters.clone();
            let moved = voters.update(self.settings.own.id, &self.settings.endpoints);
            if moved || !kraft.voters_in_log {
                let k_raft_version = kraft.version;
                records.push(ControlRecord::KRaftVersion(KRaftVersion {
                    k_raft_version,
                    ..Default::default()
                }));
                records.push(ControlRecord::Voters(voters.to_record()));
            }
        }
        self.append_control(&records, epoch);
    }

    pub(super) fn append_control(&mut self, records: &[ControlRecord], epoch: i32) {
        let (base, timestamp) = (self.log.log_end_offset(), self.now.wall_ms);
        self.log.append(control_batch(records, base, epoch, timestamp), epoch);
        self.epochs.appended(epoch, base);
        for (offset, record) in (base..).zip(records) {
            self.kraft.replay(offset, record);
            let record = EntryRecord::Control(record.clone());
            self.uncommitted.push_back(Entry { offset, epoch, timestamp, record });
        }
        if let Role::Leader(leader) = &mut self.role {
            leader.set_voters(&self.kraft.last().voters, self.now.monotonic_ms);
        }
        self.request_sync();
    }

    /// Takes in what the leader sent, as far as it is whole, sound and follows this log's end. A
    /// record that this version does not know ends the node.
    pub(super) fn append_fetched(&mut self, records: &Bytes) -> Result<bool, QuorumError> {
        let mut from = 0;
        let mut sound = true;
        for view in batch::batches(records) {
            let Ok(view) = view else {
                sound = false;
                break;
            };
            let (offset, epoch) = (view.base_offset(), view.partition_leader_epoch());
            let follows = offset == self.log.log_end_offset()
                && (self.epochs.last()..=self.epoch()).contains(&epoch);
            let bytes = records.slice(from..from + view.len());
            from += view.len();
            let entries = match decode(&bytes) {
                Err(EntryError::Batch(_)) => None,
                decoded => Some(decoded?),
            };
            let Some(entries) = entries.filter(|_| follows) else {
                sound = false;
                break;
            };
            self.bytes_since_snapshot += bytes.len() as u64;
            self.log.append(bytes, epoch);
            self.epochs.appended(epoch, offset);
            for (offset, control) in entries.iter().filter_map(Entry::control) {
                self.kraft.replay(offset, control);
            }
            self.uncommitted.extend(entries);
        }
        if self.syncs() && self.log.log_end_offset() > self.synced_offset {
            self.request_sync();
        }
        Ok(sound)
    }

    /// Whether others may count on what this node says it has.
    pub(super) fn syncs(&self) -> bool {
        self.settings.observers_sync || self.may_stand()
    }

    /// Whether this node may say where its log ends.
    pub(super) fn may_claim_end(&self) -> bool {
        is_planted(Bug::AnswerBeforeSync)
            || !self.syncs()
            || self.synced_offset >= self.log.log_end_offset()
    }

    pub(super) fn request_sync(&mut self) {
        let generation = self.generation;
        let repeated = Output::SyncLog { generation };
        self.outputs.retain(|output| *output != repeated);
        self.outputs.push(repeated);
    }

    /// What was appended before is cut off or replaced; a sync under way says nothing about it.
    pub(super) fn void_syncs(&mut self, end_offset: i64) {
        self.generation += 1;
        self.synced_offset = self.synced_offset.min(end_offset);
    }

    pub(super) fn synced(&mut self, end_offset: i64, generation: u64) -> Result<(), QuorumError> {
        if generation != self.generation {
            return Ok(());
        }
        self.synced_offset = self.synced_offset.max(end_offset);
        let synced = self.synced_offset;
        let moved = match &mut self.role {
            Role::Leader(leader) => leader.synced(synced),
            _ => false,
        };
        if moved { self.leader_high_watermark_moved() } else { Ok(()) }
    }
}

impl Entry {
    /// The control record that this is, with its offset.
    fn control(&self) -> Option<(i64, &ControlRecord)> {
        match &self.record {
            EntryRecord::Control(control) => Some((self.offset, control)),
            EntryRecord::Metadata(_) => None,
        }
    }
}
