//! One node of the quorum: a step function over a log and a vote.
//!
//! ```text
//!                 start, sole voter            majority
//!  Unattached ─┬─────────────────────▶ Candidate ─────▶ Leader
//!  Resigned  ──┘                                          │
//!     ▲                     ShutdownRequested             │
//!     └───────────────────────────────────────────────────┘
//! ```
//! A sole voter passes through Candidate within one step, without a timer.
//!
//! Kept true: epoch and vote are in the vote store before any output of the step that chose them is
//! handed out; a record is committed only after the host reported it synced; committed records go
//! out once and in order. A node is refused at opening when others would have to vote.
//!
//! Answers to `KafkaRaftClient` and `QuorumState` (KIP-595).

mod batches;
mod candidate;
mod election;
mod event;
mod kraft;
mod leader;
mod log;
mod resigned;
mod snapshot;
#[cfg(test)]
pub(crate) mod tests;
mod unattached;
mod voters;

use std::collections::VecDeque;

use protocol::records::control::{
    ControlRecord, KRaftVersion, LeaderChange, LeaderChangeBody, LeaderChangeVoter,
};
use protocol::records::metadata::{MetadataRecord, MetadataRecordError};
use uuid::Uuid;

pub use self::batches::{Entry, EntryError, EntryRecord, MAX_BATCH_BYTES, control_batch, decode};
use self::candidate::Candidate;
pub use self::election::{ElectionState, ElectionStateError, base64_of, uuid_of_base64};
pub use self::event::{Event, Output};
pub use self::kraft::KRaftState;
use self::leader::Leader;
pub use self::log::{HostError, Log, SnapshotEntry, VoteStore};
use self::resigned::Resigned;
pub use self::snapshot::{
    Retention, Snapshot, SnapshotId, expendable_before, write as write_snapshot,
};
use self::unattached::Unattached;
pub use self::voters::{ReplicaKey, VoterNode, VoterSet};
use crate::feature::MetadataVersion;

/// How much of the log is read at a time when it is replayed.
const REPLAY_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug, Clone)]
pub struct QuorumSettings {
    pub own: ReplicaKey,
    /// Of `controller.quorum.voters`; empty with dynamic voters.
    pub static_voters: VoterSet,
    /// Where this node's controller listens: listener name, host, port.
    pub endpoints: Vec<(String, String, u16)>,
}

/// Why the node cannot go on. All of these end the process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("the metadata log cannot be read: {0}")]
    Entry(#[from] EntryError),
    #[error("snapshot {name} cannot be read: {cause}")]
    Snapshot { name: String, cause: EntryError },
    #[error(
        "the metadata log begins at offset {log_start}, and no snapshot holds what stood before"
    )]
    MissingSnapshot { log_start: i64 },
    #[error("the metadata log misses the records from offset {from} to {to}")]
    Gap { from: i64, to: i64 },
    #[error("a record cannot be written: {0}")]
    Record(#[from] MetadataRecordError),
    #[error(
        "node {node} with directory {directory} is none of the quorum's voters {voters:?}; \
         was its directory formatted for another cluster or node?"
    )]
    NotAVoter { node: i32, directory: String, voters: Vec<i32> },
    #[error("the quorum has the voters {voters:?}; this version runs a quorum of one voter only")]
    NeedsOthers { voters: Vec<i32> },
    #[error("the quorum has no voters: neither configuration nor log name any")]
    NoVoters,
    #[error("this node does not lead the quorum")]
    NotLeader,
    #[error("an epoch above {0} cannot be counted")]
    EpochsExhausted(i32),
}

#[derive(Debug, Clone)]
enum Role {
    Unattached(Unattached),
    Resigned(Resigned),
    Candidate(Candidate),
    Leader(Leader),
}

/// Wall time, which the log's batches carry.
pub type WallMs = i64;

#[derive(Debug)]
pub struct Quorum<L, V> {
    settings: QuorumSettings,
    log: L,
    store: V,
    kraft: KRaftState,
    role: Role,
    /// Chosen in this step and not yet in the store.
    unsaved: Option<ElectionState>,
    /// What stands in the log above the high watermark.
    uncommitted: VecDeque<Entry>,
    high_watermark: Option<i64>,
    bytes_since_snapshot: u64,
}

/// What was found on the disk, in the order in which it must be applied. With one voter all of it
/// is committed.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// The newest snapshot; the bootstrap one holds no metadata and is not handed out.
    Snapshot(SnapshotId, Snapshot),
    /// Records behind it.
    Entries(Vec<Entry>),
}

impl<L: Log, V: VoteStore> Quorum<L, V> {
    /// Reads everything that is there, piece by piece into `found`. Nothing is written and nobody
    /// is told anything yet.
    pub fn open<E: From<QuorumError>>(
        settings: QuorumSettings,
        log: L,
        store: V,
        found: impl FnMut(Found) -> Result<(), E>,
    ) -> Result<Self, E> {
        let saved = store.read().map_err(QuorumError::from)?.unwrap_or_default();
        let mut kraft = KRaftState::with_static_voters(settings.static_voters.clone());
        let bytes_since_snapshot = recover(&log, &mut kraft, found)?;
        // The log may know a later epoch than the store when the store was lost.
        let epoch = saved.epoch.max(log.last_epoch());
        let led = saved.leader_id == Some(settings.own.id) && saved.epoch == epoch;
        let role = if led {
            Role::Resigned(Resigned { epoch })
        } else {
            let voted = saved.voted.filter(|_| saved.epoch == epoch);
            Role::Unattached(Unattached { epoch, voted })
        };
        let quorum = Self {
            settings,
            log,
            store,
            kraft,
            role,
            unsaved: None,
            uncommitted: VecDeque::new(),
            high_watermark: None,
            bytes_since_snapshot,
        };
        quorum.check_voters()?;
        Ok(quorum)
    }

    fn check_voters(&self) -> Result<(), QuorumError> {
        let (voters, own) = (&self.kraft.voters, self.settings.own);
        let ids = || voters.ids().collect();
        if voters.is_empty() {
            Err(QuorumError::NoVoters)
        } else if !voters.contains(own) {
            let directory = base64_of(own.directory_id);
            Err(QuorumError::NotAVoter { node: own.id, directory, voters: ids() })
        } else if !voters.is_only(own) {
            Err(QuorumError::NeedsOthers { voters: ids() })
        } else {
            Ok(())
        }
    }

    pub fn log(&self) -> &L {
        &self.log
    }

    pub fn log_mut(&mut self) -> &mut L {
        &mut self.log
    }

    pub fn epoch(&self) -> i32 {
        match &self.role {
            Role::Unattached(Unattached { epoch, .. })
            | Role::Resigned(Resigned { epoch })
            | Role::Candidate(Candidate { epoch, .. })
            | Role::Leader(Leader { epoch, .. }) => *epoch,
        }
    }

    pub fn leader_id(&self) -> Option<i32> {
        matches!(self.role, Role::Leader(_)).then_some(self.settings.own.id)
    }

    pub fn high_watermark(&self) -> Option<i64> {
        self.high_watermark
    }

    pub fn kraft(&self) -> &KRaftState {
        &self.kraft
    }

    /// What was appended, or found in the log, behind the newest snapshot.
    pub fn bytes_since_snapshot(&self) -> u64 {
        self.bytes_since_snapshot
    }

    /// A snapshot begins: what comes from now on is behind it.
    pub fn snapshot_begun(&mut self) {
        self.bytes_since_snapshot = 0;
    }

    /// Whether somebody else follows this log.
    pub fn has_readers(&self) -> bool {
        matches!(&self.role, Role::Leader(leader) if leader.has_readers())
    }

    /// One thing happened; what the host must do now, in this order.
    pub fn step(&mut self, event: Event, now_ms: WallMs) -> Result<Vec<Output>, QuorumError> {
        let mut outputs = Vec::new();
        match event {
            Event::Started => {
                if self.kraft.voters.is_only(self.settings.own) {
                    self.campaign()?;
                    self.lead_if_won(now_ms, &mut outputs)?;
                }
            }
            Event::RecordsProposed { records, level, atomic } => {
                self.propose(records, level, atomic, now_ms)?;
                outputs.push(Output::SyncLog);
            }
            Event::LogSynced { end_offset } => self.synced(end_offset, &mut outputs),
            Event::ShutdownRequested => self.resign(&mut outputs),
        }
        self.save()?;
        Ok(outputs)
    }

    /// What was chosen in this step must outlive a crash before anybody hears of it.
    fn save(&mut self) -> Result<(), QuorumError> {
        if let Some(state) = self.unsaved.take() {
            self.store.write(&state, self.kraft.version)?;
        }
        Ok(())
    }

    fn campaign(&mut self) -> Result<(), QuorumError> {
        let own = self.settings.own;
        let epoch = self
            .epoch()
            .checked_add(1)
            .ok_or_else(|| QuorumError::EpochsExhausted(self.epoch()))?;
        self.role = Role::Candidate(Candidate::new(epoch, own));
        self.remember(ElectionState { epoch, leader_id: None, voted: Some(own), voters: vec![] });
        Ok(())
    }

    fn remember(&mut self, state: ElectionState) {
        let voters = self.kraft.voters.ids().collect();
        self.unsaved = Some(ElectionState { voters, ..state });
    }

    fn lead_if_won(
        &mut self,
        now_ms: WallMs,
        outputs: &mut Vec<Output>,
    ) -> Result<(), QuorumError> {
        let Role::Candidate(candidate) = &self.role else {
            return Ok(());
        };
        if !candidate.has_won(&self.kraft.voters) {
            return Ok(());
        }
        let (own, epoch) = (self.settings.own, candidate.epoch);
        let granting: Vec<i32> = candidate.granted().collect();
        let start = self.log.log_end_offset();
        // The vote and the win of a sole voter are one write: nothing was handed out in between.
        self.remember(ElectionState {
            epoch,
            leader_id: Some(own.id),
            voted: None,
            voters: vec![],
        });
        self.save()?;
        self.role = Role::Leader(Leader::new(epoch, start, own, &self.kraft.voters));
        self.append_control(&self.start_of_epoch(&granting), epoch, now_ms);
        let next_offset = self.log.log_end_offset();
        outputs.push(Output::SyncLog);
        outputs.push(Output::BecomeActive { epoch, next_offset });
        Ok(())
    }

    /// The leader's first records: who leads by whose votes; and with dynamic voters the voters,
    /// where the log does not hold them yet or this node's addresses changed.
    fn start_of_epoch(&self, granting: &[i32]) -> Vec<ControlRecord> {
        let voter = |voter_id| LeaderChangeVoter {
            voter_id,
            voter_directory_id: Uuid::nil(),
            ..Default::default()
        };
        let body = LeaderChangeBody {
            leader_id: self.settings.own.id,
            voters: self.kraft.voters.ids().map(voter).collect(),
            granting_voters: granting.iter().copied().map(voter).collect(),
            ..Default::default()
        };
        let mut records = vec![ControlRecord::LeaderChange(LeaderChange { version: 0, body })];
        if self.kraft.version > 0 {
            let mut voters = self.kraft.voters.clone();
            let moved = voters.update(self.settings.own.id, &self.settings.endpoints);
            if moved || !self.kraft.voters_in_log {
                let k_raft_version = self.kraft.version;
                records.push(ControlRecord::KRaftVersion(KRaftVersion {
                    k_raft_version,
                    ..Default::default()
                }));
                records.push(ControlRecord::Voters(voters.to_record()));
            }
        }
        records
    }

    fn append_control(&mut self, records: &[ControlRecord], epoch: i32, now_ms: WallMs) {
        let base = self.log.log_end_offset();
        self.log.append(control_batch(records, base, epoch, now_ms), epoch);
        for (offset, record) in (base..).zip(records) {
            self.kraft.replay(record, true);
            let record = EntryRecord::Control(record.clone());
            self.uncommitted.push_back(Entry { offset, epoch, timestamp: now_ms, record });
        }
    }

    fn propose(
        &mut self,
        records: Vec<MetadataRecord>,
        level: MetadataVersion,
        atomic: bool,
        now_ms: WallMs,
    ) -> Result<(), QuorumError> {
        let Role::Leader(Leader { epoch, .. }) = self.role else {
            return Err(QuorumError::NotLeader);
        };
        let base = self.log.log_end_offset();
        for batch in batches::metadata_batches(&records, level, base, epoch, now_ms, atomic)? {
            self.bytes_since_snapshot += batch.len() as u64;
            self.log.append(batch, epoch);
        }
        for (offset, record) in (base..).zip(records) {
            let record = EntryRecord::Metadata(record);
            self.uncommitted.push_back(Entry { offset, epoch, timestamp: now_ms, record });
        }
        Ok(())
    }

    fn synced(&mut self, end_offset: i64, outputs: &mut Vec<Output>) {
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        if !leader.synced(end_offset) {
            return;
        }
        self.high_watermark = leader.high_watermark();
        let Some(high_watermark) = self.high_watermark else {
            return;
        };
        let committed = self.uncommitted.partition_point(|entry| entry.offset < high_watermark);
        let entries = self.uncommitted.drain(..committed).collect();
        outputs.push(Output::Commit { entries, high_watermark });
    }

    fn resign(&mut self, outputs: &mut Vec<Output>) {
        if let Role::Leader(Leader { epoch, .. }) = self.role {
            self.role = Role::Resigned(Resigned { epoch });
            self.uncommitted.clear();
            outputs.push(Output::BecomeInactive { epoch });
        }
    }

    /// Each voter's and observer's progress, for DescribeQuorum: key, end offset, last fetch, last
    /// caught up (wall time, -1 unknown).
    pub fn progress(&self, now_ms: WallMs) -> (Vec<ReplicaProgress>, Vec<ReplicaProgress>) {
        let Role::Leader(leader) = &self.role else {
            return (Vec::new(), Vec::new());
        };
        let public = |progress: leader::Progress| ReplicaProgress {
            key: progress.key,
            end_offset: progress.end_offset.unwrap_or(-1),
            last_fetch_ms: progress.last_fetch_ms,
            last_caught_up_ms: progress.last_caught_up_ms,
        };
        let voters = leader.voters(now_ms).into_iter().map(public).collect();
        (voters, leader.observers().into_iter().map(public).collect())
    }
}

/// How far a replica of the metadata log is, as the leader knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaProgress {
    pub key: ReplicaKey,
    pub end_offset: i64,
    pub last_fetch_ms: i64,
    pub last_caught_up_ms: i64,
}

/// Hands out what the log holds and says how many bytes stand behind the newest snapshot.
fn recover<E: From<QuorumError>>(
    log: &impl Log,
    kraft: &mut KRaftState,
    mut found: impl FnMut(Found) -> Result<(), E>,
) -> Result<u64, E> {
    let newest = log.snapshots().last().map(|entry| entry.id);
    let log_start = log.log_start_offset();
    let mut from = newest.map_or(0, |id| id.end_offset);
    if from < log_start {
        return Err(QuorumError::MissingSnapshot { log_start }.into());
    }
    if let Some(id) = newest {
        let bytes = log.read_snapshot(id).map_err(QuorumError::from)?;
        let snapshot = Snapshot::read(&bytes)
            .map_err(|cause| QuorumError::Snapshot { name: id.file_name(), cause })?;
        for control in &snapshot.controls {
            kraft.replay(control, id != SnapshotId::BOOTSTRAP);
        }
        if id != SnapshotId::BOOTSTRAP {
            found(Found::Snapshot(id, snapshot))?;
        }
    }
    let mut bytes = 0;
    while from < log.log_end_offset() {
        let read = log.read(from, REPLAY_BYTES).map_err(QuorumError::from)?;
        let before = from;
        for piece in read {
            bytes += piece.len() as u64;
            let mut entries = decode(&piece).map_err(QuorumError::from)?;
            entries.retain(|entry| entry.offset >= from);
            for entry in &entries {
                if entry.offset != from {
                    return Err(QuorumError::Gap { from, to: entry.offset }.into());
                }
                from += 1;
                if let EntryRecord::Control(control) = &entry.record {
                    kraft.replay(control, true);
                }
            }
            found(Found::Entries(entries))?;
        }
        if from == before {
            return Err(QuorumError::Gap { from, to: log.log_end_offset() }.into());
        }
    }
    Ok(bytes)
}
