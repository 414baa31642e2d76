//! What every answer tells: the epoch and its leader. And what becomes of requests that failed.
//!
//! Kept true: an epoch has one leader; who says otherwise is not believed. Answers to
//! `maybeHandleCommonResponse` and `maybeTransition` of `KafkaRaftClient`.

use protocol::ErrorCode;

use super::Quorum;
use super::error::QuorumError;
use super::event::{PeerResponse, RequestFailure};
use super::log::{Log, VoteStore};
use super::role::Role;
use super::voters::Endpoints;

/// What an answer says about the epoch it was given in.
pub(super) struct Heard {
    pub(super) error: i16,
    /// Negative for none.
    pub(super) leader_id: i32,
    pub(super) epoch: i32,
    pub(super) endpoints: Endpoints,
}

/// The address of the leader among the nodes that an answer names.
pub(super) fn heard_endpoints<'a>(
    listener: &str,
    leader_id: i32,
    mut nodes: impl Iterator<Item = (i32, &'a str, u16)>,
) -> Endpoints {
    let leader = nodes.find(|(id, ..)| *id == leader_id);
    let endpoint = leader.map(|(_, host, port)| (listener.to_owned(), host.to_owned(), port));
    endpoint.into_iter().collect()
}

pub(super) enum Handled {
    /// The answer holds nothing more; says whether it was of use.
    Done(bool),
    GoOn,
}

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn responded(
        &mut self,
        request_id: u64,
        response: PeerResponse,
    ) -> Result<(), QuorumError> {
        let Some(from) = self.peers.awaited(request_id) else {
            return Ok(());
        };
        let success = match response {
            PeerResponse::Vote(response) => self.vote_answered(from, &response)?,
            PeerResponse::BeginQuorumEpoch(response) => self.begin_epoch_answered(&response),
            PeerResponse::EndQuorumEpoch(response) => self.end_epoch_answered(from, &response),
            PeerResponse::Fetch(response) => self.fetch_answered(&response)?,
            PeerResponse::FetchSnapshot(response) => self.snapshot_answered(response)?,
            PeerResponse::ApiVersions(response) => self.versions_answered(from, &response),
            PeerResponse::UpdateRaftVoter(response) => self.voter_update_answered(&response),
            PeerResponse::AddRaftVoter(response) => self.addition_answered(response.error_code),
            PeerResponse::RemoveRaftVoter(response) => self.removal_answered(response.error_code),
        };
        self.peers.answered(request_id, success, self.now.monotonic_ms);
        Ok(())
    }

    pub(super) fn request_failed(
        &mut self,
        request_id: u64,
        failure: RequestFailure,
    ) -> Result<(), QuorumError> {
        let Some(to) = self.peers.awaited(request_id) else {
            return Ok(());
        };
        self.versions_failed(to, failure);
        let success = failure == RequestFailure::UnsupportedVersion
            && (self.leader_is_told() || self.pre_vote_unknown()?);
        self.peers.answered(request_id, success, self.now.monotonic_ms);
        Ok(())
    }

    /// Whether `leader_id` can lead `epoch`, by what this node knows of it.
    pub(super) fn is_consistent(&self, epoch: i32, leader_id: Option<i32>) -> bool {
        let Some(leader) = leader_id else {
            return true;
        };
        if leader == self.settings.own.id {
            return epoch == self.epoch() && (self.is_leader() || self.has_resigned());
        }
        let known = self.role.elected().filter(|_| epoch == self.epoch());
        known.is_none_or(|known| known == leader)
    }

    fn has_resigned(&self) -> bool {
        matches!(self.role, Role::Resigned(_))
    }

    /// Takes in the part that all answers share.
    pub(super) fn hear(&mut self, heard: Heard) -> Handled {
        let leader_id = (heard.leader_id >= 0).then_some(heard.leader_id);
        let error = ErrorCode::try_from_code(heard.error);
        let endpoints = match leader_id {
            Some(leader) if heard.endpoints.is_empty() => self.voters().endpoints(leader),
            _ => heard.endpoints,
        };
        let own_epoch = self.epoch();
        if heard.epoch < own_epoch
            || error == Some(ErrorCode::UnknownLeaderEpoch)
            || !self.is_consistent(heard.epoch, leader_id)
        {
            // Unlike Kafka: who is behind is asked again after a pause, not at once.
            return Handled::Done(false);
        }
        let moved =
            matches!(error, Some(ErrorCode::FencedLeaderEpoch | ErrorCode::NotLeaderOrFollower));
        if heard.epoch > own_epoch || moved {
            return Handled::Done(self.take_leader(leader_id, heard.epoch, endpoints));
        }
        let lacks_leader = match &self.role {
            Role::Unattached(_) | Role::Candidate(_) => true,
            Role::Prospective(role) => role.leader_id.is_none(),
            Role::Follower(_) | Role::Leader(_) | Role::Resigned(_) => false,
        };
        if let Some(leader) = leader_id.filter(|_| lacks_leader)
            && !endpoints.is_empty()
        {
            self.become_follower(heard.epoch, leader, endpoints);
            return if heard.error == 0 { Handled::GoOn } else { Handled::Done(true) };
        }
        match error {
            Some(ErrorCode::BrokerNotAvailable) => Handled::Done(false),
            // Asking again will not change it, but the voter's directory may come back.
            Some(ErrorCode::InvalidVoterKey | ErrorCode::InvalidRequest) => Handled::Done(false),
            _ => Handled::GoOn,
        }
    }

    /// A later epoch, or the leader of this one, became known; says whether that was news.
    pub(super) fn take_leader(
        &mut self,
        leader_id: Option<i32>,
        epoch: i32,
        endpoints: Endpoints,
    ) -> bool {
        let leader = leader_id.filter(|id| *id != self.settings.own.id && !endpoints.is_empty());
        if epoch > self.epoch() {
            match leader {
                Some(leader) => self.become_follower(epoch, leader, endpoints),
                None => self.become_unattached(epoch, None),
            }
            return true;
        }
        let Some(leader) = leader.filter(|_| epoch == self.epoch()) else {
            return false;
        };
        let follows = match &self.role {
            Role::Follower(role) => role.leader_endpoints.len() >= endpoints.len(),
            Role::Unattached(_) | Role::Candidate(_) => false,
            Role::Prospective(role) => {
                role.leader_id.is_some() && role.leader_endpoints.len() >= endpoints.len()
            }
            Role::Leader(_) | Role::Resigned(_) => true,
        };
        if !follows {
            self.become_follower(epoch, leader, endpoints);
        }
        !follows
    }
}
