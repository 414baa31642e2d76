//! From one role to the next.
//!
//! Kept true: every role but Prospective and Resigned is chosen together with what `quorum-state`
//! will say; the requests on their way belong to the role that sent them. Answers to the
//! transitions of `QuorumState` and `KafkaRaftClient`.

use protocol::ErrorCode;

use super::Quorum;
use super::ballot::Ballot;
use super::candidate::Candidate;
use super::election::ElectionState;
use super::error::QuorumError;
use super::event::Output;
use super::follower::Follower;
use super::leader::Leader;
use super::log::{Log, VoteStore};
use super::prospective::Prospective;
use super::resigned::Resigned;
use super::role::Role;
use super::unattached::Unattached;
use super::voters::{Endpoints, ReplicaKey};
use crate::planted::{Bug, is_planted};

/// What lies between two voters that lost their leader at the same moment, so that the first has
/// won before the second asks.
const STAGGER_MS: i64 = 40;
/// How much of that is chance.
const STAGGER_DRAW_MS: u64 = 20;
/// How long a voter that starts waits for the leader that it knew.
const START_WAIT_MS: i64 = 100;

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn initial_role(&mut self, saved: &ElectionState) -> Role {
        let own = self.settings.own;
        // Unlike Kafka: a voter that starts waits no election timeout (docs/decisions/0100).
        let stand_ms = self.now.monotonic_ms + self.stagger_ms(None);
        let election_deadline_ms = if self.may_stand() { stand_ms } else { i64::MAX };
        let log_epoch = self.epochs.last();
        if saved.epoch < log_epoch {
            // The store was lost, or was not written by this node.
            return Role::Unattached(Unattached {
                epoch: log_epoch,
                leader_id: None,
                voted: None,
                election_deadline_ms,
            });
        }
        let epoch = saved.epoch;
        let (leader_id, voted) = (saved.leader_id, saved.voted);
        if leader_id == Some(own.id) {
            return Role::Resigned(self.resigned(epoch, Vec::new()));
        }
        // Unlike Kafka: who stood for election stands anew, in the next epoch, with the log that is
        // left; its vote for itself keeps others from this one (docs/decisions/0112).
        let stood = voted.is_some_and(|voted| voted.covers(own));
        let resumes = is_planted(Bug::VoteForUnsynced);
        if resumes && stood && leader_id.is_none() && self.is_voter() {
            let ballot = Ballot::new(self.voters(), own.id);
            let election_deadline_ms = self.election_deadline();
            return Role::Candidate(Candidate { epoch, own, ballot, election_deadline_ms });
        }
        let leader_endpoints = leader_id.map(|id| self.voters().endpoints(id)).unwrap_or_default();
        match leader_id {
            Some(leader_id) if !leader_endpoints.is_empty() => Role::Follower(Follower {
                epoch,
                leader_id,
                leader_endpoints,
                voted,
                fetch_deadline_ms: stand_ms + START_WAIT_MS,
                leader_is_well: false,
                download: None,
                next_update_ms: self.now.monotonic_ms + self.settings.timeouts.fetch_ms,
                leader_is_told: false,
            }),
            _ => Role::Unattached(Unattached { epoch, leader_id, voted, election_deadline_ms }),
        }
    }

    /// A moment to stand for election, drawn by chance.
    pub(super) fn election_deadline(&mut self) -> i64 {
        let timeout_ms = self.settings.timeouts.election_ms.max(1);
        let draw = self.draws.below(timeout_ms.unsigned_abs());
        self.now.monotonic_ms + timeout_ms + i64::try_from(draw).unwrap_or(0)
    }

    /// Unlike Kafka: voters that lose their leader at the same moment stand for election one after
    /// the other, by id (docs/decisions/0100).
    pub(super) fn stagger_ms(&mut self, gone: Option<i32>) -> i64 {
        let own_id = self.settings.own.id;
        let before = self.voters().ids().filter(|id| *id < own_id && Some(*id) != gone).count();
        let draw = i64::try_from(self.draws.below(STAGGER_DRAW_MS)).unwrap_or(0);
        STAGGER_MS.saturating_mul(i64::try_from(before).unwrap_or(0)) + draw
    }

    fn enter(&mut self, role: Role) {
        let epoch = self.epoch();
        let led = self.is_leader();
        self.abandon_change();
        self.role = role;
        self.peers.forget_all();
        if led {
            if std::mem::take(&mut self.active) {
                self.outputs.push(Output::BecomeInactive { epoch });
            }
            self.refuse_waiting(ErrorCode::NotLeaderOrFollower);
        }
    }

    fn enter_for_good(&mut self, role: Role) {
        self.enter(role);
        let voters = self.voters().ids().collect();
        self.unsaved = Some(self.role.election_state(voters));
    }

    pub(super) fn become_unattached(&mut self, epoch: i32, leader_id: Option<i32>) {
        let election_deadline_ms = match &self.role {
            _ if !self.may_stand() => i64::MAX,
            Role::Candidate(role) => role.election_deadline_ms,
            Role::Unattached(role) => role.election_deadline_ms,
            Role::Prospective(role) if !role.ballot.is_lost() => role.election_deadline_ms,
            Role::Resigned(role) => role.election_deadline_ms,
            _ => self.election_deadline(),
        };
        let voted = self.role.voted().filter(|_| epoch == self.epoch());
        self.enter_for_good(Role::Unattached(Unattached {
            epoch,
            leader_id,
            voted,
            election_deadline_ms,
        }));
    }

    pub(super) fn become_follower(&mut self, epoch: i32, leader_id: i32, endpoints: Endpoints) {
        let voted = self.role.voted().filter(|_| epoch == self.epoch());
        let fetch_deadline_ms =
            self.now.monotonic_ms.saturating_add(self.settings.timeouts.fetch_ms);
        self.enter_for_good(Role::Follower(Follower {
            epoch,
            leader_id,
            leader_endpoints: endpoints,
            voted,
            fetch_deadline_ms,
            leader_is_well: false,
            download: None,
            next_update_ms: fetch_deadline_ms,
            leader_is_told: false,
        }));
    }

    pub(super) fn become_prospective(&mut self) {
        let leader_endpoints = match &self.role {
            Role::Follower(role) => role.leader_endpoints.clone(),
            _ => Vec::new(),
        };
        let role = Prospective {
            epoch: self.epoch(),
            leader_id: self.role.elected().filter(|id| *id != self.settings.own.id),
            leader_endpoints,
            voted: self.role.voted(),
            ballot: Ballot::new(self.voters(), self.settings.own.id),
            election_deadline_ms: self.election_deadline(),
        };
        self.enter(Role::Prospective(role));
    }

    /// The pre-votes did not suffice: back to the leader that others still have, or on alone.
    pub(super) fn stand_back(&mut self) {
        let Role::Prospective(role) = &self.role else {
            return;
        };
        let (epoch, leader_id) = (role.epoch, role.leader_id);
        match leader_id {
            Some(leader) if !role.leader_endpoints.is_empty() => {
                let endpoints = role.leader_endpoints.clone();
                self.become_follower(epoch, leader, endpoints);
            }
            _ => self.become_unattached(epoch, leader_id),
        }
    }

    pub(super) fn become_candidate(&mut self) -> Result<(), QuorumError> {
        let own = self.settings.own;
        let exhausted = || QuorumError::EpochsExhausted(self.epoch());
        let epoch = self.epoch().checked_add(1).ok_or_else(exhausted)?;
        let ballot = Ballot::new(self.voters(), own.id);
        let election_deadline_ms = self.election_deadline();
        let candidate = Candidate { epoch, own, ballot, election_deadline_ms };
        self.enter_for_good(Role::Candidate(candidate));
        Ok(())
    }

    pub(super) fn become_leader(&mut self) -> Result<(), QuorumError> {
        let Role::Candidate(candidate) = &self.role else {
            return Ok(());
        };
        let (own, epoch) = (self.settings.own, candidate.epoch);
        let granting: Vec<i32> = candidate.ballot.granting().collect();
        let start = self.log.log_end_offset();
        let fetch_ms = self.settings.timeouts.fetch_ms;
        let now_ms = self.now.monotonic_ms;
        let mut leader = Leader::new(epoch, start, own, self.voters(), fetch_ms, now_ms);
        leader.told_voters = self.voters_to_tell();
        let role = Role::Leader(leader);
        // The log must not hold an epoch whose leader is unknown. The vote and the win of a sole
        // voter are one write: nothing was handed out in between.
        self.unsaved = Some(role.election_state(self.voters().ids().collect()));
        self.save()?;
        self.enter(role);
        self.append_start_of_epoch(&granting, epoch);
        if self.voters().is_only(own) || is_planted(Bug::ActiveTooEarly) {
            self.activate(epoch);
        }
        Ok(())
    }

    /// The host hears that this node leads.
    pub(super) fn activate(&mut self, epoch: i32) {
        self.active = true;
        let next_offset = self.log.log_end_offset();
        self.outputs.push(Output::BecomeActive { epoch, next_offset });
    }

    fn resigned(&mut self, epoch: i32, successors: Vec<ReplicaKey>) -> Resigned {
        let own_id = self.settings.own.id;
        let unacknowledged = self.voters().ids().filter(|id| *id != own_id).collect();
        let election_deadline_ms = self.election_deadline();
        Resigned { epoch, own_id, unacknowledged, successors, election_deadline_ms }
    }

    pub(super) fn resign(&mut self) {
        if let Role::Leader(leader) = &self.role {
            let (epoch, successors) = (leader.epoch, leader.successors());
            let resigned = self.resigned(epoch, successors);
            self.enter(Role::Resigned(resigned));
        }
    }
}
