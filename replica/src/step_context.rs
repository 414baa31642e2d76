//! What a step is told of the world: the clocks, and the brokers as the metadata has them.
//!
//! Kafka: `Time` and the questions that `Partition` and `Replica` ask of `KRaftMetadataCache`.

use std::fmt;

/// A broker as the metadata this node has applied describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerView {
    /// The epoch of its registration.
    pub epoch: i64,
    /// Not (yet) unfenced by the controller.
    pub fenced: bool,
    /// In controlled shutdown.
    pub shutting_down: bool,
}

/// The brokers that are registered.
pub trait Brokers {
    /// `None` when no such broker is registered.
    fn broker(&self, id: i32) -> Option<BrokerView>;
}

/// The circumstances of one step.
#[derive(Clone, Copy)]
pub struct StepContext<'a> {
    /// Of the wall clock: what records are stamped with.
    pub wall_ms: i64,
    /// Of a clock that only goes forward: lag is measured by it.
    pub monotonic_ms: i64,
    /// The brokers.
    pub brokers: &'a dyn Brokers,
}

impl StepContext<'_> {
    /// Kafka: `MetadataCache.getAliveBrokerEpoch`.
    pub(crate) fn alive_epoch(&self, id: i32) -> Option<i64> {
        self.brokers.broker(id).filter(|broker| !broker.fenced).map(|broker| broker.epoch)
    }

    /// Whether the controller may accept `id` into an in-sync set (KIP-841, KIP-903), given the
    /// epoch that its last fetch carried. Kafka: `Partition.isReplicaIsrEligible`.
    pub(crate) fn may_join(&self, id: i32, fetched_with: Option<i64>) -> bool {
        let (Some(broker), Some(epoch)) = (self.brokers.broker(id), fetched_with) else {
            return false;
        };
        !broker.fenced && !broker.shutting_down && (epoch == -1 || epoch == broker.epoch)
    }
}

impl fmt::Debug for StepContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wall {} ms, monotonic {} ms", self.wall_ms, self.monotonic_ms)
    }
}
