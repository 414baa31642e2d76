//! What is measured of all partitions of a broker together.
//!
//! ```text
//! kafka.server:type=BrokerTopicMetrics    records and bytes in and out   `BrokerTopicStats`
//! kafka.server:type=ReplicaManager        in-sync sets that changed      `ReplicaManager`
//! kafka.log:type=LogFlushStats            how long syncs take            `LogFlushStats`
//! ```
//! Kafka counts each topic, too; these are the sums over all topics.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Counter, Histogram, MetricName, Registry};
use replica::IsrChange;

/// The probes.
#[derive(Debug)]
pub(crate) struct PartitionMetrics {
    messages_in: Arc<Counter>,
    bytes_in: Arc<Counter>,
    bytes_out: Arc<Counter>,
    replication_bytes_in: Arc<Counter>,
    replication_bytes_out: Arc<Counter>,
    total_produce_requests: Arc<Counter>,
    isr_shrinks: Arc<Counter>,
    isr_expands: Arc<Counter>,
    flush_times_ms: Arc<Histogram>,
}

impl PartitionMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let counter =
            |name| registry.counter(MetricName::new("kafka.server", "BrokerTopicMetrics", name));
        let of_sets =
            |name| registry.counter(MetricName::new("kafka.server", "ReplicaManager", name));
        let flushes = MetricName::new("kafka.log", "LogFlushStats", "LogFlushRateAndTimeMs");
        Self {
            messages_in: counter("MessagesInPerSec"),
            bytes_in: counter("BytesInPerSec"),
            bytes_out: counter("BytesOutPerSec"),
            replication_bytes_in: counter("ReplicationBytesInPerSec"),
            replication_bytes_out: counter("ReplicationBytesOutPerSec"),
            total_produce_requests: counter("TotalProduceRequestsPerSec"),
            isr_shrinks: of_sets("IsrShrinksPerSec"),
            isr_expands: of_sets("IsrExpandsPerSec"),
            flush_times_ms: registry.histogram(flushes),
        }
    }

    /// A client or a coordinator wants records appended to one partition.
    pub(super) fn append_requested(&self) {
        self.total_produce_requests.add(1);
    }

    /// They were, as batches of so many bytes.
    pub(super) fn appended(&self, bytes: usize, first_offset: i64, last_offset: i64) {
        self.bytes_in.add(bytes as u64);
        self.messages_in.add(u64::try_from(last_offset - first_offset + 1).unwrap_or(0));
    }

    /// A follower here has appended what its leader sent.
    pub(super) fn replicated(&self, bytes: usize) {
        self.replication_bytes_in.add(bytes as u64);
    }

    /// An answer to a Fetch has batches of so many bytes.
    pub(crate) fn sent(&self, bytes: usize, to_follower: bool) {
        let counter = if to_follower { &self.replication_bytes_out } else { &self.bytes_out };
        counter.add(bytes as u64);
    }

    /// The controller changed the in-sync set of a partition that is led here, as was asked.
    pub(crate) fn isr_changed(&self, change: &IsrChange) {
        match change {
            IsrChange::Shrink(_) => self.isr_shrinks.add(1),
            IsrChange::Expand(_) => self.isr_expands.add(1),
        }
    }

    /// A log was synced, which took so long.
    pub(super) fn flushed(&self, took: Duration) {
        self.flush_times_ms.record(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    }
}
