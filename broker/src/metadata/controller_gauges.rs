//! How the cluster stands, as a controller knows it. Kafka: `ControllerMetadataMetrics`,
//! `QuorumControllerMetrics`.
//!
//! Every controller tells, not the active one alone; ActiveControllerCount tells them apart.

use std::sync::Arc;

use metrics::{MetricName, Registry};
use raft::image::{MetadataImage, Partition};

use super::metadata_cache::MetadataCache;
use super::quorum::QuorumHandle;

/// Has the registry ask the metadata.
pub(crate) fn show(quorum: &Arc<QuorumHandle>, metadata: &Arc<MetadataCache>, registry: &Registry) {
    let name = |name| MetricName::new("kafka.controller", "KafkaController", name);
    let asked = Arc::downgrade(quorum);
    let active = move || asked.upgrade().is_some_and(|quorum| quorum.is_active());
    registry.gauge(name("ActiveControllerCount"), move || i64::from(active()));
    let gauge = |which, count: fn(&MetadataImage) -> usize| {
        let metadata = Arc::downgrade(metadata);
        let count = move || metadata.upgrade().map_or(0, |metadata| count(&metadata.image()));
        registry.gauge(name(which), move || i64::try_from(count()).unwrap_or(i64::MAX));
    };
    gauge("GlobalTopicCount", |image| image.topics().len());
    gauge("GlobalPartitionCount", |image| partitions(image, |_| true));
    gauge("OfflinePartitionsCount", |image| partitions(image, |each| !each.has_leader()));
    gauge("PreferredReplicaImbalanceCount", |image| {
        partitions(image, |each| !each.has_preferred_leader())
    });
    gauge("ActiveBrokerCount", |image| {
        image.cluster().brokers().filter(|broker| !broker.fenced).count()
    });
    gauge("FencedBrokerCount", |image| {
        image.cluster().brokers().filter(|broker| broker.fenced).count()
    });
    let metadata = Arc::downgrade(metadata);
    let offset = move || {
        metadata.upgrade().map_or(-1, |held| held.image().provenance().last_contained_offset)
    };
    registry.gauge(name("LastAppliedRecordOffset"), offset);
}

/// How many partitions of the cluster are so.
fn partitions(image: &MetadataImage, is_so: fn(&Partition) -> bool) -> usize {
    let all = image.topics().iter().flat_map(|topic| topic.partitions());
    all.filter(|(_, partition)| is_so(partition)).count()
}
