//! What all partitions of a broker share: who this broker is, the other brokers as the metadata has
//! them, the clock that lag is measured by, the disk gate, what is measured of them all, and the
//! way for proposals of an in-sync set.
//!
//! The publisher renews the brokers before it applies what else an image changed, so that a step
//! never judges a partition's new state by the brokers of before.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use metrics::Registry;
use parking_lot::Mutex;
use raft::image::MetadataImage;
use replica::{BrokerView, Brokers, IsrProposal, StepContext};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use super::partition_metrics::PartitionMetrics;
use crate::clock::monotonic_ms;
use crate::partitions::disk_gate::DiskGate;

/// A change of an in-sync set that the controller is to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposed {
    pub(crate) topic_id: Uuid,
    pub(crate) partition: i32,
    pub(crate) proposal: IsrProposal,
}

/// The brokers of an image.
#[derive(Debug, Default)]
struct KnownBrokers(BTreeMap<i32, BrokerView>);

impl Brokers for KnownBrokers {
    fn broker(&self, id: i32) -> Option<BrokerView> {
        self.0.get(&id).copied()
    }
}

/// Shared by all hosted partitions.
pub(crate) struct ReplicaContext {
    node_id: i32,
    gate: Arc<DiskGate>,
    brokers: ArcSwap<KnownBrokers>,
    lag_time_max_ms: i64,
    proposals: mpsc::UnboundedSender<Proposed>,
    failed: Notify,
    metrics: PartitionMetrics,
    /// Taken by whoever asks the controller.
    proposed: Mutex<Option<mpsc::UnboundedReceiver<Proposed>>>,
}

impl fmt::Debug for ReplicaContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicaContext").field("node_id", &self.node_id).finish_non_exhaustive()
    }
}

impl ReplicaContext {
    pub(crate) fn new(
        node_id: i32,
        lag_time_max_ms: i64,
        gate: Arc<DiskGate>,
        registry: &Registry,
    ) -> Self {
        // Bound: the partitions led here; each proposes again when it has been answered.
        let (proposals, proposed) = mpsc::unbounded_channel();
        Self {
            node_id,
            gate,
            brokers: ArcSwap::default(),
            lag_time_max_ms,
            proposals,
            failed: Notify::new(),
            metrics: PartitionMetrics::new(registry),
            proposed: Mutex::new(Some(proposed)),
        }
    }

    /// The end at which proposals come out; only the first who asks gets it.
    pub(crate) fn take_proposals(&self) -> Option<mpsc::UnboundedReceiver<Proposed>> {
        self.proposed.lock().take()
    }

    /// Something is not as the metadata says that this broker should be: it is looked at soon.
    pub(crate) fn note_failure(&self) {
        self.failed.notify_one();
    }

    /// Resolves when there is such a thing.
    pub(crate) async fn something_failed(&self) {
        self.failed.notified().await;
    }

    pub(crate) fn node_id(&self) -> i32 {
        self.node_id
    }

    /// What is measured of all partitions.
    pub(crate) fn metrics(&self) -> &PartitionMetrics {
        &self.metrics
    }

    pub(super) fn gate(&self) -> &DiskGate {
        &self.gate
    }

    /// replica.lag.time.max.ms
    pub(crate) fn lag_time_max_ms(&self) -> i64 {
        self.lag_time_max_ms
    }

    /// Takes over who is registered, fenced or leaving.
    pub(crate) fn set_brokers(&self, image: &MetadataImage) {
        let view = |broker: &raft::image::Broker| BrokerView {
            epoch: broker.broker_epoch,
            fenced: broker.fenced,
            shutting_down: broker.in_controlled_shutdown,
        };
        let brokers = image.cluster().brokers().map(|broker| (broker.broker_id, view(broker)));
        self.brokers.store(Arc::new(KnownBrokers(brokers.collect())));
    }

    /// Runs one step of a partition, with what it has to know of the world.
    pub(super) fn at<R>(&self, wall_ms: i64, step: impl FnOnce(&StepContext<'_>) -> R) -> R {
        let brokers = self.brokers.load();
        step(&StepContext { wall_ms, monotonic_ms: monotonic_ms(), brokers: &**brokers })
    }

    pub(super) fn propose(&self, proposed: Proposed) {
        // Nobody asks the controller any more when the broker stops.
        let _ = self.proposals.send(proposed);
    }
}
