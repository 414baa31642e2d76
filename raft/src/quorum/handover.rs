//! Epochs begin and end by being told, and by what connections tell.
//!
//! Answers to the handling of BeginQuorumEpoch and EndQuorumEpoch in `KafkaRaftClient`.

use protocol::ErrorCode;
use protocol::messages::{
    BeginQuorumEpochRequest, BeginQuorumEpochResponse, EndQuorumEpochRequest,
    EndQuorumEpochResponse,
};

use super::Quorum;
use super::answer::metadata_partition;
use super::error::QuorumError;
use super::log::{Log, VoteStore};
use super::peers::PeerKey;
use super::response::{Handled, Heard, heard_endpoints};
use super::role::Role;
use super::voters::{Endpoints, ReplicaKey};

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn begin_epoch_requested(
        &mut self,
        request: &BeginQuorumEpochRequest,
        version: i16,
    ) -> Result<BeginQuorumEpochResponse, QuorumError> {
        let refused = |error: ErrorCode| {
            Ok(BeginQuorumEpochResponse::default().with_error_code(error.code()))
        };
        if !self.is_of_this_cluster(request.cluster_id.as_ref()) {
            return refused(ErrorCode::InconsistentClusterId);
        }
        let partition = metadata_partition(
            &request.topics,
            |topic| (topic.topic_name.as_str(), &topic.partitions[..]),
            |partition| partition.partition_index,
        );
        let Some(told) = partition else {
            return refused(ErrorCode::InvalidRequest);
        };
        let (leader_id, epoch) = (told.leader_id.0, told.leader_epoch);
        if let Some(error) = self.refuse_voter(leader_id, epoch) {
            return Ok(self.begin_epoch_answer(version, Some(error)));
        }
        let endpoints = request.leader_endpoints.iter();
        let endpoints = endpoints
            .map(|end| (end.name.as_str().to_owned(), end.host.as_str().to_owned(), end.port));
        if !self.told_of_leader(leader_id, epoch, endpoints.collect()) {
            return Ok(self.begin_epoch_answer(version, Some(ErrorCode::UnknownServerError)));
        }
        let meant = self.is_meant(request.voter_id.0, told.voter_directory_id);
        let error = (!meant).then_some(ErrorCode::InvalidVoterKey);
        Ok(self.begin_epoch_answer(version, error))
    }

    /// Whether that can be: an epoch has one leader.
    fn told_of_leader(&mut self, leader_id: i32, epoch: i32, endpoints: Endpoints) -> bool {
        let endpoints =
            if endpoints.is_empty() { self.voters().endpoints(leader_id) } else { endpoints };
        let possible = self.is_consistent(epoch, Some(leader_id));
        if possible {
            self.take_leader(Some(leader_id), epoch, endpoints);
        }
        possible
    }

    pub(super) fn begin_epoch_answered(&mut self, response: &BeginQuorumEpochResponse) -> bool {
        let partition = response.topics.first().and_then(|topic| topic.partitions.first());
        let Some(partition) = partition.filter(|_| response.error_code == 0) else {
            return false;
        };
        let nodes = response.node_endpoints.iter();
        let nodes = nodes.map(|node| (node.node_id.0, node.host.as_str(), node.port));
        let heard = Heard {
            error: partition.error_code,
            leader_id: partition.leader_id.0,
            epoch: partition.leader_epoch,
            endpoints: heard_endpoints(&self.settings.listener, partition.leader_id.0, nodes),
        };
        match self.hear(heard) {
            Handled::Done(success) => success,
            Handled::GoOn => partition.error_code == 0,
        }
    }

    pub(super) fn end_epoch_requested(
        &mut self,
        request: &EndQuorumEpochRequest,
        version: i16,
    ) -> Result<EndQuorumEpochResponse, QuorumError> {
        let refused =
            |error: ErrorCode| Ok(EndQuorumEpochResponse::default().with_error_code(error.code()));
        if !self.is_of_this_cluster(request.cluster_id.as_ref()) {
            return refused(ErrorCode::InconsistentClusterId);
        }
        let partition = metadata_partition(
            &request.topics,
            |topic| (topic.topic_name.as_str(), &topic.partitions[..]),
            |partition| partition.partition_index,
        );
        let Some(told) = partition else {
            return refused(ErrorCode::InvalidRequest);
        };
        let (leader_id, epoch) = (told.leader_id.0, told.leader_epoch);
        if let Some(error) = self.refuse_voter(leader_id, epoch) {
            return Ok(self.end_epoch_answer(version, Some(error)));
        }
        let endpoints = request.leader_endpoints.iter();
        let endpoints = endpoints
            .map(|end| (end.name.as_str().to_owned(), end.host.as_str().to_owned(), end.port));
        if !self.told_of_leader(leader_id, epoch, endpoints.collect()) {
            return Ok(self.end_epoch_answer(version, Some(ErrorCode::UnknownServerError)));
        }
        let candidates = if told.preferred_candidates.is_empty() {
            let nobody = uuid::Uuid::nil();
            let key = |id: &i32| ReplicaKey { id: *id, directory_id: nobody };
            told.preferred_successors.iter().map(key).collect()
        } else {
            let candidates = told.preferred_candidates.iter();
            let key = |id: i32, directory_id| ReplicaKey { id, directory_id };
            candidates.map(|info| key(info.candidate_id.0, info.candidate_directory_id)).collect()
        };
        self.leader_resigned(leader_id, candidates);
        Ok(self.end_epoch_answer(version, None))
    }

    fn leader_resigned(&mut self, leader_id: i32, candidates: Vec<ReplicaKey>) {
        let delay_ms = self.succession_delay_ms(leader_id, &candidates);
        let now_ms = self.now.monotonic_ms;
        if let Role::Follower(role) = &mut self.role
            && role.leader_id == leader_id
        {
            role.leader_left(now_ms, delay_ms);
        }
    }

    /// The first of the candidates stands for election at once, each next after twice the time.
    fn succession_delay_ms(&mut self, leader_id: i32, candidates: &[ReplicaKey]) -> i64 {
        if candidates.is_empty() {
            return self.stagger_ms(Some(leader_id));
        }
        let own = self.settings.own;
        let longest_ms = self.settings.timeouts.election_backoff_max_ms;
        let place = candidates.iter().position(|candidate| candidate.covers(own));
        match place {
            Some(0) => 0,
            None => longest_ms,
            Some(place) => {
                let doublings = |count: usize| u32::try_from(count).unwrap_or(62).min(62);
                let shortest_ms = longest_ms >> doublings(candidates.len() - 1);
                let delay_ms = shortest_ms.checked_shl(doublings(place - 1)).unwrap_or(longest_ms);
                delay_ms.min(longest_ms)
            }
        }
    }

    pub(super) fn end_epoch_answered(
        &mut self,
        from: PeerKey,
        response: &EndQuorumEpochResponse,
    ) -> bool {
        let partition = response.topics.first().and_then(|topic| topic.partitions.first());
        let Some(partition) = partition.filter(|_| response.error_code == 0) else {
            return false;
        };
        let nodes = response.node_endpoints.iter();
        let nodes = nodes.map(|node| (node.node_id.0, node.host.as_str(), node.port));
        let heard = Heard {
            error: partition.error_code,
            leader_id: partition.leader_id.0,
            epoch: partition.leader_epoch,
            endpoints: heard_endpoints(&self.settings.listener, partition.leader_id.0, nodes),
        };
        match self.hear(heard) {
            Handled::Done(success) => success,
            Handled::GoOn => {
                if let Role::Resigned(role) = &mut self.role
                    && partition.error_code == 0
                {
                    role.unacknowledged.remove(&from);
                }
                partition.error_code == 0
            }
        }
    }

    /// A leader whose process is gone is not waited for. A wrong guess costs a round of pre-votes,
    /// which those refuse that still hear from the leader.
    pub(super) fn peer_gone(&mut self, id: i32) {
        let delay_ms = self.stagger_ms(Some(id));
        let now_ms = self.now.monotonic_ms;
        if let Role::Follower(role) = &mut self.role
            && role.leader_id == id
        {
            role.leader_left(now_ms, delay_ms);
        }
    }

    pub(super) fn shut_down(&mut self) -> Result<(), QuorumError> {
        self.shutting_down = true;
        self.resign();
        Ok(())
    }
}
