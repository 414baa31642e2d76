//! FetchSnapshot, both sides: the leader hands out pieces of a snapshot, the follower puts them
//! together and starts over from there.
//!
//! Kept true: what is installed was read whole before, and is not behind what this node has
//! committed. Answers to the handling of FetchSnapshot in `KafkaRaftClient` (KIP-630).

use protocol::ErrorCode;
use protocol::messages::fetch_snapshot_request as asked;
use protocol::messages::fetch_snapshot_response::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionSnapshot, SnapshotId as WireSnapshotId, TopicSnapshot,
};
use protocol::messages::{FetchSnapshotRequest, FetchSnapshotResponse, TopicName};

use super::error::QuorumError;
use super::event::Output;
use super::log::{Log, VoteStore};
use super::response::{Handled, Heard, heard_endpoints};
use super::role::Role;
use super::send::topic;
use super::snapshot::Snapshot;
use super::snapshot_id::SnapshotId;
use super::voters::ReplicaKey;
use super::{CLUSTER_METADATA_TOPIC, MAX_FETCH_BYTES, Quorum};

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn snapshot_requested(
        &mut self,
        request: &FetchSnapshotRequest,
        version: i16,
    ) -> Result<FetchSnapshotResponse, QuorumError> {
        let refused =
            |error: ErrorCode| Ok(FetchSnapshotResponse::default().with_error_code(error.code()));
        if !self.is_of_this_cluster(request.cluster_id.as_ref()) {
            return refused(ErrorCode::InconsistentClusterId);
        }
        let [of_topic] = &request.topics[..] else {
            return refused(ErrorCode::InvalidRequest);
        };
        let [of_partition] = &of_topic.partitions[..] else {
            return refused(ErrorCode::InvalidRequest);
        };
        if of_topic.name.as_str() != CLUSTER_METADATA_TOPIC || of_partition.partition != 0 {
            let unknown = PartitionSnapshot::default()
                .with_index(of_partition.partition)
                .with_error_code(ErrorCode::UnknownTopicOrPartition.code());
            return Ok(self.snapshot_response(version, of_topic.name.clone(), unknown));
        }
        let leader = LeaderIdAndEpoch::default()
            .with_leader_id(self.elected_or_none())
            .with_leader_epoch(self.epoch());
        let answer = match self.snapshot_piece(request, of_partition)? {
            Err(error) => PartitionSnapshot::default().with_error_code(error.code()),
            Ok(piece) => piece,
        };
        let answer = answer.with_current_leader(leader);
        Ok(self.snapshot_response(version, topic(), answer))
    }

    fn snapshot_piece(
        &mut self,
        request: &FetchSnapshotRequest,
        of_partition: &asked::PartitionSnapshot,
    ) -> Result<Result<PartitionSnapshot, ErrorCode>, QuorumError> {
        if let Some(error) = self.refuse_reader(of_partition.current_leader_epoch) {
            return Ok(Err(error));
        }
        let wanted = &of_partition.snapshot_id;
        let id = SnapshotId { end_offset: wanted.end_offset, epoch: wanted.epoch };
        let snapshots = self.log.snapshots();
        let entry = snapshots.iter().find(|entry| entry.id == id && id != SnapshotId::BOOTSTRAP);
        let Some(entry) = entry else {
            return Ok(Err(ErrorCode::SnapshotNotFound));
        };
        let position = u64::try_from(of_partition.position).ok();
        let Some(position) = position.filter(|position| *position < entry.size_bytes) else {
            return Ok(Err(ErrorCode::PositionOutOfRange));
        };
        let max_bytes = request.max_bytes.clamp(1, MAX_FETCH_BYTES);
        let max_bytes = usize::try_from(max_bytes).unwrap_or(0);
        let piece = self.log.read_snapshot_piece(id, position, max_bytes)?;
        let directory_id = of_partition.replica_directory_id;
        let replica = ReplicaKey { id: request.replica_id.0, directory_id };
        let now = self.now;
        if let Role::Leader(leader) = &mut self.role {
            leader.heard_of(replica, &now);
        }
        let id = WireSnapshotId::default().with_end_offset(id.end_offset).with_epoch(id.epoch);
        Ok(Ok(PartitionSnapshot::default()
            .with_snapshot_id(id)
            .with_size(i64::try_from(entry.size_bytes).unwrap_or(i64::MAX))
            .with_position(of_partition.position)
            .with_unaligned_records(piece)))
    }

    fn snapshot_response(
        &self,
        version: i16,
        name: TopicName,
        partition: PartitionSnapshot,
    ) -> FetchSnapshotResponse {
        let topic = TopicSnapshot::default().with_name(name).with_partitions(vec![partition]);
        let node = |(id, host, port)| {
            NodeEndpoint::default().with_node_id(id).with_host(host).with_port(port)
        };
        let nodes = self.leader_node().filter(|_| version >= 1).map(node);
        FetchSnapshotResponse::default()
            .with_topics(vec![topic])
            .with_node_endpoints(nodes.into_iter().collect())
    }

    /// Says whether the answer was of use.
    pub(super) fn snapshot_answered(
        &mut self,
        response: FetchSnapshotResponse,
    ) -> Result<bool, QuorumError> {
        let nodes = response.node_endpoints;
        let mut partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        let Some(piece) = partitions.next().filter(|_| response.error_code == 0) else {
            return Ok(false);
        };
        let leader = &piece.current_leader;
        let nodes = nodes.iter().map(|node| (node.node_id.0, node.host.as_str(), node.port));
        let heard = Heard {
            error: piece.error_code,
            leader_id: leader.leader_id.0,
            epoch: leader.leader_epoch,
            endpoints: heard_endpoints(&self.settings.listener, leader.leader_id.0, nodes),
        };
        if let Handled::Done(success) = self.hear(heard) {
            return Ok(success);
        }
        let Role::Follower(role) = &mut self.role else {
            return Ok(false);
        };
        let Some(mut download) = role.download.take() else {
            return Ok(false);
        };
        let id =
            SnapshotId { end_offset: piece.snapshot_id.end_offset, epoch: piece.snapshot_id.epoch };
        let position = i64::try_from(download.content.len()).unwrap_or(i64::MAX);
        let not_found = piece.error_code == ErrorCode::SnapshotNotFound.code();
        if piece.error_code != 0 || id != download.id || piece.position != position {
            // The next fetch tells what to download now.
            if not_found {
                self.leader_answered();
            }
            return Ok(not_found);
        }
        download.content.extend_from_slice(&piece.unaligned_records);
        let complete = i64::try_from(download.content.len()).is_ok_and(|len| len >= piece.size);
        if complete {
            let sound = self.install(id, download.content.freeze())?;
            if !sound {
                return Ok(false);
            }
        } else {
            role.download = Some(download);
        }
        self.leader_answered();
        Ok(true)
    }

    /// Says whether the snapshot can be used.
    fn install(&mut self, id: SnapshotId, content: bytes::Bytes) -> Result<bool, QuorumError> {
        let Ok(snapshot) = Snapshot::read(&content) else {
            return Ok(false);
        };
        if let Some(high_watermark) = self.high_watermark.filter(|at| id.end_offset < *at) {
            let offset = id.end_offset;
            return Err(QuorumError::TruncationBelowHighWatermark { offset, high_watermark });
        }
        self.log.install_snapshot(id, content);
        self.void_syncs(0);
        self.epochs.reset(id);
        self.kraft.load(id, &snapshot.controls);
        self.uncommitted.clear();
        self.next_commit = id.end_offset;
        self.high_watermark = Some(id.end_offset);
        self.bytes_since_snapshot = 0;
        self.request_sync();
        self.outputs.push(Output::LoadSnapshot { id, snapshot });
        Ok(true)
    }
}
