//! A change of the voters that the leader has under way, and how it ends.
//!
//! ```text
//! AddRaftVoter ──▶ ask its versions ──▶ is it caught up? ─┐
//! RemoveRaftVoter ────────────────────────────────────────┴─▶ voters' record ─▶ committed: answer
//! ```
//! Kept true: one change at a time; none before this epoch has a record committed, nor while an
//! earlier voters' record is not: two sets of voters that follow each other then have no majorities
//! without a voter in common. The record counts as soon as it is in the log and is committed by a
//! majority of the new voters. A leader that it leaves out resigns when it is committed.
//!
//! Answers to `AddVoterHandlerState`, `RemoveVoterHandlerState` and `LeaderState` (KIP-853).

use protocol::ErrorCode;
use protocol::messages::{AddRaftVoterResponse, RemoveRaftVoterResponse};
use protocol::wire::StrBytes;

use super::Quorum;
use super::event::{Output, PeerResponse};
use super::log::{Log, VoteStore};
use super::role::Role;
use super::voters::{Endpoints, ReplicaKey, VoterSet};
use crate::planted::{Bug, is_planted};

/// Kafka's words of two errors.
const TIMED_OUT: &str = "The request timed out.";
const NOT_LEADER: &str = "For requests intended only for the leader, this error indicates that the \
     broker is not the current leader. For requests intended for any replica, this error indicates \
     that the broker is not a replica of the topic partition.";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VoterChange {
    /// Who waits for the answer; nobody, once it is given.
    pub(super) token: Option<u64>,
    pub(super) deadline_ms: i64,
    pub(super) stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// A new voter is asked which versions of the protocol it speaks.
    Asking(Newcomer),
    /// The voters' record stands at this offset.
    Written { offset: i64, kind: Kind },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Add,
    Remove,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Newcomer {
    pub(super) key: ReplicaKey,
    pub(super) endpoints: Endpoints,
    pub(super) ack_when_committed: bool,
}

/// Why a change is not made, in Kafka's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangeRefused {
    pub(super) error: ErrorCode,
    pub(super) words: String,
}

impl ChangeRefused {
    pub(super) fn new(error: ErrorCode, words: impl Into<String>) -> Self {
        Self { error, words: words.into() }
    }

    pub(super) fn timed_out(words: impl Into<String>) -> Self {
        Self::new(ErrorCode::RequestTimedOut, words)
    }
}

impl VoterChange {
    fn kind(&self) -> Kind {
        match &self.stage {
            Stage::Asking(_) => Kind::Add,
            Stage::Written { kind, .. } => *kind,
        }
    }
}

/// The answer to a change.
pub(super) fn answer(kind: Kind, outcome: Result<(), ChangeRefused>) -> PeerResponse {
    let (code, words) = match outcome {
        Ok(()) => (0, None),
        Err(refused) => (refused.error.code(), Some(StrBytes::from_string(refused.words))),
    };
    match kind {
        Kind::Add => PeerResponse::AddRaftVoter(AddRaftVoterResponse {
            error_code: code,
            error_message: words,
            ..Default::default()
        }),
        Kind::Remove => PeerResponse::RemoveRaftVoter(
            RemoveRaftVoterResponse::default().with_error_code(code).with_error_message(words),
        ),
    }
}

/// A set of voters as Kafka prints it.
pub(super) fn words_of(voters: &VoterSet) -> String {
    let keys: Vec<String> = voters.keys().map(|key| key.to_string()).collect();
    format!("[{}]", keys.join(", "))
}

impl<L: Log, V: VoteStore> Quorum<L, V> {
    /// What must be so before the voters may change: the voters that are to be changed.
    /// `verb` is Kafka's word for the change.
    pub(super) fn changeable_voters(&self, verb: &str) -> Result<VoterSet, ChangeRefused> {
        let Role::Leader(leader) = &self.role else {
            return Err(ChangeRefused::new(ErrorCode::NotLeaderOrFollower, ""));
        };
        if leader.change.is_some() && !is_planted(Bug::TwoVoterChanges) {
            return Err(ChangeRefused::timed_out(
                "Request timed out waiting for leader to handle previous voter change request",
            ));
        }
        let Some(high_watermark) = leader.high_watermark() else {
            return Err(ChangeRefused::timed_out(
                "Request timed out waiting for leader to establish HWM and fence previous voter \
                 changes",
            ));
        };
        let kraft = self.kraft.last();
        if kraft.version == 0 {
            let words = format!(
                "Cluster doesn't support {verb} voter because the kraft.version feature is {}",
                kraft.version
            );
            return Err(ChangeRefused::new(ErrorCode::UnsupportedVersion, words));
        }
        let uncommitted = self.kraft.last_change().filter(|offset| *offset >= high_watermark);
        if let Some(offset) = uncommitted.filter(|_| !is_planted(Bug::TwoVoterChanges)) {
            return Err(ChangeRefused::timed_out(format!(
                "Request timed out waiting for voters to commit the latest voter change at \
                 Optional[{offset}] with HWM {high_watermark}"
            )));
        }
        Ok(kraft.voters.clone())
    }

    /// Leaders answer changes, as long as they go on. Kafka has no words for who does not.
    pub(super) fn refuse_change(&self, cluster_id: Option<&StrBytes>) -> Result<(), ChangeRefused> {
        if !self.is_of_this_cluster(cluster_id) {
            let given = cluster_id.map_or("null", |id| id.as_str());
            let words = format!(
                "The given id \"{given}\" doesn't match the cluster id \"{}\"",
                self.settings.cluster_id
            );
            return Err(ChangeRefused::new(ErrorCode::InconsistentClusterId, words));
        }
        match self.refuse_reader(self.epoch()) {
            Some(error) => Err(ChangeRefused::new(error, "")),
            None => Ok(()),
        }
    }

    /// Until when a change that begins now must be done.
    pub(super) fn change_deadline_ms(&self) -> i64 {
        self.now.monotonic_ms.saturating_add(self.settings.timeouts.request_ms.max(1))
    }

    pub(super) fn begin_change(&mut self, change: VoterChange) {
        if let Role::Leader(leader) = &mut self.role {
            leader.change = Some(change);
        }
    }

    /// Ends the change that is under way, if one is.
    pub(super) fn end_change(&mut self, outcome: Result<(), ChangeRefused>) {
        let ended = match &mut self.role {
            Role::Leader(leader) => leader.change.take(),
            _ => None,
        };
        if let Some(change) = ended
            && let Some(token) = change.token
        {
            let response = answer(change.kind(), outcome);
            self.outputs.push(Output::Answer { token, response });
        }
    }

    pub(super) fn expire_change(&mut self) {
        let now_ms = self.now.monotonic_ms;
        if let Role::Leader(leader) = &self.role
            && leader.change.as_ref().is_some_and(|change| change.deadline_ms <= now_ms)
        {
            self.end_change(Err(ChangeRefused::timed_out(TIMED_OUT)));
        }
    }

    /// This node leads no more.
    pub(super) fn abandon_change(&mut self) {
        self.end_change(Err(ChangeRefused::new(ErrorCode::NotLeaderOrFollower, NOT_LEADER)));
    }

    /// The high watermark of the leader moved.
    pub(super) fn change_committed(&mut self) {
        let Role::Leader(leader) = &self.role else {
            return;
        };
        let reached = leader.high_watermark();
        let written = leader.change.as_ref().and_then(|change| match change.stage {
            Stage::Written { offset, .. } => Some(offset),
            Stage::Asking(_) => None,
        });
        if written.is_some_and(|offset| reached > Some(offset)) {
            self.end_change(Ok(()));
        }
    }

    /// Whether the voters' record that leaves this node out is committed.
    pub(super) fn is_removed(&self) -> bool {
        let committed = self.high_watermark.unwrap_or(0);
        !self.is_voter() && self.kraft.last_change().is_none_or(|offset| offset < committed)
    }

    /// Whether this node stands for election when nobody leads. Unlike Kafka: also who has lost its
    /// vote by a record that may not be committed, without which nobody could be elected where
    /// the others do not have that record (docs/decisions/0450).
    pub(super) fn may_stand(&self) -> bool {
        let Some(offset) = self.kraft.last_change().filter(|_| !self.is_voter()) else {
            return self.is_voter();
        };
        !self.is_removed() && self.kraft.before(offset).voters.contains(self.settings.own)
    }
}
