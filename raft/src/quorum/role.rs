//! What a node is in its epoch, and what each role says of leader and vote.
//!
//! Kept true: a standard vote is granted to one candidate per epoch, to a log that is not behind,
//! and never by who knows a leader of the epoch;
//! a pre-vote is granted by everybody who has no healthy leader, and changes nothing. Answers to
//! `EpochState` and `QuorumState`.

use super::candidate::Candidate;
use super::election::ElectionState;
use super::follower::Follower;
use super::leader::Leader;
use super::prospective::Prospective;
use super::resigned::Resigned;
use super::unattached::Unattached;
use super::voters::{Endpoints, ReplicaKey};
use crate::planted::{Bug, is_planted};

#[derive(Debug, Clone)]
pub(super) enum Role {
    Unattached(Unattached),
    Prospective(Prospective),
    Candidate(Candidate),
    Follower(Follower),
    Leader(Leader),
    Resigned(Resigned),
}

impl Role {
    pub(super) fn epoch(&self) -> i32 {
        match self {
            Self::Unattached(role) => role.epoch,
            Self::Prospective(role) => role.epoch,
            Self::Candidate(role) => role.epoch,
            Self::Follower(role) => role.epoch,
            Self::Leader(role) => role.epoch,
            Self::Resigned(role) => role.epoch,
        }
    }

    /// Who was elected in this epoch; who resigned still counts.
    pub(super) fn elected(&self) -> Option<i32> {
        match self {
            Self::Unattached(role) => role.leader_id,
            Self::Prospective(role) => role.leader_id,
            Self::Candidate(_) => None,
            Self::Follower(role) => Some(role.leader_id),
            Self::Leader(role) => Some(role.own_id()),
            Self::Resigned(role) => Some(role.own_id),
        }
    }

    /// Where the one who was elected listens; empty while unknown.
    pub(super) fn leader_endpoints<'a>(&'a self, own: &'a Endpoints) -> &'a Endpoints {
        static NONE: Endpoints = Vec::new();
        match self {
            Self::Follower(role) => &role.leader_endpoints,
            Self::Prospective(role) => &role.leader_endpoints,
            Self::Leader(_) | Self::Resigned(_) => own,
            Self::Unattached(_) | Self::Candidate(_) => &NONE,
        }
    }

    pub(super) fn voted(&self) -> Option<ReplicaKey> {
        match self {
            Self::Unattached(role) => role.voted,
            Self::Prospective(role) => role.voted,
            Self::Candidate(role) => Some(role.own),
            Self::Follower(role) => role.voted,
            Self::Leader(_) | Self::Resigned(_) => None,
        }
    }

    /// What must outlive a crash.
    pub(super) fn election_state(&self, voters: Vec<i32>) -> ElectionState {
        let (leader_id, voted) = (self.elected(), self.voted());
        ElectionState { epoch: self.epoch(), leader_id, voted, voters }
    }

    pub(super) fn grants(
        &self,
        replica: ReplicaKey,
        log_is_up_to_date: bool,
        pre_vote: bool,
    ) -> bool {
        match self {
            Self::Leader(_) => false,
            Self::Follower(role) if role.leader_is_well => false,
            _ if pre_vote => log_is_up_to_date,
            Self::Unattached(Unattached { leader_id, voted, .. })
            | Self::Prospective(Prospective { leader_id, voted, .. }) => match voted {
                _ if is_planted(Bug::VoteTwice) => log_is_up_to_date,
                Some(voted) if is_planted(Bug::VoteForUnsynced) => voted.covers(replica),
                // Unlike Kafka: the log counts again (docs/decisions/0112).
                Some(voted) => voted.covers(replica) && log_is_up_to_date,
                None => leader_id.is_none() && log_is_up_to_date,
            },
            Self::Candidate(_) | Self::Follower(_) | Self::Resigned(_) => false,
        }
    }
}
