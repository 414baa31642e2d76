//! The leader's side of a fetch of the metadata log.
//!
//! ```text
//! offset and epoch ─ known here? ─ no, but older than the log ─▶ the newest snapshot
//!                        │       └ no ──────────────────────────▶ where the epoch ended here
//!                        └ yes ─ the replica has what stands below ─▶ records, or wait
//! ```
//! A fetch that would bring nothing waits for records, for a new high watermark, or its time.
//! Answers to the handling of Fetch in `KafkaRaftClient`, and to `ReplicatedLog`.

use bytes::{Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::messages::fetch_request::FetchPartition;
use protocol::messages::fetch_response::{
    EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
    SnapshotId as WireSnapshotId,
};
use protocol::messages::{FetchRequest, FetchResponse};

use super::answer::code;
use super::error::QuorumError;
use super::event::{Output, PeerResponse};
use super::log::{Log, VoteStore};
use super::role::Role;
use super::send::topic;
use super::snapshot_id::SnapshotId;
use super::voters::ReplicaKey;
use super::{CLUSTER_METADATA_ID, CLUSTER_METADATA_TOPIC, MAX_FETCH_BYTES, Quorum};
use crate::planted::{Bug, is_planted};

/// From this version on responses name the leader's address.
const ENDPOINTS_VERSION: i16 = 17;

/// A fetch that is answered when there is something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WaitingFetch {
    token: u64,
    version: i16,
    position: Position,
    pub(super) deadline_ms: i64,
    /// As of when it began to wait.
    high_watermark: Option<i64>,
}

/// What a replica says of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    epoch: i32,
    offset: i64,
    last_fetched_epoch: i32,
    max_bytes: usize,
}

enum Validity {
    Valid,
    Diverging { epoch: i32, end_offset: i64 },
    Snapshot(SnapshotId),
}

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn fetch_requested(
        &mut self,
        token: u64,
        version: i16,
        request: &FetchRequest,
    ) -> Result<(), QuorumError> {
        let response = match metadata_partition(request) {
            _ if !self.is_of_this_cluster(request.cluster_id.as_ref()) => {
                let error = ErrorCode::InconsistentClusterId.code();
                Some(FetchResponse::default().with_error_code(error))
            }
            None => {
                let error = ErrorCode::InvalidRequest.code();
                Some(FetchResponse::default().with_error_code(error))
            }
            Some(asked) => self.fetch_of(token, version, request, asked)?,
        };
        if let Some(response) = response {
            let response = PeerResponse::Fetch(Box::new(response));
            self.outputs.push(Output::Answer { token, response });
        }
        Ok(())
    }

    /// `None`: it waits.
    fn fetch_of(
        &mut self,
        token: u64,
        version: i16,
        request: &FetchRequest,
        asked: &FetchPartition,
    ) -> Result<Option<FetchResponse>, QuorumError> {
        let max_bytes = match request.max_bytes {
            1..=MAX_FETCH_BYTES => request.max_bytes,
            _ => MAX_FETCH_BYTES,
        };
        let position = Position {
            epoch: asked.current_leader_epoch,
            offset: asked.fetch_offset,
            last_fetched_epoch: asked.last_fetched_epoch,
            max_bytes: usize::try_from(max_bytes).unwrap_or(0),
        };
        if request.max_wait_ms < 0
            || position.offset < 0
            || position.last_fetched_epoch < 0
            || position.last_fetched_epoch > position.epoch
        {
            return Ok(Some(self.fetch_refused(version, ErrorCode::InvalidRequest)));
        }
        if let Some(error) = self.refuse_reader(position.epoch) {
            return Ok(Some(self.fetch_refused(version, error)));
        }
        if matches!(self.validity(&position), Validity::Valid) {
            let id = match request.replica_id.0 {
                -1 => request.replica_state.replica_id.0,
                id => id,
            };
            let replica = ReplicaKey { id, directory_id: asked.replica_directory_id };
            self.replica_fetched(replica, position.offset)?;
        }
        let answer = self.fetch_answer(version, &position)?;
        let known = asked.high_watermark;
        let news = self.leader_high_watermark().is_some_and(|at| known < at);
        if has_content(&answer) || request.max_wait_ms == 0 || news {
            return Ok(Some(answer));
        }
        self.waiting.push(WaitingFetch {
            token,
            version,
            position,
            deadline_ms: self.now.monotonic_ms.saturating_add(request.max_wait_ms.into()),
            high_watermark: self.leader_high_watermark(),
        });
        Ok(None)
    }

    fn replica_fetched(&mut self, replica: ReplicaKey, offset: i64) -> Result<(), QuorumError> {
        let now = self.now;
        let moved = match &mut self.role {
            Role::Leader(leader) => leader.fetched(replica, offset, &now),
            _ => false,
        };
        if moved { self.leader_high_watermark_moved() } else { Ok(()) }
    }

    fn leader_high_watermark(&self) -> Option<i64> {
        match &self.role {
            Role::Leader(leader) => leader.high_watermark(),
            _ => None,
        }
    }

    /// Answers what has waited long enough, or for what has come.
    pub(super) fn answer_waiting(&mut self) -> Result<(), QuorumError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let (log_end, high_watermark) = (self.log.log_end_offset(), self.leader_high_watermark());
        for fetch in std::mem::take(&mut self.waiting) {
            let due = fetch.position.offset < log_end
                || fetch.high_watermark != high_watermark
                || fetch.deadline_ms <= self.now.monotonic_ms;
            if due {
                let answer = self.fetch_answer(fetch.version, &fetch.position)?;
                let response = PeerResponse::Fetch(Box::new(answer));
                self.outputs.push(Output::Answer { token: fetch.token, response });
            } else {
                self.waiting.push(fetch);
            }
        }
        Ok(())
    }

    /// This node leads no more: whoever waits must ask somebody else.
    pub(super) fn refuse_waiting(&mut self, error: ErrorCode) {
        for fetch in std::mem::take(&mut self.waiting) {
            let refused = self.fetch_refused(fetch.version, error);
            let response = PeerResponse::Fetch(Box::new(refused));
            self.outputs.push(Output::Answer { token: fetch.token, response });
        }
    }

    /// The snapshot that the log begins at, or the oldest behind its start. Older files may be
    /// there: a node that ended before it had deleted them opens with a log that begins later.
    pub(super) fn earliest_snapshot(&self) -> Option<SnapshotId> {
        let log_start = self.log.log_start_offset();
        let ids = self.log.snapshots().into_iter().map(|entry| entry.id);
        ids.into_iter().find(|id| id.end_offset >= log_start)
    }

    fn validity(&self, position: &Position) -> Validity {
        let (offset, epoch) = (position.offset, position.last_fetched_epoch);
        let snapshots = self.log.snapshots();
        let earliest = self.earliest_snapshot();
        let latest = snapshots.last().map(|entry| entry.id);
        let log_start = self.log.log_start_offset();
        match latest {
            Some(latest) if offset == 0 && latest != SnapshotId::BOOTSTRAP => {
                return Validity::Snapshot(latest);
            }
            _ if log_start == 0 && offset == 0 => return Validity::Valid,
            _ => {}
        }
        if let Some((earliest, latest)) = earliest.zip(latest) {
            let gone = offset < log_start
                || (offset == log_start && epoch != earliest.epoch)
                || epoch < earliest.epoch;
            if gone {
                return Validity::Snapshot(latest);
            }
        }
        let (known, end_offset) = self.epochs.end_of(epoch, self.log.log_end_offset(), earliest);
        let diverges = known != epoch || end_offset < offset;
        if diverges && !is_planted(Bug::NoTruncation) {
            Validity::Diverging { epoch: known, end_offset }
        } else {
            Validity::Valid
        }
    }

    fn fetch_answer(
        &self,
        version: i16,
        position: &Position,
    ) -> Result<FetchResponse, QuorumError> {
        let mut partition = PartitionData::default();
        match self.validity(position) {
            Validity::Valid if position.offset < self.log.log_end_offset() => {
                let read = self.log.read(position.offset, position.max_bytes)?;
                partition.records = Some(joined(read));
            }
            Validity::Valid => partition.records = Some(Bytes::new()),
            Validity::Diverging { epoch, end_offset } => {
                partition.diverging_epoch =
                    EpochEndOffset::default().with_epoch(epoch).with_end_offset(end_offset);
            }
            Validity::Snapshot(id) => {
                partition.snapshot_id =
                    WireSnapshotId::default().with_epoch(id.epoch).with_end_offset(id.end_offset);
            }
        }
        partition.high_watermark = self.leader_high_watermark().unwrap_or(-1);
        Ok(self.fetch_response(version, partition))
    }

    fn fetch_refused(&self, version: i16, error: ErrorCode) -> FetchResponse {
        let partition = PartitionData::default()
            .with_error_code(code(Some(error)))
            .with_high_watermark(-1)
            .with_records(Some(Bytes::new()));
        self.fetch_response(version, partition)
    }

    fn fetch_response(&self, version: i16, partition: PartitionData) -> FetchResponse {
        let leader = LeaderIdAndEpoch::default()
            .with_leader_id(self.elected_or_none())
            .with_leader_epoch(self.epoch());
        let partition = partition
            .with_log_start_offset(self.log.log_start_offset())
            .with_current_leader(leader);
        let topic = FetchableTopicResponse::default()
            .with_topic(topic())
            .with_topic_id(CLUSTER_METADATA_ID)
            .with_partitions(vec![partition]);
        let node = |(id, host, port)| {
            NodeEndpoint::default().with_node_id(id).with_host(host).with_port(i32::from(port))
        };
        let nodes = self.leader_node().filter(|_| version >= ENDPOINTS_VERSION).map(node);
        FetchResponse::default()
            .with_responses(vec![topic])
            .with_node_endpoints(nodes.into_iter().collect())
    }
}

/// What is asked of the metadata partition, if that and nothing else is asked for.
fn metadata_partition(request: &FetchRequest) -> Option<&FetchPartition> {
    let [topic] = &request.topics[..] else {
        return None;
    };
    let named = topic.topic.as_str() == CLUSTER_METADATA_TOPIC;
    let known = topic.topic_id == CLUSTER_METADATA_ID || (topic.topic_id.is_nil() && named);
    match &topic.partitions[..] {
        [partition] if known && partition.partition == 0 => Some(partition),
        _ => None,
    }
}

fn has_content(response: &FetchResponse) -> bool {
    let mut partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.any(|partition| {
        partition.error_code != 0
            || partition.records.as_ref().is_some_and(|records| !records.is_empty())
            || partition.diverging_epoch.epoch >= 0
            || partition.snapshot_id.epoch >= 0
    })
}

fn joined(mut pieces: Vec<Bytes>) -> Bytes {
    if pieces.len() <= 1 {
        return pieces.pop().unwrap_or_default();
    }
    let mut all = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    pieces.iter().for_each(|piece| all.extend_from_slice(piece));
    all.freeze()
}
