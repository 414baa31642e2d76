//! A controller without a vote asks the leader for one by itself, where it is configured to
//! (`controller.quorum.auto.join.enable`).
//!
//! A voter of its id with another directory is its former self, whose disk is gone: that one is
//! removed first. What is asked is said again each `controller.quorum.fetch.timeout.ms` until the
//! log has it. The leader answers when the change is written, not when it is committed: for that it
//! may need the log to be fetched by the very node that waits for the answer.
//!
//! Kept true: one change is asked for at a time, and by a follower of a known leader alone. Answers
//! to `pollFollowerAsObserver`, `handleAddVoterResponse` and `handleRemoveVoterResponse` of
//! `KafkaRaftClient` (KIP-853).

use protocol::ErrorCode;
use protocol::messages::add_raft_voter_request::Listener;
use protocol::messages::{AddRaftVoterRequest, RemoveRaftVoterRequest};

use super::Quorum;
use super::event::PeerRequest;
use super::log::{Log, VoteStore};
use super::role::Role;
use super::voters::ReplicaKey;

impl<L: Log, V: VoteStore> Quorum<L, V> {
    /// What to ask of the leader now, instead of fetching from it.
    pub(super) fn join_due(&mut self) -> Option<PeerRequest> {
        let (now_ms, period_ms) = (self.now.monotonic_ms, self.settings.timeouts.fetch_ms);
        let may_join = self.settings.auto_join && self.kraft.last().version > 0;
        if !may_join || self.shutting_down || self.is_voter() {
            return None;
        }
        let Role::Follower(role) = &mut self.role else {
            return None;
        };
        if now_ms < role.next_update_ms {
            return None;
        }
        role.next_update_ms = now_ms.saturating_add(period_ms);
        Some(match self.voters().key(self.settings.own.id) {
            Some(former) => PeerRequest::RemoveRaftVoter(self.removal_of(former)),
            None => PeerRequest::AddRaftVoter(self.addition()),
        })
    }

    fn addition(&self) -> AddRaftVoterRequest {
        let listener = |(name, host, port): &(String, String, u16)| Listener {
            name: name.clone().into(),
            host: host.clone().into(),
            port: *port,
        };
        AddRaftVoterRequest {
            cluster_id: self.cluster_id(),
            timeout_ms: i32::try_from(self.settings.timeouts.request_ms).unwrap_or(i32::MAX),
            voter_id: self.settings.own.id,
            voter_directory_id: self.settings.own.directory_id,
            listeners: self.settings.endpoints.iter().map(listener).collect(),
            ack_when_committed: false,
        }
    }

    fn removal_of(&self, former: ReplicaKey) -> RemoveRaftVoterRequest {
        RemoveRaftVoterRequest::default()
            .with_cluster_id(self.cluster_id())
            .with_voter_id(former.id)
            .with_voter_directory_id(former.directory_id)
    }

    /// Says whether the answer was of use: it is done, or cannot be now.
    pub(super) fn addition_answered(&mut self, error_code: i16) -> bool {
        self.join_answered(error_code, ErrorCode::DuplicateVoter)
    }

    pub(super) fn removal_answered(&mut self, error_code: i16) -> bool {
        self.join_answered(error_code, ErrorCode::VoterNotFound)
    }

    fn join_answered(&mut self, error_code: i16, done_before: ErrorCode) -> bool {
        let is_of_use = match ErrorCode::try_from_code(error_code) {
            None => error_code == 0,
            Some(error) => error == ErrorCode::RequestTimedOut || error == done_before,
        };
        let (now_ms, period_ms) = (self.now.monotonic_ms, self.settings.timeouts.fetch_ms);
        match &mut self.role {
            Role::Follower(role) if is_of_use => {
                role.next_update_ms = now_ms.saturating_add(period_ms);
                true
            }
            _ => false,
        }
    }
}
