//! One machine: a disk, clocks that go wrong, and, while its process lives, a real node.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use raft::controller::{
    ApiError, ConfigRules, ControllerNow, ControllerSettings, DelegationTokenSettings,
    EffectiveConfig, feature_records,
};
use raft::draws::Draws;
use raft::feature::MetadataVersion;
use raft::image::{ConfigResource, ConfigValues, ResourceType};
use raft::node::{Node, NodeError, NodeSettings};
use raft::quorum::{
    QuorumFetchSizes, QuorumSettings, QuorumTimeouts, ReplicaKey, Retention, VoterSet,
};
use uuid::Uuid;

use super::disk::{Disk, SharedDisk, SimLog, SimStore};

pub(crate) type SimNode = Node<SimLog, SimStore>;

pub(crate) struct Machine {
    pub(crate) id: i32,
    pub(crate) voter: bool,
    pub(crate) directory: Uuid,
    pub(crate) disk: SharedDisk,
    pub(crate) node: Option<SimNode>,
    /// Counts its processes: what was meant for a former one is void.
    pub(crate) life: u64,
    /// What its clocks show beside the true time.
    pub(crate) wall_offset_ms: i64,
    /// How fast its clock that only goes forward goes, out of a thousand.
    pub(crate) pace: i64,
    /// How long its disk takes at most.
    pub(crate) sync_ms: u64,
    /// When its next tick is due, if that is in the queue.
    pub(crate) tick_at: Option<i64>,
    pub(crate) stopping: bool,
    /// The process does nothing until then.
    pub(crate) stalled_until_ms: i64,
}

/// Wall time at the beginning.
const EPOCH_MS: i64 = 1_700_000_000_000;

pub(crate) struct AnythingGoes;

impl ConfigRules for AnythingGoes {
    fn check(
        &self,
        _: &ConfigResource,
        _: &ConfigValues,
        _: &ConfigValues,
    ) -> Result<(), ApiError> {
        Ok(())
    }

    fn is_list(&self, _: ResourceType, _: &str) -> bool {
        false
    }

    fn default_value(&self, _: ResourceType, _: &str) -> Option<String> {
        None
    }

    fn effective_topic_configs(
        &self,
        _: &ConfigValues,
        _: &ConfigValues,
        _: &ConfigValues,
    ) -> Vec<EffectiveConfig> {
        Vec::new()
    }
}

pub(crate) fn port(id: i32) -> u16 {
    u16::try_from(9_000 + id).unwrap_or(0)
}

impl Machine {
    pub(crate) fn new(id: i32, voter: bool) -> Self {
        Self {
            id,
            voter,
            directory: directory(id),
            disk: Rc::new(RefCell::new(Disk::default())),
            node: None,
            life: 0,
            wall_offset_ms: 0,
            pace: 1_000,
            sync_ms: 4,
            tick_at: None,
            stopping: false,
            stalled_until_ms: 0,
        }
    }

    /// Whether its process waits for a vote to be on the disk.
    pub(crate) fn is_saving(&self) -> bool {
        !self.disk.borrow().votes_under_way.is_empty()
    }

    pub(crate) fn now(&self, true_ms: i64, draws: &mut Draws) -> ControllerNow {
        let seed = (u128::from(draws.next_u64()) << 64) | u128::from(draws.next_u64());
        ControllerNow {
            monotonic_ms: self.monotonic_ms(true_ms),
            wall_ms: EPOCH_MS + true_ms + self.wall_offset_ms,
            seed,
        }
    }

    pub(crate) fn monotonic_ms(&self, true_ms: i64) -> i64 {
        true_ms * self.pace / 1_000
    }

    /// When the machine's clock that only goes forward shows `monotonic_ms`.
    pub(crate) fn true_ms(&self, monotonic_ms: i64) -> i64 {
        // Rounded up: at that time it must be there.
        monotonic_ms.saturating_mul(1_000).saturating_add(self.pace - 1) / self.pace
    }

    pub(crate) fn open(
        &mut self,
        settings: NodeSettings,
        true_ms: i64,
        draws: &mut Draws,
    ) -> Result<(), NodeError> {
        self.life += 1;
        self.stopping = false;
        self.stalled_until_ms = 0;
        self.tick_at = None;
        let now = self.now(true_ms, draws);
        let (log, store) = (SimLog(self.disk.clone()), SimStore(self.disk.clone()));
        let bootstrap = feature_records(MetadataVersion::LATEST, &[]);
        let rules = Arc::new(AnythingGoes);
        self.node = Some(Node::open(settings, rules, bootstrap, log, store, &now)?);
        Ok(())
    }
}

pub(crate) fn directory(id: i32) -> Uuid {
    Uuid::from_u128(u128::from(id.unsigned_abs()) + 100)
}

pub(crate) fn voter_set(voters: &[i32]) -> VoterSet {
    let endpoint = |id: &i32| (*id, "localhost".to_owned(), port(*id));
    VoterSet::from_configuration("CONTROLLER", voters.iter().map(endpoint))
}

pub(crate) fn servers<'a>(ids: impl Iterator<Item = &'a i32>) -> Vec<(String, u16)> {
    ids.map(|id| ("localhost".to_owned(), port(*id))).collect()
}

/// `formatted`: the voters stand in a snapshot that every voter was formatted with, not in the
/// configuration.
pub(crate) fn settings(
    id: i32,
    voters: &[i32],
    formatted: bool,
    controller: &ControllerSettings,
) -> NodeSettings {
    NodeSettings {
        quorum: QuorumSettings {
            own: ReplicaKey { id, directory_id: directory(id) },
            cluster_id: "cluster".to_owned(),
            static_voters: if formatted { VoterSet::default() } else { voter_set(voters) },
            bootstrap_servers: if formatted { servers(voters.iter()) } else { Vec::new() },
            listener: "CONTROLLER".to_owned(),
            endpoints: vec![("CONTROLLER".to_owned(), "localhost".to_owned(), port(id))],
            observers_sync: false,
            auto_join: false,
            timeouts: QuorumTimeouts::default(),
            asked: QuorumFetchSizes::default(),
        },
        controller: ControllerSettings { node_id: id, ..controller.clone() },
        max_bytes_between_snapshots: 3_000,
        max_snapshot_interval_ms: 0,
        retention: Retention { max_bytes: 4_000, max_ms: -1 },
        max_idle_interval_ms: 500,
    }
}

pub(crate) fn controller_settings() -> ControllerSettings {
    ControllerSettings {
        node_id: 0,
        cluster_id: "cluster".to_owned(),
        default_partitions: 1,
        default_replication_factor: 1,
        min_insync_replicas: 1,
        unclean_leader_election: false,
        session_timeout_ms: 9_000,
        leader_balance_interval_ms: None,
        unclean_election_interval_ms: 300_000,
        delegation_tokens: DelegationTokenSettings::default(),
        topic_deletion: true,
        unstable_features: false,
        quorum_node_ids: Vec::new(),
    }
}
