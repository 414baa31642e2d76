//! A controller node, whole: quorum, controller and the image of what is committed, and the order
//! in which a request passes through them.
//!
//! ```text
//! call ─ controller ─ records ─ quorum ─ log ─ (host syncs) ─ log_synced ─ commit ─ Publish
//!   └─ response, and the offset it waits for                                     │
//!              host: apply the image, then answer what waited up to its offset ──┘
//! ```
//! Kept true: no answer is due before its records are committed and in an image that the host was
//! told to publish; an answer that wrote nothing waits for what was written before it, because it
//! may have seen it.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::describe_quorum_response::{
    Listener, Node as QuorumNode, PartitionData, ReplicaState, TopicData,
};
use protocol::messages::{BrokerId, DescribeQuorumRequest, DescribeQuorumResponse, TopicName};
use protocol::records::metadata::{MetadataRecord, NoOpRecord};
use protocol::wire::StrBytes;

use crate::controller::{
    ConfigRules, Controller, ControllerNow, ControllerResult, ControllerSettings,
};
use crate::image::{
    LoadError, MetadataDelta, MetadataImage, MetadataLoader, Provenance, ReplayError,
};
use crate::planted::{Bug, is_planted};
use crate::quorum::{
    CLUSTER_METADATA_TOPIC, Destination, Entry, EntryRecord, Event, Found, KRaftState, Log, Output,
    PeerRequest, PeerResponse, Quorum, QuorumError, QuorumNow, QuorumSettings, ReplicaProgress,
    Retention, Snapshot, SnapshotId, VoteStore, expendable_before, write_snapshot,
};

/// How often old snapshots are looked for.
const CLEANING_INTERVAL_MS: i64 = 60_000;

#[derive(Debug, Clone)]
pub struct NodeSettings {
    pub quorum: QuorumSettings,
    pub controller: ControllerSettings,
    /// `metadata.log.max.record.bytes.between.snapshots`
    pub max_bytes_between_snapshots: u64,
    /// `metadata.log.max.snapshot.interval.ms`; 0: never for its age
    pub max_snapshot_interval_ms: i64,
    /// `metadata.max.retention.bytes` and `.ms`
    pub retention: Retention,
    /// `metadata.max.idle.interval.ms`; 0: never
    pub max_idle_interval_ms: i64,
}

/// Why the node must stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    Quorum(#[from] QuorumError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the controller's own record cannot be applied: {0}")]
    Replay(#[from] ReplayError),
}

/// This node's controller is not the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this node is not the active controller")]
pub struct NotActive;

/// What the host must do, in this order.
#[derive(Debug, Clone)]
pub enum NodeOutput {
    /// Make the log durable, then call [`Node::log_synced`] with this generation. Of several that
    /// are gathered into one sync the newest counts.
    SyncLog {
        generation: u64,
    },
    /// Send this and report what became of it under the same id.
    Send {
        request_id: u64,
        to: Destination,
        request: PeerRequest,
    },
    /// Answer what another node asked under this token.
    Answer {
        token: u64,
        response: PeerResponse,
    },
    /// Who leads the quorum changed, as far as this node knows.
    LeaderChanged {
        epoch: i32,
        leader_id: Option<i32>,
    },
    /// This node's controller decides from now on.
    BecameActive {
        epoch: i32,
        next_offset: i64,
    },
    BecameInactive {
        epoch: i32,
    },
    /// The cluster is now like this.
    Publish {
        image: MetadataImage,
        delta: Box<MetadataDelta>,
    },
    /// Write this to the disk, then call [`Node::snapshot_frozen`].
    TakeSnapshot(SnapshotJob),
}

/// A snapshot to be written; may be carried to another thread.
#[derive(Debug, Clone)]
pub struct SnapshotJob {
    pub id: SnapshotId,
    pub timestamp_ms: i64,
    image: MetadataImage,
    kraft: KRaftState,
}

impl SnapshotJob {
    /// The content of the file, in pieces.
    pub fn content(&self, now_ms: i64) -> Result<Vec<bytes::Bytes>, NodeError> {
        let level = self.image.metadata_version();
        let records = self.image.to_records();
        write_snapshot(self.id, self.timestamp_ms, &self.kraft, &records, level, now_ms)
            .map_err(|error| QuorumError::from(error).into())
    }
}

pub struct Node<L, V> {
    settings: NodeSettings,
    quorum: Quorum<L, V>,
    controller: Controller,
    loader: MetadataLoader,
    /// Of `bootstrap.checkpoint`: what an empty log begins with.
    bootstrap: Vec<MetadataRecord>,
    snapshot_running: bool,
    /// Up to which offset the newest snapshot reaches, and when it was begun.
    last_snapshot: (i64, i64),
    last_write_ms: i64,
    last_cleaning_ms: i64,
}

impl<L: Log, V: VoteStore> Node<L, V> {
    /// Reads what is on the disk.
    pub fn open(
        settings: NodeSettings,
        rules: Arc<dyn ConfigRules + Send + Sync>,
        bootstrap: Vec<MetadataRecord>,
        log: L,
        store: V,
        now: &ControllerNow,
    ) -> Result<Self, NodeError> {
        let mut loader = MetadataLoader::new(MetadataImage::default());
        let mut snapshot_end = 0;
        let found = |found| {
            if let Found::Snapshot(id, _) = &found {
                snapshot_end = id.end_offset;
            }
            load(&mut loader, found).map_err(NodeError::from)
        };
        let quorum = Quorum::open(settings.quorum.clone(), log, store, of_quorum(now), found)?;
        let image = loader.peek();
        let mut of_controller = settings.controller.clone();
        of_controller.quorum_node_ids = quorum.kraft().voters.ids().collect();
        let mut controller = Controller::new(of_controller, rules, image);
        controller.skip_to(quorum.log().log_end_offset());
        if let Some(offset) = loader.open_transaction() {
            controller.resume_transaction(offset);
        }
        Ok(Self {
            settings,
            quorum,
            controller,
            loader,
            bootstrap,
            snapshot_running: false,
            last_snapshot: (snapshot_end, now.monotonic_ms),
            last_write_ms: now.monotonic_ms,
            last_cleaning_ms: now.monotonic_ms,
        })
    }

    pub fn quorum(&self) -> &Quorum<L, V> {
        &self.quorum
    }

    /// For the host, which knows what else its log does.
    pub fn log_mut(&mut self) -> &mut L {
        self.quorum.log_mut()
    }

    pub fn controller(&self) -> &Controller {
        &self.controller
    }

    /// The broker that the last [`Self::tick`] fenced because its session ended.
    pub fn take_expired(&mut self) -> Option<(i32, i64)> {
        self.controller.take_expired()
    }

    /// The newest image that was published.
    pub fn image(&self) -> &MetadataImage {
        self.loader.image()
    }

    /// Elects itself where it is the only voter.
    pub fn start(&mut self, now: &ControllerNow) -> Result<Vec<NodeOutput>, NodeError> {
        self.step(Event::Started, now)
    }

    /// Asks the active controller. The response is due when everything up to and including the
    /// returned offset is committed and published: see [`crate::pending::Pending`].
    pub fn call<R>(
        &mut self,
        ask: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R>,
        now: &ControllerNow,
        outputs: &mut Vec<NodeOutput>,
    ) -> Result<Result<(R, i64), NotActive>, NodeError> {
        if !self.controller.is_active() {
            return Ok(Err(NotActive));
        }
        self.tell_controller_of_quorum();
        let ControllerResult { records, response, atomic, kraft_version } =
            ask(&mut self.controller, now);
        if records.is_empty() && is_planted(Bug::UncommittedIsSeen) {
            return Ok(Ok((response, -1)));
        }
        if let Some(version) = kraft_version {
            outputs.extend(self.step(Event::KRaftVersionRaised { version }, now)?);
            self.tell_controller_of_quorum();
        }
        outputs.extend(self.write(records, atomic, now)?);
        if !self.controller.is_active() {
            // Writing it took so long that nobody follows any more: it may be lost.
            return Ok(Err(NotActive));
        }
        Ok(Ok((response, self.quorum.log().log_end_offset() - 1)))
    }

    /// Everything below `end_offset` is on the disk.
    pub fn log_synced(
        &mut self,
        end_offset: i64,
        generation: u64,
        now: &ControllerNow,
    ) -> Result<Vec<NodeOutput>, NodeError> {
        self.step(Event::LogSynced { end_offset, generation }, now)
    }

    /// The snapshot is complete and on the disk.
    pub fn snapshot_frozen(&mut self) {
        self.snapshot_running = false;
    }

    /// No more leading: what is not committed will not be by this node. A leader hands over, which
    /// takes until [`Self::may_stop`].
    pub fn stop(&mut self, now: &ControllerNow) -> Result<Vec<NodeOutput>, NodeError> {
        self.step(Event::ShutdownRequested, now)
    }

    /// Whether a node that was told to stop owes nothing to the quorum any more.
    pub fn may_stop(&self) -> bool {
        self.quorum.may_stop()
    }

    /// Time went by: the controller's tasks and snapshots fall due, old snapshots go.
    pub fn tick(&mut self, now: &ControllerNow) -> Result<Vec<NodeOutput>, NodeError> {
        let mut outputs = self.step(Event::TimePassed, now)?;
        while self.controller.is_active() {
            self.tell_controller_of_quorum();
            let ControllerResult { records, response, atomic, .. } = self.controller.tick(now);
            outputs.extend(self.write(records, atomic, now)?);
            if !response {
                break;
            }
        }
        let idle_ms = self.settings.max_idle_interval_ms;
        if idle_ms > 0
            && self.controller.is_active()
            // Unlike Kafka: nobody but readers needs to see the log grow (docs/decisions/0030).
            && self.quorum.has_readers()
            && now.monotonic_ms >= self.last_write_ms + idle_ms
        {
            outputs.extend(self.write(vec![NoOpRecord::default().into()], false, now)?);
        }
        outputs.extend(self.snapshot_due(now).map(NodeOutput::TakeSnapshot));
        if now.monotonic_ms >= self.last_cleaning_ms + CLEANING_INTERVAL_MS {
            self.last_cleaning_ms = now.monotonic_ms;
            self.clean(now);
        }
        Ok(outputs)
    }

    /// When to call [`Self::tick`] at the latest.
    pub fn next_tick_ms(&self) -> i64 {
        let mut next = self.last_cleaning_ms + CLEANING_INTERVAL_MS;
        next = next.min(self.quorum.next_deadline_ms());
        next = self.controller.next_expiry_ms().map_or(next, |expiry| next.min(expiry));
        if self.settings.max_idle_interval_ms > 0 && self.quorum.has_readers() {
            next = next.min(self.last_write_ms + self.settings.max_idle_interval_ms);
        }
        let may_snapshot = !self.snapshot_running && self.is_behind_snapshot();
        if self.settings.max_snapshot_interval_ms > 0 && may_snapshot {
            next = next.min(self.last_snapshot.1 + self.settings.max_snapshot_interval_ms);
        }
        next
    }

    /// Lets go of old snapshots and of the log before them, as far as the retention allows.
    pub fn clean(&mut self, now: &ControllerNow) {
        let log = self.quorum.log();
        let snapshots = log.snapshots();
        let doomed =
            expendable_before(&snapshots, log.size_bytes(), self.settings.retention, now.wall_ms);
        if let Some(id) = doomed {
            self.quorum.delete_before(id);
        }
    }

    /// One thing happened; what the host must do now, in this order.
    pub fn step(
        &mut self,
        event: Event,
        now: &ControllerNow,
    ) -> Result<Vec<NodeOutput>, NodeError> {
        let mut outputs = Vec::new();
        for output in self.quorum.step(event, of_quorum(now))? {
            match output {
                Output::SyncLog { generation } => {
                    outputs.push(NodeOutput::SyncLog { generation });
                }
                Output::Send { request_id, to, request } => {
                    outputs.push(NodeOutput::Send { request_id, to, request });
                }
                Output::Answer { token, response } => {
                    outputs.push(NodeOutput::Answer { token, response });
                }
                Output::LeaderChanged { epoch, leader_id } => {
                    outputs.push(NodeOutput::LeaderChanged { epoch, leader_id });
                }
                Output::BecomeActive { epoch, next_offset } => {
                    self.activate(epoch, next_offset, now, &mut outputs)?;
                }
                Output::BecomeInactive { epoch } => {
                    self.reset_controller(self.quorum.log().log_end_offset());
                    outputs.push(NodeOutput::BecameInactive { epoch });
                }
                Output::Commit { entries, .. } => self.commit(entries, now, &mut outputs)?,
                Output::LoadSnapshot { id, snapshot } => {
                    self.load_snapshot(id, &snapshot, now, &mut outputs)?;
                }
            }
        }
        Ok(outputs)
    }

    /// What the controller knows from now on is what is committed.
    fn reset_controller(&mut self, next_offset: i64) {
        let image = match self.controller.image() {
            kept if is_planted(Bug::KeepUncommitted) && !kept.is_empty() => kept.clone(),
            _ => self.loader.peek(),
        };
        self.controller.reset(image, next_offset);
    }

    /// The controller takes over from what is committed, which the quorum saw to that this node
    /// has applied.
    fn activate(
        &mut self,
        epoch: i32,
        next_offset: i64,
        now: &ControllerNow,
        outputs: &mut Vec<NodeOutput>,
    ) -> Result<(), NodeError> {
        self.reset_controller(next_offset);
        if let Some(offset) = self.loader.open_transaction() {
            self.controller.resume_transaction(offset);
        }
        self.controller.set_quorum_node_ids(self.quorum.kraft().voters.ids());
        self.controller.activate(next_offset, now);
        outputs.push(NodeOutput::BecameActive { epoch, next_offset });
        let records = self.controller.activation_records(&self.bootstrap);
        outputs.extend(self.write(records, false, now)?);
        Ok(())
    }

    /// The quorum itself writes records, and its voters change.
    fn tell_controller_of_quorum(&mut self) {
        let voters = &self.quorum.kraft().voters;
        if !voters.ids().eq(self.controller.settings().quorum_node_ids.iter().copied()) {
            self.controller.set_quorum_node_ids(voters.ids());
        }
        self.controller.set_kraft_level(self.quorum.kraft_level());
        self.controller.skip_to(self.quorum.log().log_end_offset());
    }

    fn load_snapshot(
        &mut self,
        id: SnapshotId,
        snapshot: &Snapshot,
        now: &ControllerNow,
        outputs: &mut Vec<NodeOutput>,
    ) -> Result<(), NodeError> {
        self.loader.load(&snapshot.records, provenance_of(id, snapshot))?;
        self.last_snapshot = (id.end_offset, now.monotonic_ms);
        if let Some((image, delta)) = self.loader.take() {
            outputs.push(NodeOutput::Publish { image, delta: Box::new(delta) });
        }
        Ok(())
    }

    fn write(
        &mut self,
        records: Vec<MetadataRecord>,
        atomic: bool,
        now: &ControllerNow,
    ) -> Result<Vec<NodeOutput>, NodeError> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        self.last_write_ms = now.monotonic_ms;
        self.controller.append(&records)?;
        let level = self.controller.image().metadata_version();
        self.step(Event::RecordsProposed { records, level, atomic }, now)
    }

    fn commit(
        &mut self,
        entries: Vec<Entry>,
        now: &ControllerNow,
        outputs: &mut Vec<NodeOutput>,
    ) -> Result<(), NodeError> {
        for entry in entries {
            apply(&mut self.loader, entry)?;
        }
        if let Some((image, delta)) = self.loader.take() {
            outputs.push(NodeOutput::Publish { image, delta: Box::new(delta) });
        }
        outputs.extend(self.snapshot_due(now).map(NodeOutput::TakeSnapshot));
        Ok(())
    }

    fn is_behind_snapshot(&self) -> bool {
        let image = self.loader.image();
        !image.is_empty() && image.provenance().last_contained_offset + 1 > self.last_snapshot.0
    }

    fn snapshot_due(&mut self, now: &ControllerNow) -> Option<SnapshotJob> {
        let settings = &self.settings;
        let old = settings.max_snapshot_interval_ms > 0
            && now.monotonic_ms >= self.last_snapshot.1 + settings.max_snapshot_interval_ms;
        let long = self.quorum.bytes_since_snapshot() >= settings.max_bytes_between_snapshots;
        let image = self.loader.image();
        if self.snapshot_running || !(old || long) || !self.is_behind_snapshot() {
            return None;
        }
        let provenance = image.provenance();
        let id = SnapshotId {
            end_offset: provenance.last_contained_offset + 1,
            epoch: provenance.last_contained_epoch,
        };
        let job = SnapshotJob {
            id,
            timestamp_ms: provenance.last_contained_timestamp,
            image: image.clone(),
            kraft: self.quorum.kraft_before(id.end_offset).clone(),
        };
        self.snapshot_running = true;
        self.last_snapshot = (id.end_offset, now.monotonic_ms);
        self.quorum.snapshot_begun();
        Some(job)
    }

    /// Answers DescribeQuorum from what the leader knows.
    pub fn describe_quorum(
        &self,
        request: &DescribeQuorumRequest,
        now: &ControllerNow,
    ) -> DescribeQuorumResponse {
        let known = match &request.topics[..] {
            [topic] => {
                let partitions = topic.partitions.iter().map(|partition| partition.partition_index);
                topic.topic_name.as_str() == CLUSTER_METADATA_TOPIC && partitions.eq([0])
            }
            _ => false,
        };
        let mut response = DescribeQuorumResponse::default();
        if !known {
            response.topics = request.topics.iter().map(unknown_topic).collect();
            return response;
        }
        let partition = match self.quorum.leader_id().filter(|_| self.quorum.is_leader()) {
            None => PartitionData::default().with_error_code(ErrorCode::NotLeaderOrFollower.code()),
            Some(leader) => {
                response.nodes = self.quorum_nodes();
                let (voters, observers) = self.quorum.progress(now.wall_ms);
                PartitionData::default()
                    .with_leader_id(BrokerId(leader))
                    .with_leader_epoch(self.quorum.epoch())
                    .with_high_watermark(self.quorum.high_watermark().unwrap_or(-1))
                    .with_current_voters(voters.iter().map(replica_state).collect())
                    .with_observers(observers.iter().map(replica_state).collect())
            }
        };
        let topic = TopicData::default()
            .with_topic_name(TopicName(StrBytes::from_static_str(CLUSTER_METADATA_TOPIC)))
            .with_partitions(vec![partition]);
        response.with_topics(vec![topic])
    }

    fn quorum_nodes(&self) -> Vec<QuorumNode> {
        let own = &self.settings.quorum;
        let node = |(id, node): (i32, &crate::quorum::VoterNode)| {
            let endpoints = if id == own.own.id { &own.endpoints } else { &node.endpoints };
            let listener = |(name, host, port): &(String, String, u16)| {
                Listener::default()
                    .with_name(name.clone().into())
                    .with_host(host.clone().into())
                    .with_port(*port)
            };
            let listeners = endpoints.iter().map(listener).collect();
            QuorumNode::default().with_node_id(BrokerId(id)).with_listeners(listeners)
        };
        self.quorum.kraft().voters.iter().map(node).collect()
    }
}

fn unknown_topic(asked: &protocol::messages::describe_quorum_request::TopicData) -> TopicData {
    let partition = |index: i32| {
        PartitionData::default()
            .with_partition_index(index)
            .with_error_code(ErrorCode::UnknownTopicOrPartition.code())
    };
    let partitions = asked.partitions.iter().map(|asked| partition(asked.partition_index));
    TopicData::default()
        .with_topic_name(asked.topic_name.clone())
        .with_partitions(partitions.collect())
}

fn replica_state(progress: &ReplicaProgress) -> ReplicaState {
    ReplicaState::default()
        .with_replica_id(BrokerId(progress.key.id))
        .with_replica_directory_id(progress.key.directory_id)
        .with_log_end_offset(progress.end_offset)
        .with_last_fetch_timestamp(progress.last_fetch_ms)
        .with_last_caught_up_timestamp(progress.last_caught_up_ms)
}

fn of_quorum(now: &ControllerNow) -> QuorumNow {
    QuorumNow { monotonic_ms: now.monotonic_ms, wall_ms: now.wall_ms, seed: now.seed }
}

/// A snapshot's records all stand before its end.
fn provenance_of(id: SnapshotId, snapshot: &Snapshot) -> Provenance {
    Provenance {
        last_contained_offset: id.end_offset - 1,
        last_contained_epoch: id.epoch,
        last_contained_timestamp: snapshot.timestamp,
    }
}

fn load(loader: &mut MetadataLoader, found: Found) -> Result<(), LoadError> {
    match found {
        Found::Snapshot(id, snapshot) => {
            let provenance = provenance_of(id, &snapshot);
            for record in &snapshot.records {
                loader.replay(record, provenance)?;
            }
            loader.skip_to(provenance);
            Ok(())
        }
        Found::Entries(entries) => entries.into_iter().try_for_each(|entry| apply(loader, entry)),
    }
}

fn apply(loader: &mut MetadataLoader, entry: Entry) -> Result<(), LoadError> {
    let provenance = Provenance {
        last_contained_offset: entry.offset,
        last_contained_epoch: entry.epoch,
        last_contained_timestamp: entry.timestamp,
    };
    match entry.record {
        EntryRecord::Metadata(record) => loader.replay(&record, provenance),
        EntryRecord::Control(_) => {
            loader.skip_to(provenance);
            Ok(())
        }
    }
}

#[cfg(test)]
#[path = "node_test.rs"]
mod tests;
#[cfg(test)]
#[path = "node_trio_test.rs"]
mod trio_tests;
