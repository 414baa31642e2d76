//! What a role does by itself: when its time is over, and whenever it may ask somebody.
//!
//! Answers to the `poll…` methods of `KafkaRaftClient`.

use super::Quorum;
use super::error::QuorumError;
use super::log::{Log, VoteStore};
use super::role::Role;

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn start(&mut self) {
        if self.log.log_end_offset() > self.synced_offset {
            // What was found may not have been synced before the process ended.
            self.request_sync();
        }
        let alone = self.voters().is_only(self.settings.own);
        if alone && !matches!(self.role, Role::Candidate(_)) {
            self.become_prospective();
        }
    }

    /// Lets the role act until it has nothing to do.
    pub(super) fn poll(&mut self) -> Result<(), QuorumError> {
        self.peers.expire(self.now.monotonic_ms);
        while self.poll_once()? {}
        self.answer_waiting()
    }

    /// Says whether the role changed.
    fn poll_once(&mut self) -> Result<bool, QuorumError> {
        let now_ms = self.now.monotonic_ms;
        let may_stand = self.may_stand() && !self.shutting_down;
        match &self.role {
            Role::Unattached(role) => {
                if may_stand && now_ms >= role.election_deadline_ms {
                    self.become_prospective();
                    return Ok(true);
                }
                self.fetch_from_anybody();
            }
            Role::Prospective(role) => {
                if role.ballot.is_won() {
                    self.become_candidate()?;
                    return Ok(true);
                }
                let late = !self.shutting_down && now_ms >= role.election_deadline_ms;
                if late || role.ballot.is_lost() {
                    self.stand_back();
                    return Ok(true);
                }
                self.ask_for_votes(true);
            }
            Role::Candidate(role) => {
                if role.ballot.is_won() {
                    self.become_leader()?;
                    return Ok(true);
                }
                if !self.shutting_down && now_ms >= role.election_deadline_ms {
                    self.become_prospective();
                    return Ok(true);
                }
                if !role.ballot.is_lost() {
                    self.ask_for_votes(false);
                }
            }
            Role::Follower(role) => {
                if may_stand && now_ms >= role.fetch_deadline_ms {
                    self.become_prospective();
                    return Ok(true);
                }
                self.fetch_from_leader();
            }
            Role::Leader(role) => {
                if now_ms >= role.check_quorum_deadline_ms() || self.is_removed() {
                    self.resign();
                    return Ok(true);
                }
                self.expire_change();
                self.announce_epoch();
            }
            Role::Resigned(role) => {
                if !self.shutting_down && now_ms >= role.election_deadline_ms {
                    let epoch = self.next_epoch()?;
                    self.become_unattached(epoch, None);
                    return Ok(true);
                }
                self.announce_end();
            }
        }
        Ok(false)
    }

    fn next_epoch(&self) -> Result<i32, QuorumError> {
        let epoch = self.epoch();
        epoch.checked_add(1).ok_or(QuorumError::EpochsExhausted(epoch))
    }

    /// When [`super::Event::TimePassed`] is due at the latest, by the clock that only goes forward.
    pub fn next_deadline_ms(&self) -> i64 {
        let may_stand = self.may_stand() && !self.shutting_down;
        let of_role = match &self.role {
            Role::Unattached(role) if may_stand => role.election_deadline_ms,
            Role::Follower(role) if may_stand => role.fetch_deadline_ms,
            Role::Leader(role) => {
                let change_ms = role.change.as_ref().map_or(i64::MAX, |change| change.deadline_ms);
                let announcement_ms = self.next_announcement_ms();
                role.check_quorum_deadline_ms().min(announcement_ms).min(change_ms)
            }
            Role::Prospective(role) if !self.shutting_down => role.election_deadline_ms,
            Role::Candidate(role) if !self.shutting_down => role.election_deadline_ms,
            Role::Resigned(role) if !self.shutting_down => role.election_deadline_ms,
            _ => i64::MAX,
        };
        let waiting = self.waiting.iter().map(|fetch| fetch.deadline_ms).min();
        of_role.min(self.peers.next_deadline_ms()).min(waiting.unwrap_or(i64::MAX))
    }
}
