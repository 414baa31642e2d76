//! Votes, asked and given.
//!
//! Kept true: a standard vote is given at most once per epoch and only to a log that is not behind
//! this one; it stands in the vote store before the answer leaves. Answers to KIP-595 and KIP-996.

use protocol::ErrorCode;
use protocol::messages::{VoteRequest, VoteResponse};

use super::Quorum;
use super::answer::metadata_partition;
use super::error::QuorumError;
use super::log::{Log, VoteStore};
use super::peers::PeerKey;
use super::response::{Handled, Heard, heard_endpoints};
use super::role::Role;
use super::voters::ReplicaKey;

/// How long a candidate waits at least after a refusal, and how much longer by chance.
const NEXT_TRY_MS: i64 = 20;
const NEXT_TRY_DRAW_MS: u64 = 150;

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn vote_requested(
        &mut self,
        request: &VoteRequest,
        version: i16,
    ) -> Result<VoteResponse, QuorumError> {
        let refused = |error: ErrorCode| Ok(VoteResponse::default().with_error_code(error.code()));
        if !self.is_of_this_cluster(request.cluster_id.as_ref()) {
            return refused(ErrorCode::InconsistentClusterId);
        }
        let partition = metadata_partition(
            &request.topics,
            |topic| (topic.topic_name.as_str(), &topic.partitions[..]),
            |partition| partition.partition_index,
        );
        let Some(asked) = partition else {
            return refused(ErrorCode::InvalidRequest);
        };
        let (epoch, last_epoch) = (asked.replica_epoch, asked.last_offset_epoch);
        let impossible = if asked.pre_vote { last_epoch > epoch } else { last_epoch >= epoch };
        if asked.last_offset < 0 || last_epoch < 0 || impossible {
            return Ok(self.vote_answer(version, Some(ErrorCode::InvalidRequest), false));
        }
        if let Some(error) = self.refuse_voter(asked.replica_id.0, epoch) {
            return Ok(self.vote_answer(version, Some(error), false));
        }
        if epoch > self.epoch() {
            self.become_unattached(epoch, None);
        }
        if !self.is_meant(request.voter_id.0, asked.voter_directory_id) {
            return Ok(self.vote_answer(version, Some(ErrorCode::InvalidVoterKey), false));
        }
        let directory_id = asked.replica_directory_id;
        let replica = ReplicaKey { id: asked.replica_id.0, directory_id };
        let own_end = (self.epochs.last(), self.log.log_end_offset());
        let up_to_date = (last_epoch, asked.last_offset) >= own_end;
        let granted = self.role.grants(replica, up_to_date, asked.pre_vote);
        if granted && !asked.pre_vote {
            self.vote_for(replica);
        }
        if asked.pre_vote
            && let Role::Prospective(role) = &mut self.role
        {
            // Unlike Kafka: who asks has lost its leader as well, whatever it answered before
            // (docs/decisions/0100).
            role.ballot.forget_refusal(replica.id);
        }
        Ok(self.vote_answer(version, None, granted))
    }

    fn vote_for(&mut self, replica: ReplicaKey) {
        let deadline = self.election_deadline();
        match &mut self.role {
            Role::Unattached(role) if role.voted.is_none() => {
                role.voted = Some(replica);
                role.election_deadline_ms = deadline;
            }
            Role::Prospective(role) if role.voted.is_none() => {
                role.voted = Some(replica);
                role.election_deadline_ms = deadline;
            }
            _ => return,
        }
        let voters = self.voters().ids().collect();
        self.unsaved = Some(self.role.election_state(voters));
    }

    /// Says whether the answer was of use.
    pub(super) fn vote_answered(
        &mut self,
        from: PeerKey,
        response: &VoteResponse,
    ) -> Result<bool, QuorumError> {
        if response.error_code == ErrorCode::UnsupportedVersion.code() {
            return self.pre_vote_unknown();
        }
        let partition = response.topics.first().and_then(|topic| topic.partitions.first());
        let Some(partition) = partition.filter(|_| response.error_code == 0) else {
            return Ok(false);
        };
        let nodes = response.node_endpoints.iter();
        let nodes = nodes.map(|node| (node.node_id.0, node.host.as_str(), node.port));
        let heard = Heard {
            error: partition.error_code,
            leader_id: partition.leader_id.0,
            epoch: partition.leader_epoch,
            endpoints: heard_endpoints(&self.settings.listener, partition.leader_id.0, nodes),
        };
        if let Handled::Done(success) = self.hear(heard) {
            return Ok(success);
        }
        let next_try_ms = self.next_try_ms();
        match &mut self.role {
            _ if partition.error_code != 0 => return Ok(false),
            Role::Prospective(role) => role.ballot.record(from, partition.vote_granted),
            Role::Candidate(role) => {
                role.ballot.record(from, partition.vote_granted);
                if !partition.vote_granted && !role.ballot.is_won() {
                    // Unlike Kafka: whoever refuses may be a candidate as well, and the third may
                    // be the one that is gone (docs/decisions/0100).
                    role.election_deadline_ms = role.election_deadline_ms.min(next_try_ms);
                }
            }
            _ => {}
        }
        Ok(true)
    }

    /// When a candidate that was refused asks for pre-votes again; by chance, so that two do not
    /// meet a second time.
    fn next_try_ms(&mut self) -> i64 {
        let draw = self.draws.below(NEXT_TRY_DRAW_MS);
        self.now.monotonic_ms + NEXT_TRY_MS + i64::try_from(draw).unwrap_or(0)
    }

    /// A voter older than pre-votes: then they would never suffice.
    pub(super) fn pre_vote_unknown(&mut self) -> Result<bool, QuorumError> {
        if !matches!(self.role, Role::Prospective(_)) {
            return Ok(false);
        }
        self.become_candidate()?;
        Ok(true)
    }
}
