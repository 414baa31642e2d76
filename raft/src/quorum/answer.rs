//! What requests are answered with, and when one is refused before it is looked at.
//!
//! Answers to the `validate…` methods of `KafkaRaftClient` and to `RaftUtil`.

use protocol::ErrorCode;
use protocol::messages::{
    BeginQuorumEpochResponse, BrokerId, EndQuorumEpochResponse, VoteResponse,
    begin_quorum_epoch_response as begin, end_quorum_epoch_response as end, vote_response as vote,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::log::{Log, VoteStore};
use super::send::topic;
use super::voters::address;
use super::{CLUSTER_METADATA_TOPIC, Quorum};

/// An error code as responses carry it.
pub(super) fn code(error: Option<ErrorCode>) -> i16 {
    error.map_or(0, |error| error.code())
}

/// The one partition of a request, where it is the metadata partition.
pub(super) fn metadata_partition<'r, Topic, Partition>(
    topics: &'r [Topic],
    parts: impl FnOnce(&'r Topic) -> (&'r str, &'r [Partition]),
    index: impl FnOnce(&'r Partition) -> i32,
) -> Option<&'r Partition> {
    let [topic] = topics else { return None };
    let (name, [partition]) = parts(topic) else { return None };
    (name == CLUSTER_METADATA_TOPIC && index(partition) == 0).then_some(partition)
}

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn is_of_this_cluster(&self, cluster_id: Option<&StrBytes>) -> bool {
        cluster_id.is_none_or(|id| id.as_str() == self.settings.cluster_id)
    }

    /// What only voters send: votes, beginnings and ends of epochs.
    pub(super) fn refuse_voter(&self, sender: i32, epoch: i32) -> Option<ErrorCode> {
        if epoch < self.epoch() {
            Some(ErrorCode::FencedLeaderEpoch)
        } else if sender < 0 {
            Some(ErrorCode::InvalidRequest)
        } else {
            None
        }
    }

    /// What only the leader of the epoch answers.
    pub(super) fn refuse_reader(&self, epoch: i32) -> Option<ErrorCode> {
        if epoch < self.epoch() {
            Some(ErrorCode::FencedLeaderEpoch)
        } else if epoch > self.epoch() {
            Some(ErrorCode::UnknownLeaderEpoch)
        } else if !self.is_leader() {
            Some(ErrorCode::NotLeaderOrFollower)
        } else if self.shutting_down {
            Some(ErrorCode::BrokerNotAvailable)
        } else {
            None
        }
    }

    /// Whether a request that names its receiver means this replica.
    pub(super) fn is_meant(&self, voter_id: i32, directory_id: Uuid) -> bool {
        let own = self.settings.own;
        voter_id < 0
            || (voter_id == own.id && (directory_id.is_nil() || directory_id == own.directory_id))
    }

    pub(super) fn elected_or_none(&self) -> BrokerId {
        BrokerId(self.role.elected().unwrap_or(-1))
    }

    /// Who leads and where, for versions of a response that can tell.
    pub(super) fn leader_node(&self) -> Option<(BrokerId, StrBytes, u16)> {
        let leader = self.role.elected()?;
        let (host, port) =
            address(self.role.leader_endpoints(&self.settings.endpoints), &self.settings.listener)?;
        Some((BrokerId(leader), StrBytes::from_string(host.to_owned()), port))
    }

    pub(super) fn vote_answer(
        &self,
        version: i16,
        error: Option<ErrorCode>,
        granted: bool,
    ) -> VoteResponse {
        let partition = vote::PartitionData::default()
            .with_error_code(code(error))
            .with_leader_id(self.elected_or_none())
            .with_leader_epoch(self.epoch())
            .with_vote_granted(granted);
        let topic =
            vote::TopicData::default().with_topic_name(topic()).with_partitions(vec![partition]);
        let node = |(id, host, port)| {
            vote::NodeEndpoint::default().with_node_id(id).with_host(host).with_port(port)
        };
        let nodes = self.leader_node().filter(|_| version >= 1).map(node);
        VoteResponse::default()
            .with_topics(vec![topic])
            .with_node_endpoints(nodes.into_iter().collect())
    }

    pub(super) fn begin_epoch_answer(
        &self,
        version: i16,
        error: Option<ErrorCode>,
    ) -> BeginQuorumEpochResponse {
        let partition = begin::PartitionData::default()
            .with_error_code(code(error))
            .with_leader_id(self.elected_or_none())
            .with_leader_epoch(self.epoch());
        let topic =
            begin::TopicData::default().with_topic_name(topic()).with_partitions(vec![partition]);
        let node = |(id, host, port)| {
            begin::NodeEndpoint::default().with_node_id(id).with_host(host).with_port(port)
        };
        let nodes = self.leader_node().filter(|_| version >= 1).map(node);
        BeginQuorumEpochResponse::default()
            .with_topics(vec![topic])
            .with_node_endpoints(nodes.into_iter().collect())
    }

    pub(super) fn end_epoch_answer(
        &self,
        version: i16,
        error: Option<ErrorCode>,
    ) -> EndQuorumEpochResponse {
        let partition = end::PartitionData::default()
            .with_error_code(code(error))
            .with_leader_id(self.elected_or_none())
            .with_leader_epoch(self.epoch());
        let topic =
            end::TopicData::default().with_topic_name(topic()).with_partitions(vec![partition]);
        let node = |(id, host, port)| {
            end::NodeEndpoint::default().with_node_id(id).with_host(host).with_port(port)
        };
        let nodes = self.leader_node().filter(|_| version >= 1).map(node);
        EndQuorumEpochResponse::default()
            .with_topics(vec![topic])
            .with_node_endpoints(nodes.into_iter().collect())
    }
}
