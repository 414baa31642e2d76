//! One node of the quorum: a step function over a log and a vote.
//!
//! ```text
//!                  time        pre-votes          votes
//!   Unattached ─────────▶ Prospective ─────▶ Candidate ─────▶ Leader
//!      ▲  │                ▲   │ refused         │ time          │ stop, or a majority is silent
//!      │  │ leader heard   │   ▼                 ▼               ▼
//!      │  └────────────▶ Follower          Prospective       Resigned
//!      └── a later epoch, from everywhere ◀───────────────────────┘
//! ```
//! A sole voter passes through Candidate within one step, without a timer.
//!
//! Kept true: epoch and vote are in the vote store before any output of the step that chose them is
//! handed out; a record is committed only after a majority synced it; committed records go out once
//! and in order; a voter asks for records only behind what it has synced.
//!
//! Answers to `KafkaRaftClient` and `QuorumState` (KIP-595, 630, 853, 996).

mod add_voter;
mod answer;
mod append;
mod auto_join;
mod ballot;
mod batches;
mod candidate;
mod commit;
mod election;
mod epochs;
mod error;
mod event;
mod fetch;
mod follow;
mod follower;
mod handover;
mod kraft;
mod kraft_upgrade;
mod leader;
mod log;
mod peers;
mod poll;
mod prospective;
mod recover;
mod remove_voter;
mod resigned;
mod response;
mod role;
mod send;
mod settings;
mod snapshot;
mod snapshot_fetch;
mod snapshot_id;
mod tell_leader;
#[cfg(test)]
pub(crate) mod tests;
mod transition;
mod unattached;
mod update_voter;
mod vote;
mod voter_change;
mod voters;

use std::collections::VecDeque;

use protocol::Base64Uuid;

pub use self::batches::{Entry, EntryError, EntryRecord, MAX_BATCH_BYTES, control_batch, decode};
pub use self::election::{ElectionState, ElectionStateError};
use self::epochs::Epochs;
pub use self::error::QuorumError;
pub use self::event::{
    Destination, Event, Output, PeerRequest, PeerResponse, QuorumNow, RequestFailure,
};
use self::fetch::WaitingFetch;
use self::kraft::KRaftHistory;
pub use self::kraft::KRaftState;
pub use self::kraft_upgrade::KRaftLevel;
pub use self::log::{EpochStart, HostError, Log, SnapshotEntry, VoteStore};
use self::peers::Peers;
use self::role::Role;
pub use self::settings::{QuorumFetchSizes, QuorumSettings, QuorumTimeouts};
pub use self::snapshot::{Retention, Snapshot, expendable_before, write as write_snapshot};
pub use self::snapshot_id::SnapshotId;
pub use self::voters::{Endpoints, ReplicaKey, VoterNode, VoterSet};
use crate::draws::Draws;
use crate::planted::{Bug, is_planted};

/// How much of the log is read at a time when it is replayed.
const REPLAY_BYTES: usize = 4 * 1024 * 1024;

/// The most that a fetch of the log or a snapshot brings, whatever it asks for.
const MAX_FETCH_BYTES: i32 = 8 * 1024 * 1024;
pub const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";
/// Kafka gives the metadata topic this id everywhere.
pub const CLUSTER_METADATA_ID: uuid::Uuid = uuid::Uuid::from_u128(1);

/// Wall time, which the log's batches carry.
pub type WallMs = i64;

#[derive(Debug)]
pub struct Quorum<L, V> {
    settings: QuorumSettings,
    log: L,
    store: V,
    kraft: KRaftHistory,
    epochs: Epochs,
    role: Role,
    peers: Peers,
    /// Chosen in this step and not yet in the store.
    unsaved: Option<ElectionState>,
    /// What stands in the log behind `next_commit` and is still at hand; a suffix of the log.
    uncommitted: VecDeque<Entry>,
    /// Everything below was handed out.
    next_commit: i64,
    high_watermark: Option<i64>,
    /// Everything below is on the disk.
    synced_offset: i64,
    /// Counts what makes earlier reports of a sync void.
    generation: u64,
    bytes_since_snapshot: u64,
    /// Whether the host knows that this node leads.
    active: bool,
    shutting_down: bool,
    waiting: Vec<WaitingFetch>,
    now: QuorumNow,
    draws: Draws,
    outputs: Vec<Output>,
}

/// What was found on the disk and is committed, in the order in which it must be applied.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// The newest snapshot; the bootstrap one holds no metadata and is not handed out.
    Snapshot(SnapshotId, Snapshot),
    /// Records behind it, where this node is the only voter.
    Entries(Vec<Entry>),
}

impl<L: Log, V: VoteStore> Quorum<L, V> {
    /// Reads everything that is there, piece by piece into `found`. Nothing is written and nobody
    /// is told anything yet.
    pub fn open<E: From<QuorumError>>(
        settings: QuorumSettings,
        log: L,
        store: V,
        now: QuorumNow,
        found: impl FnMut(Found) -> Result<(), E>,
    ) -> Result<Self, E> {
        let saved = store.read().map_err(QuorumError::from)?.unwrap_or_default();
        let kraft = KRaftHistory::new(settings.static_voters.clone());
        let recovered = recover::recover(&log, settings.own, kraft, found)?;
        let newest = log.snapshots().last().map(|entry| entry.id);
        let mut quorum = Self {
            peers: Peers::new(&settings.timeouts),
            epochs: Epochs::new(log.epoch_starts(), newest),
            role: Role::Unattached(unattached::Unattached {
                epoch: 0,
                leader_id: None,
                voted: None,
                election_deadline_ms: i64::MAX,
            }),
            settings,
            log,
            store,
            kraft: recovered.kraft,
            unsaved: None,
            uncommitted: VecDeque::new(),
            next_commit: recovered.next_commit,
            high_watermark: None,
            synced_offset: 0,
            generation: 0,
            bytes_since_snapshot: recovered.bytes_since_snapshot,
            active: false,
            shutting_down: false,
            waiting: Vec::new(),
            now,
            draws: Draws::new(now.seed),
            outputs: Vec::new(),
        };
        quorum.check_voters()?;
        quorum.role = quorum.initial_role(&saved);
        Ok(quorum)
    }

    fn check_voters(&self) -> Result<(), QuorumError> {
        let (voters, own) = (self.voters(), self.settings.own);
        if voters.is_empty() && self.settings.bootstrap_servers.is_empty() {
            return Err(QuorumError::NoVoters);
        }
        // With another directory of this very node as the only voter nobody can ever lead.
        if voters.len() == 1 && voters.key(own.id).is_some() && !voters.contains(own) {
            let directory = Base64Uuid(own.directory_id).to_string();
            let voters = voters.ids().collect();
            return Err(QuorumError::NotAVoter { node: own.id, directory, voters });
        }
        Ok(())
    }

    pub fn log(&self) -> &L {
        &self.log
    }

    pub fn log_mut(&mut self) -> &mut L {
        &mut self.log
    }

    pub fn epoch(&self) -> i32 {
        self.role.epoch()
    }

    /// Who leads, as far as this node knows.
    pub fn leader_id(&self) -> Option<i32> {
        if matches!(self.role, Role::Resigned(_)) { None } else { self.role.elected() }
    }

    /// Where the leader's controller listens, as far as this node knows.
    pub fn leader_address(&self) -> Option<(String, u16)> {
        let leader = self.leader_id()?;
        let known = self.role.leader_endpoints(&self.settings.endpoints);
        let of_voters = self.voters().endpoints(leader);
        let endpoints = if known.is_empty() { &of_voters } else { known };
        let (host, port) = voters::address(endpoints, &self.settings.listener)?;
        Some((host.to_owned(), port))
    }

    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Whether this node leads or follows, rather than looks for somebody who does: a voter that
    /// has lost its leader still knows who that was.
    pub fn has_place(&self) -> bool {
        matches!(self.role, Role::Leader(_) | Role::Follower(_))
    }

    /// Whether this node has a vote.
    pub fn is_voter(&self) -> bool {
        self.voters().contains(self.settings.own)
    }

    pub fn high_watermark(&self) -> Option<i64> {
        self.high_watermark
    }

    pub fn kraft(&self) -> &KRaftState {
        self.kraft.last()
    }

    /// What the records below `end_offset` say about the quorum.
    pub fn kraft_before(&self, end_offset: i64) -> &KRaftState {
        self.kraft.before(end_offset)
    }

    fn voters(&self) -> &VoterSet {
        &self.kraft.last().voters
    }

    /// What was appended, or found in the log, behind the newest snapshot.
    pub fn bytes_since_snapshot(&self) -> u64 {
        self.bytes_since_snapshot
    }

    /// A snapshot begins: what comes from now on is behind it.
    pub fn snapshot_begun(&mut self) {
        self.bytes_since_snapshot = 0;
    }

    /// Lets go of what a snapshot makes needless.
    pub fn delete_before(&mut self, id: SnapshotId) {
        self.log.delete_before(id);
        self.epochs.trimmed_before(id);
        self.kraft.trimmed_before(id.end_offset);
    }

    /// Whether somebody else follows this log.
    pub fn has_readers(&self) -> bool {
        matches!(&self.role, Role::Leader(leader) if leader.has_readers())
    }

    /// Whether a node that is stopping owes nothing to the others any more.
    pub fn may_stop(&self) -> bool {
        let (voters, own) = (self.voters(), self.settings.own);
        let others_lead = self.leader_id().is_some_and(|leader| leader != own.id);
        !voters.contains(own) || voters.is_only(own) || others_lead
    }

    /// One thing happened; what the host must do now, in this order.
    pub fn step(&mut self, event: Event, now: QuorumNow) -> Result<Vec<Output>, QuorumError> {
        self.now = now;
        self.draws = Draws::new(now.seed);
        // A leader that the vote store remembers is news to the host all the same.
        let is_known = !matches!(event, Event::Started) || self.leader_id().is_none();
        let led_before = (self.epoch(), self.leader_id(), self.leader_address());
        self.handle(event)?;
        self.poll()?;
        self.save()?;
        let (epoch, leader_id) = (self.epoch(), self.leader_id());
        if !is_known || (epoch, leader_id, self.leader_address()) != led_before {
            self.outputs.push(Output::LeaderChanged { epoch, leader_id });
        }
        Ok(std::mem::take(&mut self.outputs))
    }

    fn handle(&mut self, event: Event) -> Result<(), QuorumError> {
        match event {
            Event::Started => self.start(),
            Event::TimePassed => {}
            Event::RecordsProposed { records, level, atomic } => {
                self.propose(records, level, atomic)?;
            }
            Event::KRaftVersionRaised { version } => self.raise_kraft_version(version)?,
            Event::LogSynced { end_offset, generation } => self.synced(end_offset, generation)?,
            Event::Requested { token, version, request } => {
                self.requested(token, version, request)?;
            }
            Event::Responded { request_id, response } => self.responded(request_id, response)?,
            Event::RequestFailed { request_id, failure } => {
                self.request_failed(request_id, failure)?;
            }
            Event::PeerGone { id } => self.peer_gone(id),
            Event::ShutdownRequested => self.shut_down()?,
        }
        Ok(())
    }

    fn requested(
        &mut self,
        token: u64,
        version: i16,
        request: PeerRequest,
    ) -> Result<(), QuorumError> {
        let response = match request {
            PeerRequest::Vote(request) => {
                PeerResponse::Vote(self.vote_requested(&request, version)?)
            }
            PeerRequest::BeginQuorumEpoch(request) => {
                PeerResponse::BeginQuorumEpoch(self.begin_epoch_requested(&request, version)?)
            }
            PeerRequest::EndQuorumEpoch(request) => {
                PeerResponse::EndQuorumEpoch(self.end_epoch_requested(&request, version)?)
            }
            PeerRequest::Fetch(request) => return self.fetch_requested(token, version, &request),
            PeerRequest::FetchSnapshot(request) => {
                PeerResponse::FetchSnapshot(self.snapshot_requested(&request, version)?)
            }
            PeerRequest::UpdateRaftVoter(request) => {
                PeerResponse::UpdateRaftVoter(self.update_voter_requested(&request))
            }
            PeerRequest::AddRaftVoter(request) => {
                let refused = self.add_voter_requested(token, &request);
                let Some(refused) = refused else { return Ok(()) };
                refused
            }
            PeerRequest::RemoveRaftVoter(request) => {
                let refused = self.remove_voter_requested(token, &request);
                let Some(refused) = refused else { return Ok(()) };
                refused
            }
            // The host answers it without asking.
            PeerRequest::ApiVersions(_) => return Ok(()),
        };
        self.outputs.push(Output::Answer { token, response });
        Ok(())
    }

    /// What was chosen in this step must outlive a crash before anybody hears of it.
    fn save(&mut self) -> Result<(), QuorumError> {
        if let Some(state) = self.unsaved.take() {
            if is_planted(Bug::ForgetEpoch) && state.voted.is_none() {
                return Ok(());
            }
            let saved = self.store.write(&state, self.kraft.last().version);
            if !is_planted(Bug::IgnoreFailedVote) {
                saved?;
            }
        }
        Ok(())
    }

    /// Each voter's and observer's progress, for DescribeQuorum.
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

/// How far a replica of the metadata log is, as the leader knows it. Times are of the wall clock,
/// -1 while unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaProgress {
    pub key: ReplicaKey,
    pub end_offset: i64,
    pub last_fetch_ms: i64,
    pub last_caught_up_ms: i64,
}
