//! What is measured of all partitions of a broker together.
//!
//! ```text
//! kafka.server:type=BrokerTopicMetrics    what brokers send each other   `BrokerTopicStats`
//! kafka.server:type=ReplicaManager        in-sync sets that changed      `ReplicaManager`
//! kafka.log:type=LogFlushStats            how long syncs take            `LogFlushStats`
//! ```
//! What is counted of each topic is [`TopicMetrics`].

use std::sync::Arc;
use std::time::Duration;

use metrics::{Counter, Histogram, MetricName, Registry};
use protocol::ErrorCode;
use replica::IsrChange;

use super::topic_metrics::{TopicMetrics, TopicsMetrics};

/// The probes.
#[derive(Debug)]
pub(crate) struct PartitionMetrics {
    topics: Arc<TopicsMetrics>,
    replication_bytes_in: Arc<Counter>,
    replication_bytes_out: Arc<Counter>,
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
            topics: TopicsMetrics::shown_by(registry),
            replication_bytes_in: counter("ReplicationBytesInPerSec"),
            replication_bytes_out: counter("ReplicationBytesOutPerSec"),
            isr_shrinks: of_sets("IsrShrinksPerSec"),
            isr_expands: of_sets("IsrExpandsPerSec"),
            flush_times_ms: registry.histogram(flushes),
        }
    }

    /// The counters of a topic, for a partition of it.
    pub(super) fn of_topic(&self, topic: &Arc<str>) -> Arc<TopicMetrics> {
        self.topics.of_topic(topic)
    }

    /// A client or a coordinator wants records appended to one partition.
    pub(super) fn append_requested(&self, topic: &TopicMetrics) {
        topic.append_requested();
        self.topics.all().append_requested();
    }

    /// They were, as batches of so many bytes.
    pub(super) fn appended(
        &self,
        topic: &TopicMetrics,
        bytes: usize,
        first_offset: i64,
        last_offset: i64,
    ) {
        let messages = u64::try_from(last_offset - first_offset + 1).unwrap_or(0);
        topic.appended(bytes, messages);
        self.topics.all().appended(bytes, messages);
    }

    /// They were not, which a client is told by this code.
    pub(crate) fn append_refused(&self, topic: &TopicMetrics, bytes: usize, code: ErrorCode) {
        topic.append_refused(bytes, code);
        self.topics.all().append_refused(bytes, code);
    }

    /// A fetch of a client or a follower was answered for one partition.
    pub(crate) fn fetched(
        &self,
        topic: Option<&TopicMetrics>,
        bytes: usize,
        error_code: i16,
        to_follower: bool,
    ) {
        let bytes_out = if to_follower { 0 } else { bytes };
        if let Some(topic) = topic {
            topic.fetched(bytes_out, error_code);
        }
        self.topics.all().fetched(bytes_out, error_code);
        if to_follower {
            self.replication_bytes_out.add(bytes as u64);
        }
    }

    /// A follower here has appended what its leader sent.
    pub(super) fn replicated(&self, bytes: usize) {
        self.replication_bytes_in.add(bytes as u64);
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
